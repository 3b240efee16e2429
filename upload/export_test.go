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

// Providers returns how many Providers of files are kept, of those that can be compared.
func (c *Client) Providers() int {
	c.shared.providers.mu.Lock()
	defer c.shared.providers.mu.Unlock()
	return len(c.shared.providers.gates)
}

// ProviderGate returns what identifies the gate of a file's Provider.
func (c *Client) ProviderGate(id FileID) (gate any) {
	c.view(func(*filelist.List) { gate = c.entries[id].extras.gate.Load() })
	return gate
}

// LimitText is a bandwidth limit as timetables have it.
func LimitText(limit int64) string { return limitText(limit) }
