package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/examples/vodupload/internal/config"
	"github.com/vodupload/vodupload/examples/vodupload/internal/flagtype"
	"github.com/vodupload/vodupload/examples/vodupload/internal/manifest"
	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
	"github.com/vodupload/vodupload/examples/vodupload/internal/selection"
	"github.com/vodupload/vodupload/upload"
)

const verifyHelp = `Compares files with a bucket, and downloads nothing: the checksum (CRC64) of each file is
computed here, and that of its object asked for. Objects of which there is no file here are
counted, and with --verbose or --json listed: they are no failure.

Give the --include, --exclude, --max-depth and --min-age that cp had. Left out are also the
checkpoints, and a manifest of these uploads that has no object: as cp does.

With a manifest (see cp --manifest), each object is compared with its line, and with the
file if that is still there.

Exit code 6: bytes differ. 3: an object is missing. 0: all are the same.`

// verifyFlags are those of verify.
type verifyFlags struct {
	selectionFlags
	requests flagtype.Number
}

func (f *verifyFlags) register(flags *pflag.FlagSet) {
	f.selectionFlags.register(flags, "compare")
	const auto = 32
	f.requests = flagtype.Number{Value: auto, Min: 1, Max: 1000, Word: "auto", AsWord: auto}
	flags.Var(&f.requests, "parallel", "requests at a time, 1 to 1000; auto is 32")
}

func newVerify(a *app) *cobra.Command {
	var flags verifyFlags
	cmd := &cobra.Command{
		Use:   "verify FOLDER oss://BUCKET/PREFIX/ | verify MANIFEST",
		Short: "Compares files with a bucket by their checksums, without a download",
		Long:  verifyHelp,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return errors.New("verify: wanted a folder and a destination like oss://BUCKET/PREFIX/, or a manifest")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.verifyManifest(cmd.Context(), args[0], flags)
			}
			return a.verifyFolder(cmd.Context(), args[0], args[1], flags)
		},
	}
	flags.register(cmd.Flags())
	return cmd
}

// A pair is a file and the object that should have its bytes.
type pair struct {
	path   string
	object string
	line   *manifest.Line // what a manifest says of both; nil: there is none
}

// verifyFolder compares the files of a folder, or one file, with a destination.
func (a *app) verifyFolder(ctx context.Context, source, to string, flags verifyFlags) error {
	d, err := parseDestination(to)
	if err != nil {
		return err
	}
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	c, place, err := a.placeOf(d.bucket)
	if err != nil {
		return err
	}
	v, err := a.verifier(ctx, c, place, d.bucket, flags)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return v.end(ctx, v.run(ctx, func(yield func(pair)) error {
			yield(pair{path: source, object: d.object(filepath.Base(source))})
			return nil
		}))
	}
	v.prefix, v.expected, v.rules = d.prefix(), make(map[string]bool), flags.rules()
	checkpoints, _, _ := checkpoint.MakeDefaultDir()
	v.own = a.ownFiles(checkpoints)
	err = v.run(ctx, func(yield func(pair)) error { return v.walk(ctx, source, d.prefix(), yield) })
	if err == nil && ctx.Err() == nil {
		v.others(ctx, d.prefix())
	}
	return v.end(ctx, err)
}

// others looks for objects below a prefix that are of no file. What ends in a slash and is
// empty stands for a folder.
func (v *verification) others(ctx context.Context, prefix string) {
	for o, err := range v.client.Objects(ctx, upload.ListOptions{Endpoint: v.place.Endpoint, Bucket: v.bucket, Prefix: prefix}) {
		switch {
		case err != nil:
			if ctx.Err() == nil {
				v.report.Say("whether there are objects of no file is not known: %s", output.Text(err))
			}
			return
		case v.expected[o.Object], o.Size == 0 && strings.HasSuffix(o.Object, "/"), !v.selected(strings.TrimPrefix(o.Object, prefix)):
		default:
			v.report.Extra(output.Event{Bucket: v.bucket, Object: o.Object, Size: &o.Size, ETag: o.ETag},
				"no file: %s/%s, %s", v.bucket, output.Safe(o.Object), output.Bytes(o.Size))
			v.extra++
		}
	}
}

