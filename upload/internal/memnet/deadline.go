package memnet

import (
	"errors"
	"net"
	"time"
)

// A deadline is when reading or writing ends. The zero deadline is none.
type deadline struct {
	at    time.Time
	timer *time.Timer // wakes those who wait
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !d.at.After(time.Now()) }

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

func (c *conn) setLocked(d *deadline, at time.Time) error {
	if c.closed {
		return c.fail("set", net.ErrClosed)
	}
	d.stop()
	d.at = at
	if !at.IsZero() && at.After(time.Now()) {
		d.timer = c.wakeAtLocked(at)
	}
	c.p.changed.Broadcast()
	return nil
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	return c.setLocked(&c.readBy, t)
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	return c.setLocked(&c.writeBy, t)
}

func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}
