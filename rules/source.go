package rules

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/bodies"
	"github.com/sidehook/sidehook/rules/jsonpath"
	"github.com/sidehook/sidehook/rules/strictyaml"
)

// source is where a value lies in an exchange. A profile writes it as request:GJSON,
// response:GJSON, query:NAME, header:NAME, cookie:NAME, set_cookie:NAME or location.
type source struct {
	from origin
	// name is a gjson path, or a name, in which * stands for any text.
	name string
	// isDigested is set for digest:SOURCE, of which only a digest is kept.
	isDigested bool
}

// origin is a part of an exchange.
type origin int

const (
	noOrigin origin = iota
	requestBody
	responseBody
	// query is the query of the request's target.
	query
	// header is a field of the request, and cookie one of its cookies. Both are
	// credentials, of which only digests are kept.
	header
	cookie
	// setCookie is a cookie that the response sets.
	setCookie
	// location is the Location of the response.
	location
)

var origins = [...]string{"none", "request", "response", "query", "header", "cookie", "set_cookie", "location"}

// String returns the origin's name as a profile writes it.
func (o origin) String() string { return origins[o] }

// isBody reports whether the origin is a body.
func (o origin) isBody() bool { return o == requestBody || o == responseBody }

// isResponse reports whether the origin is a part of the response.
func (o origin) isResponse() bool { return o == responseBody || o == setCookie || o == location }

// alternative separates sources of which the first that has a value counts.
const alternative = " or "

// deletedBefore is a year: a cookie that expires before it is one to delete.
const deletedBefore = 2000

func parseSource(text string) (source, error) {
	text, isDigested := strings.CutPrefix(text, "digest:")
	name, path, hasPath := strings.Cut(text, ":")
	from := origin(slices.Index(origins[1:], name) + 1)
	switch {
	case from.isBody():
		return source{from, path, isDigested}, jsonpath.CheckPath(path)
	case from == location && !hasPath, from > responseBody && from < location && path != "":
		return source{from, path, isDigested}, nil
	}
	return source{}, fmt.Errorf("must be request:GJSON, response:GJSON, query:NAME, header:NAME, cookie:NAME, set_cookie:NAME or location, not %q", text)
}

// compileSources compiles sources that are separated by "or".
func compileSources(doc *strictyaml.Document, path, text string) (list []source) {
	for one := range strings.SplitSeq(text, alternative) {
		s, err := parseSource(one)
		if err != nil {
			doc.Wrong(path, "%s", err)
		}
		list = append(list, s)
	}
	return list
}

// value returns what lies in a body; it does not exist where that lacks it, or the
// source is no body.
func (s source) value(r *reading) gjson.Result {
	if !s.from.isBody() {
		return gjson.Result{}
	}
	body, _ := r.body(s.from)
	return jsonpath.Get(body, s.name)
}

// text returns the value as a text, of a credential its digest; ok is false where
// there is none. null in a body is an empty text, and a list or an object is none.
func (s source) text(r *reading) (text string, ok bool) {
	text, ok = s.plain(r)
	if text != "" && s.isCredential() {
		text = digest(text)
	}
	return text, ok
}

// isCredential reports whether only a digest of the value may be kept.
func (s source) isCredential() bool {
	return s.isDigested || s.from == header || s.from == cookie || s.from == setCookie
}

// plain is text, of a credential itself.
func (s source) plain(r *reading) (text string, ok bool) {
	switch s.from {
	case requestBody, responseBody:
		if value := s.value(r); value.Exists() && value.Type != gjson.JSON {
			return strings.Clone(value.String()), true // a part of the body would keep all of it
		}
		return "", false
	case query:
		values := r.query()
		return values.Get(s.name), values.Has(s.name)
	case header:
		return fieldOf(r.RequestHeader, s.name)
	case cookie:
		return cookieOf(sentCookies(r.RequestHeader), s.name)
	case setCookie:
		return cookieOf(cookiesToSet(r.ResponseHeader), s.name)
	case location:
		return fieldOf(r.ResponseHeader, "Location")
	}
	return "", false
}

// sentCookies returns the cookies of a request, the first one last, which cookieOf
// prefers: most servers take the first of a name. What is no pair is left out, and
// values are whatever was sent, as browsers and lenient servers have it (RFC 6265,
// section 5.2).
func sentCookies(fields []HeaderField) (cookies []*http.Cookie) {
	for _, f := range fields {
		if !strings.EqualFold(f.Name, "Cookie") {
			continue
		}
		for pair := range strings.SplitSeq(f.Value, ";") {
			if c := cookiePair(pair); c != nil {
				cookies = append(cookies, c)
			}
		}
	}
	slices.Reverse(cookies)
	return cookies
}

// cookiesToSet returns the cookies that a response sets, and not those that it deletes.
func cookiesToSet(fields []HeaderField) (cookies []*http.Cookie) {
	for _, f := range fields {
		if !strings.EqualFold(f.Name, "Set-Cookie") {
			continue
		}
		pair, attributes, _ := strings.Cut(f.Value, ";")
		c := cookiePair(pair)
		if c == nil {
			continue
		}
		read, err := http.ParseSetCookie("c=v;" + attributes)
		isDeleted := err == nil && (read.MaxAge < 0 || !read.Expires.IsZero() && read.Expires.Year() < deletedBefore)
		if !isDeleted {
			cookies = append(cookies, c)
		}
	}
	return cookies
}

// cookiePair returns a cookie of which there is a name, nil for another text.
func cookiePair(pair string) *http.Cookie {
	name, value, ok := strings.Cut(pair, "=")
	if name = strings.TrimSpace(name); !ok || name == "" {
		return nil
	}
	return &http.Cookie{Name: name, Value: strings.TrimSpace(value)}
}

// cookieOf returns the last cookie whose name matches a pattern: browsers keep that.
func cookieOf(cookies []*http.Cookie, pattern string) (value string, ok bool) {
	for _, c := range slices.Backward(cookies) {
		if bodies.MatchesPattern(pattern, c.Name) && c.Value != "" {
			return c.Value, true
		}
	}
	return "", false
}

func fieldOf(fields []HeaderField, name string) (value string, ok bool) {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return f.Value, true
		}
	}
	return "", false
}

// digest names a credential without revealing it. Fold.Key keeps others from making
// the digest of one that can be guessed.
func digest(credential string) string {
	sum := sha256.Sum256([]byte("sidehook " + credential))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