// selected reports whether the rules leave a file of this name in, whenever it was written.
func (v *verification) selected(name string) bool {
	for i, c := range name {
		if c == '/' && !v.rules.Folder(name[:i]) {
			return false
		}
	}
	return v.rules.File(name, time.Time{}, v.app.now())
}

// walk yields the files that cp of the folder would copy.
func (v *verification) walk(ctx context.Context, dir, prefix string, yield func(pair)) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			v.fail(path, err)
			return nil
		case path == dir:
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		object := prefix + name
		info, err := e.Info()
		switch {
		case e.IsDir() && (!v.rules.Folder(name) || err == nil && v.own.has(info)):
			return fs.SkipDir
		case e.IsDir():
			return nil
		case err != nil:
			v.fail(path, err)
			return nil
		case v.own.has(info):
			return nil
		case !v.rules.File(name, info.ModTime(), v.app.now()):
			v.expected[object] = true // too young, perhaps
			return nil
		case !e.Type().IsRegular(): // as cp has it
			v.fail(path, fmt.Errorf("not a regular file: %s", path))
			return nil
		}
		v.expected[object] = true
		yield(pair{path: path, object: object})
		return nil
	})
}

// verifyManifest compares what a manifest lists with the bucket.
func (a *app) verifyManifest(ctx context.Context, path string, flags verifyFlags) error {
	if r := flags.rules(); len(r.Include)+len(r.Exclude)+r.MaxDepth > 0 || r.MinAge > 0 {
		return usageError{errors.New("verify: --include, --exclude, --max-depth and --min-age are for a folder: a manifest lists its files")}
	}
	if strings.HasPrefix(path, ossScheme) {
		return usageError{errors.New("verify: wanted a folder before the destination")}
	}
	f, err := within(ctx, func() (*os.File, error) { return os.Open(path) })
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return usageError{fmt.Errorf("verify: wanted a destination like oss://BUCKET/PREFIX/ after the folder %s", path)}
	}
	lines, err := manifest.Read(endingReader{ctx, f})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return usageError{fmt.Errorf("manifest %s: %w", path, err)}
	}
	if len(lines) == 0 {
		return usageError{fmt.Errorf("manifest %s: it has no lines", path)}
	}
	c, err := a.configuration()
	if err != nil {
		return err
	}
	place, err := a.placeOfLine(c, &lines[0])
	if err != nil {
		return err
	}
	v, err := a.verifier(ctx, c, place, lines[0].Bucket, flags)
	if err != nil {
		return err
	}
	return v.end(ctx, v.run(ctx, func(yield func(pair)) error {
		for i := range lines {
			yield(pair{path: lines[i].Path, object: lines[i].Object, line: &lines[i]})
		}
		return nil
	}))
}

// A verification compares files with objects.
type verification struct {
	*session
	requests int
	reading  chan struct{} // as many as there are files that are read

	began       time.Time
	same, gone  atomic.Int64 // files; gone: of a manifest, whose sources are not here any more
	found, done atomic.Int64 // files
	size, bytes atomic.Int64 // of the files that are read; read

	prefix   string // of the objects of a folder
	rules    selection.Rules
	own      ownFiles
	expected map[string]bool // objects that have a file; nil: not of a folder
	extra    int             // objects that have none
}

func (a *app) verifier(ctx context.Context, c *config.Config, place config.Place, bucket string, flags verifyFlags) (*verification, error) {
	s, err := a.connectAt(ctx, c, place, bucket, upload.Options{Parallel: flags.requests.Value, Checkpoints: checkpoint.NewMemory()})
	if err != nil {
		return nil, err
	}
	return &verification{session: s, requests: flags.requests.Value, reading: make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))}, nil
}

