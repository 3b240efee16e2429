package upload_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A mint gives another token each time that it is asked, and counts.
type mint struct {
	b     *testbed
	spoil func(accessKeyID string) // the first one, before it is used; may be nil
	mu    sync.Mutex
	n     int
}

func (m *mint) Credentials(context.Context) (sts.Credentials, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n++
	c := m.b.newToken(m.n)
	if m.n == 1 && m.spoil != nil {
		m.spoil(c.AccessKeyID)
	}
	return c, nil
}

func (m *mint) made() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.n
}

// TestTokenExpiresAtEachMoment: it costs neither a part nor a retry, is asked for
// once however many requests met it, and the same upload continues.
func TestTokenExpiresAtEachMoment(t *testing.T) {
	type how struct {
		name string
		set  func(b *testbed, rec *recorder, m *mint) (asked func() int)
	}
	hows := []how{
		{"a Provider", func(b *testbed, _ *recorder, m *mint) func() int {
			b.opts.Credentials = m
			return func() int { return m.made() - 1 }
		}},
		{"a Cache", func(b *testbed, _ *recorder, m *mint) func() int {
			cache := must(sts.NewCache(m, nil))
			b.t.Cleanup(func() { _ = cache.Close() })
			b.opts.Credentials = cache
			return func() int { return m.made() - 1 }
		}},
		{"OnTokenExpired", func(b *testbed, rec *recorder, m *mint) func() int {
			b.opts.Credentials = nil
			rec.at = func(c *upload.Client, name string, _ upload.FileInfo) {
				if name == "OnTokenExpired" {
					if err := c.ResumeWithToken(must(m.Credentials(b.ctx))); err != nil {
						b.t.Error(err)
					}
				}
			}
			return func() int { return rec.told("OnTokenExpired", "") }
		}},
	}
	moments := []struct {
		name  string
		spoil func(*osstest.Server) func(string)
		fault *osstest.Fault
	}{
		{name: "before the first request", spoil: func(s *osstest.Server) func(string) { return s.ExpireKey }},
		{name: "forgotten by the server", spoil: func(s *osstest.Server) func(string) { return s.RevokeKey }},
		{name: "in Initiate", fault: osstest.ExpireToken(osstest.OpInitiateMultipartUpload)},
		{name: "in the parts", fault: osstest.ExpireToken(osstest.OpUploadPart).Nth(6).BeforeWork()},
		{name: "in a part, before its body", fault: osstest.ExpireToken(osstest.OpUploadPart).Nth(3).BeforeBody()},
		{name: "in Complete", fault: osstest.ExpireToken(osstest.OpCompleteMultipartUpload)},
		{name: "in PutObject", fault: osstest.ExpireToken(osstest.OpPutObject)},
	}
	for _, h := range hows {
		for _, m := range moments {
			t.Run(h.name+", "+m.name, func(t *testing.T) {
				b := newTestbed(t)
				first := &mint{b: b}
				if m.spoil != nil {
					first.spoil = m.spoil(b.server)
				} else {
					b.server.Inject(m.fault)
				}
				rec := b.recorded()
				asked := h.set(b, rec, first)
				size := 1500 * kib
				if m.name == "in PutObject" {
					size = 50 * kib
				}
				expireOnce(b, rec, first, size)
				if n := asked(); n != 1 {
					t.Errorf("asked for %d new tokens, want one", n)
				}
			})
		}
	}
}

// expireOnce uploads a file whose token expires once on the way.
func expireOnce(b *testbed, rec *recorder, m *mint, size int) {
	b.t.Helper()
	c := b.client()
	if b.opts.Credentials == nil {
		if err := c.Init(must(m.Credentials(b.ctx))); err != nil {
			b.t.Fatal(err)
		}
	}
	f := b.bytesOf("a", size)
	if _, err := c.Upload(b.ctx, f); err != nil {
		b.t.Fatal(err)
	}
	b.sameBytes(f)
	b.clean()
	b.server.AssertFired(b.t)
	if n := rec.told("OnRetry", ""); n > 0 {
		b.t.Errorf("%d retries were spent", n)
	}
	ids, taken := make(map[string]bool), make(map[int]int)
	for _, q := range b.server.Requests(osstest.OpUploadPart) {
		ids[q.UploadID] = true
		if q.Status == 200 {
			taken[q.PartNumber]++
		}
	}
	if len(ids) > 1 {
		b.t.Errorf("%d uploads were begun, want the same to continue", len(ids))
	}
	for n, times := range taken {
		if times > 1 {
			b.t.Errorf("part %d was taken %d times, want once", n, times)
		}
	}
}

