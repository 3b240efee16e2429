package upload_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A leak is everything that a program could print, in one place.
type leak struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *leak) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// print prints values in all the usual ways.
func (l *leak) print(values ...any) {
	for _, v := range values {
		fmt.Fprintf(l, "%v\n%+v\n%#v\n%s\n", v, v, v, v)
		if text, err := json.Marshal(v); err == nil {
			_, _ = l.Write(text)
		}
		slog.New(slog.NewJSONHandler(l, nil)).Info("printed", "value", v)
		if err, ok := v.(error); ok {
			for ; err != nil; err = errors.Unwrap(err) {
				fmt.Fprintf(l, "%v\n%+v\n%#v\n", err, err, err)
			}
		}
	}
}

// TestNoSecretInAnythingPrinted greps logs at all levels, errors, events, files and
// figures of uploads that go well and that go wrong, for keys and tokens.
func TestNoSecretInAnythingPrinted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newDirectTestbed(t)
		all := &leak{}
		b.opts.Logger = slog.New(slog.NewTextHandler(all, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}))
		m := &mint{b: b}
		b.opts.Credentials = sts.ProviderFunc(func(ctx context.Context) (sts.Credentials, error) {
			c, err := m.Credentials(ctx)
			if m.made()%3 == 2 {
				return c, fmt.Errorf("app server: unexpected answer")
			}
			return c, err
		})
		rec := b.recorded()
		rec.at = func(c *upload.Client, name string, f upload.FileInfo) { all.print(name, f, c.Stats()) }
		b.opts.Callbacks.OnRetry = func(_ *upload.Client, f upload.FileInfo, r upload.Retry) { all.print(f, r, r.Err) }
		for _, key := range []string{"InvalidAccessKeyId", "SecurityTokenExpired", "InvalidSecurityToken", "SignatureDoesNotMatch", "AccessDenied", "InternalError"} {
			b.server.Inject(osstest.Fail(osstest.OpUploadPart, 0, key).Key(key).Times(12))
		}
		b.server.Inject(
			osstest.ExpireToken(osstest.OpCompleteMultipartUpload).Key("good"),
			osstest.Fail(osstest.OpAbortMultipartUpload, 403, "AccessDenied"),
		)
		c := b.client()
		own := b.newToken(1000)
		for _, name := range []string{"good", "InvalidAccessKeyId", "SecurityTokenExpired", "InvalidSecurityToken", "SignatureDoesNotMatch", "AccessDenied", "InternalError", "own", "not begun"} {
			id := b.add(c, b.bytesOf(name, 250*kib))[0]
			if name == "own" {
				all.print(c.SetToken(id, own))
				b.server.ExpireKey(own.AccessKeyID)
			}
		}
		all.print(c.ResumeWithToken(sts.Credentials{AccessKeySecret: "tokensecret", SecurityToken: "securitytoken9"}))
		all.print(c.Init(sts.Credentials{AccessKeyID: "STS.x", SecurityToken: "securitytoken9"}))
		_, err := c.Upload(b.ctx, b.bytesOf("SignatureDoesNotMatch ", 1))
		all.print(err)
		if err := c.Start(b.ctx); err != nil {
			t.Fatal(err)
		}
		err = c.Wait(b.ctx)
		all.print(err, c.Stats(), c.Status())
		var failed upload.Errors
		if !errors.As(err, &failed) || len(failed) < 3 {
			t.Errorf("got %v, want some files to fail", err)
		}
		for _, f := range c.Files() {
			all.print(f, f.Err)
			if f.Result != nil {
				all.print(*f.Result)
			}
			all.print(c.ResumeFile(f.ID), c.DeleteFile(f.ID), c.SetToken(f.ID, own))
		}
		all.print(b.opts.Credentials, c.Close())
		if m.made() < 10 {
			t.Errorf("%d tokens were made, want many", m.made())
		}
		text := strings.ToLower(all.text.String())
		for _, secret := range []string{"tokensecret", "securitytoken1", "securitytoken2", "securitytoken9", "signature=", "authorization", "osstest-secret"} {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%q was printed: …%s…", secret, all.text.String()[max(0, i-200):min(len(text), i+100)])
			}
		}
		if !strings.Contains(text, "level=debug") || !strings.Contains(text, "token expired") {
			t.Error("the log has no lines at debug level, or none of the expiry: this test sees nothing")
		}
	})
}
