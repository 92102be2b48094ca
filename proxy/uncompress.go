package proxy

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"

	"github.com/valyala/fasthttp"
)

// uncompress returns a body without its content coding, whose name is in lower
// case, or fasthttp.ErrBodyTooLarge if that is longer than limit. It takes what
// browsers take: bytes behind gzip, and deflate without the header of zlib.
func uncompress(coded []byte, coding string, limit int) ([]byte, error) {
	if coding == "x-gzip" { // RFC 9110 section 8.4.1.3
		coding = "gzip"
	}
	var message fasthttp.Response // which knows every coding, and has a limit
	message.SetBodyRaw(coded)
	message.Header.SetContentEncoding(coding)
	body, err := message.BodyUncompressedWithLimit(limit)
	switch {
	case err == nil || errors.Is(err, fasthttp.ErrBodyTooLarge):
		return body, err
	case coding == "gzip":
		return gunzip(coded, limit)
	case coding == "deflate":
		return readUpTo(flate.NewReader(bytes.NewReader(coded)), limit)
	}
	return nil, err
}

// gunzip uncompresses the members of gzip that a body begins with.
func gunzip(coded []byte, limit int) (body []byte, err error) {
	rest := bytes.NewReader(coded)
	member, err := gzip.NewReader(rest)
	for err == nil {
		member.Multistream(false) // whose end is the end of its reader
		var part []byte
		if part, err = readUpTo(member, limit-len(body)); err != nil {
			return nil, err
		}
		if body == nil {
			body = part
		} else {
			body = append(body, part...)
		}
		err = member.Reset(rest)
	}
	if body == nil {
		return nil, err
	}
	return body, nil
}

func readUpTo(r io.Reader, limit int) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err == nil && len(body) > limit {
		err = fasthttp.ErrBodyTooLarge
	}
	return body, err
}
