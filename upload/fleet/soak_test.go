package fleet_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"hash/crc64"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/fleet/fleettest"
)

var soak = flag.Int("soak", 0, "how many jobs TestManyJobs takes through three nodes")

// instantOSS answers PutObject without a network: what is measured is the fleet.
type instantOSS struct{ puts atomic.Int64 }

func (o *instantOSS) RoundTrip(r *http.Request) (*http.Response, error) {
	h := crc64.New(crc64.MakeTable(crc64.ECMA))
	if r.Body != nil {
		_, _ = io.Copy(h, r.Body)
		_ = r.Body.Close()
	}
	o.puts.Add(1)
	return &http.Response{
		StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Request: r, Body: http.NoBody,
		Header: http.Header{
			"Etag": {`"0"`}, "X-Oss-Request-Id": {"1"}, "X-Oss-Hash-Crc64ecma": {strconv.FormatUint(h.Sum64(), 10)},
			"Date": {time.Now().UTC().Format(http.TimeFormat)},
		},
	}, nil
}

// TestManyJobs measures jobs per second, and memory, with a queue of -soak jobs on three
// nodes that sync each write: -args -soak=100000.
func TestManyJobs(t *testing.T) {
	if *soak == 0 {
		t.Skip("give -args -soak=100000 for a measurement of some minutes")
	}
	c := fleettest.Start(t, 3)
	nc := c.Connect()
	defer nc.Close()
	q, err := fleet.NewQueue(t.Context(), nc, &fleet.QueueOptions{Namespace: "soak"})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	var enqueuing sync.WaitGroup
	next := atomic.Int64{}
	for range 64 {
		enqueuing.Go(func() {
			for n := next.Add(1); n <= int64(*soak) && !t.Failed(); n = next.Add(1) {
				_, err := q.Enqueue(context.Background(), fleet.Job{
					Source: fmt.Sprintf("memory:///films/%d", n), Endpoint: "oss-cn-hangzhou.aliyuncs.com", Bucket: "media", Object: fmt.Sprint(n),
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	enqueuing.Wait()
	took := time.Since(start)
	t.Logf("enqueued %d jobs in %v: %.0f a second", *soak, took.Round(time.Millisecond), float64(*soak)/took.Seconds())

	oss := &instantOSS{}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	start = time.Now()
	var workers sync.WaitGroup
	for i := range 2 {
		wnc := c.Connect()
		defer wnc.Close()
		w, err := fleet.NewWorker(ctx, wnc, &fleet.WorkerOptions{
			Namespace: "soak", Name: fmt.Sprint("w", i), Files: 128, SyncAlways: true,
			Upload: upload.Options{
				Credentials: sts.Static(sts.Credentials{AccessKeyID: "id", AccessKeySecret: "secret"}),
				HTTPClient:  &http.Client{Transport: oss}, Parallel: 128,
			},
			Openers: map[string]fleet.Opener{"memory": func(_ context.Context, j fleet.Job) (upload.File, error) {
				return upload.File{Source: upload.NewSource(bytes.NewReader([]byte("film")), 4, "film")}, nil
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		workers.Go(func() { _ = w.Run(ctx) })
	}
	var most uint64
	for done := 0; done < *soak; {
		time.Sleep(2 * time.Second)
		counts, err := q.Counts(t.Context())
		if err != nil {
			t.Log(err)
			continue
		}
		done = *soak - counts.Waiting - counts.Working
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
		t.Logf("%v: %d done, heap %d KiB", time.Since(start).Round(time.Second), done, m.HeapAlloc>>10)
	}
	took = time.Since(start)
	t.Logf("%d jobs in %v: %.0f a second, %d PutObjects, heap at most %d KiB", *soak, took.Round(time.Millisecond), float64(*soak)/took.Seconds(), oss.puts.Load(), most>>10)
	if most > 64<<20 {
		t.Errorf("the heap grew to %d MiB", most>>20)
	}
	stop()
	workers.Wait()
}
