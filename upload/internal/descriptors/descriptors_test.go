package descriptors

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestStarted(t *testing.T) {
	for name, tt := range map[string]struct{ limit, perFile, connections, want, got int }{
		"no limit":                          {0, 2, 5, 256, 256},
		"a large one":                       {1 << 20, 2, 5, 256, 256},
		"1,024":                             {1024, 2, 5, 256, 256},
		"256: as many as there is room for": {256, 2, 5, 256, 109},
		"256, three for each file":          {256, 3, 5, 256, 73},
		"64: half of it at least":           {64, 2, 5, 256, 16},
		"more connections than descriptors": {1024, 2, 1000, 2000, 256},
		"hardly any: one file all the same": {3, 2, 5, 256, 1},
		"fewer files are wanted than room":  {256, 2, 5, 10, 10},
	} {
		if got := Started(tt.limit, tt.perFile, tt.connections, tt.want); got != tt.got {
			t.Errorf("%s: got %d, want %d", name, got, tt.got)
		}
	}
}

func TestExhausted(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", syscall.EMFILE)}
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"nil":                  {nil, false},
		"open of a file":       {fmt.Errorf("open source: %w", &fs.PathError{Op: "open", Path: "a", Err: syscall.EMFILE}), true},
		"the system's table":   {&fs.PathError{Op: "open", Path: "a", Err: syscall.ENFILE}, true},
		"dial":                 {&url.Error{Op: "Put", URL: "http://a", Err: dial}, true},
		"a name":               {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "dial udp 127.0.0.1:53: socket: too many open files", Name: "a"}}, true},
		"a name that is not":   {&net.DNSError{Err: "no such host", Name: "too many open files"}, false},
		"no permission":        {&fs.PathError{Op: "open", Path: "too many open files", Err: syscall.EACCES}, false},
		"a full disk":          {syscall.ENOSPC, false},
		"a refused connection": {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, false},
	} {
		if got := Exhausted(tt.err); got != tt.want {
			t.Errorf("%s: got %t, want %t of %v", name, got, tt.want, tt.err)
		}
	}
}

func TestAwait(t *testing.T) {
	full := &fs.PathError{Op: "open", Path: "a", Err: syscall.EMFILE}
	gone := &fs.PathError{Op: "open", Path: "a", Err: syscall.ENOENT}
	// failing returns full so many times, and then last.
	failing := func(n int, last error) func() error {
		return func() error {
			if n--; n >= 0 {
				return full
			}
			return last
		}
	}
	for name, tt := range map[string]struct {
		open  func() error
		ends  time.Duration // of the context; 0: never
		want  error
		took  time.Duration
		waits int
	}{
		"opens at once":               {failing(0, nil), 0, nil, 0, 0},
		"another error at once":       {failing(0, gone), 0, fs.ErrNotExist, 0, 0},
		"opens after a while":         {failing(8, nil), 0, nil, 8 * Pause, 1},
		"another error after a while": {failing(8, gone), 0, fs.ErrNotExist, 8 * Pause, 1},
		"gives up in the end":         {failing(1<<30, nil), 0, syscall.EMFILE, Patience, 1},
		"ends with its context":       {failing(1<<30, nil), time.Minute, context.DeadlineExceeded, time.Minute, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tt.ends > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.ends)
					defer cancel()
				}
				waits, began := 0, time.Now()
				err := Await(ctx, tt.open, func(error) { waits++ })
				if took := time.Since(began); !errors.Is(err, tt.want) || took != tt.took || waits != tt.waits {
					t.Errorf("got %v after %v, told %d times; want %v after %v, told %d times", err, took, waits, tt.want, tt.took, tt.waits)
				}
			})
		})
	}
}
