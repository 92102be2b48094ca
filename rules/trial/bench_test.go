package trial

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/sidehook/sidehook/rules"
)

// The page is a real one of LimeSurvey, whose questions are repeated to make up 100 KB.
// Its peer is the parser alone.
func BenchmarkReadingAPageOf100KB(b *testing.B) {
	page := largePage(b)
	profile, err := rules.LoadProfile("limesurvey")
	if err != nil {
		b.Fatal(err)
	}
	match, ok := profile.Match([]byte("POST"), []byte("/index.php/123456"))
	if !ok {
		b.Fatal("no route matches")
	}
	x := rules.Exchange{
		Status: 200, ContentType: "text/html; charset=utf-8", ResponseBody: page, RequestType: "application/x-www-form-urlencoded",
		RequestBody: []byte("sid=123456"), RequestHeader: []rules.HeaderField{{Name: "Cookie", Value: "LS-ABC=1"}},
	}
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		if o, ok, err := profile.Observe(match, x); !ok || err != nil || o.Kind != rules.Reached {
			b.Fatal(o.Kind, ok, err)
		}
	}
}

func BenchmarkParsingAPageOf100KB(b *testing.B) {
	page := largePage(b)
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := html.Parse(bytes.NewReader(page)); err != nil {
			b.Fatal(err)
		}
	}
}

// largePage returns that page.
func largePage(b *testing.B) []byte {
	b.Helper()
	recorded, _, err := ReadHAR(bytes.NewReader(readZipped(b, "a-all-in-one.har.gz")))
	if err != nil {
		b.Fatal(err)
	}
	var page string
	for _, one := range recorded {
		if text := string(one.Exchange.ResponseBody); strings.Contains(text, "thisstep") && len(text) > len(page) {
			page = text
		}
	}
	const begin = "<div id=\"question"
	first := strings.Index(page, begin)
	last := strings.LastIndex(page, begin)
	if first < 0 || last == first {
		b.Fatal("no questions on the page")
	}
	head, questions, tail := page[:first], page[first:last], page[last:]
	for i := 0; len(head)+len(tail) < 100<<10; i++ {
		head += strings.ReplaceAll(questions, `name="`, fmt.Sprintf(`name="%d`, i))
	}
	return []byte(head + tail)
}
