package osstest

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// A found is an object as a read sees it: unchanged by what comes later. Its
// content must be released.
type found struct {
	storage.Object
	version string // as answers show it
	etag    string // likewise
}

// find returns the version of an object that a request is for.
func (s *Server) find(bucketName, key, version string) (*found, *osserr.Error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, aerr := s.bucketLocked(bucketName)
	if aerr != nil {
		return nil, aerr
	}
	o := b.Newest(key)
	if version != "" {
		if o = b.Version(key, version); o == nil {
			return nil, osserr.NoSuchVersion(key, version)
		}
	}
	if o == nil {
		return nil, osserr.NoSuchKey(key)
	}
	if o.Marker {
		return nil, markerError(o, version != "")
	}
	o.Content.Acquire()
	return &found{Object: *o, version: b.ShownVersion(o), etag: s.opts.ETags.etag(o.ETag)}, nil
}

// markerError is the answer to a read of a delete marker: as of an object that
// does not exist, or, where the marker itself was asked for, a refusal.
func markerError(o *storage.Object, named bool) *osserr.Error {
	aerr := osserr.NoSuchKey(o.Key)
	if named {
		aerr = osserr.MethodNotAllowed(http.MethodGet, "DELETEMARKER", http.MethodDelete)
	}
	return aerr.WithHeader("X-Oss-Delete-Marker", "true").WithHeader("X-Oss-Version-Id", o.Version)
}

func (s *Server) getObject(w http.ResponseWriter, req *request) *osserr.Error {
	if aerr := checkTrafficLimit(req); aerr != nil {
		return aerr
	}
	return s.read(w, req, func(f *found, sp span, status int) *osserr.Error {
		body, err := f.Content.Open(sp.offset, sp.length)
		if err != nil {
			return osserr.Internal(err)
		}
		defer body.Close()
		s.writeHead(w, req, status)
		// An error here is the client's, or shows as a body that is too short.
		io.Copy(w, limitTraffic(req, body))
		return nil
	})
}

func (s *Server) headObject(w http.ResponseWriter, req *request) *osserr.Error {
	return s.read(w, req, func(_ *found, _ span, status int) *osserr.Error {
		s.writeHead(w, req, status)
		return nil
	})
}

// read does what GetObject and HeadObject have in common, up to the body.
func (s *Server) read(w http.ResponseWriter, req *request, answer func(f *found, sp span, status int) *osserr.Error) *osserr.Error {
	f, aerr := s.find(req.bucket, req.key, req.query.Get("versionId"))
	if aerr != nil {
		return aerr
	}
	defer f.Content.Release()
	if aerr := checkConditions(req.Header, "", &f.Object); aerr != nil {
		return aerr
	}
	standard := req.Header.Get("X-Oss-Range-Behavior") == "standard"
	sp, partial, aerr := spanOf(req.Header.Get("Range"), f.Size, standard)
	if aerr != nil {
		return aerr
	}
	f.describe(w.Header())
	overrideHeaders(w.Header(), req)
	status := http.StatusOK
	if partial {
		status = http.StatusPartialContent
		w.Header().Set("Content-Range", sp.contentRange(f.Size))
	}
	w.Header().Set("Content-Length", strconv.FormatInt(sp.length, 10))
	return answer(f, sp, status)
}

func (s *Server) getObjectMeta(w http.ResponseWriter, req *request) *osserr.Error {
	f, aerr := s.find(req.bucket, req.key, req.query.Get("versionId"))
	if aerr != nil {
		return aerr
	}
	defer f.Content.Release()
	f.identify(w.Header())
	w.Header().Set("Content-Length", strconv.FormatInt(f.Size, 10))
	s.writeHead(w, req, http.StatusOK)
	return nil
}

// identify sets the headers that say which bytes an object has.
func (f *found) identify(h http.Header) {
	h.Set("Etag", f.etag)
	h.Set("Last-Modified", httpTime(f.Modified))
	h.Set("X-Oss-Hash-Crc64ecma", strconv.FormatUint(f.CRC64, 10))
	if f.version != "" {
		h.Set("X-Oss-Version-Id", f.version)
	}
}

// describe sets all headers of an object.
func (f *found) describe(h http.Header) {
	f.identify(h)
	for name, values := range f.Header {
		if !unechoed[name] {
			h[name] = values
		}
	}
	h.Set("Accept-Ranges", "bytes")
	h.Set("X-Oss-Object-Type", f.Type)
	h.Set("X-Oss-Storage-Class", f.StorageClass)
	if f.MD5 != "" {
		h.Set("Content-Md5", f.MD5)
	}
	if n := tagCount(f.Header.Get("X-Oss-Tagging")); n > 0 {
		h.Set("X-Oss-Tagging-Count", strconv.Itoa(n))
	}
}

// responseHeaders are the headers that a request may choose for its answer, by
// query parameters.
var responseHeaders = []string{
	"Content-Type", "Content-Language", "Expires", "Cache-Control", "Content-Disposition", "Content-Encoding",
}

func overrideHeaders(h http.Header, req *request) {
	for _, name := range responseHeaders {
		if v := req.query.Get("response-" + strings.ToLower(name)); v != "" {
			h.Set(name, v)
		}
	}
}
