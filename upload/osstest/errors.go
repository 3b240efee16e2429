package osstest

import "net/http"

// An apiError is an error answer of OSS.
type apiError struct {
	status  int
	code    string
	ec      string
	message string
	fields  []field     // the code's own elements, in order
	header  http.Header // further headers of the answer; may be nil
}

// A field is one further element of an error's XML: a text, or elements of its
// own.
type field struct {
	name, value string
	nested      []field // instead of the value
}

// with returns a copy of e that has one more element.
func (e *apiError) with(name, value string) *apiError {
	c := *e
	c.fields = append(append([]field(nil), e.fields...), field{name: name, value: value})
	return &c
}

// withHeader returns a copy of e whose answer has one more header.
func (e *apiError) withHeader(name, value string) *apiError {
	c := *e
	c.header = e.header.Clone()
	if c.header == nil {
		c.header = http.Header{}
	}
	c.header.Set(name, value)
	return &c
}
