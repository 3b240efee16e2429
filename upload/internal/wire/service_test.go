package wire

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/crc64"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A mode is a way to sign.
type mode struct {
	region string // empty: signature V1
	key    osstest.Key
	custom bool // through a domain that is mapped to the bucket
}

var modes = map[string]mode{
	"V1":                {"", osstest.DefaultKey, false},
	"V1, temporary":     {"", temporary, false},
	"V1, custom domain": {"", temporary, true},
	"V4":                {"cn-hangzhou", osstest.DefaultKey, false},
	"V4, temporary":     {"cn-hangzhou", temporary, false},
	"V4, custom domain": {"cn-hangzhou", temporary, true},
}

// everything has each option set that osstest stores.
func everything() *target.ObjectOptions {
	return &target.ObjectOptions{
		ContentType:        "video/mp4",
		CacheControl:       "no-cache",
		ContentDisposition: "attachment",
		ContentEncoding:    "identity",
		Expires:            time.Date(2030, 1, 2, 3, 4, 5, 0, time.FixedZone("", 8*3600)),
		StorageClass:       "IA",
		ACL:                "private",
		Metadata:           map[string]string{"Author": " Li "},
		Tags:               map[string]string{"b": "2 & 3", "a/": "1"},
		Encryption:         "KMS",
		EncryptionKeyID:    "key",
		ForbidOverwrite:    true,
		TrafficLimit:       838_860_800,
		RequestPayer:       true,
		Headers:            map[string]string{"x-oss-persistent-headers": "k:v"},
	}
}

var temporary = osstest.Key{AccessKeyID: "STS.a", AccessKeySecret: "sts-secret", SecurityToken: "sts-token+/="}

func (m mode) snapshot() Snapshot {
	return Snapshot{Credentials: sts.Credentials{
		AccessKeyID: m.key.AccessKeyID, AccessKeySecret: m.key.AccessKeySecret, SecurityToken: m.key.SecurityToken,
	}, Generation: 1}
}

// service starts a server that accepts m, and returns the object there.
func (m mode) service(t testing.TB, name string, o *Options) (*osstest.Server, *Object) {
	t.Helper()
	opts := &osstest.Options{Buckets: []string{"media"}, Keys: []osstest.Key{m.key}}
	if m.custom {
		opts.CustomDomains = map[string]string{"localhost": "media"}
	}
	s := osstest.NewServer(opts)
	t.Cleanup(s.Close)
	url := s.URL
	if m.custom {
		url = strings.Replace(url, "127.0.0.1", "localhost", 1)
	}
	e, err := target.ParseEndpoint(url)
	e.Custom = m.custom
	if err != nil {
		t.Fatal(err)
	}
	c := NewClient(o)
	t.Cleanup(c.CloseIdle)
	obj, err := c.Object(target.Target{Endpoint: e, Region: m.region, Bucket: "media", Object: name})
	if err != nil {
		t.Fatal(err)
	}
	return s, obj
}

// eachMode runs f once for each way to sign.
func eachMode(t *testing.T, f func(t *testing.T, m mode)) {
	for name, m := range modes {
		t.Run(name, func(t *testing.T) { f(t, m) })
	}
}

