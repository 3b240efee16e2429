package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/examples/vodupload/internal/hotfolder"
	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
	"github.com/vodupload/vodupload/upload"
)

const watchHelp = `Watches a folder, and uploads each file in it, and in the folders below it, once it is
complete. A file is complete when it got its name by a rename, when its writer has closed it
(Linux), or when its size and time stood still for --settle; with --trigger, when its sidecar
is there. Names that say "not yet" (*.part, *.tmp, .*, ~* and so on) are never taken, and
where the system knows it, nor is a file that somebody has open for writing.

What was uploaded is listed beside the checkpoints: a second run does not send it again, and a
file that changes is uploaded again. With --after delete or move, a file goes only once its
checksum is verified and it is still the same; sidecars go with it. A file that cannot be uploaded is
moved to the folder "failed", with the reason in NAME.error.json; move it back to try again.
What may pass, like a network that is down, is tried again after a pause, and so is a move or a
deletion that failed; with --once, that ends with 1.

Where a process is killed between the end of an upload and its entry in the list, the next run
reads that file once more, finds the same bytes in the bucket, and sends nothing.`

func newWatch(a *app) *cobra.Command {
	var flags watchFlags
	cmd := &cobra.Command{
		Use:   "watch FOLDER oss://BUCKET/PREFIX/",
		Short: "Uploads the files that appear in a folder, each once it is complete",
		Long:  watchHelp,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("watch: wanted a folder and a destination like oss://BUCKET/PREFIX/")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.watch(cmd.Context(), args[0], args[1], flags) },
	}
	flags.register(cmd.Flags())
	return cmd
}

// A watching is one run of watch.
type watching struct {
	*session
	to        destination
	dir       string
	after     afterFlag
	succeeded atomic.Bool // some file was uploaded
}

// watch uploads what appears in a folder.
func (a *app) watch(ctx context.Context, folder, to string, flags watchFlags) error {
	d, err := parseDestination(to)
	if err != nil {
		return err
	}
	dir, err := watchedFolder(folder)
	if err != nil {
		return err
	}
	state, err := checkpointFolder(flags.checkpointDir)
	if err != nil {
		return err
	}
	rules, err := flags.rules(dir, state)
	if err != nil {
		return err
	}
	opts := flags.clientFlags.options()
	opts.CheckpointDir = state
	if (a.global.progress == output.Auto || a.global.progress == "") && !output.IsTerminal(a.stderr) {
		a.global.progress = output.None // a line for each file is enough for a log
	}
	s, err := a.open(ctx, d.bucket, opts)
	if err != nil {
		return err
	}
	s.report.Below(d.prefix())
	s.object, s.info = flags.objectFlags.options(), flags.mediaFlags.info()
	w := &watching{session: s, to: d, dir: dir, after: flags.after}
	return s.finish(ctx, w.run(ctx, state, rules, flags))
}

// watchedFolder returns the folder as an absolute path without links.
func watchedFolder(folder string) (string, error) {
	dir, err := filepath.Abs(folder)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return "", err
	}
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = usageError{fmt.Errorf("%s is not a folder", folder)}
	}
	return dir, err
}

// run watches until ctx ends. The error is what ended it; not the end of ctx.
func (w *watching) run(ctx context.Context, state string, rules hotfolder.Rules, flags watchFlags) error {
	if err := flags.throttle(ctx, w.client); err != nil {
		return err
	}
	release, err := w.claim(ctx, state)
	if err != nil {
		return err
	}
	defer release()
	if err := w.probe(ctx); err != nil {
		return err
	}
	path, err := stateFile(state, "watch", w.dir, w.place.Endpoint, w.bucket, w.to.prefix())
	if err != nil {
		return err
	}
	journal, err := hotfolder.OpenJournal(path)
	if err != nil {
		return err
	}
	defer journal.Close()
	listed, damaged := journal.Len()
	if damaged > 0 {
		w.report.Say("%s of %s could not be read: files of theirs are compared with the bucket", output.Count(damaged, "line"), path)
	}
	w.report.Say("watching %s for %s, uploaded before: %s", output.Safe(w.dir), w.to, output.Count(listed, "file"))
	err = hotfolder.Watch(ctx, w.dir, journal, &hotfolder.Options{
		Rules: rules, Poll: flags.poll.Duration, After: flags.after.what, MoveTo: flags.after.folder, Once: flags.once,
		Upload: w.upload, Judge: w.judge, Report: w.show,
	})
	if ctx.Err() != nil || errors.Is(err, hotfolder.ErrUnfinished) && len(w.report.Failures()) > 0 {
		return nil // finish says so
	}
	return err
}

