package upload

import (
	"context"
	"testing"

	"github.com/vodupload/vodupload/upload/internal/filelist"
)

// AwaitIdle waits until no file is running or being cleaned up after.
func (c *Client) AwaitIdle(t testing.TB) {
	t.Helper()
	if err := c.await(context.Background(), &c.changed, func(l *filelist.List) bool { return busyFiles(l) == "" }); err != nil {
		t.Fatal(err)
	}
}

// Awaited reports whether a WaitFile waits for the file.
func (c *Client) Awaited(id FileID) (is bool) {
	c.view(func(*filelist.List) { is = c.entries[id] != nil && c.entries[id].end != nil })
	return is
}
