package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
	"github.com/vodupload/vodupload/upload"
)

const resumeHelp = `Resumes the unfinished uploads of files whose checkpoints are here, or those with the given IDs
(see uploads; the beginning of an ID is enough). It needs no more than the checkpoint: what the
upload was begun with, like its content type and storage class, is with it at the server; but what
is sent at its end, like --title and --callback-url, is not: the command that began it sends that.
If the server does not have it any more, the file is uploaded from the start, with the defaults.

The buckets may be in several regions: each upload goes where it was begun.`

func newResume(a *app) *cobra.Command {
	var flags clientFlags
	cmd := &cobra.Command{
		Use:   "resume [ID...]",
		Short: "Resumes unfinished uploads",
		Long:  resumeHelp,
		RunE:  func(cmd *cobra.Command, ids []string) error { return a.resume(cmd.Context(), ids, flags) },
	}
	flags.register(cmd.Flags())
	return cmd
}

// resume resumes what the IDs name; without any, all.
func (a *app) resume(ctx context.Context, ids []string, flags clientFlags) error {
	folder, err := checkpointFolder(flags.checkpointDir)
	if err != nil {
		return err
	}
	all, err := unfinishedHere(ctx, folder)
	if err != nil {
		return err
	}
	chosen, err := choose(all, ids)
	if err != nil {
		return err
	}
	if len(chosen) == 0 {
		a.endList(a.reporter(), nil, "no unfinished uploads in "+output.Safe(folder))
		return nil
	}
	opts := flags.options()
	opts.CheckpointDir = folder
	if opts.PartSize == 0 {
		opts.PartSize = smallestPart(chosen) // a file that fits into one part is not sent in parts
	}
	c, err := a.configuration()
	if err != nil {
		return err
	}
	k := chosen[0].Record.Key
	s, err := a.openAt(ctx, c, placeAt(c, k.Endpoint, k.Bucket), k.Bucket, opts)
	if err != nil {
		return err
	}
	return s.finish(ctx, s.resume(ctx, chosen, len(ids) > 0, &flags))
}

// resume resumes uploads. Those that one client cannot do, since it signs for one region, are
// another's, after the first has ended: --parallel and --bandwidth are of all together.
func (s *session) resume(ctx context.Context, chosen []unfinished, asked bool, flags *clientFlags) error {
	for _, u := range chosen {
		s.addAgain(u, asked)
	}
	for _, c := range s.clients.list() {
		if err := flags.throttle(ctx, c); err != nil {
			return err
		}
		if err := c.Start(ctx); err != nil {
			return err
		}
		_ = c.Wait(ctx) // the reporter has seen what failed
		if ctx.Err() != nil {
			return nil
		}
	}
	return nil
}

func smallestPart(all []unfinished) int64 {
	size := all[0].Record.PartSize
	for _, u := range all {
		size = min(size, u.Record.PartSize)
	}
	return size
}

// addAgain adds the file of an upload. One that cannot be resumed from here is passed over,
// unless it was asked for.
func (s *session) addAgain(u unfinished, asked bool) {
	k := u.Record.Key
	switch {
	case u.InUse && !asked:
		s.report.Say("%s: another process works on it", output.Safe(k.Source))
		return
	case !u.fromFile() && !asked:
		s.report.Say("%s: it was no file: the program that began it resumes it", output.Safe(k.Source))
		return
	case !u.fromFile():
		s.report.Fail(k.Source, fmt.Errorf("%s was no file: the program that began it resumes it", k.Source))
		return
	}
	if _, err := os.Lstat(k.Source); err != nil {
		s.report.Fail(k.Source, fmt.Errorf("%w: sweep --abort ends its upload %s", withoutOp(err), u.id()))
		return
	}
	f := upload.File{Path: k.Source, Endpoint: k.Endpoint, Bucket: k.Bucket, Object: k.Object}
	client, err := s.clientAt(placeAt(s.config, k.Endpoint, k.Bucket))
	if err == nil {
		_, err = client.AddFile(f)
	}
	if err != nil {
		s.report.Fail(k.Source, err)
	}
}

// withoutOp drops the name of the system call from an error about a path.
func withoutOp(err error) error {
	if e, ok := err.(*fs.PathError); ok {
		return fmt.Errorf("%s: %w", e.Path, e.Err)
	}
	return err
}
