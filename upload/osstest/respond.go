package osstest

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"strconv"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
)

const xmlProlog = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// timeFormat is how OSS writes times in XML: UTC, with milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z"

func xmlTime(t time.Time) string { return t.UTC().Format(timeFormat) }

// httpTime is how times stand in headers.
func httpTime(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

// writeHead sends the status and the headers that each answer of OSS has.
func (s *Server) writeHead(w http.ResponseWriter, req *request, status int) {
	// A fault may have set the clock of this call.
	took := max(0, s.now().Sub(req.start).Milliseconds())
	w.Header().Set("X-Oss-Server-Time", strconv.FormatInt(took, 10))
	if req.delayed > 0 {
		w.Header().Set("X-Oss-Qos-Delay-Time", strconv.FormatInt(req.delayed.Milliseconds(), 10))
	}
	w.WriteHeader(status)
}

// writeEmpty answers without a body.
func (s *Server) writeEmpty(w http.ResponseWriter, req *request, status int) {
	if status != http.StatusNoContent && status != http.StatusNotModified {
		w.Header().Set("Content-Length", "0")
	}
	s.writeHead(w, req, status)
}

// writeXML answers 200 with v as XML.
func (s *Server) writeXML(w http.ResponseWriter, req *request, v any) {
	var buf bytes.Buffer
	buf.WriteString(xmlProlog)
	enc := xml.NewEncoder(&buf)
	enc.Indent("", "  ")
	// The results are plain structs of strings and numbers, which encode.
	if err := enc.Encode(v); err != nil {
		s.writeError(w, req, osserr.Internal(err))
		return
	}
	buf.WriteByte('\n')
	// OSS writes the quotation marks of ETags as they are.
	text := bytes.ReplaceAll(buf.Bytes(), []byte("&#34;"), []byte(`"`))
	s.writeBody(w, req, http.StatusOK, "application/xml", text)
}

func (s *Server) writeBody(w http.ResponseWriter, req *request, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	s.writeHead(w, req, status)
	w.Write(body)
}

// writeError sends an error as OSS does: in the body, or, where the answer can
// have none, in the header x-oss-err.
func (s *Server) writeError(w http.ResponseWriter, req *request, e *osserr.Error) {
	h := w.Header()
	for name, values := range e.Header {
		h[name] = values
	}
	if e.EC != "" {
		h.Set("X-Oss-Ec", e.EC)
	}
	switch {
	case e.Status == http.StatusNotModified:
		s.writeEmpty(w, req, e.Status)
	case req.Method == http.MethodHead:
		h.Set("X-Oss-Err", base64.StdEncoding.EncodeToString(e.XML(req.id, req.Host)))
		s.writeEmpty(w, req, e.Status)
	default:
		s.writeBody(w, req, e.Status, "application/xml", e.XML(req.id, req.Host))
	}
}
