package demo

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Options replace parts of an App. The zero value is the demo as it ships.
type Options struct {
	// Survey is the survey to take; without pages, Library().
	Survey Survey
	// Now is the clock that stamps events; by default time.Now.
	Now func() time.Time
	// NewID makes the ids of participants and traces, in the 36-character form of
	// a GUID. It must be safe for concurrent use; by default ids are random.
	NewID func() string
	// Shuffle orders the pages marked Randomize, once per participant, with the
	// contract of rand.Shuffle; by default they keep their order.
	Shuffle func(n int, swap func(i, j int))
	// Interfere is called once for each API request that has a route. It may block,
	// which makes the app slow. A status other than 0 replaces the app's response:
	// it has no body, and nothing is stored. A navigation calls it between reading
	// the current page and storing the move, where concurrent navigations race in
	// Decsys, too.
	Interfere func(*http.Request) (status int)
	// Webhooks serves what is shown beside the survey, as server-sent events at
	// /demo/webhooks; without it, nothing is.
	Webhooks http.Handler
}

// App is the survey app, an http.Handler. Use New to make one.
type App struct {
	options Options

	mu  sync.Mutex
	log eventLog // guarded by mu
}

// config is the body of GET /api/config, in the wire's order.
type config struct {
	Mode                    string `json:"mode"`
	AllowRegistration       bool   `json:"allowRegistration"`
	AccountApprovalRequired bool   `json:"accountApprovalRequired"`
}

// New returns an App without participants.
func New(o Options) *App {
	if len(o.Survey.Pages) == 0 {
		o.Survey = Library()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = randomID
	}
	if o.Shuffle == nil {
		o.Shuffle = func(int, func(i, j int)) {}
	}
	if o.Interfere == nil {
		o.Interfere = func(*http.Request) int { return 0 }
	}
	return &App{options: o, log: newEventLog()}
}

// ServeHTTP implements http.Handler. As in Decsys, a request without a route gets
// the page if it is a GET or HEAD, and 405 otherwise.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Clacks-Overhead", "GNU Terry Pratchett")
	matched, vars, allowed := match(r)
	switch {
	case a.options.Webhooks != nil && r.URL.Path == "/demo/webhooks":
		a.options.Webhooks.ServeHTTP(w, r)
	case matched != nil && !matched.interferes && a.interfered(w, r):
	case matched != nil:
		matched.serve(a, w, r, vars)
	case r.Method == http.MethodGet, r.Method == http.MethodHead:
		a.sendPage(w, r)
	default:
		w.Header().Set("Allow", allowed)
		sendEmpty(w, http.StatusMethodNotAllowed)
	}
}

// sendPage responds with the page of the survey.
func (a *App) sendPage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", pagePolicy)
	page := index
	if a.options.Webhooks != nil {
		page = indexWithWebhooks
	}
	send(w, r, http.StatusOK, "text/html", page)
}

// serveVersion handles GET /version: the release of Decsys that is imitated.
func (a *App) serveVersion(w http.ResponseWriter, r *http.Request, _ variables) {
	send(w, r, http.StatusOK, "application/json", []byte(`"2.6.0"`))
}

// serveConfig handles GET /api/config.
func (a *App) serveConfig(w http.ResponseWriter, r *http.Request, _ variables) {
	sendJSON(w, r, config{Mode: "workshop"})
}

// interfered reports whether Options.Interfere has replaced the response.
func (a *App) interfered(w http.ResponseWriter, r *http.Request) bool {
	status := a.options.Interfere(r)
	if status == 0 {
		return false
	}
	sendEmpty(w, status)
	return true
}

// has reports whether the ids are those of the one survey and its instance.
func (a *App) has(survey, instance int) bool {
	return survey == a.options.Survey.ID && instance == a.options.Survey.Instance
}

// randomID returns a random GUID (RFC 9562 section 5.4).
func randomID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails since Go 1.24
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
