//go:build linux && (amd64 || arm64)

package proxy

import (
	"syscall"
	"unsafe"
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
