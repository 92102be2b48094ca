package record

import (
	"sync/atomic"

	"github.com/sidehook/sidehook/rules"
)

// stallAfter is how many navigations in a row the app must fail at to be told
// of: one alone may be a second click.
const stallAfter = 3

// stall counts the navigations that the app failed at since it accepted one.
type stall struct{ failed atomic.Int64 }

// noteStall says once when the app fails at navigation after navigation, and
// again only after it has accepted one. That no answer came at all is the
// proxy's to tell.
func (r *Recorder) noteStall(match rules.Match, status int, accepted bool) {
	switch {
	case match.Says() != rules.Navigated:
	case accepted:
		r.stall.failed.Store(0)
	case status >= 500 && r.stall.failed.Add(1) == stallAfter:
		r.complain.say("the app fails at navigation after navigation: participants cannot move on, and no events come of it",
			"in_a_row", stallAfter, "status", status, "hint", match.Hint())
	}
}
