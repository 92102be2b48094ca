package rules

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// limeWire observes what browsers and strangers send to a limeApp, and compares the
// events with what the app did.
type limeWire struct {
	*limeApp
	t       rapid.TB
	profile *Profile
	fold    Fold
	at      time.Time
	// pages are those on which participants were seen last, by their journey.
	pages map[Key]int
	// owners are who the participants are.
	owners map[string]int
	// ends and moves are how many were seen.
	ends, moves int
}

func newLimeWire(t rapid.TB) *limeWire {
	profile, err := LoadProfile("limesurvey")
	if err != nil {
		t.Fatal(err)
	}
	return &limeWire{
		limeApp: newLimeApp(), t: t, profile: profile, fold: Fold{Journeys: NewJourneysInMemory(), Key: "key"},
		at: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC), pages: map[Key]int{}, owners: map[string]int{},
	}
}

// send has the app serve a request, and observes that if it isSeen.
func (w *limeWire) send(r limeRequest, isSeen bool) *limeReply {
	reply := w.serve(r)
	switch {
	case isSeen:
		w.check(r, reply, w.observe(r, reply))
	case reply.shows != nil:
		reply.shows.isUnseen = true
	}
	return reply
}

func (w *limeWire) observe(r limeRequest, reply *limeReply) Step {
	method, x := "GET", reply.Exchange
	if r.form != nil {
		method, x.RequestType, x.RequestBody = "POST", "application/x-www-form-urlencoded", []byte(r.form.Encode())
	}
	if r.cookie != "" {
		x.RequestHeader = []HeaderField{{"Cookie", "consent; LS-ABC=" + r.cookie + `; prefs={"a":1}`}}
	}
	match, ok := w.profile.Match([]byte(method), []byte(r.target))
	if !ok {
		return Step{}
	}
	o, ok, err := w.profile.Observe(match, x)
	if !ok {
		if err != nil && r.from == honest {
			w.t.Fatalf("%s %s %v: %v", method, r.target, r.form, err)
		}
		return Step{}
	}
	w.at = w.at.Add(time.Second)
	o.At, o.Alone = w.at, true
	return w.fold.Observe(o)
}

// check compares the events of an exchange with what the app did in it: of a stranger's
// there may be fewer.
func (w *limeWire) check(r limeRequest, reply *limeReply, step Step) {
	fail := func(format string, args ...any) {
		w.t.Fatalf("%s %v with cookie %q: "+format, append([]any{r.target, r.form, r.cookie}, args...)...)
	}
	ends, moves := 0, 0
	if reply.ended != nil {
		ends = 1
		delete(w.pages, step.Journey)
	}
	if shows := reply.shows; shows != nil {
		page, isKnown := w.pages[step.Journey]
		if isKnown && page != shows.step && !reply.begun {
			moves = 1
		}
		w.pages[step.Journey] = shows.step
	}
	w.ends, w.moves = w.ends+ends, w.moves+moves
	for _, e := range step.Events {
		run := reply.shows
		if e.To == nil {
			ends, run = ends-1, reply.ended
		} else {
			moves--
		}
		if run == nil || e.Survey.ID != run.survey || e.To != nil && e.To.ID != fmt.Sprint(run.step) {
			fail("an event of survey %s leads to %+v", e.Survey.ID, e.To)
		}
		w.checkAnswers(run, e, fail)
	}
	mayHaveNone := r.from == stranger || reply.loaded != nil // what was saved unseen goes on as another attempt
	if ends < 0 || moves < 0 || !mayHaveNone && ends+moves > 0 {
		fail("%d ends and %d navigations have no event", ends, moves)
	}
	w.checkOwner(reply, step.Journey.Participant, fail)
}

