package console

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

// Templates are compiled to Go, so that the linker still drops the methods that nobody
// calls: html/template finds methods by their names, and would keep all of them.
//
//go:generate go run github.com/valyala/quicktemplate/qtc@v1.8.0 -skipLineComments
//go:generate gofmt -w .

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
	// Name is that of the page in the navigation, Title the page's heading.
	Name, Title string
	Navigation  []link
	// Token is sent with every change.
	Token string
	// IsLoggedIn reports whether there is a session to end.
	IsLoggedIn bool
}

// render responds with a page.
func (c *Console) render(w http.ResponseWriter, r *http.Request, status int, name, title string, content func(p *page) string) {
	id := sessionOf(r)
	shown := &page{Name: name, Title: title, Navigation: navigation, Token: c.sessions.pageToken(id), IsLoggedIn: id != ""}
	if name == "login" {
		shown.Navigation = nil
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	writelayoutPage(w, shown, content(shown))
}

// refuse responds with why a request is not served.
func (c *Console) refuse(w http.ResponseWriter, r *http.Request, status int, why string) {
	c.render(w, r, status, "refused", http.StatusText(status), func(*page) string { return refusedPage(why) })
}

// fail responds with an error of the API.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error) {
	c.refuse(w, r, statusOf(err), err.Error())
}

// clock shows a time to the second, in UTC.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// eventNames are the names that deliveries can be selected by.
func eventNames() (names []string) {
	for _, name := range config.EventNames() {
		names = append(names, string(name))
	}
	return names
}

// pathSegment escapes a text as a segment of a path.
func pathSegment(text string) string { return url.PathEscape(text) }

// deliveryPath is the address of a delivery.
func deliveryPath(id, target string) string {
	return "/console/deliveries/" + pathSegment(id) + "?" + url.Values{"target": {target}}.Encode()
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func isoTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// ago shows how long ago a time was, or in how long it will be.
func ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	past := time.Since(t)
	if past < 0 {
		return "in " + roughly(-past)
	}
	return roughly(past) + " ago"
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
