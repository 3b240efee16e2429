package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/examples/vodupload/internal/flagtype"
	"github.com/vodupload/vodupload/examples/vodupload/internal/selection"
	"github.com/vodupload/vodupload/upload"
)

// clientFlags are those of all commands that upload.
type clientFlags struct {
	parallel      flagtype.Number
	partSize      flagtype.Size
	bandwidth     flagtype.Text
	retries       flagtype.Number
	stallTimeout  flagtype.Duration
	checkpointDir string
}

func (f *clientFlags) register(flags *pflag.FlagSet) {
	f.parallel = flagtype.Number{Value: upload.DefaultParallel, Min: 1, Max: 1000, Word: "auto", AsWord: upload.Auto}
	f.partSize = flagtype.Size{Min: 100 << 10, Max: 5 << 30}
	f.bandwidth = flagtype.Text{Word: "LIMIT", Check: func(text string) error {
		_, err := upload.ParseTimetable(text)
		return err
	}}
	f.retries = flagtype.Number{Value: upload.DefaultRetryCount, Max: 1000}
	f.stallTimeout = flagtype.Duration{Min: time.Second}
	flags.Var(&f.parallel, "parallel", "requests at a time over all files, 1 to 1000, or auto to measure what is best")
	flags.Var(&f.partSize, "part-size", "size of the parts, 100K to 5G (default 1M)")
	flags.Var(&f.bandwidth, "bandwidth", `bytes per second, like 2M, or by the time of day, like "08:00,2M 19:00,off"`)
	flags.Var(&f.retries, "retries", "how often a request is repeated; 0: never")
	flags.Var(&f.stallTimeout, "stall-timeout", "after which a request without progress is repeated (default 30s)")
	flags.StringVar(&f.checkpointDir, "checkpoint-dir", "", "`FOLDER` of the checkpoints (default: in the user's cache folder)")
}

// options returns the options of the client.
func (f *clientFlags) options() upload.Options {
	retries := f.retries.Value
	if retries == 0 {
		retries = -1
	}
	return upload.Options{
		Parallel:      f.parallel.Value,
		PartSize:      f.partSize.Bytes,
		RetryCount:    retries,
		StallTimeout:  f.stallTimeout.Duration,
		CheckpointDir: f.checkpointDir,
	}
}

// throttle has the client keep to --bandwidth.
func (f *clientFlags) throttle(ctx context.Context, c *upload.Client) error {
	if f.bandwidth.Value == "" {
		return nil
	}
	t, err := upload.ParseTimetable(f.bandwidth.Value)
	if err != nil {
		return err
	}
	return c.FollowTimetable(ctx, t)
}

// objectFlags are the properties of the objects.
type objectFlags struct {
	storageClass, acl flagtype.Choice
	meta, tags        flagtype.Pairs
	contentType       string
	sse               flagtype.Text
	callbackURL       flagtype.Text
}

func (f *objectFlags) register(flags *pflag.FlagSet) {
	f.storageClass.Of = []string{"Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"}
	f.acl.Of = []string{"private", "public-read", "public-read-write", "default"}
	f.sse = flagtype.Text{Word: "METHOD", Check: checkSSE}
	f.callbackURL = flagtype.Text{Word: "URL", Check: checkURL}
	flags.Var(&f.storageClass, "storage-class", strings.Join(f.storageClass.Of, ", ")+" (default: the bucket's)")
	flags.Var(&f.acl, "acl", strings.Join(f.acl.Of, ", ")+" (default: the bucket's)")
	flags.Var(&f.meta, "meta", "metadata that is kept with the objects; may be repeated")
	flags.Var(&f.tags, "tag", "tag of the objects; may be repeated, 10 at most")
	flags.StringVar(&f.contentType, "content-type", "", "`TYPE` of the objects (default: by the name)")
	flags.Var(&f.sse, "sse", "encryption at the server: AES256, SM4, KMS or KMS:KEY-ID (default: the bucket's)")
	flags.Var(&f.callbackURL, "callback-url", "that OSS calls for each object that is stored")
}

func checkSSE(text string) error {
	method, key, withKey := strings.Cut(text, ":")
	if method == "KMS" && (!withKey || key != "") || !withKey && (method == "AES256" || method == "SM4") {
		return nil
	}
	return fmt.Errorf("wanted AES256, SM4, KMS or KMS:KEY-ID")
}

func checkURL(text string) error {
	if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("wanted a URL like https://example.com/uploaded")
	}
	return nil
}

