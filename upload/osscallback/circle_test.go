package osscallback_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osscallback"
	"github.com/vodupload/vodupload/upload/osstest"
)

var secret = []byte("sixteen random bytes")

// A circle is an OSS, a backend that it calls back, and a client that uploads.
type circle struct {
	oss     *osstest.Server
	backend *httptest.Server
	client  *upload.Client
	events  chan *osscallback.Event
}

func newCircle(t *testing.T) *circle {
	t.Helper()
	c := &circle{oss: osstest.NewServer(&osstest.Options{Buckets: []string{"media"}}), events: make(chan *osscallback.Event, 10)}
	t.Cleanup(c.oss.Close)
	v, err := osscallback.New(&osscallback.Options{
		Secrets: [][]byte{secret}, HTTPClient: &http.Client{Transport: c.oss.CallbackKeys()},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.backend = httptest.NewServer(v.Handler(func(_ context.Context, e *osscallback.Event) (any, error) {
		c.events <- e
		return map[string]string{"known as": e.Object}, nil
	}))
	t.Cleanup(c.backend.Close)
	c.client, err = upload.New(&upload.Options{
		Credentials: sts.Static(sts.Credentials{AccessKeyID: osstest.DefaultKey.AccessKeyID, AccessKeySecret: osstest.DefaultKey.AccessKeySecret}),
		Checkpoints: checkpoint.NewMemory(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.client.Close() })
	return c
}

// file returns a file of that size with the callback.
func (c *circle) file(object string, size int, callback upload.Callback) upload.File {
	return upload.File{
		Path: object, Source: upload.NewSource(strings.NewReader(strings.Repeat("v", size)), int64(size), "1"),
		Endpoint: c.oss.URL, Bucket: "media", Object: object,
		Options: &upload.ObjectOptions{Callback: &callback},
	}
}

// What the backend is told is what was uploaded.
func TestFromTheUploadToTheEvent(t *testing.T) {
	c := newCircle(t)
	for object, tt := range map[string]struct {
		size      int
		operation string
	}{
		"in/a b&c=ü.mp4": {10, "PutObject"}, "in/parts+.mp4": {3 << 20, "CompleteMultipartUpload"}, "in/empty.bin": {0, "PutObject"},
	} {
		t.Run(object, func(t *testing.T) {
			r, err := c.client.Upload(t.Context(), c.file(object, tt.size, upload.Callback{
				URLs: []string{c.backend.URL + "/hooks/st%C3%B6red?user=7&x=%2B"}, SNI: true,
				Vars: map[string]string{"x:who": "me & you"}, VarsOf: osscallback.TokenVars(secret, time.Hour),
			}))
			if err != nil {
				t.Fatal(err)
			}
			var answer map[string]string
			if err := json.Unmarshal(r.CallbackBody, &answer); err != nil || answer["known as"] != object {
				t.Errorf("the result has %s, %v; want the backend's answer", r.CallbackBody, err)
			}
			e := <-c.events
			if e.Bucket != "media" || e.Object != object || e.Size != int64(tt.size) || e.ETag != r.ETag || e.CRC64 == nil || *e.CRC64 != r.CRC64 ||
				e.Operation != tt.operation || e.RequestID == "" || e.ClientIP != "127.0.0.1" || e.Fields["x:who"] != "me & you" || len(e.Fields) != 1 {
				t.Errorf("the event is %+v with %v, the result %+v", e, e.Fields, r)
			}
		})
	}
}

// Whoever may upload something may have OSS call anybody back with anything. What is not
// about an object that the backend gave a token for is refused.
func TestCallbacksOfOthersAreRefused(t *testing.T) {
	c := newCircle(t)
	url := c.backend.URL + "/stored"
	token := osscallback.Token(secret, "media", "in/a.mp4", time.Now().Add(time.Hour))
	for what, cb := range map[string]upload.Callback{
		"without a token": {URLs: []string{url}},
		"with that of another object": {
			URLs: []string{url}, Vars: map[string]string{osscallback.TokenVar: token},
		},
		"with a body that says what it likes": {
			URLs: []string{url}, Body: "bucket=media&object=in/other.mp4&size=1&x:token=" + token,
		},
		"that is two things at once": {
			URLs: []string{url}, Body: "bucket=media&object=in/other.mp4&object=in/a.mp4&size=1&x:token=" + token,
		},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := c.client.Upload(t.Context(), c.file("in/b.mp4", 10, cb))
			var failed *upload.Error
			if !errors.As(err, &failed) || failed.Code != "CallbackFailed" {
				t.Errorf("error is %v, want CallbackFailed", err)
			}
			if len(c.events) != 0 {
				t.Errorf("the backend took %+v", <-c.events)
			}
		})
	}
}

// Each server has a key of its own.
func TestCallbackOfAnotherServer(t *testing.T) {
	c, other := newCircle(t), osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	defer other.Close()
	f := c.file("in/a.mp4", 10, upload.Callback{URLs: []string{c.backend.URL}, VarsOf: osscallback.TokenVars(secret, time.Hour)})
	f.Endpoint = other.URL
	if _, err := c.client.Upload(t.Context(), f); err == nil || len(c.events) != 0 {
		t.Errorf("error is %v, want CallbackFailed", err)
	}
}

// Callbacks are of bodies in JSON, too, as a file's own Body has them.
func TestCallbackInJSON(t *testing.T) {
	c := newCircle(t)
	_, err := c.client.Upload(t.Context(), c.file("in/a.mp4", 10, upload.Callback{
		URLs: []string{c.backend.URL}, VarsOf: osscallback.TokenVars(secret, time.Hour), BodyType: "application/json",
		Body: `{"bucket":${bucket},"object":${object},"size":${size},"x:token":${x:token},"mine":"7"}`,
	}))
	if err != nil {
		t.Fatal(err)
	}
	if e := <-c.events; e.Object != "in/a.mp4" || e.Size != 10 || e.Fields["mine"] != "7" {
		t.Errorf("the event is %+v", e)
	}
}

func TestVarsOfThatAreWrong(t *testing.T) {
	c := newCircle(t)
	for want, varsOf := range map[string]func(string, string) map[string]string{
		"Callback.VarsOf: got \"mine\"": func(string, string) map[string]string { return map[string]string{"mine": "1"} },
		"VarsOf panicked":               func(string, string) map[string]string { panic("x") },
		"bytes as a header":             func(string, string) map[string]string { return map[string]string{"x:a": strings.Repeat("a", 6<<10)} },
	} {
		_, err := c.client.Upload(t.Context(), c.file("in/a.mp4", 10, upload.Callback{URLs: []string{c.backend.URL}, VarsOf: varsOf}))
		if !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want ErrInvalidArgument that says %q", err, want)
		}
	}
	if n := c.oss.Count(osstest.OpPutObject); n != 0 {
		t.Errorf("%d objects were sent, want none", n)
	}
}

