package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sidehook/sidehook/emitter/admin"
)

// liveRows is how many deliveries the page begins with.
const liveRows = "50"

// liveData is the content of the page of what happens.
type liveData struct {
	Filter     filter
	Targets    []string
	Deliveries []admin.Delivery
	// Feed is the address of the feed.
	Feed string
}

func (c *Console) live(w http.ResponseWriter, r *http.Request) {
	data := liveData{Filter: readFilter(r.URL.Query())}
	values := data.Filter.values()
	data.Feed = "/console/feed?" + values.Encode()
	var list admin.DeliveryList
	values.Set("limit", liveRows)
	err := c.api.get(r, "/deliveries", values, &list)
	if err == nil {
		data.Targets, err = c.targetNames(r)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	data.Deliveries = list.Deliveries
	slices.SortStableFunc(data.Deliveries, func(a, b admin.Delivery) int { return -cmp.Compare(a.Created.UnixNano(), b.Created.UnixNano()) })
	c.render(w, r, http.StatusOK, "live", "Live", func(*page) string { return livePage(&data) })
}

// feed is for an EventSource alone: a page of another port could have a browser open
// it as an image, which takes a place from others.
func (c *Console) feed(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		c.refuse(w, r, http.StatusNotAcceptable, "This is read by the live page.")
		return
	}
	c.api.stream(w, r, "/feed")
}

func (c *Console) targetNames(r *http.Request) (names []string, err error) {
	var targets []admin.Target
	err = c.api.get(r, "/targets", nil, &targets)
	return namesOf(targets), err
}

func namesOf(targets []admin.Target) (names []string) {
	for i := range targets {
		names = append(names, targets[i].Name)
	}
	return names
}

// filter is what pages select deliveries by.
type filter struct{ ID, Target, Rule, Survey, Event, State, Outcome, Since, Until string }

func readFilter(v url.Values) filter {
	return filter{
		ID: v.Get("id"), Target: v.Get("target"), Rule: v.Get("rule"), Survey: v.Get("survey"), Event: v.Get("event"), State: v.Get("state"),
		Outcome: v.Get("outcome"), Since: v.Get("since"), Until: v.Get("until"),
	}
}

// IsSet reports whether anything is selected.
func (f filter) IsSet() bool { return f != filter{} }

// values returns the parameters that are set.
func (f filter) values() url.Values {
	values := url.Values{}
	for name, value := range map[string]string{
		"id": f.ID, "target": f.Target, "rule": f.Rule, "survey": f.Survey, "event": f.Event, "state": f.State, "outcome": f.Outcome,
		"since": f.Since, "until": f.Until,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}
