package upload_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

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

	client, err := upload.New(&upload.Options{Credentials: sts.Static(exampleKey), Checkpoints: checkpoint.NewMemory()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	_, err = client.Upload(context.Background(), upload.File{
		Path: filepath.Join(dir, "talk.mp4"), Endpoint: server.URL, Bucket: "other", Object: "in/talk.mp4",
	})
	var failed *upload.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Op, failed.Status, failed.Code, "request ID of", len(failed.RequestID), "digits")
	}
	// Output: InitiateMultipartUpload 404 NoSuchBucket request ID of 24 digits
}

// A reader whose length is not known.
func ExampleFile_reader() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)

	client, err := upload.New(&upload.Options{Credentials: sts.Static(exampleKey), Checkpoints: checkpoint.NewMemory()})
	if err != nil {
		fmt.Println(err)
		return
	}
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

// A folder, with a prefix, and what the media services are told.
func ExampleClient_AddDir() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)

	client, err := upload.New(&upload.Options{Credentials: sts.Static(exampleKey), Checkpoints: checkpoint.NewMemory()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	like := upload.File{
		Endpoint: server.URL, Bucket: "media", StorageClass: "IA",
		Info: &upload.Info{Tags: []string{"conference", "2026"}, CategoryID: 7},
	}
	ids, err := client.AddDir(dir, "conference/", like, nil)
	if err != nil {
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

// exampleTokens counts the tokens, so that each is another.
var exampleTokens int

// exampleToken is what an app server would hand out.
func exampleToken(server *osstest.Server) sts.Credentials {
	exampleTokens++
	id := fmt.Sprintf("STS.%d", exampleTokens)
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
		client, err := upload.New(&upload.Options{
			Credentials: sts.Static(exampleKey), Checkpoints: checkpoints,
			Callbacks: upload.Callbacks{
				OnFailed: func(_ *upload.Client, f upload.FileInfo, err error) {
					if errors.Is(err, upload.ErrClosed) {
						fmt.Println(f.Object, "goes on next time")
						return
					}
					fmt.Println("failed:", err)
				},
				OnSucceeded: func(_ *upload.Client, f upload.FileInfo, r upload.Result) {
					fmt.Println(f.Object, "succeeded")
				},
			},
		})
		if err != nil {
			fmt.Println(err)
			return
		}
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
	// in/talk.mp4 goes on next time
	// in/talk.mp4 succeeded
}
