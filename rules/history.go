package rules

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/jsonpath"
)

// Get sends GET for a percent-encoded path to the app and returns its whole response.
type Get func(path string) (status int, contentType string, body []byte, err error)

// maxStudySearch is how many instances before a survey's own are searched for its study's.
const maxStudySearch = 10

var (
	errNoPages = errors.New("the app does not list the survey's pages")
	errDots    = errors.New("an id is a dot segment, which no path can have")
)

// HasHistory reports whether ReadPast can read what a participant did before.
func (p *Profile) HasHistory() bool { return p.history != nil }

// AsksWithoutSurvey reports whether ReadPast needs no survey.
func (p *Profile) AsksWithoutSurvey() bool { return p.history != nil && !p.history.needsSurvey }

// Begins returns the participant that the app creates in this exchange, who
// therefore has no past; empty if it creates none.
func (p *Profile) Begins(m Match, x Exchange) string {
	if p.history == nil || p.history.Begins == "" || m.route.kind != PageShown ||
		!m.route.when.holds(x) || x.LacksResponse != "" {
		return ""
	}
	body, err := jsonpath.ReadJSON(x.ResponseBody)
	if err != nil {
		return ""
	}
	return jsonpath.Get(body, p.history.Begins).String()
}

// ReadPast reads what the participant did before from the app: all events at once
// if the app has such a list, or else the last event of each type, page by page.
// For a participant who has done nothing that takes one or two requests.
func (p *Profile) ReadPast(request PastRequest, get Get) (*Past, error) {
	r := &pastReader{Profile: p, send: get, words: map[string]string{
		"survey": request.Survey, "instance": request.Journey.Instance, "participant": request.Journey.Participant,
	}}
	for _, word := range r.words {
		if word == "." || word == ".." { // would lead to another path
			return nil, errDots
		}
	}
	past := &Past{}
	if err := r.read(past); err != nil {
		return nil, err
	}
	slices.SortStableFunc(past.Events, func(a, b PastEvent) int { return a.At.Compare(b.At) })
	return past, nil
}

// pastReader reads one participant's past.
type pastReader struct {
	*Profile
	send  Get
	words map[string]string
}

func (r *pastReader) read(past *Past) error {
	isListed, err := r.list(past)
	if err != nil {
		return err
	}
	hasBegun := len(past.Events) > 0
	if !isListed {
		if hasBegun, err = r.hasBegun(); err != nil {
			return err
		}
	}
	if !hasBegun {
		return nil
	}
	if err := r.readPages(past); err != nil || isListed {
		return err
	}
	return r.readLast(past)
}

// get reads the JSON at a path of the profile. The result is empty if the app has
// none: it responds with 404 or with HTML.
func (r *pastReader) get(template string) (gjson.Result, error) {
	if template == "" {
		return gjson.Result{}, nil
	}
	status, contentType, body, err := r.send(r.fill(template))
	switch {
	case err != nil:
		return gjson.Result{}, err
	case status == 404, status == 200 && !strings.HasPrefix(contentType, "application/json"):
		return gjson.Result{}, nil
	case status != 200:
		return gjson.Result{}, fmt.Errorf("the app responds with status %d", status)
	}
	body, err = jsonpath.ReadJSON(body)
	if err != nil {
		return gjson.Result{}, fmt.Errorf("the app's response %w", err)
	}
	return gjson.ParseBytes(body), nil
}

// fill replaces the parameters of a path by their percent-encoded values.
func (r *pastReader) fill(template string) string {
	for name, word := range r.words {
		template = strings.ReplaceAll(template, "{"+name+"}", url.PathEscape(word))
	}
	return template
}

// list reads all events at once; ok is false if the app has no such list.
func (r *pastReader) list(past *Past) (ok bool, err error) {
	list, err := r.get(r.history.Events)
	if err != nil || !list.IsArray() {
		return false, err
	}
	for _, one := range list.Array() {
		past.add(r.readEvent(one))
	}
	return true, nil
}

// hasBegun reports whether the participant has loaded a page, or left one.
func (r *pastReader) hasBegun() (bool, error) {
	for _, name := range []string{r.history.Types.PageLoaded, r.history.Types.Navigated} {
		r.words["type"] = name
		last, err := r.get(r.history.LastOfType)
		if err != nil || last.IsObject() {
			return true, err
		}
	}
	return false, nil
}

func (r *pastReader) readPages(past *Past) error {
	survey, err := r.get(r.history.Pages)
	if err != nil {
		return err
	}
	pages := jsonpath.In(survey, r.history.PagesAt)
	if !pages.IsArray() {
		return errNoPages
	}
	if parent := r.parent(survey); parent != "" {
		if past.Study, err = r.readStudy(parent); err != nil {
			return err
		}
	}
	past.Pages = map[string]*Page{}
	for _, json := range pages.Array() {
		page, err := r.readPage(json, "")
		if err != nil {
			return err
		}
		if page != nil {
			past.Pages[page.ID] = page
		}
	}
	return nil
}

func (r *pastReader) parent(survey gjson.Result) string {
	if r.history.Parent == "" {
		return ""
	}
	return jsonpath.In(survey, r.history.Parent).String()
}

// readStudy returns the name of a survey's study. The survey has the study's id,
// but not its instance. That is launched just before the instances of its surveys,
// and lists them, so it is found among the instances before the survey's own.
func (r *pastReader) readStudy(study string) (name string, err error) {
	own := r.words["instance"]
	n, err := strconv.ParseUint(own, 10, 63)
	if err != nil {
		return study, nil
	}
	of := pastReader{Profile: r.Profile, send: r.send, words: map[string]string{"survey": study}}
	for before := uint64(1); before <= maxStudySearch && before < n; before++ {
		of.words["instance"] = strconv.FormatUint(n-before, 10)
		found, err := of.get(r.history.Pages)
		if err != nil {
			return "", err
		}
		for _, child := range jsonpath.In(found, r.history.Children).Array() {
			if child.String() == own {
				return cmp.Or(r.friendly.name(study, of.words["instance"]), study), nil
			}
		}
	}
	return study, nil
}

// readLast reads the last event of each type, of each page and its item.
func (r *pastReader) readLast(past *Past) error {
	for id, page := range past.Pages {
		sources := map[string]string{r.history.Types.PageLoaded: id, r.history.Types.Navigated: id}
		if page.Item != nil {
			sources[r.history.Types.Answered] = page.Item.ID
		}
		for name, source := range sources {
			r.words["type"], r.words["source"] = name, source
			last, err := r.get(r.history.Last)
			if err != nil {
				return err
			}
			past.add(r.readEvent(last))
		}
	}
	return nil
}

// readEvent returns an event of the app's log; ok is false for other types of events.
func (r *pastReader) readEvent(json gjson.Result) (e PastEvent, ok bool) {
	at, err := time.Parse(time.RFC3339Nano, jsonpath.In(json, r.history.Event.At).String())
	kind, known := r.history.kinds[jsonpath.In(json, r.history.Event.Type).String()]
	if err != nil || !known {
		return PastEvent{}, false
	}
	e = PastEvent{Kind: kind, At: at, Source: jsonpath.In(json, r.history.Event.Source).String()}
	switch kind {
	case Answered:
		e.Answer = readAnswer(jsonpath.In(json, r.history.Event.Answer))
	case Navigated:
		e.Reached = jsonpath.In(json, r.history.Event.Reached).String()
	}
	return e, true
}
