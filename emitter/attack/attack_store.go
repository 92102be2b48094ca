package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tidwall/gjson"
)

const (
	// damageMarker is in the answers of those whose records are damaged, as flippedMarker.
	damageMarker  = "an answer that is about to be damaged"
	flippedMarker = "an answer that is about to be dAmaged"
	// victims is how many participants have damaged records.
	victims = 5
)

// storeAttacks fill the store, or damage it.
func storeAttacks() []attack {
	return []attack{
		{name: "small-requests-fill-store", setup: setup{size: 16, hasCRM: true}, play: func(b *battle) error {
			b.hoard(5, 800_000)
			b.flood(1, 2*b.pick(30, 200), func(i int) request { return []request{load(navigator), next(navigator)}[i%2] })
			return nil
		}},
		{name: "bounded-answers-fill-store", setup: setup{size: 16, hasCRM: true}, play: func(b *battle) error {
			b.hoard(5, 60_000)
			b.flood(1, 2*b.pick(150, 1500), func(i int) request { return []request{load(navigator), next(navigator)}[i%2] })
			return nil
		}},
		{name: "many-ids-fill-store", setup: setup{size: 16, hasCRM: true, crmMayFill: true}, play: func(b *battle) error {
			b.leavePages(b.pick(150, 700), filler(300_000))
			return nil
		}},
		{name: "many-ids-bounded-answers", setup: setup{size: 16, hasCRM: true, crmMayFill: true}, play: func(b *battle) error {
			b.leavePages(b.pick(400, 3000), filler(60_000))
			return nil
		}},
		{name: "evict-dead", setup: setup{size: 16, hasCRM: true, crmRefuses: true}, check: checkDead, play: func(b *battle) error {
			b.flood(4, b.pick(60, 300), func(i int) request { return answer(fmt.Sprint("madeup", i), "item", largeAnswer) })
			return nil
		}},
		{name: "evict-dead-small-answers", setup: setup{size: 16, hasCRM: true, crmRefuses: true}, check: checkDead, play: func(b *battle) error {
			b.flood(16, b.pick(1000, 5000), func(i int) request { return answer(fmt.Sprint("madeup", i), "item", 60_000) })
			return nil
		}},
		{name: "evict-dead-named-survey", setup: setup{size: 16, hasCRM: true, crmRefuses: true}, check: checkDead, play: func(b *battle) error {
			b.flood(16, 2*b.pick(600, 2000), func(i int) request {
				id := fmt.Sprint(navigator, i/2)
				return []request{show(id), answer(id, itemOf(0), 60_000)}[i%2]
			})
			return nil
		}},
		{name: "damaged-records", setup: setup{hasCRM: true}, play: damageRecords, check: func(b *battle) {
			if n := b.crm.damaged.Load(); n > 0 {
				b.miss("%d damaged bodies were signed and sent", n)
			}
		}},
	}
}

// checkDead compares the dead deliveries of a target that refuses every honest
// event with the events.
func checkDead(b *battle) {
	want := int64(b.lake.ledger.tally().expected)
	dead := int64(-1)
	for until := time.Now().Add(b.catchUp); dead < want && time.Now().Before(until); b.sleep(50 * time.Millisecond) {
		targets, _ := b.side.ask("/targets")
		dead = gjson.Get(targets, `#(name=="crm").dead`).Int()
	}
	if dead < want {
		b.miss("%d of %d dead deliveries are gone", want-dead, want)
	}
}

// damageRecords flips a bit of what is stored of some participants, in every file
// that has it.
func damageRecords(b *battle) error {
	client := newClient(b.side.participants, 1, attackerPatience)
	for i := range victims {
		b.leavePage(client, fmt.Sprint(navigator, i), []byte(`{"text":"`+damageMarker+`"}`))
	}
	b.sleep(200 * time.Millisecond)
	return b.restart(true, func() error { return damage(b.side.statePath()) })
}

func damage(state string) error {
	found := 0
	err := filepath.WalkDir(state, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n := bytes.Count(content, []byte(damageMarker))
		if n == 0 {
			return nil
		}
		found += n
		return os.WriteFile(path, bytes.ReplaceAll(content, []byte(damageMarker), []byte(flippedMarker)), 0o600)
	})
	if err == nil && found == 0 {
		err = errors.New("no record has an answer as it was sent, so none can be damaged")
	}
	return err
}
