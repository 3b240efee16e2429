package transfer

import (
	"strings"
	"testing"
)

func TestParseTarget(t *testing.T) {
	for _, tt := range []struct {
		name, endpoint, bucket, object string
		want                           string // the error's beginning; empty: none
	}{
		{"right", "oss-cn-hangzhou.aliyuncs.com", "media", "in/a.mp4", ""},
		{"endpoint with a path", "oss-cn-hangzhou.aliyuncs.com/media", "media", "in/a.mp4", "Endpoint: "},
		{"bucket in capitals", "oss-cn-hangzhou.aliyuncs.com", "Media", "in/a.mp4", "Bucket: "},
		{"object that begins with a slash", "oss-cn-hangzhou.aliyuncs.com", "media", "/in/a.mp4", "Object: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target, err := ParseTarget(tt.endpoint, "cn-hangzhou", tt.bucket, tt.object)
			if tt.want == "" {
				if err != nil || target.Bucket != tt.bucket || target.Object != tt.object || target.Region != "cn-hangzhou" {
					t.Errorf("got %+v, %v", target, err)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want an error that begins with %q", err, tt.want)
			}
		})
	}
}
