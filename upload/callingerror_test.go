package upload_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
)

// A callingError asks the client for whatever it is asked itself, as one may that tells of
// the whole list.
type callingError struct{ c atomic.Pointer[upload.Client] }

func (e *callingError) call() (files int) {
	if c := e.c.Load(); c != nil {
		files = len(c.Files()) + int(c.Status()) + c.Stats().InFlight
	}
	return files
}

func (e *callingError) Error() string {
	if e.c.Load() == nil {
		return "failed"
	}
	return fmt.Sprintf("failed in a list of %d", e.call())
}

func (e *callingError) Is(error) bool { return e.call() < 0 }
func (e *callingError) As(any) bool   { return e.call() < 0 }
func (e *callingError) Unwrap() error { return fmt.Errorf("%d files", e.call()) }

// TestErrorsOfUsersAreNotCalledUnderTheLock has files end with errors whose text needs the
// client, or whose fields are nil pointers. They are on the shelf when Close has returned.
func TestErrorsOfUsersAreNotCalledUnderTheLock(t *testing.T) {
	calls := new(callingError)
	for name, cause := range map[string]error{
		"as it is":      calls,
		"wrapped":       fmt.Errorf("read: %w", calls),
		"joined":        errors.Join(calls, net.ErrClosed),
		"a nil address": &net.OpError{Op: "read", Net: "tcp", Addr: (*net.TCPAddr)(nil), Err: net.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			b.opts.RetryCount = -1
			c := b.client()
			calls.c.Store(c)
			f := b.to("a")
			f.Source = &faulty{Reader: bytes.NewReader(make([]byte, 250*kib)), fail: func(_, _ int64) error { return cause }}
			id := b.add(c, f, b.noDestination("b"))[0]
			b.returns(func() error {
				return errors.Join(c.FailFile(id+1, cause), c.Start(b.ctx), ignoreFailed(c.Wait(b.ctx)), c.Close())
			})
			for _, f := range c.Files() {
				if !errors.Is(f.Err, cause) {
					t.Errorf("%s: got %v, want %v in it", f.Path, f.Err, cause)
				}
			}
		})
	}
}

// returns ends the process where fn hangs: then the client's lock is held for good.
func (b *testbed) returns(fn func() error) {
	b.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- fn() }()
	select {
	case err := <-ended:
		check(b, err)
	case <-b.ctx.Done():
		panic("the client hangs")
	}
}

