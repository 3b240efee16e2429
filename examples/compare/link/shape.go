// Package link is a network link of known properties, to measure uploads on: two network
// namespaces, joined by a TUN device in each. What one sends, this process reads, holds
// back or drops as the link's [Shape] says, and writes to the other. TCP is the kernel's,
// on both sides.
//
// It needs Linux, root and /dev/net/tun: [New] says which of them is missing.
package link

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// mtu is the largest packet, in bytes.
const mtu = 1500

// A Shape says what a link is like. It is the same in both directions.
type Shape struct {
	Rate       int64         `json:"rate"`          // bit/s
	RoundTrip  time.Duration `json:"round_trip_ns"` // half of it each way
	Queue      int64         `json:"queue"`         // bytes; 0: what the rate carries in one round trip
	Loss       float64       `json:"loss"`          // share of the packets that get lost
	Burst      int           `json:"burst"`         // how many get lost in a row; 0: one
	Congestion string        `json:"congestion"`    // TCP's congestion control: cubic, bbr
}

// check returns an error that names the field which is wrong.
func (s *Shape) check() error {
	switch {
	case s.Rate <= 0:
		return fmt.Errorf("link: Shape.Rate: got %d bit/s, want more than 0", s.Rate)
	case s.RoundTrip < 0:
		return fmt.Errorf("link: Shape.RoundTrip: got %v, want 0 or more", s.RoundTrip)
	case s.Queue < 0 || s.Queue > 0 && s.Queue < mtu:
		return fmt.Errorf("link: Shape.Queue: got %d bytes, want 0, or at least %d for one packet", s.Queue, mtu)
	case s.Loss < 0 || s.Loss >= 1:
		return fmt.Errorf("link: Shape.Loss: got %v, want 0 to less than 1", s.Loss)
	case s.Burst < 0:
		return fmt.Errorf("link: Shape.Burst: got %d, want 0 or more", s.Burst)
	}
	return nil
}

// queue is how many bytes wait at most, and at least eight packets.
func (s *Shape) queue() int64 {
	if s.Queue > 0 {
		return s.Queue
	}
	return max(8*mtu, int64(s.RoundTrip.Seconds()*float64(s.Rate)/8))
}

// Ideal is how long it takes to send size bytes: the time of the bytes and of the headers
// of IP and TCP at the link's rate, and one round trip.
func (s *Shape) Ideal(size int64) time.Duration {
	const headers = 20 + 20 + 12 // IP, TCP, time stamps
	packets := (size + mtu - headers - 1) / (mtu - headers)
	return s.RoundTrip + time.Duration(float64(8*(size+packets*headers))/float64(s.Rate)*float64(time.Second))
}

// A direction decides what becomes of each packet in one direction of a link. Times are
// counted from any moment.
type direction struct {
	shape Shape
	queue int64
	rng   *rand.Rand
	free  time.Duration // when all that was sent has left
	burst int           // packets still to be lost in a row
}

func newDirection(s Shape, seed uint64) *direction {
	return &direction{shape: s, queue: s.queue(), rng: rand.New(rand.NewPCG(seed, seed))}
}

// arrive takes a packet of size bytes at a moment that is not before the last one. It
// returns when the packet is at the other end; ok is false if it gets lost.
func (d *direction) arrive(now time.Duration, size int) (at time.Duration, ok bool) {
	start := max(now, d.free)
	if waiting := int64((start - now).Seconds() * float64(d.shape.Rate) / 8); waiting+int64(size) > d.queue {
		return 0, false
	}
	d.free = start + time.Duration(float64(8*size)/float64(d.shape.Rate)*float64(time.Second))
	if d.lost() { // after it took its time on the link
		return 0, false
	}
	return d.free + d.shape.RoundTrip/2, true
}

func (d *direction) lost() bool {
	if d.burst > 0 {
		d.burst--
		return true
	}
	length := max(1, d.shape.Burst)
	if d.rng.Float64() >= d.shape.Loss/float64(length) {
		return false
	}
	d.burst = length - 1
	return true
}
