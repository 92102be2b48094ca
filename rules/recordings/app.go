package recordings

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"

	"github.com/tidwall/gjson"
	"github.com/valyala/fasthttp"

	"github.com/sidehook/sidehook/rules/trial"
)

// indexHeader has the index of the recorded exchange that a request is.
const indexHeader = "X-Recorded"

// reloadPrefix precedes the index of a navigation whose response was lost: the
// participant reloads the page to see where they are.
const reloadPrefix = "reload "

// App is a server that responds as recorded: to each exchange by its index, once
// it is released, with the recorded status, headers, body and content coding.
type App struct {
	*httptest.Server
	// Other serves requests that are not in the recording; nil responds 404.
	Other     http.Handler
	exchanges []*served
}

// served is an exchange of the recording in the App.
type served struct {
	trial.Recorded
	arrived, released   chan struct{}
	arriving, releasing sync.Once
}

// NewApp starts an App; Close stops it.
func NewApp(r *Recording) *App {
	a := &App{}
	for _, one := range r.Exchanges {
		a.exchanges = append(a.exchanges, &served{Recorded: one, arrived: make(chan struct{}), released: make(chan struct{})})
	}
	a.Server = httptest.NewServer(a)
	return a
}

// ServeHTTP responds to the exchange that the request names.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, reloads := strings.CutPrefix(r.Header.Get(indexHeader), reloadPrefix)
	index, err := strconv.Atoi(text)
	if err != nil || index < 0 || index >= len(a.exchanges) {
		a.other(w, r)
		return
	}
	one := a.exchanges[index]
	if reloads {
		one.showPage(w, r)
		return
	}
	one.arriving.Do(func() { close(one.arrived) })
	<-one.released
	one.respond(w)
}

func (a *App) other(w http.ResponseWriter, r *http.Request) {
	if a.Other == nil {
		http.NotFound(w, r)
		return
	}
	a.Other.ServeHTTP(w, r)
}

// Arrived is closed once the exchange's request has arrived.
func (a *App) Arrived(index int) <-chan struct{} { return a.exchanges[index].arrived }

// HasArrived reports whether the exchange's request has arrived.
func (a *App) HasArrived(index int) bool {
	select {
	case <-a.Arrived(index):
		return true
	default:
		return false
	}
}

// Release lets the App respond to the exchange, now and to any repetition.
func (a *App) Release(index int) {
	one := a.exchanges[index]
	one.releasing.Do(func() { close(one.released) })
}

// Close releases all exchanges and stops the App.
func (a *App) Close() {
	for i := range a.exchanges {
		a.Release(i)
	}
	a.Server.Close()
}

func (s *served) respond(w http.ResponseWriter) {
	coding := ""
	for _, header := range s.Exchange.ResponseHeader {
		switch strings.ToLower(header.Name) {
		case "content-length", "transfer-encoding", "connection", "date":
		case "content-encoding":
			coding = header.Value
			fallthrough
		default:
			w.Header()[header.Name] = append(w.Header()[header.Name], header.Value)
		}
	}
	w.WriteHeader(s.Exchange.Status)
	if s.Method != http.MethodHead && s.Exchange.Status != http.StatusNoContent {
		_, _ = w.Write(encode(coding, s.Exchange.ResponseBody)) // the client may be gone
	}
}

// showPage responds to a participant who reloads with the page that the navigation
// led to. A study that is completed responds with its own ids.
func (s *served) showPage(w http.ResponseWriter, r *http.Request) {
	body := s.Exchange.ResponseBody
	if gjson.GetBytes(body, "page").Type == gjson.Null {
		ids := strings.Split(r.URL.Path, "/") // /api/progress/{survey}/{instance}/{participant}
		body = fmt.Appendf(nil, `{"surveyId":%s,"instanceId":%s,"participantId":%q,"newParticipantId":null,"page":null}`, ids[3], ids[4], ids[5])
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(body)
}

func encode(coding string, body []byte) []byte {
	switch coding {
	case "gzip":
		return fasthttp.AppendGzipBytes(nil, body)
	case "br":
		return fasthttp.AppendBrotliBytes(nil, body)
	}
	return body
}
