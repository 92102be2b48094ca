package bodies

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// pieces are what pages are made of here: elements that the parser closes, moves or
// opens again by itself.
var pieces = []string{
	"<b>", "</b>", "<i x=1>", "</i>", "<p>", "</p>", "<a>", "</a>", "<div>", "</div>", "<table>", "<td>", "</td>", "</table>", "x",
	"<font c=%d>", "</font>", "<li>", "<ul>", "</ul>", "<button>", "<select>", "<option>", "<nobr>", "<svg>", "<template>", "</template>",
	"<applet>", "</applet>", "<b y=%d>",
}

func TestNoTreeIsMuchLargerThanItsBound(t *testing.T) {
	const size = 100_000
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		var source strings.Builder
		for i := range random.IntN(2) * random.IntN(500) {
			fmt.Fprintf(&source, "<b z=%d>", i)
		}
		chosen := make([]string, 1+random.IntN(8))
		for i := range chosen {
			chosen[i] = pieces[random.IntN(len(pieces))]
		}
		for i := 0; source.Len() < size; i++ {
			source.WriteString(strings.ReplaceAll(strings.Join(chosen, ""), "%d", fmt.Sprint(i)))
		}
		if checkSize([]byte(source.String())) != nil {
			continue
		}
		root, err := html.Parse(bytes.NewReader([]byte(source.String())))
		if err != nil {
			continue
		}
		if n := nodes(root); n > 2*maxNodes {
			t.Errorf("%v becomes a tree of %d nodes and attributes", chosen, n)
		}
	}
}

func nodes(node *html.Node) int {
	n := 1 + len(node.Attr)
	for child := range node.ChildNodes() {
		n += nodes(child)
	}
	return n
}

func TestTextsAreNotRepeatedWithoutBound(t *testing.T) {
	page := compile(t, survey)
	long := strings.Repeat("long ", 1000)
	f := func(what, source string) {
		t.Helper()
		if got, err := page.Read("text/html", []byte(source)); err == nil {
			t.Errorf("%s: %d bytes of a page of %d", what, len(got), len(source))
		}
	}
	var controls, labels, nested strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&controls, "<input name=q%d>", i)
		fmt.Fprintf(&labels, "<input type=radio name=q value=%d id=a>", i)
	}
	for i := range 400 {
		fmt.Fprintf(&nested, "<label for=a%d>", i)
	}
	f("a question with many controls", "<div class=question><p class=label>"+long+"</p>"+controls.String())
	f("a label of many options", "<div class=question><label for=a>"+long+"</label>"+labels.String())
	f("labels in labels", nested.String()+long)
}
