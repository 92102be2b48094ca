package admin

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules/config"
)

const (
	// defaultPage is the number of deliveries in a page.
	defaultPage = 100
	// MaxPage is the largest number of deliveries in a page.
	MaxPage = 1000
)

// States are the names of the states to select deliveries by. "waiting", as
// deliveries themselves show it, is another name of "pending".
var States = []string{"pending", "delivered", "dead"}

var states = map[string][]outbox.State{
	"pending": {outbox.Waiting}, "waiting": {outbox.Waiting}, "delivered": {outbox.Delivered}, "dead": {outbox.Dead},
}

// CheckState returns an error that lists the States unless text names one.
func CheckState(text string) error {
	if _, known := states[text]; !known {
		return fmt.Errorf("unknown state %q; known states: %s", text, strings.Join(States, ", "))
	}
	return nil
}

// filters are the parameters that narrow a query.
var filters = []string{"id", "target", "rule", "survey", "event", "state", "since", "until"}

// readQuery reads a query's filters, limit and cursor.
func readQuery(values url.Values, now time.Time) (query outbox.Query, err error) {
	query = outbox.Query{
		ID: values.Get("id"), Target: values.Get("target"), Rule: values.Get("rule"), Survey: values.Get("survey"), Event: values.Get("event"),
		After: values.Get("after"), Limit: defaultPage,
	}
	if state := values.Get("state"); state != "" {
		if err := CheckState(state); err != nil {
			return query, err
		}
		query.States = states[state]
	}
	if query.Since, err = readTime(values.Get("since"), now); err != nil {
		return query, fmt.Errorf("since %w", err)
	}
	if query.Until, err = readTime(values.Get("until"), now); err != nil {
		return query, fmt.Errorf("until %w", err)
	}
	if text := values.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > MaxPage {
			return query, fmt.Errorf("limit must be a number from 1 to %d", MaxPage)
		}
		query.Limit = limit
	}
	return query, nil
}

// readTime parses a time, or how long ago it was; zero for an empty text.
func readTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	var ago config.Duration
	if err := ago.UnmarshalText([]byte(text)); err != nil {
		return time.Time{}, fmt.Errorf("must be a time such as 2026-11-24T09:30:00Z, or how long ago: 90m, 2h, 7d; not %q", text)
	}
	return now.Add(-time.Duration(ago)), nil
}

// narrows reports whether values have a filter.
func narrows(values url.Values) bool {
	for _, name := range filters {
		if values.Get(name) != "" {
			return true
		}
	}
	return false
}
