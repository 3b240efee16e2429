package main

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload"
)

//go:embed page.html
var page []byte

// A relay passes uploads on to one bucket.
type relay struct {
	client   *upload.Client
	endpoint string
	bucket   string
	prefix   string        // of the objects' names
	largest  int64         // bytes of one upload
	patience time.Duration // how long a browser may neither send nor take anything
	running  chan struct{} // has room for as many uploads as there may be at a time
	progress board
	log      *slog.Logger
}

func (s *relay) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page)
	})
	mux.HandleFunc("PUT /upload/{id}", s.upload)
	mux.HandleFunc("GET /progress/{id}", s.events)
	return http.NewCrossOriginProtection().Handler(mux) // no page of another site may upload
}

// idOf returns the number that the page has given its upload: a UUID, which nobody else
// can guess.
func idOf(w http.ResponseWriter, r *http.Request) (string, bool) {
	id := r.PathValue("id")
	if !uuid.MatchString(id) {
		http.Error(w, "the ID of an upload is a UUID", http.StatusBadRequest)
		return "", false
	}
	return id, true
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// upload passes the request's body on to OSS while it arrives.
func (s *relay) upload(w http.ResponseWriter, r *http.Request) {
	id, ok := idOf(w, r)
	if !ok {
		return
	}
	if r.ContentLength > s.largest {
		http.Error(w, "the file is too large", http.StatusRequestEntityTooLarge)
		return
	}
	select {
	case s.running <- struct{}{}:
		defer func() { <-s.running }()
	default: // each takes some memory
		w.Header().Set("Retry-After", "10")
		http.Error(w, "too many uploads at a time", http.StatusServiceUnavailable)
		return
	}
	bar, ok := s.progress.begin(id)
	if !ok {
		http.Error(w, "there is an upload of this ID", http.StatusConflict)
		return
	}
	result, err := s.send(w, r, bar)
	if err != nil {
		status, text := answerFor(err)
		bar.end(event{Error: text})
		s.log.Warn("upload failed", "id", id, "error", err)
		w.Header().Set("Connection", "close") // the rest of the body is not wanted
		http.Error(w, text, status)
		return
	}
	bar.end(event{Uploaded: result.Size, Size: result.Size, Object: result.Object})
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"object": result.Object, "size": result.Size})
}

// send returns when the object is there, or when nothing of it is. A browser that goes
// away, or that stalls, ends the body; once all of that was read, it ends r's context.
func (s *relay) send(w http.ResponseWriter, r *http.Request, bar *bar) (upload.Result, error) {
	// Where a body cannot be read, net/http ends r's context before Read returns the reason.
	// The upload has to end with the reason.
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	in := &body{
		from: http.MaxBytesReader(w, r.Body, s.largest), conn: http.NewResponseController(w), patience: s.patience,
		onEnd: func() { context.AfterFunc(r.Context(), cancel) },
	}
	defer in.end()
	return s.client.Upload(ctx, upload.File{
		Path:     "the upload of a browser", // a name for the log
		Reader:   in,
		Size:     max(r.ContentLength, 0), // which is -1 where it is not known
		Endpoint: s.endpoint, Bucket: s.bucket, Object: s.prefix + rand.Text() + extension(r.URL.Query().Get("name")),
		OnProgress: func(f upload.FileInfo) { bar.set(event{Uploaded: f.Uploaded, Size: f.Size}) },
	})
}

// extension returns the extension of a name that a browser gave, if it is one.
func extension(name string) string {
	ext := strings.ToLower(path.Ext(name))
	if !plainExtension.MatchString(ext) {
		return ""
	}
	return ext
}

var plainExtension = regexp.MustCompile(`^\.[a-z0-9]{1,5}$`)

// answerFor returns what a browser gets to see of an error. The log has all of it.
func answerFor(err error) (status int, text string) {
	var large *http.MaxBytesError
	var body *bodyError
	switch {
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge, "the file is too large"
	case errors.As(err, &body) && errors.Is(body, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout, "the upload has stalled"
	case body != nil, errors.Is(err, upload.ErrSizeMismatch):
		return http.StatusBadRequest, "the upload has broken off"
	case errors.Is(err, upload.ErrClosed):
		return http.StatusServiceUnavailable, "the server is shutting down"
	case errors.Is(err, context.Canceled): // net/http ends the request with the connection
		return http.StatusBadRequest, "the upload has broken off"
	}
	return http.StatusBadGateway, "the file could not be stored"
}
