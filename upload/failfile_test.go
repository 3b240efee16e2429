package upload_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

var errNoAddress = errors.New("the backend has no address")

// A callback that cannot get a destination fails its file with its own error, and others
// continue.
func TestFailFileInOnStarted(t *testing.T) {
	b := newTestbed(t)
	var failed []error
	b.opts.Callbacks = upload.Callbacks{
		OnStarted: func(c *upload.Client, f upload.FileInfo) {
			if f.Bucket == "" {
				check(b, c.FailFile(f.ID, errNoAddress))
			}
		},
		OnFailed: func(_ *upload.Client, f upload.FileInfo, err error) { failed = append(failed, err) },
	}
	c := b.client()
	without, with := b.file("without", 10), b.file("with", 10)
	without.Endpoint, without.Bucket, without.Object = "", "", ""
	id := must(c.AddFile(without))
	must(c.AddFile(with))
	check(b, c.Start(b.ctx))
	_, waited := c.WaitFile(b.ctx, id)
	err := c.Wait(b.ctx)
	var all upload.Errors
	if !errors.As(err, &all) || len(all) != 1 || len(failed) != 1 {
		t.Fatalf("got %v from Wait, %v from OnFailed, want one failure", err, failed)
	}
	info := must(c.File(id))
	for where, err := range map[string]error{"Wait": all[0], "WaitFile": waited, "OnFailed": failed[0], "FileInfo": info.Err} {
		var e *upload.Error
		if !errors.As(err, &e) || e.Code != upload.CodeFailFile || e.FileID != id || !errors.Is(err, errNoAddress) {
			t.Errorf("%s: got %v, want the code FailFile and the callback's error", where, err)
		}
	}
	if want := "upload " + info.Path + ": FailFile: the backend has no address"; failed[0].Error() != want {
		t.Errorf("got %q, want %q", failed[0], want)
	}
	b.same(with)
}

// What was sent of a file that FailFile ends is kept for the next try.
func TestFailFileKeepsTheCheckpoint(t *testing.T) {
	b := newTestbed(t)
	c, id, hold := b.held("a")
	check(b, c.FailFile(id, errNoAddress))
	if _, err := c.WaitFile(b.ctx, id); !errors.Is(err, errNoAddress) {
		t.Fatalf("got %v, want the error of FailFile", err)
	}
	hold.Release()
	if n := len(b.server.Uploads(bucket)); n != 1 {
		t.Fatalf("%d uploads at the server, want one to resume", n)
	}
	check(b, c.ResumeFile(id))
	res, err := c.WaitFile(b.ctx, id)
	if err != nil || res.ResumedParts == 0 {
		t.Errorf("got %+v, %v, want some parts resumed", res, err)
	}
	b.clean()
}

func TestFailFileOfAReaderLeavesNothing(t *testing.T) {
	b := newTestbed(t)
	hold := osstest.Hang(osstest.OpUploadPart).Nth(2)
	b.server.Inject(hold)
	c := b.client()
	r := &counted{Reader: bytes.NewReader(repeated(500 * kib))}
	f := b.to("r")
	f.Reader = r
	id := must(c.AddFile(f))
	check(b, c.Start(b.ctx))
	<-hold.Fired()
	check(b, c.FailFile(id, errNoAddress))
	if _, err := c.WaitFile(b.ctx, id); !errors.Is(err, errNoAddress) {
		t.Errorf("got %v, want the error of FailFile", err)
	}
	if n := len(b.server.Uploads(bucket)); n > 0 {
		t.Errorf("%d uploads stay at the server, want none", n)
	}
	check(b, c.Close())
	if n := r.closes.Load(); n != 1 {
		t.Errorf("the Reader was closed %d times, want once", n)
	}
}