// checkAnswers compares the answers of an event with those that the app has, unless it is
// partial, which it may be only if something was not observed.
func (w *limeWire) checkAnswers(run *limeRun, e *Event, fail func(string, ...any)) {
	if run.owner != honest {
		return
	}
	if e.Partial {
		if !run.isUnseen {
			fail("an event is partial")
		}
		return
	}
	got := map[string]string{}
	for _, response := range e.Responses {
		got[response.Item] = string(response.Answer)
	}
	for item, answer := range run.answers {
		if want := fmt.Sprintf("%q", answer); got[item] != want && (answer != "" || got[item] != "") {
			fail("the answer to %s is %s, want %s", item, got[item], want)
		}
	}
}

// checkOwner wants each participant to be one person.
func (w *limeWire) checkOwner(reply *limeReply, participant string, fail func(string, ...any)) {
	run := reply.shows
	if run == nil {
		run = reply.ended
	}
	if run == nil || participant == "" {
		return
	}
	if owner, isKnown := w.owners[participant]; isKnown && owner != run.owner {
		fail("the participant of %d is that of %d", run.owner, owner)
	}
	w.owners[participant] = run.owner
}

// Who sends requests.
const (
	honest = iota
	stranger
)

// limeBrowser is one of those of the honest participant, in one survey.
type limeBrowser struct {
	*limeWire
	survey, cookie string
	run            *limeRun
	// keys are those of its pages, the newest one last; seen is the last one that was
	// observed, and unseen are those that were not.
	keys   []string
	seen   string
	unseen map[string]bool
}

func (b *limeBrowser) send(target string, form url.Values, isSeen bool) {
	reply := b.limeWire.send(limeRequest{target, b.cookie, form, honest}, isSeen)
	if reply.cookie != "" {
		b.cookie = reply.cookie
	}
	if b.run = reply.shows; b.run != nil {
		b.keys = append(b.keys, b.run.key)
		if isSeen {
			b.seen = b.run.key
		} else {
			b.unseen[b.run.key] = true
		}
	}
}

// post sends the form of a page with an answer, from the page with that key.
func (b *limeBrowser) post(move, key, answer string, isSeen bool) {
	form := url.Values{"sid": {b.survey}, "thisstep": {fmt.Sprint(b.run.step)}, "LEMpostKey": {key}, "move": {move}, "ajax": {"off"}}
	if b.run.step > 0 {
		form.Set(b.run.item(), answer)
	}
	b.send("/index.php/"+b.survey, form, isSeen)
}

func (b *limeBrowser) newest() string { return b.keys[len(b.keys)-1] }

// limeAnswers are what participants type.
var limeAnswers = []string{"", "Ann", "full", `<div class="completed-wrapper">`, `<input id=savename>`, `<p class=quotamessage>`}

