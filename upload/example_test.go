package upload_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// One file, one result.
func ExampleClient_Upload() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)

	client, err := upload.New(&upload.Options{
		Credentials: sts.Static(exampleKey),
		Checkpoints: checkpoint.NewMemory(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	result, err := client.Upload(context.Background(), upload.File{
		Path:     filepath.Join(dir, "talk.mp4"),
		Endpoint: server.URL, // "oss-cn-hangzhou.aliyuncs.com"
		Bucket:   "media",
		Object:   "in/talk.mp4",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Size, "bytes in", result.Parts, "parts, verified:", result.Verified)
	// Output: 3000000 bytes in 3 parts, verified: true
}

// A list of files, with callbacks, and a token that expires on the way.
func ExampleNew() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	server.Inject(osstest.ExpireToken(osstest.OpUploadPart).Nth(2))

	client, err := upload.New(&upload.Options{
		Checkpoints: checkpoint.NewMemory(),
		Callbacks: upload.Callbacks{
			OnSucceeded: func(_ *upload.Client, f upload.FileInfo, r upload.Result) {
				fmt.Println("succeeded:", f.Object)
			},
			OnFailed: func(_ *upload.Client, f upload.FileInfo, err error) {
				fmt.Println("failed:", err)
			},
			OnTokenExpired: func(c *upload.Client, _ upload.FileInfo) {
				fmt.Println("token expired")
				if err := c.ResumeWithToken(exampleToken(server)); err != nil {
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
	if err := client.Init(exampleToken(server)); err != nil {
		fmt.Println(err)
		return
	}
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
	// token expired
	// succeeded: in/talk.mp4
}

// What went wrong, for a program and for a person.
func ExampleError() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)

	client := exampleClient(upload.Options{Credentials: sts.Static(exampleKey)})
	defer client.Close()
	_, err := client.Upload(context.Background(), upload.File{
		Path: filepath.Join(dir, "talk.mp4"), Endpoint: server.URL, Bucket: "other", Object: "in/talk.mp4",
	})
	var failed *upload.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Op, failed.Status, failed.Code, "request ID of", len(failed.RequestID), "digits")
	}
	// Output: InitiateMultipartUpload 404 NoSuchBucket request ID of 24 digits
}

// A folder, with a prefix, and what the media services are told.
func ExampleClient_AddDir() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)

	client := exampleClient(upload.Options{Credentials: sts.Static(exampleKey)})
	defer client.Close()
	ctx := context.Background()
	ids, err := client.AddDir(ctx, dir, &upload.AddDirOptions{
		Prefix: "conference",
		File: upload.File{
			Endpoint: server.URL, Bucket: "media", Options: &upload.ObjectOptions{StorageClass: "IA"},
			Info: &upload.Info{Tags: []string{"conference", "2026"}, CategoryID: 7},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := client.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if err := client.Wait(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for _, id := range ids {
		f, _ := client.File(id)
		fmt.Println(f.State, f.Object)
	}
	// Output: succeeded conference/talk.mp4
}

var exampleKey = sts.Credentials{
	AccessKeyID:     osstest.DefaultKey.AccessKeyID,
	AccessKeySecret: osstest.DefaultKey.AccessKeySecret,
}

// exampleServer is a server with the bucket media, and a folder with one video.
func exampleServer() (*osstest.Server, string) {
	server := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	dir, err := os.MkdirTemp("", "example")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "talk.mp4"), make([]byte, 3_000_000), 0o600)
	}
	if err != nil {
		panic(err)
	}
	return server, dir
}

// exampleClient is a client that keeps its checkpoints in memory unless opts has a
// store, and makes one request at a time, so that the output is the same each time.
func exampleClient(opts upload.Options) *upload.Client {
	if opts.Checkpoints == nil {
		opts.Checkpoints = checkpoint.NewMemory()
	}
	opts.Parallel = 1
	client, err := upload.New(&opts)
	if err != nil {
		panic(err)
	}
	return client
}

// exampleTokens counts the tokens, so that each is another.
var exampleTokens atomic.Int64

// exampleToken is what an app server would hand out.
func exampleToken(server *osstest.Server) sts.Credentials {
	id := fmt.Sprintf("STS.%d", exampleTokens.Add(1))
	server.AddKey(osstest.Key{AccessKeyID: id, AccessKeySecret: "secret", SecurityToken: "token" + id})
	return sts.Credentials{AccessKeyID: id, AccessKeySecret: "secret", SecurityToken: "token" + id}
}

// A program that is told to end, and its next run.
func ExampleClient_Close() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	checkpoints := checkpoint.NewMemory() // the default is a directory, which outlives the process
	file := upload.File{Path: filepath.Join(dir, "talk.mp4"), Endpoint: server.URL, Bucket: "media", Object: "in/talk.mp4"}
	hold := osstest.Hang(osstest.OpUploadPart).Nth(3)
	server.Inject(hold)

	run := func(end <-chan struct{}) {
		client := exampleClient(upload.Options{
			Credentials: sts.Static(exampleKey), Checkpoints: checkpoints,
			Callbacks: upload.Callbacks{
				OnFailed: func(_ *upload.Client, f upload.FileInfo, err error) {
					if errors.Is(err, upload.ErrClosed) {
						fmt.Println(f.Object, "continues next time")
						return
					}
					fmt.Println("failed:", err)
				},
				OnSucceeded: func(_ *upload.Client, f upload.FileInfo, r upload.Result) {
					fmt.Println(f.Object, "succeeded")
				},
			},
		})
		defer client.Close()
		if _, err := client.AddFile(file); err != nil {
			fmt.Println(err)
			return
		}
		ctx, stop := context.WithCancel(context.Background()) // signal.NotifyContext(…, os.Interrupt)
		defer stop()
		go func() {
			<-end
			stop()
		}()
		if err := client.Start(ctx); err != nil {
			fmt.Println(err)
			return
		}
		if err := client.Wait(context.Background()); err != nil {
			fmt.Println(errors.Is(err, upload.ErrStopped))
		}
	}
	run(hold.Fired())
	never := make(chan struct{})
	defer close(never)
	run(never)
	// Output:
	// true
	// in/talk.mp4 continues next time
	// in/talk.mp4 succeeded
}

// Pause holds all that is under way; one file is canceled meanwhile, another deleted.
func ExampleClient_Pause() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	hold := osstest.Hang(osstest.OpUploadPart).Nth(2)
	server.Inject(hold)

	client := exampleClient(upload.Options{Credentials: sts.Static(exampleKey)})
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
	client := exampleClient(upload.Options{Credentials: sts.Static(exampleKey), Callbacks: upload.Callbacks{
		OnProgress: func(c *upload.Client, f upload.FileInfo, uploaded, total int64) {
			stats, left := c.Stats(), "?"
			if stats.Left >= 0 {
				left = stats.Left.Round(time.Second).String()
			}
			fmt.Fprintf(bar, "\r%s: %d of %d bytes; in all %d of %d, %s left",
				f.Object, uploaded, total, stats.Uploaded, stats.Total, left)
		},
		OnSucceeded: func(_ *upload.Client, f upload.FileInfo, r upload.Result) {
			fmt.Printf("%s: %d of %d bytes\n", f.Object, f.Uploaded, f.Size)
		},
		OnFinished: func(*upload.Client) { fmt.Println("finished") },
	}})
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

// A token for each file, with a policy for this one object.
func ExampleClient_SetToken() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)

	client := exampleClient(upload.Options{
		Callbacks: upload.Callbacks{
			OnStarted: func(c *upload.Client, f upload.FileInfo) {
				if err := c.SetToken(f.ID, exampleToken(server)); err != nil { // asks for f.Object
					fmt.Println(err)
				}
			},
			OnSucceeded: func(_ *upload.Client, f upload.FileInfo, _ upload.Result) { fmt.Println(f.Object) },
		},
	})
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

	client := exampleClient(upload.Options{
		Callbacks: upload.Callbacks{
			OnStarted: func(c *upload.Client, f upload.FileInfo) { // CreateUploadVideo
				if err := c.SetUploadAuthAndAddress(f.ID, exampleUploadAuth(server), address, "5f1c"); err != nil {
					fmt.Println(err)
				}
			},
			OnTokenExpired: func(c *upload.Client, f upload.FileInfo) { // RefreshUploadVideo
				fmt.Println("token expired, asking for video", f.VideoID)
				if err := c.ResumeWithAuth(f.ID, exampleUploadAuth(server)); err != nil {
					fmt.Println(err)
				}
			},
		},
	})
	defer client.Close()
	result, err := client.Upload(context.Background(), upload.File{Path: filepath.Join(dir, "talk.mp4")})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("video", result.VideoID, "in", result.Parts, "parts")
	// Output:
	// token expired, asking for video 5f1c
	// video 5f1c in 3 parts
}

// Look at what was left unfinished, before it is swept.
func ExampleClient_Sweep() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	hold := osstest.Hang(osstest.OpUploadPart).Nth(3)
	server.Inject(hold)

	crashed := exampleClient(upload.Options{Credentials: sts.Static(exampleKey)})
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

	client := exampleClient(upload.Options{Credentials: sts.Static(exampleKey)})
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
