package proxy

import (
	"errors"

	"github.com/valyala/fasthttp"
)

// firstPart limits what is allocated for a body before any of it has come, in
// bytes: a participant may announce any length and send nothing.
const firstPart = 16 << 10

// capture is a copy of one body, of at most limit bytes. Without a limit it
// copies nothing.
type capture struct {
	bytes  []byte
	limit  int
	coding string // Content-Encoding
	isOver bool   // the body was longer than limit
}

// expect allocates room for a body of known length, so that it is copied once;
// at most as much as most.
func (c *capture) expect(length, most int) {
	c.isOver = length > c.limit
	if !c.isOver && length > 0 {
		c.bytes = make([]byte, 0, min(length, most))
	}
}

// add copies a piece. Past the limit, everything is dropped.
func (c *capture) add(piece []byte) {
	if c.isOver || len(c.bytes)+len(piece) > c.limit {
		c.bytes, c.isOver = nil, true
		return
	}
	c.bytes = append(c.bytes, piece...)
}

// decoded returns the body without its content coding, or the reason why there
// is none. The body belongs to the caller.
func (c *capture) decoded(p *Proxy) (body []byte, uninspected string) {
	switch {
	case c.isOver:
		return nil, tooLarge
	case len(c.bytes) == 0 || c.coding == "" || isNamed([]byte(c.coding), "identity"):
		return c.bytes, ""
	}
	defer func() {
		if p.recovered(recover(), "decoding a body") {
			body, uninspected = nil, undecodable
		}
	}()
	var message fasthttp.Response // its decoders know every coding, and have a limit
	message.SetBodyRaw(c.bytes)
	message.Header.SetContentEncoding(c.coding)
	body, err := message.BodyUncompressedWithLimit(c.limit)
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return nil, tooLarge
	case err != nil:
		return nil, undecodable
	}
	return body, ""
}
