package upload_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// Through a domain that is mapped to the bucket, uploads begin, continue in another
// client, end and are swept.
func TestCustomDomain(t *testing.T) {
	b := newTestbed(t)
	b.server = osstest.NewServer(&osstest.Options{Buckets: []string{bucket}, CustomDomains: map[string]string{"localhost": bucket}})
	t.Cleanup(b.server.Close)
	endpoint := strings.Replace(b.server.URL, "127.0.0.1", "localhost", 1)
	b.opts.Region, b.opts.CustomDomains = "cn-hangzhou", []string{"LOCALHOST"}
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
	swept, err := b.client().Sweep(b.ctx, upload.SweepOptions{Endpoint: endpoint, Bucket: bucket, Prefix: "left", OlderThan: -1, OnlyThisMachine: true})
	if err != nil || len(swept) != 1 || !swept[0].Aborted {
		t.Errorf("swept %+v, %v; want the one that was left", swept, err)
	}
	b.clean()
}

func TestCustomDomainThatCannotBe(t *testing.T) {
	for _, o := range []upload.Options{
		{CustomDomains: []string{"10.0.0.1"}, Region: "cn-hangzhou"},
		{CustomDomains: []string{"media.example.com"}},
	} {
		if _, err := upload.New(&o); !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), "CustomDomains") {
			t.Errorf("%v in region %q: got %v, want ErrInvalidArgument that names the field", o.CustomDomains, o.Region, err)
		}
	}
}

func TestWarnsOfSignatureV1(t *testing.T) {
	for endpoint, want := range map[string]bool{
		"oss-accelerate.aliyuncs.com": true, "100.118.28.10": true, "oss-cn-qdfinance.aliyuncs.com": true,
		"oss-cn-hangzhou.aliyuncs.com": false, "oss-cn-hzfinance.aliyuncs.com": false, "http://127.0.0.1:9000": false,
	} {
		b := newTestbed(t)
		var log bytes.Buffer
		b.opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
		c := b.client()
		for _, name := range []string{"a", "b"} {
			f := b.bytesOf(name, 10)
			f.Endpoint = endpoint
			b.add(c, f)
		}
		if got := strings.Count(log.String(), "set Options.Region"); got != map[bool]int{true: 1}[want] {
			t.Errorf("%s: the log says %q", endpoint, log.String())
		}
	}
}
