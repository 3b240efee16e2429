package upload_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// Why a file does not get any further: here the token server was asked in vain once.
func ExampleCallbacks_onWaiting() {
	server := osstest.NewServer(nil)
	defer server.Close()
	server.CreateBucket("media")
	asked := 0 // a Provider of a client is asked by one goroutine at a time
	reported := make(chan struct{})
	tokens := sts.ProviderFunc(func(context.Context) (sts.Credentials, error) {
		if asked++; asked == 1 {
			return sts.Credentials{}, errors.New("the token server restarts")
		}
		<-reported // a wait that is over is not reported any more
		return exampleToken(server), nil
	})
	client := exampleClient(upload.Options{
		Credentials:   tokens,
		RetryInterval: 10 * time.Millisecond,
		Callbacks: upload.Callbacks{
			OnWaiting: func(_ *upload.Client, f upload.FileInfo, w upload.Waiting) {
				fmt.Printf("%s waits for %v: %v\n", f.Object, w.For, w.Err)
				close(reported)
			},
		},
	})
	defer client.Close()
	result, err := client.Upload(context.Background(), upload.File{
		Path: "request 1", Reader: strings.NewReader("hello"),
		Endpoint: server.URL, Bucket: "media", Object: "in/hello.txt",
	})
	fmt.Println(result.Object, err)
	// Output:
	// in/hello.txt waits for credentials: the token server restarts
	// in/hello.txt <nil>
}

// A night without the network costs no file: the client waits until the endpoint is back.
func ExampleOptions_outageWait() {
	server := osstest.NewServer(nil)
	defer server.Close()
	server.CreateBucket("media")
	client := exampleClient(upload.Options{
		Credentials:   sts.Static(exampleToken(server)),
		RetryInterval: 10 * time.Millisecond,
		OutageWait:    12 * time.Hour,
	})
	defer client.Close()
	ctx := context.Background()
	file := upload.File{Endpoint: server.URL, Bucket: "media"}
	for i, name := range []string{"evening.txt", "morning.txt"} {
		if i == 1 { // more often than the three retries that a request has
			server.Inject(osstest.Reset(osstest.AnyOp).Times(7))
		}
		file.Path, file.Reader, file.Object = name, strings.NewReader("hello"), name
		_, err := client.Upload(ctx, file)
		fmt.Println(name, err)
	}
	// Output:
	// evening.txt <nil>
	// morning.txt <nil>
}

// A look at a long list, without a copy of it.
func ExampleClient_All() {
	client := exampleClient(upload.Options{})
	defer client.Close()
	for _, name := range []string{"a.mp4", "b.mp4", "c.mp4"} {
		if _, err := client.AddFile(upload.File{
			Path: name, Reader: strings.NewReader("hello"),
			Endpoint: "oss-cn-hangzhou.aliyuncs.com", Bucket: "media", Object: name,
		}); err != nil {
			fmt.Println(err)
		}
	}
	for f := range client.All() {
		fmt.Println(f.Object, f.State)
		if f.Object == "b.mp4" {
			break
		}
	}
	// Output:
	// a.mp4 init
	// b.mp4 init
}
