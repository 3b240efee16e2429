package jetstream_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet/fleettest"
	"github.com/vodupload/vodupload/upload/fleet/jetstream"
	"github.com/vodupload/vodupload/upload/osstest"
)

var (
	films = flag.Int("films", 4, "how many films are uploaded while nodes fail")
	away  = flag.Duration("away", 2*time.Second, "how long nodes are away")
	long  = flag.Bool("long", false, "run the tests of nodes that take half a minute, too")
)

// TestWorkerCutOffFromTheEngine has a worker that reaches OSS and no longer the engine.
func TestWorkerCutOffFromTheEngine(t *testing.T) {
	t.Parallel()
	cluster := fleettest.Start(t, 1)
	proxy := cluster.Proxy()
	far, near := proxy.Connect(), cluster.Connect()
	t.Cleanup(far.Close)
	t.Cleanup(near.Close)
	oss := newSlowOSS(t, 100*time.Millisecond)
	path := film(t, 100)
	o := jetstream.Options{Namespace: namespace(), Lease: 3 * time.Second}
	next := open(t, near, o)

	first := sending(t, open(t, far, o), oss.url, path, "film.mp4")
	within(t, "some parts were sent", func() bool { return oss.parts() >= 5 })
	cut := time.Now()
	proxy.Partition()
	_, err := first()
	if !errors.Is(err, upload.ErrClaimLost) {
		t.Errorf("error is %v, want ErrClaimLost", err)
	}
	if last := oss.lastChange().Sub(cut); last > o.Lease {
		t.Errorf("the last request to OSS came %v after the worker was cut off, its lease is for %v", last, o.Lease)
	}

	oss.pause.Store(0)
	r, err := send(t.Context(), next, oss.url, path, "film.mp4")
	noError(t, "upload by another worker", err)
	if r.ResumedParts < 5 {
		t.Errorf("%d parts were resumed, want at least 5", r.ResumedParts)
	}
	oss.checkObject(t, path, "film.mp4")
	if left := oss.Uploads("media"); len(left) > 0 {
		t.Errorf("%d uploads are left", len(left))
	}
}

// TestWorkerCutOffFromOSS is the reverse: the claim stays, and so does the upload.
func TestWorkerCutOffFromOSS(t *testing.T) {
	t.Parallel()
	oss := newSlowOSS(t, 0)
	nc := connect(t, node)
	o := jetstream.Options{Namespace: namespace(), Lease: 6 * time.Second}
	store := open(t, nc, o)
	path := film(t, 20)
	oss.pause.Store(int64(7 * time.Second)) // longer than a lease
	first := sending(t, store, oss.url, path, "film.mp4")
	within(t, "the upload is under way", func() bool { return len(oss.Uploads("media")) > 0 })
	other := open(t, nc, o)
	if _, err := other.Open(t.Context(), keyOf(t, store)); err == nil {
		t.Error("another worker got the claim")
	}
	oss.pause.Store(0)
	_, err := first()
	noError(t, "upload", err)
	oss.checkObject(t, path, "film.mp4")
}

// TestLostInitiateIsAborted: an upload that was made at the server for a run that got no
// answer goes with the next run of the file, which has to ask its claim before it aborts.
func TestLostInitiateIsAborted(t *testing.T) {
	t.Parallel()
	oss := newSlowOSS(t, 0)
	store := open(t, connect(t, node), jetstream.Options{Namespace: namespace()})
	path := film(t, 3)
	lost := osstest.Hang(osstest.OpInitiateMultipartUpload).AfterWork()
	oss.Inject(lost)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() {
		_, err := send(ctx, store, oss.url, path, "film.mp4")
		ended <- err
	}()
	<-lost.Fired()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the first run: %v", err)
	}
	lost.Release()
	if n := len(oss.Uploads("media")); n != 1 {
		t.Fatalf("%d uploads after the first run, want the one that it does not know of", n)
	}
	_, err := send(t.Context(), store, oss.url, path, "film.mp4")
	noError(t, "the second run", err)
	oss.checkObject(t, path, "film.mp4")
	if left := oss.Uploads("media"); len(left) > 0 {
		t.Errorf("%d uploads are left", len(left))
	}
}