// claim makes this process the only one that watches the folder for this destination.
func (w *watching) claim(ctx context.Context, state string) (release func(), err error) {
	store, err := checkpoint.OpenDir(state)
	if err != nil {
		return nil, err
	}
	claim, err := store.Open(ctx, checkpoint.Key{Source: "watch:" + w.dir, Endpoint: w.place.Endpoint, Bucket: w.bucket, Object: w.to.prefix()})
	if errors.Is(err, checkpoint.ErrInUse) {
		err = fmt.Errorf("%w: another process watches %s for %s", upload.ErrInUse, w.dir, w.to)
	}
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return func() { _ = errors.Join(claim.Remove(), store.Close()) }, nil
}

// probe asks for an object that is not there, so that a bucket, an endpoint or a key that
// is wrong ends the run before a file is taken. What may pass is left to the uploads, and
// so is a right that only this request needs.
func (w *watching) probe(ctx context.Context) error {
	_, err := w.client.Stat(ctx, upload.StatOptions{Endpoint: w.place.Endpoint, Bucket: w.bucket, Object: w.to.prefix() + ".vodupload-probe"})
	if err == nil || errors.Is(err, upload.ErrObjectNotExist) || ctx.Err() != nil {
		return nil
	}
	var about *upload.Error
	if errors.As(err, &about) && (about.Code == "AccessDenied" || about.Status == 403 && !ofAll[about.Code]) {
		return nil
	}
	if ownCode(err) == exitTemporary {
		return nil
	}
	return err
}

// upload uploads one file, unless its bytes are in the bucket already.
func (w *watching) upload(ctx context.Context, c hotfolder.Candidate, path string) (hotfolder.Outcome, error) {
	f := w.file()
	f.Path, f.Object, f.IfExists = path, w.to.prefix()+c.Name, upload.SkipSame
	r, err := w.client.Upload(ctx, f)
	if err != nil {
		return hotfolder.Outcome{}, err
	}
	w.succeeded.Store(true)
	return hotfolder.Outcome{CRC64: r.CRC64, Verified: r.Verified}, nil
}

// ofAll are the codes of OSS that are about the account, the bucket or this machine, and
// no single file.
var ofAll = map[string]bool{
	"InvalidAccessKeyId": true, "SignatureDoesNotMatch": true, "NoSuchBucket": true, "PublicEndpointForbidden": true,
	"UserDisable": true, "RequestTimeTooSkewed": true, "InvalidSecurityToken": true,
}

// judge decides what an error means for its file and for the others. A file must not end in
// the folder of those that failed for what is not its fault.
func (w *watching) judge(err error) (hotfolder.Verdict, hotfolder.Failure) {
	var about *upload.Error
	known := errors.As(err, &about)
	code := ownCode(err)
	switch {
	case errors.Is(err, upload.ErrFileChanged), errors.Is(err, upload.ErrFileNotExist), errors.Is(err, fs.ErrNotExist):
		return hotfolder.Changed, hotfolder.Failure{}
	case known && ofAll[about.Code], known && code == exitDenied && about.Status != 0 && !w.succeeded.Load():
		return hotfolder.Fatal, hotfolder.Failure{}
	case !known && !errors.Is(err, upload.ErrInvalidArgument),
		code == exitTemporary, code == exitInUse, code == exitDenied && about.Status == 0,
		errors.Is(err, upload.ErrCheckpoint), errors.Is(err, fs.ErrPermission):
		return hotfolder.Again, hotfolder.Failure{}
	}
	f := hotfolder.Failure{Error: output.Text(err)}
	if known {
		f.Code, f.Object = about.Code, about.Object
	}
	return hotfolder.OfFile, f
}

// show reports what happens to the folder. What an upload failed with was reported.
func (w *watching) show(r hotfolder.Report) {
	name := output.Safe(r.Name)
	switch r.Kind {
	case hotfolder.Started:
		if r.Note != "" {
			w.report.Say("%s", r.Note)
		}
	case hotfolder.Taken:
		w.report.Detail("complete: %s", name)
	case hotfolder.Done:
		w.report.Say("uploaded%s: %s", [...]string{"", " and moved", " and deleted"}[w.after.what], name)
	case hotfolder.Rewatch:
		w.report.Detail("changed, watched again: %s", name)
	case hotfolder.Failing:
		w.report.Say("%s is in the folder %s now; move it back to try again", name, hotfolder.FailedDir)
	case hotfolder.Stays:
		text := fmt.Sprintf("uploaded, but not %s: %s: %s", [...]string{"", "moved", "deleted"}[w.after.what], name, output.Text(r.Err))
		if r.Pause > 0 {
			text += fmt.Sprintf(" (again in %s)", output.Duration(r.Pause))
		}
		w.report.Say("%s", text)
	case hotfolder.Trouble:
		w.trouble(name, r)
	}
}

func (w *watching) trouble(name string, r hotfolder.Report) {
	var about *upload.Error
	switch {
	case errors.As(r.Err, &about): // its text was reported
		w.report.Say("again in %s: %s", output.Duration(r.Pause), name)
	case r.Name == "":
		w.report.Say("%s", output.Text(r.Err))
	default:
		w.report.Say("again in %s: %s: %s", output.Duration(r.Pause), name, output.Text(r.Err))
	}
}
