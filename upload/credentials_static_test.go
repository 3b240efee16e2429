package upload_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// Credentials that can never become others are not waited for.
func TestStaticCredentialsFailAtOnce(t *testing.T) {
	token := sts.Credentials{AccessKeyID: "STS.old", AccessKeySecret: "secret", SecurityToken: "token"}
	for name, tt := range map[string]struct {
		give sts.Credentials
		is   error
		code string
		text string
	}{
		"incomplete":    {sts.Credentials{AccessKeyID: "x"}, upload.ErrNoCredentials, upload.CodeNoCredentials, "AccessKeySecret is empty"},
		"empty":         {sts.Credentials{}, upload.ErrNoCredentials, upload.CodeNoCredentials, "AccessKeyID is empty"},
		"expired token": {token, upload.ErrTokenExpired, upload.CodeTokenExpired, "there are no others"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t) // whose context ends long before TokenWait
			b.server.AddKey(osstest.Key{AccessKeyID: token.AccessKeyID, AccessKeySecret: token.AccessKeySecret, SecurityToken: token.SecurityToken})
			b.server.ExpireKey(token.AccessKeyID)
			b.opts.Credentials = sts.Static(tt.give)
			_, err := b.client().Upload(b.ctx, b.file("a", 10))
			var e *upload.Error
			if !errors.As(err, &e) || e.Code != tt.code || !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want %s with %q", err, tt.code, tt.text)
			}
			if tt.is == upload.ErrTokenExpired && (e.RequestID == "" || !strings.Contains(err.Error(), "SecurityTokenExpired")) {
				t.Errorf("got %v, want what the server said, with the request ID", err)
			}
		})
	}
}
