package rules

import (
	"errors"
	"net/url"
)

// URL is a target's address. It may hold credentials, in its userinfo, path or
// query, so it prints as scheme and host only.
type URL struct{ parsed url.URL }

// ParseURL takes an absolute http or https URL with a host.
func ParseURL(text string) (URL, error) {
	parsed, err := url.Parse(text)
	if err != nil || (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Host == "" {
		return URL{}, errors.New("must be an absolute http:// or https:// URL")
	}
	return URL{parsed: *parsed}, nil
}

// Reveal returns the whole URL. It must go nowhere but into a request.
func (u URL) Reveal() string { return u.parsed.String() }

// String names the URL without anything that could be a credential.
func (u URL) String() string { return u.parsed.Scheme + "://" + u.parsed.Host }
