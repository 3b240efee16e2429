package osstest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A disk keeps a server's state in a directory:
//
//	format.json                       the version of this layout
//	lock                              held by the server that uses the directory
//	incoming/                         files that are being written
//	blobs/XX/NAME                     bodies
//	buckets/bucket-NAME/bucket.json   a bucket
//	  objects/HASH.VERSION.json       a version of an object; HASH is of its key
//	  uploads/ID.json                 an unfinished upload
//	  uploads/ID.parts                its parts, a line of JSON each as they came
//
// A file is written in incoming and then renamed, a part's line is written at
// once, and metadata goes before the bodies that it names. A server that is
// killed therefore leaves either all of an object or nothing, and bodies that
// nobody names, which the next start removes. Nothing is synced: a crash of the
// machine may damage the directory.
//
// On a nil disk all methods do nothing. The caller holds Server.mu.
type disk struct {
	dir  string
	lock *os.File
}

// diskFormat is the version of the layout.
const diskFormat = 1

type savedFormat struct{ Format int }

// openDisk prepares a directory and locks it.
func openDisk(dir string) (*disk, error) {
	d := &disk{dir: dir}
	for _, sub := range []string{"incoming", "blobs", "buckets"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, err
		}
	}
	lock, err := lockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	d.lock = lock
	if err := d.prepare(); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

// errInUse is the error of lockFile when another server has the lock.
var errInUse = errors.New("another server uses the directory")

// prepare checks the layout's version and clears what a killed server left
// half-written.
func (d *disk) prepare() error {
	if err := removeAllIn(filepath.Join(d.dir, "incoming")); err != nil {
		return err
	}
	path := filepath.Join(d.dir, "format.json")
	var f savedFormat
	err := readJSON(path, &f)
	if errors.Is(err, fs.ErrNotExist) {
		return d.write(path, savedFormat{diskFormat})
	}
	if err == nil && f.Format != diskFormat {
		err = fmt.Errorf("%s: the directory has format %d; this server knows format %d", path, f.Format, diskFormat)
	}
	return err
}

func removeAllIn(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}

func (d *disk) close() {
	if d != nil {
		d.lock.Close()
	}
}

func (d *disk) bucketDir(name string) string {
	// A prefix, because names such as "con" and "nul" are no files on Windows.
	return filepath.Join(d.dir, "buckets", "bucket-"+name)
}

// objectPath names an object's file by a hash of the key: keys may be too long
// for a file's name, or differ in case only.
func (d *disk) objectPath(b *bucket, key, version string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(d.bucketDir(b.Name), "objects", hex.EncodeToString(sum[:16])+"."+version+".json")
}

func (d *disk) uploadPath(b *bucket, id, extension string) string {
	return filepath.Join(d.bucketDir(b.Name), "uploads", id+extension)
}

func (d *disk) saveBucket(b *bucket) error {
	if d == nil {
		return nil
	}
	return d.write(filepath.Join(d.bucketDir(b.Name), "bucket.json"), b)
}

// removeBucket removes a bucket that is empty.
func (d *disk) removeBucket(b *bucket) error {
	if d == nil {
		return nil
	}
	dir := d.bucketDir(b.Name)
	// Without this file the rest does not count.
	if err := os.Remove(filepath.Join(dir, "bucket.json")); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

func (d *disk) saveObject(b *bucket, o *object) error {
	if d == nil {
		return nil
	}
	saved := savedObject{object: *o, Header: savedHeader(o.Header)}
	if o.content != nil {
		for _, blob := range o.content.blobs {
			saved.Blobs = append(saved.Blobs, savedBlob{blob.name, blob.size})
		}
	}
	return d.write(d.objectPath(b, o.Key, o.Version), saved)
}

func (d *disk) removeObject(b *bucket, o *object) error {
	if d == nil {
		return nil
	}
	return os.Remove(d.objectPath(b, o.Key, o.Version))
}

func (d *disk) saveUpload(b *bucket, u *upload) error {
	if d == nil {
		return nil
	}
	return d.write(d.uploadPath(b, u.ID, ".json"), savedUpload{upload: *u, Header: savedHeader(u.Header)})
}

// removeUpload removes an upload and the list of its parts.
func (d *disk) removeUpload(b *bucket, u *upload) error {
	if d == nil {
		return nil
	}
	if err := os.Remove(d.uploadPath(b, u.ID, ".json")); err != nil {
		return err
	}
	err := os.Remove(d.uploadPath(b, u.ID, ".parts"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // no part has come
	}
	return err
}

// savePart adds a line to the list of an upload's parts. A later line counts
// before an earlier one of the same part.
func (d *disk) savePart(b *bucket, u *upload, p *part) error {
	if d == nil {
		return nil
	}
	line, err := json.Marshal(savedPart{part: *p, Blob: savedBlob{p.blob.name, p.blob.size}})
	if err != nil {
		return err
	}
	return appendLine(d.uploadPath(b, u.ID, ".parts"), append(line, '\n'))
}

// appendLine adds a line to a file, or leaves the file as it was.
func appendLine(path string, line []byte) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if _, err = f.Write(line); err != nil {
		return errors.Join(err, f.Truncate(info.Size()))
	}
	return nil
}

// write puts v, as JSON, at a path, at once or not at all.
func (d *disk) write(path string, v any) (err error) {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Join(d.dir, "incoming"), "meta-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return rename(f.Name(), path)
}

func readJSON(path string, v any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
