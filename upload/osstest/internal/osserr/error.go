// Package osserr has the error answers of OSS.
package osserr

import "net/http"

// An Error is an error answer of OSS.
type Error struct {
	Status  int
	Code    string
	EC      string
	Message string
	Fields  []Field     // the code's own elements, in order
	Header  http.Header // further headers of the answer; may be nil
}

// A Field is one further element of an error's XML: a text, or elements of its
// own.
type Field struct {
	Name, Value string
	Nested      []Field // instead of the value
}

// With returns a copy of e that has one more element.
func (e *Error) With(name, value string) *Error {
	c := *e
	c.Fields = append(append([]Field(nil), e.Fields...), Field{Name: name, Value: value})
	return &c
}

// WithHeader returns a copy of e whose answer has one more header.
func (e *Error) WithHeader(name, value string) *Error {
	c := *e
	c.Header = e.Header.Clone()
	if c.Header == nil {
		c.Header = http.Header{}
	}
	c.Header.Set(name, value)
	return &c
}
