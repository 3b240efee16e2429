package storage

import (
	"bytes"
	"cmp"
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

// A State is all that a server has stored.
type State struct {
	Disk    *Disk // nil: memory only
	Blobs   *BlobStore
	Buckets map[string]*Bucket
	LastSeq uint64 // of the last object
}

// Open opens a server's directory and reads what is there. Without one, what is stored
// is in memory.
func Open(dir string) (*State, error) {
	s := &State{Blobs: &BlobStore{dir}, Buckets: map[string]*Bucket{}}
	if dir == "" {
		return s, nil
	}
	d, err := OpenDisk(dir)
	if err != nil {
		return nil, err
	}
	s.Disk = d
	if err := s.load(); err != nil {
		d.Close()
		return nil, err
	}
	return s, nil
}

func (s *State) load() error {
	l := &loader{Disk: s.Disk, store: s.Blobs, sizes: map[string]int64{}, owners: map[string]string{}, torn: map[string]int64{}}
	if err := l.read(s.Buckets); err != nil {
		return err
	}
	s.LastSeq = l.lastSeq
	return l.clear()
}

// A loader reads a server's state from its directory. It reads no bodies.
//
// It changes nothing until all has been read and found good, and then removes
// only what a killed server may have left, by its name and its place. Files of
// others stay.
type loader struct {
	*Disk
	store   *BlobStore
	sizes   map[string]int64  // of the bodies that are there
	owners  map[string]string // by body: the file that names it
	lastSeq uint64

	foreign   bool // there is something among the buckets that no server wrote
	leftovers []string
	torn      map[string]int64 // files that end in half a line, and what is whole of them
}

func (l *loader) read(buckets map[string]*Bucket) error {
	if err := l.findIncoming(); err != nil {
		return err
	}
	if err := l.findBlobs(); err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(l.dir, layout.buckets))
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), bucketPrefix)
		if !ok {
			l.foreign = true
			continue
		}
		b, err := l.bucket(name)
		if err != nil {
			return err
		}
		if b != nil {
			buckets[name] = b
		}
	}
	return nil
}

// findIncoming finds the files that a killed server did not finish.
func (l *loader) findIncoming() error {
	dir := filepath.Join(l.dir, layout.incoming)
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.Type().IsRegular() && isIncoming(e.Name()) {
			l.leftovers = append(l.leftovers, filepath.Join(dir, e.Name()))
		}
	}
	return err
}

// isIncoming reports whether a name is one that the server writes files under.
func isIncoming(name string) bool {
	for _, prefix := range []string{incomingBody, incomingMeta} {
		if digits, ok := strings.CutPrefix(name, prefix); ok {
			return digits != "" && strings.Trim(digits, "0123456789") == ""
		}
	}
	return false
}

// findBlobs finds the bodies. Other files may stand among them.
func (l *loader) findBlobs() error {
	return filepath.WalkDir(filepath.Join(l.dir, layout.blobs), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || !isID(e.Name()) || path != l.store.path(e.Name()) {
			return err
		}
		info, err := e.Info()
		if err == nil {
			l.sizes[e.Name()] = info.Size()
		}
		return err
	})
}

// bucket reads a bucket. It returns nil for one that was being deleted.
func (l *loader) bucket(name string) (*Bucket, error) {
	if !ValidBucketName(name) {
		l.foreign = true
		return nil, nil
	}
	dir := l.bucketDir(name)
	for _, d := range []string{dir, filepath.Join(dir, "objects"), filepath.Join(dir, "uploads")} {
		if _, err := isPlainDir(d); err != nil {
			return nil, err
		}
	}
	path := filepath.Join(dir, "bucket.json")
	b := NewBucket("", time.Time{})
	err := readJSON(path, b)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, l.deletedBucket(dir)
	}
	if err == nil {
		err = b.checkSaved(name)
	}
	if err != nil {
		return nil, atPath(path, err)
	}
	completed, err := l.objects(b)
	if err != nil {
		return nil, err
	}
	return b, l.uploads(b, completed)
}

// deletedBucket looks at a bucket without bucket.json, which is the first that a
// server removes of one. Of what the bucket had, nothing may be left.
func (l *loader) deletedBucket(dir string) error {
	refuse := func(ours func(name string) bool) func(path, name string) error {
		return func(path, name string) error {
			if ours(name) {
				return fmt.Errorf("%s is there, but the bucket.json of its bucket is missing", path)
			}
			l.foreign = true
			return nil
		}
	}
	return errors.Join(
		l.eachFile(filepath.Join(dir, "objects"), refuse(isObjectFile)),
		l.eachFile(filepath.Join(dir, "uploads"), refuse(isUploadFile)))
}

// isObjectFile and isUploadFile report whether a name is one that the server
// gives to files of that kind.
func isObjectFile(name string) bool {
	hash, rest, _ := strings.Cut(name, ".")
	version, ok := strings.CutSuffix(rest, ".json")
	return ok && isID(strings.ToUpper(hash)) && (version == NullVersion || isVersionID(version))
}

func isUploadFile(name string) bool {
	id, extension, _ := strings.Cut(name, ".")
	return isID(id) && (extension == "json" || extension == "parts")
}