// TestFivePartsRefusedAtOnce holds five parts until all are there, and refuses them
// together.
func TestFivePartsRefusedAtOnce(t *testing.T) {
	b := newTestbed(t)
	m := &mint{b: b}
	b.opts.Credentials = nil
	rec := b.recorded()
	rec.at = func(c *upload.Client, name string, _ upload.FileInfo) {
		if name == "OnTokenExpired" {
			_ = c.ResumeWithToken(must(m.Credentials(b.ctx)))
		}
	}
	hold := osstest.Hang(osstest.OpUploadPart).Nth(4).Times(5).BeforeBody()
	b.server.Inject(hold)
	c := b.client()
	if err := c.Init(must(m.Credentials(b.ctx))); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = b.server.WaitRequests(b.ctx, 8, osstest.OpUploadPart)
		b.server.ExpireKey("STS.1")
		hold.Release()
	}()
	if _, err := c.Upload(b.ctx, b.bytesOf("a", 1500*kib)); err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, q := range b.server.Requests(osstest.OpUploadPart) {
		if q.Code == "SecurityTokenExpired" {
			refused++
		}
	}
	if refused != 5 || rec.told("OnTokenExpired", "") != 1 || rec.told("OnRetry", "") != 0 {
		t.Errorf("%d refused, told %d times, %d retries; want 5, once, none", refused, rec.told("OnTokenExpired", ""), rec.told("OnRetry", ""))
	}
	if n := b.server.Count(osstest.OpUploadPart); n != 20 {
		t.Errorf("%d parts were sent, want 15 and the 5 that were refused", n)
	}
}

// TestTokenOfOneFile, from OnStarted and later, beside files with the client's.
func TestTokenOfOneFile(t *testing.T) {
	for _, later := range []bool{false, true} {
		t.Run(fmt.Sprintf("later %t", later), func(t *testing.T) {
			b := newTestbed(t)
			b.opts.Credentials = nil
			rec := b.recorded()
			c := b.client()
			give := func(id upload.FileID) {
				if err := c.SetToken(id, b.newToken(1)); err != nil {
					t.Error(err)
				}
			}
			rec.at = func(_ *upload.Client, name string, f upload.FileInfo) {
				if name == "OnStarted" && !later {
					give(f.ID)
				}
			}
			f := b.bytesOf("own", 250*kib)
			id := b.add(c, f)[0]
			if err := c.Start(b.ctx); err != nil {
				t.Fatal(err)
			}
			if later {
				b.eventually("OnStarted", func() bool { return rec.told("OnStarted", "own") == 1 })
				give(id)
			}
			if err := c.Wait(b.ctx); err != nil {
				t.Fatal(err)
			}
			for _, q := range b.server.Requests() {
				if q.AccessKeyID != "STS.1" {
					t.Errorf("%v was signed by %s", q, q.AccessKeyID)
				}
			}
			if err := c.SetToken(id, b.newToken(2)); !errors.Is(err, upload.ErrState) || !strings.HasSuffix(err.Error(), "is succeeded") {
				t.Errorf("got %v for a file that has succeeded, want ErrState", err)
			}
			b.sameBytes(f)
		})
	}
}

// TestTokenOfOneFileExpires: the client and the other files do not notice.
func TestTokenOfOneFileExpires(t *testing.T) {
	b := newTestbed(t)
	rec := b.recorded()
	c := b.client()
	b.server.Inject(osstest.ExpireToken(osstest.OpUploadPart).Key("own").Nth(2))
	tokens := 1
	rec.at = func(c *upload.Client, name string, f upload.FileInfo) {
		if name == "OnTokenExpired" {
			if f.Object != "own" || c.Status() == upload.StateExpired {
				t.Errorf("told of %s, and the client is %s", f.Object, c.Status())
			}
			if err := c.SetToken(f.ID, b.newToken(tokens)); !errors.Is(err, upload.ErrInvalidArgument) {
				t.Errorf("the refused token again: got %v, want ErrInvalidArgument", err)
			}
			tokens++
			if err := c.SetToken(f.ID, b.newToken(tokens)); err != nil {
				t.Error(err)
			}
		}
	}
	id := b.add(c, b.bytesOf("own", 450*kib), b.bytesOf("other", 450*kib))[0]
	if err := errors.Join(c.SetToken(id, b.newToken(tokens)), c.Start(b.ctx), c.Wait(b.ctx)); err != nil {
		t.Fatal(err)
	}
	if got := rec.of("own"); strings.Count(got, "TokenExpired") != 1 || tokens != 2 {
		t.Errorf("got %s, want one TokenExpired", got)
	}
	for _, q := range b.server.Requests() {
		if own := q.Key == "own"; own == (q.AccessKeyID == defaultKey.AccessKeyID) {
			t.Errorf("%v was signed by %s", q, q.AccessKeyID)
		}
	}
}

