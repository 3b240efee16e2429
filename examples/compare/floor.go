package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// runFloor sends the same bytes in the same requests with net/http, and does nothing
// else: no signature, no checksum, no look at the file.
func runFloor(ctx context.Context, j *job) error {
	s := &j.Scenario
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: s.Parallel, IdleConnTimeout: time.Minute}}
	defer c.CloseIdleConnections()
	if s.Size <= s.PartSize {
		return each(s.Files, s.Parallel, func(i int) error { return floorFile(ctx, c, j, i) })
	}
	f, err := os.Open(j.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	url := floorURL(j, 0)
	count := int((s.Size + s.PartSize - 1) / s.PartSize)
	if !s.Resume || j.Preparing {
		if err := floorSend(ctx, c, http.MethodPost, url+"?uploads", nil, 0); err != nil {
			return err
		}
	}
	id := fmt.Sprintf("%X", "/"+bucket+"/"+j.object(0))
	first := 0
	if s.Resume {
		first = j.floorFirst(count)
	}
	err = each(count-first, s.Parallel, func(i int) error {
		off := int64(first+i) * s.PartSize
		size := min(s.PartSize, s.Size-off)
		return floorSend(ctx, c, http.MethodPut, url+"?partNumber="+strconv.Itoa(first+i+1)+"&uploadId="+id, io.NewSectionReader(f, off, size), size)
	})
	if err != nil {
		return err
	}
	list := floorList(count)
	return floorSend(ctx, c, http.MethodPost, url+"?uploadId="+id, strings.NewReader(list), int64(len(list)))
}

// floorFirst is the first part that is not there: it has to be told by somebody.
func (j *job) floorFirst(count int) int {
	if j.Preparing {
		return 0
	}
	return count - 1
}

func floorFile(ctx context.Context, c *http.Client, j *job, i int) error {
	f, err := os.Open(j.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	return floorSend(ctx, c, http.MethodPut, floorURL(j, i), io.NewSectionReader(f, 0, j.Scenario.Size), j.Scenario.Size)
}

// floorURL is the address in the style of paths, which the SDKs take for an IP, too.
func floorURL(j *job, i int) string { return j.Endpoint + "/" + bucket + "/" + j.object(i) }

func floorSend(ctx context.Context, c *http.Client, method, url string, body io.Reader, size int64) error {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return err
	}
	req.ContentLength = size
	res, err := c.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s", method, url, res.Status)
	}
	return err
}

// floorList is the body of Complete.
func floorList(count int) string {
	var b strings.Builder
	b.WriteString("<CompleteMultipartUpload>")
	for n := 1; n <= count; n++ {
		fmt.Fprintf(&b, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", n, partETag)
	}
	b.WriteString("</CompleteMultipartUpload>")
	return b.String()
}
