package osstest

import (
	"net/http"
	"net/url"
	"time"
)

// A request is one call, routed: what the rest of the server needs to know of it.
type request struct {
	*http.Request
	op         Op
	bucket     string // empty for calls on the service
	key        string // decoded object name; empty for calls on a bucket
	query      url.Values
	uploadID   string
	partNumber int           // 0 where there is none, or it is no number
	id         string        // request ID: 24 upper-case hexadecimal digits
	start      time.Time     // by the server's clock
	principal  Key           // whose signature it bears; set by authenticate
	delayed    time.Duration // what its traffic limit cost so far
}
