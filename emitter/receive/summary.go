package receive

import (
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// Summary is what a webhook is about.
type Summary struct {
	// Event is the name of the event, empty if the body is in no format that we know.
	Event string
	// Way is from which page to which: names, or else numbers.
	Way string
	// At is when it happened, zero if that is not known.
	At time.Time
}

// Summarise reads a body in one of the three formats.
func Summarise(body []byte) Summary {
	switch kind := gjson.GetBytes(body, "type").String(); {
	case kind != "":
		return summariseStandard(body, kind)
	case gjson.GetBytes(body, "EventType.Name").Exists():
		return summariseDecsys(body)
	}
	return Summary{}
}

// summariseStandard reads format standard or cloudevents.
func summariseStandard(body []byte, kind string) Summary {
	_, name, _ := strings.Cut(kind[max(strings.LastIndex(kind, "survey."), 0):], ".")
	name = map[string]string{"page_navigated": "page_navigation", "completed": "completion"}[name]
	if name == "" {
		name = kind[strings.LastIndex(kind, ".")+1:]
	}
	at := gjson.GetBytes(body, "timestamp")
	if !at.Exists() {
		at = gjson.GetBytes(body, "time")
	}
	return Summary{Event: name, Way: way(gjson.GetBytes(body, "data.from"), gjson.GetBytes(body, "data.to"), name), At: parseTime(at)}
}

func way(from, to gjson.Result, event string) string {
	switch {
	case event == "completion":
		return pageName(from) + " → end"
	case event == "started":
		return "start → " + pageName(to)
	case from.IsObject() && to.IsObject():
		return pageName(from) + " → " + pageName(to)
	case from.IsObject():
		return pageName(from)
	}
	return pageName(to)
}

func pageName(page gjson.Result) string {
	if name := page.Get("name").String(); name != "" {
		return name
	}
	if number := page.Get("number").Int(); number > 0 {
		return "page " + strconv.FormatInt(number, 10)
	}
	return "?"
}

// summariseDecsys reads format decsys, which has the positions of pages alone.
func summariseDecsys(body []byte) Summary {
	fields := gjson.GetManyBytes(body, "EventType.Name", "EventType.SourcePage", "EventType.ResolvedPage", "Timestamp")
	return Summary{
		Event: strings.ToLower(fields[0].String()),
		Way:   "page " + fields[1].String() + " → " + fields[2].String(),
		At:    parseTime(fields[3]),
	}
}

func parseTime(value gjson.Result) time.Time {
	at, _ := time.Parse(time.RFC3339Nano, value.String())
	return at
}
