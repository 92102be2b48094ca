package trial

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/bodies"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/jsonpath"
)

// WriteText writes the report for people. It shows participants and answers:
// whoever has the recording has them too.
func (r *Report) WriteText(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s matched by the profile for %s\n", count(len(r.Exchanges), "exchange"), r.App)
	for i := range r.Exchanges {
		r.Exchanges[i].write(&b)
		if _, err := b.WriteTo(w); err != nil {
			return err
		}
	}
	r.writeRest(&b)
	_, err := b.WriteTo(w)
	return err
}

func (x *Exchange) write(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n%d. %s -> %d\n", x.Entry, x.Request, x.Status)
	fmt.Fprintf(b, "   route %s\n", x.Route)
	if len(x.If) > 0 {
		fmt.Fprintf(b, "   if %s\n", strings.Join(x.If, ", "))
	}
	if x.Observation == nil {
		fmt.Fprintf(b, "   nothing: %s\n", x.Why)
	} else {
		fmt.Fprintf(b, "   %s: %s\n", x.Kind, x.Observation.text(x.Kind))
		if x.Why != "" {
			fmt.Fprintf(b, "   %s\n", x.Why)
		}
	}
	for i := range x.Events {
		x.Events[i].write(b)
	}
}

// text is what was observed, in a line.
func (o *Observation) text(kind rules.Kind) string {
	text := fmt.Sprintf("participant %s, %s", o.Participant, o.survey())
	switch {
	case kind == rules.SurveyShown:
		text = o.survey() + ", all that it asks"
	case o.Item != "":
		text += fmt.Sprintf(", item %s, answer %s", o.Item, o.Answer)
	case kind == rules.PageLoaded:
		text += ", page " + o.PageID
	case o.Page != nil:
		text += o.page()
	case o.Outcome != "":
		text += ", " + o.Outcome
	case kind != rules.Answered:
		text += ", no page: completed"
	}
	for i, one := range o.Answers {
		text += [...]string{", answers ", ", "}[min(i, 1)] + cmp.Or(one.Item, "to the page") + "=" + string(one.Answer)
	}
	return text
}

// page is where the participant is.
func (o *Observation) page() string {
	text := fmt.Sprintf(", page %d %s (%s)", o.Page.Number, jsonpath.AppendNullable(nil, o.Page.Name), o.Page.ID)
	if o.PageCount > 0 {
		text += fmt.Sprintf(" of %d", o.PageCount)
	}
	if o.Page.Item == nil {
		return text + ", takes no answer"
	}
	return fmt.Sprintf("%s, takes an answer of type %s (%s)", text, jsonpath.AppendNullable(nil, o.Page.Item.Type), o.Page.Item.ID)
}

func (o *Observation) survey() string {
	text := "instance " + o.Instance
	switch {
	case o.Survey != "" && (o.Survey == o.Instance || o.Page != nil && o.Page.ID == o.Survey || o.Instance == ""):
		text = "survey " + o.Survey
	case o.Survey != "":
		text = "survey " + o.Survey + "/" + o.Instance
	case o.Instance == "":
		text = "in the survey of before"
	}
	if o.FriendlyID != "" {
		text += " (" + o.FriendlyID + ")"
	}
	if o.Study != "" {
		text += " of study " + o.Study
	}
	return text
}

func (e *Event) write(b *bytes.Buffer) {
	recovered := map[bool]string{true: ", recovered: the navigation itself is not in the file"}[e.Recovered]
	switch e.Name {
	case config.Started:
		fmt.Fprintf(b, "   event of the participant: %s\n", e.Name)
	case config.Abandoned:
		fmt.Fprintf(b, "   event of the participant: %s, since nothing follows for long\n", e.Name)
	case config.PageNavigation, config.Completion:
		fmt.Fprintf(b, "   event %d of the participant: %s%s\n", e.Place, e.Name, recovered)
	}
	for _, verdict := range e.Rules {
		writeVerdict(b, &verdict)
	}
	if len(e.Deliveries) == 0 {
		fmt.Fprintf(b, "     nothing is sent\n")
	}
	for _, delivery := range e.Deliveries {
		fmt.Fprintf(b, "     to %s by rule %s, format %s, %s\n", delivery.Target, delivery.Rule, delivery.Format, delivery.ContentType)
		b.WriteString("       ")
		b.Write(jsonpath.Indent(delivery.Body, "       ", "  "))
		b.WriteByte('\n')
	}
}

func writeVerdict(b *bytes.Buffer, v *rules.Verdict) {
	fate := map[bool]string{true: "fires", false: "does not fire"}[v.Fires]
	fmt.Fprintf(b, "     rule %s %s -> %s\n", v.Rule, fate, strings.Join(v.To, ", "))
	for _, check := range v.Checks {
		holds := map[bool]string{true: "yes", false: "no "}[check.Holds]
		fmt.Fprintf(b, "       %s %s: %s; found %s\n", holds, check.Key, check.Wants, check.Found)
	}
}

// writeRest writes what was left out, and why: whoever writes a profile looks here
// for a missing route.
func (r *Report) writeRest(b *bytes.Buffer) {
	if len(r.Exchanges) == 0 {
		b.WriteString("no route of the profile matches: is it the right one for this app?\n")
	}
	others := 0
	var lines []string
	for _, u := range r.Unmatched {
		if !u.mayMatter() {
			others += u.Times
			continue
		}
		line := "   " + u.Request
		if u.Times > 1 {
			line += fmt.Sprintf(" (%d times)", u.Times)
		}
		lines = append(lines, line)
		for _, body := range []struct {
			whose   string
			outline *Outline
		}{{"request", u.Sent}, {"response", u.Got}} {
			if body.outline != nil {
				lines = append(lines, fmt.Sprintf("      %s: %s", body.whose, body.outline))
			}
		}
	}
	if len(lines) > 0 {
		fmt.Fprintf(b, "\nno route matches these:\n%s\n", strings.Join(lines, "\n"))
	}
	if others > 0 {
		fmt.Fprintf(b, "\n%s for scripts, images and the like match none either\n", count(others, "request"))
	}
	if len(r.Omitted) > 0 {
		fmt.Fprintf(b, "\nentries left out:\n")
	}
	for _, omitted := range r.Omitted {
		fmt.Fprintf(b, "   entry %d: %s\n", omitted.Entry, omitted.Why)
	}
}

// mayMatter reports whether a survey could depend on the request, rather than be
// shown with it.
func (u *Unmatched) mayMatter() bool {
	isData := u.Got != nil || strings.HasSuffix(bodies.MediaType(u.ContentType), "json")
	return !strings.HasPrefix(u.Request, "GET ") || isData && bodies.KindOf(u.ContentType) != bodies.XML // an image, as SVG
}

// count writes n things.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
