package upload_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// Through a domain that is mapped to the bucket, uploads begin, go on in another
// client, end and are swept, with both signatures.
func TestCustomDomain(t *testing.T) {
	for name, region := range map[string]string{"V1": "", "V4": "cn-hangzhou"} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.server = osstest.NewServer(&osstest.Options{Buckets: []string{bucket}, CustomDomains: map[string]string{"localhost": bucket}})
			t.Cleanup(b.server.Close)
			endpoint := strings.Replace(b.server.URL, "127.0.0.1", "localhost", 1)
			b.opts.Region, b.opts.CustomDomains = region, []string{"LOCALHOST"}
			small, large, left := b.bytesOf("small", 10), b.bytesOf("large", 500*kib), b.bytesOf("left", 300*kib)
			for _, f := range []*upload.File{&small, &large, &left} {
				f.Endpoint = endpoint
			}
			if r, err := b.client().Upload(b.ctx, small); err != nil || r.Location != endpoint+"/small" {
				t.Fatalf("got %+v, %v", r, err)
			}
			leave(b, large)
			if r, err := b.client().Upload(b.ctx, large); err != nil || r.ResumedParts == 0 {
				t.Fatalf("got %+v, %v; want some parts resumed", r, err)
			}
			b.sameBytes(small)
			b.sameBytes(large)
			leave(b, left)
			swept, err := b.client().Sweep(b.ctx, upload.SweepOptions{Endpoint: endpoint, Bucket: bucket, Prefix: "left", OlderThan: -1})
			if err != nil || len(swept) != 1 || !swept[0].Aborted {
				t.Errorf("swept %+v, %v; want the one that was left", swept, err)
			}
			b.clean()
		})
	}
}

func TestCustomDomainThatCannotBe(t *testing.T) {
	if _, err := upload.New(&upload.Options{CustomDomains: []string{"10.0.0.1"}}); !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), "CustomDomains") {
		t.Errorf("got %v, want ErrInvalidArgument that names the field", err)
	}
}
