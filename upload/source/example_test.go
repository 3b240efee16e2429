package source_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/source"
	"github.com/vodupload/vodupload/upload/uploadtest"
)

// A film goes from a web server to OSS, part by part. Its URL is signed; a new one is
// fetched when the signature has expired.
func ExampleNewHTTP() {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"5d41402a"`)
		http.ServeContent(w, r, "talk.mp4", time.Time{}, strings.NewReader(strings.Repeat("film ", 50_000)))
	}))
	defer origin.Close()
	oss := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	defer oss.Close()
	opts := uploadtest.Options(osstest.DefaultKey)
	client, err := upload.New(&opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	ctx := context.Background()
	sign := func(context.Context) (string, error) { return origin.URL + "/talk.mp4?signature=5Yw", nil }
	url, err := sign(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	src, err := source.NewHTTP(ctx, url, &source.HTTPOptions{Name: "talks/1.mp4", Renew: sign, Transport: origin.Client().Transport})
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := client.Upload(ctx, upload.File{
		Path: src.Name(), Source: src,
		Endpoint: oss.URL, Bucket: "media", Object: "in/talk.mp4",
	})
	fmt.Println(src.Name(), res.Size, res.Parts, err)
	// Output: talks/1.mp4 250000 3 <nil>
}
