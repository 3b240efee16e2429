package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet"
)

const enqueueHelp = `Puts files, and the files of folders, into a queue: a worker uploads each of them. Once enqueue has
ended well, all are stored in the queue, and end as succeeded or dead, whatever happens to
workers. The paths have to be the same on the workers' machines; http and https URLs are for workers
with --http.

It prints the ID of each job. A file that is in the queue for the same object already is not put in
again.

` + fleetHelp

// enqueueFlags are those of enqueue.
type enqueueFlags struct {
	engineFlags
	objectFlags
	mediaFlags
	id        string
	noClobber bool
	wait      bool
}

func newEnqueue(a *app) *cobra.Command {
	var flags enqueueFlags
	cmd := &cobra.Command{
		Use:   "enqueue SOURCE... oss://BUCKET/PREFIX/",
		Short: "Puts files into a queue, for workers to upload",
		Long:  enqueueHelp,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return errors.New("enqueue: wanted at least one source and a destination like oss://BUCKET/PREFIX/")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.enqueue(cmd.Context(), args[:len(args)-1], args[len(args)-1], &flags)
		},
	}
	flags.engineFlags.register(cmd.Flags())
	flags.objectFlags.register(cmd.Flags())
	flags.mediaFlags.register(cmd.Flags())
	cmd.Flags().StringVar(&flags.id, "id", "", "`ID` of the job, of one source only: the same command again changes nothing")
	cmd.Flags().BoolVar(&flags.noClobber, "no-clobber", false, "replace no object")
	cmd.Flags().BoolVar(&flags.wait, "wait", false, "wait until all jobs have ended, and end with 1 if one is dead")
	return cmd
}

// enqueue puts the sources into the queue.
func (a *app) enqueue(ctx context.Context, sources []string, to string, flags *enqueueFlags) error {
	d, err := parseDestination(to)
	if err != nil {
		return err
	}
	c, err := a.configuration()
	if err != nil {
		return err
	}
	place, err := c.Place(d.bucket)
	if err != nil {
		return err
	}
	e := &enqueuing{findings: a.findings(ctx), taken: make(map[string]string)}
	for _, source := range sources {
		if err := e.add(ctx, source, d, len(sources) > 1); err != nil {
			return err
		}
	}
	if n := len(e.jobs) + len(e.bad); flags.id != "" && n != 1 {
		return usageError{fmt.Errorf("--id: got %d files, want one", n)}
	}
	if len(e.jobs) == 0 {
		if len(e.bad) == 0 {
			e.report.Say("nothing to enqueue: no files in %s", strings.Join(sources, ", "))
		}
		return e.end(ctx)
	}
	q, nc, err := a.openQueue(ctx, flags.engineFlags)
	if err != nil {
		return err
	}
	defer nc.Close()
	e.q = q
	for _, job := range e.jobs {
		job.ID, job.Endpoint, job.Options = flags.id, place.Endpoint, flags.objectFlags.options()
		job.Info = flags.mediaFlags.info()
		if flags.noClobber {
			job.IfExists = upload.Skip
		}
		if err := e.one(ctx, job); err != nil {
			return ofFleet(ctx, err, nc)
		}
	}
	if flags.wait {
		e.wait(ctx)
	}
	return e.end(ctx)
}

// add adds the jobs of one source: a file, the files of a folder, or a URL.
func (e *enqueuing) add(ctx context.Context, source string, d destination, several bool) error {
	if several && !d.isPrefix() {
		return usageError{fmt.Errorf("destination %s: for several files it has to end in a slash", d)}
	}
	switch {
	case source == "-":
		return usageError{errors.New("enqueue: workers cannot read standard input: give files, folders or URLs")}
	case schemeOf(source) == "oss":
		return usageError{fmt.Errorf("%s: only the last argument is a destination", source)}
	case schemeOf(source) != "":
		if err := d.checkURL(source); err != nil {
			return usageError{err}
		}
		e.take(fleet.Job{Source: source, Bucket: d.bucket, Object: d.object(nameOfURL(source))})
		return nil
	}
	path, err := filepath.Abs(source)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		e.take(fleet.Job{Source: fileURL(path), Bucket: d.bucket, Object: d.object(filepath.Base(path))})
		return nil
	}
	return filepath.WalkDir(path, func(p string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			e.fail(p, err)
			return nil
		case entry.IsDir():
			return nil
		case !entry.Type().IsRegular(): // as cp has it
			e.fail(p, fmt.Errorf("not a regular file: %s", p))
			return nil
		}
		rel, err := filepath.Rel(path, p)
		e.take(fleet.Job{Source: fileURL(p), Bucket: d.bucket, Object: d.prefix() + filepath.ToSlash(rel)})
		return err
	})
}

// take adds a job that a queue takes, and whose object no other source becomes.
func (e *enqueuing) take(job fleet.Job) {
	source := shownSource(job.Source)
	other, taken := e.taken[job.Object]
	switch {
	case taken && other == job.Source:
	case taken:
		e.fail(source, fmt.Errorf("%s and %s would both become oss://%s/%s", shownSource(other), source, job.Bucket, job.Object))
	case !utf8.ValidString(job.Object) || strings.ContainsFunc(job.Object, unicode.IsControl):
		e.fail(source, fmt.Errorf("%s: object name %q: wanted UTF-8 without control characters", source, job.Object))
	default:
		e.taken[job.Object] = job.Source
		e.jobs = append(e.jobs, job)
	}
}

func (e *enqueuing) fail(path string, err error) {
	e.bad = append(e.bad, err)
	e.report.Fail(path, err)
}

// shownSource returns the source of a job as people know it: a path, or a URL without what
// may be secret.
func shownSource(source string) string {
	if u, err := url.Parse(source); err == nil && u.Scheme == "file" && u.Host == "" {
		return u.Path
	}
	return bare(source)
}

func fileURL(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/films on Windows
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

// An enqueuing is one run of enqueue.
type enqueuing struct {
	*findings
	q     *fleet.Queue
	jobs  []fleet.Job
	taken map[string]string // by object: the source
	ids   []string
}

// one enqueues a job and prints its ID. A job that is there already is no error.
func (e *enqueuing) one(ctx context.Context, job fleet.Job) error {
	id, err := e.q.Enqueue(ctx, job)
	switch {
	case errors.Is(err, fleet.ErrPending):
		e.report.Say("in the queue already: %s", output.Text(err))
		return nil
	case errors.Is(err, fleet.ErrJobExists):
		id = job.ID
		e.report.Say("job %s is there already: %s", id, shownSource(job.Source))
	case err != nil:
		return err
	case !e.app.global.json:
		fmt.Fprintln(e.app.stdout, id)
	}
	e.report.Emit(output.Event{Type: "job", Job: id, Path: shownSource(job.Source), Bucket: job.Bucket, Object: job.Object})
	e.ids = append(e.ids, id)
	return nil
}

// wait waits for the ends of the jobs.
func (e *enqueuing) wait(ctx context.Context) {
	for _, id := range e.ids {
		info, err := e.q.Wait(ctx, id)
		if ctx.Err() != nil {
			return
		}
		if err == nil && info.State != fleet.StateSucceeded {
			err = fmt.Errorf("job %s is %s: %s", id, info.State, info.Error)
		}
		if err != nil {
			e.fail(shownSource(info.Job.Source), err)
		}
	}
}
