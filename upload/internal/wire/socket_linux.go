//go:build linux && (amd64 || arm64)

package wire

import (
	"encoding/binary"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// copyBuffer is the size of the pieces in which a body goes to a connection. Larger ones
// take less CPU, but each request in flight has one in memory.
const copyBuffer = 256 << 10

const (
	// siocoutq asks how many bytes wait in the send queue, sent or not, that the
	// other side has not acknowledged.
	siocoutq = 0x5411

	// Where the fields of struct tcp_info begin. Kernels have the number of acknowledged
	// bytes since 4.1.
	tcpInfoRTT     = 68 // in microseconds, smoothed
	tcpInfoRetrans = 100
	tcpInfoAcked   = 120
	tcpInfoNotSent = 144
	tcpInfoMinRTT  = 148

	tcpCongestion = 13
)

// sample returns how many bytes the other side has acknowledged since the connection
// began, and how many still wait for that. It is false where the kernel does not say.
func (s *socket) sample() (acked uint64, queued int, ok bool) {
	err := s.raw.Control(func(fd uintptr) {
		n := uint32(len(s.info))
		_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO,
			uintptr(unsafe.Pointer(&s.info)), uintptr(unsafe.Pointer(&n)), 0)
		if errno != 0 || n < tcpInfoAcked+8 {
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

// path returns what the kernel knows of the way to the other side, as of the last sample.
func (s *socket) path() path {
	field := func(at int) uint32 { return binary.NativeEndian.Uint32(s.info[at:]) }
	return path{
		rtt:         time.Duration(field(tcpInfoRTT)) * time.Microsecond,
		minRTT:      time.Duration(field(tcpInfoMinRTT)) * time.Microsecond,
		retransmits: uint64(field(tcpInfoRetrans)),
		idle:        field(tcpInfoNotSent) == 0,
	}
}

// congestion returns the name of the connection's congestion control, such as cubic.
func (s *socket) congestion() string {
	var name [16]byte
	n := uint32(len(name))
	err := s.raw.Control(func(fd uintptr) {
		_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, tcpCongestion,
			uintptr(unsafe.Pointer(&name)), uintptr(unsafe.Pointer(&n)), 0)
		if errno != 0 {
			n = 0
		}
	})
	if err != nil {
		return ""
	}
	text, _, _ := strings.Cut(string(name[:n]), "\x00")
	return text
}
