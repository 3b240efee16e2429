package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
)

// A pathList is a list of paths to copy.
type pathList struct {
	name string // of the file; - is standard input
	end  byte   // of each path
}

func (f *copyFlags) list() (l pathList, given bool) {
	if f.filesFrom0 != "" {
		return pathList{f.filesFrom0, 0}, true
	}
	return pathList{f.filesFrom, '\n'}, f.filesFrom != ""
}

// open opens the list.
func (l pathList) open(stdin io.Reader) (io.ReadCloser, error) {
	if l.name == "-" {
		return io.NopCloser(stdin), nil
	}
	return os.Open(l.name)
}

// byteOrderMark is what editors of Windows put before a text.
const byteOrderMark = "\ufeff"

// longestPath is more bytes than a path has on any system, so that a film that is given as a
// list is not read into memory.
const longestPath = 128 << 10

// form says what the list has to look like.
func (l pathList) form() string {
	if l.end == 0 {
		return "a zero byte after each"
	}
	return "one on each line"
}

// paths returns the paths that r has. Empty ones are left out.
func (l pathList) paths(r io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		lines := bufio.NewReaderSize(r, longestPath)
		for first := true; ; first = false {
			line, err := lines.ReadSlice(l.end)
			if err == bufio.ErrBufferFull {
				yield("", usageError{fmt.Errorf("list of files %s: it has a path of more than %s: wanted %s", l.name, output.Bytes(longestPath), l.form())})
				return
			}
			if err != nil && err != io.EOF {
				yield("", fmt.Errorf("list of files %s: %w", l.name, err))
				return
			}
			path := string(bytes.TrimSuffix(line, []byte{l.end}))
			if l.end == '\n' {
				path = strings.TrimSuffix(path, "\r")
				if first {
					path = strings.TrimPrefix(path, byteOrderMark)
				}
				if strings.Contains(path, "\x00") {
					yield("", usageError{fmt.Errorf("list of files %s: it has zero bytes: --files-from0 reads such lists", l.name)})
					return
				}
			}
			if path != "" && !yield(path, nil) || err == io.EOF {
				return
			}
		}
	}
}

// below returns the path of a file of a list, and its name below the folder that the list
// is relative to, with slashes.
func below(dir, path string) (full, name string, err error) {
	if full = path; !filepath.IsAbs(path) {
		full = filepath.Join(dir, path)
	}
	base, err := filepath.Abs(dir)
	if err != nil {
		return full, "", err
	}
	abs, err := filepath.Abs(full)
	if err != nil {
		return full, "", err
	}
	rel, err := filepath.Rel(base, abs)
	if err != nil || !filepath.IsLocal(rel) || rel == "." {
		return full, "", fmt.Errorf("%s is not below %s: give the folder that has all files of the list before the destination", path, base)
	}
	return full, filepath.ToSlash(rel), nil
}
