package upload_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A dialer is the DialContext of a transport.
type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// A trouble is what is wrong between the client and the server.
type trouble struct {
	name     string
	status   int  // that the error tells
	retried  bool // it may pass
	answered bool // the server saw the requests: attempts are counted there
	says     []string
	arrange  func(t *testing.T, b *testbed) (endpoint string, dial dialer)
}

// dialTCP is how it is done where there is nothing wrong with it.
func dialTCP(ctx context.Context, network, addr string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, addr)
}

func troubles() []trouble {
	const host = "oss-cn-nowhere.example.com"
	return []trouble{
		{
			name: "connection refused", retried: true, says: []string{"dial tcp 127.0.0.1:", "refused"},
			arrange: func(*testing.T, *testbed) (string, dialer) {
				return "http://127.0.0.1:1", dialTCP // a free port is soon another test's
			},
		},
		{
			name: "no such host", retried: true, says: []string{"lookup " + bucket + "." + host, "no such host"},
			arrange: func(*testing.T, *testbed) (string, dialer) {
				return "http://" + host, func(_ context.Context, network, addr string) (net.Conn, error) {
					name, _, _ := net.SplitHostPort(addr)
					return nil, &net.OpError{Op: "dial", Net: network, Err: &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}}
				}
			},
		},
		{
			name: "certificate of an unknown authority", says: []string{"certificate", "unknown authority"},
			arrange: func(t *testing.T, b *testbed) (string, dialer) {
				s := httptest.NewUnstartedServer(b.server)
				s.Config.ErrorLog = log.New(io.Discard, "", 0)
				s.StartTLS()
				t.Cleanup(s.Close)
				return s.URL, dialTCP
			},
		},
		{
			name: "redirect", status: http.StatusTemporaryRedirect, answered: true,
			says: []string{"redirects are not followed", "portal.example.com"},
			arrange: func(_ *testing.T, b *testbed) (string, dialer) {
				b.server.Inject(osstest.Redirect(osstest.AnyOp, "http://portal.example.com/login").Always())
				return b.server.URL, dialTCP
			},
		},
		{
			name: "403 of a proxy, as HTML", status: http.StatusForbidden, answered: true, says: []string{"403", "HTML"},
			arrange: func(_ *testing.T, b *testbed) (string, dialer) {
				b.server.Inject(osstest.HTML(osstest.AnyOp, http.StatusForbidden).Always())
				return b.server.URL, dialTCP
			},
		},
	}
}

// A file that the network does not let through ends with one error that says why,
// and is free for the next to try.
func TestNetwork(t *testing.T) {
	const retries = 2
	for _, tr := range troubles() {
		for _, size := range []int{10 * kib, 500 * kib} {
			name := tr.name + ", one request"
			op := "PutObject"
			if size > 100*kib {
				name, op = tr.name+", in parts", "InitiateMultipartUpload"
			}
			t.Run(name, func(t *testing.T) {
				b := newTestbed(t)
				f := b.file("a.mp4", size)
				endpoint, dial := tr.arrange(t, b)
				f.Endpoint = endpoint
				var dials atomic.Int64
				transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
					dials.Add(1)
					return dial(ctx, network, addr)
				}}
				t.Cleanup(transport.CloseIdleConnections)
				b.opts.HTTPClient, b.opts.RetryCount = &http.Client{Transport: transport}, retries

				e := b.failsAlone(f)
				if e.Op != op || e.Path != f.Path || e.Status != tr.status {
					t.Errorf("error is of %s, %s, status %d, want %s, %s, %d", e.Op, e.Path, e.Status, op, f.Path, tr.status)
				}
				for _, want := range tr.says {
					if !strings.Contains(e.Error(), want) {
						t.Errorf("error is %q, want it to say %q", e, want)
					}
				}
				attempts, want := int(dials.Load()), 1
				if tr.answered {
					attempts = b.server.Count()
				}
				if tr.retried {
					want += retries
				}
				if attempts != want {
					t.Errorf("%d attempts, want %d", attempts, want)
				}
				b.free(f)
			})
		}
	}
}

// failsAlone uploads a file and returns its error, which is the only one.
func (b *testbed) failsAlone(f upload.File) *upload.Error {
	b.t.Helper()
	c := b.client()
	must(c.AddFile(f))
	start(b.t, b, c)
	err := c.Wait(b.ctx)
	var all upload.Errors
	if !errors.As(err, &all) || len(all) != 1 {
		b.t.Fatalf("Wait: %v, want one error of one file", err)
	}
	return all[0]
}

// free fails the test if anything is left of a file in the store, or if another
// client cannot claim it at once.
func (b *testbed) free(f upload.File) {
	b.t.Helper()
	for _, e := range must(b.store.List(b.ctx)) {
		b.t.Errorf("the store has %+v, want nothing", e)
	}
	if _, err := b.client().Upload(b.ctx, f); err == nil || errors.Is(err, upload.ErrInUse) {
		b.t.Errorf("the next client gets %v, want the network's error again", err)
	}
}
