package console

import (
	"net/http"

	"github.com/sidehook/sidehook/emitter/admin"
	"github.com/sidehook/sidehook/emitter/live"
)

const (
	// barHeight is the height of the picture of an hour, and barWidth that of a minute.
	barHeight = 40
	barWidth  = 4
)

// overviewData is the content of the overview.
type overviewData struct {
	admin.Status
	// Events, Delivered and Failed are those of the last hour.
	Events, Delivered, Failed int
}

func (c *Console) overview(w http.ResponseWriter, r *http.Request) {
	var data overviewData
	if err := c.api.get(r, "/status", nil, &data.Status); err != nil {
		c.fail(w, r, err)
		return
	}
	for _, minute := range data.Activity.Minutes {
		data.Events += minute.Events
		data.Delivered += minute.Delivered
		data.Failed += minute.Failed
	}
	c.render(w, r, http.StatusOK, "overview", "Overview", func(p *page) string { return overviewPage(p, &data) })
}

// bar is a minute in a picture of an hour.
type bar struct{ X, Y, Height int }

// bars returns the bars of one of the counters: events, delivered or failed.
func bars(minutes []live.Minute, counter string) []bar {
	values, highest := make([]int, len(minutes)), 1
	for i, minute := range minutes {
		values[i] = map[string]int{"events": minute.Events, "delivered": minute.Delivered, "failed": minute.Failed}[counter]
		highest = max(highest, values[i])
	}
	var all []bar
	for i, value := range values {
		if value == 0 {
			continue
		}
		height := max(value*barHeight/highest, 1)
		all = append(all, bar{X: i * barWidth, Y: barHeight - height, Height: height})
	}
	return all
}

func severityWord(s admin.Severity) string {
	if s == admin.Severe {
		return "Error"
	}
	return "Warning"
}
