package demo

import (
	"encoding/json"
	"fmt"
	"testing"
)

func TestForgetsWhoCameFirstWhenTheLogIsFull(t *testing.T) {
	log := newEventLog()
	payload := make(json.RawMessage, maxLogSize/10)
	for i := range 15 {
		log.add(fmt.Sprintf("P%d", i), event{Payload: payload})
		if log.size > maxLogSize {
			t.Fatalf("after %d events the log has %d bytes, more than %d", i+1, log.size, maxLogSize)
		}
	}
	if got := len(log.of("p0")) + len(log.of("p5")); got != 0 {
		t.Errorf("the first participants still have %d events", got)
	}
	if got := len(log.of("p14")); got != 1 {
		t.Errorf("the last participant has %d events, want 1", got)
	}
	if got := len(log.participants); got != len(log.arrived) || got != 9 {
		t.Errorf("%d participants and %d keys are kept, want 9 of both", got, len(log.arrived))
	}
}
