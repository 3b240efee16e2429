package upload_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
)

// TestTokenWaitRunsOut for what nobody gives.
func TestTokenWaitRunsOut(t *testing.T) {
	down := errors.New("app server down")
	for name, set := range map[string]struct {
		set  func(b *testbed, f *upload.File)
		is   []error
		text string
		code string
	}{
		"no credentials": {func(b *testbed, _ *upload.File) { b.opts.Credentials = nil },
			[]error{upload.ErrNoCredentials}, "no credentials were given within 10m0s: call Init, SetToken or ResumeWithToken, or set Options.Credentials", upload.CodeNoCredentials},
		"no new token": {func(b *testbed, _ *upload.File) {
			b.opts.Credentials = sts.ProviderFunc(func(context.Context) (sts.Credentials, error) { return defaultKey, nil })
			b.server.ExpireKey(defaultKey.AccessKeyID)
		}, []error{upload.ErrTokenExpired}, "the credentials that the server refused", upload.CodeTokenExpired},
		"a provider that is down": {func(b *testbed, _ *upload.File) {
			b.opts.Credentials = sts.ProviderFunc(func(context.Context) (sts.Credentials, error) { return sts.Credentials{}, down })
		}, []error{upload.ErrNoCredentials, down}, "app server down", upload.CodeNoCredentials},
		"a provider that hangs": {func(b *testbed, _ *upload.File) {
			b.opts.Credentials = sts.ProviderFunc(func(ctx context.Context) (sts.Credentials, error) {
				<-ctx.Done()
				return sts.Credentials{}, ctx.Err()
			})
		}, []error{upload.ErrNoCredentials}, "the provider", upload.CodeNoCredentials},
		"no destination": {func(_ *testbed, f *upload.File) { f.Endpoint, f.Bucket, f.Object = "", "", "" },
			[]error{upload.ErrNoDestination}, "none was given within 10m0s: set it in AddFile, or call SetDestination in OnStarted or later", upload.CodeNoDestination},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newDirectTestbed(t)
				f := b.bytesOf("a", 250*kib)
				set.set(b, &f)
				rec := b.recorded()
				c := b.client()
				id := b.add(c, f)[0]
				begin := time.Now()
				if err := c.Start(b.ctx); err != nil {
					t.Fatal(err)
				}
				err := c.Wait(b.ctx)
				var e *upload.Error
				if !errors.As(err, &e) || e.Code != set.code || !strings.Contains(err.Error(), set.text) {
					t.Errorf("got %v, want code %s and %q", err, set.code, set.text)
				}
				for _, is := range set.is {
					if !errors.Is(err, is) {
						t.Errorf("got %v, want it to be %v", err, is)
					}
				}
				if took := time.Since(begin); took < 10*time.Minute || took > 11*time.Minute {
					t.Errorf("it took %v, want TokenWait", took)
				}
				// What failed for want of a token continues once there is one.
				if e.Code != upload.CodeNoDestination {
					time.Sleep(time.Minute)
					if err := errors.Join(c.Init(b.newToken(1)), c.ResumeFile(id), c.Wait(b.ctx)); err != nil {
						t.Errorf("with a new token: %v", err)
					}
					b.sameBytes(f)
				}
				if err := c.Close(); err != nil {
					t.Error(err)
				}
				if n := rec.open(); n > 0 {
					t.Errorf("%d files got no end", n)
				}
			})
		})
	}
}

// A callback that could not get a token is asked again by the next file.
func TestAskedAgainAfterTokenWait(t *testing.T) { synctest.Test(t, askedAgainAfterTokenWait) }

func askedAgainAfterTokenWait(t *testing.T) {
	b := newDirectTestbed(t)
	b.opts.Credentials, b.opts.TokenWait = nil, 50*time.Millisecond
	asked := make(chan struct{}, 10)
	b.opts.Callbacks.OnTokenExpired = func(c *upload.Client, _ upload.FileInfo) {
		asked <- struct{}{}
		if len(asked) == 2 {
			if err := c.ResumeWithToken(defaultKey); err != nil {
				t.Error(err)
			}
		}
	}
	c := b.client()
	old := defaultKey
	old.AccessKeyID, old.SecurityToken = "STS.old", "old"
	if err := c.Init(old); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Upload(b.ctx, b.bytesOf("a", 10)); !errors.Is(err, upload.ErrTokenExpired) {
		t.Fatalf("got %v, want ErrTokenExpired", err)
	}
	if _, err := c.Upload(b.ctx, b.bytesOf("b", 10)); err != nil {
		t.Errorf("the next file: %v", err)
	}
}
