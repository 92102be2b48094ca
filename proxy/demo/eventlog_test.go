package demo

import (
	"encoding/json"
	"fmt"
	"testing"
)

func TestFullLogForgetsTheOldestParticipants(t *testing.T) {
	log := newEventLog()
	payload := make(json.RawMessage, maxLogSize/10)
	for i := range 15 {
		log.add(fmt.Sprintf("P%d", i), event{Payload: payload})
		if log.size > maxLogSize {
			t.Fatalf("after %d events the log has %d bytes, more than %d", i+1, log.size, maxLogSize)
		}
	}
	if got := len(log.of("p0")) + len(log.of("p5")); got != 0 {
		t.Errorf("the oldest participants still have %d events", got)
	}
	if got := len(log.of("p14")); got != 1 {
		t.Errorf("the newest participant has %d events, want 1", got)
	}
	if got := len(log.participants); got != len(log.arrived) || got != 9 {
		t.Errorf("%d participants and %d keys remain, want 9 of each", got, len(log.arrived))
	}
}
