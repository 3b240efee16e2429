package storage

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// A Disk keeps a server's state in a directory:
//
//	format.json                       the version of this layout; a directory without it is not ours
//	lock                              held by the server that uses the directory
//	incoming/                         files that are being written
//	blobs/XX/NAME                     bodies
//	buckets/bucket-NAME/bucket.json   a bucket
//	  objects/HASH.VERSION.json       a version of an object; HASH is of its key
//	  uploads/ID.json                 an unfinished upload
//	  uploads/ID.parts                its parts, a line of JSON each in the order of arrival
//
// A file is written in incoming and then renamed, a part's line is written at
// once, and metadata is removed before the bodies that it names. A server that is
// killed therefore leaves either all of an object or nothing, and bodies that
// nothing names, which the next start removes. Nothing is synced: a crash of the
// machine may damage the directory. Damaged files keep the next server from
// starting; files of others are ignored. Neither are ever removed.
//
// On a nil disk all methods do nothing. The caller holds the lock of what it saves.
type Disk struct {
	dir  string
	lock *os.File
}

func (d *Disk) Close() {
	if d != nil {
		d.lock.Close()
	}
}

const bucketPrefix = "bucket-"

func (d *Disk) bucketDir(name string) string {
	// A prefix, because names such as "con" and "nul" are no files on Windows.
	return filepath.Join(d.dir, layout.buckets, bucketPrefix+name)
}

// objectPath names an object's file by a hash of the key: keys may be too long
// for a file's name, or differ in case only.
func (d *Disk) objectPath(b *Bucket, key, version string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(d.bucketDir(b.Name), "objects", hex.EncodeToString(sum[:16])+"."+version+".json")
}

func (d *Disk) uploadPath(b *Bucket, id, extension string) string {
	return filepath.Join(d.bucketDir(b.Name), "uploads", id+extension)
}

func (d *Disk) SaveBucket(b *Bucket) error {
	if d == nil {
		return nil
	}
	return d.write(filepath.Join(d.bucketDir(b.Name), "bucket.json"), b)
}

// RemoveBucket removes a bucket that is empty.
func (d *Disk) RemoveBucket(b *Bucket) error {
	if d == nil {
		return nil
	}
	dir := d.bucketDir(b.Name)
	// Without this file the rest does not count.
	if err := os.Remove(filepath.Join(dir, "bucket.json")); err != nil {
		return err
	}
	// Directories stay if there are files of others in them.
	for _, empty := range []string{filepath.Join(dir, "objects"), filepath.Join(dir, "uploads"), dir} {
		os.Remove(empty)
	}
	return nil
}

func (d *Disk) SaveObject(b *Bucket, o *Object) error {
	if d == nil {
		return nil
	}
	saved := savedObject{Object: *o, Header: savedHeader(o.Header)}
	if o.Content != nil {
		for _, blob := range o.Content.blobs {
			saved.Blobs = append(saved.Blobs, savedBlob{blob.name, blob.Size})
		}
	}
	return d.write(d.objectPath(b, o.Key, o.Version), saved)
}

func (d *Disk) RemoveObject(b *Bucket, o *Object) error {
	if d == nil {
		return nil
	}
	return os.Remove(d.objectPath(b, o.Key, o.Version))
}

func (d *Disk) SaveUpload(b *Bucket, u *Upload) error {
	if d == nil {
		return nil
	}
	return d.write(d.uploadPath(b, u.ID, ".json"), savedUpload{Upload: *u, Header: savedHeader(u.Header)})
}

// RemoveUpload removes an upload and the list of its parts.
func (d *Disk) RemoveUpload(b *Bucket, u *Upload) error {
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

// SavePart adds a line to the list of an upload's parts. A later line counts
// before an earlier one of the same part.
func (d *Disk) SavePart(b *Bucket, u *Upload, p *Part) error {
	if d == nil {
		return nil
	}
	line, err := json.Marshal(savedPart{Part: *p, Blob: savedBlob{p.Blob.name, p.Blob.Size}})
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
func (d *Disk) write(path string, v any) (err error) {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Join(d.dir, layout.incoming), incomingMeta+"*")
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
	data, err := readFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// readFile reads a file, unless something else stands in its place.
func readFile(path string) ([]byte, error) {
	if _, err := isPlainFile(path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}
