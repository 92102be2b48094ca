package record

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

// answerAs is a participant's answer on page one, of survey 5/3.
func (d *testRecorder) answerAs(participant, text string) {
	d.begin("POST", "/api/log/3/"+participant+"/i1/decsys.platform.COMPONENT_RESULTS")(rules.Exchange{Status: 204, RequestBody: []byte(`{"text":"` + text + `"}`)})
}

// visit is a whole survey of a participant: two events, the second for two targets.
func (d *testRecorder) visit(participant string) {
	as := func(body string) rules.Exchange { return page(strings.ReplaceAll(body, `"p"`, `"`+participant+`"`)) }
	d.begin("GET", "/api/progress/5/3/"+participant)(as(showPage1))
	d.begin("POST", "/api/log/3/"+participant+"/one/decsys.platform.PAGE_LOAD")(rules.Exchange{Status: 204, RequestBody: []byte("{}")})
	d.answerAs(participant, "canary of "+participant)
	d.begin("POST", "/api/progress/5/3/"+participant+"/next")(as(showPage2))
	d.begin("POST", "/api/progress/5/3/"+participant+"/next")(as(showEnd))
}

func (d *testRecorder) forget(participant, survey string) Forgotten {
	d.t.Helper()
	erased, err := d.Forget(d.t.Context(), participant, survey)
	if err != nil {
		d.t.Fatal(err)
	}
	return erased
}

// all lists the deliveries of a store.
func (d *testRecorder) all() []*outbox.Delivery {
	d.t.Helper()
	d.flush()
	list, _, err := d.store.List(outbox.Query{Limit: 1000})
	if err != nil {
		d.t.Fatal(err)
	}
	return list
}

