package upload_test

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestStatsCount(t *testing.T) {
	b := newTestbed(t)
	b.opts.Credentials, b.opts.ForgetEnded, b.opts.OutageWait = nil, true, -1
	b.opts.Callbacks.OnTokenExpired = func(c *upload.Client, _ upload.FileInfo) { b.do(c.ResumeWithToken(b.newToken(2))) }
	c := b.client()
	if s := c.Stats(); s.Requests != 0 || s.Retries != nil || s.SentBytes != 0 || s.AckedBytes != 0 || s.TokensAsked != 0 || s.TokensReceived != 0 {
		t.Errorf("of a new client: %+v", s)
	}
	b.do(c.Init(b.newToken(1)))
	b.server.Inject(
		osstest.Fail(osstest.OpUploadPart, 503, "ServiceUnavailable").Nth(1),
		osstest.Fail(osstest.OpUploadPart, 503, "SlowDown").Nth(3),
		osstest.Fail(osstest.OpPutObject, 500, "InternalError").Times(2),
		osstest.ExpireToken(osstest.OpUploadPart).Nth(4),
	)
	b.add(c, b.bytesOf("parts", 400*kib), b.bytesOf("small", 10*kib))
	b.do(errors.Join(c.Start(b.ctx), c.Wait(b.ctx)))
	s := c.Stats()
	want := map[string]int64{"ServiceUnavailable": 1, "SlowDown": 1, "InternalError": 2}
	if !maps.Equal(s.Retries, want) {
		t.Errorf("retries %v, want %v", s.Retries, want)
	}
	if s.Requests != int64(len(b.server.Requests())) {
		t.Errorf("%d requests, the server has got %d", s.Requests, len(b.server.Requests()))
	}
	if s.AckedBytes != 410*kib || s.SentBytes < 410*kib {
		t.Errorf("%d bytes acknowledged, %d sent; want 410 KiB and as many at least", s.AckedBytes, s.SentBytes)
	}
	if s.TokensAsked != 1 || s.TokensReceived != 2 {
		t.Errorf("%d tokens asked for, %d received; want 1 and 2", s.TokensAsked, s.TokensReceived)
	}
	s.Retries["SlowDown"] = 99
	if got := c.Stats().Retries["SlowDown"]; got != 1 {
		t.Errorf("a change of a snapshot changes the client: %d", got)
	}
}

func TestStatsCountTokensOfAProvider(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	b.add(c, b.bytesOf("parts", 400*kib))
	b.do(errors.Join(c.Start(b.ctx), c.Wait(b.ctx)))
	if s := c.Stats(); s.TokensAsked != 1 || s.TokensReceived != 1 {
		t.Errorf("%d tokens asked for, %d received; want 1 and 1", s.TokensAsked, s.TokensReceived)
	}
}

func TestStatsHaveSlotsAndExpiry(t *testing.T) {
	b := newTestbed(t)
	b.opts.Credentials, b.opts.Parallel = nil, 3
	c := b.client()
	if s := c.Stats(); s.Slots != 3 || !s.TokenExpires.IsZero() {
		t.Errorf("of a new client: %d slots, a token until %v; want 3 and none", s.Slots, s.TokenExpires)
	}
	token := b.newToken(1)
	token.Expiration = time.Now().Add(time.Hour).Truncate(time.Second)
	b.do(errors.Join(c.Init(token), c.SetParallel(7)))
	if s := c.Stats(); s.Slots != 7 || !s.TokenExpires.Equal(token.Expiration) {
		t.Errorf("%d slots, a token until %v; want 7 and %v", s.Slots, s.TokenExpires, token.Expiration)
	}
}
