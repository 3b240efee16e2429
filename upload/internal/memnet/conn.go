package memnet

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	window  = 64 << 10 // bytes that an end takes before the other has read any
	segment = 16 << 10 // bytes that arrive together
)

// A pair is one connection. Network.mu guards it, its ends and its streams.
type pair struct {
	ends     [2]*conn  // of the host that connected, and of the one that listened
	changed  sync.Cond // something of it, or the link
	cut      bool
	stranded bool
}

// connectLocked makes a connection.
func (n *Network) connectLocked(h *Host, to addr) *pair {
	from := n.portLocked(h.name)
	there, back := &stream{}, &stream{}
	p := &pair{}
	p.changed.L = &n.mu
	p.ends[0] = &conn{n: n, p: p, host: h, local: from, remote: to, in: back, out: there}
	p.ends[1] = &conn{n: n, p: p, local: to, remote: from, in: there, out: back}
	n.pairs[p] = struct{}{}
	return p
}

// A conn is one end of a connection.
type conn struct {
	n             *Network
	p             *pair
	host          *Host // nil: of a listener
	local, remote addr
	in, out       *stream
	closed        bool
	abort         bool // Close resets
	readBy        deadline
	writeBy       deadline
}

// A stream is one direction of a connection: what was written and not read yet, and how
// it ends.
type stream struct {
	queue []piece
	size  int       // of the queue
	free  time.Time // when the line has carried all of it
	end   error     // behind the queue; nil: none yet
	endAt time.Time
	gone  time.Time // when the writer learns that nobody reads; zero: somebody does
}

type piece struct {
	data []byte
	at   time.Time // of its arrival
}

func (c *conn) Read(b []byte) (int, error) {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	for {
		if err := c.brokenLocked(&c.readBy); err != nil {
			return 0, c.fail("read", err)
		}
		if len(b) == 0 {
			return 0, nil
		}
		next, ok := c.in.nextLocked()
		if ok && !c.n.link.Silent && !c.p.stranded {
			if !next.After(time.Now()) {
				return c.takeLocked(b)
			}
			t := c.wakeAtLocked(next)
			c.p.changed.Wait()
			t.Stop()
			continue
		}
		c.p.changed.Wait()
	}
}

// nextLocked returns when the next thing arrives.
func (s *stream) nextLocked() (time.Time, bool) {
	if len(s.queue) > 0 {
		return s.queue[0].at, true
	}
	return s.endAt, s.end != nil
}

// takeLocked returns what has arrived.
func (c *conn) takeLocked(b []byte) (int, error) {
	if len(c.in.queue) == 0 {
		if c.in.end == io.EOF {
			return 0, io.EOF
		}
		return 0, c.fail("read", c.in.end)
	}
	head := &c.in.queue[0]
	k := copy(b, head.data)
	head.data = head.data[k:]
	c.in.size -= k
	if len(head.data) == 0 {
		c.in.queue = c.in.queue[1:]
	}
	c.p.changed.Broadcast()
	return k, nil
}

func (c *conn) Write(b []byte) (done int, err error) {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	for done < len(b) {
		if err := c.brokenLocked(&c.writeBy); err != nil {
			return done, c.fail("write", err)
		}
		if c.out.end != nil {
			return done, c.fail("write", syscall.EPIPE)
		}
		if gone := c.out.gone; !gone.IsZero() && !gone.After(time.Now()) && !c.n.link.Silent && !c.p.stranded {
			return done, c.fail("write", syscall.ECONNRESET)
		}
		room := min(window-c.out.size, segment, len(b)-done)
		if room == 0 {
			c.p.changed.Wait()
			continue
		}
		c.sendLocked(b[done : done+room])
		done += room
	}
	return done, nil
}

func (c *conn) sendLocked(b []byte) {
	c.out.queue = append(c.out.queue, piece{append([]byte(nil), b...), c.arrivalLocked(len(b))})
	c.out.size += len(b)
	c.p.changed.Broadcast()
}

// arrivalLocked puts bytes on the line, and returns when they arrive.
func (c *conn) arrivalLocked(size int) time.Time {
	link, s := c.n.link, c.out
	if now := time.Now(); s.free.Before(now) {
		s.free = now
	}
	if link.Rate > 0 {
		s.free = s.free.Add(time.Duration(size) * time.Second / time.Duration(link.Rate))
	}
	at := s.free.Add(link.Delay)
	if len(s.queue) > 0 && s.queue[len(s.queue)-1].at.After(at) {
		at = s.queue[len(s.queue)-1].at // nothing overtakes
	}
	return at
}

// brokenLocked returns why an end can neither read nor write, or may not any longer.
func (c *conn) brokenLocked(by *deadline) error {
	switch {
	case c.closed:
		return net.ErrClosed
	case c.p.cut:
		return syscall.ECONNRESET
	case by.passed():
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (c *conn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// wakeAtLocked wakes those who wait for the connection at a time.
func (c *conn) wakeAtLocked(at time.Time) *time.Timer {
	return time.AfterFunc(time.Until(at), func() {
		c.n.mu.Lock()
		defer c.n.mu.Unlock()
		c.p.changed.Broadcast()
	})
}

// Close closes the end.
func (c *conn) Close() error {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	c.closeLocked()
	return nil
}

func (c *conn) closeLocked() {
	if c.closed {
		return
	}
	c.closed = true
	c.readBy.stop()
	c.writeBy.stop()
	if c.abort {
		c.out.dropLocked()
	}
	if c.abort || c.in.arrivedLocked() {
		c.endLocked(syscall.ECONNRESET)
	} else {
		c.endLocked(io.EOF)
	}
	c.in.gone = time.Now().Add(c.n.link.Delay)
	c.p.changed.Broadcast()
	if c.p.ends[0].closed && c.p.ends[1].closed {
		delete(c.n.pairs, c.p)
	}
}

// dropLocked drops what is still on its way.
func (s *stream) dropLocked() {
	now := time.Now()
	for len(s.queue) > 0 && s.queue[len(s.queue)-1].at.After(now) {
		s.size -= len(s.queue[len(s.queue)-1].data)
		s.queue = s.queue[:len(s.queue)-1]
	}
}

// arrivedLocked reports whether there are bytes that were not read.
func (s *stream) arrivedLocked() bool {
	return len(s.queue) > 0 && !s.queue[0].at.After(time.Now())
}

// endLocked ends what this end writes. A reset takes the place of an orderly end.
func (c *conn) endLocked(err error) {
	if c.out.end == nil {
		c.out.endAt = c.arrivalLocked(0)
		c.out.end = err
	}
	if err != io.EOF {
		c.out.end = err
	}
}

// CloseWrite ends what this end writes: the other one reads io.EOF behind it.
func (c *conn) CloseWrite() error {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	if err := c.brokenLocked(new(deadline)); err != nil {
		return c.fail("close", err)
	}
	c.endLocked(io.EOF)
	c.p.changed.Broadcast()
	return nil
}

// SetLinger makes Close reset the connection if sec is 0, as that of TCP does.
func (c *conn) SetLinger(sec int) error {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	c.abort = sec == 0
	return nil
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }
