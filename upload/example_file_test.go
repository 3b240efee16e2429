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

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// exampleClient is a client with the examples' key, one request at a time, so that
// what is printed is the same each time.
func exampleClient(callbacks upload.Callbacks) *upload.Client {
	client, err := upload.New(&upload.Options{
		Credentials: sts.Static(exampleKey), Checkpoints: checkpoint.NewMemory(), Parallel: 1, Callbacks: callbacks,
	})
	if err != nil {
		panic(err)
	}
	return client
}

// Pause holds all that is under way; one file is canceled meanwhile, another deleted.
func ExampleClient_Pause() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	hold := osstest.Hang(osstest.OpUploadPart).Nth(2)
	server.Inject(hold)

	client := exampleClient(upload.Callbacks{})
	defer client.Close()
	var ids []upload.FileID
	for _, object := range []string{"in/1.mp4", "in/2.mp4", "in/3.mp4"} {
		id, err := client.AddFile(upload.File{
			Path: filepath.Join(dir, "talk.mp4"), Endpoint: server.URL, Bucket: "media", Object: object,
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		ids = append(ids, id)
	}
	ctx := context.Background()
	if err := client.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	<-hold.Fired() // the first file is under way
	for _, step := range []func() error{
		client.Pause,
		func() error { return client.CancelFile(ids[1]) },
		func() error { return client.DeleteFile(ids[2]) },
	} {
		if err := step(); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(client.Status())
	if err := client.Resume(); err != nil {
		fmt.Println(err)
		return
	}
	if err := client.Wait(ctx); err != nil {
		fmt.Println(err)
		return
	}
	stats := client.Stats()
	fmt.Println(client.Status(), stats.Files, stats.Uploaded, "of", stats.Total, "bytes")
	// Output:
	// paused
	// finished map[succeeded:1 canceled:1] 3000000 of 3000000 bytes
}

// Progress, of one file and of the whole list.
func ExampleCallbacks() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)

	var bar io.Writer = io.Discard // os.Stderr
	client := exampleClient(upload.Callbacks{
		OnProgress: func(c *upload.Client, f upload.FileInfo, uploaded, total int64) {
			stats := c.Stats()
			fmt.Fprintf(bar, "\r%s: %d of %d bytes; in all %d of %d, %v left",
				f.Object, uploaded, total, stats.Uploaded, stats.Total, stats.Left.Round(time.Second))
		},
		OnSucceeded: func(_ *upload.Client, f upload.FileInfo, r upload.Result) {
			fmt.Printf("%s: %d of %d bytes\n", f.Object, f.Uploaded, f.Size)
		},
		OnFinished: func(*upload.Client) { fmt.Println("finished") },
	})
	defer client.Close()
	if _, err := client.AddFile(upload.File{
		Path: filepath.Join(dir, "talk.mp4"), Endpoint: server.URL, Bucket: "media", Object: "in/talk.mp4",
	}); err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if err := client.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if err := client.Wait(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// in/talk.mp4: 3000000 of 3000000 bytes
	// finished
}

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

	client := exampleClient(upload.Callbacks{})
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

	client := exampleClient(upload.Callbacks{})
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
	client := exampleClient(upload.Callbacks{})
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

	client := exampleClient(upload.Callbacks{})
	defer client.Close()
	result, err := client.Upload(context.Background(), upload.File{
		Path: filepath.Join(dir, "talk.mp4"), Endpoint: server.URL, Bucket: "media", Object: "in/talk.mp4",
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

	client := exampleClient(upload.Callbacks{})
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

// A token for each file, with a policy for this one object.
func ExampleClient_SetToken() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)

	client, err := upload.New(&upload.Options{
		Checkpoints: checkpoint.NewMemory(),
		Callbacks: upload.Callbacks{
			OnStarted: func(c *upload.Client, f upload.FileInfo) {
				if err := c.SetToken(f.ID, exampleToken(server)); err != nil { // asks for f.Object
					fmt.Println(err)
				}
			},
			OnSucceeded: func(_ *upload.Client, f upload.FileInfo, _ upload.Result) { fmt.Println(f.Object) },
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	ctx := context.Background()
	for _, object := range []string{"in/1.mp4", "in/2.mp4"} {
		if _, err := client.Upload(ctx, upload.File{
			Path: filepath.Join(dir, "talk.mp4"), Endpoint: server.URL, Bucket: "media", Object: object,
		}); err != nil {
			fmt.Println(err)
		}
	}
	keys := make(map[string]bool)
	for _, r := range server.Requests() {
		keys[r.AccessKeyID] = true
	}
	fmt.Println(len(keys), "tokens")
	// Output:
	// in/1.mp4
	// in/2.mp4
	// 2 tokens
}

// exampleUploadAuth is the UploadAuth that ApsaraVideo VOD would give to an app server.
func exampleUploadAuth(server *osstest.Server) string {
	token := exampleToken(server)
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil,
		`{"AccessKeyId":%q,"AccessKeySecret":%q,"SecurityToken":%q,"Expiration":"3600"}`,
		token.AccessKeyID, token.AccessKeySecret, token.SecurityToken))
}

// An app server asks ApsaraVideo VOD for the address and the credentials of each
// file, and for new credentials when they expire.
func ExampleClient_SetUploadAuthAndAddress() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	server.Inject(osstest.ExpireToken(osstest.OpUploadPart).Nth(2))
	address := base64.StdEncoding.EncodeToString(fmt.Appendf(nil,
		`{"Endpoint":%q,"Bucket":"media","FileName":"sv/5f-1/talk.mp4"}`, server.URL))

	client, err := upload.New(&upload.Options{
		Checkpoints: checkpoint.NewMemory(),
		Callbacks: upload.Callbacks{
			OnStarted: func(c *upload.Client, f upload.FileInfo) { // CreateUploadVideo
				if err := c.SetUploadAuthAndAddress(f.ID, exampleUploadAuth(server), address); err != nil {
					fmt.Println(err)
				}
			},
			OnTokenExpired: func(c *upload.Client, f upload.FileInfo) { // RefreshUploadVideo
				fmt.Println("token expired")
				if err := c.ResumeWithAuth(f.ID, exampleUploadAuth(server)); err != nil {
					fmt.Println(err)
				}
			},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	result, err := client.Upload(context.Background(), upload.File{Path: filepath.Join(dir, "talk.mp4")})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Object, "in", result.Parts, "parts")
	// Output:
	// token expired
	// sv/5f-1/talk.mp4 in 3 parts
}

// Look at what was left unfinished, before it is swept.
func ExampleClient_Sweep() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	hold := osstest.Hang(osstest.OpUploadPart).Nth(3)
	server.Inject(hold)

	crashed := exampleClient(upload.Callbacks{})
	defer crashed.Close()
	if _, err := crashed.AddFile(upload.File{
		Path: filepath.Join(dir, "talk.mp4"), Endpoint: server.URL, Bucket: "media", Object: "in/talk.mp4",
	}); err != nil {
		fmt.Println(err)
		return
	}
	if err := crashed.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	<-hold.Fired()
	_ = crashed.Close() // and its checkpoint is lost with the machine

	client := exampleClient(upload.Callbacks{})
	defer client.Close()
	found, err := client.Sweep(context.Background(), upload.SweepOptions{
		Endpoint: server.URL, Bucket: "media", Prefix: "in/",
		OlderThan: -1, // the default is a day
		DryRun:    true,
	})
	if err != nil {
		fmt.Println(err)
	}
	for _, left := range found {
		fmt.Println(left.Object, "has", left.Parts, "parts, aborted:", left.Aborted)
	}
	fmt.Println(len(server.Uploads("media")), "unfinished upload at the server")
	// Output:
	// in/talk.mp4 has 2 parts, aborted: false
	// 1 unfinished upload at the server
}
