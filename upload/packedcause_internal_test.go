package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"reflect"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// A strange error is of a user.
type strange []string // cannot be compared

func (s strange) Error() string { return fmt.Sprint("strange: ", []string(s)) }

// TestPackedCauses: what can be asked of the error of a file can be asked of it when it is on
// the shelf.
func TestPackedCauses(t *testing.T) {
	addr := func(ip string, port int) *net.TCPAddr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: port} }
	reset := &net.OpError{Op: "read", Net: "tcp", Source: addr("10.0.0.1", 34567), Addr: addr("2001:db8::1", 443), Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	answer := func(e *entry, cause error) *transfer.Error {
		return &transfer.Error{
			Op: "UploadPart", Class: 2, Bucket: e.bucket, Object: e.object, UploadID: e.uploadID, Part: 3, Code: "x", Message: "no",
			EC: "0003-00000001", Endpoint: "oss-cn-beijing.aliyuncs.com", Delay: time.Second, Generation: 7, Unsent: true, Err: cause,
		}
	}
	lookup := &net.DNSError{Err: "no such host", Name: "media.example.com", Server: "10.0.0.2:53", IsNotFound: true}
	for name, test := range map[string]struct {
		cause func(*entry) error
		is    []error
		as    func(error) bool
		kept  bool // as it is
	}{
		"nothing":    {cause: func(*entry) error { return nil }},
		"a sentinel": {cause: func(*entry) error { return ErrFileChanged }, is: []error{ErrFileChanged}},
		"a reset connection": {cause: func(e *entry) error { return answer(e, reset) }, is: []error{syscall.ECONNRESET}, as: func(err error) bool {
			op, ok := errors.AsType[*net.OpError](err)
			return ok && op.Source.String() == reset.Source.String() && op.Addr.(*net.TCPAddr).Port == 443 && op.Op == "read"
		}},
		"an unknown name": {cause: func(e *entry) error { return answer(e, &net.OpError{Op: "dial", Net: "tcp", Err: lookup}) }, as: func(err error) bool {
			dns, ok := errors.AsType[*net.DNSError](err)
			return ok && reflect.DeepEqual(dns, lookup)
		}},
		"of another request": {cause: func(e *entry) error {
			a := answer(e, io.ErrUnexpectedEOF)
			a.Object, a.Status, a.RequestID = "in/other.mp4", 503, "5C3D9175B6FC201293AD4890"
			return a
		}, is: []error{io.ErrUnexpectedEOF}},
		"a file that is gone": {cause: func(e *entry) error {
			return fmt.Errorf("open source: %w", fmt.Errorf("%w: %w", ErrFileNotExist, &fs.PathError{Op: "stat", Path: e.path, Err: syscall.ENOENT}))
		}, is: []error{ErrFileNotExist, fs.ErrNotExist}, as: func(err error) bool {
			p, ok := errors.AsType[*fs.PathError](err)
			return ok && p.Path == "/films/talk.mp4"
		}},
		"a file elsewhere": {cause: func(e *entry) error {
			return errors.Join(&fs.PathError{Op: "read", Path: "/other", Err: syscall.EIO}, context.Canceled)
		},
			is: []error{syscall.EIO, context.Canceled}},
		"wraps what it does not say": {cause: func(*entry) error { return fmt.Errorf("late: %w", context.DeadlineExceeded) }, is: []error{context.DeadlineExceeded}},
		"of a group": {cause: func(*entry) error {
			return &filelist.GroupError{ID: 4, Key: checkpoint.Key{Source: "/films/other.mp4"}, State: filelist.FileFailed}
		}, is: []error{ErrGroup}},
		"of a kind that is not known": {cause: func(*entry) error { return &url.Error{Op: "Get", URL: "http://x", Err: io.EOF} }, is: []error{io.EOF}, kept: true, as: func(err error) bool { _, ok := errors.AsType[*url.Error](err); return ok }},
		"one that cannot be compared": {cause: func(*entry) error { return fmt.Errorf("x: %w", strange{"a"}) }, kept: true, as: func(err error) bool { _, ok := errors.AsType[strange](err); return ok }},
		"of a connection of a kind not known": {cause: func(*entry) error {
			return &net.OpError{Op: "read", Net: "unix", Addr: &net.UnixAddr{Name: "/s"}, Err: io.EOF}
		}, is: []error{io.EOF}, kept: true},
	} {
		t.Run(name, func(t *testing.T) {
			e := &entry{id: 9, path: "/films/talk.mp4", opened: "/films/talk.mp4", source: "/films/talk.mp4", bucket: "media", object: "in/talk.mp4", uploadID: "0004"}
			e.site = new(site)
			want := test.cause(e)
			e.err = &Error{Op: "UploadPart", FileID: 9, Path: e.path, Bucket: e.bucket, Object: e.object, UploadID: e.uploadID, Part: 3, Code: "x", Err: want}
			var s shelf
			left := filelist.Left{File: filelist.File{ID: 9, State: filelist.FileFailed, Key: e.key()}, Failure: 1}
			for range 2 { // the second time, it has been on the shelf before
				s.put(e, &left)
				_, values := s.files[9].more.parts()
				kept := slices.ContainsFunc(values, func(v any) bool { _, is := v.(causeValue); return is })
				if kept != test.kept {
					t.Errorf("the cause is kept as it is: %t, want %t", kept, test.kept)
				}
				e, left = s.remove(9)
				got := e.err.Err
				if want == nil {
					if got != nil {
						t.Errorf("got %v, want none", got)
					}
					continue
				}
				if got == nil || got.Error() != want.Error() {
					t.Fatalf("got %v, want %v", got, want)
				}
				for _, is := range test.is {
					if !errors.Is(got, is) {
						t.Errorf("%v is not %v any more", got, is)
					}
				}
				if test.as != nil && !test.as(got) {
					t.Errorf("the type within %v has changed", got)
				}
				if a, ok := want.(*transfer.Error); ok {
					a, b := *a, *got.(*transfer.Error)
					a.Err, b.Err = nil, nil
					if !reflect.DeepEqual(a, b) {
						t.Errorf("got %+v, want %+v", b, a)
					}
				}
			}
		})
	}
}

