package bodies

import (
	"errors"
	"testing"
)

func TestBodiesAreReadInTheirEncoding(t *testing.T) {
	page := compile(t, PageFields{Values: map[string]string{"title": "title"}})
	f := func(contentType, body, want string) {
		t.Helper()
		got, err := Read(contentType, []byte(body), page)
		if err != nil || string(got) != want {
			t.Errorf("%s %q gives %s, %v; want %s", contentType, body, got, err, want)
		}
	}
	f("application/x-www-form-urlencoded; charset=iso-8859-1", "a=caf%e9", `{"a":"café"}`)
	f("application/x-www-form-urlencoded; charset=UTF-8", "a=caf%c3%a9", `{"a":"café"}`)
	f("application/x-www-form-urlencoded; charset=shift_jis", "%83e=%83e", `{"テ":"テ"}`)
	f("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n\xe9\r\n--b--\r\n", `{"a":"é"}`)
	f("text/xml", `<?xml version="1.0" encoding="ISO-8859-1"?><a>`+"\xe9</a>", `{"a":"é"}`)
	f("text/xml; charset=utf-8", `<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>`, `{"a":"é"}`)
	f("text/xml", "\xff\xfe<\x00a\x00>\x00\xe9\x00<\x00/\x00a\x00>\x00", `{"a":"é"}`)
	f("text/xml", "\xff\xfe<\x00?\x00x\x00m\x00l\x00 \x00v\x00e\x00r\x00s\x00i\x00o\x00n\x00=\x00\"\x001\x00.\x000\x00\"\x00 \x00e\x00n\x00c\x00o\x00d\x00i\x00n\x00g\x00=\x00\"\x00U\x00T\x00F\x00-\x001\x006\x00\"\x00?\x00>\x00<\x00a\x00/\x00>\x00", `{"a":""}`)
	f("text/html; charset=windows-1252", "<title>\x80</title>", `{"title":"€"}`)
	f("text/html", "<meta charset=iso-8859-1><title>\xe9</title>", `{"title":"é"}`)
	f("text/html", "<meta charset=iso-8859-1><title>é</title>", `{"title":"é"}`)
}

func TestUnknownEncodingsAreNotRead(t *testing.T) {
	page := compile(t, PageFields{Values: map[string]string{"title": "title"}})
	f := func(contentType, body string) {
		t.Helper()
		if got, err := Read(contentType, []byte(body), page); !errors.Is(err, errCharset) {
			t.Errorf("%s %q gives %s, %v; want %v", contentType, body, got, err, errCharset)
		}
	}
	f("application/x-www-form-urlencoded; charset=ebcdic", "a=1")
	f("text/xml", `<?xml version="1.0" encoding="x-none"?><a/>`)
	f("text/html; charset=iso-2022-kr", "<title>a</title>")
}

func TestAMalformedParameterHidesNoOther(t *testing.T) {
	f := func(contentType, want string) {
		t.Helper()
		if got := parameter(contentType, "boundary"); got != want {
			t.Errorf("the boundary of %s is %q, want %q", contentType, got, want)
		}
	}
	f(`multipart/form-data; boundary=b`, "b")
	f(`multipart/form-data; stray; boundary="b c"`, "b c")
	f(`multipart/form-data; Boundary=b; =`, "b")
	f(`multipart/form-data; x=/; boundary=--b`, "--b")
	f(`multipart/form-data; x y; bound=b`, "")
}
