package upload_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
)

// The program of the clients for Android, iOS and the web, line by line: callbacks, a token
// of the app server, init, addFile, start; and a new token when the first has expired.
func Example_mobileClient() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	token := func() sts.Credentials { return exampleToken(server) } // the app server's answer: see sts.NewHTTP

	callbacks := upload.Callbacks{
		OnStarted: func(_ *upload.Client, f upload.FileInfo) {
			fmt.Println("started", f.Object)
		},
		OnProgress: func(_ *upload.Client, f upload.FileInfo, uploaded, total int64) {
			if uploaded > total {
				fmt.Println("more than all") // it never does
			}
		},
		OnSucceeded: func(_ *upload.Client, f upload.FileInfo, _ upload.Result) {
			fmt.Println("succeeded", f.Object)
		},
		OnFailed: func(_ *upload.Client, f upload.FileInfo, err error) {
			fmt.Println("failed", f.Err.Code, err)
		},
		OnTokenExpired: func(c *upload.Client, _ upload.FileInfo) {
			_ = c.ResumeWithToken(token()) // it refuses only the token that has just expired
		},
		OnRetry:       func(_ *upload.Client, f upload.FileInfo, r upload.Retry) {},
		OnRetryResume: func(_ *upload.Client, f upload.FileInfo) {},
	}
	uploader, err := upload.New(&upload.Options{Callbacks: callbacks, Checkpoints: checkpoint.NewMemory()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer uploader.Close()
	if err := uploader.Init(token()); err != nil {
		fmt.Println(err)
		return
	}
	_, err = uploader.AddFile(upload.File{
		Path: filepath.Join(dir, "talk.mp4"), Endpoint: server.URL, Bucket: "media", Object: "uploadtest/talk.mp4",
		Info: &upload.Info{Title: "A talk", Tags: []string{"conference"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if err := uploader.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if err := uploader.Wait(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// started uploadtest/talk.mp4
	// succeeded uploadtest/talk.mp4
}
