package upload_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A wire is how a property of a file looks on the wire, and with which requests it
// goes: with PutObject, and with those of a multipart upload that in names. The
// others must not have it.
type wire struct {
	header, want string
	in           string // some of I (Initiate), P (UploadPart) and C (Complete)
	decode       bool   // it is base64
}

func (w wire) has(op osstest.Op) bool {
	letter, ok := map[osstest.Op]string{
		osstest.OpInitiateMultipartUpload: "I", osstest.OpUploadPart: "P", osstest.OpCompleteMultipartUpload: "C",
	}[op]
	return op == osstest.OpPutObject || ok && strings.Contains(w.in, letter)
}

func (w wire) check(t *testing.T, r osstest.Request) {
	t.Helper()
	got := r.Header.Get(w.header)
	if w.decode {
		text, err := base64.StdEncoding.DecodeString(got)
		if err != nil {
			t.Errorf("%s: %s is %q: %v", r.Op, w.header, got, err)
		}
		got = string(text)
	}
	want := ""
	if w.has(r.Op) {
		want = w.want
	}
	if got != want {
		t.Errorf("%s: %s is %q, want %q", r.Op, w.header, got, want)
	}
}

// Each property of a file reaches the server as it was given, in one request and in
// parts. URL stands for the callback server's in what is wanted.
func TestPropertiesReachTheirRequestsWithTheirValues(t *testing.T) {
	for _, tt := range []struct {
		name  string
		set   func(f *upload.File, url string)
		wires []wire
	}{
		{"content headers", func(f *upload.File, _ string) {
			f.ContentType, f.CacheControl, f.ContentDisposition = "video/x-mine", "max-age=60", `attachment; filename="a b.mp4"`
			f.ContentEncoding, f.Expires = "gzip", time.Date(2030, 1, 2, 12, 4, 5, 0, time.FixedZone("", 8*3600))
		}, []wire{
			{header: "Content-Type", want: "video/x-mine", in: "I"},
			{header: "Cache-Control", want: "max-age=60", in: "I"},
			{header: "Content-Disposition", want: `attachment; filename="a b.mp4"`, in: "I"},
			{header: "Content-Encoding", want: "gzip", in: "I"},
			{header: "Expires", want: "Wed, 02 Jan 2030 04:04:05 GMT", in: "I"},
		}},
		{"storage", func(f *upload.File, _ string) {
			f.StorageClass, f.ACL = "IA", "public-read"
			f.Metadata, f.Tags = map[string]string{"Author": "me & you"}, map[string]string{"a": "b c", "d/e": "f=g"}
			f.Headers = map[string]string{"x-oss-mine": "1"}
		}, []wire{
			{header: "X-Oss-Storage-Class", want: "IA", in: "I"},
			{header: "X-Oss-Object-Acl", want: "public-read", in: "I"},
			{header: "X-Oss-Meta-Author", want: "me & you", in: "I"},
			{header: "X-Oss-Tagging", want: "a=b%20c&d%2Fe=f%3Dg", in: "I"},
			{header: "X-Oss-Mine", want: "1", in: "I"},
		}},
		{"AES256", func(f *upload.File, _ string) { f.Encryption = "AES256" }, []wire{
			{header: "X-Oss-Server-Side-Encryption", want: "AES256", in: "I"},
			{header: "X-Oss-Server-Side-Encryption-Key-Id"},
		}},
		{"KMS", func(f *upload.File, _ string) { f.Encryption, f.EncryptionKeyID = "KMS", "key-1" }, []wire{
			{header: "X-Oss-Server-Side-Encryption", want: "KMS", in: "I"},
			{header: "X-Oss-Server-Side-Encryption-Key-Id", want: "key-1", in: "I"},
		}},
		{"requests", func(f *upload.File, _ string) {
			f.ForbidOverwrite, f.RequestPayer, f.TrafficLimit = true, true, 838_860_800
		}, []wire{
			{header: "X-Oss-Forbid-Overwrite", want: "true", in: "IC"},
			{header: "X-Oss-Request-Payer", want: "requester", in: "IPC"},
			{header: "X-Oss-Traffic-Limit", want: "838860800", in: "P"},
		}},
		{"callback and notification", func(f *upload.File, url string) {
			f.Callback = &upload.Callback{
				URLs: []string{url + "/1", url + "/2"}, Host: "back.example", Body: `{"size":${size},"who":"${x:who}"}`,
				BodyType: "application/json", Vars: map[string]string{"x:who": "me"},
			}
			f.Info = &upload.Info{Title: "t", Tags: []string{"a", "b"}}
		}, []wire{
			{header: "X-Oss-Callback", want: `{"callbackUrl":"URL/1;URL/2","callbackHost":"back.example",` +
				`"callbackBody":"{\"size\":${size},\"who\":\"${x:who}\"}","callbackBodyType":"application/json"}`, in: "C", decode: true},
			{header: "X-Oss-Callback-Var", want: `{"x:who":"me"}`, in: "C", decode: true},
			{header: "X-Oss-Notification", want: `{"Vod":{"Title":"t","Tags":"a,b","IsProcess":"true"}}`, in: "C", decode: true},
		}},
	} {
		for kind, size := range map[string]int{"in one request": 10, "in parts": 250 * kib} {
			t.Run(tt.name+" "+kind, func(t *testing.T) {
				b := newBench(t)
				back := serve(t, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					_, _ = w.Write([]byte("{}"))
				})
				f := b.file("a.bin", size)
				tt.set(&f, back)
				if _, err := b.client().Upload(b.ctx, f); err != nil {
					t.Fatal(err)
				}
				for _, w := range tt.wires {
					w.want = strings.ReplaceAll(w.want, "URL", back)
					for _, r := range b.server.Requests() {
						if w.header == "Content-Type" && !w.has(r.Op) {
							continue // of the request's own body
						}
						w.check(t, r)
					}
				}
			})
		}
	}
}

