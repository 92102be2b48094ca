package bodies

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// repeat returns n times a text, in which # is a number.
func repeat(n int, text string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(text, "#", fmt.Sprint(i)))
	}
	return b.String()
}

func TestPagesThatKeepTheParserBusyAreNotParsed(t *testing.T) {
	f := func(what, source string, want error) {
		t.Helper()
		if err := checkSize([]byte(source)); !errors.Is(err, want) {
			t.Errorf("%s: a page of %d bytes gives %v, want %v", what, len(source), err, want)
		}
	}
	f("attributes of body", repeat(10_000, "<body a#>"), errSteps)
	f("attributes of html", repeat(10_000, "<html a#>"), errSteps)
	f("ends of paragraphs", repeat(500, "<x>")+repeat(24_000, "</p>"), errSteps)
	f("unknown ends", repeat(500, "<x>")+repeat(24_000, "</y>"), errSteps)
	f("lists", repeat(250, "<ul><li>")+repeat(24_000, "<p>"), errSteps)
	f("ends that are ignored", "<div><object>"+repeat(500, "<x>")+"</div>"+repeat(24_000, "</p>"), errSteps)
	f("starts that are ignored", repeat(500, "<tr><x></tr>")+repeat(24_000, "</p>"), errSteps)
	f("elements that are opened again", repeat(400, "<h2></h2><select><option><b></p></select>")+repeat(20_000, "</p>"), errSteps)
	f("elements in the text of SVG", "<svg><style>"+repeat(500, "<x>")+repeat(24_000, "</y>"), errSteps)
	f("elements in the text of MathML", "<math><mi><style>"+repeat(500, "<x>")+repeat(24_000, "</y>"), errForeign)
	f("long names in SVG", "<svg>"+repeat(500, "<"+strings.Repeat("x", 200)+"#>")+repeat(100, "</"+strings.Repeat("x", 1000)+">"), errSteps)
}

func TestLargeHonestPagesAreParsed(t *testing.T) {
	f := func(what, source string) {
		t.Helper()
		source = "<!DOCTYPE html><html><head><title>Survey</title></head><body><main><div><form><div>" + source + "</div></form></div></main></body></html>"
		if err := checkSize([]byte(source)); err != nil {
			t.Errorf("%s: a page of %d bytes %v", what, len(source), err)
		}
	}
	radio := "<td><label><input type=radio name=q# value=1>Yes</label></td>"
	f("2,000 questions in a table", "<table><tbody>"+repeat(2000, "<tr><td><b>Question #</b></td>"+radio+radio+"</tr>")+"</tbody></table>")
	f("cells that do not end", "<table>"+repeat(2000, "<tr><td>#<td><input name=q#>")+"</table>")
	f("lists that do not end", repeat(2000, "<p>#<ul><li>a<li>b</ul>"))
	f("definitions", "<dl>"+repeat(2000, "<dt>#<dd><input name=q#>")+"</dl>")
	f("options that do not end", repeat(1000, "<p># <select name=q#><option>1<option>2<option>3</select>"))
	f("spans that do not end", repeat(2000, "<div><span class=l>Question #</div>"))
	f("bold text that ends too late", repeat(2000, "<p><b>#<i>x</b></i></p>"))
	f("ends without starts", repeat(2000, "<div><input name=q#></div></div>"))
	f("forms in a table", "<table>"+repeat(600, "<form><tr><td>#</td><td><input name=q></td></tr></form>")+"</table>")
	f("icons", repeat(2000, `<div><svg class=i><title>t</title><path d="M0 0"/><g><circle r=1></circle></g></svg><input name=q#></div>`))
	f("styled icons and scripts", repeat(500, "<svg><style>a>b{}</style><path/></svg><script>if(a<b){}</script>"))
	f("links of one text", repeat(2000, "<p><a href=#>#</a> and <strong><em>more</em></strong>"))
	f("a deep page", repeat(100, "<div>")+repeat(1000, "<p>Question #, with a text of some length <input name=q#></p>"))
}
