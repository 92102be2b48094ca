package jsonpath

import (
	"strconv"
	"testing"

	"github.com/tidwall/gjson"
)

func TestAPathFindsEveryPartThatHasItsName(t *testing.T) {
	f := func(path, answer, want string) {
		t.Helper()
		parsed, err := ParseAnswerPath(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return
		}
		got := Replace([]byte(answer), []Edit{{parsed, with("X")}})
		if string(got) != want {
			t.Errorf("%s in %s gives %s, want %s", path, answer, got, want)
		}
	}
	f("text", `{"text":"a","more":1}`, `{"text":X,"more":1}`)
	f("text", ` { "text" : "a" } `, ` { "text" : X } `)
	f("text", `{"Text":"a","texts":1}`, `{"Text":"a","texts":1}`)
	f("a.b", `{"a":{"b":{"c":1}},"b":2}`, `{"a":{"b":X},"b":2}`)
	// one name twice, or escaped: gjson's own paths find the first one only
	f("text", `{"text":"a","text":"b"}`, `{"text":X,"text":X}`)
	f("text", `{"te\u0078t":"a"}`, `{"te\u0078t":X}`)
	// lists
	f("a.1", `{"a":[1,2,3]}`, `{"a":[1,X,3]}`)
	f("a.*", `{"a":[1,[2],{"b":3}]}`, `{"a":[X,X,X]}`)
	f("*.b", `{"x":{"b":1},"y":[{"b":2}],"z":{"b":3}}`, `{"x":{"b":X},"y":[{"b":2}],"z":{"b":X}}`)
	f("*", `{"a":1,"b":{}}`, `{"a":X,"b":X}`)
	// names with dots and stars
	f(`a\.b`, `{"a.b":1,"a":{"b":2}}`, `{"a.b":X,"a":{"b":2}}`)
	f(`\*`, `{"*":1,"b":2}`, `{"*":X,"b":2}`)
	// nothing there
	f("a.b", `{"a":"b"}`, `{"a":"b"}`)
	f("a", `"a"`, `"a"`)
	f("a", `null`, `null`)
}

func with(text string) func([]byte) []byte {
	return func([]byte) []byte { return []byte(text) }
}

func TestAPartWithinAnotherIsReplacedOnce(t *testing.T) {
	answer := []byte(`{"a":{"b":1},"c":2}`)
	var edits []Edit
	for i, text := range []string{"a.b", "a", "a", "c", "*"} {
		path, err := ParseAnswerPath(text)
		if err != nil {
			t.Fatal(err)
		}
		edits = append(edits, Edit{path, with(strconv.Itoa(i))})
	}
	if got := Replace(answer, edits); string(got) != `{"a":1,"c":3}` {
		t.Errorf("got %s, want the outermost replaced, by its first edit", got)
	}
	if string(answer) != `{"a":{"b":1},"c":2}` {
		t.Errorf("the answer itself has changed: %s", answer)
	}
}

// Whatever the answer, it stays JSON, and everything of the name is gone.
func FuzzAnswerPath(f *testing.F) {
	f.Add("a.b", `{"a":{"b":"c"},"\u0061":[{"b":1}]}`)
	f.Add("*.0", `[[1],[2,3]]`)
	f.Add(`\**`, `{"**":"\ud800"}`)
	f.Fuzz(func(t *testing.T, text, answer string) {
		path, err := ParseAnswerPath(text)
		if err != nil || len(path) == 0 || CheckJSON([]byte(answer)) != nil {
			return
		}
		found := 0
		got := Replace([]byte(answer), []Edit{{path, func([]byte) []byte { found++; return []byte("null") }}})
		if !gjson.ValidBytes(got) {
			t.Fatalf("%s in %s gives %s", text, answer, got)
		}
		left := 0
		Replace(got, []Edit{{path, func(value []byte) []byte {
			if string(value) != "null" {
				t.Fatalf("%s in %s leaves %s", text, answer, value)
			}
			left++
			return value
		}}})
		if left < found {
			t.Fatalf("%s in %s replaces %d parts, of which %d are found again", text, answer, found, left)
		}
	})
}
