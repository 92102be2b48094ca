package rules

import (
	"fmt"
	"testing"
)

func TestANewcomerIsTakenOnce(t *testing.T) {
	var n Newcomers
	n.Add("p")
	if n.Take("q") || !n.Take("p") || n.Take("p") {
		t.Error("want p, once")
	}
}

func TestTheOldestNewcomersMakeRoom(t *testing.T) {
	var n Newcomers
	for i := range maxNewcomers + 2 {
		n.Add(fmt.Sprint(i))
	}
	if n.Take("0") || n.Take("1") || !n.Take("2") || !n.Take(fmt.Sprint(maxNewcomers+1)) {
		t.Error("want all but 0 and 1")
	}
	if len(n.ring) != maxNewcomers || len(n.known) > maxNewcomers {
		t.Errorf("%d and %d are remembered, want %d at most", len(n.ring), len(n.known), maxNewcomers)
	}
}
