package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/vodupload/vodupload/examples/vodupload/internal/config"
	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
	"github.com/vodupload/vodupload/upload"
)

const resumeHelp = `Resumes the unfinished uploads of files whose checkpoints are here, or those with the given IDs
(see uploads; the beginning of an ID is enough). It needs no more than the checkpoint: what the
upload was begun with, like its content type and storage class, is with it at the server. If the
server does not have it any more, the file is uploaded from the start, with the defaults.

One run resumes uploads to buckets of one region; give the IDs of those, where there are more.`

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
	k := chosen[0].Record.Key
	if err := a.fallBackTo(k.Endpoint, k.Bucket); err != nil {
		return err
	}
	opts := flags.options()
	opts.CheckpointDir = folder
	if opts.PartSize == 0 {
		opts.PartSize = smallestPart(chosen) // a file that fits into one part is not sent in parts
	}
	s, err := a.open(ctx, k.Bucket, opts)
	if err != nil {
		return err
	}
	if s.place, err = a.placeOfAll(chosen); err != nil {
		return s.finish(ctx, err)
	}
	err = flags.throttle(ctx, s.client)
	if err == nil {
		err = s.client.Start(ctx)
	}
	for _, u := range chosen {
		if err == nil {
			s.addAgain(u, len(ids) > 0)
		}
	}
	return s.finish(ctx, err)
}

func smallestPart(all []unfinished) int64 {
	size := all[0].Record.PartSize
	for _, u := range all {
		size = min(size, u.Record.PartSize)
	}
	return size
}

// placeOfAll returns an error if one client cannot reach all the buckets: its region and
// its domains are the same for all.
func (a *app) placeOfAll(all []unfinished) (config.Place, error) {
	c, err := a.configuration()
	if err != nil {
		return config.Place{}, err
	}
	var first config.Place
	for i, u := range all {
		p, err := c.Place(u.Record.Key.Bucket)
		if err != nil {
			return p, err
		}
		if i == 0 {
			first = p
		} else if p.Region != first.Region {
			return p, usageError{fmt.Errorf("the buckets %s and %s are in different regions: resume them one after the other, by their IDs",
				all[0].Record.Key.Bucket, u.Record.Key.Bucket)}
		}
	}
	return first, nil
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
	if _, err := s.client.AddFile(f); err != nil {
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
