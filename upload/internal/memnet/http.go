package memnet

import (
	"io"
	"log"
	"net/http"
	"time"
)

// idleTimeout is how long a server keeps a connection without a request, as OSS does.
const idleTimeout = time.Minute

// Serve serves HTTP at an address until the network is closed. It panics if somebody
// listens there already.
func (n *Network) Serve(address string, h http.Handler) {
	l, err := n.Listen(address)
	if err != nil {
		panic(err)
	}
	s := &http.Server{
		Handler: h, IdleTimeout: idleTimeout, ReadHeaderTimeout: time.Minute,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l)
	}()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.servers = append(n.servers, func() {
		_ = s.Close()
		<-served
	})
}

// Transport returns a transport of HTTP/1.1 that connects from the host. Who uses it calls
// its CloseIdleConnections at the end.
func (h *Host) Transport() *http.Transport {
	return &http.Transport{
		DialContext: h.DialContext, DisableCompression: true,
		MaxIdleConnsPerHost: 16, IdleConnTimeout: idleTimeout * 3 / 4,
		WriteBufferSize: segment, ReadBufferSize: segment,
	}
}
