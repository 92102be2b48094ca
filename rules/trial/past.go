package trial

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sidehook/sidehook/rules"
)

// errNotRecorded is why a past cannot be read that the file does not have.
var errNotRecorded = errors.New("it is not in the file")

// readPast reads a past from the recorded exchanges, as it was asked for at that time.
func (t *trial) readPast(request rules.PastRequest, at time.Time) (*rules.Past, error) {
	past, err := t.Profile.ReadPast(request, func(path string) (int, string, []byte, error) { return t.get(path, at) })
	if err != nil {
		return nil, err
	}
	return past, nil
}

// get responds to GET of a path as the app did: next after that time, else last.
// What happened since does not matter, as the fold leaves it out of a past.
func (t *trial) get(path string, at time.Time) (status int, contentType string, body []byte, err error) {
	var found *Recorded
	for i := range t.recorded {
		one := &t.recorded[i]
		if !one.isGet(path) {
			continue
		}
		if found = one; !one.End.Before(at) {
			break
		}
	}
	switch {
	case found == nil:
		return 0, "", nil, errNotRecorded
	case found.LacksResponse != "":
		return 0, "", nil, errors.New(found.LacksResponse)
	}
	return found.Exchange.Status, found.Exchange.ContentType, found.Exchange.ResponseBody, nil
}

// isGet reports whether the exchange is GET of a path that may be percent-encoded
// in another way.
func (r *Recorded) isGet(path string) bool {
	target, _, _ := strings.Cut(r.Target, "?")
	return r.Method == http.MethodGet && (target == path || unescape(target) == unescape(path))
}

func unescape(path string) string {
	if plain, err := url.PathUnescape(path); err == nil {
		return plain
	}
	return path
}
