package osstest

import (
	"slices"
	"time"
)

// A bucket and all that is in it. Server.mu guards it.
type bucket struct {
	Name         string
	Created      time.Time
	ACL          string
	StorageClass string
	Versioning   string             // "", Enabled or Suspended
	CORS         *corsConfiguration `json:",omitempty"` // nil: disabled
	Tags         map[string]string  `json:",omitempty"` // does not change

	objects map[string][]*object // by key; the newest version first, never empty
	uploads map[string]*upload   // by upload ID
}

func newBucket(name string, created time.Time) *bucket {
	return &bucket{
		Name: name, Created: created, ACL: "private", StorageClass: "Standard",
		objects: map[string][]*object{}, uploads: map[string]*upload{},
	}
}

// An object is one version of an object, or a delete marker. Its fields do not
// change once it is in a bucket, except for the ACL.
type object struct {
	attributes
	Key      string
	Version  string // "null" where versioning was off
	Seq      uint64 // greater in what was stored later
	Marker   bool
	Type     string // Normal or Multipart
	ETag     string // without quotes
	MD5      string // base64; "" where OSS does not return it
	Size     int64
	CRC64    uint64
	Modified time.Time
	UploadID string // of the multipart upload that made it
	content  *content
}

const nullVersion = "null"

// current returns the newest version of an object, or nil where there is none
// or where it was deleted.
func (b *bucket) current(key string) *object {
	if o := b.newest(key); o != nil && !o.Marker {
		return o
	}
	return nil
}

// newest is like current, but for delete markers too.
func (b *bucket) newest(key string) *object {
	if versions := b.objects[key]; len(versions) > 0 {
		return versions[0]
	}
	return nil
}

// version returns a version of an object, or nil.
func (b *bucket) version(key, version string) *object {
	for _, o := range b.objects[key] {
		if o.Version == version {
			return o
		}
	}
	return nil
}

// put adds a version, and returns the one that it takes the place of, if any.
func (b *bucket) put(o *object) (replaced *object) {
	if o.Version == nullVersion {
		replaced = b.remove(o.Key, nullVersion)
	}
	b.objects[o.Key] = slices.Insert(b.objects[o.Key], 0, o)
	return replaced
}

// remove takes a version out and returns it, or nil if there is none.
func (b *bucket) remove(key, version string) *object {
	versions := b.objects[key]
	i := slices.IndexFunc(versions, func(o *object) bool { return o.Version == version })
	if i < 0 {
		return nil
	}
	removed := versions[i]
	if len(versions) == 1 {
		delete(b.objects, key)
	} else {
		b.objects[key] = slices.Delete(versions, i, i+1)
	}
	return removed
}

// overwriteForbidden reports whether an object stands in the way of a request that
// does not want to overwrite. Where there are versions, nothing is overwritten.
func (b *bucket) overwriteForbidden(key string, forbid bool) bool {
	return forbid && b.Versioning == "" && b.current(key) != nil
}

// An upload is a multipart upload that was neither completed nor aborted.
// Server.mu guards it.
type upload struct {
	attributes
	ID         string
	Key        string
	Initiated  time.Time
	Sequential bool

	parts map[int]*part
}

// A part of an upload. It does not change.
type part struct {
	Number   int
	Size     int64
	ETag     string // without quotes
	CRC64    uint64
	Modified time.Time
	blob     *blob
}

// sorted returns the parts in the order of their numbers.
func (u *upload) sorted() []*part {
	parts := make([]*part, 0, len(u.parts))
	for _, p := range u.parts {
		parts = append(parts, p)
	}
	slices.SortFunc(parts, func(a, b *part) int { return a.Number - b.Number })
	return parts
}
