package strictyaml

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type decoded struct {
	Text    string            `yaml:"text"`
	Number  int               `yaml:"number"`
	Yes     bool              `yaml:"yes"`
	Part    float64           `yaml:"part"`
	List    []string          `yaml:"list"`
	Map     map[string]string `yaml:"map"`
	Inner   inner             `yaml:"inner"`
	Inners  []inner           `yaml:"inners"`
	Pointer *inner            `yaml:"pointer"`
	Short   short             `yaml:"short"`
}

// short may be written as its X alone.
type short struct{ X, Y string }

func (s *short) UnmarshalShort(text string) error {
	if text == "" {
		return errors.New("must not be empty")
	}
	*s = short{X: text}
	return nil
}

type inner struct{ A, B int }

func (i *inner) SetDefaults() { i.B = 7 }

// decodedDefaults differ from what the files of these tests say.
func decodedDefaults() decoded {
	return decoded{Text: "text", Number: 5, Yes: true, Part: 0.5, List: []string{"x", "y"}, Map: map[string]string{"x": "y"}, Inner: inner{1, 2}}
}

func TestAFileIsDecodedOverItsDefaults(t *testing.T) {
	f := func(source string, change func(*decoded)) {
		t.Helper()
		want, got := decodedDefaults(), decodedDefaults()
		change(&want)
		if err := Decode("f.yaml", []byte(source), &got).Err(); err != nil {
			t.Errorf("%s: %v", source, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", source, diff)
		}
	}

	f("{}", func(*decoded) {})
	f("text: new", func(d *decoded) { d.Text = "new" })
	// zero values are values
	f("{text: '', number: 0, yes: false, part: 0}", func(d *decoded) { d.Text, d.Number, d.Yes, d.Part = "", 0, false, 0 })
	// lists and maps are replaced, structs are merged
	f("{list: [z], map: {a: b}, inner: {a: 3}}", func(d *decoded) {
		d.List, d.Map, d.Inner = []string{"z"}, map[string]string{"a": "b"}, inner{3, 2}
	})
	f("{list: [], map: {}}", func(d *decoded) { d.List, d.Map = []string{}, map[string]string{} })
	// items have their own defaults
	f("inners: [{a: 1}, {b: 0}, {}]", func(d *decoded) { d.Inners = []inner{{1, 7}, {0, 0}, {0, 7}} })
	f("pointer: {a: 1}", func(d *decoded) { d.Pointer = &inner{1, 7} })
	f("short: a b", func(d *decoded) { d.Short = short{X: "a b"} })
	f("short: {x: 1, y: 2}", func(d *decoded) { d.Short = short{"1", "2"} })
	// numbers are decimal, and text stays as written
	f("{number: 010, text: 010}", func(d *decoded) { d.Number, d.Text = 10, "010" })
	f("{list: [yes, 1.50, 2026-11-23, 'null', '~']}", func(d *decoded) { d.List = []string{"yes", "1.50", "2026-11-23", "null", "~"} })
	f("part: 1", func(d *decoded) { d.Part = 1 })
	f("--- {text: new}\n...\n", func(d *decoded) { d.Text = "new" })
	// anchors and merges: a mapping's own keys win, then those merged first
	f("inner: &i {a: 3}\ninners:\n- *i\n- <<: *i\n  b: 4\n- <<: [{a: 5}, {a: 6, b: 8}]", func(d *decoded) {
		d.Inner, d.Inners = inner{3, 2}, []inner{{3, 7}, {3, 4}, {5, 8}}
	})
	f("{inner: &i {a: 1, <<: {a: 2, b: 3}}, pointer: *i}", func(d *decoded) { d.Inner, d.Pointer = inner{1, 3}, &inner{1, 3} })
}

func TestAKeyWithoutAValueIsAProblem(t *testing.T) {
	for _, key := range []string{"text", "number", "yes", "part", "list", "map", "inner", "inners", "pointer"} {
		for _, null := range []string{"", " null", " ~", " !!null ''"} {
			got := decodedDefaults()
			err := Decode("f.yaml", []byte("x-first: &a 1\n"+key+":"+null), &got).Err()
			if err == nil || !strings.Contains(err.Error(), "f.yaml:2:") || !strings.Contains(err.Error(), ": "+key+": ") {
				t.Errorf("%s:%s gives %v", key, null, err)
			}
		}
	}
}

func TestProblemsAreInTheOrderOfTheFile(t *testing.T) {
	source := "text: [a]\nlist: [{}, b, ~]\ninner: {c: 1}\nyes: 1\nshort: ''\n? [k]\n: v\n"
	want := `f.yaml:1:7: text: must be a single value, not a list
f.yaml:2:8: list[0]: must be a single value, not a mapping
f.yaml:2:15: list[2]: has no value; give it one or remove the key
f.yaml:3:9: inner.c: unknown key; the keys here are a, b
f.yaml:4:6: yes: must be true or false, not "1"
f.yaml:5:8: short: must not be empty
f.yaml:6:3: ?: a key must be text; quote a value that begins with {, [, & or *`
	var into decoded
	if diff := cmp.Diff(want, fmt.Sprint(Decode("f.yaml", []byte(source), &into).Err())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestALongListOfProblemsIsCut(t *testing.T) {
	var source strings.Builder
	for i := range maxProblemsShown + 20 {
		fmt.Fprintf(&source, "wrong%d: 1\n", i)
	}
	var into decoded
	lines := strings.Split(Decode("f.yaml", []byte(source.String()), &into).Err().Error(), "\n")
	if len(lines) != maxProblemsShown+1 || lines[maxProblemsShown] != "f.yaml: and 20 more problems" {
		t.Errorf("%d lines, the last one: %s", len(lines), lines[len(lines)-1])
	}
}

func TestASmallFileCannotExpandToALargeOne(t *testing.T) {
	f := func(name, source, want string) {
		t.Helper()
		var into decoded
		if err := Decode("f.yaml", []byte(source), &into).Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", name, err, want)
		}
	}
	many := func(text string, n int) string { return strings.TrimSuffix(strings.Repeat(text+", ", n), ", ") }

	f("too large", "text: "+strings.Repeat("x", MaxSource), "is too large")
	f("aliases", "inner: &i {a: 1, b: 1}\ninners: ["+many("*i", maxValues/2)+"]", "aliases expand this file to more than")
	f("merges", "map: &m {"+many("k: v", 1)+"}\ninner: {<<: ["+many("*m", maxValues)+"]}", "merges (<<) expand this file to more than")
	f("depth", "text: "+strings.Repeat("[", 20_000), "not YAML: exceeded max depth")
}