// A backend that is told what was stored, and knows that it is OSS who says so.
func Example() {
	secret := bytes.Repeat([]byte{7}, 16) // in earnest: random, from the program's configuration
	server := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	defer server.Close()

	verifier, err := osscallback.New(&osscallback.Options{
		Secrets:    [][]byte{secret},
		HTTPClient: &http.Client{Transport: server.CallbackKeys()}, // leave it out: OSS has its key on the web
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	backend := httptest.NewServer(verifier.Handler(func(ctx context.Context, e *osscallback.Event) (any, error) {
		fmt.Printf("stored: %s/%s, %d bytes, by %s\n", e.Bucket, e.Object, e.Size, e.Fields["x:who"])
		return map[string]string{"video": "42"}, nil
	}))
	defer backend.Close()

	client, err := upload.New(&upload.Options{
		Credentials: sts.Static(sts.Credentials{AccessKeyID: osstest.DefaultKey.AccessKeyID, AccessKeySecret: osstest.DefaultKey.AccessKeySecret}),
		Checkpoints: checkpoint.NewMemory(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	file := upload.File{
		Path: "talk.mp4", Source: upload.NewSource(strings.NewReader("frames"), 6, "talk 1"),
		Endpoint: server.URL, Bucket: "media", Object: "in/talk.mp4",
		Options: &upload.ObjectOptions{Callback: &upload.Callback{
			URLs:   []string{backend.URL + "/stored"},
			Vars:   map[string]string{"x:who": "Ada"},
			VarsOf: osscallback.TokenVars(secret, 24*time.Hour),
		}},
	}
	result, err := client.Upload(context.Background(), file)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(result.CallbackBody))
	// Output:
	// stored: media/in/talk.mp4, 6 bytes, by Ada
	// {"video":"42"}
}

// A handler that a program has already, behind the verification.
func ExampleVerifier_Middleware() {
	server := osstest.NewServer(nil)
	defer server.Close()
	verifier, err := osscallback.New(&osscallback.Options{
		HTTPClient: &http.Client{Transport: server.CallbackKeys()}, // leave it out: OSS has its key on the web
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	stored := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e, _ := osscallback.FromContext(r.Context())
		fmt.Fprintf(w, `{"stored":%q}`, e.Object)
	})
	backend := httptest.NewServer(verifier.Middleware(stored))
	defer backend.Close()

	res, err := http.PostForm(backend.URL, url.Values{"object": {"in/talk.mp4"}}) // by anybody
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	fmt.Println(res.Status)
	// Output: 403 Forbidden
}
