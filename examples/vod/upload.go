package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/vodupload/vodupload/upload"
)

// upload uploads the files and tells of each.
func (s *settings) upload(ctx context.Context, authorizer upload.Authorizer, stdout io.Writer) (err error) {
	tenths := make(map[upload.FileID]int64)
	c, err := upload.New(&upload.Options{
		Authorizer: authorizer, Checkpoints: s.checkpoints,
		Callbacks: upload.Callbacks{
			OnProgress: func(_ *upload.Client, f upload.FileInfo, uploaded, total int64) {
				if tenth := 10 * uploaded / max(total, 1); tenth > tenths[f.ID] {
					tenths[f.ID] = tenth
					fmt.Fprintf(stdout, "%s: %d %% of %d bytes\n", f.Path, 10*tenth, total)
				}
			},
			OnWaiting: func(_ *upload.Client, f upload.FileInfo, w upload.Waiting) {
				fmt.Fprintf(stdout, "%s %v\n", f.Path, w)
			},
			OnRetry: func(_ *upload.Client, f upload.FileInfo, r upload.Retry) {
				fmt.Fprintf(stdout, "%s: part %d again in %v: %v\n", f.Path, r.Part, r.Delay, r.Err)
			},
			OnSucceeded: func(_ *upload.Client, f upload.FileInfo, r upload.Result) {
				id := "video " + r.VideoID
				if r.VideoID == "" {
					id = "image " + r.MediaID + " at " + r.MediaURL
				}
				fmt.Fprintf(stdout, "%s: %s, %d bytes, %d parts, %d resumed, verified: %t\n", f.Path, id, r.Size, r.Parts, r.ResumedParts, r.Verified)
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
