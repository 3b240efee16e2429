package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/examples/vodupload/internal/config"
	"github.com/vodupload/vodupload/examples/vodupload/internal/flagtype"
	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
	"github.com/vodupload/vodupload/upload"
)

const sweepHelp = `Finds unfinished uploads that nobody has worked on for a while, and says what they hold. With
--abort it aborts them: OSS deletes their parts, and they cannot be resumed.

Without a bucket, those are meant whose checkpoints are here. With one, those that the server
lists under the prefix as well, whichever machine began them: to abort those, say by
--only-this-machine that no other one works on them.`

// sweepFlags are those of sweep.
type sweepFlags struct {
	checkpointDir string
	abort         bool
	onlyHere      bool
	olderThan     flagtype.Duration
}

func newSweep(a *app) *cobra.Command {
	var flags sweepFlags
	cmd := &cobra.Command{
		Use:   "sweep [oss://BUCKET/PREFIX]",
		Short: "Lists abandoned uploads, and with --abort aborts them",
		Long:  sweepHelp,
		Args:  atMostOne("sweep: wanted no more than one bucket, like oss://BUCKET/PREFIX"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && flags.abort && !flags.onlyHere {
				return usageError{fmt.Errorf("sweep: to abort what %s lists, give --only-this-machine, too: uploads that other machines work on look abandoned from here", args[0])}
			}
			if len(args) == 0 {
				return a.sweepHere(cmd.Context(), flags)
			}
			return a.sweepThere(cmd.Context(), args[0], flags)
		},
	}
	registerCheckpointDir(cmd, &flags.checkpointDir)
	cmd.Flags().BoolVar(&flags.abort, "abort", false, "abort what is found")
	cmd.Flags().BoolVar(&flags.onlyHere, "only-this-machine", false, "no other machine uploads to this prefix: needed to abort what the server lists")
	flags.olderThan = flagtype.Duration{Duration: upload.DefaultSweepAge, Zero: true}
	cmd.Flags().Var(&flags.olderThan, "older-than", "what gave no sign of life for so long")
	return cmd
}

// sweepHere goes by the checkpoints of the folder.
func (a *app) sweepHere(ctx context.Context, flags sweepFlags) error {
	folder, err := checkpointFolder(flags.checkpointDir)
	if err != nil {
		return err
	}
	all, err := unfinishedHere(ctx, folder)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		a.endList(a.reporter(), nil, "no unfinished uploads in "+output.Safe(folder))
		return nil
	}
	store, err := checkpoint.OpenDir(folder)
	if err != nil {
		return err
	}
	defer store.Close()
	c, err := a.configuration()
	if err != nil {
		return err
	}
	s, err := a.sessionOfAll(ctx, c, store, all)
	if err != nil {
		return err
	}
	return s.sweep(ctx, upload.SweepOptions{OlderThan: flags.age(), DryRun: !flags.abort})
}

// sessionOfAll returns a session with the clients that reach all the uploads. Each of them
// sees the checkpoints of its own uploads.
func (a *app) sessionOfAll(ctx context.Context, c *config.Config, store checkpoint.Store, all []unfinished) (s *session, err error) {
	for _, u := range all {
		k := u.Record.Key
		place := placeAt(c, k.Endpoint, k.Bucket)
		opts := upload.Options{Checkpoints: checkpointsOf{store, c, siteOf(place)}}
		if s == nil {
			if s, err = a.connectAt(ctx, c, place, k.Bucket, opts); err != nil {
				return nil, err
			}
			continue
		}
		s.opts.Checkpoints = opts.Checkpoints
		if _, err := s.clientAt(place); err != nil {
			return nil, s.finish(ctx, err)
		}
	}
	return s, nil
}

// checkpointsOf is a store that lists what is reached as one site.
type checkpointsOf struct {
	checkpoint.Store
	config *config.Config
	site   site
}

// List implements [checkpoint.Store].
func (s checkpointsOf) List(ctx context.Context) ([]checkpoint.Entry, error) {
	all, err := s.Store.List(ctx)
	return slices.DeleteFunc(all, func(e checkpoint.Entry) bool {
		return siteOf(placeAt(s.config, e.Record.Key.Endpoint, e.Record.Key.Bucket)) != s.site
	}), err
}

// sweepThere goes by the server's list, too.
func (a *app) sweepThere(ctx context.Context, where string, flags sweepFlags) error {
	d, err := parseDestination(where)
	if err != nil {
		return err
	}
	folder, err := checkpointFolder(flags.checkpointDir)
	if err != nil {
		return err
	}
	s, err := a.connect(ctx, d.bucket, upload.Options{CheckpointDir: folder})
	if err != nil {
		return err
	}
	o := s.sweepOptions(d, flags.age(), !flags.abort)
	o.OnlyThisMachine = flags.onlyHere
	return s.sweep(ctx, o)
}

// age is OlderThan as the library has it: there, 0 is the default.
func (f sweepFlags) age() time.Duration {
	if f.olderThan.Duration == 0 {
		return -1
	}
	return f.olderThan.Duration
}

// sweep lists what it finds, and reports what could not be aborted.
func (s *session) sweep(ctx context.Context, o upload.SweepOptions) error {
	var found []upload.Leftover
	var err error
	for _, c := range s.clients.list() {
		some, sweepErr := c.Sweep(ctx, o)
		found, err = append(found, some...), errors.Join(err, sweepErr)
	}
	t := table{uploadsHead}
	var aborted int
	var held int64
	for _, l := range found {
		state := "abandoned"
		switch {
		case l.Aborted:
			state = "aborted"
			aborted++
		case l.Err != nil && ctx.Err() == nil:
			state = "failed"
		}
		held += l.Bytes
		s.app.listLeftover(s.report, &t, l, state)
	}
	if len(t) > 1 {
		s.app.print(t)
	}
	for _, l := range found {
		if l.Err != nil && ctx.Err() == nil {
			s.report.Fail(l.Path, l.Err)
		}
	}
	switch {
	case len(found) == 0 && err == nil:
		s.report.Say("nothing to sweep")
	case len(found) == 0:
	case o.DryRun:
		s.report.Say("%s, at least %s: --abort aborts them", output.Count(len(found), "abandoned upload"), output.Bytes(held))
	default:
		s.report.Say("%s aborted", output.Count(aborted, "upload"))
	}
	return s.finish(ctx, err)
}
