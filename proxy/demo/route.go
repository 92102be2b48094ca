package demo

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// route is one endpoint; a {name} in its path matches one segment.
type route struct {
	method, path string
	serve        func(*App, http.ResponseWriter, *http.Request, variables)
	// interferes is set if serve calls App.interfered itself.
	interferes bool
}

// variables are the decoded segments that a route's {names} matched.
type variables map[string]string

// routes are tried in this order, the more specific first.
var routes = []route{
	{method: "GET", path: "version", serve: (*App).serveVersion},
	{method: "GET", path: "api/config", serve: (*App).serveConfig},
	{method: "GET", path: "api/surveys/{surveyId}/instances/{instanceId}", serve: (*App).serveInstance},
	{method: "POST", path: "api/surveys/external", serve: (*App).serveExternal},
	{method: "POST", path: "api/surveys/external/{surveyId}", serve: (*App).serveExternal},
	{method: "GET", path: "api/progress/{surveyId}/{instanceId}", serve: (*App).serveProgress},
	{method: "GET", path: "api/progress/{surveyId}/{instanceId}/{participant}", serve: (*App).serveProgress},
	{method: "POST", path: "api/progress/{surveyId}/{instanceId}/{participant}/{key}", serve: (*App).navigate, interferes: true},
	{method: "GET", path: "api/log/{instanceId}/{participant}", serve: (*App).serveEvents},
	{method: "GET", path: "api/log/{instanceId}/{participant}/summary", serve: (*App).serveSummary},
	{method: "GET", path: "api/log/{instanceId}/{participant}/{type}", serve: (*App).serveLatest},
	{method: "GET", path: "api/log/{instanceId}/{participant}/{source}/{type}", serve: (*App).serveLatest},
	{method: "POST", path: "api/log/{instanceId}/{participant}/{source}/{type}", serve: (*App).record},
}

// match returns the route of a request, or else the methods that its path allows:
// GET and HEAD always, since every path shows the page.
func match(r *http.Request) (*route, variables, string) {
	segments := split(r.URL.EscapedPath())
	allowed := []string{http.MethodGet, http.MethodHead}
	for i := range routes {
		vars, ok := routes[i].take(segments)
		if !ok {
			continue
		}
		if routes[i].method == r.Method {
			return &routes[i], vars, ""
		}
		allowed = append(allowed, routes[i].method)
	}
	slices.Sort(allowed)
	return nil, nil, strings.Join(slices.Compact(allowed), ", ")
}

// split splits an escaped path into decoded segments as ASP.NET Core does: it
// resolves dot segments, ignores one trailing slash and keeps empty segments.
func split(path string) []string {
	var segments []string
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	for escaped := range strings.SplitSeq(path, "/") {
		segment, err := url.PathUnescape(escaped)
		switch {
		case err != nil:
			segments = append(segments, escaped)
		case segment == ".":
		case segment == "..":
			segments = segments[:max(0, len(segments)-1)]
		default:
			segments = append(segments, segment)
		}
	}
	return segments
}

// take matches literals, ignoring case, and returns the variables.
func (r *route) take(segments []string) (variables, bool) {
	pattern := strings.Split(r.path, "/")
	if len(pattern) != len(segments) {
		return nil, false
	}
	vars := variables{}
	for i, p := range pattern {
		name, isVariable := strings.CutPrefix(p, "{")
		switch {
		case isVariable && segments[i] != "":
			vars[strings.TrimSuffix(name, "}")] = segments[i]
		case !strings.EqualFold(p, segments[i]):
			return nil, false
		}
	}
	return vars, true
}
