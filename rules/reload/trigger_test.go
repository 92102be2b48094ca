package reload

import "testing"

func TestTriggersHaveNames(t *testing.T) {
	for by, want := range map[trigger]string{signal: "signal", fileChange: "file change", newlyWatched: "newly watched file"} {
		if got := by.String(); got != want {
			t.Errorf("%d: %q, want %q", by, got, want)
		}
	}
}