// run compares the pairs that each yields.
func (v *verification) run(ctx context.Context, each func(yield func(pair)) error) error {
	v.began = time.Now()
	v.report.Progress(v.figures)
	var g errgroup.Group
	g.SetLimit(v.requests)
	v.report.Listing(true)
	err := each(func(p pair) {
		v.found.Add(1)
		g.Go(func() error {
			if ctx.Err() == nil {
				v.one(ctx, p)
				v.done.Add(1)
			}
			return nil
		})
	})
	if err == nil && ctx.Err() == nil {
		v.report.Listing(false)
	}
	_ = g.Wait()
	return err
}

// figures are those of the files that were found up to now.
func (v *verification) figures() upload.Stats {
	found, done, size, read := v.found.Load(), v.done.Load(), v.size.Load(), v.bytes.Load()
	took := time.Since(v.began).Seconds()
	s := upload.Stats{
		Files: map[upload.FileState]int{upload.FileSucceeded: int(done), upload.FileInit: int(found - done)},
		Total: size, Uploaded: read, Speed: float64(read) / took, Left: -1,
	}
	if read > 0 {
		s.Left = time.Duration(float64(max(0, size-read)) / s.Speed * float64(time.Second))
	}
	return s
}

// end reports the result and closes the session.
func (v *verification) end(ctx context.Context, err error) error {
	if err == nil && ctx.Err() == nil {
		differ, missing, other := v.counts()
		text := fmt.Sprintf("%d same, %d different, %d missing", v.same.Load(), differ, missing)
		if other > 0 {
			text += fmt.Sprintf(", %d could not be compared", other)
		}
		if gone := v.gone.Load(); gone > 0 {
			text += "; no longer here, and compared by the manifest alone: " + output.Count(int(gone), "file")
		}
		if v.extra > 0 {
			text += "; " + output.Count(v.extra, "object") + " without a file here"
			if !v.app.global.verbose && !v.app.global.json {
				text += " (--verbose lists them)"
			}
		}
		v.report.Say("%s", text)
	}
	return v.finish(ctx, err)
}

func (v *verification) counts() (differ, missing, other int) {
	for _, err := range v.report.Failures() {
		switch {
		case errors.Is(err, upload.ErrIntegrity):
			differ++
		case errors.Is(err, upload.ErrObjectNotExist):
			missing++
		default:
			other++
		}
	}
	return differ, missing, other
}

func (v *verification) fail(path string, err error) { v.report.Fail(path, err) }

// A difference says that a file and its object are not the same. It is an
// upload.ErrIntegrity.
type difference struct{ text string }

func (d difference) Error() string        { return d.text }
func (d difference) Is(target error) bool { return target == upload.ErrIntegrity }

// one compares one pair and reports it.
func (v *verification) one(ctx context.Context, p pair) {
	crc, size, err := v.compare(ctx, p)
	if errors.Is(err, upload.ErrObjectNotExist) && v.expected != nil && v.lists(p.path) {
		v.report.Say("left out: %s: it lists these uploads, as --manifest does", p.path)
		return
	}
	if err != nil {
		if ctx.Err() == nil {
			v.fail(p.path, err)
		}
		return
	}
	v.same.Add(1)
	v.report.Checked(output.Event{Type: "same", Path: p.path, Bucket: v.bucketOf(p), Object: p.object, Size: &size, CRC64: &crc},
		"same: %s", output.Safe(p.path))
}

// lists reports whether a file is a manifest of uploads to where its folder should be: cp has
// written it, and left it out.
func (v *verification) lists(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	lines, err := manifest.Read(f)
	return err == nil && slices.ContainsFunc(lines, func(l manifest.Line) bool {
		return l.Bucket == v.bucket && strings.HasPrefix(l.Object, v.prefix)
	})
}

func (v *verification) bucketOf(p pair) string {
	if p.line != nil {
		return p.line.Bucket
	}
	return v.bucket
}

