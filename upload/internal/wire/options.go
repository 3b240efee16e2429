package wire

import (
	"log/slog"
	"net/http"
	"time"
)

const defaultStallTimeout = 30 * time.Second

// Options are the settings of a [Client].
type Options struct {
	// HTTPClient sends the requests. It is copied, and neither it nor its transport
	// is changed. Redirects are not followed whatever it says: the signature of a
	// request holds for one host only. The default is a client of our own, with the
	// proxy that the environment names.
	HTTPClient *http.Client

	// StallTimeout is how long a request may take without progress.
	//
	// A request is ended, with an error of class [Retry], when no connection could
	// be had for so long; when in so long a time the other side has acknowledged
	// less than 1 KiB/s of the body; when the answer has not begun so long after
	// the last byte was acknowledged; and when the answer stops for so long. Time
	// waiting for the bandwidth limit does not count. It is noticed within an eighth
	// of StallTimeout.
	//
	// On Linux (amd64, arm64) the kernel reports what the other side acknowledged.
	// Elsewhere, and where the connection is not a TCP socket of this process's, the
	// bytes that the connection took are counted instead. A megabyte or more of them
	// may still be in the kernel's buffer then, so the wait for the answer is longer by
	// one second for each 16 KiB of the body, up to 256 s.
	//
	// The default is 30 s.
	StallTimeout time.Duration

	// BandwidthLimit is how many bytes per second all bodies together may send; it can
	// be changed later. The default is no limit.
	BandwidthLimit int64

	// RequireCRC makes an answer of success without a CRC64, to a request that stored
	// something, an error that is [ErrNoCRC]. The default is to accept it, with one
	// warning in the log.
	RequireCRC bool

	// Observer sees each request. The default is none.
	Observer *Observer

	// Logger gets a line at debug level for each request, and one warning where the
	// server gives no CRC64. The default is silent.
	Logger *slog.Logger
}

// withDefaults returns a copy of o with its gaps filled. o may be nil.
func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.StallTimeout <= 0 {
		c.StallTimeout = defaultStallTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
