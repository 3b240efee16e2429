package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/ststest"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/dashboard"
	"github.com/vodupload/vodupload/upload/osstest"
)

const bucket = "media"

//go:embed page
var embedded embed.FS

// A demo is a client with a dashboard, and the servers that it uploads to.
type demo struct {
	http.Handler
	sts    *ststest.Server
	oss    *osstest.Server
	client *upload.Client
	page   *dashboard.Dashboard

	mu    sync.Mutex
	added int // files
	fail  int // percent of the requests
}

func newDemo(c *config) (_ *demo, err error) {
	d := &demo{sts: ststest.NewServer(nil)}
	defer func() {
		if err != nil {
			d.Close()
		}
	}()
	d.oss = osstest.NewServer(&osstest.Options{Buckets: []string{bucket}, LookupKey: d.lookup, KeepRequests: -1})
	tokens, err := sts.NewAssumeRole(sts.Static(d.sts.DefaultUser()), ststest.DefaultRole,
		&sts.AssumeRoleOptions{Endpoint: d.sts.URL, Duration: 15 * time.Minute})
	if err != nil {
		return nil, err
	}
	recorder := dashboard.NewRecorder()
	d.client, err = upload.New(&upload.Options{
		Credentials: tokens, Checkpoints: checkpoint.NewMemory(), Region: "cn-hangzhou",
		PartSize: 256 << 10, BandwidthLimit: int64(c.speed) << 20, RetryInterval: 500 * time.Millisecond,
		Observer: recorder.Observer(),
	})
	if err != nil {
		return nil, err
	}
	d.page, err = dashboard.New(d.client, &dashboard.Options{
		Recorder: recorder, Control: true,
		// What another program has left, which is not there in this one: any age counts.
		Sweeps: []upload.SweepOptions{{Endpoint: d.oss.URL, Bucket: bucket, OlderThan: -1}},
	})
	if err != nil {
		return nil, err
	}
	d.setFaults(c.fail)
	return d, d.routes()
}

// Close ends everything that newDemo has begun.
func (d *demo) Close() {
	if d.page != nil {
		d.page.Close()
	}
	if d.client != nil {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // what is under way needs no clean end: its server ends as well
		_ = d.client.Shutdown(ctx)
	}
	if d.oss != nil {
		d.oss.Close()
	}
	d.sts.Close()
}

func (d *demo) lookup(id, token string) (osstest.Key, bool) {
	k, ok := d.sts.Lookup(id, token)
	return osstest.Key{AccessKeyID: k.AccessKeyID, AccessKeySecret: k.AccessKeySecret,
		SecurityToken: k.SecurityToken, Expires: k.Expires, Policy: k.Policy}, ok
}

// routes mounts the dashboard beside the page with the slider.
func (d *demo) routes() error {
	files, err := fs.Sub(embedded, "page")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServerFS(files))
	mux.HandleFunc("GET /faults", d.serveFaults)
	mux.HandleFunc("POST /faults", d.changeFaults)
	mux.HandleFunc("POST /files", d.addFiles)
	mux.Handle("/dashboard/", http.StripPrefix("/dashboard", d.page))
	d.Handler = http.NewCrossOriginProtection().Handler(guarded(mux))
	return nil
}

// guarded lets the page load only what is its own, and answers under no name that somebody
// else could have pointed here.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.Host) {
			http.Error(w, "not under this name", http.StatusMisdirectedRequest)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// faults are what the slider says.
type faults struct {
	Percent int `json:"percent"`
}

func (d *demo) serveFaults(w http.ResponseWriter, _ *http.Request) {
	d.mu.Lock()
	now := faults{d.fail}
	d.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(now)
}

func (d *demo) changeFaults(w http.ResponseWriter, r *http.Request) {
	var want faults
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&want); err != nil || want.Percent < 0 || want.Percent > 100 {
		http.Error(w, `want {"percent": 0 to 100}`, http.StatusBadRequest)
		return
	}
	d.setFaults(want.Percent)
	w.WriteHeader(http.StatusNoContent)
}

// setFaults has so many requests in a hundred fail, in several ways.
func (d *demo) setFaults(percent int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = percent
	d.oss.ClearFaults()
	d.oss.Inject(osstest.Delay(osstest.AnyOp, 30*time.Millisecond).Always())
	if percent == 0 {
		return
	}
	p := float64(percent) / 100
	d.oss.Inject(
		osstest.Fail(osstest.OpUploadPart, 500, "InternalError").Always().Probability(p/2),
		osstest.Fail(osstest.OpPutObject, 500, "InternalError").Always().Probability(p),
		osstest.Reset(osstest.OpUploadPart).InBody(64<<10).Always().Probability(p/4),
		osstest.Throttle(osstest.OpUploadPart, time.Second).Always().Probability(p/4),
	)
}

// addFiles adds some more.
func (d *demo) addFiles(w http.ResponseWriter, _ *http.Request) {
	if err := d.add(20); err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// add adds files to the list: small ones, and some of many parts.
func (d *demo) add(n int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []error
	for range n {
		i := d.added
		d.added++
		size := int64(40+i*37%400) << 10
		if i%4 == 0 {
			size = int64(24+i*13%90) << 20
		}
		name := fmt.Sprintf("camera-%d/clip %04d.mp4", i%3+1, i+1)
		_, err := d.client.AddFile(upload.File{
			Path: name, Source: upload.NewSource(noise(uint64(i)), size, name),
			Endpoint: d.oss.URL, Bucket: bucket, Object: "in/" + name,
		})
		all = append(all, err)
	}
	return errors.Join(all...)
}

// noise is bytes without end that take no memory, and differ from file to file.
type noise uint64

func (n noise) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		x := (uint64(off)+uint64(i))/8 + uint64(n)<<40
		x ^= x >> 31
		x *= 0x9e3779b97f4a7c15
		p[i] = byte(x >> (8 * (uint64(off+int64(i)) % 8)))
	}
	return len(p), nil
}
