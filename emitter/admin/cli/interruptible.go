package cli

import (
	"context"
	"io"
	"os"
)

// interruptible is standard input whose Read returns when ctx ends: the first
// Ctrl-C cancels the context of a command, and reading a terminal or a pipe would
// not end by that.
type interruptible struct {
	ctx    context.Context
	reader io.Reader
}

// Read leaves a Read of the underlying reader behind if ctx ends, so it is for a
// process that is about to end.
func (r interruptible) Read(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	ended, buffer := make(chan result, 1), make([]byte, len(p))
	go func() {
		n, err := r.reader.Read(buffer)
		ended <- result{n, err}
	}()
	select {
	case got := <-ended:
		return copy(p, buffer[:got.n]), got.err
	case <-r.ctx.Done():
		return 0, context.Cause(r.ctx)
	}
}

// IsTerminal reports whether a person may answer questions.
func (r interruptible) IsTerminal() bool {
	file, isFile := r.reader.(*os.File)
	if !isFile {
		return false
	}
	info, err := file.Stat()
	null, _ := os.Stat(os.DevNull) // a device, too
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && !os.SameFile(info, null)
}
