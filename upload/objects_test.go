package upload_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/uploadtest"
)

func TestObjects(t *testing.T) {
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
	for _, name := range []string{"in/b c.mp4", "in/a.mp4", "in/录像.mp4", "out/d.mp4"} {
		_, err := c.Upload(t.Context(), upload.File{Path: name, Reader: strings.NewReader(name), Endpoint: server.URL, Bucket: "media", Object: name})
		if err != nil {
			t.Fatal(err)
		}
	}
	in := upload.ListOptions{Endpoint: server.URL, Bucket: "media", Prefix: "in/"}

	server.Inject(osstest.Fail(osstest.OpListObjects, 503, "ServiceUnavailable"))
	var names []string
	for o, err := range c.Objects(t.Context(), in) {
		if err != nil || o.Size != int64(len(o.Object)) || o.ETag == "" || o.Type != "Normal" || o.LastModified.IsZero() {
			t.Errorf("got %+v, %v", o, err)
		}
		names = append(names, o.Object)
	}
	if want := []string{"in/a.mp4", "in/b c.mp4", "in/录像.mp4"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	server.AssertFired(t)

	t.Run("asks no more once the loop has ended", func(t *testing.T) {
		server.ResetRequests()
		for range c.Objects(t.Context(), in) {
			break
		}
		if n := server.Count(); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx    context.Context
		change func(*upload.ListOptions)
		is     error
		says   string
	}{
		"no bucket of that name":   {t.Context(), func(o *upload.ListOptions) { o.Bucket = "other" }, nil, "check the bucket's name"},
		"no right":                 {t.Context(), func(o *upload.ListOptions) { o.Credentials = provider(nobody) }, nil, "oss:ListObjects"},
		"no bucket":                {t.Context(), func(o *upload.ListOptions) { o.Bucket = "" }, upload.ErrInvalidArgument, "ListOptions.Bucket"},
		"no endpoint":              {t.Context(), func(o *upload.ListOptions) { o.Endpoint = "" }, upload.ErrInvalidArgument, "ListOptions.Endpoint"},
		"a context that has ended": {ended, func(*upload.ListOptions) {}, context.Canceled, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := in
			tt.change(&o)
			var errs []error
			for _, err := range c.Objects(tt.ctx, o) {
				errs = append(errs, err)
			}
			if len(errs) != 1 || errs[0] == nil || tt.is != nil && !errors.Is(errs[0], tt.is) || !strings.Contains(errs[0].Error(), tt.says) {
				t.Errorf("errors are %v, want one of %v and %q", errs, tt.is, tt.says)
			}
		})
	}
	t.Run("ErrClosed after Close", func(t *testing.T) {
		_ = c.Close()
		for _, err := range c.Objects(t.Context(), in) {
			if !errors.Is(err, upload.ErrClosed) {
				t.Errorf("error is %v", err)
			}
		}
	})
}

// Each page is asked for after the last name of the one before.
func TestObjectsOfSeveralPages(t *testing.T) {
	names := []string{"in/a", "in/b", "in/c d", "in/e", "in/f"}
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		after := r.URL.Query().Get("start-after")
		asked = append(asked, after)
		i := 0
		for i < len(names) && names[i] <= after {
			i++
		}
		page := names[i:min(i+2, len(names))]
		fmt.Fprintf(w, "<ListBucketResult><IsTruncated>%v</IsTruncated>", i+2 < len(names))
		for _, name := range page {
			fmt.Fprintf(w, "<Contents><Key>%s</Key><Size>7</Size></Contents>", name)
		}
		fmt.Fprint(w, "</ListBucketResult>")
	}))
	defer server.Close()
	opts := uploadtest.Options(osstest.DefaultKey)
	c, err := upload.New(&opts)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var got []string
	for o, err := range c.Objects(t.Context(), upload.ListOptions{Endpoint: server.URL, Bucket: "media"}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.Object)
	}
	if want := []string{"", "in/b", "in/e"}; !slices.Equal(got, names) || !slices.Equal(asked, want) {
		t.Errorf("got %q, asked for what comes after %q, want after %q", got, asked, want)
	}
}

func TestListOptionsHideCredentials(t *testing.T) {
	o := upload.ListOptions{Bucket: "media", Credentials: provider(osstest.Key{AccessKeyID: "id", AccessKeySecret: "hush"})}
	for _, verb := range []string{"%v", "%+v", "%#v", "%d"} {
		if text := fmt.Sprintf(verb, o); strings.Contains(text, "hush") || !strings.Contains(text, "media") {
			t.Errorf("%s: %s", verb, text)
		}
	}
}
