package upload_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// sentIn returns the bytes per second that are sent in a time.
func sentIn(c *upload.Client, id upload.FileID, d time.Duration) float64 {
	before := must(c.File(id)).Sent
	time.Sleep(d)
	return float64(must(c.File(id)).Sent-before) / d.Seconds()
}

func TestSetBandwidthLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newDirectTestbed(t)
		b.opts.BandwidthLimit = 100 * kib
		c := b.client()
		ids := b.add(c, b.bytesOf("talk", 20_000*kib))
		if err := c.Start(b.ctx); err != nil {
			t.Fatal(err)
		}
		for _, limit := range []int64{100 * kib, 1000 * kib, 50 * kib, 2 * kib} {
			if err := c.SetBandwidthLimit(limit); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			if got := sentIn(c, ids[0], 8*time.Second); got < 0.75*float64(limit) || got > 1.25*float64(limit) {
				t.Errorf("a second after SetBandwidthLimit(%d): %.0f bytes/s", limit, got)
			}
		}
		begin := time.Now()
		if err := errors.Join(c.SetBandwidthLimit(0), c.Wait(b.ctx)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("without a limit the rest took %v", took)
		}
	})
}

func TestFollowTimetable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // its clock begins at midnight UTC
		midnight := time.Now()
		at := func(minute int) string {
			return midnight.Add(time.Duration(minute) * time.Minute).Local().Format("15:04")
		}
		b := newDirectTestbed(t)
		c := b.client()
		ids := b.add(c, b.bytesOf("talk", 70_000*kib))
		ctx, cancel := context.WithCancel(b.ctx)
		defer cancel()
		check := func(when string, limit int64) {
			t.Helper()
			time.Sleep(time.Second)
			if got := sentIn(c, ids[0], 8*time.Second); got < 0.75*float64(limit) || got > 1.25*float64(limit) {
				t.Errorf("%s: %.0f bytes/s, want %d", when, got, limit)
			}
		}
		until := func(minute int) {
			time.Sleep(time.Until(midnight.Add(time.Duration(minute) * time.Minute)))
		}
		if err := errors.Join(c.FollowTimetable(ctx, must(upload.ParseTimetable(at(0)+",40K "+at(1)+",20K "+at(2)+",30K"))), c.Start(b.ctx)); err != nil {
			t.Fatal(err)
		}
		check("at once", 40*kib)
		until(1)
		check("after the first change", 20*kib)
		if err := c.SetBandwidthLimit(10 * kib); err != nil {
			t.Fatal(err)
		}
		check("after a change by hand", 10*kib)
		until(2)
		check("after the next change", 30*kib)
		if err := c.FollowTimetable(ctx, must(upload.ParseTimetable(at(0)+",60K "+at(3)+",5K"))); err != nil {
			t.Fatal(err)
		}
		check("with another table", 60*kib)
		cancel()
		until(3)
		check("after the end of the context", 60*kib)
		if err := c.FollowTimetable(b.ctx, upload.Timetable{}); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if err := c.Wait(b.ctx); err != nil || time.Since(begin) > time.Second {
			t.Errorf("with the zero table, Wait returned %v after %v", err, time.Since(begin))
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := c.FollowTimetable(b.ctx, upload.Timetable{}); !errors.Is(err, upload.ErrClosed) {
			t.Errorf("after Close: got %v, want ErrClosed", err)
		}
		if err := c.FollowTimetable(ctx, upload.Timetable{}); !errors.Is(err, context.Canceled) {
			t.Errorf("with an ended context: got %v, want its cause", err)
		}
	})
}

func TestBandwidthLimitTooLow(t *testing.T) {
	for _, limit := range []int64{-1, 1, 1023} {
		_, err := upload.New(&upload.Options{BandwidthLimit: limit})
		if !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), "Options.BandwidthLimit: got ") {
			t.Errorf("New with %d: got %v, want ErrInvalidArgument", limit, err)
		}
		c := newTestbed(t).client()
		err = c.SetBandwidthLimit(limit)
		if !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), "want 0 for no limit, or 1024 or more") {
			t.Errorf("SetBandwidthLimit(%d): got %v, want ErrInvalidArgument", limit, err)
		}
		if err := errors.Join(c.SetBandwidthLimit(upload.MinBandwidthLimit), c.Close()); err != nil {
			t.Error(err)
		}
		if err := c.SetBandwidthLimit(0); !errors.Is(err, upload.ErrClosed) {
			t.Errorf("after Close: got %v, want ErrClosed", err)
		}
	}
}
