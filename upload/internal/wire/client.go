package wire

import (
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// A Client holds the connections to OSS, and what was learned of its clocks. Its
// methods may be called from any goroutine.
type Client struct {
	http    *http.Client
	own     *http.Transport // nil: the user's
	limiter *Limiter
	last    atomic.Pointer[signer]
	made    atomic.Int64 // requests
	stall   time.Duration
	log     *slog.Logger

	observer *Observer // nil: none

	meter meter

	requireCRC bool
	warned     atomic.Bool // that the server gives no CRC64

	mu     sync.Mutex
	clocks map[string]*clock // by the endpoint's host
}

// NewClient returns a Client. o may be nil.
func NewClient(o *Options) *Client {
	opts := o.withDefaults()
	c := &Client{
		limiter: NewLimiter(opts.BandwidthLimit),
		stall:   opts.StallTimeout,
		log:     opts.Logger,

		observer: opts.Observer,

		requireCRC: opts.RequireCRC,

		clocks: make(map[string]*clock),
	}
	c.http, c.own = newHTTPClient(&opts)
	return c
}

// An Object is one object at one endpoint. It implements [Remote]. Its methods may be
// called from any goroutine, at the same time.
type Object struct {
	client *Client
	target target.Target
	clock  *clock
	last   atomic.Pointer[signer]
}

// Requests returns how many requests were made.
func (c *Client) Requests() int64 { return c.made.Load() }

// Traffic returns what the client's connections carry. The first call begins the
// measuring: it does not count what requests that are in flight by then do.
func (c *Client) Traffic() Traffic { return c.meter.traffic() }

// SetBandwidthLimit changes Options.BandwidthLimit, for requests in flight as well: from
// their next piece on, of which the largest has 256 KiB.
func (c *Client) SetBandwidthLimit(bytesPerSecond int64) { c.limiter.SetRate(bytesPerSecond) }

// Object returns the object that t names. It makes no request. The error says which
// part of t is wrong.
func (c *Client) Object(t target.Target) (*Object, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	return &Object{client: c, target: t, clock: c.clock(t.Endpoint.Host)}, nil
}

// CloseIdle closes the connections that no request uses. Those of an HTTPClient from
// the options stay: they are not ours.
func (c *Client) CloseIdle() {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// Reconnect has the requests to come make connections of their own, where the transport
// has a way to do that: those that are idle may lead nowhere after an outage.
func (c *Client) Reconnect() {
	if t, ok := c.http.Transport.(*roundTripper); ok {
		if t, ok := t.base.(interface{ CloseIdleConnections() }); ok {
			t.CloseIdleConnections()
		}
	}
}

// noCRC64 is called for an answer of success without a CRC64: what is stored cannot be
// verified.
func (c *Client) noCRC64(op string) error {
	if c.requireCRC {
		return ErrNoCRC
	}
	if !c.warned.Swap(true) {
		c.log.Warn("the server's answers have no CRC64 (x-oss-hash-crc64ecma): uploads are not verified", "op", op)
	}
	return nil
}

func (c *Client) clock(host string) *clock {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.clocks[host] == nil {
		c.clocks[host] = &clock{}
	}
	return c.clocks[host]
}
