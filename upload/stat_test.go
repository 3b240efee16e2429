package upload_test

import (
	"context"
	"errors"
	"fmt"
	"hash/crc64"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/uploadtest"
)

func TestStat(t *testing.T) {
	nobody := osstest.Key{AccessKeyID: "nobody", AccessKeySecret: "secret", Policy: `{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:PutObject","Resource":"*"}]}`}
	server := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}, Keys: []osstest.Key{osstest.DefaultKey, nobody}})
	defer server.Close()
	opts := uploadtest.Options(osstest.DefaultKey)
	opts.RetryCount = 2
	c, err := upload.New(&opts)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	path := filepath.Join(t.TempDir(), "talk.mp4")
	if err := os.WriteFile(path, make([]byte, 250<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	want, err := c.Upload(t.Context(), upload.File{Path: path, Endpoint: server.URL, Bucket: "media", Object: "in/talk.mp4"})
	if err != nil {
		t.Fatal(err)
	}
	where := upload.StatOptions{Endpoint: server.URL, Bucket: "media", Object: "in/talk.mp4"}

	server.Inject(osstest.Fail(osstest.OpHeadObject, 503, "ServiceUnavailable"))
	got, err := c.Stat(t.Context(), where)
	if err != nil || got.CRC64 != want.CRC64 || !got.HasCRC64 || got.Size != want.Size || got.ETag != want.ETag || got.Type != "Multipart" || got.LastModified.IsZero() {
		t.Errorf("got %+v, %v, want that of %+v", got, err, want)
	}
	server.AssertFired(t)

	for name, tt := range map[string]struct {
		change func(*upload.StatOptions)
		is     error
		says   string
	}{
		"no object":      {func(o *upload.StatOptions) { o.Object = "none" }, upload.ErrObjectNotExist, "look at media/none"},
		"no bucket":      {func(o *upload.StatOptions) { o.Bucket = "other" }, nil, "check the bucket's name"},
		"no right":       {func(o *upload.StatOptions) { o.Credentials = provider(nobody) }, nil, "oss:GetObject"},
		"no object name": {func(o *upload.StatOptions) { o.Object = "" }, upload.ErrInvalidArgument, "StatOptions.Object"},
	} {
		t.Run(name, func(t *testing.T) {
			o := where
			tt.change(&o)
			_, err := c.Stat(t.Context(), o)
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) || tt.is == nil && errors.Is(err, upload.ErrObjectNotExist) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error is %v, want %v and %q", err, tt.is, tt.says)
			}
		})
	}
	t.Run("a context that has ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Stat(ctx, where); !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("ErrClosed while it waits", func(t *testing.T) {
		hang := osstest.Hang(osstest.OpHeadObject)
		server.Inject(hang)
		ended := make(chan error, 1)
		go func() {
			_, err := c.Stat(context.Background(), where)
			ended <- err
		}()
		<-hang.Fired()
		_ = c.Close()
		if err := <-ended; !errors.Is(err, upload.ErrClosed) {
			t.Errorf("error is %v", err)
		}
		if _, err := c.Stat(t.Context(), where); !errors.Is(err, upload.ErrClosed) {
			t.Errorf("error is %v", err)
		}
	})
}

func provider(k osstest.Key) sts.Provider {
	return sts.Static(sts.Credentials{AccessKeyID: k.AccessKeyID, AccessKeySecret: k.AccessKeySecret})
}

func TestStatOptionsHideCredentials(t *testing.T) {
	o := upload.StatOptions{Bucket: "media", Credentials: provider(osstest.Key{AccessKeyID: "id", AccessKeySecret: "hush"})}
	for _, verb := range []string{"%v", "%+v", "%#v", "%d"} {
		if text := fmt.Sprintf(verb, o); strings.Contains(text, "hush") || !strings.Contains(text, "media") {
			t.Errorf("%s: %s", verb, text)
		}
	}
}

func TestNewCRC64(t *testing.T) {
	data := make([]byte, 100_000)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	want := crc64.New(crc64.MakeTable(crc64.ECMA))
	got := upload.NewCRC64()
	for rest := data; len(rest) > 0; {
		n := min(len(rest), 1+rng.IntN(9000))
		_, _ = want.Write(rest[:n])
		_, _ = got.Write(rest[:n])
		rest = rest[n:]
		if got.Sum64() != want.Sum64() || string(got.Sum([]byte("x"))) != string(want.Sum([]byte("x"))) {
			t.Fatalf("got %x, want %x", got.Sum64(), want.Sum64())
		}
	}
	got.Reset()
	if got.Sum64() != 0 || got.Size() != want.Size() {
		t.Errorf("after Reset %x", got.Sum64())
	}
}

// What a bucket has, without downloading it.
func ExampleClient_Stat() {
	server := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	defer server.Close()
	opts := uploadtest.Options(osstest.DefaultKey)
	client, err := upload.New(&opts)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	text := "a film"
	_, err = client.Upload(context.Background(), upload.File{
		Path: "film", Reader: strings.NewReader(text), Endpoint: server.URL, Bucket: "media", Object: "in/film.mp4",
	})
	if err != nil {
		panic(err)
	}
	info, err := client.Stat(context.Background(), upload.StatOptions{Endpoint: server.URL, Bucket: "media", Object: "in/film.mp4"})
	if err != nil {
		panic(err)
	}
	local := upload.NewCRC64()
	_, _ = local.Write([]byte(text))
	fmt.Println(info.Size, info.HasCRC64 && info.CRC64 == local.Sum64())
	// Output: 6 true
}
