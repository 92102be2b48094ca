package outbox

import (
	"os"
	"syscall"
)

// syncData makes a file's content durable. Unlike os.File.Sync it leaves out
// metadata that is not needed to read it, such as its times.
func syncData(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); err != syscall.EINTR { //nolint:errorlint // a plain Errno
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
