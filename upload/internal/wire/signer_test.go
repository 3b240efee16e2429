package wire

import (
	"testing"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// What the SDK cannot make a URL of, it would fall over.
func FuzzSignerForEndpoint(f *testing.F) {
	for _, s := range []string{
		"oss-cn-hangzhou.aliyuncs.com", "http://localhost:9000", "https://[::1]:443/", "1.2.3.4:80",
		"oss--internal.aliyuncs.com", "xn--fiqs8s.example", "oss_test:8080",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := target.ParseEndpoint(s)
		if err != nil {
			return
		}
		o, err := NewClient(nil).Object(target.Target{Endpoint: e, Region: "cn-test", Bucket: "media", Object: "a b/ü?%"})
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if _, err := o.signer(testKey); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
	})
}