func TestAForgottenParticipantIsNowhereInTheStateFile(t *testing.T) {
	dir := t.TempDir()
	d := newTestRecorder(t, dir)
	d.visit("ann-1")
	d.visit("bob-1")
	at := outbox.Attempt{At: time.Now(), Status: 500, Reason: "status 500", Excerpt: []byte("no ann-1 here")}
	if err := d.store.Do(t.Context(), func(tx *outbox.Tx) {
		tx.Dead(1, at)
		tx.RedeliverTo(1, "lake", at.At)
		tx.Delivered(2, at)
		tx.Redeliver(2, at.At)
	}); err != nil {
		t.Fatal(err)
	}
	want := Forgotten{Journeys: 1, Answers: 1, Pending: 3, Dead: 1}
	if diff := cmp.Diff(want, d.forget("ann-1", "")); diff != "" {
		t.Errorf("erased (-want +got):\n%s", diff)
	}
	if left := d.all(); len(left) != 3 {
		t.Errorf("%d deliveries are left, want bob's 3", len(left))
	}
	if diff := cmp.Diff(Forgotten{}, d.forget("ann-1", "")); diff != "" {
		t.Errorf("a second time (-want +got):\n%s", diff)
	}
	d.stop()
	content, err := os.ReadFile(filepath.Join(dir, "outbox.db"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(content, []byte("ann-1")) || !bytes.Contains(content, []byte("bob-1")) {
		t.Error("the file still has the one or has lost the other")
	}
}

func TestOneSurveyOfAParticipantCanBeForgotten(t *testing.T) {
	f := func(survey string, want Forgotten) {
		t.Helper()
		d := newTestRecorder(t, t.TempDir())
		d.visit("ann-1")
		survey = strings.ReplaceAll(survey, "NAME", d.all()[0].Survey)
		if diff := cmp.Diff(want, d.forget("ann-1", survey)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", survey, diff)
		}
	}
	all := Forgotten{Journeys: 1, Answers: 1, Pending: 3}
	f("NAME", all) // as its deliveries are listed
	f("5/3", all)
	f("5/4", Forgotten{})
	f("5", Forgotten{})
}

func TestAnExchangeInFlightDoesNotBringBackAForgottenParticipant(t *testing.T) {
	d := newTestRecorder(t, t.TempDir())
	d.get(showPage1)
	d.load("one")
	d.next(showPage2)
	first := d.all()
	navigation := d.begin("POST", "/api/progress/5/3/p/next")
	answer := d.begin("POST", "/api/log/3/p/i1/decsys.platform.COMPONENT_RESULTS")
	d.forget("p", "")
	navigation(page(showEnd))
	answer(rules.Exchange{Status: 204, RequestBody: []byte(`{"text":"late"}`)})
	if left := d.all(); len(left) != 0 {
		t.Errorf("there are %d deliveries, want none", len(left))
	}
	if keys, err := d.store.JourneyKeys("", ""); err != nil || len(keys) != 0 {
		t.Errorf("there are journeys: %q, %v", keys, err)
	}

	// Who goes on starts over, and gets no id again that was given before.
	d.get(showPage1)
	d.load("one")
	d.next(showPage2)
	again := d.all()
	if len(first) != 1 || len(again) != 1 || first[0].ID == again[0].ID {
		t.Errorf("got %d and then %d deliveries, with the ids %v", len(first), len(again), again)
	}
}

func TestAnEventThatWaitsForAnswersIsForgottenToo(t *testing.T) {
	dir := t.TempDir()
	d := newTestRecorder(t, dir)
	d.get(showPage1)
	d.load("one")
	answer := d.begin("POST", "/api/log/3/p/i1/decsys.platform.COMPONENT_RESULTS")
	d.next(showPage2)
	d.forget("p", "")
	answer(rules.Exchange{Status: 204, RequestBody: []byte(`{"text":"late"}`)})
	d.stop()
	d = newTestRecorder(t, dir)
	if left := d.all(); len(left) != 0 {
		t.Errorf("there are %d deliveries, want none", len(left))
	}
}

func TestForgettingASurveyForgetsThatItWasEnteredByAStudy(t *testing.T) {
	d := newTestRecorder(t, t.TempDir())
	d.begin("GET", "/api/progress/1/1/p")(page(showPage1)) // a study of survey 5/3
	if erased := d.forget("p", "5/3"); erased.Journeys != 2 {
		t.Errorf("erased %d journeys, want the survey's and the study's", erased.Journeys)
	}
	if keys, err := d.store.JourneyKeys("", ""); err != nil || len(keys) != 0 {
		t.Errorf("there are journeys: %q, %v", keys, err)
	}
}

// chained is a profile whose participants are known by a cookie that the app renames.
const chained = `{routes: [{on: "POST /{survey}", says: reached, ids: {participant: "cookie:sid or set_cookie:sid"}}], page: {at: "@this", id: page}}`

func TestAParticipantOfARenamedCookieIsForgottenAndNobodyElse(t *testing.T) {
	profile, err := rules.ParseProfile("chained.yaml", []byte(chained))
	if err != nil {
		t.Fatal(err)
	}
	d := newTestRecorderOf(t, t.TempDir(), profile)
	post := func(cookie, renamed, page string) {
		x := rules.Exchange{Status: 200, ResponseBody: []byte(`{"page":"` + page + `"}`), RequestHeader: []rules.HeaderField{{Name: "Cookie", Value: "sid=" + cookie}}}
		if renamed != "" {
			x.ResponseHeader = []rules.HeaderField{{Name: "Set-Cookie", Value: "sid=" + renamed}}
		}
		d.begin("POST", "/lunch")(x)
	}
	post("ann-1", "ann-2", "1")
	post("ann-2", "ann-3", "2")
	post("bob-1", "bob-2", "1")
	ann := gjson.GetBytes(d.deliveries()[0].Body, "Payload.Id").String()
	if erased := d.forget(ann, ""); erased.Journeys != 1 || erased.Pending == 0 {
		t.Errorf("%+v was erased, want one journey and its delivery", erased)
	}
	if keys, err := d.store.JourneyKeys("", ""); err != nil || len(keys) != 2 { // Bob's, and one name of his
		t.Errorf("%d journeys are left, %v; want 2", len(keys), err)
	}
	post("bob-2", "", "2")
	if list := d.deliveries(); len(list) != 1 || gjson.GetBytes(list[0].Body, "Payload.Id").String() == ann {
		t.Errorf("%d deliveries: another participant is no longer known by their cookie", len(list))
	}
}
