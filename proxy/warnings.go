package proxy

import (
	"log/slog"
	"time"

	"golang.org/x/time/rate"
)

// warning is a log line that participants or the app can cause any number of times.
type warning int

const (
	warnUnreachable warning = iota
	warnLoop
	warnProxyHeader
	warnTimedOut
	warnBrokeOff
	warnAccept
	warnPanic
	warnTooLarge
	warnTruncated
	warnUndecodable
	warnOverBudget
	numWarnings
)

var warningTexts = [numWarnings]string{
	warnUnreachable: "app could not be reached",
	warnLoop:        "the address of the app leads back to sidehook itself: set app to where the survey app listens",
	warnProxyHeader: "connection from trusted_proxies closed: with proxy_protocol, all of them have to send its header",
	warnTimedOut:    "app did not respond in time",
	warnBrokeOff:    "app broke off its response",
	warnAccept:      "connection could not be accepted",
	warnPanic:       "recovered from a panic; please report this as a bug",
	warnTooLarge:    "body not inspected",
	warnTruncated:   "body not inspected",
	warnUndecodable: "body not inspected",
	warnOverBudget:  "body not inspected: all together exceed limits.watched_bodies",
}

// warnings logs each warning at most once a minute, lest they fill a disk.
type warnings struct {
	logger *slog.Logger
	limits [numWarnings]rate.Sometimes
}

func newWarnings(logger *slog.Logger) *warnings {
	w := &warnings{logger: logger}
	for i := range w.limits {
		w.limits[i].Interval = time.Minute
	}
	return w
}

// log logs a warning if it is due. A log that blocks holds up this caller alone:
// no lock is held meanwhile.
func (w *warnings) log(of warning, args ...any) {
	isDue := false
	w.limits[of].Do(func() { isDue = true })
	if isDue {
		w.logger.Warn(warningTexts[of], args...)
	}
}
