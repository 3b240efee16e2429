package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/vodupload/vodupload/examples/vodupload/internal/flagtype"
	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/fleet"
)

const workerHelp = `Uploads the jobs of a queue (see enqueue), until it is ended by Ctrl-C or SIGTERM; what is under
way goes back to the queue then, and another worker resumes it. Any number of workers may serve a
queue, on one machine or on many: start one more, and they share. When one dies, another
resumes its uploads after half a minute.

Files are uploaded that are below one of the --folder, under the same path on all machines. Whoever
can enqueue jobs can have files below these folders uploaded to wherever the credentials allow.

With a region (--region, OSS_REGION or a profile's) a worker uploads to buckets of that region.
Without one, the names of endpoints say the region, and the buckets may be in several.

` + fleetHelp

// workerFlags are those of worker.
type workerFlags struct {
	engineFlags
	clientFlags
	folders    []string
	files      flagtype.Number
	name       string
	syncAlways bool
}

func newWorker(a *app) *cobra.Command {
	var flags workerFlags
	cmd := &cobra.Command{
		Use:   "worker --folder FOLDER",
		Short: "Uploads the jobs of a queue, beside other workers",
		Long:  workerHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(flags.folders) == 0 {
				return usageError{errors.New("worker: wanted --folder with the folder of the files, the same on all machines")}
			}
			if cmd.Flags().Changed("checkpoint-dir") {
				return usageError{errors.New("worker: --checkpoint-dir is not used: checkpoints are kept with the queue")}
			}
			return a.work(cmd.Context(), &flags)
		},
	}
	flags.engineFlags.register(cmd.Flags())
	flags.clientFlags.register(cmd.Flags())
	cmd.Flags().StringSliceVar(&flags.folders, "folder", nil, "`FOLDER` whose files may be uploaded; may be repeated")
	flags.files = flagtype.Number{Value: 16, Min: 1, Max: 256}
	cmd.Flags().Var(&flags.files, "files", "how many jobs at a time, from 1 to 256")
	cmd.Flags().StringVar(&flags.name, "name", "", "`NAME` of this worker (default: the machine's, and a number)")
	cmd.Flags().BoolVar(&flags.syncAlways, "sync-always", false, "the servers have sync_interval: always")
	return cmd
}

// work serves the queue until ctx ends.
func (a *app) work(ctx context.Context, flags *workerFlags) error {
	var folders []string
	for _, folder := range flags.folders {
		abs, err := filepath.Abs(folder)
		if err != nil {
			return err
		}
		folders = append(folders, abs)
	}
	files, err := fleet.Files(folders...)
	if err != nil {
		return usageError{err}
	}
	c, err := a.configuration()
	if err != nil {
		return err
	}
	cache, err := sts.NewCache(c.Credentials, nil)
	if err != nil {
		return err
	}
	defer cache.Close()
	if _, err := cache.Credentials(ctx); err != nil && hopeless(err) {
		return deniedError{err}
	}
	nc, err := a.dial(flags.engineFlags)
	if err != nil {
		return err
	}
	defer nc.Close()
	report := a.reporter() // it is closed only once it has shown something
	opts := flags.clientFlags.options()
	opts.Credentials, opts.Region, opts.Callbacks = cache, c.Region.Value, report.Callbacks(0)
	if domain := c.CustomDomain.Value; domain != "" {
		opts.CustomDomains = []string{domain}
	}
	w, err := fleet.NewWorker(ctx, nc, &fleet.WorkerOptions{
		Namespace: flags.namespace, Queue: flags.queue, Name: flags.name, Files: flags.files.Value, Upload: opts, SyncAlways: flags.syncAlways,
		Openers: map[string]fleet.Opener{"file": files}, Logger: a.workerLog(),
	})
	if err != nil {
		return ofFleet(ctx, err, nc)
	}
	report.Follow(w.Stats)
	report.Say("serving queue %s at %s", cmp.Or(flags.queue, "main"), withoutPasswords(nc.ConnectedUrlRedacted()))
	return a.endWork(ctx, report, w.Run(ctx))
}

// endWork ends the report. A worker that was asked to end by SIGTERM, as service managers
// do, has done all that it should.
func (a *app) endWork(ctx context.Context, report *output.Reporter, err error) error {
	if err == nil {
		err = context.Cause(ctx)
		report.Say("%v: what was under way is back in the queue", err)
		if by := interrupted(ctx); by == syscall.SIGTERM {
			err = nil
		}
	} else {
		report.Error(err)
	}
	report.Close(exitCode(err))
	if err != nil {
		return reportedError{err}
	}
	return nil
}

// workerLog is for those who want to know everything.
func (a *app) workerLog() *slog.Logger {
	if !a.global.verbose || a.global.json {
		return nil
	}
	return slog.New(slog.NewTextHandler(a.stderr, nil))
}
