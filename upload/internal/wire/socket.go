package wire

import (
	"crypto/tls"
	"net"
	"syscall"
	"time"
)

// A socket reports what the kernel knows of a connection. The bytes that a connection
// took are not yet at the other side: the kernel's queue holds some megabytes, which
// on a slow line are minutes.
type socket struct {
	raw    syscall.RawConn
	base   uint64           // acknowledged before the request
	remote net.Addr         // of the other side
	info   [tcpInfoLen]byte // for the system call: not on the heap for each
	queued int32
}

// tcpInfoLen reaches to the end of tcpi_min_rtt in struct tcp_info, which kernels have
// since 4.6.
const tcpInfoLen = 152

// A path is what the kernel knows of the way to the other side.
type path struct {
	rtt, minRTT time.Duration
	retransmits uint64
	idle        bool // nothing of the request is left to be sent
}

// open finds the socket under c, and marks where the request begins. It is false if
// there is none, or the system does not say, or the connection carries several
// requests at the same time.
func (s *socket) open(c net.Conn) bool {
	s.raw = rawConn(c)
	if s.raw == nil {
		return false
	}
	acked, _, ok := s.sample()
	s.base, s.remote = acked, c.RemoteAddr()
	return ok
}

func rawConn(c net.Conn) syscall.RawConn {
	for {
		if t, ok := c.(*tls.Conn); ok && t.ConnectionState().NegotiatedProtocol == "h2" {
			return nil
		}
		if s, ok := c.(syscall.Conn); ok {
			raw, err := s.SyscallConn()
			if err != nil {
				return nil
			}
			return raw
		}
		n, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		c = n.NetConn()
	}
}
