package osstest

import (
	"net/http"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// checkConditions checks the four conditions of a read against an object. The
// prefix goes before the names of their headers.
func checkConditions(h http.Header, prefix string, o *storage.Object) *osserr.Error {
	modified := o.Modified.Truncate(time.Second) // headers have whole seconds
	if v := h.Get(prefix + "If-Match"); v != "" && !matches(v, o) {
		return osserr.PreconditionFailed("If-Match")
	}
	if t, ok := headerTime(h, prefix+"If-Unmodified-Since"); ok && modified.After(t) {
		return osserr.PreconditionFailed("If-Unmodified-Since")
	}
	if v := h.Get(prefix + "If-None-Match"); v != "" && matches(v, o) {
		return notModified(o)
	}
	if t, ok := headerTime(h, prefix+"If-Modified-Since"); ok && !modified.After(t) {
		return notModified(o)
	}
	return nil
}

func matches(etag string, o *storage.Object) bool { return etag == "*" || unquoted(etag) == o.ETag }

func notModified(o *storage.Object) *osserr.Error {
	return osserr.NotModified().WithHeader("Etag", quoted(o.ETag)).WithHeader("Last-Modified", httpTime(o.Modified))
}

// headerTime returns the time in a header. A time that cannot be read is no
// condition.
func headerTime(h http.Header, name string) (time.Time, bool) {
	t, err := http.ParseTime(h.Get(name))
	return t, err == nil
}
