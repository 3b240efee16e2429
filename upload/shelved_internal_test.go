package upload

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vodupload/vodupload/upload/internal/credentials"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/media"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// TestFieldsOfShelvedFiles has each new field of an entry thought of.
func TestFieldsOfShelvedFiles(t *testing.T) {
	kept := []string{
		"id", "path", "opened", "source", "info", "from", "options", "ifExists", "listing", "extras", "unfingerprinted", "site", "bucket", "object",
		"ownDestination", "media", "videoID", "mediaID", "mediaURL", "own", "remembers", "session", "uploadID", "partSize", "err", "result",
	}
	// Made by a run or a clean-up, about one, or of a Reader, which is not read again.
	madeAgain := []string{"cancel", "steps", "waits", "outage", "progress", "reportedUploaded", "reportedSize", "end", "direct", "provided", "stream"}
	for f := range reflect.TypeFor[entry]().Fields() {
		if !slices.Contains(append(kept, madeAgain...), f.Name) {
			t.Errorf("entry.%s is new: shelf.pack has to keep it, or another run to make it again", f.Name)
		}
	}
}

// TestShelvedFiles are unpacked as they were.
func TestShelvedFiles(t *testing.T) {
	where := &site{endpoint: target.Endpoint{Scheme: "https", Host: "oss-cn-hangzhou.aliyuncs.com"}, region: "cn-hangzhou", text: "https://oss-cn-hangzhou.aliyuncs.com"}
	plain := func() *entry {
		return &entry{
			path: "/films/talk.mp4", opened: "/films/talk.mp4", source: "/films/talk.mp4", from: systemOpener{},
			site: where, bucket: "media", object: "in/talk.mp4", ownDestination: true,
		}
	}
	answer := func(e *entry) *Error {
		a := &transfer.Error{
			Op: "UploadPart", Class: 2, Bucket: e.bucket, Object: e.object, UploadID: e.uploadID, Part: 3, Status: 403, Code: "AccessDenied",
			Message: "no", RequestID: "5C3D9175B6FC201293AD4890", EC: "0003-00000001", Endpoint: "oss-cn-beijing.aliyuncs.com", Delay: time.Second, Generation: 7,
		}
		return newError(&FileInfo{ID: e.id, Path: e.path, Bucket: e.bucket, Object: e.object, UploadID: e.uploadID}, a)
	}
	for name, test := range map[string]struct {
		state  filelist.FileState
		change func(*entry, *filelist.File)
	}{
		"canceled before it was started":  {filelist.FileCanceled, func(_ *entry, f *filelist.File) { f.Started = time.Time{} }},
		"canceled without a destination":  {filelist.FileCanceled, func(e *entry, _ *filelist.File) { e.site, e.bucket, e.object, e.ownDestination = nil, "", "", false }},
		"failed by an answer":             {filelist.FileFailed, func(e *entry, _ *filelist.File) { e.err = answer(e) }},
		"failed by an answer, with an ID": {filelist.FileFailed, func(e *entry, _ *filelist.File) { e.uploadID, e.partSize = "0004", 1<<20; e.err = answer(e) }},
		"failed by an answer of a token":  {filelist.FileFailed, func(e *entry, _ *filelist.File) { e.err = answer(e); e.err.Code = CodeTokenExpired }},
		"failed by an answer with a cause": {filelist.FileFailed, func(e *entry, _ *filelist.File) {
			e.err = answer(e)
			e.err.Err.(*transfer.Error).Err = fs.ErrPermission
		}},
		"failed by an answer about another": {filelist.FileFailed, func(e *entry, _ *filelist.File) { e.err = answer(e); e.err.Err.(*transfer.Error).Object = "x" }},
		"failed by what is no answer": {filelist.FileFailed, func(e *entry, _ *filelist.File) {
			e.err = newError(&FileInfo{ID: 9, Path: e.path, Bucket: "media", Object: e.object}, ErrFileChanged)
		}},
		"failed by FailFile": {filelist.FileFailed, func(e *entry, _ *filelist.File) {
			given := &failure{fmt.Errorf("get the address: %w", io.EOF)}
			e.err = newError(&FileInfo{ID: e.id, Path: e.path, Bucket: e.bucket, Object: e.object}, given)
		}},
		"failed when it had another ID": {filelist.FileFailed, func(e *entry, _ *filelist.File) { e.err = answer(e); e.uploadID = "0005" }},
		"failed and has left something": {filelist.FileFailed, func(e *entry, f *filelist.File) {
			e.err = answer(e)
			f.Leftover, f.Uploaded, f.Sent, f.Run = true, 70, 90, 3
		}},
		"of a Reader of unknown size": {filelist.FileFailed, func(e *entry, f *filelist.File) { e.err = answer(e); e.from, f.Stream, f.Size = nil, true, -1 }},
		"by a symbolic link": {filelist.FileFailed, func(e *entry, _ *filelist.File) {
			e.opened, e.source, e.err = "/disk/talk.mp4", "/disk/first.mp4", answer(e)
		}},
		"with a tag": {filelist.FileFailed, func(e *entry, _ *filelist.File) { e.err, e.extras = answer(e), &extras{tag: "mine"} }},
		"with Info":  {filelist.FileFailed, func(e *entry, _ *filelist.File) { e.err, e.info = answer(e), &Info{Title: "talk"} }},
		"with properties": {filelist.FileFailed, func(e *entry, _ *filelist.File) {
			e.err, e.options, e.ifExists = answer(e), &ObjectOptions{StorageClass: "IA"}, SkipSame
		}},
		"with a listing": {filelist.FileFailed, func(e *entry, _ *filelist.File) {
			e.err, e.listing, e.from = answer(e), transfer.NewListing(target.Target{}), &folder{path: "/films"}
		}},
		"with credentials of its own": {filelist.FileFailed, func(e *entry, _ *filelist.File) {
			e.err = answer(e)
			e.own.Store(credentials.New(credentials.Options{}))
		}},
		"of a file system": {filelist.FileFailed, func(e *entry, _ *filelist.File) { e.err, e.from = answer(e), fsOpener{fstest.MapFS{}} }},
		"of a file system, with a tag": {filelist.FileFailed, func(e *entry, _ *filelist.File) {
			e.err, e.from, e.extras = answer(e), fsOpener{fstest.MapFS{}}, &extras{tag: 1}
		}},
		"of a Source without a fingerprint": {filelist.FileFailed, func(e *entry, _ *filelist.File) {
			e.err, e.from, e.unfingerprinted = answer(e), sourceOpener{NewSource(strings.NewReader("x"), 1, "")}, true
		}},
		"of a Source, failed by no answer": {filelist.FileFailed, func(e *entry, _ *filelist.File) {
			e.from = sourceOpener{NewSource(strings.NewReader("x"), 1, "")}
			e.err = newError(&FileInfo{ID: 9, Path: e.path, Bucket: "media", Object: e.object}, errors.New("x"))
		}},
		"of a video": {filelist.FileFailed, func(e *entry, _ *filelist.File) {
			e.err = answer(e)
			e.media, e.videoID, e.ownDestination = &media.Memory{Good: true}, "93ab", false
		}},
		"of an image": {filelist.FileFailed, func(e *entry, _ *filelist.File) {
			e.err = answer(e)
			e.media, e.mediaID, e.mediaURL, e.ownDestination = new(media.Memory), "93ab", "https://x/y", false
		}},
		"succeeded": {filelist.FileSucceeded, func(e *entry, f *filelist.File) {
			f.Uploaded = f.Size
			e.result = e.resultOf(transfer.Result{Size: f.Size, ETag: "9b1d", CRC64: 1 << 63, Verified: true, Parts: 3, ResumedParts: 2, ResumedBytes: 9, SentBytes: 11}, time.Second)
		}},
		"succeeded, and skipped": {filelist.FileSucceeded, func(e *entry, f *filelist.File) {
			f.Uploaded, f.Skipped = f.Size, true
			e.result = e.resultOf(transfer.Result{Size: 7, Skipped: true, ByOther: true}, 0)
		}},
		"succeeded with a version, a video": {filelist.FileSucceeded, func(e *entry, f *filelist.File) {
			f.Uploaded = f.Size
			e.videoID = "93ab"
			e.result = e.resultOf(transfer.Result{Size: f.Size, ETag: "9B1DEB4D3B7D4BAD9BDD2B0D7B3DCB6D", VersionID: "v1", CallbackBody: []byte("ok")}, 0)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var s shelf
			for id := FileID(9); id < 12; id++ { // the later ones share what the first has written
				e := plain()
				e.id = id
				started := time.Now().Round(0)
				f := filelist.File{ID: filelist.ID(id), State: test.state, Size: 100, Started: started, Ended: started.Add(time.Minute), Run: 1}
				test.change(e, &f)
				f.Key = e.key()
				left := filelist.Left{File: f, Ends: 2}
				if test.state == filelist.FileFailed {
					left.Failure = 300
				}
				s.put(e, &left)
				got, back := s.unpack(id)
				if test.state == filelist.FileSucceeded { // of which nothing but its FileInfo is wanted
					if want, got := e.snapshot(&f), got.snapshot(&back.File); !reflect.DeepEqual(got, want) {
						t.Errorf("got %+v %+v, want %+v %+v", got, got.Result, want, want.Result)
					}
					continue
				}
				if !reflect.DeepEqual(back, left) {
					t.Errorf("got %+v, want %+v", back, left)
				}
				if !reflect.DeepEqual(got, e) {
					t.Errorf("got %+v, error %+v; want %+v, error %+v", got, got.err, e, e.err)
				}
				if e, left := s.remove(id); e.id != id || !reflect.DeepEqual(left, back) || len(s.files)+len(s.keys) > 0 || s.totals != (filelist.Totals{}) {
					t.Errorf("after its removal: %+v", s)
				}
			}
		})
	}
}

