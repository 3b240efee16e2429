package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"

	"github.com/vodupload/vodupload/upload"
)

// upload uploads the files and reports each.
func (s *settings) upload(ctx context.Context, authorizer upload.Authorizer, stdout io.Writer) (err error) {
	quarters := make(map[upload.FileID]int64)
	c, err := upload.New(&upload.Options{
		Authorizer: authorizer, Checkpoints: s.checkpoints,
		Callbacks: upload.Callbacks{
			OnProgress: func(_ *upload.Client, f upload.FileInfo, uploaded, total int64) {
				if quarter := 4 * uploaded / max(total, 1); quarter > quarters[f.ID] {
					quarters[f.ID] = quarter
					fmt.Fprintf(stdout, "%s: %d %% of %s\n", filepath.Base(f.Path), 25*quarter, size(total))
				}
			},
			OnWaiting: func(_ *upload.Client, f upload.FileInfo, w upload.Waiting) {
				if w.For != upload.WaitCredentials || w.Err != nil { // the next auth is reported by itself
					fmt.Fprintf(stdout, "%s %v\n", filepath.Base(f.Path), w)
				}
			},
			OnRetry: func(_ *upload.Client, f upload.FileInfo, r upload.Retry) {
				fmt.Fprintf(stdout, "%s: part %d again in %v: %v\n", filepath.Base(f.Path), r.Part, r.Delay, r.Err)
			},
			OnSucceeded: func(_ *upload.Client, f upload.FileInfo, r upload.Result) {
				fmt.Fprintf(stdout, "%s: %s: %s, parts: %d, resumed: %d, verified: %t\n",
					filepath.Base(f.Path), media(r), size(r.Size), r.Parts, r.ResumedParts, r.Verified)
			},
		},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	for _, path := range s.files {
		if _, err := c.AddFile(upload.File{Path: path, Info: &s.info}); err != nil {
			return err
		}
	}
	if err := c.Start(ctx); err != nil {
		return err
	}
	return c.Wait(ctx)
}

// media is what VOD made of a file.
func media(r upload.Result) string {
	if r.VideoID == "" {
		return "image " + r.MediaID + " at " + r.MediaURL
	}
	return "video " + r.VideoID
}

// size is a number of bytes, for people.
func size(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// lines is a writer that callbacks and the authorizer share: they run at the same time.
type lines struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}
