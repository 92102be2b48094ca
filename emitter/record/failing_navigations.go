package record

import (
	"log/slog"
	"sync/atomic"

	"golang.org/x/time/rate"

	"github.com/sidehook/sidehook/rules"
)

// failingAfter is how many navigations in a row must fail before that is logged:
// one alone may be a second click.
const failingAfter = 3

// failingNavigations logs when the app fails at one navigation after the other,
// and again only after it has accepted one.
type failingNavigations struct {
	log  *slog.Logger
	warn rate.Sometimes
	// inARow counts the failures since the app accepted a navigation.
	inARow atomic.Int64
}

// note takes the status of an exchange, 0 if the app gave no response: that is
// for the proxy to log.
func (n *failingNavigations) note(match rules.Match, status int, accepted bool) {
	switch {
	case match.Kind() != rules.Navigated:
	case accepted:
		n.inARow.Store(0)
	case status >= 500 && n.inARow.Add(1) == failingAfter:
		if isDue(&n.warn) {
			n.log.Warn("the app fails every navigation: participants cannot move on, and there are no events",
				"in_a_row", failingAfter, "status", status, "hint", match.Hint())
		}
	}
}