func TestServiceMultipart(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		// A name that is hard to sign.
		srv, o := m.service(t, "in/ü 1+2=3?&%25 影片~.mp4", nil)
		key := m.snapshot()
		opts := everything()
		opts.StorageClass = ""
		init, err := o.Initiate(t.Context(), key, opts)
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(init.ServerTime); len(init.UploadID) != 32 || d < -time.Minute || d > time.Minute {
			t.Errorf("got %+v", init)
		}
		const size = 100 << 10
		content := data(2*size + 1000)
		var parts []Part
		for n := range 3 {
			off := int64(n) * size
			body := Body{R: strings.NewReader(content), Off: off, Size: min(size, int64(len(content))-off)}
			p, err := o.UploadPart(t.Context(), key, init.UploadID, n+1, body, opts)
			if err != nil || !p.HasCRC64 {
				t.Fatalf("got %+v, %v", p, err)
			}
			parts = append(parts, p)
		}
		listed, err := o.ListParts(t.Context(), key, init.UploadID)
		if err != nil || fmt.Sprint(listed) != fmt.Sprint(parts) {
			t.Errorf("listed %v, %v\nwant %v", listed, err, parts)
		}
		res, err := o.Complete(t.Context(), key, init.UploadID, parts, opts)
		want := crc64.Update(0, []byte(content))
		if err != nil || !res.HasCRC64 || res.CRC64 != want || !strings.HasSuffix(res.ETag, "-3") {
			t.Fatalf("got %+v, %v; want CRC64 %d", res, err, want)
		}
		info, err := o.Head(t.Context(), key)
		if err != nil || info.Size != int64(len(content)) || info.CRC64 != want || info.ETag != res.ETag || info.Type != "Multipart" {
			t.Errorf("got %+v, %v", info, err)
		}
		_, err = o.Complete(t.Context(), key, init.UploadID, parts, nil)
		wantError(t, err, Restart)
		wantError(t, o.Abort(t.Context(), key, init.UploadID), Restart)
		stored(t, srv, o.target.Object, content)
	})
}

// stored fails the test unless the object has the content, and the properties of
// everything.
func stored(t *testing.T, srv *osstest.Server, name, content string) {
	t.Helper()
	obj, ok := srv.Object("media", name)
	if !ok {
		t.Fatal("the object is not there")
	}
	r, err := obj.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || sha256.Sum256(got) != sha256.Sum256([]byte(content)) {
		t.Errorf("the object has other bytes, %v", err)
	}
	if obj.ContentType != "video/mp4" || obj.Header.Get("X-Oss-Meta-Author") != "Li" || obj.ACL != "private" {
		t.Errorf("got type %q, ACL %q, header %v", obj.ContentType, obj.ACL, obj.Header)
	}
}

// What is signed is what is sent and kept, whatever stands around a value.
func TestServiceKeepsMetadata(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		srv, o := m.service(t, "a", nil)
		opts := &target.ObjectOptions{
			Metadata:           map[string]string{"Plain": "a  b", "around": "  a ", "empty": "", "blank": "   ", "signs": `~!@#$%^&*()_+{}|:"<>?`},
			ContentDisposition: ` attachment; filename="影片 ü.mp4" `,
			CacheControl:       " max-age=1 ",
		}
		if _, err := o.Put(t.Context(), m.snapshot(), bodyOf("x"), opts); err != nil {
			t.Fatal(err)
		}
		obj, ok := srv.Object("media", "a")
		if !ok {
			t.Fatal("the object is not there")
		}
		for name, want := range map[string]string{
			"X-Oss-Meta-Plain": "a  b", "X-Oss-Meta-Around": "a", "X-Oss-Meta-Signs": `~!@#$%^&*()_+{}|:"<>?`,
			"Content-Disposition": `attachment; filename="影片 ü.mp4"`, "Cache-Control": "max-age=1",
		} {
			if got := obj.Header.Get(name); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
	})
}

func TestServicePut(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		srv, o := m.service(t, "talk.mp4", nil)
		opts := everything()
		content := data(300_000)
		res, err := o.Put(t.Context(), m.snapshot(), bodyOf(content), opts)
		if err != nil || !res.Verified {
			t.Fatalf("got %+v, %v", res, err)
		}
		stored(t, srv, "talk.mp4", content)
		_, err = o.Put(t.Context(), m.snapshot(), bodyOf(content), opts)
		if e := wantError(t, err, Permanent); e.Code != "FileAlreadyExists" {
			t.Errorf("got %v", e)
		}
	})
}

