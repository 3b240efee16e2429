package wire

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"
)

// A server that takes a part of the body, and the rest when it may: what is acknowledged
// counts before the request has ended, and once.
func TestTrafficIsWhatIsAcknowledged(t *testing.T) {
	const size = 64 << 20 // more than the kernel's buffers hold
	more := make(chan struct{})
	o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		begin := make([]byte, 1<<20)
		_, _ = io.ReadFull(r.Body, begin)
		<-more
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(begin), r.Body))
		accept(w, r)
	}), nil)
	if before := o.client.Traffic(); before != (Traffic{}) {
		t.Fatalf("before any request: %+v", before)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := putPart(t.Context(), o, Body{R: zeros{}, Size: size})
		ended <- err
	}()
	under := o.awaitTraffic(t, func(c Traffic) bool { return c.Acked >= 1<<20 })
	if under.Acked >= size {
		t.Errorf("%d bytes are acknowledged, want less than %d: the server has not read them", under.Acked, size)
	}
	if kernelTells && under.RoundTrip <= 0 {
		t.Errorf("the round trip is %v", under.RoundTrip)
	}
	close(more)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if after := o.client.Traffic(); after.Acked != size || after.RoundTrip != 0 {
		t.Errorf("after it: %+v, want %d bytes and no connection", after, size)
	}
	if n := len(o.client.meter.live); n != 0 {
		t.Errorf("%d requests are still measured", n)
	}
}

// A request that has sent all of its body and waits for the answer is idle; one that the
// server does not read is not.
func TestTrafficKnowsWhoWaitsForAnAnswer(t *testing.T) {
	if !kernelTells {
		t.Skip("the system does not say")
	}
	read, answer := make(chan struct{}), make(chan struct{})
	o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		<-read
		body, _ := io.ReadAll(r.Body)
		<-answer
		r.Body = io.NopCloser(bytes.NewReader(body))
		accept(w, r)
	}), nil)
	o.client.Traffic()
	ended := make(chan error, 1)
	go func() {
		_, err := putPart(t.Context(), o, Body{R: zeros{}, Size: 64 << 20})
		ended <- err
	}()
	if under := o.awaitTraffic(t, func(c Traffic) bool { return c.Acked > 0 }); under.Idle != 0 {
		t.Errorf("while it sends: %+v, want that it is not idle", under)
	}
	close(read)
	o.awaitTraffic(t, func(c Traffic) bool { return c.Idle == 1 })
	close(answer)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// awaitTraffic waits until the traffic is as wanted.
func (o *Object) awaitTraffic(t *testing.T, ok func(Traffic) bool) Traffic {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for {
		if c := o.client.Traffic(); ok(c) {
			return c
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("it stays %+v", o.client.Traffic())
		}
	}
}

type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) {
	clear(p)
	return len(p), nil
}
