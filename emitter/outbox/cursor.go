package outbox

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
)

// ErrCursor is returned for a Query whose After does not come from a List.
var ErrCursor = errors.New("cannot continue from there: use the cursor that the last list ended with")

// cursor is a place in a listing: behind a key of a section. Its text is hex.
type cursor struct {
	section section
	key     []byte
}

func (c cursor) String() string {
	return hex.EncodeToString(append(donePrefix(c.section.target, c.section.state), c.key...))
}

// parseCursor reads the text of a cursor, a zero one if it is empty.
func parseCursor(text string) (cursor, error) {
	raw, err := hex.DecodeString(text)
	switch {
	case err != nil, len(raw) > 0 && len(raw) < donePrefixSize:
		return cursor{}, ErrCursor
	case len(raw) == 0:
		return cursor{}, nil
	}
	return cursor{
		section: section{target: binary.BigEndian.Uint32(raw), state: State(raw[4])},
		key:     raw[donePrefixSize:],
	}, nil
}
