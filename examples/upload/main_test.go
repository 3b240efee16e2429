package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestUpload(t *testing.T) {
	server := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}, Keys: []osstest.Key{{AccessKeyID: "id", AccessKeySecret: "secret"}}})
	defer server.Close()
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", dir)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "id")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret")
	t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "")
	path := filepath.Join(dir, "talk.mp4")
	film := strings.Repeat("film", 1<<20)
	if err := os.WriteFile(path, []byte(film), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	args := []string{"-endpoint", server.URL, "-bucket", "media", path}
	server.Inject(osstest.Fail(osstest.OpCompleteMultipartUpload, 403, "AccessDenied"))
	var failed *upload.Error
	if err := run(t.Context(), args, &out); !errors.As(err, &failed) || failed.Code != "AccessDenied" {
		t.Fatalf("got %v, want AccessDenied", err)
	}
	if err := run(t.Context(), args, &out); err != nil {
		t.Fatal(err)
	}
	object, _ := server.Object("media", "talk.mp4")
	body, err := object.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if got, err := io.ReadAll(body); string(got) != film {
		t.Errorf("the object has %d bytes (%v), want the %d of the file", len(got), err, len(film))
	}
	if !strings.Contains(out.String(), "talk.mp4: 4194304 of 4194304 bytes\n") || !strings.Contains(out.String(), ": 4 of 4 parts resumed") {
		t.Errorf("it printed %q, want all bytes, and parts resumed", &out)
	}
}
