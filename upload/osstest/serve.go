package osstest

import (
	"context"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
)

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		http.Error(w, "osstest: the server is closed", http.StatusServiceUnavailable)
		return
	}
	defer s.handlers.Done()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	conn := http.NewResponseController(w)
	stop := context.AfterFunc(s.life, func() {
		cancel()
		// A handler that waits for its client, to send or to read, hears no context.
		conn.SetReadDeadline(time.Unix(1, 0))
		conn.SetWriteDeadline(time.Unix(1, 0))
	})
	defer stop()
	r = r.WithContext(ctx)
	if r.ContentLength != 0 {
		r.Body = &idleBody{r.Body, ctx, conn, s.opts.BodyTimeout}
	}
	s.serve(w, r)
}

// serve takes a request through its stages: routing, faults, credentials, and
// the operation itself.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	req, aerr := s.route(r)
	h := w.Header()
	h.Set("Server", "AliyunOSS")
	h.Set("Date", httpTime(req.start))
	h.Set("X-Oss-Request-Id", req.id)
	s.setCORSHeaders(h, req)

	w, r, x := s.intercept(w, r, req)
	defer x.finish()
	req.Request = r
	if x.applyBefore() {
		return
	}
	if aerr == nil && req.op != OpOptionObject { // browsers sign no preflight
		aerr = s.authenticate(req)
		if aerr == nil {
			aerr = s.authorize(req)
		}
	}
	if aerr == nil {
		aerr = operators[req.op](s, w, req)
	}
	if aerr != nil {
		s.writeError(w, req, aerr)
	}
}

// An operator does one operation. It answers the request, unless it returns an
// error, which is the answer.
type operator func(*Server, http.ResponseWriter, *request) *osserr.Error

var operators = map[Op]operator{
	OpListBuckets:          (*Server).listBuckets,
	OpPutBucket:            (*Server).putBucket,
	OpDeleteBucket:         (*Server).deleteBucket,
	OpGetBucketInfo:        (*Server).getBucketInfo,
	OpGetBucketLocation:    (*Server).getBucketLocation,
	OpPutBucketACL:         (*Server).putBucketACL,
	OpGetBucketACL:         (*Server).getBucketACL,
	OpPutBucketTags:        (*Server).putBucketTags,
	OpPutBucketVersioning:  (*Server).putBucketVersioning,
	OpGetBucketVersioning:  (*Server).getBucketVersioning,
	OpPutBucketCORS:        (*Server).putBucketCORS,
	OpGetBucketCORS:        (*Server).getBucketCORS,
	OpDeleteBucketCORS:     (*Server).deleteBucketCORS,
	OpListObjects:          (*Server).listObjects,
	OpListObjectVersions:   (*Server).listObjectVersions,
	OpListLiveChannel:      (*Server).listLiveChannel,
	OpListMultipartUploads: (*Server).listUploads,

	OpPutObject:             (*Server).putObject,
	OpGetObject:             (*Server).getObject,
	OpHeadObject:            (*Server).headObject,
	OpGetObjectMeta:         (*Server).getObjectMeta,
	OpDeleteObject:          (*Server).deleteObject,
	OpDeleteMultipleObjects: (*Server).deleteObjects,
	OpPutObjectACL:          (*Server).putObjectACL,
	OpGetObjectACL:          (*Server).getObjectACL,

	OpInitiateMultipartUpload: (*Server).initiateUpload,
	OpUploadPart:              (*Server).uploadPart,
	OpUploadPartCopy:          (*Server).uploadPartCopy,
	OpCompleteMultipartUpload: (*Server).completeUpload,
	OpAbortMultipartUpload:    (*Server).abortUpload,
	OpListParts:               (*Server).listParts,

	OpOptionObject: (*Server).optionObject,
}