func (f *objectFlags) options() *upload.ObjectOptions {
	o := &upload.ObjectOptions{
		StorageClass: f.storageClass.Value,
		ACL:          f.acl.Value,
		Metadata:     f.meta.Map,
		Tags:         f.tags.Map,
		ContentType:  f.contentType,
	}
	o.Encryption, o.EncryptionKeyID, _ = strings.Cut(f.sse.Value, ":")
	if f.callbackURL.Value != "" {
		o.Callback = &upload.Callback{URLs: []string{f.callbackURL.Value}}
	}
	return o
}

// copyFlags are those of cp and sync.
type copyFlags struct {
	clientFlags
	objectFlags
	mediaFlags
	selectionFlags
	compare               flagtype.Choice
	noClobber             bool
	size                  flagtype.Size
	filesFrom, filesFrom0 string
	dryRun, failFast      bool
	maxDuration           flagtype.Duration
	manifest              string
}

func (f *copyFlags) register(flags *pflag.FlagSet, compare string) {
	f.clientFlags.register(flags)
	f.objectFlags.register(flags)
	f.mediaFlags.register(flags)
	f.selectionFlags.register(flags, "copy")
	f.compare = flagtype.Choice{Value: compare, Of: []string{"never", "exists", "size", "mtime", "crc64"}}
	f.size.Min = 1
	flags.Var(&f.compare, "compare", "leave out what is there already: never, exists (of any content), size, mtime (and size), crc64")
	flags.BoolVar(&f.noClobber, "no-clobber", false, "replace no object: as --compare exists")
	flags.Var(&f.size, "size", "how many bytes come from standard input, where that is known")
	flags.StringVar(&f.filesFrom, "files-from", "", "`FILE` with the paths to copy, one on each line; - is standard input")
	flags.StringVar(&f.filesFrom0, "files-from0", "", "`FILE` of the same kind with a zero byte after each path, as find -print0 writes it")
	flags.BoolVarP(&f.dryRun, "dry-run", "n", false, "show what would be uploaded, and send nothing")
	flags.BoolVar(&f.failFast, "fail-fast", false, "stop at the first file that fails")
	flags.StringVar(&f.manifest, "manifest", "", "append what is in the bucket to `FILE`, as JSON lines that verify reads")
	flags.Var(&f.maxDuration, "max-duration", "stop after that time; the same command resumes")
}

// options returns the options of the client.
func (f *copyFlags) options() upload.Options {
	opts := f.clientFlags.options()
	if f.dryRun {
		opts.HTTPClient = &http.Client{Transport: readOnly{http.DefaultTransport}}
		opts.RetryCount, opts.OutageWait = -1, -1
		opts.Checkpoints = checkpoint.NewMemory()
		opts.CheckpointDir = ""
	}
	return opts
}

// ifExists returns what the flags say about objects that are there.
func (f *copyFlags) ifExists() upload.IfExists {
	compare := f.compare.Value
	if f.noClobber {
		compare = "exists"
	}
	switch compare {
	case "exists":
		return upload.Skip
	case "size":
		return upload.SkipSize
	case "mtime":
		return upload.SkipNewer
	case "crc64":
		return upload.SkipSame
	}
	return upload.Overwrite
}

// selectionFlags say which files of a folder are meant.
type selectionFlags struct {
	include, exclude flagtype.Texts
	maxDepth         flagtype.Number
	minAge           flagtype.Duration
}

// register registers the flags. verb is what is done to the files.
func (f *selectionFlags) register(flags *pflag.FlagSet, verb string) {
	f.include = flagtype.Texts{Check: selection.Check, Word: "PATTERN"}
	f.exclude = f.include
	f.maxDepth = flagtype.Number{Max: 1000}
	flags.Var(&f.include, "include", verb+" only files of folders that match, like *.mp4 or raw/**; may be repeated")
	flags.Var(&f.exclude, "exclude", "leave out files and folders that match; may be repeated")
	flags.Var(&f.maxDepth, "max-depth", "levels of folders: 1 is a folder's own files; 0: no limit")
	flags.Var(&f.minAge, "min-age", "leave out files of folders that were written less than that ago")
}

func (f *selectionFlags) rules() selection.Rules {
	return selection.Rules{
		Include: f.include.Values, Exclude: f.exclude.Values, MaxDepth: f.maxDepth.Value, MinAge: f.minAge.Duration,
	}
}
