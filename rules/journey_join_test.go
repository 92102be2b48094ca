package rules

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Each story is what the app has logged when it is asked, what was observed and
// waits, the part of the log that came before, and the events that are made.
//
// In the log, load:1 is a page load, answer:1=a an answer, 1>2 a navigation,
// 2>2 a refused one, 2>end the last one, and ?>end one that was refused
// after the completion. Observed are also shown:2, next:3 and
// next:end.
func TestAJoinedPastGivesTheEventsThatWereMissed(t *testing.T) {
	f := func(name, log, observed, before, events string) {
		t.Helper()
		past, waiting := loggedPast(log), observationsOf(observed)
		if got := logOf(past.before(waiting)); got != before {
			t.Errorf("%s: got the past %q, want %q", name, got, before)
		}
		w := newWalk()
		for _, o := range waiting {
			w.journey.wait(o)
		}
		w.add(w.journey.join(past))
		if got := strings.Join(w.events, " "); got != events {
			t.Errorf("%s: got the events %q, want %q", name, got, events)
		}
		if w.journey.Partial {
			t.Errorf("%s: the journey is partial", name)
		}
	}

	f("a participant without a past begins",
		"", "shown:1 load:1 next:2", "", "1>2")

	f("the page shown has been reached before",
		"load:1 answer:1=a 1>2 load:2", "shown:2 next:3",
		"load:1 answer:1=a 1>2 load:2", "2>3")
	f("the past is read when the participant has gone on",
		"load:1 1>2 load:2 answer:2=a 2>3 load:3 3>end", "shown:2 answer:2=a next:3 load:3 next:end",
		"load:1 1>2 load:2 answer:2=a", "2>3 3>end")
	f("the page shown was loaded several times",
		"load:1 1>2 load:2 load:2 2>3", "shown:2 load:2 next:3",
		"load:1 1>2 load:2 load:2", "2>3")
	f("the page shown is not in the log",
		"load:1 1>2 load:2", "shown:3 next:4",
		"load:1 1>2 load:2", "3>4")
	f("the participant has come back to the page",
		"load:1 1>2 load:2 2>1 load:1 1>2", "shown:1 next:2",
		"load:1 1>2 load:2 2>1 load:1", "1>2")
	f("the page loaded says the same as the page shown",
		"load:1 1>2 load:2 2>3", "load:2 next:3",
		"load:1 1>2 load:2", "2>3")

	f("the first navigation observed is the last one logged",
		"load:1 1>2 load:2 2>3 load:3", "next:3 load:3",
		"load:1 1>2 load:2", "2>3")
	f("the navigation observed is not logged yet",
		"load:1 1>2 load:2", "next:3",
		"load:1 1>2 load:2", "2>3")
	f("an answer was observed before the navigation",
		"load:1 answer:1=a answer:1=b 1>2", "answer:1=b next:2",
		"load:1 answer:1=a answer:1=b", "1>2")
	f("only an answer was observed",
		"load:1 answer:1=a answer:1=b", "answer:1=b",
		"load:1 answer:1=a answer:1=b", "")

	f("a refused navigation leaves the participant on the page",
		"load:1 1>2 load:2 2>2", "next:2",
		"load:1 1>2 load:2 2>2", "")
	f("a refused navigation, and then one that is not",
		"load:1 1>2 load:2 2>2 answer:2=a 2>3", "next:2 answer:2=a next:3",
		"load:1 1>2 load:2 2>2", "2>3")
	f("two clicks at once are one navigation",
		"load:1 1>2 1>2 load:2", "next:2 next:2 load:2",
		"load:1", "1>2")
	f("two clicks at once on the last page",
		"load:1 1>2 load:2 2>end 2>end", "next:end next:end",
		"load:1 1>2 load:2", "2>end")

	f("the completion is observed",
		"load:1 1>end", "next:end",
		"load:1", "1>end")
	f("the survey was completed before",
		"load:1 1>end", "shown:end",
		"load:1 1>end", "")
	f("a navigation after the completion is from no page",
		"load:1 1>end ?>end", "next:end next:end",
		"load:1", "1>end")
}

