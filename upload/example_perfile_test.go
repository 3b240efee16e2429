package upload_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A job of the program's own comes back with its file.
func ExampleFile_tag() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	type job struct{ Customer string }

	client := exampleClient(upload.Options{
		Credentials: sts.Static(exampleKey),
		Callbacks: upload.Callbacks{
			OnSucceeded: func(_ *upload.Client, f upload.FileInfo, r upload.Result) {
				fmt.Println(r.Object, "of", f.Tag.(*job).Customer)
			},
		},
	})
	defer client.Close()
	_, err := client.Upload(context.Background(), upload.File{
		Path: filepath.Join(dir, "talk.mp4"), Endpoint: server.URL, Bucket: "media", Object: "in/talk.mp4",
		Tag: &job{Customer: "ACME"},
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: in/talk.mp4 of ACME
}

// A body whose length is known is streamed on, with its progress in per cent.
func ExampleFile_size() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	client := exampleClient(upload.Options{Credentials: sts.Static(exampleKey)})
	defer client.Close()

	handler := func(w http.ResponseWriter, r *http.Request) {
		var percent int64
		result, err := client.Upload(r.Context(), upload.File{
			Path:     "the body of " + r.URL.Path, // a name for the list and for errors
			Reader:   r.Body,
			Size:     max(r.ContentLength, 0), // which is -1 where it is not known
			Endpoint: server.URL, Bucket: "media", Object: "in" + r.URL.Path,
			OnProgress: func(f upload.FileInfo) {
				if f.Size > 0 {
					percent = 100 * f.Uploaded / f.Size
				}
			},
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Fprintf(w, "%s, %d bytes, %d %%", result.Object, result.Size, percent)
	}
	request := httptest.NewRequest("PUT", "/talk.mp4", strings.NewReader(strings.Repeat("x", 2_500_000)))
	answer := httptest.NewRecorder()
	handler(answer, request)
	text, _ := io.ReadAll(answer.Body)
	fmt.Println(string(text))
	// Output: in/talk.mp4, 2500000 bytes, 100 %
}

// A service adds files to a client that runs, and waits for each by itself.
func ExampleClient_WaitFile() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	client := exampleClient(upload.Options{Credentials: sts.Static(exampleKey)})
	defer client.Close()
	ctx := context.Background()
	if err := client.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}

	id, err := client.AddFile(upload.File{
		Path: filepath.Join(dir, "talk.mp4"), Endpoint: server.URL, Bucket: "media", Object: "in/talk.mp4",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.WaitFile(ctx, id)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Object, result.Size)
	// Output: in/talk.mp4 3000000
}

// OnStarted asks a backend where a file goes. Where that fails, so does the file, at once
// and with the reason.
func ExampleClient_FailFile() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	errQuota := errors.New("this customer's quota is used up")
	address := func(upload.FileInfo) (bucket, object string, err error) { return "", "", errQuota }

	client := exampleClient(upload.Options{
		Credentials: sts.Static(exampleKey),
		Callbacks: upload.Callbacks{
			OnStarted: func(c *upload.Client, f upload.FileInfo) {
				bucket, object, err := address(f)
				if err == nil {
					err = c.SetDestination(f.ID, server.URL, bucket, object)
				}
				if err != nil {
					_ = c.FailFile(f.ID, err) // it returns an error only if the file has ended meanwhile
				}
			},
		},
	})
	defer client.Close()
	_, err := client.Upload(context.Background(), upload.File{Path: filepath.Join(dir, "talk.mp4")})
	var failed *upload.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Code, errors.Is(err, errQuota), failed.Err)
	}
	// Output: FailFile true this customer's quota is used up
}

// A customer gets its tokens from a token server of its own.
type customer struct {
	server *osstest.Server
	name   string
}

func (c *customer) Credentials(context.Context) (sts.Credentials, error) {
	fmt.Println("a token for", c.name)
	token := sts.Credentials{AccessKeyID: "STS." + c.name, AccessKeySecret: "secret", SecurityToken: "token"}
	c.server.AddKey(osstest.Key{AccessKeyID: token.AccessKeyID, AccessKeySecret: token.AccessKeySecret, SecurityToken: token.SecurityToken})
	return token, nil
}

// Each customer's files are signed with tokens of that customer, by one client.
func ExampleFile_credentials() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	client := exampleClient(upload.Options{}) // without credentials of its own
	defer client.Close()

	for _, c := range []*customer{{server, "acme"}, {server, "umbrella"}} {
		if err := server.CreateBucket(c.name); err != nil {
			fmt.Println(err)
			return
		}
		for _, object := range []string{"1.mp4", "2.mp4"} {
			_, err := client.AddFile(upload.File{
				Path: filepath.Join(dir, "talk.mp4"), Endpoint: server.URL, Bucket: c.name, Object: object,
				Credentials: c, // a pointer: both files share its tokens
			})
			if err != nil {
				fmt.Println(err)
				return
			}
		}
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
	fmt.Println(len(server.Objects("acme")), len(server.Objects("umbrella")))
	// Unordered output:
	// a token for acme
	// a token for umbrella
	// 2 2
}

// The progress of one file, in per cent.
func ExampleFile_onProgress() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	client := exampleClient(upload.Options{Credentials: sts.Static(exampleKey)})
	defer client.Close()
	last := int64(-1)
	_, err := client.Upload(context.Background(), upload.File{
		Path: filepath.Join(dir, "talk.mp4"), Endpoint: server.URL, Bucket: "media", Object: "in/talk.mp4",
		OnProgress: func(f upload.FileInfo) { last = 100 * f.Uploaded / max(f.Size, 1) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(last, "%") // Upload returns when the callbacks have
	// Output: 100 %
}
