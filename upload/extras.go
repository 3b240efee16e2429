package upload

import (
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

// takeGate returns the gate of x's Provider, which another uses from now on; nil: there is none.
func (x *extras) takeGate() *providerGate {
	if x == nil {
		return nil
	}
	return x.gate.Swap(nil)
}