// A restless source is another as soon as it has been read from.
type restless struct {
	*changing
}

func (r restless) ReadAt(p []byte, off int64) (int, error) {
	r.set("v2")
	return r.Reader.ReadAt(p, off)
}

// A lockable file system refuses to open anything once it is locked.
type lockable struct {
	fs.FS
	locked atomic.Bool
}

func (l *lockable) Open(name string) (fs.File, error) {
	if l.locked.Load() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return l.FS.Open(name)
}

// run uploads one file of a list, does something between AddFile and its turn, and
// returns what Wait returned.
func (b *bench) run(f upload.File, between func()) error {
	b.t.Helper()
	c := b.client()
	_ = must(c.AddFile(f))
	between()
	if err := c.Start(b.ctx); err != nil {
		b.t.Fatal(err)
	}
	return c.Wait(b.ctx)
}

func TestCodesOfSentinels(t *testing.T) {
	for _, tt := range []struct {
		code string
		is   error
		fail func(b *bench) error
	}{
		{upload.CodeFileChanged, upload.ErrFileChanged, func(b *bench) error {
			f := b.to("s")
			f.Source = restless{&changing{Reader: bytes.NewReader(make([]byte, mib)), print: "v1"}}
			_, err := b.client().Upload(b.ctx, f)
			return err
		}},
		{upload.CodeFileNotExist, fs.ErrNotExist, func(b *bench) error {
			f := b.file("a.mp4", mib)
			return b.run(f, func() {
				if err := os.Remove(f.Path); err != nil {
					b.t.Fatal(err)
				}
			})
		}},
		{upload.CodePermissionDenied, fs.ErrPermission, func(b *bench) error {
			f := b.file("a.mp4", mib)
			fsys := &lockable{FS: os.DirFS(b.dir)}
			f.FS, f.Path = fsys, "a.mp4"
			return b.run(f, func() { fsys.locked.Store(true) })
		}},
		{upload.CodeInUse, upload.ErrInUse, func(b *bench) error {
			f, hold := b.file("a.mp4", mib), osstest.Hang(osstest.OpUploadPart)
			b.server.Inject(hold)
			first := b.client()
			_ = must(first.AddFile(f))
			if err := first.Start(b.ctx); err != nil {
				b.t.Fatal(err)
			}
			<-hold.Fired()
			_, err := b.client().Upload(b.ctx, f)
			hold.Release()
			if err := first.Wait(b.ctx); err != nil {
				b.t.Errorf("the first client: %v", err)
			}
			return err
		}},
		{upload.CodeIntegrity, upload.ErrIntegrity, func(b *bench) error {
			b.server.Inject(osstest.WrongCRC64(osstest.OpCompleteMultipartUpload))
			_, err := b.client().Upload(b.ctx, b.file("a.mp4", mib))
			return err
		}},
		{upload.CodeClosed, upload.ErrClosed, func(b *bench) error {
			hold := osstest.Hang(osstest.OpUploadPart)
			b.server.Inject(hold)
			c, failed := b.client(), make(chan error, 1)
			f := b.file("a.mp4", mib)
			go func() {
				_, err := c.Upload(b.ctx, f)
				failed <- err
			}()
			<-hold.Fired()
			if err := c.Close(); err != nil {
				b.t.Error(err)
			}
			return <-failed
		}},
	} {
		t.Run(tt.code, func(t *testing.T) {
			b := newBench(t)
			err := tt.fail(b)
			var one *upload.Error
			if !errors.As(err, &one) || one.Code != tt.code || !errors.Is(err, tt.is) {
				t.Fatalf("got %v, want an upload.Error with the code %s that is %q", err, tt.code, tt.is)
			}
			if one.Path == "" || !strings.Contains(err.Error(), tt.code) {
				t.Errorf("got %q about the path %q, want both to be told", err, one.Path)
			}
			b.server.AssertFired(t)
		})
	}
}

