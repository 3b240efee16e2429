package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/vodupload/vodupload/upload/osscallback"
	"github.com/vodupload/vodupload/upload/vod"
)

// A backend prints what it hears. A real one would write it to a database: the same event
// may come more than once, so let its key be the object and its ETag, or the video and the
// event's type.
type backend struct {
	secret []byte       // of tokens in OSS's callbacks; nil: /oss is not served
	keys   *http.Client // has OSS's keys; nil: the web
	vodURL string       // as VOD has it
	vodKey []byte       // nil: /vod is not served

	mu  sync.Mutex
	log io.Writer
}

func (b *backend) printf(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintf(b.log, format+"\n", args...)
}

// Write makes a backend the place where refusals are logged.
func (b *backend) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.Write(line)
}

// handler serves /oss and /vod.
func (b *backend) handler() (http.Handler, error) {
	mux := http.NewServeMux()
	logger := slog.New(slog.NewTextHandler(b, nil))
	if b.secret != nil {
		v, err := osscallback.New(&osscallback.Options{Secrets: [][]byte{b.secret}, HTTPClient: b.keys, Logger: logger})
		if err != nil {
			return nil, err
		}
		mux.Handle("/oss", v.Handler(b.stored))
	}
	if b.vodKey != nil {
		r, err := vod.NewReceiver(b.vodURL, vod.Secret(b.vodKey), &vod.ReceiverOptions{Logger: logger})
		if err != nil {
			return nil, err
		}
		mux.Handle("/vod", r.Handler(b.notified))
	}
	return mux, nil
}

// stored hears from OSS. What it returns is the CallbackBody of the uploader's Result.
func (b *backend) stored(_ context.Context, e *osscallback.Event) (any, error) {
	b.printf("OSS: stored %s/%s, %d bytes, ETag %s", e.Bucket, e.Object, e.Size, e.ETag)
	return map[string]string{"Status": "OK", "object": e.Object}, nil
}

// notified hears from VOD.
func (b *backend) notified(_ context.Context, e *vod.Event) error {
	switch d := e.Detail.(type) {
	case *vod.FileUploadComplete:
		b.printf("VOD: video %s was uploaded, %d bytes", d.VideoID, d.Size)
	case *vod.StreamTranscodeComplete:
		b.printf("VOD: video %s has %s as %s: %s", d.VideoID, d.Definition, d.Format, d.FileURL)
	case *vod.TranscodeComplete:
		b.printf("VOD: video %s is ready (%s), streams: %d", d.VideoID, e.Status, len(d.Streams))
	default:
		b.printf("VOD: %s of %s", e.Type, e.ID)
	}
	return nil
}

// serve serves until ctx ends.
func serve(ctx context.Context, address string, h http.Handler, stdout io.Writer) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "listening on http://%s\n", l.Addr())
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		stopped <- server.Shutdown(ctx)
	})
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}
