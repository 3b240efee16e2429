package upload_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestErrorsSayWhatToDo(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		fault      *osstest.Fault
	}{
		{"no right to put", "allow oss:PutObject for this object", osstest.Fail(osstest.OpInitiateMultipartUpload, 403, "AccessDenied")},
		{"no such bucket", "look at the bucket's name", osstest.Fail(osstest.OpInitiateMultipartUpload, 404, "NoSuchBucket")},
		{"a public endpoint", "Options.CustomDomains", osstest.Fail(osstest.OpInitiateMultipartUpload, 400, "PublicEndpointForbidden")},
		{"a wrong secret", "the access key's secret", osstest.Fail(osstest.OpUploadPart, 403, "SignatureDoesNotMatch")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.server.Inject(tt.fault)
			_, err := b.client().Upload(b.ctx, b.bytesOf("a", 300*kib))
			var e *upload.Error
			if !errors.As(err, &e) || e.Code == "" || e.RequestID == "" {
				t.Fatalf("got %v, want the code, the request ID and what to do", err)
			}
			if !strings.Contains(e.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
	t.Run("a bucket of another region: its own message says it", func(t *testing.T) {
		e := &upload.Error{Op: "PutObject", Path: "a", Code: "AccessDenied", Status: 403, Err: errors.New("403 AccessDenied: The bucket must be addressed using the specified endpoint.")}
		if strings.Contains(e.Error(), "policy") {
			t.Errorf("got %v", e)
		}
	})
}
