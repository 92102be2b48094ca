//go:build !(linux && (amd64 || arm64))

package proxy

import (
	"errors"
	"syscall"
)

// recvNow receives into p, which must not be empty; EAGAIN where it would block.
func recvNow(fd uintptr, p []byte, flags int) (int, syscall.Errno) {
	for {
		n, _, err := syscall.Recvfrom(int(fd), p, flags|syscall.MSG_DONTWAIT)
		if errno := errnoOf(err); errno != syscall.EINTR {
			return max(n, 0), errno
		}
	}
}

// sendNow sends some of p, which must not be empty; EAGAIN where it would block,
// since package net makes every socket non-blocking.
func sendNow(fd uintptr, p []byte) (int, syscall.Errno) {
	for {
		n, err := syscall.Write(int(fd), p)
		if errno := errnoOf(err); errno != syscall.EINTR {
			return max(n, 0), errno
		}
	}
}

func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	errors.As(err, &errno)
	return errno
}

// isHalfClosed reports whether the peer sends no more. It does not see that behind
// bytes that were not read yet.
func isHalfClosed(fd uintptr) bool { return peek(fd) == peerClosed }

// isReset reports whether nothing can be sent any more.
func isReset(fd uintptr) bool {
	errno, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR)
	return err != nil || errno != 0
}
