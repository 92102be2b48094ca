package rules

import (
	"strings"
	"testing"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// posted is an exchange with a value in each of its parts.
func posted() *reading {
	return &reading{
		target: "/a/b?x=1&y=&x=2",
		Exchange: Exchange{
			RequestType: "application/x-www-form-urlencoded; charset=utf-8", RequestBody: []byte("a=1&list=x&list=y&empty="),
			ContentType: "application/json", ResponseBody: []byte(`{"a":2,"none":null,"off":false,"inner":"{\"b\":[3]}","deep":"` + strings.Repeat("[", 100) + `"}`),
			RequestHeader:  []HeaderField{{"Cookie", "LS-1=one; b=two"}, {"cookie", "LS-2=three"}, {"X-Id", "me"}},
			ResponseHeader: []HeaderField{{"Set-Cookie", "LS-1=four; Path=/"}, {"set-cookie", "b=; Max-Age=0"}, {"Location", "/end"}},
		},
	}
}

func TestASourceHasTheTextThatLiesThere(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		s, err := parseSource(text)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := s.text(posted())
		if got != want || !ok {
			t.Errorf("%s is %q, %v; want %q", text, got, ok, want)
		}
	}
	f("request:a", "1")
	f("request:list.1", "y")
	f("request:empty", "")
	f("response:a", "2")
	f("response:none", "")
	f("response:inner|@fromstr|b.0", "3")
	f("query:x", "1")
	f("query:y", "")
	f("header:x-id", digest("me"))
	f("cookie:b", digest("two"))
	f("cookie:LS-*", digest("one"))
	f("set_cookie:LS-*", digest("four"))
	f("location", "/end")
	f("digest:request:a", digest("1"))
}

func TestASourceMayHaveNothing(t *testing.T) {
	for _, text := range []string{"request:b", "response:b", "response:deep|@fromstr|0", "query:z", "header:x", "cookie:c", "set_cookie:b", "set_cookie:LS-2"} {
		s, err := parseSource(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := s.text(posted()); got != "" {
			t.Errorf("%s is %q", text, got)
		}
	}
	if _, ok := (source{}).text(posted()); ok {
		t.Error("nowhere is a value")
	}
}

func TestASourceNamesAPartOfAnExchange(t *testing.T) {
	for _, text := range []string{"", "a", "none:a", "Request:a", "body:a", "request:", "query:", "location:a", "cookie", "digest:", "digest:digest:query:a"} {
		if _, err := parseSource(text); err == nil {
			t.Errorf("%q is a source", text)
		}
	}
}

func TestConditionsHoldAsWritten(t *testing.T) {
	f := func(text string, want bool) {
		t.Helper()
		doc := strictyaml.Decode("profile.yaml", []byte("app: x"), &profileFile{})
		list := compileConditions(doc, "if", conditionList{text})
		if err := doc.Err(); err != nil {
			t.Fatal(err)
		}
		if got := list.failing(posted()) == ""; got != want {
			t.Errorf("%s is %v", text, got)
		}
	}
	f("request:a", true)
	f("request:b", false)
	f("!request:b", true)
	f("!request:a", false)
	f("request:empty", false)
	f("response:none", false)
	f("response:off", false)
	f("request:a = 1", true)
	f("request:a = 2", false)
	f("request:a != 2", true)
	f("request:b != 2", true)
	f("response:a = *", true)
	f("location = *end", true)
	f("location = end", false)
	f("cookie:LS-*", true)
	f("cookie:b = two", true)
	f("query:y", false)
	f("!query:y", true)
}

func TestConditionsOfOtherLanguagesAreRefused(t *testing.T) {
	f := func(condition string, isRight bool) {
		t.Helper()
		_, err := ParseProfile("p.yaml", []byte(`{routes: [{on: "POST /{survey}/{participant}", says: completed, if: '`+condition+`'}]}`))
		if (err == nil) != isRight {
			t.Errorf("%s: %v, want it accepted: %v", condition, err, isRight)
		}
	}
	for _, wrong := range []string{
		"!request:partial = true", "!request:a != b", "request:a == true", "request:a=true", "request:a > 3", "request:a = 1 and request:b = 2",
		"request:a = true or request:b = true", `request:a = "done"`, "query:a == 1", "request:a, request:b", "request:a && request:b",
	} {
		f(wrong, false)
	}
	for _, right := range []string{
		"request:a", "!request:a", "request:a = true", "request:a != two words", "location = *?done=1*", "request:list.#(a==1)", "cookie:LS-*",
		"request:a|@fromstr|b", "response:a = *=*",
	} {
		f(right, true)
	}
}

func TestOfRoutesWithDifferentPathsTheFirstCountsThatSaysSomething(t *testing.T) {
	profile, err := ParseProfile("p.yaml", []byte(`{routes: [
		{on: "POST /s/{survey}/{participant}", says: completed, if: "request:done = true"},
		{on: "POST /s/lunch/{participant}", says: answered, ids: {survey: "request:survey"}, answers: {at: "request:answers"}},
		{on: "POST /{...}", says: completed, ids: {survey: "request:survey", participant: "request:who"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	f := func(target, body string, want Kind, who string) {
		t.Helper()
		match, ok := profile.Match([]byte("POST"), []byte(target))
		if !ok {
			t.Fatalf("no route matches %s", target)
		}
		o, ok, err := profile.Observe(match, Exchange{Status: 200, RequestBody: []byte(body)})
		if !ok || err != nil || o.Kind != want || o.Journey.Participant != who {
			t.Errorf("%s %s: %s of %s, %v, %v; want %s of %s", target, body, o.Kind, o.Journey.Participant, ok, err, want, who)
		}
	}
	f("/s/lunch/ann", `{"done":true}`, Completed, "ann")
	f("/s/lunch/ann", `{"survey":"lunch","answers":{"q":1}}`, Answered, "ann")
	f("/s/dinner/ann", `{"survey":"dinner","who":"bob"}`, Completed, "bob")
}
