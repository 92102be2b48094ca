package proxy

import (
	"errors"

	"github.com/valyala/fasthttp"
)

// firstPart is how much room, in bytes, is made at first for what a participant
// says will come; they may say so and send nothing.
const firstPart = 16 << 10

// capture is a bounded copy of one body. It copies nothing with a limit of 0.
type capture struct {
	bytes  []byte
	limit  int
	coding string // Content-Encoding
	over   bool   // the body was longer than limit
}

// expect makes room for a body of known length, up to most, so that it is
// copied once.
func (c *capture) expect(length, most int) {
	c.over = length > c.limit
	if !c.over && length > 0 {
		c.bytes = make([]byte, 0, min(length, most))
	}
}

// add copies a piece, up to the limit.
func (c *capture) add(piece []byte) {
	if c.over || len(c.bytes)+len(piece) > c.limit {
		c.bytes, c.over = nil, true
		return
	}
	c.bytes = append(c.bytes, piece...)
}

// decoded returns the body without its content coding, or why it can't be
// had. The caller owns it.
func (c *capture) decoded(p *Proxy) (body []byte, uninspected string) {
	switch {
	case c.over:
		return nil, tooLarge
	case len(c.bytes) == 0 || c.coding == "" || isNamed([]byte(c.coding), "identity"):
		return c.bytes, ""
	}
	defer func() {
		if p.recovered(recover(), "decoding a body") {
			body, uninspected = nil, undecodable
		}
	}()
	var message fasthttp.Response // its decoders are bounded, and know every coding
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
