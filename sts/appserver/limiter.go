package appserver

import (
	"net/netip"
	"sync"
	"time"
)

// A limiter gives each client a number of requests a second, with bursts of
// twice as many.
type limiter struct {
	rate float64 // per second; 0: no limit

	mu      sync.Mutex
	buckets map[string]bucket
}

// A bucket had so many requests left at a time; it fills up at the rate.
type bucket struct {
	left float64
	at   time.Time
}

// maxClients bounds the memory of a limiter.
const maxClients = 20_000

func newLimiter(perSecond int) *limiter {
	return &limiter{rate: float64(max(perSecond, 0)), buckets: map[string]bucket{}}
}

// allow counts a request, and reports whether it is within the limit.
func (l *limiter) allow(client string, at time.Time) bool {
	if l.rate == 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets[client]
	if !ok {
		l.makeRoom(at)
		b = bucket{left: l.burst(), at: at}
	}
	b = bucket{left: l.leftAt(b, at), at: at}
	allowed := b.left >= 1
	if allowed {
		b.left--
	}
	l.buckets[client] = b
	return allowed
}

func (l *limiter) burst() float64 { return 2 * l.rate }

func (l *limiter) leftAt(b bucket, at time.Time) float64 {
	return min(l.burst(), b.left+l.rate*max(0, at.Sub(b.at).Seconds()))
}

// makeRoom forgets clients once there are too many: those whose bucket is full
// again lose nothing, and if that is not enough, any. A quarter goes at a time, so
// that a flood of new clients does not pay for a sweep each.
func (l *limiter) makeRoom(at time.Time) {
	if len(l.buckets) < maxClients {
		return
	}
	for client, b := range l.buckets {
		if l.leftAt(b, at) >= l.burst() {
			delete(l.buckets, client)
		}
	}
	for client := range l.buckets {
		if len(l.buckets) <= maxClients*3/4 {
			return
		}
		delete(l.buckets, client)
	}
}

// clientOf names the client at a remote address: its IP, or for version 6 its
// network, all of which one client can use.
func clientOf(remoteAddr string) string {
	host := hostOnly(remoteAddr)
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	ip = ip.Unmap()
	if ip.Is4() {
		return ip.String()
	}
	network, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return host
	}
	return network.String()
}
