package osstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The forms in which state stands in files.
type (
	savedBlob struct {
		Name string
		Size int64
	}
	savedObject struct {
		object
		Header savedHeader
		Blobs  []savedBlob `json:",omitempty"`
	}
	savedUpload struct {
		upload
		Header savedHeader
	}
	savedPart struct {
		part
		Blob savedBlob
	}
)

// A savedHeader is a header that keeps all its bytes in JSON, which has only
// text: each byte becomes the character of its number.
type savedHeader http.Header

func (h savedHeader) MarshalJSON() ([]byte, error) {
	return json.Marshal(h.mapped(func(value string) string {
		text := make([]rune, len(value))
		for i := range len(value) {
			text[i] = rune(value[i])
		}
		return string(text)
	}))
}

func (h *savedHeader) UnmarshalJSON(data []byte) error {
	var text map[string][]string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	*h = savedHeader(text).mapped(func(value string) string {
		var b []byte
		for _, r := range value {
			b = append(b, byte(r))
		}
		return string(b)
	})
	return nil
}

func (h savedHeader) mapped(f func(string) string) map[string][]string {
	m := make(map[string][]string, len(h))
	for name, values := range h {
		for _, v := range values {
			m[name] = append(m[name], f(v))
		}
	}
	return m
}

// openStore opens the server's directory, if it has one, and reads what is
// there.
func (s *Server) openStore() error {
	if s.opts.Dir == "" {
		return nil
	}
	d, err := openDisk(s.opts.Dir)
	if err != nil {
		return fmt.Errorf("osstest: open the directory in the options: %w", err)
	}
	s.disk = d
	s.blobs.dir = s.opts.Dir
	if err := s.load(); err != nil {
		d.close()
		return fmt.Errorf("osstest: read the directory in the options: %w", err)
	}
	return nil
}

func (s *Server) load() error {
	l := &loader{disk: s.disk, store: &s.blobs, named: map[string]bool{}}
	present, err := s.blobs.names()
	if err != nil {
		return err
	}
	l.present = present
	dirs, err := os.ReadDir(filepath.Join(s.opts.Dir, "buckets"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		name, _ := strings.CutPrefix(dir.Name(), "bucket-")
		b, err := l.bucket(name)
		if err != nil {
			return err
		}
		if b != nil {
			s.buckets[name] = b
		}
	}
	s.lastSeq = l.lastSeq
	return l.removeUnnamed()
}

// names returns the names of all blobs.
func (b *blobStore) names() (map[string]bool, error) {
	names := map[string]bool{}
	err := filepath.WalkDir(filepath.Join(b.dir, "blobs"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names[e.Name()] = true
		}
		return err
	})
	return names, err
}

// A loader reads a server's state from its directory. It reads no bodies.
type loader struct {
	*disk
	store   *blobStore
	present map[string]bool // blobs that are there
	named   map[string]bool // blobs that belong to something
	lastSeq uint64
}

// bucket reads a bucket. It returns nil for one that was being deleted.
func (l *loader) bucket(name string) (*bucket, error) {
	b := newBucket(name, time.Time{})
	err := readJSON(filepath.Join(l.bucketDir(name), "bucket.json"), b)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, os.RemoveAll(l.bucketDir(name))
	}
	if err != nil {
		return nil, err
	}
	completed, err := l.objects(b)
	if err != nil {
		return nil, err
	}
	return b, l.uploads(b, completed)
}

// objects reads the objects of a bucket, and returns the upload IDs that they
// were made by.
func (l *loader) objects(b *bucket) (completed map[string]bool, err error) {
	completed = map[string]bool{}
	err = eachFile(filepath.Join(l.bucketDir(b.Name), "objects"), ".json", func(path, _ string) error {
		var saved savedObject
		if err := readJSON(path, &saved); err != nil {
			return err
		}
		o := saved.object
		o.Header = http.Header(saved.Header)
		if !o.Marker {
			blobs, err := l.blobs(path, saved.Blobs)
			if err != nil {
				return err
			}
			o.content = newContent(l.store, blobs)
		}
		b.objects[o.Key] = append(b.objects[o.Key], &o)
		completed[o.UploadID] = true
		l.lastSeq = max(l.lastSeq, o.Seq)
		return nil
	})
	for _, versions := range b.objects {
		slices.SortFunc(versions, func(a, b *object) int {
			if a.Seq > b.Seq {
				return -1
			}
			return 1
		})
	}
	return completed, err
}

func (l *loader) uploads(b *bucket, completed map[string]bool) error {
	dir := filepath.Join(l.bucketDir(b.Name), "uploads")
	err := eachFile(dir, ".json", func(path, id string) error {
		if completed[id] {
			// The server was killed after it had stored the object.
			return os.Remove(path)
		}
		var saved savedUpload
		if err := readJSON(path, &saved); err != nil {
			return err
		}
		u := saved.upload
		u.Header = http.Header(saved.Header)
		u.parts = map[int]*part{}
		b.uploads[u.ID] = &u
		return l.parts(l.uploadPath(b, u.ID, ".parts"), &u)
	})
	if err != nil {
		return err
	}
	return eachFile(dir, ".parts", func(path, id string) error {
		if b.uploads[id] == nil {
			return os.Remove(path)
		}
		return nil
	})
}

// parts reads the list of an upload's parts. A killed server may have left half
// a line at its end.
func (l *loader) parts(path string, u *upload) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	whole := bytes.LastIndexByte(data, '\n') + 1
	if err == nil && whole < len(data) {
		err = os.Truncate(path, int64(whole))
	}
	if err != nil {
		return err
	}
	latest := map[int]savedPart{}
	for line := range bytes.Lines(data[:whole]) {
		var saved savedPart
		if err := json.Unmarshal(line, &saved); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		latest[saved.Number] = saved
	}
	for number, saved := range latest {
		blobs, err := l.blobs(path, []savedBlob{saved.Blob})
		if err != nil {
			return err
		}
		p := saved.part
		p.blob = blobs[0]
		u.parts[number] = &p
	}
	return nil
}

// blobs returns the blobs that a file names.
func (l *loader) blobs(path string, saved []savedBlob) ([]*blob, error) {
	blobs := make([]*blob, len(saved))
	for i, b := range saved {
		if !l.present[b.Name] {
			return nil, fmt.Errorf("%s: the body %q that it names is missing", path, b.Name)
		}
		l.named[b.Name] = true
		blobs[i] = &blob{name: b.Name, size: b.Size}
	}
	return blobs, nil
}

// removeUnnamed removes the bodies that a killed server had received for
// nothing.
func (l *loader) removeUnnamed() error {
	var err error
	for name := range l.present {
		if !l.named[name] {
			err = errors.Join(err, os.Remove(l.store.path(name)))
		}
	}
	return err
}

// eachFile calls f with the path of each file in a directory that has the given
// extension, and with its name without it. A missing directory is an empty one.
func eachFile(dir, extension string, f func(path, name string) error) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), extension)
		if !ok {
			continue
		}
		if err := f(filepath.Join(dir, e.Name()), name); err != nil {
			return err
		}
	}
	return err
}
