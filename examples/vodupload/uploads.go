package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
	"github.com/vodupload/vodupload/upload"
)

const uploadsHelp = `Lists the uploads that were begun and not finished: those whose checkpoints are here, and with
a bucket those that the server lists, too. OSS charges for their parts until they are
resumed (see resume) or aborted (see sweep).`

func newUploads(a *app) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "uploads [oss://BUCKET/PREFIX]",
		Short: "Lists unfinished uploads, here and at the server",
		Long:  uploadsHelp,
		Args:  atMostOne("uploads: wanted no more than one bucket, like oss://BUCKET/PREFIX"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.uploadsHere(cmd.Context(), dir)
			}
			return a.uploadsThere(cmd.Context(), dir, args[0])
		},
	}
	registerCheckpointDir(cmd, &dir)
	return cmd
}

func registerCheckpointDir(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "checkpoint-dir", "", "`FOLDER` of the checkpoints (default: in the user's cache folder)")
}

func atMostOne(text string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 1 {
			return errors.New(text)
		}
		return nil
	}
}

var uploadsHead = []string{"ID", "DONE", "LAST", "STATE", "FILE", "OBJECT"}

// uploadsHere lists the checkpoints of a folder.
func (a *app) uploadsHere(ctx context.Context, given string) error {
	folder, err := checkpointFolder(given)
	if err != nil {
		return err
	}
	all, err := unfinishedHere(ctx, folder)
	if err != nil {
		return err
	}
	report := a.reporter()
	t := table{uploadsHead}
	for _, u := range all {
		a.listUpload(report, &t, u)
	}
	a.endList(report, t, "no unfinished uploads in "+output.Safe(folder))
	return nil
}

// listUpload adds an upload to the table and to the events.
func (a *app) listUpload(report *output.Reporter, t *table, u unfinished) {
	k := u.Record.Key
	state := "resumable"
	switch {
	case u.InUse:
		state = "in use"
	case !u.fromFile():
		state = "not a file"
	}
	*t = append(*t, []string{
		u.id(), output.Bytes(u.bytes()) + " of " + output.Bytes(u.Record.Source.Size), ago(a.now(), u.Saved), state,
		output.Safe(k.Source), output.Safe(ossScheme + k.Bucket + "/" + k.Object),
	})
	done := u.bytes()
	report.Emit(output.Event{
		Type: "upload", UploadID: u.Record.UploadID, Path: k.Source, Bucket: k.Bucket, Object: k.Object,
		Size: &u.Record.Source.Size, Uploaded: &done, Parts: u.Parts, Message: state,
	})
}

// endList prints the table, or that it is empty.
func (a *app) endList(report *output.Reporter, t table, empty string) {
	if len(t) > 1 {
		a.print(t)
	} else {
		report.Say("%s", empty)
	}
	report.Close(exitOK)
}

// ago says how long ago a moment is.
func ago(now, then time.Time) string {
	if then.IsZero() {
		return "?"
	}
	d := max(0, now.Sub(then)).Round(time.Second)
	if d < 10*time.Second {
		return fmt.Sprintf("%ds ago", d/time.Second)
	}
	return output.Duration(d) + " ago"
}

// uploadsThere lists what the server has under a prefix, and marks what is known here.
func (a *app) uploadsThere(ctx context.Context, given, where string) error {
	d, err := parseDestination(where)
	if err != nil {
		return err
	}
	folder, err := checkpointFolder(given)
	if err != nil {
		return err
	}
	s, err := a.connect(ctx, d.bucket, upload.Options{CheckpointDir: folder})
	if err != nil {
		return err
	}
	all, err := unfinishedHere(ctx, folder)
	t := table{uploadsHead}
	for _, u := range all {
		if k := u.Record.Key; k.Bucket == d.bucket && hasPrefix(k.Object, d.name) {
			a.listUpload(s.report, &t, u)
		}
	}
	if err == nil {
		var found []upload.Leftover
		found, err = s.client.Sweep(ctx, s.sweepOptions(d, -1, true))
		for _, l := range found {
			if l.Path == "" {
				a.listLeftover(s.report, &t, l, "not known here")
			}
		}
	}
	if len(t) > 1 {
		a.print(t)
	} else if err == nil {
		s.report.Say("no unfinished uploads in %s", where)
	}
	return s.finish(ctx, err)
}

func (a *app) listLeftover(report *output.Reporter, t *table, l upload.Leftover, state string) {
	done := output.Bytes(l.Bytes)
	if l.Bytes == 0 && l.Parts > 0 {
		done = output.Count(l.Parts, "part")
	}
	*t = append(*t, []string{
		shortID(l.UploadID), done, ago(a.now(), l.Active), state,
		orText(l.Path, "-"), output.Safe(ossScheme + l.Bucket + "/" + l.Object),
	})
	e := output.Event{Type: "upload", UploadID: l.UploadID, Path: l.Path, Bucket: l.Bucket, Object: l.Object, Uploaded: &l.Bytes, Parts: l.Parts, Message: state}
	report.Emit(e)
}

// sweepOptions look under a destination, of the session's bucket.
func (s *session) sweepOptions(d destination, olderThan time.Duration, dry bool) upload.SweepOptions {
	return upload.SweepOptions{Endpoint: s.place.Endpoint, Bucket: d.bucket, Prefix: d.name, OlderThan: olderThan, DryRun: dry, OnlyThisMachine: true}
}

func hasPrefix(object, prefix string) bool {
	return len(object) >= len(prefix) && object[:len(prefix)] == prefix
}