// A file can be failed whatever it waits for.
func TestFailFileOfAFileThatWaits(t *testing.T) {
	for name, prepare := range map[string]func(*testbed) (*upload.Client, upload.FileID){
		"for Start": func(b *testbed) (*upload.Client, upload.FileID) {
			c := b.client()
			return c, must(c.AddFile(b.file("a", 10)))
		},
		"for Resume": func(b *testbed) (*upload.Client, upload.FileID) {
			c, id, _ := b.held("a")
			check(b, c.Pause())
			return c, id
		},
		"for a token": func(b *testbed) (*upload.Client, upload.FileID) {
			b.opts.Credentials = nil
			started := make(chan struct{})
			b.opts.Callbacks.OnStarted = func(*upload.Client, upload.FileInfo) { close(started) }
			c := b.client()
			id := must(c.AddFile(b.file("a", 10)))
			check(b, c.Start(b.ctx))
			<-started
			return c, id
		},
		"for its turn": func(b *testbed) (*upload.Client, upload.FileID) {
			c, _, _ := b.held("first")
			return c, must(c.AddFile(b.file("a", 10)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			failed := make(chan error, 10)
			b.opts.Callbacks.OnFailed = func(_ *upload.Client, _ upload.FileInfo, err error) { failed <- err }
			c, id := prepare(b)
			check(b, c.FailFile(id, errNoAddress))
			if err := <-failed; !errors.Is(err, errNoAddress) {
				t.Errorf("got %v, want the error of FailFile", err)
			}
			if f := must(c.File(id)); f.State != upload.FileFailed || !errors.Is(f.Err, errNoAddress) {
				t.Errorf("the file is %s with %v", f.State, f.Err)
			}
		})
	}
}

func TestFailFileOfUpload(t *testing.T) {
	b := newTestbed(t)
	b.opts.Callbacks.OnStarted = func(c *upload.Client, f upload.FileInfo) { check(b, c.FailFile(f.ID, errNoAddress)) }
	f := b.file("a", 10)
	f.Endpoint, f.Bucket, f.Object = "", "", ""
	if _, err := b.client().Upload(b.ctx, f); !errors.Is(err, errNoAddress) {
		t.Errorf("got %v, want the error of FailFile", err)
	}
}

// An uncomparable is an error of a type that cannot be compared, though its type says so.
type uncomparable struct{ details any }

func (uncomparable) Error() string { return "uncomparable" }

// The error is the user's, whatever it is: what else is in it says nothing about the file.
func TestFailFileTakesAnyError(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	check(b, c.Start(b.ctx))
	f := b.file("other", 10)
	f.Bucket = "absent"
	other := must(c.AddFile(f))
	_, ofOther := c.WaitFile(b.ctx, other)
	for name, give := range map[string]error{
		"uncomparable":          uncomparable{[]int{1}},
		"of another file":       fmt.Errorf("as the other: %w", ofOther),
		"of a context":          fmt.Errorf("get the address: %w", context.Canceled),
		"that the client knows": fmt.Errorf("get the address: %w", upload.ErrClosed),
		"of a network":          fmt.Errorf("get the address: %w", &net.DNSError{Err: "no such host", Name: "backend", IsNotFound: true}),
		"of several lines":      errors.New("get the address:\nno\r\nanswer"),
		"without text":          errors.New(""),
		"a nil pointer":         (*fs.PathError)(nil),
	} {
		t.Run(name, func(t *testing.T) {
			id := must(c.AddFile(b.noDestination(name)))
			check(b, c.FailFile(id, give))
			_, err := c.WaitFile(b.ctx, id)
			var e *upload.Error
			if !errors.As(err, &e) || e.FileID != id || e.Code != upload.CodeFailFile || e.Op != "upload" || e.Status != 0 || e.RequestID != "" {
				t.Fatalf("got %#v, want the code FailFile of file %d", err, id)
			}
			if text := err.Error(); strings.ContainsAny(text, "\r\n") || strings.Contains(text, "check the endpoint") {
				t.Errorf("got %q, want one line and no advice", text)
			}
			if inner := errors.Unwrap(errors.Unwrap(err)); name != "uncomparable" && name != "a nil pointer" && inner != give {
				t.Errorf("got %v, want the error that was given", inner)
			}
			var u uncomparable
			if name == "uncomparable" && !errors.As(err, &u) {
				t.Error("errors.As does not find the error that was given")
			}
		})
	}
}

// noDestination makes a file without a destination.
func (b *testbed) noDestination(name string) upload.File {
	f := b.file(strings.ReplaceAll(name, " ", "-"), 10)
	f.Endpoint, f.Bucket, f.Object = "", "", ""
	return f
}

func TestFailFileRefuses(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	done, canceled := must(c.AddFile(b.file("done", 10))), must(c.AddFile(b.file("canceled", 10)))
	check(b, c.CancelFile(canceled))
	check(b, c.Start(b.ctx))
	check(b, c.Wait(b.ctx))
	for name, tt := range map[string]struct {
		id   upload.FileID
		err  error
		want error
	}{
		"no error":                      {done, nil, upload.ErrMissingArgument},
		"a file that has succeeded":     {done, errNoAddress, upload.ErrState},
		"a file that has been canceled": {canceled, errNoAddress, upload.ErrState},
		"an unknown file":               {99, errNoAddress, upload.ErrFileNotExist},
	} {
		if err := c.FailFile(tt.id, tt.err); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	check(b, c.Close())
	if err := c.FailFile(done, errNoAddress); !errors.Is(err, upload.ErrClosed) {
		t.Errorf("closed: got %v, want ErrClosed", err)
	}
}

// Of many calls at once, one counts, and the end is reported once.
func TestFailFileManyTimes(t *testing.T) {
	b := newTestbed(t)
	ends := 0
	b.opts.Callbacks.OnFailed = func(_ *upload.Client, _ upload.FileInfo, err error) { ends++ }
	c, id, _ := b.held("a")
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() { _ = c.FailFile(id, fmt.Errorf("reason %d", i)) })
	}
	all.Wait()
	if _, err := c.WaitFile(b.ctx, id); err == nil || !strings.Contains(err.Error(), "FailFile: ") || !strings.Contains(err.Error(), "reason ") {
		t.Errorf("got %v", err)
	}
	if ends != 1 {
		t.Errorf("OnFailed was called %d times, want once", ends)
	}
}
