// Package natsconn has what all who make requests over one connection to NATS need to know
// of it.
package natsconn

import (
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// pingTimeout is how long the connected server may take to answer a ping when it leaves a
// request without an answer.
const pingTimeout = time.Second

// probed has the connections whose servers are being asked for a sign of life.
var probed sync.Map

// Probe connects to another server if the connected one does not answer a ping, and returns
// the address of the one that was left; empty: none was. Call it where a request got no
// answer: the client itself would find that out after minutes only, if the server is stopped,
// or its machine gone without a word.
func Probe(nc *nats.Conn) (left string) {
	if _, busy := probed.LoadOrStore(nc, nil); busy {
		return ""
	}
	defer probed.Delete(nc)
	if nc.Status() != nats.CONNECTED || !errors.Is(nc.FlushTimeout(pingTimeout), nats.ErrTimeout) {
		return ""
	}
	left = nc.ConnectedUrlRedacted()
	_ = nc.ForceReconnect() // fails only where the connection is closed
	return left
}

// Codes that the client has no name for; all are in the server's errors.json.
const (
	ClusterNoPeers     jetstream.ErrorCode = 10005
	clusterUnavailable jetstream.ErrorCode = 10008
	clusterNotLeader   jetstream.ErrorCode = 10009
	SequenceNotFound   jetstream.ErrorCode = 10043
	streamOffline      jetstream.ErrorCode = 10118
	DuplicateInFlight  jetstream.ErrorCode = 10158
	TooManyRequests    jetstream.ErrorCode = 10167
)

// IsWithoutLeader reports whether a server has refused a request since it has no leader to
// pass it to.
func IsWithoutLeader(code jetstream.ErrorCode) bool {
	return code == clusterUnavailable || code == clusterNotLeader || code == streamOffline
}
