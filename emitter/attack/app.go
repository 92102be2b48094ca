package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/sidehook/sidehook/proxy/demo"
)

// discarded begins the ids of participants whose log the app throws away, so that
// the app forgets nobody to store an attack. An attacker who navigates has another id.
const discarded = "madeup"

// The app's types of events.
const (
	pageLoad         = "decsys.platform.PAGE_LOAD"
	componentResults = "decsys.platform.COMPONENT_RESULTS"
)

// survey is what the app asks.
var survey = demo.Library()

// app is a demo app on loopback until Close.
type app struct {
	http.Server
	url string
}

func newApp() (*app, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	behind := demo.New(demo.Options{Survey: survey})
	a := &app{url: "http://" + listener.Addr().String()}
	a.ReadHeaderTimeout = time.Minute
	a.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		isPost := r.Method == http.MethodPost
		if isPost && strings.HasSuffix(r.URL.Path, "/next") {
			_, _ = io.Copy(io.Discard, r.Body) // as ASP.NET does, which keeps the connection
		}
		if isPost && strings.HasPrefix(r.URL.Path, "/api/log/3/"+discarded) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusNoContent)
			return
		}
		behind.ServeHTTP(w, r)
	})
	go func() { _ = a.Serve(listener) }() // until Close
	return a, nil
}

func progressPath(participant string) string { return "/api/progress/5/3/" + participant }

func logPath(participant, source, kind string) string {
	return "/api/log/3/" + participant + "/" + source + "/" + kind
}

// itemOf is the id of the item that takes the response of a page, from 0.
func itemOf(page int) string {
	items := survey.Pages[page].Components
	return items[len(items)-1].ID
}
