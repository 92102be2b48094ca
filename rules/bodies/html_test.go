package bodies

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// survey selects what is on a page of LimeSurvey, about.
var survey = PageFields{
	Values: map[string]string{"step": "input#thisstep@value", "title": "title", "completed": ".completed-wrapper"},
	Fields: ControlFields{
		In: ".question", Hidden: ".upload input",
		Texts: map[string]string{"text": ".label", "class": "@class", "required": ".required"},
	},
}

func compile(t testing.TB, f PageFields) *Page {
	t.Helper()
	return CompilePage(f, func(path string, err error) { t.Fatalf("%s %v", path, err) })
}

func TestHTMLIsReadBySelectors(t *testing.T) {
	page := compile(t, survey)
	f := func(what, source, want string) {
		t.Helper()
		got, err := page.Read("text/html", []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(parse(t, want), parse(t, string(got))); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", what, got, diff)
		}
	}
	f("nothing", "", `{"fields":[]}`)
	f("no HTML", `{"a":1}`, `{"fields":[]}`)
	f("values", `<title> A  <b>"b"</b>
		c</title><input id=thisstep value="3"><div class="completed-wrapper x"></div>`,
		`{"title":"A <b>\"b\"</b> c","step":"3","completed":"","fields":[]}`)
	f("an attribute that is missing", `<input id=thisstep>`, `{"fields":[]}`)
	f("the first of several", `<input id=thisstep value=1><input id=thisstep value=2>`, `{"step":"1","fields":[]}`)
	f("controls", `
		<input name=outside>
		<div class="question text"><p class=label>Your <b>name</b>?</p><input name=q1><input type=hidden name=csrf value=x><input type=password name=pw><button name=move></button></div>
		<div class=question><p class=label>Tea?</p><p class=required></p>
			<input type=radio name=q2 id=a value=Y><label for=a>Yes, <i>please</i></label><input type=radio name=q2 id=b value=N><label for=b>No</label></div>
		<div class=question><select name=q3><option value="">-</option><option>Red</option></select><select name=q6 multiple></select><textarea name=q4></textarea></div>
		<div class="question"><div class=upload><input type=HIDDEN name=q5></div></div>`,
		`{"fields":[
			{"name":"q1","type":"text","class":"question text","text":"Your name?","options":[]},
			{"name":"q2","type":"radio","class":"question","text":"Tea?","required":"","options":[{"value":"Y","label":"Yes, please"},{"value":"N","label":"No"}]},
			{"name":"q3","type":"select","class":"question","options":[{"value":"","label":"-"},{"value":"Red","label":"Red"}]},
			{"name":"q6","type":"select-multiple","class":"question","options":[]},
			{"name":"q4","type":"textarea","class":"question","options":[]},
			{"name":"q5","type":"hidden","class":"question","options":[]}]}`)
	f("scripts and bad bytes", "<title>\xff\x00</title><div class=question><p class=label>a<script>b</script></p><input name=x></div>",
		`{"title":"ÿ\ufffd","fields":[{"name":"x","type":"text","class":"question","text":"a","options":[]}]}`)
}

func parse(t *testing.T, source string) (value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(source), &value); err != nil {
		t.Fatalf("%v: %s", err, source)
	}
	return value
}

func TestAMalformedSelectorIsNamed(t *testing.T) {
	var paths []string
	CompilePage(PageFields{Values: map[string]string{"a": "x[", "b": "p"}, Fields: ControlFields{In: ">", Texts: map[string]string{"c": "::"}}},
		func(path string, _ error) { paths = append(paths, path) })
	if diff := cmp.Diff([]string{"values.a", "fields.texts.c", "fields.in"}, paths); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// hostile is HTML of a megabyte that is made to take time or memory.
func hostile() map[string]string {
	const size = 1 << 20
	fill := func(start, part string) string { return start + strings.Repeat(part, size/len(part)) }
	return map[string]string{
		"nested elements":     fill("", "<div class=question>"),
		"nested formatting":   fill("", "<b><i><a>"),
		"misnested":           fill("", "<b><p></b>"),
		"nested tables":       fill("", "<table><tr><td>"),
		"attributes":          fill("<p ", "a=1 ") + ">",
		"distinct attributes": fill("<p ", "aaaaaa") + ">",
		"labels in labels":    fill("", "<label for=a><p>x"),
		"controls of one":     fill("<div class=question>", "<input name=x type=radio id=a>"),
		"options":             fill("<div class=question><select name=x>", "<option>"),
		"comments":            fill("", "<!--"),
		"unclosed tag":        fill("<", "x"),
		"entities":            fill("", "&lt;"),
		"text":                fill("<title>", "x "),
		"selects":             fill("<div class=question>", "<select name=x>"),
		"frames of a form":    fill("<div class=question>", "<form><input name=a>"),
	}
}

func TestHostileHTMLIsReadOrRefused(t *testing.T) {
	page := compile(t, survey)
	for name, source := range hostile() {
		begun := time.Now()
		got, err := page.Read("text/html", []byte(source))
		if err == nil && !json.Valid(got) {
			t.Errorf("%s: no JSON", name)
		}
		t.Logf("%s: %v, %d bytes, %v", name, time.Since(begun), len(got), err)
	}
}

func FuzzPage(f *testing.F) {
	for _, source := range hostile() {
		f.Add([]byte(source[:min(len(source), 1000)]))
	}
	page := compile(f, survey)
	f.Fuzz(func(t *testing.T, source []byte) {
		if got, err := page.Read("text/html", source); err == nil && !json.Valid(got) {
			t.Errorf("%q gives %q", source, got)
		}
	})
}