func TestServiceAbort(t *testing.T) {
	_, o := modes["V4"].service(t, "talk.mp4", nil)
	key := modes["V4"].snapshot()
	init, err := o.Initiate(t.Context(), key, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Abort(t.Context(), key, init.UploadID); err != nil {
		t.Fatal(err)
	}
	_, err = o.UploadPart(t.Context(), key, init.UploadID, 1, bodyOf("x"), nil)
	wantError(t, err, Restart)
	_, err = o.ListParts(t.Context(), key, init.UploadID)
	wantError(t, err, Restart)
	_, err = o.Head(t.Context(), key)
	if e := wantError(t, err, Permanent); e.Status != 404 || e.Code != "NoSuchKey" {
		t.Errorf("got %v", e)
	}
}

func TestServiceSkew(t *testing.T) {
	for name, skew := range map[string]time.Duration{
		"20 minutes behind": -20 * time.Minute, "20 minutes ahead": 20 * time.Minute,
		"a day behind": -24 * time.Hour, "a day ahead": 24 * time.Hour,
	} {
		eachMode(t, func(t *testing.T, m mode) {
			t.Run(name, func(t *testing.T) {
				srv, o := m.service(t, "talk.mp4", nil)
				srv.Inject(osstest.ClockSkew(osstest.AnyOp, skew))
				_, err := o.Put(t.Context(), m.snapshot(), bodyOf("x"), nil)
				wantError(t, err, Skew)
				if _, err := o.Put(t.Context(), m.snapshot(), bodyOf("x"), nil); err != nil {
					t.Errorf("corrected: %v", err)
				}
				other, err := o.client.Object(target.Target{Endpoint: o.target.Endpoint, Region: m.region, Bucket: "media", Object: "b"})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := other.Put(t.Context(), m.snapshot(), bodyOf("x"), nil); err != nil {
					t.Errorf("another object of the endpoint: %v", err)
				}
				srv.AssertFired(t)
			})
		})
	}
}

// A server whose Date header does not agree with its own idea of the time cannot be
// pleased, and must not be asked for ever.
func TestSkewThatCannotBeCorrected(t *testing.T) {
	o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		refuse(w, 403, "RequestTimeTooSkewed", "Too large.")
	}), nil)
	_, err := putPart(t.Context(), o, bodyOf("x"))
	wantError(t, err, Permanent)
}

func TestServiceCredentials(t *testing.T) {
	m := modes["V4, temporary"]
	srv, o := m.service(t, "talk.mp4", nil)
	srv.AddKey(osstest.Key{AccessKeyID: "STS.new", AccessKeySecret: "new-secret", SecurityToken: "new-token+/="})
	old := m.snapshot()
	if _, err := o.Put(t.Context(), old, bodyOf("x"), nil); err != nil {
		t.Fatal(err)
	}
	srv.ExpireKey(old.AccessKeyID)
	_, err := o.Put(t.Context(), old, bodyOf("x"), nil)
	if e := wantError(t, err, Token); e.Generation != 1 || e.Code != "SecurityTokenExpired" {
		t.Errorf("got %v", e)
	}
	fresh := Snapshot{Credentials: sts.Credentials{AccessKeyID: "STS.new", AccessKeySecret: "new-secret", SecurityToken: "new-token+/="}, Generation: 2}
	if _, err := o.Put(t.Context(), fresh, bodyOf("x"), nil); err != nil {
		t.Errorf("with new credentials: %v", err)
	}
	srv.RevokeKey(old.AccessKeyID)
	_, err = o.Put(t.Context(), old, bodyOf("x"), nil)
	wantError(t, err, Token)
	wrong := fresh
	wrong.AccessKeySecret = "other-secret"
	_, err = o.Put(t.Context(), wrong, bodyOf("x"), nil)
	if e := wantError(t, err, Permanent); e.Code != "SignatureDoesNotMatch" || strings.Contains(e.Error(), "other-secret") {
		t.Errorf("got %v", e)
	}
}

