package rules

import (
	"cmp"
	"errors"
	"fmt"
	"mime"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/jsonpath"
)

// Says is what an exchange says.
type Says string

// What an exchange can say.
const (
	// PageShown: the app gave the participant the page that they are on.
	PageShown Says = "page_shown"
	// PageLoaded: the participant's browser has put a page on the screen.
	PageLoaded Says = "page_loaded"
	// AnsweredItem: the app has stored an answer.
	AnsweredItem Says = "answered"
	// Navigated: the participant asked for the next page.
	Navigated Says = "navigated"
	// Nothing: an exchange that may have said something has ended without saying it.
	Nothing Says = "nothing"
)

// Key names a journey: one participant in one survey instance.
type Key struct{ Instance, Participant string }

// Observation is what one exchange says.
type Observation struct {
	Says    Says
	Journey Key
	// Survey is the survey's id, empty where the exchange does not name it;
	// FriendlyID is the app's short name of its instance.
	Survey, FriendlyID string
	// Study and Via are what the request named, where the app answered for
	// another: a study, and in Journey the survey allotted to the participant.
	Study string
	Via   Key
	// Page is the page in the response of page_shown and navigated; nil means completed.
	Page *Page
	// PageCount is how many pages the app says the survey has.
	PageCount int
	// PageID is the page that was loaded.
	PageID string
	// Item is the item that was answered, with Answer, the bytes that the participant sent.
	Item   string
	Answer []byte
	// Host is the request's Host header.
	Host string
	// Begins tells that the app has just made the participant up.
	Begins bool
	// At is when the app had answered.
	At          time.Time
	Traceparent string
	// Alone tells that nothing else of this participant that disturbs the exchange was in flight at any time of it.
	Alone bool
	// Ticket names the exchange among those in flight; InFlight are the tickets
	// of the journey's answers that were in flight when this exchange ended.
	Ticket   uint64
	InFlight []uint64
}

var errUninspected = errors.New("its bodies could not be copied")

// String names the key without saying who the participant is.
func (k Key) String() string { return "instance " + k.Instance }

// Bytes is the key as one text that no other key has.
func (k Key) Bytes() string { return k.Instance + "\x00" + k.Participant }

// ParseKey is the inverse of Key.Bytes.
func ParseKey(text string) Key {
	instance, participant, _ := strings.Cut(text, "\x00")
	return Key{Instance: instance, Participant: participant}
}

func newKey(survey, instance, participant string) Key {
	if instance == "" {
		instance = survey
	}
	return Key{Instance: trimZeros(instance), Participant: participant}
}

// trimZeros makes one id of 077 and 77: an id of digits alone is a number.
func trimZeros(id string) string {
	if n, err := strconv.ParseUint(id, 10, 63); err == nil {
		return strconv.FormatUint(n, 10)
	}
	return id
}

// Observe tells what an exchange says. ok is false when it says nothing: the
// app did not accept it, or no participant is named yet. An error means that an
// accepted exchange could not be read; it names no participant and no answer.
func (p *Profile) Observe(m Match, x Exchange) (o Observation, ok bool, err error) {
	if !m.route.when.holds(x) {
		return Observation{}, false, nil
	}
	if x.Uninspected != "" {
		return Observation{}, false, fmt.Errorf("%w: %s", errUninspected, x.Uninspected)
	}
	if err := m.route.checkBodies(x); err != nil {
		return Observation{}, false, err
	}
	o = Observation{Says: m.route.says, Host: x.Host, Traceparent: x.Traceparent, PageID: m.params["page"], Item: m.params["item"]}
	p.readIDs(&o, m, x)
	if o.Journey.Participant == "" {
		return Observation{}, false, nil
	}
	switch o.Says {
	case PageShown, Navigated:
		o.PageCount = int(gjson.GetBytes(x.ResponseBody, p.page.Count).Int())
		o.Page, err = p.readPage(gjson.GetBytes(x.ResponseBody, p.page.At))
	case AnsweredItem:
		o.Answer = readAnswer(m.route.answer.read(x))
	}
	return o, err == nil, err
}

// readAnswer returns the bytes of an answer; null for one that is missing.
func readAnswer(value gjson.Result) []byte {
	return []byte(cmp.Or(value.Raw, "null"))
}

func (p *Profile) readIDs(o *Observation, m Match, x Exchange) {
	survey := trimZeros(m.id("survey", x))
	o.Journey = newKey(survey, m.id("instance", x), m.id("participant", x))
	if survey != "" {
		o.Survey, o.FriendlyID = survey, p.friendly.name(survey, o.Journey.Instance)
	}
	named := m.Journey()
	if named.Instance != o.Journey.Instance {
		named.Participant = o.Journey.Participant
		study := trimZeros(m.params["survey"])
		o.Via, o.Study = named, cmp.Or(p.friendly.name(study, named.Instance), study)
	}
}

// id is what the profile says of an id, null included, else the one in the path:
// older releases of an app may not say it.
func (m Match) id(name string, x Exchange) string {
	if s, ok := m.route.ids[name]; ok {
		if value := s.read(x); value.Exists() {
			return value.String()
		}
	}
	return m.params[name]
}

func (c condition) holds(x Exchange) bool {
	if x.Status != c.status {
		return false
	}
	if c.mediaType == "" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(x.ContentType)
	return err == nil && mediaType == c.mediaType
}

// checkBodies checks those bodies that the route reads.
func (r *route) checkBodies(x Exchange) error {
	if r.readsResponse() {
		if err := jsonpath.CheckJSON(x.ResponseBody); err != nil {
			return fmt.Errorf("the app's response %w", err)
		}
	}
	if r.answer.of == fromRequest {
		if err := jsonpath.CheckJSON(x.RequestBody); err != nil {
			return fmt.Errorf("the participant's answer %w", err)
		}
	}
	return nil
}

func (r *route) readsResponse() bool {
	return r.says == PageShown || r.says == Navigated || r.answer.of == fromResponse
}

// source is where a value lies: a gjson path into one of the bodies.
type source struct {
	of   body
	path string
}

type body int

const (
	fromNone body = iota
	fromRequest
	fromResponse
)

func parseSource(text string) (source, error) {
	side, path, _ := strings.Cut(text, ":")
	s := source{path: path}
	switch side {
	case "request":
		s.of = fromRequest
	case "response":
		s.of = fromResponse
	default:
		return source{}, fmt.Errorf("must be request:GJSON or response:GJSON, not %q", text)
	}
	return s, jsonpath.CheckGJSON(path)
}

func (s source) read(x Exchange) gjson.Result {
	if s.of == fromRequest {
		return gjson.GetBytes(x.RequestBody, s.path)
	}
	return gjson.GetBytes(x.ResponseBody, s.path)
}
