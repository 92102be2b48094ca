package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
)

// maxChunkDigits is the most hexadecimal digits of a chunk size, which so fits an int.
const maxChunkDigits = strconv.IntSize/4 - 1

// body iterates over the body of a response, piece by piece.
type body struct {
	framing framing
	left    int  // bytes of the body, or of the chunk, that are still to come
	held    int  // bytes of the last piece, which are still in the reader's buffer
	inChunk bool // a chunk has begun, so its line end is to come
}

// next returns what has come of the body, at least one byte, or io.EOF after its
// end. The piece is valid until the next read from r. The trailer section of a
// chunked body is left in r.
func (b *body) next(r *bufio.Reader) ([]byte, error) {
	r.Discard(b.held)
	b.held = 0
	if b.left == 0 && b.framing == chunked {
		if err := b.nextChunk(r); err != nil {
			return nil, err
		}
	}
	if b.left == 0 && b.framing != untilClose {
		return nil, io.EOF
	}
	if _, err := r.Peek(1); err != nil {
		if err == io.EOF && b.framing != untilClose {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	size := r.Buffered()
	if b.framing != untilClose {
		size = min(size, b.left)
		b.left -= size
	}
	b.held = size
	return r.Peek(size)
}

// size returns the length of a body that was not read yet; 0 if it is not known.
func (b *body) size() int {
	if b.framing != sized {
		return 0
	}
	return b.left
}

// atEnd reports whether the last piece of a sized body was returned. The end of
// others shows only by reading on.
func (b *body) atEnd() bool { return b.framing == sized && b.left == 0 }

// nextChunk reads up to the data of the next chunk, or to the trailer section.
func (b *body) nextChunk(r *bufio.Reader) error {
	if b.inChunk {
		if end, err := readLine(r, isEmpty); err != nil || len(end) > 0 {
			return orGarbled(err)
		}
	}
	line, err := readLine(r, isChunkSize)
	if err != nil {
		return err
	}
	b.left, b.inChunk = parseChunkSize(line), true
	if b.left < 0 {
		return errGarbled
	}
	return nil
}

// readLine reads a line and returns it without its line end. What came of it is checked
// while more has to be waited for.
func readLine(r *bufio.Reader, check func(part []byte) bool) ([]byte, error) {
	end := func(have []byte) int {
		switch n := bytes.IndexByte(have, '\n'); {
		case n >= 0:
			return n + 1
		case len(have) > 0 && !check(bytes.TrimSuffix(have, []byte{'\r'})):
			return malformed
		}
		return incomplete
	}
	raw, err := peekBlock(r, end)
	if errors.Is(err, io.EOF) {
		return nil, io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	r.Discard(len(raw)) // which stays valid until the next read
	line, _ := cutLine(raw)
	return line, nil
}

func isEmpty(line []byte) bool { return len(line) == 0 }

func isChunkSize(line []byte) bool { return parseChunkSize(line) >= 0 }

// cutLine returns the first line of b without its line end, and what follows it. An
// app may end lines with a bare LF (RFC 9112 section 2.2): nothing of its framing
// reaches the participant. b must have a line end.
func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), rest
}

// parseChunkSize parses the line before a chunk (RFC 9112 section 7.1) and returns
// the chunk's size, -1 if it is malformed. Extensions are dropped.
func parseChunkSize(line []byte) int {
	digits, _, _ := bytes.Cut(line, []byte{';'})
	digits = bytes.TrimRight(digits, " \t")
	if len(digits) == 0 || len(digits) > maxChunkDigits {
		return -1
	}
	size := 0
	for _, c := range digits {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		size = size<<4 | int(c)
	}
	return size
}

// peekBlock reads until r's buffer holds a whole block of lines, and returns it
// without consuming it. end returns the length of the block that its argument
// begins with, incomplete or malformed.
func peekBlock(r *bufio.Reader, end func([]byte) int) ([]byte, error) {
	for {
		have, _ := r.Peek(r.Buffered())
		size := end(have)
		if size >= 0 {
			return have[:size], nil
		}
		if size == malformed || len(have) == r.Size() {
			return nil, errGarbled
		}
		if _, err := r.Peek(len(have) + 1); err != nil {
			if err == io.EOF && len(have) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}

// What peekBlock's end returns instead of a length.
const (
	incomplete = -1
	malformed  = -2
)

// headEnd returns the length of the head that b begins with. What cannot become a
// response of HTTP/1 is malformed from its first bytes, or its first wrong line, on:
// nothing more may come.
func headEnd(b []byte) int {
	if !isStatusLine(b) {
		return malformed
	}
	size := blockEnd(b)
	if size == incomplete && checkFields(afterLine(b)) != nil {
		return malformed
	}
	return size
}

// trailerEnd returns the length of the trailer section that b begins with.
func trailerEnd(b []byte) int {
	if n := emptyLine(b); n > 0 {
		return n
	}
	return blockEnd(b)
}

// blockEnd returns the length of the lines that b begins with, up to an empty one.
func blockEnd(b []byte) int {
	for at := 0; ; {
		end := bytes.IndexByte(b[at:], '\n')
		if end < 0 {
			return incomplete
		}
		at += end + 1
		if n := emptyLine(b[at:]); n > 0 {
			return at + n
		}
	}
}

// emptyLine returns the length of the empty line that b begins with, 0 if it begins
// with none.
func emptyLine(b []byte) int {
	switch {
	case len(b) > 0 && b[0] == '\n':
		return 1
	case len(b) > 1 && b[0] == '\r' && b[1] == '\n':
		return 2
	}
	return 0
}

func orGarbled(err error) error {
	if err == nil {
		return errGarbled
	}
	return err
}
