package upload_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
)

// A waitingLog keeps what OnWaiting was called with.
type waitingLog struct {
	mu    sync.Mutex
	calls []upload.Waiting
}

func (l *waitingLog) add(_ *upload.Client, f upload.FileInfo, w upload.Waiting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.Waiting == nil {
		w.Err = errors.New("FileInfo.Waiting is nil")
	}
	l.calls = append(l.calls, w)
}

// text is one line for each call, with the time since begin.
func (l *waitingLog) text(begin time.Time) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, w := range l.calls {
		fmt.Fprintf(&b, "%v since %v: %v\n", w.For, w.Since.Sub(begin), w.Err)
	}
	return b.String()
}

// failingProvider is a provider that fails until it gives a key.
func failingProvider(times int, err error) sts.Provider {
	return sts.ProviderFunc(func(context.Context) (sts.Credentials, error) {
		if times--; times >= 0 {
			return sts.Credentials{}, err
		}
		return defaultKey, nil
	})
}

// TestWaitingForCredentials is visible at each failed attempt, and ends.
func TestWaitingForCredentials(t *testing.T) {
	down := errors.New("app server down")
	synctest.Test(t, func(t *testing.T) {
		b := newDirectTestbed(t)
		var log waitingLog
		b.opts.Callbacks.OnWaiting = log.add
		b.opts.Credentials = failingProvider(3, down)
		c := b.client()
		id := b.add(c, b.bytesOf("a", 250*kib))[0]
		begin := time.Now()
		if err := c.Start(b.ctx); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		f := must(c.File(id))
		if w := f.Waiting; w == nil || w.For != upload.WaitCredentials || !w.Since.Equal(begin) || w.Err != down {
			t.Errorf("the file waits for %v, want credentials since the start, and the provider's error", w)
		}
		if err := c.Wait(b.ctx); err != nil {
			t.Fatal(err)
		}
		if w := must(c.File(id)).Waiting; w != nil {
			t.Errorf("the file waits for %v after its end", w)
		}
		const one = "credentials since 0s: app server down\n"
		if got := log.text(begin); got != one+one+one {
			t.Errorf("OnWaiting was called for\n%s, want three times\n%s", got, one)
		}
	})
}

// TestWaitingIsReportedBeforeAnAttemptFails, but not if it is over at once.
func TestWaitingIsReportedBeforeAnAttemptFails(t *testing.T) {
	for name, tt := range map[string]struct {
		takes time.Duration
		want  string
	}{
		"a provider that takes an hour": {time.Hour, "credentials since 0s: <nil>\n"},
		"one that answers soon":         {50 * time.Millisecond, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newDirectTestbed(t)
				var log waitingLog
				b.opts.Callbacks.OnWaiting = log.add
				b.opts.TokenWait = 2 * time.Hour
				b.opts.Credentials = sts.ProviderFunc(func(ctx context.Context) (sts.Credentials, error) {
					time.Sleep(tt.takes)
					return defaultKey, nil
				})
				c := b.client()
				begin := time.Now()
				if _, err := c.Upload(b.ctx, b.bytesOf("a", kib)); err != nil {
					t.Fatal(err)
				}
				if got := log.text(begin); got != tt.want {
					t.Errorf("OnWaiting was called for %q, want %q", got, tt.want)
				}
			})
		})
	}
}

// TestWaitingForADestination that OnStarted does not give, and that it gives late.
func TestWaitingForADestination(t *testing.T) {
	for name, late := range map[string]bool{"from elsewhere": false, "from OnStarted, after a while": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newDirectTestbed(t)
				f := b.bytesOf("a", kib)
				give := func(c *upload.Client, id upload.FileID) {
					time.Sleep(time.Second)
					if err := c.SetDestination(id, directEndpoint, bucket, "a"); err != nil {
						t.Error(err)
					}
				}
				var log waitingLog
				b.opts.Callbacks.OnWaiting = log.add
				if late {
					b.opts.Callbacks.OnStarted = func(c *upload.Client, f upload.FileInfo) { give(c, f.ID) }
				}
				c := b.client()
				f.Endpoint, f.Bucket, f.Object = "", "", ""
				id := b.add(c, f)[0]
				begin := time.Now()
				if err := c.Start(b.ctx); err != nil {
					t.Fatal(err)
				}
				want := ""
				if !late {
					want = "destination since 0s: <nil>\n"
					give(c, id)
				}
				if err := c.Wait(b.ctx); err != nil {
					t.Fatal(err)
				}
				if got := log.text(begin); got != want {
					t.Errorf("OnWaiting was called for %q, want %q", got, want)
				}
			})
		})
	}
}

// TestPermanentErrorsEndTheWait within seconds.
func TestPermanentErrorsEndTheWait(t *testing.T) {
	for name, err := range map[string]error{
		"401":              &sts.AppServerError{Server: "http://app/tokens", Status: 401},
		"404":              &sts.AppServerError{Server: "http://app/tokens", Status: 404},
		"an answer":        fmt.Errorf("%w: not JSON", sts.ErrAnswer),
		"by the Provider":  fmt.Errorf("%w: the account is closed", sts.ErrPermanent),
		"nothing is there": sts.ErrNotConfigured,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newDirectTestbed(t)
				b.opts.Credentials = failingProvider(1000, err)
				c := b.client()
				begin := time.Now()
				_, got := c.Upload(b.ctx, b.bytesOf("a", kib))
				if took := time.Since(begin); took > 5*time.Second {
					t.Errorf("it took %v", took)
				}
				if !errors.Is(got, upload.ErrNoCredentials) || !errors.Is(got, err) {
					t.Errorf("got %v, want ErrNoCredentials and %v", got, err)
				}
			})
		})
	}
	t.Run("one that passes does not fail the file", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newDirectTestbed(t)
			b.opts.Credentials = failingProvider(3, &sts.AppServerError{Status: 404})
			if _, err := b.client().Upload(b.ctx, b.bytesOf("a", kib)); err != nil {
				t.Error(err)
			}
		})
	})
}

