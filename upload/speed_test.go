package upload_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestBandwidthLimitHoldsForAllFilesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newDirectTestbed(t)
		b.opts.BandwidthLimit = 400 * kib
		c := b.client()
		for i := range 4 { // of parts and of one request, 4,000 KiB in all
			b.add(c, b.bytesOf(fmt.Sprint("parts", i), 900*kib), b.bytesOf(fmt.Sprint("small", i), 100*kib))
		}
		begin := time.Now()
		if err := errors.Join(c.Start(b.ctx), c.Wait(b.ctx)); err != nil {
			t.Fatal(err)
		}
		if off := time.Since(begin).Seconds()/10 - 1; off < -0.03 || off > 0.03 {
			t.Errorf("what takes 10 s took %v", time.Since(begin))
		}
	})
}

func TestBandwidthLimitDoesNotHoldUpStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newDirectTestbed(t)
		b.opts.BandwidthLimit = upload.MinBandwidthLimit
		c := b.client()
		b.add(c, b.bytesOf("talk", 900*kib))
		begin := time.Now()
		if err := c.Start(b.ctx); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if err := errors.Join(c.Stop(), c.Close()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > 11*time.Second {
			t.Errorf("Stop and Close took %v", took-10*time.Second)
		}
	})
}

// TestAutoPaysWhereTheServerIsFar sends small files that each take 50 ms, in fake
// time: what this machine can do does not count.
func TestAutoPaysWhereTheServerIsFar(t *testing.T) {
	took := make(map[int]time.Duration)
	for _, parallel := range []int{upload.DefaultParallel, upload.Auto} {
		synctest.Test(t, func(t *testing.T) {
			b := newDirectTestbed(t)
			b.opts.Parallel = parallel
			b.server.Inject(osstest.Delay(osstest.AnyOp, 50*time.Millisecond).Always())
			c := b.client()
			for i := range 1_000 {
				b.add(c, b.bytesOf(fmt.Sprint(i), 100))
			}
			begin := time.Now()
			if err := errors.Join(c.Start(b.ctx), c.Wait(b.ctx)); err != nil {
				t.Fatal(err)
			}
			took[parallel] = time.Since(begin)
			if n := b.server.MaxInFlight(); n > 64 {
				t.Errorf("%d requests in flight, want at most 64", n)
			}
		})
	}
	fixed, auto := took[upload.DefaultParallel], took[upload.Auto]
	if fixed != 10*time.Second {
		t.Errorf("1,000 files of 50 ms, 5 at a time, took %v, want 10 s", fixed)
	}
	t.Logf("%v with 5 in flight, %v with Auto", fixed, auto)
	if auto > fixed/4 {
		t.Errorf("with Auto they took %v, want a quarter of %v at most", auto, fixed)
	}
}
