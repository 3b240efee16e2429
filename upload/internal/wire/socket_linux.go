//go:build linux && (amd64 || arm64)

package wire

import (
	"encoding/binary"
	"syscall"
	"unsafe"
)

const (
	// siocoutq asks how many bytes wait in the send queue, sent or not, that the
	// other side has not acknowledged.
	siocoutq = 0x5411

	// tcpInfoLen reaches to the end of tcpi_bytes_acked, which kernels have since
	// 4.1, and tcpInfoAcked is where that begins.
	tcpInfoLen   = 128
	tcpInfoAcked = 120
)

// sample returns how many bytes the other side has acknowledged since the connection
// began, and how many still wait for that. It is false where the kernel does not tell.
func (s *socket) sample() (acked uint64, queued int, ok bool) {
	err := s.raw.Control(func(fd uintptr) {
		n := uint32(len(s.info))
		_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO,
			uintptr(unsafe.Pointer(&s.info)), uintptr(unsafe.Pointer(&n)), 0)
		if errno != 0 || n < tcpInfoLen {
			return
		}
		_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, siocoutq, uintptr(unsafe.Pointer(&s.queued)))
		ok = errno == 0
	})
	if err != nil || !ok {
		return 0, 0, false
	}
	return binary.NativeEndian.Uint64(s.info[tcpInfoAcked:]), int(s.queued), true
}
