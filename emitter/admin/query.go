package admin

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"

	"github.com/sidehook/sidehook/rules/config"
)

// defaultList and maxList are numbers of deliveries in one list.
const (
	defaultList = 100
	maxList     = 1000
)

// states are those that can be asked for.
var states = map[string][]outbox.State{
	"": nil, "pending": {outbox.Waiting}, "delivered": {outbox.Delivered}, "dead": {outbox.Dead},
}

// filters are the names of what narrows a query.
var filters = []string{"id", "target", "rule", "state", "since", "until"}

// readQuery reads what narrows a list, and where it goes on.
func readQuery(values url.Values, now time.Time) (query outbox.Query, err error) {
	query = outbox.Query{
		ID: values.Get("id"), Target: values.Get("target"), Rule: values.Get("rule"), After: values.Get("after"), Limit: defaultList,
	}
	known := false
	if query.States, known = states[values.Get("state")]; !known {
		return query, fmt.Errorf("state must be pending, delivered or dead")
	}
	if query.Since, err = readTime(values.Get("since"), now); err != nil {
		return query, fmt.Errorf("since %w", err)
	}
	if query.Until, err = readTime(values.Get("until"), now); err != nil {
		return query, fmt.Errorf("until %w", err)
	}
	if text := values.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > maxList {
			return query, fmt.Errorf("limit must be a number from 1 to %d", maxList)
		}
		query.Limit = limit
	}
	return query, nil
}

// readTime takes a moment, or how long ago it was; zero for an empty text.
func readTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if moment, err := time.Parse(time.RFC3339, text); err == nil {
		return moment, nil
	}
	var ago config.Duration
	if err := ago.UnmarshalText([]byte(text)); err != nil {
		return time.Time{}, fmt.Errorf("must be a time such as 2026-11-24T09:30:00Z, or how long ago it was: 90m, 2h, 7d; not %q", text)
	}
	return now.Add(-time.Duration(ago)), nil
}

// narrows tells whether values say which deliveries are meant.
func narrows(values url.Values) bool {
	for _, name := range filters {
		if values.Get(name) != "" {
			return true
		}
	}
	return false
}
