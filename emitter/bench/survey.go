package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// pages is how many pages the survey has.
const pages = 12

// The app's types of events.
const (
	pageLoad         = "decsys.platform.PAGE_LOAD"
	componentResults = "decsys.platform.COMPONENT_RESULTS"
	pageNavigation   = "decsys.platform.PAGE_NAVIGATION"
)

// survey is an app that speaks Decsys' wire, to participants and to a sidecar
// that requests the app's release or a participant's past.
type survey struct {
	mu sync.Mutex
	// of holds what the app knows of each participant, by id.
	of map[string]*progress
}

// progress is the page of a participant and their log.
type progress struct {
	page   int
	events []event
}

// event is an entry of a participant's log.
type event struct {
	at           time.Time
	source, kind string
	payload      []byte
}

func newSurvey() *survey { return &survey{of: map[string]*progress{}} }

// serve routes as Decsys does: the response to any other GET is the web page.
func (s *survey) serve(ctx *fasthttp.RequestCtx) {
	words := strings.Split(strings.Trim(string(ctx.Path()), "/"), "/")
	isGet := ctx.IsGet()
	is := func(n int, prefix string) bool {
		return len(words) == n && strings.HasPrefix(strings.Join(words, "/")+"/", prefix+"/")
	}
	switch {
	case isGet && is(1, "version"):
		sendJSON(ctx, []byte(`"2.6.0"`))
	case isGet && is(4, "api/progress/7/7"):
		sendJSON(ctx, fmt.Appendf(nil, `{"surveyId":7,"instanceId":7,"participantId":null,"newParticipantId":%q,"pageCount":%d,"page":null}`, newID(), pages))
	case isGet && is(5, "api/progress/7/7"):
		sendJSON(ctx, s.shown(words[4]))
	case ctx.IsPost() && is(6, "api/progress/7/7"):
		sendJSON(ctx, s.next(words[4]))
	case ctx.IsPost() && is(6, "api/log/7"):
		s.log(words[3], event{time.Now(), words[4], words[5], bytes.Clone(ctx.PostBody())})
		ctx.SetStatusCode(http.StatusNoContent)
	case isGet && is(4, "api/log/7"):
		sendJSON(ctx, s.events(words[3]))
	case isGet && is(5, "api/surveys/7/instances/7"):
		sendJSON(ctx, definition())
	case isGet && len(words) > 4 && is(len(words), "api/log"):
		ctx.SetStatusCode(http.StatusNotFound) // no last event of that type
	case isGet:
		ctx.SetContentType("text/html")
	default:
		ctx.SetStatusCode(http.StatusMethodNotAllowed)
	}
}

func sendJSON(ctx *fasthttp.RequestCtx, body []byte) {
	ctx.SetContentType("application/json; charset=utf-8")
	ctx.SetBody(body)
}

// entry returns the progress of a participant. The caller holds mu.
func (s *survey) entry(participant string) *progress {
	p := s.of[participant]
	if p == nil {
		p = &progress{}
		s.of[participant] = p
	}
	return p
}

func (s *survey) log(participant string, e event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.entry(participant)
	p.events = append(p.events, e)
}

func (s *survey) shown(participant string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return response(participant, s.entry(participant).page)
}

func (s *survey) next(participant string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.entry(participant)
	p.page++
	target := "null"
	if p.page < pages {
		target = fmt.Sprintf("%q", pageID(p.page))
	}
	p.events = append(p.events, event{time.Now(), pageID(p.page - 1), pageNavigation, fmt.Appendf(nil, `{"PageRequested":"next","TargetPageId":%s}`, target)})
	return response(participant, p.page)
}

func (s *survey) events(participant string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []byte{'['}
	for i, e := range s.entry(participant).events {
		if i > 0 {
			list = append(list, ',')
		}
		list = fmt.Appendf(list, `{"timestamp":%q,"source":%q,"type":%q,"payload":%s}`, e.at.UTC().Format("2006-01-02T15:04:05.0000000+00:00"), e.source, e.kind, e.payload)
	}
	return append(list, ']')
}

// response is the app's to a participant on page n, from 0.
func response(participant string, n int) []byte {
	page := "null"
	if n < pages {
		page = pageJSON(n)
	}
	return fmt.Appendf(nil, `{"surveyId":7,"instanceId":7,"participantId":%q,"newParticipantId":null,"pageCount":%d,"page":%s}`, participant, pages, page)
}

// definition is the whole survey.
func definition() []byte {
	list := make([]string, pages)
	for n := range list {
		list[n] = pageJSON(n)
	}
	return fmt.Appendf(nil, `{"id":7,"survey":{"id":7,"name":"Travel","isStudy":false,"pages":[%s],"parent":null},"closed":null,"children":[]}`, strings.Join(list, ","))
}

func pageJSON(n int) string {
	return fmt.Sprintf(`{"id":%q,"order":%d,"name":"Page %d","randomize":false,"components":[`+
		`{"id":"heading-%d","type":"heading","isQuestionItem":true,"params":{"text":"What about part %d of your journey?"}},`+
		`{"id":%q,"type":"FreeText","isOptional":true,"params":{"maxLength":2000,"initialText":""}}]}`, pageID(n), n+1, n+1, n, n+1, itemID(n))
}

func pageID(n int) string { return fmt.Sprintf("page-%d", n) }

func itemID(n int) string { return fmt.Sprintf("item-%d", n) }

// newID is a random id of a participant, in the form of a GUID.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