// nodesFail has films uploaded by two workers while the nodes of a cluster fail.
func nodesFail(t *testing.T, cluster *fleettest.Cluster) {
	oss := newSlowOSS(t, 0)
	nc, nc2 := cluster.Connect(), cluster.Connect()
	t.Cleanup(nc.Close)
	t.Cleanup(nc2.Close)
	o := jetstream.Options{Namespace: namespace()}
	stores := []*jetstream.Store{open(t, nc, o), open(t, nc2, o)}

	// load uploads films, which end only after during has returned.
	load := func(t *testing.T, store func(i int) *jetstream.Store, during func()) (path string, results []error) {
		t.Helper()
		path = film(t, 60)
		oss.pause.Store(int64(200 * time.Millisecond))
		ends := make([]func() (upload.Result, error), *films)
		for i := range ends {
			ends[i] = sending(t, store(i), oss.url, path, fmt.Sprint(i, ".mp4"))
		}
		within(t, "all films have a part", func() bool {
			under := slices.DeleteFunc(oss.Uploads("media"), func(u osstest.Upload) bool { return len(u.Parts) == 0 })
			return len(under) == *films
		})
		during()
		for _, end := range ends {
			_, err := end()
			results = append(results, err)
		}
		return path, results
	}
	succeed := func(t *testing.T, during func()) {
		t.Helper()
		path, errs := load(t, func(i int) *jetstream.Store { return stores[i%2] }, func() {
			during()
			oss.pause.Store(0)
		})
		for i, err := range errs {
			if err != nil {
				t.Errorf("film %d: %v", i, err)
				continue
			}
			oss.checkObject(t, path, fmt.Sprint(i, ".mp4"))
		}
	}

	if !*long {
		t.Log("ways to fail are left out, which take elections: run with -args -long")
		return
	}
	t.Run("the leader is killed: no claim is lost", func(t *testing.T) {
		succeed(t, func() {
			leader := cluster.Leader("VU_" + o.Namespace)
			cluster.Kill(leader)
			time.Sleep(*away) // the films are under way meanwhile
			cluster.Restart(leader)
		})
	})
	cluster.Ready()
	t.Run("the leader is stopped: no claim is lost", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			t.Skip("processes cannot be stopped")
		}
		succeed(t, func() {
			leader := cluster.Leader("VU_" + o.Namespace)
			cluster.Stop(leader)
			time.Sleep(*away)
			within(t, "the others have a leader", func() bool {
				_, err := stores[0].Has(t.Context(), key)
				return err == nil
			})
			cluster.Continue(leader)
		})
	})
	t.Run("two of three are gone: holders stop, and resume afterwards", func(t *testing.T) {
		short := o
		short.Lease = 6 * time.Second
		store := open(t, nc, short)
		var gone time.Time
		path, errs := load(t, func(int) *jetstream.Store { return store }, func() {
			cluster.Kill(0)
			cluster.Kill(1)
			gone = time.Now()
		})
		for i, err := range errs {
			if !errors.Is(err, upload.ErrClaimLost) {
				t.Errorf("film %d: error is %v, want ErrClaimLost", i, err)
			}
		}
		if last := oss.lastChange().Sub(gone); last > short.Lease {
			t.Errorf("the last request to OSS came %v after two nodes of three were gone, the leases are for %v", last, short.Lease)
		}
		time.Sleep(*away)
		cluster.Restart(0)
		cluster.Restart(1)
		cluster.Ready()
		within(t, "the stream has a leader", func() bool { // a claim waits for two thirds of the lease only
			_, err := store.Has(t.Context(), key)
			return err == nil
		})
		oss.pause.Store(0)
		for i := range errs {
			object := fmt.Sprint(i, ".mp4")
			r, err := send(t.Context(), store, oss.url, path, object)
			noError(t, "upload afterwards", err)
			if r.ResumedParts == 0 {
				t.Errorf("film %d: no part was resumed", i)
			}
			oss.checkObject(t, path, object)
		}
		if left := oss.Uploads("media"); len(left) > 0 {
			t.Errorf("%d uploads are left", len(left))
		}
	})
}
