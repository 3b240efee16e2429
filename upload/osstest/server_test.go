package osstest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

func TestHostNames(t *testing.T) {
	s, c := newTestServer(t, &Options{Hosts: []string{"oss.test", "media.example"}})
	tests := []struct {
		host, path, bucket, key string
		forbidden               bool
	}{
		{"127.0.0.1:9000", "/media/in/k", "media", "in/k", false},
		{"127.0.0.1", "/media", "media", "", false},
		{"127.0.0.1", "/media/", "media", "", false},
		{"127.0.0.1", "/", "", "", false},
		{"[::1]:9000", "/media/k", "media", "k", false},
		{"media.localhost:9000", "/in/k", "media", "in/k", false},
		{"localhost:9000", "/media/k", "media", "k", false},
		{"media.oss.test", "/k", "media", "k", false},
		{"MEDIA.OSS.TEST", "/k", "media", "k", false},
		{"oss.test", "/media/k", "media", "k", false},
		{"media.example", "/media/k", "media", "k", false},
		{"other.test", "/media/k", "media", "k", false},
		{"media.oss-cn-hangzhou.aliyuncs.com", "/in/k", "media", "in/k", false},
		{"media.oss-cn-hangzhou-internal.aliyuncs.com", "/", "media", "", false},
		{"media.oss-accelerate.aliyuncs.com:443", "/k", "media", "k", false},
		{"media.cn-hangzhou.oss.aliyuncs.com", "/k", "media", "k", false},
		{"oss-cn-hangzhou.aliyuncs.com", "/", "", "", false},
		{"cn-hangzhou.oss.aliyuncs.com", "/", "", "", false},
		{"oss-cn-hangzhou.aliyuncs.com", "/media/k", "media", "k", true},
		{"cn-hangzhou.oss.aliyuncs.com", "/media/k", "media", "k", true},
	}
	for _, test := range tests {
		t.Run(test.host+test.path, func(t *testing.T) {
			r := httptest.NewRequest("GET", test.path, nil)
			r.Host = test.host
			req, aerr := s.route(r)
			if req.bucket != test.bucket || req.key != test.key {
				t.Errorf("got bucket %q and key %q; want %q and %q", req.bucket, req.key, test.bucket, test.key)
			}
			if got := aerr != nil && aerr.Code == "SecondLevelDomainForbidden"; got != test.forbidden || aerr != nil && !got {
				t.Errorf("got error %v; want path style forbidden: %v", aerr, test.forbidden)
			}
		})
	}
	t.Run("over HTTP", func(t *testing.T) {
		r := c.request("PUT", "/in/k", strings.NewReader("abc"))
		r.Host = "media.oss-cn-hangzhou.aliyuncs.com"
		c.sign(r)
		c.send(r)
		if got := stored(t, s, "media", "in/k"); got != "abc" {
			t.Errorf("stored %q; want abc", got)
		}
		r = c.request("POST", "/in/k?uploads", nil)
		r.Host = "media.oss-cn-hangzhou.aliyuncs.com"
		c.sign(r)
		var begun initiateResult
		c.read(c.send(r), &begun)
		r = c.request("POST", "/in/k?uploadId="+begun.UploadID, strings.NewReader(partList(1, c.part("/media/in/k", begun.UploadID, 1, "x"))))
		r.Host = "media.oss-cn-hangzhou.aliyuncs.com"
		c.sign(r)
		var result completeResult
		c.read(c.send(r), &result)
		if want := "http://media.oss-cn-hangzhou.aliyuncs.com/in/k"; result.Location != want {
			t.Errorf("got location %q; want %q", result.Location, want)
		}
		r = c.request("GET", "/media/in/k", nil)
		r.Host = "oss-cn-hangzhou.aliyuncs.com"
		if a := c.send(r); a.status != 403 || a.Code != "SecondLevelDomainForbidden" || a.HostID != r.Host {
			t.Errorf("got %d %s of %s; want 403 SecondLevelDomainForbidden of %s", a.status, a.Code, a.HostID, r.Host)
		}
	})
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	t.Run("of a server that listens", func(t *testing.T) {
		s, c := newTestServer(t, nil)
		body, sender := io.Pipe()
		defer sender.Close()
		failed := make(chan error)
		r := c.request("PUT", "/media/k", body)
		go func() {
			_, err := c.try(r)
			failed <- err
		}()
		io.WriteString(sender, letters(64<<10))
		if err := s.WaitRequests(t.Context(), 1, OpPutObject); err != nil {
			t.Fatal(err)
		}
		s.Close()
		sender.Close()
		if err := <-failed; err == nil {
			t.Error("the call succeeded; want it broken off")
		}
		if _, ok := s.Object("media", "k"); ok {
			t.Error("there is an object")
		}
		s.Close()
	})
	t.Run("of a handler elsewhere", func(t *testing.T) {
		s, err := New(&Options{Buckets: []string{"media"}})
		if err != nil {
			t.Fatal(err)
		}
		elsewhere := httptest.NewServer(s)
		defer elsewhere.Close()
		c := newTestClient(t, s)
		c.url = elsewhere.URL
		r := c.request("PUT", "/media/k", nil)
		r.Header.Set("Content-Length", "10")
		conn := rawCall(t, c, r, "half")
		if err := s.WaitRequests(t.Context(), 1, OpPutObject); err != nil {
			t.Fatal(err)
		}
		s.Close() // returns although the client sends no more
		conn.Close()
		a, err := c.try(c.request("GET", "/media/k", nil))
		if err != nil || a.status != 503 {
			t.Errorf("after Close: got %+v, %v; want 503", a, err)
		}
	})
	t.Run("of a slow callback", func(t *testing.T) {
		s, c := newTestServer(t, &Options{CallbackTimeout: time.Hour})
		there := newCallbackServer(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		r := c.request("PUT", "/media/k", strings.NewReader("abc"), "x-oss-callback", encodedCallback(there.URL, "a=b", ""))
		failed := make(chan error)
		go func() {
			_, err := c.try(r)
			failed <- err
		}()
		<-there.calls
		s.Close()
		if err := <-failed; err == nil {
			t.Error("the call succeeded; want it broken off")
		}
	})
}

func TestClientThatGoesAwayDoesNotStopAComplete(t *testing.T) {
	s, c := newTestServer(t, nil)
	id := c.initiate("/media/k")
	etag := c.part("/media/k", id, 1, "abc")
	ctx, cancel := context.WithCancel(t.Context())
	body := io.MultiReader(strings.NewReader(partList(1, etag)), endFunc(cancel))
	r := c.request("POST", "/media/k?uploadId="+id, body).WithContext(ctx)
	r.ContentLength = -1
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if got := stored(t, s, "media", "k"); got != "abc" {
		t.Errorf("stored %q; want abc", got)
	}
}

// An endFunc is a reader with nothing to read. It calls itself first.
type endFunc func()

func (f endFunc) Read([]byte) (int, error) {
	f()
	return 0, io.EOF
}

func TestTheClockIsTheOptions(t *testing.T) {
	at := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	s, c := newTestServer(t, &Options{Now: func() time.Time { return at }})
	if got := c.good("PUT", "/media/k", "").Get("Date"); got != httpTime(at) {
		t.Errorf("got Date %q; want %q", got, httpTime(at))
	}
	if o, _ := s.Object("media", "k"); !o.LastModified.Equal(at) {
		t.Errorf("got an object modified at %v; want %v", o.LastModified, at)
	}
}

func TestWrongOptions(t *testing.T) {
	tests := []struct {
		name string
		opts Options
		want string
	}{
		{"a bad bucket name", Options{Buckets: []string{"Media"}}, `"Media"`},
		{"a key without ID", Options{Keys: []Key{{AccessKeySecret: "s"}}}, "AccessKeyID"},
		{"a key without secret", Options{Keys: []Key{{AccessKeyID: "id"}}}, "AccessKeySecret"},
		{"a bad policy", Options{Keys: []Key{{AccessKeyID: "id", AccessKeySecret: "s", Policy: "{"}}}, "id"},
		{"a host with a port", Options{Hosts: []string{"oss.test:80"}}, "oss.test:80"},
		{"a negative timeout", Options{BodyTimeout: -1}, "BodyTimeout"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := New(&test.opts)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v; want one about %s", err, test.want)
			}
			defer func() {
				if recover() == nil {
					t.Error("NewServer did not panic")
				}
			}()
			NewServer(&test.opts)
		})
	}
}

