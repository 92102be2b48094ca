package rules

import "testing"

func TestABodyPathReadsTheBodyThatItNames(t *testing.T) {
	x := Exchange{RequestBody: []byte(`{"a":1}`), ResponseBody: []byte(`{"a":2}`)}
	f := func(text, want string) {
		t.Helper()
		path, err := parseBodyPath(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := path.value(x).Raw; got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
	f("request:a", "1")
	f("response:a", "2")
	f("response:b", "")
	f("request:@this", `{"a":1}`)
	if (bodyPath{}).value(x).Exists() {
		t.Error("no body has a value")
	}
}

func TestABodyPathNamesABody(t *testing.T) {
	for _, text := range []string{"", "a", "none:a", "Request:a", "body:a", "request:"} {
		if _, err := parseBodyPath(text); err == nil {
			t.Errorf("%q is a body path", text)
		}
	}
}
