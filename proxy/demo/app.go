package demo

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Options say what is not built in. The zero value is the demo as it ships.
type Options struct {
	// Survey to take; one without pages stands for Library().
	Survey Survey
	// Now is the clock that stamps events; nil stands for time.Now.
	Now func() time.Time
	// NewID makes ids of participants and traces: 36 characters, as of a GUID.
	// It must be safe for concurrent use; nil stands for random ones.
	NewID func() string
	// Shuffle orders the pages marked Randomize, once for each participant,
	// like rand.Shuffle; nil keeps them as they are.
	Shuffle func(n int, swap func(i, j int))
	// Interfere is called once for each API request that has a route. It may
	// block, which makes the app slow, and a status other than 0 is answered in
	// place of the app's own, with no body and nothing stored. A navigation
	// calls it after reading where the participant is and before moving them,
	// where Decsys too lets two of them overtake each other.
	Interfere func(*http.Request) (status int)
}

// App is a survey app. Make one with New; it is safe for concurrent use.
type App struct {
	options Options

	mu  sync.Mutex
	log eventLog // guarded by mu
}

// New returns an app in which nobody has taken the survey yet.
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

// ServeHTTP answers as Decsys does: what no route takes is answered with the
// page itself when it is a GET or HEAD, with 405 otherwise.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Clacks-Overhead", "GNU Terry Pratchett")
	matched, vars, allowed := match(r)
	switch {
	case matched != nil && !matched.interferes && a.interfered(w, r):
	case matched != nil:
		matched.serve(a, w, r, vars)
	case r.Method == http.MethodGet, r.Method == http.MethodHead:
		send(w, r, http.StatusOK, "text/html", index)
	default:
		w.Header().Set("Allow", allowed)
		sendEmpty(w, http.StatusMethodNotAllowed)
	}
}

// interfered tells whether Options.Interfere has taken the answer.
func (a *App) interfered(w http.ResponseWriter, r *http.Request) bool {
	status := a.options.Interfere(r)
	if status == 0 {
		return false
	}
	sendEmpty(w, status)
	return true
}

// has tells whether the ids name the one instance there is.
func (a *App) has(survey, instance int) bool {
	return survey == a.options.Survey.ID && instance == a.options.Survey.Instance
}

// randomID is a random (version 4) GUID, RFC 9562 section 5.4.
func randomID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails since Go 1.24
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
