package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/vodupload/vodupload/examples/vodupload/internal/flagtype"
	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/source"
)

const workerHelp = `Uploads the jobs of a queue (see enqueue), until it is ended by Ctrl-C or SIGTERM; what is under
way goes back to the queue then, and another worker resumes it. Any number of workers may serve a
queue, on one machine or on many: start one more, and they share. When one dies, another
resumes its uploads after half a minute. There is a line for each job that succeeds, fails and is
tried again, or is dead; with --verbose for each request that is repeated.

Files are uploaded that are below one of the --folder, under the same path on all machines. Whoever
can enqueue jobs can have files below these folders uploaded to wherever the credentials allow.
With --http the worker uploads the files of web servers, too, from any address that this machine
reaches. Jobs whose source no worker opens wait for a day, and are dead then.

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
	http       bool
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
	cmd.Flags().BoolVar(&flags.syncAlways, "sync-always", false, "the NATS servers are known to run with sync_interval: always")
	cmd.Flags().BoolVar(&flags.http, "http", false, "upload from http and https URLs, too")
	return cmd
}

// work serves the queue until ctx ends.
func (a *app) work(ctx context.Context, flags *workerFlags) error {
	openers, err := flags.openers()
	if err != nil {
		return err
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
	nc, err := a.dial(ctx, flags.engineFlags)
	if err != nil {
		return err
	}
	defer nc.Close()
	if (a.global.progress == output.Auto || a.global.progress == "") && !output.IsTerminal(a.stderr) {
		a.global.progress = output.None // a line for each job is enough for a log
	}
	report := a.reporter() // it is closed only once it has shown something
	opts := flags.clientFlags.options()
	opts.CheckpointDir = "" // of the environment, for other commands
	opts.Credentials, opts.Region, opts.Callbacks = cache, c.Region.Value, report.Callbacks(0)
	opts.Callbacks.OnFailed = func(_ *upload.Client, f upload.FileInfo, err error) { report.Attempt(f, err) }
	if domain := c.CustomDomain.Value; domain != "" {
		opts.CustomDomains = []string{domain}
	}
	w, err := fleet.NewWorker(ctx, nc, &fleet.WorkerOptions{
		Namespace: flags.namespace, Queue: flags.queue, Name: flags.name, Files: flags.files.Value, Upload: opts, SyncAlways: flags.syncAlways,
		Openers: openers, Logger: a.workerLog(report),
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

// workerLog shows what the worker logs; what only those want to know who look for something,
// if they ask for it.
func (a *app) workerLog(report *output.Reporter) *slog.Logger {
	h := &workLog{report: report, least: slog.LevelInfo}
	if a.global.verbose {
		h.least = slog.LevelDebug
	}
	return slog.New(h)
}

// openers returns what opens the sources of jobs.
func (f *workerFlags) openers() (map[string]fleet.Opener, error) {
	var folders []string
	for _, folder := range f.folders {
		abs, err := filepath.Abs(folder)
		if err != nil {
			return nil, err
		}
		info, err := os.Stat(abs)
		if err != nil {
			return nil, fmt.Errorf("--folder: %w", err)
		}
		if !info.IsDir() {
			return nil, usageError{fmt.Errorf("--folder: %s is not a folder", folder)}
		}
		folders = append(folders, abs)
	}
	files, err := fleet.Files(folders...)
	if err != nil {
		return nil, usageError{err}
	}
	openers := map[string]fleet.Opener{"file": files}
	if f.http {
		web := fleet.HTTP(&source.HTTPOptions{StallTimeout: f.stallTimeout.Duration, Transport: webTransport()})
		openers["http"], openers["https"] = web, web
	}
	return openers, nil
}
