package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
)

// These errors show nothing of the URL, which may contain credentials.
var (
	errURL         = errors.New("must be an absolute http:// or https:// URL with a host, such as https://crm.example.org/hooks (the value is not shown)")
	errURLFragment = errors.New("must not have a #fragment: it would not be sent")
)

// URL is the URL of a target or proxy. It may contain credentials, in its userinfo,
// path or query, so it prints as scheme and host only. Like a Secret it hides the
// whole behind a pointer.
type URL struct {
	whole *string
	shown string
}

// ParseURL parses an absolute http or https URL with a host. Its errors do not show the text.
func ParseURL(text string) (URL, error) {
	parsed, err := url.Parse(text)
	if err != nil || (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Hostname() == "" || !validPort(parsed.Port()) {
		return URL{}, errURL
	}
	if parsed.Fragment != "" {
		return URL{}, errURLFragment
	}
	return urlOf(parsed), nil
}

func urlOf(parsed *url.URL) URL {
	whole := parsed.String()
	return URL{whole: &whole, shown: parsed.Scheme + "://" + parsed.Host}
}

// validPort reports whether text is a number from 1 to 65535, or empty.
func validPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && port > 0
}

// Reveal returns the whole URL, for nothing but a request.
func (u URL) Reveal() string {
	if u.whole == nil {
		return ""
	}
	return *u.whole
}

// IsZero reports whether there is no URL.
func (u URL) IsZero() bool { return u.whole == nil }

// String returns scheme and host only.
func (u URL) String() string { return u.shown }

// Format keeps credentials out of every verb, including %d and %#v.
func (u URL) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, u.shown) }

// LogValue keeps credentials out of slog.
func (u URL) LogValue() slog.Value { return slog.StringValue(u.shown) }

// MarshalText keeps credentials out of every encoder.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.shown), nil }

// hostname returns the host without port and brackets.
func (u URL) hostname() string {
	parsed, err := url.Parse(u.Reveal())
	if err != nil {
		return ""
	}
	return parsed.Hostname()
}

// isPlain reports whether the URL is http://, without TLS.
func (u URL) isPlain() bool { return strings.HasPrefix(u.shown, "http:") }

// UnmarshalScalar reads what ParseURL takes.
func (u *URL) UnmarshalScalar(text string, _ bool) (err error) {
	*u, err = ParseURL(text)
	return err
}
