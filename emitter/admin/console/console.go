package console

import (
	"embed"
	"net/http"

	"github.com/sidehook/sidehook/emitter/admin"
)

//go:embed assets
var assets embed.FS

// policy is the Content-Security-Policy of all pages: nothing from anywhere else,
// nothing inline, in nobody's frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// Console serves the pages.
type Console struct {
	api      api
	access   admin.Access
	sessions *sessions
}

// New returns the handler of the pages. api is the admin API without its access
// control, and access decides who may use them.
func New(apiHandler http.Handler, access admin.Access) http.Handler {
	c := &Console{api: api{apiHandler}, access: access, sessions: newSessions(access.IsToken)}
	mux := http.NewServeMux()
	mux.Handle("GET /console/assets/", http.StripPrefix("/console/", http.FileServerFS(assets)))
	mux.Handle("GET /{$}", http.RedirectHandler(home, http.StatusSeeOther))
	mux.HandleFunc("POST /console/login", c.login)
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET " + home:                              c.overview,
		"GET /console/live":                        c.live,
		"GET /console/feed":                        c.feed,
		"GET /console/deliveries":                  c.deliveries,
		"GET /console/deliveries/{id}":             c.delivery,
		"GET /console/surveys":                     c.surveys,
		"GET /console/surveys/{survey}/{instance}": c.survey,
		"GET /console/try":                         c.tryForm,
		"GET /console/test":                        c.testForm,
		"POST /console/test":                       c.changing(c.test),
		"GET /console/configuration":               c.configuration,
		"POST /console/deliveries/{id}":            c.changing(c.deliveryBody),
		"POST /console/change":                     c.changing(c.change),
		"POST /console/targets/{name}":             c.changing(c.changeTarget),
		"POST /console/logout":                     c.changing(c.logout),
		"POST /console/try":                        c.try, // checks the token itself, before the file
	} {
		mux.HandleFunc(pattern, c.admitted(handler))
	}
	return protected(mux)
}

// protected sets the headers that keep a page to itself.
func protected(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "same-origin") // with no-referrer, forms would have the Origin null
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
