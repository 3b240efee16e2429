package upload_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload"
)

// What is sent is what is signed: the spaces around a value go, those of Unicode too,
// whichever of them net/http and the signer would cut.
func TestSpacesAroundTheValuesOfHeaders(t *testing.T) {
	for _, region := range []string{"", "cn-hangzhou"} { // V1, V4
		for _, space := range []string{" ", "\u00a0", "\u2003", "\u3000"} {
			for _, size := range []int{10, 150 * kib} {
				t.Run(fmt.Sprintf("%q region %q %d bytes", space, region, size), func(t *testing.T) {
					b := newTestbed(t)
					b.opts.Region = region
					value := func(s string) string { return space + s + space }
					f := b.file("a.mp4", size)
					f.Options = &upload.ObjectOptions{
						ContentType: value("video/mp4"), CacheControl: value("no-cache"),
						Headers: map[string]string{"Content-Language": value("de"), "x-oss-odd": value("x")},
					}
					if _, err := b.client().Upload(b.ctx, f); err != nil {
						t.Fatal(err)
					}
					o, _ := b.server.Object(bucket, f.Object)
					if o.ContentType != "video/mp4" || o.Header.Get("Cache-Control") != "no-cache" {
						t.Errorf("stored %q and %q, want the values without spaces around", o.ContentType, o.Header)
					}
				})
			}
		}
	}
}

func TestNoHeaderOfItsOwnBreaksTheSignature(t *testing.T) {
	for _, region := range []string{"", "cn-hangzhou"} {
		for _, value := range []string{"é", "日本", "a  b", "a:b", `"q"`, "a%20b", "a;b,c", strings.Repeat("v", 4000)} {
			for _, name := range []string{"x-oss-odd", "X-Odd", "Content-Language", "User-Agent"} {
				b := newTestbed(t)
				b.opts.Region = region
				f := b.file("a.mp4", 10)
				f.Options = &upload.ObjectOptions{Headers: map[string]string{name: value}, ContentDisposition: value}
				if _, err := b.client().Upload(b.ctx, f); err != nil {
					t.Errorf("%s: %.20q, region %q: %v", name, value, region, err)
				}
			}
		}
	}
}
