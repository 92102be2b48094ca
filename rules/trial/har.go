package trial

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules"
)

const (
	// maxHAR is the largest HAR file, in bytes.
	maxHAR = 512 << 20
	// maxEntries is how many entries it may have.
	maxEntries = 100_000
)

// The errors of a file that is not a HAR file.
var (
	errNoHAR    = errors.New("it has no log.entries, so it is not a HAR file; save one in the network panel of your browser's developer tools")
	errEmptyHAR = errors.New("it has no entries; open the developer tools before you take the survey")
	errHARSize  = fmt.Errorf("it has more than %d bytes", maxHAR)
	errEntries  = fmt.Errorf("it has more than %d entries", maxEntries)
)

// Recorded is one exchange of a HAR file (HTTP Archive 1.2), as a browser's
// developer tools save it.
type Recorded struct {
	// Entry is its place in the file, from 1.
	Entry  int
	Method string
	// Target is the request's path and query, as on the wire.
	Target string
	// Start and End are when the request began and the response ended.
	Start, End time.Time
	// HasRequestBody reports whether there was a body, which may be empty.
	HasRequestBody bool
	// Exchange has all header fields.
	Exchange rules.Exchange
	// LacksRequest and LacksResponse are why a body is not in the file, empty if it is.
	LacksRequest, LacksResponse string
}

type harFile struct {
	Log struct {
		Entries harEntries `json:"entries"`
	} `json:"log"`
}

// harEntries are the entries of a file, maxEntries and one at the most.
type harEntries []json.RawMessage

// UnmarshalJSON implements json.Unmarshaler. It keeps slices of document.
func (e *harEntries) UnmarshalJSON(document []byte) error {
	list := gjson.ParseBytes(document)
	if !list.IsArray() {
		return errNoHAR
	}
	*e = harEntries{}
	list.ForEach(func(_, entry gjson.Result) bool {
		*e = append(*e, json.RawMessage(entry.Raw))
		return len(*e) <= maxEntries
	})
	return nil
}

// ReadHAR reads the exchanges of a HAR file, in the order of their start. It
// accepts what Firefox, Chrome and Safari write: an entry that is not an exchange is
// omitted, and a body that the browser did not keep is noted.
func ReadHAR(r io.Reader) ([]Recorded, []Omission, error) {
	entries, err := readEntries(r)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the HAR file: %w", err)
	}
	var recorded []Recorded
	omitted := []Omission{}
	var latest time.Time // an entry without a start comes after the one before it
	for i, entry := range entries {
		one, err := readEntry(entry, latest)
		if err != nil {
			omitted = append(omitted, Omission{Entry: i + 1, Why: err.Error()})
			continue
		}
		one.Entry, latest = i+1, one.End
		recorded = append(recorded, one)
	}
	slices.SortStableFunc(recorded, func(a, b Recorded) int { return a.Start.Compare(b.Start) })
	return recorded, omitted, nil
}

// ByEnd returns the exchanges in the order in which their responses ended, which
// is the order that observations are folded in.
func ByEnd(recorded []Recorded) []Recorded {
	sorted := slices.Clone(recorded)
	slices.SortStableFunc(sorted, func(a, b Recorded) int {
		return cmp.Or(a.End.Compare(b.End), a.Start.Compare(b.Start))
	})
	return sorted
}

func readEntries(r io.Reader) ([]json.RawMessage, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxHAR+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxHAR:
		return nil, errHARSize
	}
	var file harFile
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), &file); err != nil {
		return nil, notJSON(text, err)
	}
	switch {
	case file.Log.Entries == nil:
		return nil, errNoHAR
	case len(file.Log.Entries) == 0:
		return nil, errEmptyHAR
	case len(file.Log.Entries) > maxEntries:
		return nil, errEntries
	}
	return file.Log.Entries, nil
}

// notJSON returns an error with the line where a file stops being JSON. JSON of
// another kind is not a HAR file.
func notJSON(text []byte, err error) error {
	syntax := &json.SyntaxError{}
	if !errors.As(err, &syntax) {
		return errNoHAR
	}
	line := 1 + bytes.Count(text[:min(int(syntax.Offset), len(text))], []byte("\n"))
	return fmt.Errorf("it is not JSON: line %d: %w", line, err)
}