// Requests with different credentials continue at the same time, each signed by its own.
func TestServiceManyAtOnce(t *testing.T) {
	m := modes["V4, temporary"]
	srv, o := m.service(t, "talk.mp4", nil)
	srv.AddKey(osstest.Key{AccessKeyID: "STS.new", AccessKeySecret: "new-secret", SecurityToken: "new-token+/="})
	keys := []Snapshot{
		m.snapshot(),
		{Credentials: sts.Credentials{AccessKeyID: "STS.new", AccessKeySecret: "new-secret", SecurityToken: "new-token+/="}, Generation: 2},
	}
	init, err := o.Initiate(t.Context(), keys[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 10 {
				_, err := o.UploadPart(t.Context(), keys[(n+i)%2], init.UploadID, n*10+i+1, bodyOf(data(10_000)), nil)
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	parts, err := o.ListParts(t.Context(), keys[0], init.UploadID)
	if err != nil || len(parts) != 80 {
		t.Errorf("got %d parts, %v", len(parts), err)
	}
}

// The names of real endpoints are used as virtual hosts, with the region read from them.
func TestServiceVirtualHost(t *testing.T) {
	srv := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	t.Cleanup(srv.Close)
	var hosts []string
	tr := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		hosts = append(hosts, addr)
		return (&net.Dialer{}).DialContext(ctx, network, strings.TrimPrefix(srv.URL, "http://"))
	}}
	t.Cleanup(tr.CloseIdleConnections)
	c := NewClient(&Options{HTTPClient: &http.Client{Transport: tr}})
	e, err := target.ParseEndpoint("http://oss-cn-hangzhou.aliyuncs.com")
	if err != nil {
		t.Fatal(err)
	}
	o, err := c.Object(target.Target{Endpoint: e, Bucket: "media", Object: "a/b c"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Put(t.Context(), modes["V4"].snapshot(), bodyOf("x"), nil); err != nil {
		t.Fatal(err)
	}
	if len(hosts) != 1 || hosts[0] != "media.oss-cn-hangzhou.aliyuncs.com:80" {
		t.Errorf("dialed %v", hosts)
	}
	if _, ok := srv.Object("media", "a/b c"); !ok {
		t.Error("the object is not there")
	}
}

// Each kind of fault that osstest knows ends in an *Error with a class that goes with
// it, or passes: with a request, and a text of one line without secrets.
func TestServiceFaults(t *testing.T) {
	m := modes["V4, temporary"]
	for _, kind := range osstest.FaultKinds() {
		for op, call := range map[osstest.Op]func(o *Object, id string) error{
			osstest.OpInitiateMultipartUpload: func(o *Object, _ string) error {
				_, err := o.Initiate(t.Context(), m.snapshot(), nil)
				return err
			},
			osstest.OpUploadPart: func(o *Object, id string) error {
				_, err := o.UploadPart(t.Context(), m.snapshot(), id, 1, bodyOf(data(200_000)), nil)
				return err
			},
			osstest.OpListParts: func(o *Object, id string) error {
				_, err := o.ListParts(t.Context(), m.snapshot(), id)
				return err
			},
		} {
			t.Run(fmt.Sprintf("%s/%s", op, kind.Name), func(t *testing.T) {
				t.Parallel()
				srv, o := m.service(t, "talk.mp4", nil)
				init, err := o.Initiate(t.Context(), m.snapshot(), nil)
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(kind.Name, "hang") {
					o.client.stall = testStall
				}
				srv.Inject(kind.New(op))
				err = call(o, init.UploadID)
				if err == nil {
					return
				}
				e, ok := err.(*Error)
				if !ok {
					t.Fatalf("got %T %v", err, err)
				}
				transient := []Class{Retry, Throttle, Stale, Skew, Restart}
				if slices.Contains(transient, e.Class) != kind.Transient {
					t.Errorf("got class %v, want it transient: %t: %v", e.Class, kind.Transient, e)
				}
				if strings.Contains(e.Error(), m.key.SecurityToken) || strings.ContainsAny(e.Error(), "\r\n") {
					t.Errorf("got %q", e)
				}
			})
		}
	}
}
