package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
	"github.com/vodupload/vodupload/upload"
)

const copyHelp = `A source is a file, a folder with all that is below it, - for standard input, or a URL
(http or https), which is read part by part while it is uploaded.
Below a destination that ends in a slash, files keep their names, and the files of a
folder their paths below that folder. A destination without a slash at its end is the
name of one object.

Interrupted or killed, the same command resumes. Sizes are in powers of 1024: 512K, 8M, 1G.`

func newCp(a *app) *cobra.Command {
	var flags copyFlags
	cmd := &cobra.Command{
		Use:   "cp SOURCE... oss://BUCKET/PREFIX/",
		Short: "Copies files and folders to a bucket",
		Long:  "Copies files and folders to a bucket.\n\n" + copyHelp,
		Example: `  vodupload cp talk.mp4 oss://media/in/
  vodupload cp recordings oss://media/2026/ --include '*.mp4' --compare crc64
  ffmpeg ... | vodupload cp - oss://media/live.ts
  vodupload cp https://example.com/film.mp4 oss://media/in/
  find . -name '*.mov' -print0 | vodupload cp --files-from0 - oss://media/mov/`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.copy(cmd.Context(), args, &flags) },
	}
	flags.register(cmd.Flags(), "never")
	return cmd
}

func newSync(a *app) *cobra.Command {
	var flags copyFlags
	cmd := &cobra.Command{
		Use:     "sync FOLDER... oss://BUCKET/PREFIX/",
		Short:   "Copies what a bucket does not have yet, compared by CRC64",
		Long:    "Copies what a bucket does not have yet, as cp --compare crc64 does. Nothing is ever deleted.\n\n" + copyHelp,
		Example: `  vodupload sync recordings oss://media/2026/ --dry-run`,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.copy(cmd.Context(), args, &flags) },
	}
	flags.register(cmd.Flags(), "crc64")
	return cmd
}

// A copying is one run of cp or sync.
type copying struct {
	*session
	flags   *copyFlags
	sources []string
	to      destination
	taken   map[string]string // by object: the source
	own     ownFiles
}

// plan reads the arguments.
func (f *copyFlags) plan(args []string) (sources []string, to destination, err error) {
	_, listed := f.list()
	switch {
	case len(args) == 0 || len(args) == 1 && !listed:
		return nil, to, errors.New("wanted sources and a destination, like: talk.mp4 oss://BUCKET/PREFIX/")
	case f.filesFrom != "" && f.filesFrom0 != "":
		return nil, to, errors.New("--files-from and --files-from0: wanted one of them")
	}
	sources = args[:len(args)-1]
	if to, err = parseDestination(args[len(args)-1]); err != nil {
		return nil, to, err
	}
	piped := slices.Contains(sources, "-")
	for _, source := range sources {
		switch scheme := schemeOf(source); {
		case source == "":
			return nil, to, errors.New("one source is empty: wanted a file, a folder, - or a URL of http or https")
		case isURL(source):
			if err := to.checkURL(source); err != nil {
				return nil, to, err
			}
		case scheme != "":
			return nil, to, fmt.Errorf("source %q: wanted a file, a folder, - or a URL of http or https", bare(source))
		}
	}
	switch {
	case listed && len(sources) > 1:
		return nil, to, errors.New("with a list of files, wanted one folder that its paths are relative to, or none")
	case listed && piped:
		return nil, to, errors.New("- is no folder that a list of files could be relative to")
	case piped && (len(sources) > 1 || to.isPrefix()):
		return nil, to, fmt.Errorf("standard input needs a destination of its own that names the object, like oss://%s/live.ts", to.bucket)
	case (listed || len(sources) > 1) && !to.isPrefix():
		return nil, to, fmt.Errorf("destination %s: for several files it has to end in a slash", to)
	case piped && (f.ifExists() != upload.Overwrite && f.ifExists() != upload.Skip):
		return nil, to, fmt.Errorf("--compare %s: standard input can only be read once; wanted never or exists", f.compare.Value)
	}
	return sources, to, nil
}

// copy copies the sources to a destination.
func (a *app) copy(ctx context.Context, args []string, flags *copyFlags) error {
	sources, to, err := flags.plan(args)
	if err != nil {
		return usageError{err}
	}
	opts := flags.options()
	if slices.Contains(sources, "-") && flags.size.Bytes == 0 && flags.partSize.Bytes == 0 {
		opts.PartSize = pipePartSize
	}
	record, err := flags.record(&opts)
	if err != nil {
		return err
	}
	ctx, cancel := flags.bounded(ctx, &opts)
	defer cancel()
	s, err := a.open(ctx, to.bucket, opts)
	if err != nil {
		return errors.Join(err, record.close())
	}
	s.record = record
	defer context.AfterFunc(ctx, record.hurry)()
	s.report.Below(to.prefix())
	s.object, s.info = flags.objectFlags.options(), flags.mediaFlags.info()
	c := &copying{session: s, flags: flags, sources: sources, to: to, taken: make(map[string]string), own: flags.ownFiles(a)}
	return s.finish(ctx, c.run(ctx))
}