func TestDestinationLater(t *testing.T) {
	b := newTestbed(t)
	rec := b.recorded()
	c := b.client()
	f := b.bytesOf("later", 250*kib)
	given := f
	f.Endpoint, f.Bucket, f.Object = "", "", ""
	id := b.add(c, f)[0]
	other := b.add(c, b.bytesOf("other", 1))[0]
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	b.until(c, other, upload.FileSucceeded)
	if err := c.SetDestination(id, given.Endpoint, given.Bucket, given.Object); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(b.ctx); err != nil {
		t.Fatal(err)
	}
	b.sameBytes(given)
	if info := must(c.File(id)); info.Bucket != bucket || info.Object != "later" || rec.told("OnSucceeded", "later") != 1 {
		t.Errorf("got %+v", info)
	}
}

// TestAccessDeniedIsNotExpiry, nor are other refusals that new tokens do not help
// against.
func TestAccessDeniedIsNotExpiry(t *testing.T) {
	for _, code := range []string{"AccessDenied", "SignatureDoesNotMatch", "UserDisable", "RequestTimeTooSkewed"} {
		t.Run(code, func(t *testing.T) {
			b := newTestbed(t)
			m := &mint{b: b}
			b.opts.Credentials = m
			rec := b.recorded()
			b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, code).Always())
			_, err := b.client().Upload(b.ctx, b.bytesOf("a", 250*kib))
			var e *upload.Error
			if !errors.As(err, &e) || e.Code != code || errors.Is(err, upload.ErrTokenExpired) {
				t.Errorf("got %v, want %s", err, code)
			}
			if m.made() != 1 || rec.told("OnTokenExpired", "") != 0 {
				t.Errorf("%d tokens, want one", m.made())
			}
		})
	}
}

// TestTokensRefusedForOneFileOnly: the server takes each new token for one bucket and
// refuses it for another. That file must end, and not have tokens made for ever.
func TestTokensRefusedForOneFileOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newDirectTestbed(t)
		m := &mint{b: b}
		b.opts.Credentials = m
		b.server.Inject(
			osstest.Fail(osstest.OpUploadPart, 403, "InvalidSecurityToken").Key("bad").Always(),
			osstest.Delay(osstest.OpUploadPart, 10*time.Millisecond).Always(),
		)
		c := b.client()
		good := b.bytesOf("good", 6000*kib)
		b.add(c, b.bytesOf("bad", 250*kib), good)
		if err := c.Start(b.ctx); err != nil {
			t.Fatal(err)
		}
		err := c.Wait(b.ctx)
		var failed upload.Errors
		if !errors.As(err, &failed) || len(failed) != 1 || failed[0].Object != "bad" || !errors.Is(err, upload.ErrTokenExpired) {
			t.Errorf("got %v, want ErrTokenExpired of bad", err)
		}
		if n := m.made(); n > 12 {
			t.Errorf("%d tokens were made, want about ten", n)
		}
		b.sameBytes(good)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestServiceOfAMonth uploads a file every two hours with tokens of 50 minutes, some of
// which the app server fails to give at first. No request meets an expired one.
func TestServiceOfAMonth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newDirectTestbed(t)
		asked, given := 0, 0
		b.opts.Credentials = sts.ProviderFunc(func(context.Context) (sts.Credentials, error) {
			asked++
			if asked%5 == 0 {
				return sts.Credentials{}, errors.New("app server down")
			}
			given++
			c := b.newToken(given)
			c.Expiration = time.Now().Add(50 * time.Minute)
			b.server.AddKey(osstest.Key{
				AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken, Expires: c.Expiration,
			})
			return c, nil
		})
		b.opts.StallTimeout = time.Hour
		b.server.Inject(osstest.Delay(osstest.OpUploadPart, 5*time.Minute).Always())
		c := b.client()
		if err := c.Start(b.ctx); err != nil {
			t.Fatal(err)
		}
		const files = 30 * 12
		for i := range files {
			f := b.bytesOf("a", i%3*150*kib)
			id := b.add(c, f)[0]
			if err := errors.Join(c.Wait(b.ctx), c.DeleteFile(id)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Hour)
		}
		for _, q := range b.server.Requests() {
			if q.Status != 200 {
				t.Errorf("%v", q)
			}
		}
		if given < files*2/3 || given > files {
			t.Errorf("%d tokens for %d files", given, files)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}