func TestNoEventOfLimeSurveyIsInventedOrLost(t *testing.T) {
	ends, moves := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		w := newLimeWire(r)
		survey := rapid.SampledFrom([]string{"7", "8", "9"}).Draw(r, "survey")
		b := &limeBrowser{limeWire: w, survey: survey, unseen: map[string]bool{}}
		b.send("/index.php/"+survey+"?newtest=Y", nil, true)
		saves := 0
		isOpen := func(r *rapid.T) {
			if b.run == nil {
				r.Skip("no page of the survey is open")
			}
		}
		answer := rapid.SampledFrom(limeAnswers)
		post := func(r *rapid.T, isSeen bool) {
			isOpen(r)
			b.post(rapid.SampledFrom([]string{"movenext", "movenext", "movesubmit", "default"}).Draw(r, "move"), b.newest(), answer.Draw(r, "answer"), isSeen)
		}
		next := func(r *rapid.T) { post(r, true) }
		r.Repeat(map[string]func(*rapid.T){
			"next": next, "and next": next, "and once more": next,
			"next, unseen": func(r *rapid.T) {
				isOpen(r)
				if b.run.hasGoneBack {
					r.Skip("what it knows of later pages may be old")
				}
				post(r, false)
			},
			"back": func(r *rapid.T) {
				isOpen(r)
				b.post("moveprev", b.newest(), answer.Draw(r, "answer"), true)
			},
			"from an old page": func(r *rapid.T) {
				isOpen(r)
				key := rapid.SampledFrom(b.keys[max(len(b.keys)-maxKeys, 0):]).Draw(r, "key")
				b.run.isUnseen = b.run.isUnseen || b.unseen[key] // for all that anybody can know
				isKnown := key != b.seen || key == b.run.key     // otherwise nobody can know that it is old
				isSeen := rapid.Bool().Draw(r, "seen") && isKnown
				if !isSeen && key == b.newest() && b.run.hasGoneBack {
					r.Skip("that is no old page, but the next one, unseen")
				}
				b.post("movenext", key, answer.Draw(r, "answer"), isSeen)
			},
			"open again": func(r *rapid.T) {
				b.send("/index.php/"+survey, nil, b.run == nil || rapid.Bool().Draw(r, "seen"))
			},
			"begin anew": func(r *rapid.T) { b.send("/index.php/"+survey+"?newtest=Y", nil, true) },
			"save and load elsewhere": func(r *rapid.T) {
				isOpen(r)
				saves++
				name, seen := fmt.Sprint("ann", saves), rapid.Bool().Draw(r, "seen")
				b.send("/index.php/"+survey, url.Values{"savesubmit": {"save"}, "savename": {name}, "savepass": {"p"}, "thisstep": {"1"}}, seen)
				b.cookie = ""
				b.send("/index.php/"+survey, nil, true)
				b.send("/index.php/"+survey, url.Values{"loadall": {"reload"}, "loadname": {name}, "loadpass": {"p"}}, true)
				b.keys = []string{b.run.key} // the others are of another browser, or another journey
			},
			"a stranger": func(r *rapid.T) { w.forge(r, b) },
		})
		ends, moves = ends+w.ends, moves+w.moves
	})
	if ends == 0 || moves == 0 {
		t.Errorf("%d ends and %d navigations were seen", ends, moves)
	}
}

// forge sends what a stranger may make up who knows all but the participant's cookie,
// password and keys.
func (w *limeWire) forge(r *rapid.T, b *limeBrowser) {
	values := map[string][]string{
		"sid": {"7", "8", "9", "99", ""}, "LEMpostKey": {"1", "k1001", ""}, "move": {"movenext", "movesubmit", "moveprev"}, "token": {"t", ""},
		"savesubmit": {"save"}, "savename": {"ann1", "ann2", "eve"}, "savepass": {"q", ""}, "loadall": {"reload"}, "loadname": {"ann1", "ann2", "eve"},
		"loadpass": {"q", ""}, "saveall": {"saveall"}, "7X1X1": limeAnswers, "9X1X1": limeAnswers, "8X1X3": limeAnswers,
	}
	form := url.Values{}
	for _, name := range rapid.SliceOfN(rapid.SampledFrom(slices.Sorted(maps.Keys(values))), 0, 6).Draw(r, "fields") {
		form.Add(name, rapid.SampledFrom(values[name]).Draw(r, name))
	}
	own := []string{"", "made-up"}
	for _, cookie := range slices.Sorted(maps.Keys(w.sessions)) {
		for _, survey := range slices.Sorted(maps.Keys(w.sessions[cookie])) {
			if run := w.sessions[cookie][survey]; run.owner == stranger {
				own = append(own, cookie)
				if rapid.Bool().Draw(r, "with the key of their own page") {
					form.Set("LEMpostKey", run.key)
				}
			}
		}
	}
	request := limeRequest{
		target: rapid.SampledFrom([]string{"/index.php/7", "/index.php/8", "/index.php/9", "/7", "/index.php/admin", "/index.php"}).Draw(r, "target"),
		cookie: rapid.SampledFrom(own).Draw(r, "cookie"), form: form, from: stranger,
	}
	if rapid.IntRange(0, 3).Draw(r, "GET") == 0 {
		request.form = nil
	}
	w.send(request, true)
}
