package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/sidehook/sidehook/emitter/admin"
	"github.com/sidehook/sidehook/emitter/live"
	"github.com/sidehook/sidehook/rules/config"
)

//go:embed templates
var templates embed.FS

// pages are the templates of the pages, by name.
var pages = parsePages("overview", "live", "surveys", "survey", "deliveries", "delivery", "change", "try", "test", "configuration", "login", "refused")

// link is an entry of the navigation.
type link struct{ Name, Title, Path string }

// navigation links to the pages.
var navigation = []link{
	{"overview", "Overview", home},
	{"live", "Live", "/console/live"},
	{"deliveries", "Deliveries", "/console/deliveries"},
	{"surveys", "Surveys", "/console/surveys"},
	{"try", "Try", "/console/try"},
	{"test", "Test", "/console/test"},
	{"configuration", "Configuration", "/console/configuration"},
}

// page is what the template of every page gets.
type page struct {
	// Name is that of the template, Title the page's heading.
	Name, Title string
	Navigation  []link
	// Token is sent with every change.
	Token string
	// IsLoggedIn reports whether there is a session to end.
	IsLoggedIn bool
	Content    any
}

func parsePages(names ...string) map[string]*template.Template {
	parsed := map[string]*template.Template{}
	for _, name := range names {
		t := template.New("layout.html").Funcs(functions)
		parsed[name] = template.Must(t.ParseFS(templates, "templates/layout.html", "templates/parts.html", "templates/charts.html", "templates/"+name+".html"))
	}
	return parsed
}

// render responds with a page.
func (c *Console) render(w http.ResponseWriter, r *http.Request, status int, name, title string, content any) {
	id := sessionOf(r)
	shown := page{Name: name, Title: title, Navigation: navigation, Token: c.sessions.pageToken(id), IsLoggedIn: id != "", Content: content}
	if name == "login" {
		shown.Navigation = nil
	}
	var out bytes.Buffer
	if err := pages[name].Execute(&out, shown); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = out.WriteTo(w) // the client may be gone
}

// refuse responds with why a request is not served.
func (c *Console) refuse(w http.ResponseWriter, r *http.Request, status int, why string) {
	c.render(w, r, status, "refused", http.StatusText(status), why)
}

// fail responds with an error of the API.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error) {
	c.refuse(w, r, statusOf(err), err.Error())
}

// functions are what templates can use.
var functions = template.FuncMap{
	"time":      formatTime,
	"clock":     func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
	"ago":       func(t any) string { return age(t, time.Now()) },
	"iso":       isoTime,
	"bytes":     formatBytes,
	"seconds":   formatSeconds,
	"rate":      successRate,
	"bars":      bars,
	"plural":    plural,
	"median":    formatMedian,
	"percent":   percent,
	"gone":      gone,
	"survey":    func(s admin.Survey) string { return surveyName(&s) },
	"pageLabel": func(p admin.SurveyPage) string { return pageLabel(&p) },
	"severity":  severityWord,
	"states":    func() []string { return admin.States },
	"events":    func() []config.EventName { return config.EventNames() },
	"outcomes":  func() []string { return live.Outcomes },
}

// timeOf returns the time that t is or points to, zero for nil.
func timeOf(t any) time.Time {
	switch t := t.(type) {
	case time.Time:
		return t
	case *time.Time:
		if t != nil {
			return *t
		}
	}
	return time.Time{}
}

func formatTime(t any) string {
	if at := timeOf(t); !at.IsZero() {
		return at.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	return "never"
}

func isoTime(t any) string { return timeOf(t).UTC().Format(time.RFC3339) }

// age is how long ago a time was, or in how long it will be.
func age(t any, now time.Time) string {
	at := timeOf(t)
	if at.IsZero() {
		return "never"
	}
	ago := now.Sub(at)
	if ago < 0 {
		return "in " + roughly(-ago)
	}
	return roughly(ago) + " ago"
}

// roughly shows a duration in its largest unit.
func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours())/24)
}

// formatBytes shows a size in its largest unit.
func formatBytes(n int64) string {
	size, units := float64(n), []string{"B", "KiB", "MiB", "GiB"}
	for len(units) > 1 && size >= 1024 {
		size, units = size/1024, units[1:]
	}
	return fmt.Sprintf("%.4g %s", size, units[0])
}

func formatSeconds(s float64) string {
	if s < 1 {
		return fmt.Sprintf("%.0f ms", s*1000)
	}
	return fmt.Sprintf("%.1f s", s)
}

// successRate is the share of the attempts that succeeded.
func successRate(delivered, failed int) string {
	if delivered+failed == 0 {
		return "no attempts"
	}
	return fmt.Sprintf("%d %% of %d", delivered*100/(delivered+failed), delivered+failed)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