// TestErrorsOfEachDoorAreNotCalledUnderTheLock has an error that calls the client come from
// each interface that users implement, and as the cause of each context.
func TestErrorsOfEachDoorAreNotCalledUnderTheLock(t *testing.T) {
	calls := new(callingError)
	failed := fmt.Errorf("user: %w", calls)
	for name, set := range map[string]func(*testbed, *upload.File){
		"a Source, retried": func(b *testbed, f *upload.File) {
			b.opts.RetryCount, b.opts.Callbacks.OnRetry = 1, func(*upload.Client, upload.FileInfo, upload.Retry) {}
			f.Source = &faulty{Reader: bytes.NewReader(make([]byte, 250*kib)), fail: func(_, _ int64) error { return failed }}
		},
		"an FS": func(b *testbed, f *upload.File) {
			f.Path, f.FS = "a", refusingFS{fstest.MapFS{"a": {Data: make([]byte, 250*kib)}}, calls, failed}
		},
		"an HTTPClient": func(b *testbed, _ *upload.File) {
			b.opts.HTTPClient = &http.Client{Transport: refusingTransport{failed}}
		},
		"a Provider": func(b *testbed, f *upload.File) {
			f.Credentials = givesNone(fmt.Errorf("%w: %w", upload.ErrNotRenewable, failed))
		},
		"an Authorizer": func(b *testbed, f *upload.File) {
			b.opts.Authorizer = refusingAuthorizer{failed}
			f.Endpoint, f.Bucket, f.Object = "", "", ""
		},
		"a Store": func(b *testbed, _ *upload.File) { b.opts.Checkpoints = refusingStore{b.store, failed} },
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			b.opts.RetryCount = -1
			f := b.file("a", 250*kib)
			set(b, &f)
			c := b.client()
			b.add(c, f)
			calls.c.Store(c)
			b.returns(func() error { return errors.Join(c.Start(b.ctx), ignoreFailed(c.Wait(b.ctx)), c.Close()) })
			for _, f := range c.Files() {
				if !errors.Is(f.Err, calls) {
					t.Errorf("got %v, want the user's error in it", f.Err)
				}
			}
			calls.c.Store(nil)
		})
	}

	for name, end := range map[string]func(c *upload.Client, ended context.Context, end func(), f upload.File, id upload.FileID) error{
		"Start's context": func(c *upload.Client, ended context.Context, end func(), _ upload.File, _ upload.FileID) error {
			err := c.Start(ended)
			end()
			return errors.Join(err, isCalling(c.Wait(context.Background()), calls))
		},
		"Wait's context": func(c *upload.Client, ended context.Context, end func(), _ upload.File, _ upload.FileID) error {
			err := c.Start(context.Background())
			end()
			return errors.Join(err, isCalling(c.Wait(ended), calls))
		},
		"WaitFile's context": func(c *upload.Client, ended context.Context, end func(), _ upload.File, id upload.FileID) error {
			err := c.Start(context.Background())
			end()
			_, werr := c.WaitFile(ended, id)
			return errors.Join(err, isCalling(werr, calls))
		},
		"Upload's context": func(c *upload.Client, ended context.Context, end func(), f upload.File, _ upload.FileID) error {
			time.AfterFunc(10*time.Millisecond, end)
			f.Object += "2"
			_, err := c.Upload(ended, f)
			return isCalling(err, calls)
		},
		"Upload's context, paused": func(c *upload.Client, ended context.Context, end func(), f upload.File, _ upload.FileID) error {
			err := errors.Join(c.Start(context.Background()), c.Pause())
			time.AfterFunc(10*time.Millisecond, end)
			f.Object += "2"
			_, uerr := c.Upload(ended, f)
			return errors.Join(err, isCalling(uerr, calls))
		},
		"FailFile of a file that runs": func(c *upload.Client, _ context.Context, _ func(), _ upload.File, id upload.FileID) error {
			return errors.Join(c.Start(context.Background()), c.FailFile(id, calls), isCalling(c.Wait(context.Background()), calls))
		},
		"Shutdown's context": func(c *upload.Client, ended context.Context, end func(), _ upload.File, _ upload.FileID) error {
			err := c.Start(context.Background())
			end()
			serr := c.Shutdown(ended)
			if serr != nil {
				serr = isCalling(serr, calls)
			}
			return errors.Join(err, serr)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			b.opts.Credentials = givesNone(failed) // so that all wait, with an error of its
			c := b.client()
			f := b.file("a", 250*kib)
			id := b.add(c, f)[0]
			calls.c.Store(c)
			ended, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			b.returns(func() error {
				return errors.Join(end(c, ended, func() { cancel(failed) }, f, id), ignoreClosed(c.Close()))
			})
			calls.c.Store(nil)
		})
	}
}

// isCalling returns an error unless err has that which calls.
func isCalling(err error, calls *callingError) error {
	if !errors.Is(err, calls) {
		return fmt.Errorf("got %v, want the user's error in it", err)
	}
	return nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, upload.ErrClosed) {
		return nil
	}
	return err
}

func givesNone(err error) sts.Provider {
	return sts.ProviderFunc(func(context.Context) (sts.Credentials, error) { return sts.Credentials{}, err })
}

type refusingTransport struct{ err error }

func (t refusingTransport) RoundTrip(*http.Request) (*http.Response, error) { return nil, t.err }

// A refusingFS opens no file once calls has its client.
type refusingFS struct {
	fs.FS
	calls *callingError
	err   error
}

func (f refusingFS) Open(name string) (fs.File, error) {
	if f.calls.c.Load() != nil {
		return nil, &fs.PathError{Op: "open", Path: filepath.Base(name), Err: f.err}
	}
	return f.FS.Open(name)
}

type refusingAuthorizer struct{ err error }

func (a refusingAuthorizer) Authorize(context.Context, upload.FileInfo) (upload.Authorization, error) {
	return upload.Authorization{}, a.err
}

func (a refusingAuthorizer) Renew(context.Context, upload.FileInfo) (sts.Credentials, error) {
	return sts.Credentials{}, a.err
}

// A refusingStore opens no checkpoint.
type refusingStore struct {
	checkpoint.Store
	err error
}

func (s refusingStore) Open(context.Context, checkpoint.Key) (checkpoint.Claim, error) {
	return nil, s.err
}