// TestEndOfAContextNamesTheWait wherever it ends one.
func TestEndOfAContextNamesTheWait(t *testing.T) {
	down := errors.New("app server down")
	for name, call := range map[string]func(b *testbed, c *upload.Client, ctx context.Context) error{
		"Upload": func(b *testbed, c *upload.Client, ctx context.Context) error {
			_, err := c.Upload(ctx, b.bytesOf("a", kib))
			return err
		},
		"Wait": func(b *testbed, c *upload.Client, ctx context.Context) error {
			b.add(c, b.bytesOf("a", kib), b.bytesOf("b", kib))
			if err := c.Start(b.ctx); err != nil {
				return err
			}
			return c.Wait(ctx)
		},
		"WaitFile": func(b *testbed, c *upload.Client, ctx context.Context) error {
			id := b.add(c, b.bytesOf("a", kib), b.bytesOf("b", kib))[0]
			if err := c.Start(b.ctx); err != nil {
				return err
			}
			_, err := c.WaitFile(ctx, id)
			return err
		},
		"Start's context": func(b *testbed, c *upload.Client, ctx context.Context) error {
			b.add(c, b.bytesOf("a", kib), b.bytesOf("b", kib))
			if err := c.Start(ctx); err != nil {
				return err
			}
			return c.Wait(b.ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newDirectTestbed(t)
				b.opts.Credentials = failingProvider(1000, down)
				c := b.client()
				ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
				defer cancel()
				err := call(b, c, ctx)
				if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, down) || !strings.Contains(err.Error(), "for credentials") {
					t.Errorf("got %v, want the deadline, the provider's error, and what was waited for", err)
				}
				if n := strings.Count(err.Error(), down.Error()); n != 1 {
					t.Errorf("the provider's error stands %d times in %v", n, err)
				}
			})
		})
	}
}

// TestNobodyCouldGiveCredentials is an error at once.
func TestNobodyCouldGiveCredentials(t *testing.T) {
	b := newDirectTestbed(t)
	b.opts.Credentials = nil
	c := b.client()
	b.add(c, b.bytesOf("a", kib))
	if err := c.Start(b.ctx); !errors.Is(err, upload.ErrNoCredentials) || !strings.Contains(err.Error(), "Options.Credentials") {
		t.Errorf("Start: %v, want ErrNoCredentials", err)
	}
	if _, err := c.Upload(b.ctx, b.bytesOf("b", kib)); !errors.Is(err, upload.ErrNoCredentials) {
		t.Errorf("Upload: %v, want ErrNoCredentials", err)
	}
	if err := c.Init(defaultKey); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Start(b.ctx), c.Wait(b.ctx)); err != nil {
		t.Errorf("after Init: %v", err)
	}
}

// TestSomebodyMayGiveCredentials: then Start starts.
func TestSomebodyMayGiveCredentials(t *testing.T) {
	for name, arrange := range map[string]func(o *upload.Options, f *upload.File){
		"in OnStarted": func(o *upload.Options, _ *upload.File) {
			o.Callbacks.OnStarted = func(c *upload.Client, f upload.FileInfo) { _ = c.SetToken(f.ID, defaultKey) }
		},
		"in OnWaiting": func(o *upload.Options, _ *upload.File) {
			o.Callbacks.OnWaiting = func(c *upload.Client, _ upload.FileInfo, _ upload.Waiting) { _ = c.Init(defaultKey) }
		},
		"with the destination": func(_ *upload.Options, f *upload.File) { f.Endpoint, f.Bucket, f.Object = "", "", "" },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newDirectTestbed(t)
				b.opts.Credentials = nil
				f := b.bytesOf("a", kib)
				arrange(&b.opts, &f)
				c := b.client()
				id := b.add(c, f)[0]
				if err := c.Start(b.ctx); err != nil {
					t.Fatal(err)
				}
				if f.Bucket == "" {
					if err := errors.Join(c.SetToken(id, defaultKey), c.SetDestination(id, directEndpoint, bucket, "a")); err != nil {
						t.Fatal(err)
					}
				}
				if err := c.Wait(b.ctx); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestWaitingAsText(t *testing.T) {
	w := upload.Waiting{For: upload.WaitNetwork, Since: time.Date(2024, 5, 1, 15, 4, 5, 0, time.UTC), Err: errors.New("dial tcp: refused")}
	if got, want := w.String(), "waits for network since 15:04:05: dial tcp: refused"; got != want {
		t.Errorf("String: %q, want %q", got, want)
	}
	if got, want := string(must(json.Marshal(w))), `{"For":"network","Since":"2024-05-01T15:04:05Z","Err":"dial tcp: refused"}`; got != want {
		t.Errorf("JSON: %s, want %s", got, want)
	}
	if got := fmt.Sprint(upload.FileInfo{Waiting: &w}); !strings.Contains(got, w.String()) {
		t.Errorf("FileInfo is printed as %s", got)
	}
	for _, r := range []upload.WaitReason{upload.WaitCredentials, upload.WaitDestination, upload.WaitNetwork, upload.WaitThrottle, upload.WaitClaim} {
		var back upload.WaitReason
		if err := back.UnmarshalText(must(r.MarshalText())); err != nil || back != r {
			t.Errorf("%v becomes %v, %v", r, back, err)
		}
	}
	if err := new(upload.WaitReason).UnmarshalText([]byte("rain")); !errors.Is(err, upload.ErrInvalidArgument) {
		t.Errorf("got %v, want ErrInvalidArgument", err)
	}
}
