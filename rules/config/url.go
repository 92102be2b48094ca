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

// Errors of a target's address. They show nothing of it, as it may hold credentials.
var (
	errURL         = errors.New("must be an absolute http:// or https:// URL with a host, such as https://crm.example.org/hooks (yours is not shown)")
	errURLFragment = errors.New("must not have a #fragment: it would not be sent")
)

// URL is a target's address. It may hold credentials, in its userinfo, path or
// query, so it prints as scheme and host only. As with a Secret, the whole is
// behind a pointer.
type URL struct {
	whole *string
	shown string
}

// ParseURL takes an absolute http or https URL with a host.
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

// validPort takes a number from 1 to 65535, or none.
func validPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && port > 0
}

// Reveal returns the whole URL. It must go nowhere but into a request.
func (u URL) Reveal() string {
	if u.whole == nil {
		return ""
	}
	return *u.whole
}

// IsZero tells whether there is no URL.
func (u URL) IsZero() bool { return u.whole == nil }

// String names the URL without anything that could be a credential.
func (u URL) String() string { return u.shown }

// Format keeps credentials out of every verb, %d and %#v too.
func (u URL) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, u.shown) }

// LogValue keeps credentials out of slog.
func (u URL) LogValue() slog.Value { return slog.StringValue(u.shown) }

// MarshalText keeps credentials out of every encoder.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.shown), nil }

// hostname is the host without its port; an address has no brackets.
func (u URL) hostname() string {
	parsed, err := url.Parse(u.Reveal())
	if err != nil {
		return ""
	}
	return parsed.Hostname()
}

// isPlain tells whether the URL is http, without TLS.
func (u URL) isPlain() bool { return strings.HasPrefix(u.shown, "http:") }

func (u *URL) UnmarshalScalar(text string, _ bool) (err error) {
	*u, err = ParseURL(text)
	return err
}