func TestJoinFoldsPositionsAndAnswersOfThePast(t *testing.T) {
	w := newWalk()
	w.journey.wait(observationsOf("next:2")[0])
	w.add(w.journey.join(loggedPast("load:3 answer:3=a 3>1 load:1 1>2 load:2")))
	if len(w.events) != 1 || w.last.Place != 2 || w.last.From.Position != 2 || w.last.To.Position != 3 {
		t.Fatalf("got %q, the last is %+v; want 1>2, from position 2 to 3, in place 2", w.events, w.last)
	}
	var got []string
	for _, r := range w.last.Responses {
		got = append(got, r.Page.ID+" "+string(r.Answer))
	}
	if diff := cmp.Diff([]string{"1 ", "3 a"}, got); diff != "" {
		t.Errorf("responses (-want +got):\n%s", diff)
	}
}

func TestAJourneyIsPartialWithoutItsPast(t *testing.T) {
	f := func(name string, past *Past) {
		t.Helper()
		w := newWalk()
		w.journey.wait(observationsOf("shown:2")[0])
		w.journey.join(past)
		if !w.journey.Partial {
			t.Errorf("%s: the journey is not partial", name)
		}
	}
	f("the past could not be read", nil)
	gone := loggedPast("load:1 1>2")
	delete(gone.Pages, "1")
	f("a page of the past is gone from the survey", gone)
}

func TestTheNumberOfWaitingObservationsIsBounded(t *testing.T) {
	j, o := &Journey{}, observationsOf("load:1")[0]
	for range maxWaiting - 1 {
		if !j.wait(o) {
			t.Fatalf("%d observations may wait, want %d", len(j.Waiting), maxWaiting)
		}
	}
	if j.wait(o) {
		t.Errorf("more than %d observations may wait", maxWaiting)
	}
}

// loggedPast returns a past with the events of a log, one a second, and the pages 1 to 4.
func loggedPast(log string) *Past {
	past := &Past{Pages: map[string]*Page{}}
	for _, id := range []string{"1", "2", "3", "4"} {
		past.Pages[id] = testPage(id)
	}
	at := time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)
	for _, word := range strings.Fields(log) {
		at = at.Add(time.Second)
		verb, page, isVerb := strings.Cut(word, ":")
		e := PastEvent{Kind: PageLoaded, At: at, Source: page}
		if !isVerb {
			from, to, _ := strings.Cut(word, ">")
			e = PastEvent{Kind: Navigated, At: at, Source: from, Reached: strings.TrimSuffix(to, "end")}
		}
		if verb == "answer" {
			item, answer, _ := strings.Cut(page, "=")
			e = PastEvent{Kind: Answered, At: at, Source: "item" + item, Answer: []byte(answer)}
		}
		past.Events = append(past.Events, e)
	}
	return past
}

// logOf is the inverse of loggedPast.
func logOf(events []PastEvent) string {
	var log []string
	for _, e := range events {
		switch e.Kind {
		case PageLoaded:
			log = append(log, "load:"+e.Source)
		case Answered:
			log = append(log, "answer:"+strings.TrimPrefix(e.Source, "item")+"="+string(e.Answer))
		case Navigated:
			to := e.Reached
			if to == "" {
				to = "end"
			}
			log = append(log, e.Source+">"+to)
		}
	}
	return strings.Join(log, " ")
}

// observationsOf returns what was observed, by its words.
func observationsOf(words string) []*Observation {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var all []*Observation
	for i, word := range strings.Fields(words) {
		verb, page, _ := strings.Cut(word, ":")
		o := &Observation{Journey: Key{"3", "p"}, Survey: "5", At: at.Add(time.Duration(i) * time.Second), Ticket: uint64(i + 1), Alone: true}
		switch verb {
		case "shown":
			o.Kind, o.Page = PageShown, testPage(strings.TrimSuffix(page, "end"))
		case "load":
			o.Kind, o.PageID = PageLoaded, page
		case "next":
			o.Kind, o.Page = Navigated, testPage(strings.TrimSuffix(page, "end"))
		case "answer":
			item, answer, _ := strings.Cut(page, "=")
			o.Kind, o.Item, o.Answer = Answered, "item"+item, []byte(answer)
		}
		all = append(all, o)
	}
	return all
}
