package upload

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/credentials"
)

// extras are what a File may have and few files of a long list do. A nil one has nothing.
type extras struct {
	tag      any
	progress func(FileInfo)
	provider sts.Provider
	gate     atomic.Pointer[providerGate] // of provider, while the file is in the list and has not succeeded; read without the lock
}

// extrasOf returns what f has of them; nil: nothing.
func extrasOf(f File) *extras {
	if f.Tag == nil && f.OnProgress == nil && f.Credentials == nil {
		return nil
	}
	return &extras{tag: f.Tag, progress: f.OnProgress, provider: f.Credentials}
}

func (x *extras) tagged() any {
	if x == nil {
		return nil
	}
	return x.tag
}

func (x *extras) onProgress() func(FileInfo) {
	if x == nil {
		return nil
	}
	return x.progress
}

// credentials returns the gate of File.Credentials; nil: the file has none.
func (x *extras) credentials() *credentials.Gate {
	if x == nil {
		return nil
	}
	if g := x.gate.Load(); g != nil {
		return g.Gate
	}
	return nil
}

func (x *extras) hasProvider() bool { return x != nil && x.provider != nil }

// takeProvider gives a file that is put into the list the gate of its Provider.
func (c *Client) takeProvider(e *entry) {
	if x := e.extras; x != nil && x.provider != nil {
		x.gate.Store(c.shared.providers.take(c, x.provider))
	}
}

// releaseProvider lets go of a file's Provider. Nothing of the file is signed any more.
func (c *Client) releaseProvider(e *entry) {
	if x := e.extras; x != nil {
		if g := x.gate.Swap(nil); g != nil {
			c.shared.providers.release(g)
		}
		x.provider = nil
	}
}

// hidden is printed in place of a value that may hold a secret.
type hidden string

// hide returns the name of v's type; nil for nil.
func hide(v any) any {
	if v == nil {
		return nil
	}
	return hidden(fmt.Sprintf("%T", v))
}

// Credentials makes hidden an [sts.Provider], so that it can be printed in its place.
func (hidden) Credentials(context.Context) (sts.Credentials, error) {
	return sts.Credentials{}, errors.ErrUnsupported
}

// Format writes the fields, and of Tag and Credentials the names of their types alone,
// whatever the verb: they may hold a secret.
func (f File) Format(s fmt.State, _ rune) {
	type fields File
	f.Tag = hide(f.Tag)
	f.Credentials, _ = hide(f.Credentials).(sts.Provider)
	fmt.Fprintf(s, "%+v", fields(f))
}

// Format writes the fields, and of Tag the name of its type alone, whatever the verb: it
// may hold a secret.
func (f FileInfo) Format(s fmt.State, _ rune) {
	type fields FileInfo
	f.Tag = hide(f.Tag)
	fmt.Fprintf(s, "%+v", fields(f))
}