// TestManyErrors: a list whose files fail with more errors than are shared keeps them all.
func TestManyErrors(t *testing.T) {
	var s shelf
	errs := make([]error, 2*maxTexts)
	entryOf := func(id int) *entry {
		return &entry{id: FileID(id), path: fmt.Sprint(id), source: fmt.Sprint(id), site: new(site)}
	}
	for i := range errs {
		errs[i] = errors.New("the same text")
		e := entryOf(i)
		e.err = &Error{FileID: e.id, Path: e.path, Err: errs[i]}
		s.put(e, &filelist.Left{File: filelist.File{ID: filelist.ID(i), State: filelist.FileFailed, Key: e.key()}})
	}
	for i, err := range errs {
		if e, _ := s.unpack(FileID(i)); !errors.Is(e.err, err) {
			t.Fatalf("the error of file %d is %v, which is another one", i, e.err)
		}
	}
	if len(s.texts.errors) > maxTexts {
		t.Errorf("%d errors are shared, want %d at most", len(s.texts.errors), maxTexts)
	}
}

// TestFieldsOfPackedErrors has each new field thought of: see packer.answer.
func TestFieldsOfPackedErrors(t *testing.T) {
	for typ, want := range map[reflect.Type]int{
		reflect.TypeFor[transfer.Error](): 18, reflect.TypeFor[net.OpError](): 5, reflect.TypeFor[net.DNSError](): 7,
		reflect.TypeFor[os.SyscallError](): 2, reflect.TypeFor[fs.PathError](): 3, reflect.TypeFor[Error](): 11,
	} {
		if n := typ.NumField(); n != want {
			t.Errorf("%v has %d fields, want %d: each has to be packed", typ, n, want)
		}
	}
}
