package upload_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	"github.com/vodupload/vodupload/upload"
)

// A callingError asks the client for its text, as one may that tells of the whole list.
type callingError struct{ c atomic.Pointer[upload.Client] }

func (e *callingError) Error() string {
	if c := e.c.Load(); c != nil {
		return fmt.Sprintf("failed in a list of %d", len(c.Files()))
	}
	return "failed"
}

// TestErrorsOfUsersAreNotCalledUnderTheLock has files end with errors whose text needs the
// client, or whose fields are nil pointers. They are on the shelf when Close has returned.
func TestErrorsOfUsersAreNotCalledUnderTheLock(t *testing.T) {
	calls := new(callingError)
	for name, cause := range map[string]error{
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
			ended := make(chan error)
			go func() {
				ended <- errors.Join(c.FailFile(id+1, cause), c.Start(b.ctx), ignoreFailed(c.Wait(b.ctx)), c.Close())
			}()
			select {
			case err := <-ended:
				check(b, err)
			case <-b.ctx.Done():
				panic("the client hangs")
			}
			for _, f := range c.Files() {
				if !errors.Is(f.Err, cause) {
					t.Errorf("%s: got %v, want %v in it", f.Path, f.Err, cause)
				}
			}
		})
	}
}
