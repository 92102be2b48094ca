package cli

import (
	"context"
	"errors"
	"io"
	"testing"
)

func TestReadingStandardInputEndsWithTheContext(t *testing.T) {
	reader, writer := io.Pipe()
	defer writer.Close()
	ctx, cancel := context.WithCancel(t.Context())
	input := interruptible{ctx: ctx, reader: reader}
	go func() { _, _ = io.WriteString(writer, "some") }()
	p := make([]byte, 10)
	if n, err := input.Read(p); string(p[:n]) != "some" || err != nil {
		t.Errorf("read %q, %v", p[:n], err)
	}
	cancel()
	if n, err := input.Read(p); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("read %d bytes, %v, after the end", n, err)
	}
}
