package proxy

import (
	"bufio"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

func TestChunkSizeIsParsed(t *testing.T) {
	f := func(line string, want int) {
		t.Helper()
		if got := parseChunkSize([]byte(line)); got != want {
			t.Errorf("%q: got %d, want %d", line, got, want)
		}
	}
	f("0", 0)
	f("1aF", 0x1af)
	f("00a", 10)
	f("5;ext=\"1;2\"", 5)
	f("5 \t;x", 5)
	f(strings.Repeat("f", maxChunkDigits), math.MaxInt>>3) // and so 0x0fff...
	f("1"+strings.Repeat("0", maxChunkDigits), -1)
	long := parseChunkSize([]byte("100000002"))
	if isWide := strconv.IntSize > 32; isWide != (int64(long) == 1<<32|2) || !isWide && long != -1 {
		t.Errorf("a chunk of 2 bytes and 4 GiB has %d", long)
	}
	f("", -1)
	f(";x", -1)
	f(" 5", -1)
	f("5 5", -1)
	f("-5", -1)
	f("+5", -1)
	f("0x5", -1)
	f("5g", -1)
	f("1000000000000000", -1)
}

// readBody reads a chunked body, its trailer section, and what follows.
func readBody(source io.Reader) (data, trailer, rest string, err error) {
	r := bufio.NewReaderSize(source, 4096)
	b := body{framing: chunked}
	for {
		piece, err := b.next(r)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return data, "", "", err
		}
		data += string(piece)
	}
	raw, err := peekBlock(r, trailerEnd)
	if err != nil {
		return data, "", "", err
	}
	trailer = string(raw)
	r.Discard(len(raw))
	left, _ := io.ReadAll(r)
	return data, trailer, string(left), nil
}

func TestChunkedBodyIsReadHoweverItArrives(t *testing.T) {
	const wire = "3;x\r\nabc\r\n01\r\nd\r\n0;y\r\nA: 1\r\nB: 2\r\n\r\nnext"
	for _, source := range []io.Reader{
		strings.NewReader(wire), iotest.OneByteReader(strings.NewReader(wire)), iotest.HalfReader(strings.NewReader(wire)),
	} {
		body, trailer, rest, err := readBody(source)
		equal(t, "body", body, "abcd")
		equal(t, "trailer", trailer, "A: 1\r\nB: 2\r\n\r\n")
		equal(t, "rest", rest, "next")
		equal(t, "error", err, nil)
	}
}

func TestChunkedBodyWithoutItsEndIsTruncated(t *testing.T) {
	const wire = "3\r\nabc\r\n0\r\nA: 1\r\n\r\n"
	for n := range len(wire) {
		_, _, _, err := readBody(strings.NewReader(wire[:n]))
		if n < len(wire) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			t.Errorf("%q: got %v, want an unexpected end", wire[:n], err)
		}
	}
}

// FuzzChunkedBody makes sure that the result does not depend on how the bytes arrive,
// and that no more is read than there is.
func FuzzChunkedBody(f *testing.F) {
	for _, seed := range []string{
		"3\r\nabc\r\n0\r\n\r\nnext", "0\r\nA: b\r\n\r\n", "5;x\r\nabcde\r\n0\r\n\r\n", "x", "1\na\n0\n\n", "fffffffffffffff\r\na", "1\r\nab\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, wire string) {
		body, trailer, rest, err := readBody(strings.NewReader(wire))
		body2, trailer2, rest2, err2 := readBody(iotest.OneByteReader(strings.NewReader(wire)))
		if body != body2 || trailer != trailer2 || rest != rest2 || (err == nil) != (err2 == nil) {
			t.Errorf("%q: %q %q %q %v at once, but %q %q %q %v byte by byte", wire, body, trailer, rest, err, body2, trailer2, rest2, err2)
		}
		if err == nil && (!strings.HasSuffix(wire, trailer+rest) || len(body)+len(trailer)+len(rest) > len(wire)) {
			t.Errorf("%q: more was read than there is", wire)
		}
	})
}
