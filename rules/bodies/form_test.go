package bodies

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestFormsAreObjectsOfTheirFields(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		got, err := ReadForm("", []byte(body))
		if err != nil || string(got.JSON) != want {
			t.Errorf("%q gives %s, %v; want %s", body, got.JSON, err, want)
		}
	}
	f("", `{}`)
	f("a=1&b=x+y", `{"a":"1","b":"x y"}`)
	f("a[]=1&b=2&a[]=3&a[]", `{"a[]":["1","3",""],"b":"2"}`)
	f("a%5B%5D=%E2%82%AC&417X1X2=%0D%0A", `{"a[]":"€","417X1X2":"\r\n"}`)
	f("&&=&a=b=c&", `{"":"","a":"b=c"}`)
	f("%=%zz&%4=%41%", `{"%":"%zz","%4":"A%"}`)
	f("a=%ff%22", `{"a":"`+"\ufffd"+`\""}`)
}

func TestOfARepeatedFieldTheLastValueCountsAndAllAreKept(t *testing.T) {
	f := func(body, want, repeated string) {
		t.Helper()
		got, err := ReadForm("", []byte(body))
		if err != nil || string(got.JSON) != want || len(got.Repeated) > 1 || string(got.Repeated["a"]) != repeated {
			t.Errorf("%q gives %s and %s, %v; want %s and %s", body, got.JSON, got.Repeated["a"], err, want, repeated)
		}
	}
	f("sid=7&a=0&a=1", `{"sid":"7","a":"1"}`, `["0","1"]`)
	f("a=1&b=2&a=3&a", `{"a":"","b":"2"}`, `["1","3",""]`)
	f("a=1&%61=2", `{"a":"2"}`, `["1","2"]`)
	f("a=1&a[]=2", `{"a":"1","a[]":"2"}`, ``)
}

const contentType = `multipart/form-data; boundary="b"`

func TestMultipartIsAnObjectOfItsFields(t *testing.T) {
	f := func(parts, want string) {
		t.Helper()
		body := strings.ReplaceAll(strings.ReplaceAll(parts, "|", "--b\nContent-Disposition: form-data; ")+"--b--\n", "\n", "\r\n")
		got, err := ReadMultipart(contentType, []byte(body))
		if err != nil || string(got.JSON) != want {
			t.Errorf("%q gives %s, %v; want %s", body, got.JSON, err, want)
		}
	}
	f("|name=a\n\n1\n|name=\"b c\"\n\nx\ny\n|name=a\n\n2\n", `{"a":"2","b c":"x\r\ny"}`)
	f("|name=f; filename=\"cv.pdf\"\nContent-Type: application/pdf\n\nsecret\n", `{"f":{"name":"cv.pdf","type":"application/pdf","size":6}}`)
	f("|name=f; filename=\"../../x\"\n\n\n", `{"f":{"name":"x","type":"","size":0}}`)
	f("", `{}`)
}

func TestWhatIsNoMultipartIsAnError(t *testing.T) {
	f := func(contentType, body string) {
		t.Helper()
		if got, err := ReadMultipart(contentType, []byte(body)); !errors.Is(err, errMultipart) {
			t.Errorf("%q, %q gives %s, %v", contentType, body, got, err)
		}
	}
	f("multipart/form-data", "--b--\r\n")
	f("multipart/form-data; boundary=", "--b--\r\n")
	f(contentType, "")
	f(contentType, "--c--\r\n")
	f(contentType, "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1")
	f(contentType, "--b\r\n"+strings.Repeat("a: b\r\n", 100_000)+"\r\n--b--\r\n")
}

func TestFormsWithTooManyFieldsAreRefused(t *testing.T) {
	if _, err := ReadForm("", []byte(strings.Repeat("a&", maxFields+1))); !errors.Is(err, errFields) {
		t.Errorf("got %v", err)
	}
	part := "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n"
	if _, err := ReadMultipart(contentType, []byte(strings.Repeat(part, maxFields+1)+"--b--\r\n")); !errors.Is(err, errFields) {
		t.Errorf("got %v", err)
	}
}

func FuzzForm(f *testing.F) {
	f.Add([]byte("a=1&b=%ff&a=+"))
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, contentType := range []string{contentType, "application/x-www-form-urlencoded"} {
			got, err := ReadFields(contentType, body)
			if err != nil {
				continue
			}
			var object map[string]any
			if json.Unmarshal(got.JSON, &object) != nil {
				t.Errorf("%q gives %q", body, got.JSON)
			}
			for name, list := range got.Repeated {
				var values []any
				if err := json.Unmarshal(list, &values); err != nil || len(values) < 2 || utf8.ValidString(name) && !cmp.Equal(values[len(values)-1], object[name]) {
					t.Errorf("%q has %q, and of %q all of %q", body, got.JSON, name, list)
				}
			}
		}
	})
}

func TestFormsDoNotGrowWithoutBound(t *testing.T) {
	f := func(body string, want error) {
		t.Helper()
		got, err := ReadForm("", []byte(body))
		if !errors.Is(err, want) {
			t.Errorf("%.10q of %d bytes gives %d bytes of JSON, %v; want %v", body, len(body), len(got.JSON), err, want)
		}
	}
	f("a="+strings.Repeat("\x01", 1<<20), errGrowth)
	f("a="+strings.Repeat("%01", 1<<18), nil)
	f("a="+strings.Repeat("\n\"", 1<<19), nil)
	f(strings.Repeat("a=%0a%22&", 9000), nil)
}
