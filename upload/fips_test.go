package upload_test

import (
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload"
)

// In FIPS 140-only mode, HMAC-SHA1 and MD5 panic: that must not end a user's process.
func TestFIPSOnly(t *testing.T) {
	b := newProcesses(t)
	t.Setenv("GODEBUG", "fips140=only")
	f := b.file("a.mp4", 1000)
	if w := b.process(f).end(); !strings.Contains(w.Failed, "Options.Region") {
		t.Errorf("without a region it failed with %q, want what helps", w.Failed)
	}
	t.Setenv(regionEnv, "cn-hangzhou")
	for _, f.IfExists = range []upload.IfExists{upload.Overwrite, upload.SkipSame} {
		if w := b.process(f).end(); w.Failed != "" {
			t.Errorf("%v: %s", f.IfExists, w.Failed)
		}
	}
}
