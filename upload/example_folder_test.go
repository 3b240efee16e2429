package upload_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
)

// exampleStream makes a folder with a stream of HLS.
func exampleStream(dir string) {
	for name, text := range map[string]string{
		"master.m3u8":     "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=2000000\n720p/index.m3u8\n",
		"720p/index.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nseg1.ts\n#EXT-X-ENDLIST\n",
		"720p/seg1.ts":    "first segment", "720p/seg2.ts.tmp": "",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			panic(err)
		}
	}
}

// A stream of HLS: nobody who sees a playlist misses what it names.
func ExampleAddDirOptions_playlistsLast() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	exampleStream(filepath.Join(dir, "hls"))

	client := exampleClient(upload.Options{
		Credentials: sts.Static(exampleKey),
		Callbacks: upload.Callbacks{OnSucceeded: func(_ *upload.Client, f upload.FileInfo, r upload.Result) {
			o, _ := server.Object(r.Bucket, r.Object)
			fmt.Println(f.Object, o.Header.Get("Content-Type"))
		}},
	})
	ctx := context.Background()
	_, err := client.AddDir(ctx, filepath.Join(dir, "hls"), &upload.AddDirOptions{
		Prefix:        "talks/42",
		File:          upload.File{Endpoint: server.URL, Bucket: "media"},
		PlaylistsLast: true,
		Func: func(f *upload.File, _ fs.DirEntry) (skip bool, err error) {
			if strings.HasSuffix(f.Path, ".m3u8") {
				f.Options = &upload.ObjectOptions{CacheControl: "no-cache"}
			}
			return strings.HasSuffix(f.Path, ".tmp"), nil
		},
	})
	var notAdded upload.AddDirErrors
	if errors.As(err, &notAdded) {
		for _, e := range notAdded {
			fmt.Println(e.Path, e.Err)
		}
	}
	if err := errors.Join(client.Start(ctx), client.Wait(ctx), client.Close()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// talks/42/720p/seg1.ts video/mp2t
	// talks/42/720p/index.m3u8 application/vnd.apple.mpegurl
	// talks/42/master.m3u8 application/vnd.apple.mpegurl
}

// A folder that is uploaded again: only what is new or has changed is sent.
func ExampleIfExists() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	exampleStream(filepath.Join(dir, "hls"))

	ctx := context.Background()
	sync := func() {
		client := exampleClient(upload.Options{Credentials: sts.Static(exampleKey)})
		defer client.Close()
		_, err := client.AddDir(ctx, filepath.Join(dir, "hls"), &upload.AddDirOptions{
			Prefix: "talks/42",
			File:   upload.File{Endpoint: server.URL, Bucket: "media", IfExists: upload.SkipSame},
		})
		if err := errors.Join(err, client.Start(ctx), client.Wait(ctx)); err != nil {
			fmt.Println(err)
		}
		s := client.Stats()
		fmt.Println(s.Files[upload.FileSucceeded]-s.Skipped, "sent,", s.Skipped, "skipped")
	}
	sync()
	if err := os.WriteFile(filepath.Join(dir, "hls", "720p", "seg1.ts"), []byte("other segment"), 0o600); err != nil {
		fmt.Println(err)
	}
	sync()
	// Output:
	// 4 sent, 0 skipped
	// 1 sent, 3 skipped
}

// A file that is uploaded once others are stored.
func ExampleGroup() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	exampleStream(dir)

	client := exampleClient(upload.Options{
		Credentials: sts.Static(exampleKey),
		Callbacks:   upload.Callbacks{OnSucceeded: func(_ *upload.Client, f upload.FileInfo, _ upload.Result) { fmt.Println(f.Object) }},
	})
	group := new(upload.Group)
	for rank, names := range [][]string{{"720p/seg1.ts"}, {"720p/index.m3u8"}} {
		for _, name := range names {
			_, err := client.AddFile(upload.File{
				Path: filepath.Join(dir, name), Endpoint: server.URL, Bucket: "media", Object: name,
				Group: group, Rank: rank,
			})
			if err != nil {
				fmt.Println(err)
			}
		}
	}
	ctx := context.Background()
	if err := errors.Join(client.Start(ctx), client.Wait(ctx), client.Close()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 720p/seg1.ts
	// 720p/index.m3u8
}
