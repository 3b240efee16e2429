package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
)

// uploaderEnv holds the job of an uploading process, as JSON.
const uploaderEnv = "QUICKSTART_UPLOAD"

// A job is what an uploading process is told.
type job struct {
	Path, Endpoint, Bucket, Object string
	Checkpoints                    string // directory
	Tokens                         string // URL of the token endpoint
	BytesPerSecond                 int64  // 0: as many as possible
}

// A report is one line that an uploading process writes.
type report struct {
	Uploaded, Total int64          `json:",omitempty"`
	Retried         string         `json:",omitempty"` // why a request is made again
	Waiting         string         `json:",omitempty"` // for what, since when and why
	Expired         bool           `json:",omitempty"`
	Result          *upload.Result `json:",omitempty"`
}

// uploader is the program that a user would write: it uploads one file with the
// defaults, and gets a new token when the old one has expired.
func uploader(ctx context.Context, spec string, out io.Writer) error {
	var j job
	if err := json.Unmarshal([]byte(spec), &j); err != nil {
		return fmt.Errorf("%s: %w", uploaderEnv, err)
	}
	store, err := checkpoint.OpenDir(j.Checkpoints)
	if err != nil {
		return err
	}
	defer store.Close()
	tokens, err := sts.NewHTTP(j.Tokens, nil)
	if err != nil {
		return err
	}
	tell := json.NewEncoder(out)
	client, err := upload.New(&upload.Options{
		Checkpoints:    store,
		RetryInterval:  200 * time.Millisecond, // a demonstration need not wait 2 s
		BandwidthLimit: j.BytesPerSecond,
		Callbacks: upload.Callbacks{
			OnProgress: func(_ *upload.Client, _ upload.FileInfo, uploaded, total int64) {
				_ = tell.Encode(report{Uploaded: uploaded, Total: total})
			},
			OnRetry: func(_ *upload.Client, _ upload.FileInfo, r upload.Retry) {
				_ = tell.Encode(report{Retried: reason(&r)})
			},
			OnWaiting: func(_ *upload.Client, _ upload.FileInfo, w upload.Waiting) {
				if w.For != upload.WaitCredentials { // OnTokenExpired reports those
					_ = tell.Encode(report{Waiting: w.String()})
				}
			},
			OnTokenExpired: func(c *upload.Client, _ upload.FileInfo) {
				_ = tell.Encode(report{Expired: true})
				if err := renew(ctx, tokens, c.ResumeWithToken); err != nil {
					fmt.Fprintln(os.Stderr, "quickstart:", err)
				}
			},
		},
	})
	if err != nil {
		return err
	}
	defer client.Close()
	if err := renew(ctx, tokens, client.Init); err != nil {
		return err
	}
	result, err := client.Upload(ctx, upload.File{
		Path: j.Path, Endpoint: j.Endpoint, Bucket: j.Bucket, Object: j.Object,
	})
	if err != nil {
		return err
	}
	return tell.Encode(report{Result: &result})
}

// reason says in a few words why a request is made again.
func reason(r *upload.Retry) string {
	if r.Part > 0 && r.Status != 0 {
		return fmt.Sprintf("part %d: %d %s", r.Part, r.Status, r.Code)
	}
	return r.Err.Error()
}

// renew gets a token and hands it to the client.
func renew(ctx context.Context, tokens sts.Provider, give func(sts.Credentials) error) error {
	token, err := tokens.Credentials(ctx)
	if err != nil {
		return err
	}
	return give(token)
}
