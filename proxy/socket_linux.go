//go:build linux && (amd64 || arm64)

package proxy

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// recvNow receives into p, which must not be empty; EAGAIN where it would block.
func recvNow(fd uintptr, p []byte, flags int) (int, syscall.Errno) {
	return callNow(syscall.SYS_RECVFROM, fd, p, uintptr(flags|syscall.MSG_DONTWAIT))
}

// sendNow sends some of p, which must not be empty; EAGAIN where it would block.
func sendNow(fd uintptr, p []byte) (int, syscall.Errno) {
	return callNow(syscall.SYS_SENDTO, fd, p, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
}

// callNow makes a system call that does not block, hidden from the scheduler.
func callNow(call, fd uintptr, p []byte, flags uintptr) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
		switch errno {
		case 0:
			return int(n), 0
		case syscall.EINTR:
			continue
		}
		return 0, errno
	}
}

// isHalfClosed reports whether the peer sends no more, even if some of what it sent
// was not read yet.
func isHalfClosed(fd uintptr) bool { return hasEvent(fd, unix.POLLRDHUP) }

// isReset reports whether nothing can be sent any more.
func isReset(fd uintptr) bool { return hasEvent(fd, 0) }

// hasEvent reports whether one of events has happened on a socket, or it is broken.
func hasEvent(fd uintptr, events int16) bool {
	poll := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		n, err := unix.Poll(poll, 0)
		if err != unix.EINTR {
			return err == nil && n > 0
		}
	}
}
