package rules

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// posted is an exchange with a value in each of its parts.
func posted() *reading {
	return &reading{
		target: "/a/b?x=1&y=&x=2",
		Exchange: Exchange{
			RequestType: "application/x-www-form-urlencoded; charset=utf-8", RequestBody: []byte("a=0&a=1&list[]=x&list[]=y&empty="),
			ContentType: "application/json", ResponseBody: []byte(`{"a":2,"none":null,"ids":["7"],"object":{"a":"7"},"off":false,"inner":"{\"b\":[3]}","deep":"` + strings.Repeat("[", 100) + `"}`),
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
	f("request:list[].1", "y")
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
	for _, text := range []string{"request:b", "response:b", "response:deep|@fromstr|0", "query:z", "header:x", "cookie:c", "set_cookie:b", "set_cookie:LS-2", "request:list[]", "response:ids", "response:object", "digest:response:ids"} {
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

func TestACookieIsReadWhateverIsBesideIt(t *testing.T) {
	f := func(name, header, pattern, want string) {
		t.Helper()
		if got, _ := cookieOf(sentCookies([]HeaderField{{"Cookie", header}}), pattern); got != want {
			t.Errorf("%s: %s of %q is %q, want %q", name, pattern, header, got, want)
		}
	}
	f("a text without =", "consent; LS-1=one", "LS-*", "one")
	f("a name with a space", "a b=1; LS-1=one", "LS-*", "one")
	f("no name", "=1;;; ; LS-1=one", "LS-*", "one")
	f("a value of JSON", `prefs={"a":"b, c"}; LS-1=one`, "LS-*", "one")
	f("a value of JSON itself", `LS-1={"a":"b"}; b=2`, "LS-*", `{"a":"b"}`)
	f("a value that is not ASCII", "name=J\xf6rg; LS-1=one; x=ö", "LS-*", "one")
	f("a value with =", "LS-1=one==", "LS-1", "one==")
	f("spaces around", " LS-1 = one ;b=2", "LS-1", "one")
	f("quotes are part of a value", `LS-1="one"`, "LS-1", `"one"`)
	f("of two the first counts, as for most servers", "LS-1=one; LS-1=two", "LS-1", "one")
	f("an empty one is none", "LS-1=; LS-2=two", "LS-*", "two")
}

func TestACookieThatIsSetIsReadWhateverItsAttributesAre(t *testing.T) {
	f := func(name, header, want string) {
		t.Helper()
		got, _ := cookieOf(cookiesToSet([]HeaderField{{"Set-Cookie", "other"}, {"Set-Cookie", header}}), "sid")
		if got != want {
			t.Errorf("%s: %q sets %q, want %q", name, header, got, want)
		}
	}
	f("nothing else", "sid=one", "one")
	f("attributes that are none", "sid=one; Max-Age=soon; Expires=later; =; Path", "one")
	f("a value of JSON", `sid={"a":1}; Path=/`, `{"a":1}`)
	f("a value that is not ASCII", "sid=ö; HttpOnly", "ö")
	f("a date to come", "sid=one; Expires=Wed, 09 Jun 2027 10:18:14 GMT", "one")
	f("deleted by its age", "sid=one; Max-Age=0", "")
	f("deleted by its date", "sid=deleted; Expires=Thu, 01-Jan-1970 00:00:01 GMT", "")
	f("no name", "=one; sid=two", "")
}

func FuzzCookiesAreThoseThatAReaderOfWellFormedOnesFinds(f *testing.F) {
	f.Add("a=1; LS-1=one; b", "LS-1=one; Path=/; Max-Age=0")
	f.Add(`a="b; c"; ö=1`, "a")
	f.Fuzz(func(t *testing.T, sent, set string) {
		sure, err := http.ParseCookie(sent)
		for _, c := range sure {
			if got, _ := cookieOf(sentCookies([]HeaderField{{"Cookie", sent}}), c.Name); err == nil && !c.Quoted && c.Value != "" && got == "" {
				t.Errorf("%q has no %q", sent, c.Name)
			}
		}
		for _, c := range append(sentCookies([]HeaderField{{"Cookie", sent}}), cookiesToSet([]HeaderField{{"Set-Cookie", set}})...) {
			if c.Name == "" || strings.ContainsAny(c.Name+c.Value, ";") || strings.Contains(c.Name, "=") {
				t.Errorf("%q and %q have %q = %q", sent, set, c.Name, c.Value)
			}
		}
	})
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
	f("request:a = 0", false)
	f(`response:ids = ["7"]`, false)
	f("response:ids = *", false)
	f("response:ids", true)
	f("response:ids.0 = 7", true)
	f(`request:[a,empty]|@tostr = ["1",""]`, true)
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
