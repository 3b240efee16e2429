package uploadtest_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/uploadtest"
)

// publish is what a program under test does.
func publish(ctx context.Context, client *upload.Client, endpoint, path string) error {
	_, err := client.Upload(ctx, upload.File{
		Path: path, Endpoint: endpoint, Bucket: "media", Object: "in/" + filepath.Base(path),
	})
	return err
}

func Example() {
	server := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	defer server.Close()
	server.Inject(osstest.Fail(osstest.OpUploadPart, 503, "ServiceUnavailable").Nth(2))

	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "talk.mp4")
	if err := os.WriteFile(path, bytes.Repeat([]byte("talk "), 100_000), 0o600); err != nil {
		fmt.Println(err)
		return
	}

	opts := uploadtest.Options(osstest.DefaultKey)
	client, err := upload.New(&opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	if err := publish(context.Background(), client, server.URL, path); err != nil {
		fmt.Println(err)
	}
	object, ok := server.Object("media", "in/talk.mp4")
	fmt.Println(ok, object.Size, client.Stats().Retries)
	// Output: true 500000 map[ServiceUnavailable:1]
}

func TestOptions(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	for name, o := range map[string]osstest.Options{
		"the default key":          {},
		"a server that refuses V1": {RefuseV1: true},
		"a token":                  {Keys: []osstest.Key{{AccessKeyID: "STS.test", AccessKeySecret: "secret", SecurityToken: "token"}}},
		"a key of its own":         {Keys: []osstest.Key{{AccessKeyID: "mine", AccessKeySecret: "secret"}}},
	} {
		t.Run(name, func(t *testing.T) {
			o.Buckets = []string{"media"}
			server := osstest.NewServer(&o)
			defer server.Close()
			server.Inject(osstest.Fail(osstest.AnyOp, 503, "ServiceUnavailable"))
			key := osstest.DefaultKey
			if len(o.Keys) > 0 {
				key = o.Keys[0]
			}
			opts := uploadtest.Options(key)
			client, err := upload.New(&opts)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			r, err := client.Upload(t.Context(), upload.File{
				Path: "talk", Reader: strings.NewReader(strings.Repeat("x", 250<<10)),
				Endpoint: server.URL, Bucket: "media", Object: "talk",
			})
			if err != nil || r.Parts != 3 {
				t.Errorf("got %d parts, %v; want 3", r.Parts, err)
			}
			server.AssertFired(t)
		})
	}
	for _, dir := range []string{os.Getenv("XDG_CACHE_HOME"), os.Getenv("HOME")} {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%v is left, %v", left, err)
		}
	}
}