func TestCreateBucket(t *testing.T) {
	s, c := newTestServer(t, nil)
	c.good("PUT", "/media/k", "abc")
	if err := s.CreateBucket("media"); err != nil {
		t.Errorf("a bucket that exists: %v", err)
	}
	if got := stored(t, s, "media", "k"); got != "abc" {
		t.Errorf("stored %q; want abc", got)
	}
	if err := s.CreateBucket("-x-"); err == nil {
		t.Error("a bad name was taken")
	}
	if s.Objects("nowhere") != nil || s.Uploads("nowhere") != nil {
		t.Error("a bucket that does not exist has a list")
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"abc": true, "a-c": true, "0-9": true, strings.Repeat("a", 63): true,
		"ab": false, "": false, strings.Repeat("a", 64): false, "-abc": false, "abc-": false, "aBc": false, "a.c": false, "a_c": false,
	} {
		if got := storage.ValidBucketName(name); got != want {
			t.Errorf("bucket name %q: got %v; want %v", name, got, want)
		}
	}
	for key, ok := range map[string]bool{
		"k": true, strings.Repeat("k", 1023): true, "a\\b": true, "日本": true,
		"": false, strings.Repeat("k", 1024): false, "/k": false, "\\k": false, "\xff": false,
	} {
		if aerr := storage.CheckKey(key); (aerr == nil) != ok {
			t.Errorf("key %.20q: got %v; want ok: %v", key, aerr, ok)
		}
	}
}

func TestTags(t *testing.T) {
	long := strings.Repeat("t", 129)
	for tags, ok := range map[string]bool{
		"": true, "a=b": true, "a": true, "a=&b=%26": true, "a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9&j=0": true,
		strings.Repeat("%E6%97%A5", 42) + "=x": true, "a=" + long + long[:127]: true,
		"a=1&a=2": false, "=b": false, "a=%zz": false, long + "=x": false, "a=" + long + long: false,
		"a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9&j=0&k=1": false,
	} {
		if aerr := checkTags(tags); (aerr == nil) != ok {
			t.Errorf("tags %.40q: got %v; want ok: %v", tags, aerr, ok)
		}
	}
}
