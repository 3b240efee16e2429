// Webstream is a web server that passes the uploads of browsers on to OSS while they
// arrive: without a temporary file, and with the progress shown in the browser. It is
// for pages that must not have a token of their own; where they may, the browser can
// upload by itself (see tokenserver and webupload).
//
//	go run ./examples/webstream                                  # to an OSS server of its own
//	go run ./examples/webstream -endpoint oss-cn-hangzhou.aliyuncs.com -bucket media
//
// What to copy is in three files: body.go reads what a browser sends, and notices one that
// stalls; relay.go passes it on and answers; progress.go has the progress, which
// events.go sends. Whoever may reach this program may upload: put it behind your own
// authentication.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/examples/internal/version"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "webstream:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("webstream", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:8080", "`address` to listen on")
	endpoint := flags.String("endpoint", "", "endpoint of OSS (default: a server in this process)")
	bucket := flags.String("bucket", "media", "bucket")
	largest := flags.Int64("max", 10<<30, "largest upload in `bytes`")
	shown := flags.Bool("version", false, "print the version, and end")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if *shown {
		_, err := fmt.Fprintln(out, version.Line("webstream"))
		return err
	}
	provider := sts.Provider(sts.Default(nil)) // environment, profile or role: see package sts
	if *endpoint == "" {
		server := osstest.NewServer(&osstest.Options{Buckets: []string{*bucket}})
		defer server.Close()
		*endpoint = server.URL
		provider = sts.Static(sts.Credentials{AccessKeyID: osstest.DefaultKey.AccessKeyID, AccessKeySecret: osstest.DefaultKey.AccessKeySecret})
		fmt.Fprintln(out, "no -endpoint: uploads go to an OSS server in this process, and are gone with it")
	}
	client, err := upload.New(&upload.Options{
		Credentials: provider,
		Checkpoints: checkpoint.NewMemory(), // a body cannot be read again, so nothing is resumed
	})
	if err != nil {
		return err
	}
	defer client.Close()
	s := &relay{
		client: client, endpoint: *endpoint, bucket: *bucket, prefix: "in/",
		largest: *largest, patience: 30 * time.Second, running: make(chan struct{}, 100),
		log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "open http://%s/ in a browser\n", l.Addr())
	return serve(ctx, l, s.handler(), client)
}

// serve answers requests until ctx ends. Then the uploads that are under way end: what
// was sent of them is aborted, and their browsers are told.
func serve(ctx context.Context, l net.Listener, h http.Handler, client *upload.Client) error {
	// Neither ReadTimeout nor WriteTimeout: an upload may take hours. What must not take
	// long has deadlines of its own: see body.go and events.go.
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	_ = client.Close() // ends the uploads, so that their handlers return
	last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := server.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	return err
}
