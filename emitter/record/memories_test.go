package record

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules"
)

func TestWhatIsForgottenForLackOfRoomIsKnownToBeMissing(t *testing.T) {
	start := time.Now()
	m := newMemories()
	add := func(participant string, second int) {
		at := start.Add(time.Duration(second) * time.Second)
		m.add(&remembered{participant: participant, kind: rules.Answered, began: at, ended: at})
	}
	add("calm", 1)
	for range 2 * maxMemoriesOfOne / memoryOverhead {
		add("busy", 2)
	}
	f := func(participant string, wantAny, isWhole bool) {
		t.Helper()
		ended, since := m.get(participant)
		if len(ended) > 0 != wantAny || !since.After(start.Add(time.Second)) != isWhole {
			t.Errorf("%s has %d exchanges since %s, want any: %v, all: %v", participant, len(ended), since.Sub(start), wantAny, isWhole)
		}
	}
	f("calm", true, true)
	f("busy", true, false)
	if of := m.byParticipant["busy"]; of.bytes > maxMemoriesOfOne {
		t.Errorf("%d bytes of one are remembered, %d is the most", of.bytes, maxMemoriesOfOne)
	}
	for i := range maxMemories / memoryOverhead {
		add(fmt.Sprint("crowd ", i), 3)
	}
	if m.bytes > maxMemories {
		t.Errorf("%d bytes are remembered, %d is the most", m.bytes, maxMemories)
	}
	f("calm", false, false)
	m.expire(start.Add(time.Hour))
	if len(m.ended) > 0 || len(m.byParticipant) > 0 || m.bytes != 0 {
		t.Errorf("after an hour, %d exchanges of %d participants in %d bytes are left", len(m.ended), len(m.byParticipant), m.bytes)
	}
}

func TestAnExchangeWithIDsPastTheBoundIsNotRemembered(t *testing.T) {
	start := time.Now()
	m := newMemories()
	m.add(&remembered{participant: "p", item: "short", began: start, ended: start})
	m.add(&remembered{participant: "p", item: strings.Repeat("x", maxMemoriesOfOne), began: start, ended: start})
	ended, since := m.get("p")
	if len(ended) != 1 || ended[0].item != "short" || since.After(start.Add(time.Minute)) {
		t.Errorf("%d exchanges are remembered since %s, want the short one alone", len(ended), since.Sub(start))
	}
}
