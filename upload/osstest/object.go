package osstest

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// An Object is an object as the server keeps it: its newest version, unless it
// was deleted.
type Object struct {
	Bucket string
	Key    string

	// ETag is without quotes.
	ETag string

	// Type is Normal, of PutObject, or Multipart.
	Type string

	ContentType  string
	StorageClass string

	// ACL is default unless the object was given one of its own.
	ACL string

	// VersionID is empty in a bucket that never had versions.
	VersionID string

	// Size is in bytes.
	Size int64

	// CRC64 is the object's CRC-64/ECMA, as in x-oss-hash-crc64ecma.
	CRC64 uint64 `json:",string"`

	// LastModified is by the server's clock.
	LastModified time.Time

	// Header has the headers that are stored with the object: the content
	// headers, Expires, those of encryption, X-Oss-Tagging, X-Oss-Notification,
	// and the user metadata under X-Oss-Meta-.
	Header http.Header

	content *storage.Content
}

// Open returns the object's bytes. The caller must close them. Open fails if
// the object was deleted or overwritten since it was looked up, and the server
// keeps it in a directory.
func (o Object) Open() (io.ReadCloser, error) {
	if o.content == nil {
		return nil, fmt.Errorf("osstest: open object %q: it did not come from a server", o.Key)
	}
	r, err := o.content.Open(0, o.Size)
	if err != nil {
		return nil, fmt.Errorf("osstest: open object %s/%s: %w", o.Bucket, o.Key, err)
	}
	return r, nil
}

// An Upload is a multipart upload that was neither completed nor aborted.
type Upload struct {
	Bucket    string
	Key       string
	UploadID  string
	Initiated time.Time

	// Parts are those that have arrived, by number.
	Parts []Part
}

// A Part is a part of an [Upload].
type Part struct {
	// Number is from 1 to 10,000.
	Number int

	// Size is in bytes.
	Size int64

	// ETag is the MD5 in upper-case hexadecimal digits, without quotes.
	ETag string

	// CRC64 is the part's CRC-64/ECMA.
	CRC64 uint64 `json:",string"`

	LastModified time.Time
}

// Object returns the object of that name, and whether there is one.
func (s *Server) Object(bucket, key string) (Object, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := s.buckets[bucket]
	if b == nil {
		return Object{}, false
	}
	o := b.Current(key)
	if o == nil {
		return Object{}, false
	}
	return public(b, o), true
}

// Objects returns the objects in a bucket, sorted by key. It returns nil if
// there is no such bucket.
func (s *Server) Objects(bucket string) []Object {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := s.buckets[bucket]
	if b == nil {
		return nil
	}
	objects := []Object{}
	for _, key := range slices.Sorted(maps.Keys(b.Objects)) {
		if o := b.Current(key); o != nil {
			objects = append(objects, public(b, o))
		}
	}
	return objects
}

func public(b *storage.Bucket, o *storage.Object) Object {
	return Object{
		Bucket: b.Name, Key: o.Key, ETag: o.ETag, Type: o.Type, ContentType: o.Header.Get("Content-Type"),
		StorageClass: o.StorageClass, ACL: o.ACL, VersionID: b.ShownVersion(o), Size: o.Size, CRC64: o.CRC64,
		LastModified: o.Modified, Header: o.Header.Clone(), content: o.Content,
	}
}

// Uploads returns the unfinished uploads in a bucket, sorted by key and then by
// upload ID. It returns nil if there is no such bucket.
func (s *Server) Uploads(bucket string) []Upload {
	sorted, aerr := s.sortedUploads(bucket)
	if aerr != nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	uploads := make([]Upload, 0, len(sorted))
	for _, e := range sorted {
		u := e.item
		public := Upload{Bucket: bucket, Key: u.Key, UploadID: u.ID, Initiated: u.Initiated}
		for _, p := range u.Sorted() {
			public.Parts = append(public.Parts, Part{p.Number, p.Size, p.ETag, p.CRC64, p.Modified})
		}
		uploads = append(uploads, public)
	}
	return uploads
}

// AbortUpload aborts an upload as AbortMultipartUpload does, as if somebody
// else had done so. It returns false if there is no such upload.
func (s *Server) AbortUpload(bucket, key, uploadID string) bool {
	u, aerr := s.takeUpload(bucket, key, uploadID)
	if aerr != nil {
		return false
	}
	s.dropParts(u)
	return true
}

// Buckets returns the names of all buckets, sorted.
func (s *Server) Buckets() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.buckets))
}
