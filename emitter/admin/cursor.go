package admin

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

var errCursor = errors.New("after must be what the previous response ended with")

// cursor is where the next step of a bulk operation continues. Its text is
// "began.due.position", with times in nanoseconds since 1970.
type cursor struct {
	// began is when the first step started.
	began time.Time
	// due is when the next redelivery becomes due.
	due time.Time
	// position is where the store's list continues, empty for its beginning.
	position string
}

// MarshalText implements encoding.TextMarshaler.
func (c cursor) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%d.%d.%s", c.began.UnixNano(), c.due.UnixNano(), c.position), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *cursor) UnmarshalText(text []byte) error {
	parts := strings.SplitN(string(text), ".", 3)
	if len(parts) != 3 {
		return errCursor
	}
	began, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return errCursor
	}
	due, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return errCursor
	}
	*c = cursor{began: time.Unix(0, began), due: time.Unix(0, due), position: parts[2]}
	return nil
}
