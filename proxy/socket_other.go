//go:build !(linux && (amd64 || arm64))

package proxy

import (
	"errors"
	"syscall"
)

// take receives into p, which must not be empty, without waiting.
func take(fd uintptr, p []byte, flags int) (int, syscall.Errno) {
	for {
		n, _, err := syscall.Recvfrom(int(fd), p, flags|syscall.MSG_DONTWAIT)
		if errno := number(err); errno != syscall.EINTR {
			return max(n, 0), errno
		}
	}
}

// give sends some of p, which must not be empty, without waiting: the
// socket is one of package net's.
func give(fd uintptr, p []byte) (int, syscall.Errno) {
	for {
		n, err := syscall.Write(int(fd), p)
		if errno := number(err); errno != syscall.EINTR {
			return max(n, 0), errno
		}
	}
}

func number(err error) syscall.Errno {
	var errno syscall.Errno
	errors.As(err, &errno)
	return errno
}
