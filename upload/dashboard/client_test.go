package dashboard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/dashboard"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/uploadtest"
)

const kib = 1 << 10

// get asks a dashboard as a program on this machine does.
func get(t *testing.T, d http.Handler, path string) string {
	t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	r.Host, r.RemoteAddr = "localhost", "127.0.0.1:4000"
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: status %d: %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

// TestClient lets a client's uploads go well and wrong, and compares what the dashboard
// says with what the server has seen.
func TestClient(t *testing.T) {
	const secret, token = "SECRETSECRETSECRET", "TOKENTOKENTOKEN"
	key := osstest.Key{AccessKeyID: "STS.id", AccessKeySecret: secret, SecurityToken: token, Expires: time.Now().Add(time.Hour)}
	server := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}, Keys: []osstest.Key{key}})
	defer server.Close()
	server.Inject(
		osstest.Fail(osstest.OpUploadPart, 500, "InternalError").Part(2),
		osstest.Fail(osstest.OpPutObject, 403, "AccessDenied").Key("in/forbidden.mp4"),
		// The last of its parts to be sent: another may be on its way when the file fails.
		osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Key("in/half.mp4").Nth(5),
	)
	recorder := dashboard.NewRecorder()
	opts := uploadtest.Options(key)
	opts.Parallel, opts.Observer = 1, recorder.Observer()
	opts.Credentials = sts.Static(sts.Credentials{AccessKeyID: key.AccessKeyID, AccessKeySecret: secret, SecurityToken: token, Expiration: key.Expires})
	client, err := upload.New(&opts)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i, f := range []struct {
		name string
		size int64
	}{{"film.mp4", 250 * kib}, {"forbidden.mp4", 10 * kib}, {"half.mp4", 500 * kib}} {
		_, err := client.AddFile(upload.File{Path: "/in/" + f.name, Source: upload.NewSource(bytes.NewReader(make([]byte, f.size)), f.size, f.name),
			Endpoint: server.URL, Bucket: "media", Object: "in/" + f.name, Tag: struct{ Password string }{secret},
			Options: &upload.ObjectOptions{Metadata: map[string]string{"note": secret}}})
		if err != nil {
			t.Fatalf("file %d: %v", i, err)
		}
	}
	d, err := dashboard.New(client, &dashboard.Options{Recorder: recorder,
		Sweeps: []upload.SweepOptions{{Endpoint: server.URL, Bucket: "media", OlderThan: -1}}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = client.Wait(t.Context()) // two files fail
	left := server.Uploads("media")
	if len(left) != 1 {
		t.Fatalf("%d uploads are unfinished, want that of half.mp4", len(left))
	}
	awaitParts(t, d, 3, partsAt(left[0], 5))

	text := get(t, d, "/state?file=3")
	var state struct {
		Figures struct {
			State    string
			Files    map[string]int
			Acked    int64
			Requests int64
			Expires  int64
			Retries  map[string]int
		}
		Files    []struct{ Path, State, Code, RequestID string }
		Problems []struct {
			Op, Code, RequestID string
			Part, Status        int
		}
	}
	if err := json.Unmarshal([]byte(text), &state); err != nil {
		t.Fatal(err)
	}
	f := state.Figures
	if f.State != "finished" || f.Files["failed"] != 2 || f.Files["succeeded"] != 1 || f.Acked != 250*kib+bytesAt(left[0]) || f.Requests != int64(len(server.Requests())) || f.Retries["InternalError"] != 1 {
		t.Errorf("figures %+v; the server has got %d requests", f, len(server.Requests()))
	}
	if f.Expires != key.Expires.UnixMilli() {
		t.Errorf("the token expires at %d, want %d", f.Expires, key.Expires.UnixMilli())
	}
	if len(state.Problems) != 3 || len(state.Files) != 3 {
		t.Fatalf("%d problems, %d files", len(state.Problems), len(state.Files))
	}
	known := make(map[string]bool)
	for _, r := range server.Requests() {
		known[r.RequestID] = true
	}
	for _, p := range state.Problems {
		if !known[p.RequestID] || p.Status == 0 || p.Code == "" {
			t.Errorf("problem %+v", p)
		}
	}
	all := text + get(t, d, "/files?q=film") + get(t, d, "/leftovers") + events(t, d) + fmt.Sprintf("%+v %#v", d, recorder)
	for _, forbidden := range []string{secret, token, "Signature", "Authorization"} {
		if strings.Contains(all, forbidden) {
			t.Errorf("%q is in what is shown", forbidden)
		}
	}
}

// partsAt is the map of an upload of count parts, of which the server has some.
func partsAt(u osstest.Upload, count int) (text string) {
	states := bytes.Repeat([]byte("m"), count)
	for _, p := range u.Parts {
		states[p.Number-1] = 'a'
	}
	for i := 0; i < count; {
		n := 1
		for i+n < count && states[i+n] == states[i] {
			n++
		}
		text += fmt.Sprintf("%d%c", n, states[i])
		i += n
	}
	return text
}

func bytesAt(u osstest.Upload) (n int64) {
	for _, p := range u.Parts {
		n += p.Size
	}
	return n
}

// An untilParts ends its request when it has been sent parts.
type untilParts struct {
	*httptest.ResponseRecorder
	end func()
}

const withParts = "event: parts\ndata: {"

func (w untilParts) Flush() {
	if strings.Contains(w.Body.String(), withParts) {
		w.end()
	}
}

// events returns the beginning of a stream.
func events(t *testing.T, d http.Handler) string {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r := httptest.NewRequest("GET", "/events?file=1", nil).WithContext(ctx)
	r.Host, r.RemoteAddr = "localhost", "127.0.0.1:4000"
	w := untilParts{httptest.NewRecorder(), cancel}
	d.ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), withParts) {
		t.Errorf("the stream has no parts: %s", w.Body)
	}
	return w.Body.String()
}

// A request that failed is to be seen while its file is under way.
func TestRecorderSeesParts(t *testing.T) {
	server := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	defer server.Close()
	hang := osstest.Hang(osstest.OpUploadPart).Part(3).BeforeWork()
	server.Inject(hang, osstest.Fail(osstest.OpUploadPart, 500, "InternalError").Part(2))
	recorder := dashboard.NewRecorder()
	opts := uploadtest.Options(osstest.DefaultKey)
	opts.Parallel, opts.Observer, opts.RetryInterval, opts.StallTimeout = 2, recorder.Observer(), time.Minute, time.Minute
	client, err := upload.New(&opts)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	d, err := dashboard.New(client, &dashboard.Options{Recorder: recorder})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	_, err = client.AddFile(upload.File{Path: "/in/a.mp4", Source: upload.NewSource(bytes.NewReader(make([]byte, 500*kib)), 500*kib, "a"),
		Endpoint: server.URL, Bucket: "media", Object: "a.mp4"})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-hang.Fired()
	awaitParts(t, d, 1, "1a1t1f2a")
	if err := client.Pause(); err != nil {
		t.Fatal(err)
	}
	awaitParts(t, d, 1, "1a2m2a")
	if err := client.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := client.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitParts(t, d, 1, "1r2a2r")
}

func awaitParts(t *testing.T, d http.Handler, file upload.FileID, want string) {
	t.Helper()
	got := ""
	for range 1000 {
		var s struct{ Parts struct{ Parts string } }
		if err := json.Unmarshal([]byte(get(t, d, fmt.Sprintf("/state?file=%d", file))), &s); err != nil {
			t.Fatal(err)
		}
		if got = s.Parts.Parts; got == want {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the parts are %q, want %q", got, want)
}
