package wire

import (
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// A Client holds the connections to OSS, and what was learned of its clocks. Its
// methods may be called from any goroutine.
type Client struct {
	http    *http.Client
	own     *http.Transport // nil: the user's
	limiter *Limiter
	stall   time.Duration
	log     *slog.Logger

	mu     sync.Mutex
	clocks map[string]*clock // by the endpoint's host
}

// NewClient returns a Client. o may be nil.
func NewClient(o *Options) *Client {
	opts := o.withDefaults()
	c := &Client{
		limiter: opts.Limiter,
		stall:   opts.StallTimeout,
		log:     opts.Logger,
		clocks:  make(map[string]*clock),
	}
	c.http, c.own = newHTTPClient(&opts)
	return c
}

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

func (c *Client) clock(host string) *clock {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.clocks[host] == nil {
		c.clocks[host] = &clock{}
	}
	return c.clocks[host]
}