// TestErrorsOfShelvedFilesAreFound: errors.Is finds what a program has made by package fmt.
func TestErrorsOfShelvedFilesAreFound(t *testing.T) {
	noDisk := fmt.Errorf("no disk: %w", fs.ErrNotExist)
	noFilm := fmt.Errorf("no film: %w", noDisk)
	var s shelf
	e := &entry{id: 9, path: "/films/talk.mp4"}
	e.err = newError(&FileInfo{ID: e.id, Path: e.path}, fmt.Errorf("read source at byte 0: %w", noFilm))
	s.put(e, &filelist.Left{File: filelist.File{ID: 9, State: filelist.FileFailed, Run: 1}, Failure: 1})
	got, _ := s.unpack(9)
	if r := (*restored)(nil); !errors.As(got.err, &r) {
		t.Fatalf("%#v was not packed", got.err.Err)
	}
	for _, want := range []error{noDisk, noFilm, fs.ErrNotExist} {
		if !errors.Is(got.err, want) {
			t.Errorf("%v is not found", want)
		}
	}
	for _, other := range []error{fmt.Errorf("no film: %w", fs.ErrNotExist), fmt.Errorf("no disk: %w", fs.ErrExist), fs.ErrExist} {
		if errors.Is(got.err, other) {
			t.Errorf("%v is found", other)
		}
	}
}
