package proxy

import (
	"errors"
	"strings"
	"sync"

	"github.com/valyala/fasthttp"
)

// firstPart limits what is allocated for a body before any more of it has come,
// in bytes: a participant may announce any length and send nothing.
const firstPart = 16 << 10

// capture is a copy of one body, of at most limit bytes, in memory of a budget.
// Without a limit it copies nothing. One goroutine copies; the budget may take
// the memory away at any time.
type capture struct {
	limit  int
	length int    // that the body is known to have, 0 if it is not
	first  int    // the most to allocate at first
	coding string // Content-Encoding
	budget *budget

	mu    sync.Mutex
	bytes []byte
	held  int    // bytes of the budget
	lost  string // why there is no copy; "" if there is one
	// isHandedOver is set once somebody else reads the body, so that its memory
	// can't be taken away any more.
	isHandedOver bool
}

// begin prepares for a body of length bytes, 0 or less if that is unknown. When
// its first piece comes, room is made for all of it, but for no more than first.
func (c *capture) begin(p *Proxy, length, first int, coding string) {
	c.limit, c.budget = p.config.InspectLimit, p.budget
	c.length, c.first, c.coding = max(length, 0), first, coding
	if length > c.limit {
		c.lost = tooLarge
	}
}

// add copies a piece. Past the limit, everything is dropped.
func (c *capture) add(piece []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	size := len(c.bytes) + len(piece)
	switch {
	case c.lost != "":
	case size > c.limit:
		c.drop(tooLarge)
	case size <= cap(c.bytes) || c.grow(size):
		c.bytes = append(c.bytes, piece...)
	default:
		c.drop(overBudget)
	}
}

// grow makes room for size bytes, and reports whether the budget has so much.
// While the bytes move, both the old and the new memory count.
func (c *capture) grow(size int) bool {
	room := max(size, 2*cap(c.bytes), min(c.length, c.first))
	if c.length >= size {
		room = min(room, c.length)
	}
	room = min(room, c.limit)
	if !c.budget.resize(c, cap(c.bytes)+room) {
		return false
	}
	c.bytes = append(make([]byte, 0, room), c.bytes...)
	c.budget.resize(c, room)
	return true
}

// drop gives up the copy. The caller has locked c.
func (c *capture) drop(why string) {
	c.bytes, c.lost = nil, why
	c.budget.resize(c, 0)
}

// whyLost returns why there is no copy, "" if there is one.
func (c *capture) whyLost() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}

// decoded returns the body without its content coding, or the reason why there
// is none. The body belongs to the caller, but is in the budget until release.
func (c *capture) decoded(p *Proxy) (body []byte, uninspected string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost != "" {
		return nil, c.lost
	}
	c.isHandedOver = true
	if len(c.bytes) > 0 && c.coding != "" && !isNamed([]byte(c.coding), "identity") {
		body, uninspected = p.decode(c.bytes, c.coding)
		c.bytes = body
	}
	if !c.budget.resize(c, cap(c.bytes)) {
		c.drop(overBudget)
		return nil, overBudget
	}
	return c.bytes, uninspected
}

// decode returns a body without its content coding, or the reason why it can't.
func (p *Proxy) decode(coded []byte, coding string) (body []byte, uninspected string) {
	p.budget.decoders <- struct{}{}
	defer func() {
		<-p.budget.decoders
		if p.recovered(recover(), "decoding a body") {
			body, uninspected = nil, undecodable
		}
	}()
	body, err := uncompress(coded, strings.ToLower(coding), p.config.InspectLimit)
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return nil, tooLarge
	case err != nil:
		return nil, undecodable
	}
	return body, ""
}

// release ends the copy and gives its memory back to the budget.
func (c *capture) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.budget != nil && c.lost == "" {
		c.drop(truncated)
	}
}
