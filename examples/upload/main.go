// Upload brings one file to a bucket and shows its progress. Interrupt it, or kill it,
// and run it again: it resumes.
//
//	go run ./examples/upload -endpoint oss-cn-hangzhou.aliyuncs.com -bucket media talk.mp4
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/vodupload/vodupload/examples/internal/version"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("upload", flag.ContinueOnError)
	endpoint := flags.String("endpoint", "oss-cn-hangzhou.aliyuncs.com", "`host` or URL of OSS")
	bucket := flags.String("bucket", "", "bucket")
	object := flags.String("object", "", "name of the object (default: that of the file)")
	shown := flags.Bool("version", false, "print the version, and end")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if *shown {
		_, err := fmt.Fprintln(out, version.Line("upload"))
		return err
	}
	client, err := upload.New(&upload.Options{
		Credentials: sts.Default(nil), // environment, profile or role: see package sts
		Callbacks: upload.Callbacks{
			OnProgress: func(_ *upload.Client, f upload.FileInfo, uploaded, total int64) {
				fmt.Fprintf(out, "\r%s: %d of %d bytes", f.Object, uploaded, total)
			},
			OnWaiting: func(_ *upload.Client, f upload.FileInfo, w upload.Waiting) {
				fmt.Fprintf(out, "\n%s %v\n", f.Object, w)
			},
		},
	})
	if err != nil {
		return err
	}
	defer client.Close()
	path := flags.Arg(0)
	r, err := client.Upload(ctx, upload.File{
		Path: path, Endpoint: *endpoint, Bucket: *bucket, Object: cmp.Or(*object, filepath.Base(path)),
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s: %d of %d parts resumed, CRC64 %d\n", r.Location, r.ResumedParts, r.Parts, r.CRC64)
	return nil
}
