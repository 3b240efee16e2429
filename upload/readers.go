package upload

import (
	"fmt"
	"io"
	"reflect"
)

// readers are the Readers that may still be read, each with its file: two files that
// read the same one would each get some of its bytes.
type readers map[io.Reader]FileID

// check returns an error if a file reads r.
func (rs readers) check(r io.Reader) error {
	if !hasIdentity(r) {
		return nil
	}
	if id, used := rs[r]; used {
		return fmt.Errorf("%w: File.Reader: file %d reads it, and each of the two would get some of its bytes", ErrInvalidArgument, id)
	}
	return nil
}

func (rs readers) take(r io.Reader, id FileID) {
	if hasIdentity(r) {
		rs[r] = id
	}
}

func (rs readers) release(r io.Reader) {
	if hasIdentity(r) {
		delete(rs, r)
	}
}

// hasIdentity reports whether an equal Reader is the same one: those without a state
// of their own may be equal and have nothing to do with each other.
func hasIdentity(r io.Reader) bool {
	v := reflect.ValueOf(r)
	if !v.IsValid() || !v.Comparable() {
		return false
	}
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Size() > 0
}
