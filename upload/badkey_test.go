package upload_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
)

// Credentials that no server can accept fail where they come in, and no request is
// made with them.
func TestKeyWithALineBreak(t *testing.T) {
	bad := markedCredentials()
	bad.AccessKeySecret += "\n"
	lone := markedCredentials()
	lone.SecurityToken = ""
	for name, c := range map[string]struct {
		creds sts.Credentials
		want  string
	}{
		"a secret with a line break":   {bad, "AccessKeySecret has a line break (U+000A) at its end"},
		"a temporary ID, but no token": {lone, "SecurityToken is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			check := func(what string, err error) {
				t.Helper()
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: got %v, want it to say %q", what, err, c.want)
					return
				}
				noSecret(t, what, err.Error())
			}
			client := b.client()
			id := must(client.AddFile(b.file("a.mp4", 10)))
			for what, err := range map[string]error{
				"Init": client.Init(c.creds), "ResumeWithToken": client.ResumeWithToken(c.creds), "SetToken": client.SetToken(id, c.creds),
			} {
				check(what, err)
				if !errors.Is(err, upload.ErrInvalidArgument) {
					t.Errorf("%s: got %v, want ErrInvalidArgument", what, err)
				}
			}
			for what, p := range map[string]sts.Provider{
				"Static":   sts.Static(c.creds),
				"function": sts.ProviderFunc(func(context.Context) (sts.Credentials, error) { return c.creds, nil }),
			} {
				b.opts.Credentials = p
				start := time.Now()
				_, err := b.client().Upload(b.ctx, b.file("a.mp4", 10))
				check(what, err)
				if took := time.Since(start); took > 10*time.Second {
					t.Errorf("%s: it took %v", what, took)
				}
			}
			if n := len(b.server.Requests()); n != 0 {
				t.Errorf("%d requests were made", n)
			}
		})
	}
}
