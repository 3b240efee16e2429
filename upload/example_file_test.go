package upload_test

import (
	"context"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
)

// A section of a larger file.
func ExampleNewSource() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)

	tape, err := os.Open(filepath.Join(dir, "talk.mp4"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tape.Close()
	const from, size = 500_000, 1_200_000
	section := io.NewSectionReader(tape, from, size)

	client := exampleClient(upload.Options{Credentials: sts.Static(exampleKey)})
	defer client.Close()
	result, err := client.Upload(context.Background(), upload.File{
		Path:     "talk.mp4, second scene", // a name, for the list and for errors
		Source:   upload.NewSource(section, size, fmt.Sprintf("tape 7 at %d", from)),
		Endpoint: server.URL, Bucket: "media", Object: "scenes/2.mp4",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Size, "bytes in", result.Parts, "parts")
	// Output: 1200000 bytes in 2 parts
}

//go:embed STATES.md
var embedded embed.FS

// A file that is built into the program.
func ExampleFile_fs() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)

	client := exampleClient(upload.Options{Credentials: sts.Static(exampleKey)})
	defer client.Close()
	result, err := client.Upload(context.Background(), upload.File{
		FS: embedded, Path: "STATES.md", // var embedded embed.FS
		Endpoint: server.URL, Bucket: "media", Object: "doc/STATES.md",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Object, "verified:", result.Verified)
	// Output: doc/STATES.md verified: true
}

// A rangeReader reads a file of a web server, range by range. With If-Match all
// ranges are of one version.
type rangeReader struct {
	client    *http.Client // with a timeout: a read cannot be interrupted
	url, etag string
}

func (r *rangeReader) ReadAt(p []byte, off int64) (int, error) {
	req, err := http.NewRequest(http.MethodGet, r.url, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", off, off+int64(len(p))-1))
	req.Header.Set("If-Match", r.etag)
	resp, err := r.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusPartialContent:
		return io.ReadFull(resp.Body, p)
	case http.StatusPreconditionFailed:
		return 0, fmt.Errorf("%w: %s is no longer %s", upload.ErrFileChanged, r.url, r.etag)
	}
	return 0, fmt.Errorf("GET %s: got %s, want 206", r.url, resp.Status)
}

// A file of a web server goes to OSS without touching the disk.
func ExampleSource() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	const size, etag = 1_500_000, `"v1"`
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", etag)
		http.ServeContent(w, r, "film.mp4", time.Time{}, strings.NewReader(strings.Repeat("frame ", size/6)))
	}))
	defer web.Close()

	from := &rangeReader{client: &http.Client{Timeout: time.Minute}, url: web.URL + "/film.mp4", etag: etag}
	client := exampleClient(upload.Options{Credentials: sts.Static(exampleKey)})
	defer client.Close()
	result, err := client.Upload(context.Background(), upload.File{
		Path: from.url, Source: upload.NewSource(from, size, from.url+" "+etag), // of a HEAD request
		Endpoint: server.URL, Bucket: "media", Object: "in/film.mp4",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Size, "bytes in", result.Parts, "parts, verified:", result.Verified)
	// Output: 1500000 bytes in 2 parts, verified: true
}

// What is kept with an object, and a callback to a server of your own.
func ExampleFile_options() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"known as": r.FormValue("object") + " of " + r.FormValue("who")})
	}))
	defer backend.Close()

	client := exampleClient(upload.Options{Credentials: sts.Static(exampleKey)})
	defer client.Close()
	result, err := client.Upload(context.Background(), upload.File{
		Path: filepath.Join(dir, "talk.mp4"), Endpoint: server.URL, Bucket: "media", Object: "in/talk.mp4",
		Options: &upload.ObjectOptions{
			CacheControl: "max-age=86400",
			StorageClass: "IA",
			Encryption:   "AES256",
			Metadata:     map[string]string{"camera": "2"},
			Tags:         map[string]string{"room": "main hall"},
			Callback: &upload.Callback{
				URLs: []string{backend.URL},
				Body: "object=${object}&who=${x:who}",
				Vars: map[string]string{"x:who": "Ada"},
			},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.TrimSpace(string(result.CallbackBody)))
	object, _ := server.Object("media", "in/talk.mp4")
	fmt.Println(object.StorageClass, object.Header.Get("x-oss-server-side-encryption"), object.Header.Get("x-oss-meta-camera"))
	// Output:
	// {"known as":"in/talk.mp4 of Ada"}
	// IA AES256 2
}

// What the media services are told, and how it gets there.
func ExampleInfo() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)

	client := exampleClient(upload.Options{Credentials: sts.Static(exampleKey)})
	defer client.Close()
	if _, err := client.Upload(context.Background(), upload.File{
		Path: filepath.Join(dir, "talk.mp4"), Endpoint: server.URL, Bucket: "media", Object: "in/talk.mp4",
		Info: &upload.Info{
			Title:       "Opening talk",
			Description: "Main hall, first day",
			CategoryID:  7,
			Tags:        []string{"conference", "2026"},
			CoverURL:    "https://example.com/talk.jpg",
			UserData:    "order 4711", // or Watermark and Priority, which take its place
			NoProcess:   true,
		},
	}); err != nil {
		fmt.Println(err)
		return
	}
	object, _ := server.Object("media", "in/talk.mp4")
	text, err := base64.StdEncoding.DecodeString(object.Header.Get("x-oss-notification"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.ReplaceAll(string(text), `","`, "\",\n\""))
	// Output:
	// {"Vod":{"Title":"Opening talk",
	// "Description":"Main hall, first day",
	// "CateId":"7",
	// "Tags":"conference,2026",
	// "CoverUrl":"https://example.com/talk.jpg",
	// "IsProcess":"false",
	// "UserData":"order 4711"}}
}

// A reader whose length is not known.
func ExampleFile_reader() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)

	client := exampleClient(upload.Options{Credentials: sts.Static(exampleKey)})
	defer client.Close()
	result, err := client.Upload(context.Background(), upload.File{
		Path: "camera 1", Reader: strings.NewReader(strings.Repeat("frame ", 500_000)),
		Endpoint: server.URL, Bucket: "media", Object: "live/camera1.ts",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Size, "bytes in", result.Parts, "parts")
	// Output: 3000000 bytes in 3 parts
}