// objects reads the objects of a bucket, and returns the upload IDs that they
// were made by.
func (l *loader) objects(b *Bucket) (completed map[string]bool, err error) {
	completed = map[string]bool{}
	err = l.eachFile(filepath.Join(l.bucketDir(b.Name), "objects"), func(path, name string) error {
		if !isObjectFile(name) {
			l.foreign = true
			return nil
		}
		o, err := l.object(b, path)
		if err != nil {
			return atPath(path, err)
		}
		b.Objects[o.Key] = append(b.Objects[o.Key], o)
		if o.UploadID != "" {
			completed[o.UploadID] = true
		}
		l.lastSeq = max(l.lastSeq, o.Seq)
		return nil
	})
	for _, versions := range b.Objects {
		slices.SortFunc(versions, func(a, b *Object) int { return cmp.Compare(b.Seq, a.Seq) })
	}
	return completed, err
}

func (l *loader) object(b *Bucket, path string) (*Object, error) {
	var saved savedObject
	if err := readJSON(path, &saved); err != nil {
		return nil, err
	}
	if err := saved.check(); err != nil {
		return nil, err
	}
	if want := l.objectPath(b, saved.Key, saved.Version); path != want {
		return nil, fmt.Errorf("it belongs into %s", filepath.Base(want))
	}
	o := saved.Object
	o.Header = http.Header(saved.Header)
	if o.Marker {
		return &o, nil
	}
	blobs, err := l.claim(path, saved.Blobs)
	if err != nil {
		return nil, err
	}
	o.Content = NewContent(l.store, blobs)
	if o.Content.Size() != o.Size {
		return nil, fmt.Errorf("its bodies have %d bytes; want %d", o.Content.Size(), o.Size)
	}
	return &o, nil
}

func (l *loader) uploads(b *Bucket, completed map[string]bool) error {
	dir := filepath.Join(l.bucketDir(b.Name), "uploads")
	var lists []string // IDs of uploads whose parts are listed
	err := l.eachFile(dir, func(path, name string) error {
		id, extension, _ := strings.Cut(name, ".")
		switch {
		case !isUploadFile(name):
			l.foreign = true
			return nil
		case extension == "parts":
			lists = append(lists, id)
			return nil
		case completed[id]:
			// The server was killed after it had stored the object.
			l.leftovers = append(l.leftovers, path)
			return nil
		}
		var saved savedUpload
		err := readJSON(path, &saved)
		if err == nil {
			err = saved.check(id)
		}
		if err != nil {
			return atPath(path, err)
		}
		u := saved.Upload
		u.Header = http.Header(saved.Header)
		u.Parts = map[int]*Part{}
		b.Uploads[u.ID] = &u
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range lists {
		path := l.uploadPath(b, id, ".parts")
		if u := b.Uploads[id]; u == nil {
			l.leftovers = append(l.leftovers, path)
		} else if err := l.parts(path, u); err != nil {
			return atPath(path, err)
		}
	}
	return nil
}

// parts reads the list of an upload's parts. A killed server may have left half
// a line at its end.
func (l *loader) parts(path string, u *Upload) error {
	data, err := readFile(path)
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(data, '\n') + 1
	if whole < len(data) {
		if !isTornPart(data[whole:]) {
			return errors.New("its last line is not of a part")
		}
		l.torn[path] = int64(whole)
	}
	latest := map[int]savedPart{}
	for line := range bytes.Lines(data[:whole]) {
		var saved savedPart
		err := json.Unmarshal(line, &saved)
		if err == nil {
			err = saved.check()
		}
		if err != nil {
			return err
		}
		latest[saved.Number] = saved
	}
	for number, saved := range latest {
		blobs, err := l.claim(path, []savedBlob{saved.Blob})
		if err != nil {
			return err
		}
		p := saved.Part
		p.Blob = blobs[0]
		u.Parts[number] = &p
	}
	return nil
}

// isTornPart reports whether a line is the beginning of one that savePart
// writes.
func isTornPart(line []byte) bool {
	const begin = `{"Number":`
	n := min(len(line), len(begin))
	return string(line[:n]) == begin[:n]
}

// atPath names the file that an error is about, unless the error does.
func atPath(path string, err error) error {
	if named := (*fs.PathError)(nil); errors.As(err, &named) {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// claim returns the bodies that a file names, which no other file may name.
func (l *loader) claim(path string, saved []savedBlob) ([]*Blob, error) {
	blobs := make([]*Blob, len(saved))
	for i, b := range saved {
		size, ok := l.sizes[b.Name]
		switch {
		case !ok:
			return nil, fmt.Errorf("the body %q that it names is missing", b.Name)
		case size != b.Size:
			return nil, fmt.Errorf("the body %q that it names has %d bytes; want %d", b.Name, size, b.Size)
		case l.owners[b.Name] != "":
			return nil, fmt.Errorf("the body %q that it names belongs to %s", b.Name, l.owners[b.Name])
		}
		l.owners[b.Name] = path
		blobs[i] = &Blob{name: b.Name, Size: b.Size}
	}
	return blobs, nil
}

// clear removes what a killed server left half-done, once all has been read.
// Bodies that nothing names stay if there are files of others among the
// buckets: one of them may be a file of the server's that somebody renamed.
func (l *loader) clear() error {
	if !l.foreign {
		for name := range l.sizes {
			if l.owners[name] == "" {
				l.leftovers = append(l.leftovers, l.store.path(name))
			}
		}
	}
	var err error
	for path, whole := range l.torn {
		err = errors.Join(err, os.Truncate(path, whole))
	}
	for _, path := range l.leftovers {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// eachFile calls f with the path and the name of each file in a directory. A
// missing directory is an empty one. What is no file is somebody else's.
func (l *loader) eachFile(dir string, f func(path, name string) error) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			l.foreign = true
			continue
		}
		if err := f(filepath.Join(dir, e.Name()), e.Name()); err != nil {
			return err
		}
	}
	return err
}