// pipePartSize is that of standard input of unknown length: 10,000 parts are 156 GiB, and
// those that are in memory 96 MiB.
const pipePartSize = 16 << 20

// errFailFast ends a run with --fail-fast.
var errFailFast = errors.New("a file failed, and --fail-fast is set")

// errForAll ends a run whose first error is about the account, the bucket or this machine:
// thousands of files would fail in the same way.
var errForAll = errors.New("no other file would do better: mend that, and run the command again")

// bounded returns a context that ends as the flags want it.
func (f *copyFlags) bounded(ctx context.Context, opts *upload.Options) (context.Context, context.CancelFunc) {
	ctx, fail := context.WithCancelCause(ctx)
	opts.Callbacks.OnFailed = func(_ *upload.Client, _ upload.FileInfo, err error) {
		var about *upload.Error
		switch {
		case output.Unfinished(err), errors.Is(err, errDryRun):
		case errors.As(err, &about) && ofAll[about.Code]:
			fail(errForAll)
		case f.failFast:
			fail(errFailFast)
		}
	}
	if f.maxDuration.Duration == 0 {
		return ctx, func() { fail(nil) }
	}
	ctx, cancel := context.WithTimeoutCause(ctx, f.maxDuration.Duration, errTooLong)
	return ctx, func() { cancel(); fail(nil) }
}

// check adds a file to the list, and takes it away, to see whether what all files have in
// common is right: otherwise each of them would be refused.
func (c *copying) check() error {
	f := c.file("check", c.to.object("check"))
	f.Reader, f.IfExists = strings.NewReader(""), upload.Overwrite
	id, err := c.client.AddFile(f)
	if err != nil {
		return usageError{err}
	}
	return c.client.DeleteFile(id)
}

// run adds all files to the client. The error is of the run, and not of a file.
func (c *copying) run(ctx context.Context) error {
	if err := c.check(); err != nil {
		return err
	}
	if err := c.flags.throttle(ctx, c.client); err != nil {
		return err
	}
	if err := c.client.Start(ctx); err != nil {
		return err
	}
	c.report.Listing(true)
	err := c.addAll(ctx)
	if err == nil && ctx.Err() == nil {
		c.report.Listing(false)
	}
	return err
}

// addAll adds the files of the sources.
func (c *copying) addAll(ctx context.Context) error {
	if list, given := c.flags.list(); given {
		return c.addList(ctx, list)
	}
	for _, source := range c.sources {
		if err := c.add(ctx, source); err != nil || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// addList adds the files of a list.
func (c *copying) addList(ctx context.Context, list pathList) error {
	dir := "."
	if len(c.sources) == 1 {
		dir = c.sources[0]
	}
	r, err := within(ctx, func() (io.ReadCloser, error) { return list.open(c.app.stdin) })
	if err == nil {
		defer r.Close()
	}
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	for path, err := range list.paths(endingReader{ctx, r}) {
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		full, name, err := below(dir, path)
		if err != nil {
			c.report.Fail(path, err)
			continue
		}
		c.addFile(full, c.to.prefix()+name)
	}
	return nil
}

// addPipe adds standard input.
func (c *copying) addPipe() {
	f := c.file("-", c.to.name)
	f.Reader, f.Size = &pipe{from: c.app.stdin}, c.flags.size.Bytes // is not closed
	if c.flags.dryRun {                                             // nothing is read that would be missing in the real run
		f.Reader, f.Size = strings.NewReader(""), 0
	}
	c.addTo(f)
}

// file returns a file for the list.
func (c *copying) file(path, object string) upload.File {
	f := c.session.file()
	f.Path, f.Object, f.IfExists = path, object, c.flags.ifExists()
	return f
}

// addFile adds one file of the system.
func (c *copying) addFile(path, object string) {
	if info, err := os.Stat(path); err == nil && c.own.has(info) {
		c.report.Fail(path, usageError{fmt.Errorf("%s: %w", path, errOwn)})
		return
	}
	c.addTo(c.file(path, object))
}

func (c *copying) addTo(f upload.File) {
	err := c.take(f.Path, f.Object)
	if errors.Is(err, errTwice) {
		return
	}
	if err == nil {
		_, err = c.client.AddFile(f)
	}
	if err != nil {
		c.report.Fail(f.Path, err)
	}
}

// errTwice says that a source was given before, for the same object.
var errTwice = errors.New("given twice")

// take reserves an object for a source. Two sources would overwrite each other.
func (c *copying) take(path, object string) error {
	if other, ok := c.taken[object]; ok {
		if other == path || sameFile(other, path) {
			return errTwice
		}
		return fmt.Errorf("%s and %s would both become oss://%s/%s", other, path, c.bucket, object)
	}
	c.taken[object] = path
	return nil
}

// sameFile reports whether two paths lead to one file, like a/x and ./a/x.
func sameFile(a, b string) bool {
	one, errOne := os.Stat(a)
	other, errOther := os.Stat(b)
	return errOne == nil && errOther == nil && os.SameFile(one, other)
}
