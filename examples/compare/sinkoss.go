package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// controlPath is where the director talks to the sink. No bucket can be called so.
const controlPath = "/-/"

// counts are what the sink has seen since it was last set.
type counts struct {
	Requests int64 `json:"requests"`
	Bytes    int64 `json:"bytes"` // of bodies
}

// refusalDelay is how long the refusal of a part takes, so that all others are
// through by then.
const refusalDelay = time.Second

// answer does what req asks for. n is the size of its body.
func (s *sink) answer(req *http.Request, n int64) answer {
	query := req.URL.Query()
	if path, ok := strings.CutPrefix(req.URL.Path, controlPath); ok {
		return s.control(path, query)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	s.bytes += n
	a := s.do(req, query, n)
	a.wait += s.latency
	return a
}

// do is answer for the operations of OSS. It is called with the lock held.
func (s *sink) do(req *http.Request, query url.Values, n int64) answer {
	id := query.Get("uploadId")
	switch {
	case req.Method == http.MethodPost && query.Has("uploads"):
		return s.initiate(req.URL.Path)
	case req.Method == http.MethodPut && id != "":
		return s.putPart(id, query.Get("partNumber"), n)
	case req.Method == http.MethodPut:
		return answer{status: http.StatusOK, etag: true, crc: s.sums.of(n), hasCRC: true}
	case req.Method == http.MethodPost && id != "":
		return s.complete(req.URL.Path, id)
	case req.Method == http.MethodGet && id != "":
		return s.list(id, query)
	case req.Method == http.MethodDelete && id != "":
		delete(s.uploads, id)
		return answer{status: http.StatusNoContent}
	}
	return refusal(http.StatusNotImplemented, "NotImplemented")
}

// initiate begins an upload, or the same one again.
func (s *sink) initiate(path string) answer {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	id := fmt.Sprintf("%X", path)
	s.uploads[id] = make(map[int]int64)
	return xmlAnswer("<InitiateMultipartUploadResult><Bucket>" + bucket + "</Bucket><Key>" + key +
		"</Key><UploadId>" + id + "</UploadId></InitiateMultipartUploadResult>")
}

func (s *sink) putPart(id, part string, n int64) answer {
	number, err := strconv.Atoi(part)
	parts, ok := s.uploads[id]
	switch {
	case err != nil:
		return refusal(http.StatusBadRequest, "InvalidArgument")
	case !ok:
		return refusal(http.StatusNotFound, "NoSuchUpload")
	case number == s.refuse:
		a := refusal(http.StatusForbidden, "AccessDenied")
		a.wait = refusalDelay
		return a
	}
	parts[number] = n
	return answer{status: http.StatusOK, etag: true, crc: s.sums.of(n), hasCRC: true}
}

// complete makes nothing, and keeps the parts, for the next round resumes the same.
func (s *sink) complete(path, id string) answer {
	parts, ok := s.uploads[id]
	if !ok {
		return refusal(http.StatusNotFound, "NoSuchUpload")
	}
	var size int64
	for _, n := range parts {
		size += n
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	a := xmlAnswer("<CompleteMultipartUploadResult><Location>http://127.0.0.1" + path + "</Location><Bucket>" + bucket +
		"</Bucket><Key>" + key + "</Key><ETag>\"" + partETag + "\"</ETag></CompleteMultipartUploadResult>")
	a.crc, a.hasCRC = s.sums.of(size), true
	return a
}

func (s *sink) list(id string, query url.Values) answer {
	parts, ok := s.uploads[id]
	if !ok {
		return refusal(http.StatusNotFound, "NoSuchUpload")
	}
	marker, _ := strconv.Atoi(query.Get("part-number-marker"))
	page := 1000
	if n, err := strconv.Atoi(query.Get("max-parts")); err == nil && n < page {
		page = n
	}
	var numbers []int
	for n := range parts {
		if n > marker {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	more := len(numbers) > page
	if more {
		numbers = numbers[:page]
	}
	var b strings.Builder
	next := marker
	for _, n := range numbers {
		next = n
		fmt.Fprintf(&b, "<Part><PartNumber>%d</PartNumber><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>\"%s\"</ETag><HashCrc64ecma>%d</HashCrc64ecma><Size>%d</Size></Part>",
			n, partETag, s.sums.of(parts[n]), parts[n])
	}
	return xmlAnswer(fmt.Sprintf("<ListPartsResult><UploadId>%s</UploadId><StorageClass>Standard</StorageClass><PartNumberMarker>%d</PartNumberMarker><NextPartNumberMarker>%d</NextPartNumberMarker><MaxParts>%d</MaxParts><IsTruncated>%t</IsTruncated>%s</ListPartsResult>",
		id, marker, next, page, more, b.String()))
}

// control sets the sink for the next run, or tells what it has seen in the last.
func (s *sink) control(path string, query url.Values) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch path {
	case "counts":
		text, err := json.Marshal(counts{s.requests, s.bytes})
		if err != nil {
			return refusal(http.StatusInternalServerError, "InternalError")
		}
		return answer{status: http.StatusOK, body: string(text)}
	case "set":
		s.latency, _ = time.ParseDuration(query.Get("latency"))
		s.refuse, _ = strconv.Atoi(query.Get("refuse"))
		forget, _ := strconv.Atoi(query.Get("forget"))
		for _, parts := range s.uploads {
			delete(parts, forget)
		}
		s.requests, s.bytes = 0, 0
		return answer{status: http.StatusOK}
	}
	return refusal(http.StatusNotFound, "NoSuchKey")
}

func xmlAnswer(text string) answer {
	return answer{status: http.StatusOK, body: `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + text}
}

func refusal(status int, code string) answer {
	a := xmlAnswer("<Error><Code>" + code + "</Code><Message>" + code + "</Message><RequestId>6556E3AED11E553933CCDEDF</RequestId></Error>")
	a.status = status
	return a
}
