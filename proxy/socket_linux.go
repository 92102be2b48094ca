//go:build linux && (amd64 || arm64)

package proxy

import (
	"syscall"
	"unsafe"
)

// take receives into p, which must not be empty, without waiting.
func take(fd uintptr, p []byte, flags int) (int, syscall.Errno) {
	return now(syscall.SYS_RECVFROM, fd, p, uintptr(flags|syscall.MSG_DONTWAIT))
}

// give sends some of p, which must not be empty, without waiting.
func give(fd uintptr, p []byte) (int, syscall.Errno) {
	return now(syscall.SYS_SENDTO, fd, p, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
}

// now makes a call that does not block, so that the scheduler need not know of it.
func now(call, fd uintptr, p []byte, flags uintptr) (int, syscall.Errno) {
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
