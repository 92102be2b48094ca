package bodies

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestXMLIsAnObjectOfItsElements(t *testing.T) {
	f := func(source, want string) {
		t.Helper()
		got, err := ReadXML("text/xml", []byte(source))
		if err != nil || string(got) != want {
			t.Errorf("%s gives %s, %v; want %s", source, got, err, want)
		}
	}
	f(`<a/>`, `{"a":""}`)
	f(`<?xml version="1.0" encoding="UTF-8"?><!-- c --><a>x &amp; &#x20AC;<![CDATA[<b>]]></a>`, `{"a":"x & €<b>"}`)
	f(`<data xmlns:h="u" id="f" h:version="2"><name>Ann</name>
		<h:meta><instanceID>uuid:1</instanceID></h:meta><name>Bo</name></data>`,
		`{"data":{"-id":"f","-version":"2","name":["Ann","Bo"],"meta":{"instanceID":"uuid:1"}}}`)
	f(`<a>text<b/></a>`, `{"a":{"b":"","#text":"text"}}`)
}

func TestWhatIsNoXMLIsAnError(t *testing.T) {
	f := func(source string, want error) {
		t.Helper()
		if got, err := ReadXML("text/xml", []byte(source)); !errors.Is(err, want) {
			t.Errorf("%.50s gives %.50s, %v; want %v", source, got, err, want)
		}
	}
	for _, source := range []string{
		"", "x", "<a>", "</a>", "<a></b>", "<a/><b/>", "{}", "<a b></a>",
		`<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx">]><a>&x;</a>`,
	} {
		f(source, errXML)
	}
	f(strings.Repeat("<a>", 100), errElements)
	f("<a>"+strings.Repeat("<g>"+strings.Repeat("<b/>", maxFields)+"</g>", maxElements/maxFields)+"</a>", errElements)
}

func FuzzXML(f *testing.F) {
	f.Add([]byte(`<data id="f"><name>Ann &amp; Bo</name></data>`))
	f.Fuzz(func(t *testing.T, source []byte) {
		if got, err := ReadXML("text/xml", source); err == nil && !json.Valid(got) {
			t.Errorf("%q gives %q", source, got)
		}
	})
}