func TestNoPermissionAtAddFile(t *testing.T) {
	b := newBench(t)
	f := b.file("a.mp4", 10)
	fsys := &lockable{FS: os.DirFS(b.dir)}
	fsys.locked.Store(true)
	f.FS, f.Path = fsys, "a.mp4"
	_, err := b.client().AddFile(f)
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "File.Path") || !strings.Contains(err.Error(), "a.mp4") {
		t.Errorf("got %v, want fs.ErrPermission that names File.Path and a.mp4", err)
	}
}

// openBelow returns which files below dir this process has open.
func openBelow(t *testing.T, dir string) []string {
	t.Helper()
	const fds = "/proc/self/fd"
	entries, err := os.ReadDir(fds)
	if err != nil {
		t.Fatal(err)
	}
	var open []string
	for _, e := range entries {
		// One may have been closed since; sockets of other tests are none of ours.
		if target, err := os.Readlink(filepath.Join(fds, e.Name())); err == nil && strings.HasPrefix(target, dir) {
			open = append(open, target)
		}
	}
	return open
}

// A sequential file system has files that can only be read from the first byte on.
type sequential struct{ fs.FS }

func (s sequential) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	return struct{ fs.File }{f}, err
}

func TestBadFileLeavesNothingOpen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("open files are counted in /proc, which needs Linux")
	}
	b := newBench(t)
	b.dir = must(filepath.EvalSymlinks(b.dir))
	good := b.file("a.mp4", 10)
	listed := b.file("listed.mp4", 10)
	inFS := b.file("infs.mp4", 10)
	inFS.FS, inFS.Path = os.DirFS(b.dir), "infs.mp4"
	c, closed := b.client(), b.client()
	_, _ = must(c.AddFile(listed)), must(c.AddFile(inFS))
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	// A file that is forgotten must not be closed by the collector.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))

	control := must(os.Open(good.Path))
	if open := openBelow(t, b.dir); !slices.Equal(open, []string{good.Path}) {
		t.Fatalf("with one file open, %q are seen", open)
	}
	if err := control.Close(); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]func(f *upload.File) *upload.Client{
		"is not there":     func(f *upload.File) *upload.Client { f.Path += "x"; return c },
		"is a directory":   func(f *upload.File) *upload.Client { f.Path = b.dir; return c },
		"is one in an FS":  func(f *upload.File) *upload.Client { f.FS, f.Path = os.DirFS(b.dir), "."; return c },
		"no name of an FS": func(f *upload.File) *upload.Client { f.FS = os.DirFS(b.dir); return c },
		"no ReaderAt": func(f *upload.File) *upload.Client {
			f.FS, f.Path = sequential{os.DirFS(b.dir)}, "a.mp4"
			return c
		},
		"two sources": func(f *upload.File) *upload.Client {
			f.FS, f.Path, f.Reader = os.DirFS(b.dir), "a.mp4", strings.NewReader("")
			return c
		},
		"endpoint":           func(f *upload.File) *upload.Client { f.Endpoint = "ftp://host"; return c },
		"object":             func(f *upload.File) *upload.Client { f.Object = "/slash"; return c },
		"storage class":      func(f *upload.File) *upload.Client { f.StorageClass = "Cheap"; return c },
		"info":               func(f *upload.File) *upload.Client { f.Info = &upload.Info{Priority: 11}; return c },
		"callback":           func(f *upload.File) *upload.Client { f.Callback = &upload.Callback{}; return c },
		"object of an FS":    func(f *upload.File) *upload.Client { *f = inFS; f.Object = ""; return c },
		"listed already":     func(f *upload.File) *upload.Client { *f = listed; return c },
		"listed, of an FS":   func(f *upload.File) *upload.Client { *f = inFS; return c },
		"client is closed":   func(*upload.File) *upload.Client { return closed },
		"closed, with an FS": func(f *upload.File) *upload.Client { *f = inFS; return closed },
	} {
		t.Run(name, func(t *testing.T) {
			f := good
			if _, err := bad(&f).AddFile(f); err == nil {
				t.Error("it was added, want an error")
			}
			if open := openBelow(t, b.dir); len(open) > 0 {
				t.Errorf("%q are open, want none", open)
			}
		})
	}
}
