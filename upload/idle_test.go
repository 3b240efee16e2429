package upload_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// Connections that no request uses are closed with their client: a process that makes
// one for each job would run out of descriptors.
func TestCloseClosesIdleConnections(t *testing.T) {
	b := newTestbed(t)
	var mu sync.Mutex
	open, opened := make(map[net.Conn]bool), 0
	gone := make(chan struct{}, 1)
	s := httptest.NewUnstartedServer(b.server)
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		switch state {
		case http.StateNew:
			open[c] = true
			opened++
		case http.StateClosed:
			delete(open, c)
			if len(open) == 0 {
				select {
				case gone <- struct{}{}:
				default:
				}
			}
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	left := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(open)
	}
	const clients = 20
	for range clients {
		c := b.client()
		for _, f := range []string{"small", "parts"} {
			file := b.bytesOf(f, map[string]int{"small": kib, "parts": 450 * kib}[f])
			file.Endpoint = s.URL
			if _, err := c.Upload(b.ctx, file); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for left() > 0 {
		select {
		case <-gone:
		case <-time.After(30 * time.Second): // an idle connection would stay for 45 s
			t.Fatalf("%d connections of %d are open after %d clients were closed", left(), opened, clients)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if opened < clients {
		t.Errorf("%d connections were opened by %d clients: this test sees nothing", opened, clients)
	}
}
