package upload

import "fmt"

// extras are what a File may have and few files of a long list do. A nil one has nothing.
type extras struct {
	tag      any
	progress func(FileInfo)
}

// extrasOf returns what f has of them; nil: nothing.
func extrasOf(f File) *extras {
	if f.Tag == nil && f.OnProgress == nil {
		return nil
	}
	return &extras{tag: f.Tag, progress: f.OnProgress}
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

// hidden is printed in place of a value that may hold a secret.
type hidden string

// hide returns the name of v's type; nil for nil.
func hide(v any) any {
	if v == nil {
		return nil
	}
	return hidden(fmt.Sprintf("%T", v))
}

// Format writes the fields, and of Tag the name of its type alone, whatever the verb: it
// may hold a secret.
func (f File) Format(s fmt.State, _ rune) {
	type fields File
	f.Tag = hide(f.Tag)
	fmt.Fprintf(s, "%+v", fields(f))
}

// Format writes the fields, and of Tag the name of its type alone, whatever the verb: it
// may hold a secret.
func (f FileInfo) Format(s fmt.State, _ rune) {
	type fields FileInfo
	f.Tag = hide(f.Tag)
	fmt.Fprintf(s, "%+v", fields(f))
}
