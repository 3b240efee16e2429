package vod_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/openapi"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/vod"
	"github.com/vodupload/vodupload/upload/vod/vodtest"
)

var aVideo = vod.CreateUploadVideoRequest{Media: vod.Media{Title: "t"}, FileName: "f.mp4"}

// What was never sent made nothing: it is worth another try, and not a lost answer.
func TestWithoutAConnectionNothingIsLost(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	forbids := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer forbids.Close()
	proxy := must(url.Parse(forbids.URL))
	tests := []struct {
		name, endpoint string
		transport      *http.Transport
	}{
		{"the TLS handshake fails", "https://" + plain.Listener.Addr().String(), &http.Transport{}},
		{"the proxy refuses", "https://vod.example.com", &http.Transport{Proxy: http.ProxyURL(proxy)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantNoConnection(t, tt.endpoint, tt.transport) })
	}
	t.Run("the dial takes too long", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { // the timeout ends when everything waits, and not before the dial
			over := make(chan struct{})
			wantNoConnection(t, "http://vod.example.com", &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				<-over // the request's end does not end a dial
				return nil, net.ErrClosed
			}})
			close(over)
		})
	})
}

// wantNoConnection makes a call that never has a connection.
func wantNoConnection(t *testing.T, endpoint string, transport *http.Transport) {
	t.Helper()
	c := must(vod.NewClient(sts.Static(sts.Credentials{AccessKeyID: "a", AccessKeySecret: "b"}), &vod.ClientOptions{
		Endpoint: endpoint, HTTPClient: &http.Client{Transport: transport},
	}))
	_, err := c.CreateUploadVideo(t.Context(), aVideo)
	if !errors.Is(err, openapi.ErrNoConnection) || errors.Is(err, upload.ErrAnswerLost) {
		t.Errorf("error is %v, want ErrNoConnection and not ErrAnswerLost", err)
	}
}

func TestCallIsMadeAgainAfterADialThatTookTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := must(vodtest.New(nil))
		defer service.Close()
		over := make(chan struct{})
		conns := make(pipes)
		server := &http.Server{Handler: service}
		go func() { _ = server.Serve(conns) }()
		defer server.Close()
		var dials atomic.Int32
		transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			if dials.Add(1) == 1 {
				<-over
				return nil, net.ErrClosed
			}
			client, other := net.Pipe()
			conns <- other
			return client, nil
		}}
		c := must(vod.NewClient(sts.Static(sts.Credentials{
			AccessKeyID: vodtest.DefaultKey.AccessKeyID, AccessKeySecret: vodtest.DefaultKey.AccessKeySecret,
		}), &vod.ClientOptions{Endpoint: "http://vod.example.com", HTTPClient: &http.Client{Transport: transport}}))
		a := must(vod.NewAuthorizer(c, nil))
		made, err := a.Authorize(t.Context(), upload.FileInfo{Path: "f.mp4"})
		close(over)
		synctest.Wait()
		if all := service.Media(); err != nil || len(all) != 1 || made.VideoID != all[0].ID || dials.Load() != 2 {
			t.Errorf("got %v, %v after %d dials, made %v; want the video after 2", made.VideoID, err, dials.Load(), all)
		}
	})
}

// pipes is a listener for connections in memory.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A connection that was kept may be closed by the other side just as the next call
// goes out on it: then nobody would know what that made.
func TestEachCallHasAConnectionOfItsOwn(t *testing.T) {
	w := newWorld(t)
	kept := &http.Transport{}
	defer kept.CloseIdleConnections()
	peers := map[string]bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		peers[r.RemoteAddr] = true
		w.vod.ServeHTTP(rw, r)
	}))
	defer srv.Close()
	cache := must(provider(w.keys.DefaultUser(), w.keys.URL))
	defer cache.Close()
	c := must(vod.NewClient(cache, &vod.ClientOptions{Endpoint: srv.URL, HTTPClient: &http.Client{Transport: kept}}))
	made := must(c.CreateUploadVideo(w.ctx, aVideo))
	must(c.RefreshUploadVideo(w.ctx, made.VideoID))
	must(c.CreateUploadVideo(w.ctx, aVideo))
	if len(peers) != 3 {
		t.Errorf("3 calls came by %d connections, want 3", len(peers))
	}
}
