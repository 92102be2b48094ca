package console

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/sidehook/sidehook/emitter/admin"
)

// changeTime is how long one request may go on with a change of many deliveries.
const changeTime = 5 * time.Second

// action is what can be done to deliveries.
type action struct {
	// Name is the last segment of the API's path, Verb what a button says.
	Name, Verb string
	// Effect is what it does to those selected.
	Effect string
}

var actions = map[string]action{
	"retry":     {"retry", "Retry now", "will be sent at once instead of at their next attempt"},
	"redeliver": {"redeliver", "Redeliver", "will be sent again, with the same ids and bodies"},
	"discard":   {"discard", "Discard", "will be deleted for good"},
}

// changeData is the content of the page that asks for a confirmation, or reports
// what was done.
type changeData struct {
	Action action
	Filter filter
	To     string
	Count  int
	// IsWhole is false where there are more than Count.
	IsWhole bool
	// IsDone reports whether it was done. After is where the rest continues.
	IsDone bool
	After  string
}

// change shows how many deliveries a change is about and, once that is confirmed,
// makes it.
func (c *Console) change(w http.ResponseWriter, r *http.Request) {
	data := changeData{Filter: readFilter(r.PostForm), To: r.PostForm.Get("to"), After: r.PostForm.Get("after")}
	known := false
	if data.Action, known = actions[r.PostForm.Get("action")]; !known {
		c.refuse(w, r, http.StatusBadRequest, "There is no such change.")
		return
	}
	data.IsDone = r.PostForm.Get("confirmed") == "yes"
	if err := c.runChange(r, &data); err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, "change", data.Action.Verb, func(p *page) string { return changePage(p, &data) })
}

// runChange goes through the selected deliveries, as far as it gets in changeTime.
func (c *Console) runChange(r *http.Request, data *changeData) error {
	values := data.values()
	if !data.IsDone {
		values.Set("dry_run", "")
	}
	for end := time.Now().Add(changeTime); time.Now().Before(end); {
		var step admin.BulkResult
		if err := c.api.post(r, "/deliveries/"+data.Action.Name, withAfter(values, data.After), &step); err != nil {
			return err
		}
		data.Count += step.Count
		if data.After = step.After; data.After == "" {
			data.IsWhole = true
			break
		}
	}
	if !data.IsDone {
		data.After = ""
	}
	return nil
}

func (d *changeData) values() url.Values {
	values := d.Filter.values()
	if d.To != "" && d.Action.Name == "redeliver" {
		values.Set("to", d.To)
	}
	return values
}

// Selected describes what the change is about.
func (d *changeData) Selected() (lines []string) {
	for _, line := range []struct{ name, value string }{
		{"id", d.Filter.ID},
		{"target", d.Filter.Target},
		{"rule", d.Filter.Rule},
		{"survey", d.Filter.Survey},
		{"event", d.Filter.Event},
		{"state", d.state()},
		{"created since", d.Filter.Since},
		{"created before", d.Filter.Until},
	} {
		if line.value != "" {
			lines = append(lines, line.name+" "+line.value)
		}
	}
	return lines
}

// state returns the state that the API selects where none is named.
func (d *changeData) state() string {
	switch {
	case d.Filter.State != "" || d.Filter.ID != "":
		return d.Filter.State
	case d.Action.Name == "retry":
		return "pending"
	}
	return "dead"
}

// Deliveries says how many there are.
func (d *changeData) Deliveries() string {
	if d.IsWhole || d.IsDone {
		return plural(d.Count, "delivery", "deliveries")
	}
	return "More than " + plural(d.Count, "delivery", "deliveries")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// changeTarget enables or disables a target, and returns to the overview.
func (c *Console) changeTarget(w http.ResponseWriter, r *http.Request) {
	verb := r.PostForm.Get("action")
	if verb != "enable" && verb != "disable" {
		c.refuse(w, r, http.StatusBadRequest, "There is no such change.")
		return
	}
	if err := c.api.post(r, "/targets/"+url.PathEscape(r.PathValue("name"))+"/"+verb, nil, nil); err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, home, http.StatusSeeOther)
}
