package rules

import "testing"

// form reads pages of HTML whose forms are posted to the next page.
const form = `{
	routes: [
		{on: "GET /{survey}/{participant}", says: reached, when: 200 text/html},
		{on: "POST /{survey}/{participant}", says: completed, when: 200 text/html, answers: {at: "request:@this", on_page: true}}],
	html: {values: {title: title}, fields: {in: form}},
	page: {at: "@this", id: title, items: fields}, item: {id: name, type: type, options: {at: options, value: value}}}`

func TestOfAFieldThatCameSeveralTimesWhatThePageTakesCounts(t *testing.T) {
	profile, err := ParseProfile("p.yaml", []byte(form))
	if err != nil {
		t.Fatal(err)
	}
	f := func(name, control, body, want string) {
		t.Helper()
		fold := Fold{Journeys: NewJourneysInMemory()}
		observe := func(method string, x Exchange) Step {
			match, _ := profile.Match([]byte(method), []byte("/lunch/ann"))
			x.Status, x.ContentType = 200, "text/html"
			o, ok, err := profile.Observe(match, x)
			if !ok || err != nil {
				t.Fatalf("%s: %v, %v", name, ok, err)
			}
			return fold.Observe(o)
		}
		observe("GET", Exchange{ResponseBody: []byte("<title>1</title><form>" + control + "</form>")})
		step := observe("POST", Exchange{RequestType: "application/x-www-form-urlencoded", RequestBody: []byte(body)})
		if len(step.Events) != 1 || string(step.Events[0].Responses[0].Answer) != want {
			t.Errorf("%s: %s", name, step.Events[0].Responses[0].Answer)
		}
	}
	const box = `<input type=checkbox name=q value=`
	f("a box behind a hidden field", "<input type=hidden name=q value=0>"+box+"1>", "q=0&q=1", `"1"`)
	f("a text", "<input name=q>", "q=a&q=b", `"b"`)
	f("several boxes", box+"a>"+box+"b>", "q=a&q=b", `["a","b"]`)
	f("one of several boxes", box+"a>"+box+"b>", "q=b", `"b"`)
	f("a list of several", "<select name=q multiple><option>a</select>", "q=a&q=b", `["a","b"]`)
	f("a list of one", "<select name=q><option>a</select>", "q=a&q=b", `"b"`)
	f("a name of a list", `<input type=checkbox name="q[]" value=a>`, "q[]=a&q[]=b", `["a","b"]`)
}

func TestAnExchangeThatNamesNoSurveyIsUnreadable(t *testing.T) {
	profile, err := ParseProfile("p.yaml", []byte(`{routes: [{on: "POST /{participant}", says: completed, ids: {survey: "request:sid"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	match, _ := profile.Match([]byte("POST"), []byte("/ann"))
	for body, want := range map[string]bool{"sid=7": true, "sid=1&sid=7": true, "sid=": false, "x=1": false, "sid[]=7&sid[]=8": false} {
		o, ok, err := profile.Observe(match, Exchange{Status: 200, RequestType: "application/x-www-form-urlencoded", RequestBody: []byte(body)})
		if ok != want || (err == nil) != want || ok && o.Journey.Instance != "7" {
			t.Errorf("%s is of %q, %v, %v", body, o.Journey.Instance, ok, err)
		}
	}
}