// compare returns the checksum and the size that both have. An error is about the pair.
func (v *verification) compare(ctx context.Context, p pair) (crc uint64, size int64, err error) {
	there, err := v.stat(ctx, p)
	where := v.bucketOf(p) + "/" + p.object
	if errors.Is(err, upload.ErrObjectNotExist) {
		return 0, 0, fmt.Errorf("missing: %s has no object %s/%s%w", p.path, v.bucketOf(p), p.object, hiddenError{err})
	}
	if errors.Is(err, upload.ErrInvalidArgument) {
		return 0, 0, fmt.Errorf("%s: %w", p.path, err)
	}
	if err != nil {
		return 0, 0, err
	}
	if !there.HasCRC64 {
		return 0, 0, fmt.Errorf("%s: the server gives no CRC64 of %s", p.path, where)
	}
	if l := p.line; l != nil && (l.Size != there.Size || l.CRC64 != there.CRC64) {
		return 0, 0, differ("the manifest's line of "+p.path, where, l.Size, l.CRC64, there)
	}
	v.reading <- struct{}{} // also what is open is bounded
	defer func() { <-v.reading }()
	if info, err := os.Stat(p.path); err == nil && !info.Mode().IsRegular() { // a pipe's Open would wait
		return 0, 0, fmt.Errorf("not a regular file: %s", p.path)
	}
	f, err := os.Open(p.path)
	if errors.Is(err, fs.ErrNotExist) && p.line != nil {
		v.gone.Add(1)
		return there.CRC64, there.Size, nil
	}
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.Size() != there.Size {
		return 0, 0, difference{fmt.Sprintf("different: %s has %d bytes, %s has %d", p.path, info.Size(), where, there.Size)}
	}
	v.size.Add(there.Size)
	crc, size, err = v.checksum(ctx, f)
	if err == nil && (crc != there.CRC64 || size != there.Size) {
		err = differ(p.path, where, size, crc, there)
	}
	return crc, size, err
}

func differ(a, b string, size int64, crc uint64, there upload.ObjectInfo) error {
	return difference{fmt.Sprintf("different: %s has %d bytes and the CRC64 %d, %s has %d and %d", a, size, crc, b, there.Size, there.CRC64)}
}

// stat asks for the object of a pair.
func (v *verification) stat(ctx context.Context, p pair) (upload.ObjectInfo, error) {
	place, client := v.place, v.client
	if p.line != nil {
		var err error
		if place, err = v.app.placeOfLine(v.config, p.line); err == nil {
			client, err = v.clientAt(place)
		}
		if err != nil {
			return upload.ObjectInfo{}, err
		}
	}
	return client.Stat(ctx, upload.StatOptions{Endpoint: place.Endpoint, Bucket: v.bucketOf(p), Object: p.object})
}

// placeOfLine returns how the bucket of a line is reached: at the endpoint of the line, unless
// the command line has another.
func (a *app) placeOfLine(c *config.Config, l *manifest.Line) (config.Place, error) {
	given := a.global.config
	if l.Endpoint != "" && given.Endpoint == "" && given.CustomDomain == "" {
		return placeAt(c, l.Endpoint, l.Bucket), nil
	}
	return c.Place(l.Bucket)
}

// checksum reads a file, until ctx ends.
func (v *verification) checksum(ctx context.Context, f io.Reader) (crc uint64, size int64, err error) {
	h := upload.NewCRC64()
	buf := make([]byte, 1<<20)
	for {
		if ctx.Err() != nil {
			return 0, 0, context.Cause(ctx)
		}
		n, err := f.Read(buf)
		_, _ = h.Write(buf[:n])
		size += int64(n)
		v.bytes.Add(int64(n))
		if err == io.EOF {
			return h.Sum64(), size, nil
		}
		if err != nil {
			return 0, 0, err
		}
	}
}

// A hiddenError is found by errors.Is and errors.As, and adds no text.
type hiddenError struct{ error }

func (hiddenError) Error() string   { return "" }
func (h hiddenError) Unwrap() error { return h.error }
