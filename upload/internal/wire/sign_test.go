package wire

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// V4 asks for the timestamp in X-Oss-Date, and for its day in the scope.
func TestV4Date(t *testing.T) {
	var got http.Header
	o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		w.Header().Set("ETag", "A")
	}), nil)
	o.target.Region = "cn-hangzhou"
	o.clock.offset.Store(int64(-48 * time.Hour))
	if _, err := putPart(t.Context(), o, bodyOf("x")); err != nil {
		t.Fatal(err)
	}
	stamp, err := time.Parse("20060102T150405Z", got.Get("x-oss-date"))
	if err != nil {
		t.Fatal(err)
	}
	if d := time.Since(stamp) - 48*time.Hour; d.Abs() > time.Minute {
		t.Errorf("the timestamp is off by %v", d)
	}
	scope := regexp.MustCompile(`^OSS4-HMAC-SHA256 Credential=key-id/` + stamp.Format("20060102") + `/cn-hangzhou/oss/aliyun_v4_request,Signature=[0-9a-f]{64}$`)
	if a := got.Get("Authorization"); !scope.MatchString(a) {
		t.Errorf("got %s, want it to match %s", a, scope)
	}
	if got.Get("Date") != stamp.Format(http.TimeFormat) {
		t.Errorf("got Date %s beside timestamp %s", got.Get("Date"), stamp)
	}
}

func TestLocalhostHasPathStyle(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Host, "localhost") || !strings.HasPrefix(r.URL.Path, "/media/") {
			t.Errorf("got %s%s", r.Host, r.URL.Path)
		}
		accept(w, r)
	})
	tr := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, strings.TrimPrefix(url, "http://"))
	}}
	t.Cleanup(tr.CloseIdleConnections)
	o := newObject(t, "http://localhost:8080", &Options{HTTPClient: &http.Client{Transport: tr}})
	if _, err := o.Put(t.Context(), testKey, bodyOf("x"), nil); err != nil {
		t.Error(err)
	}
}
