package storage

import (
	"slices"
	"time"
)

// A Bucket and all that is in it. The server's lock guards it.
type Bucket struct {
	Name         string
	Created      time.Time
	ACL          string
	StorageClass string
	Versioning   string            // "", Enabled or Suspended
	CORS         *CORS             `json:",omitempty"` // nil: disabled
	Tags         map[string]string `json:",omitempty"` // does not change

	Objects map[string][]*Object `json:"-"` // by key; the newest version first, never empty
	Uploads map[string]*Upload   `json:"-"` // by upload ID
}

func NewBucket(name string, created time.Time) *Bucket {
	return &Bucket{
		Name: name, Created: created, ACL: "private", StorageClass: "Standard",
		Objects: map[string][]*Object{}, Uploads: map[string]*Upload{},
	}
}

// An Object is one version of an object, or a delete marker. Its fields do not
// change once it is in a bucket, except for the ACL.
type Object struct {
	Attributes
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
	UploadID string   // of the multipart upload that made it
	Content  *Content `json:"-"`
}

const NullVersion = "null"

// Current returns the newest version of an object, or nil where there is none
// or where it was deleted.
func (b *Bucket) Current(key string) *Object {
	if o := b.Newest(key); o != nil && !o.Marker {
		return o
	}
	return nil
}

// Newest is like current, but for delete markers too.
func (b *Bucket) Newest(key string) *Object {
	if versions := b.Objects[key]; len(versions) > 0 {
		return versions[0]
	}
	return nil
}

// Version returns a version of an object, or nil.
func (b *Bucket) Version(key, version string) *Object {
	for _, o := range b.Objects[key] {
		if o.Version == version {
			return o
		}
	}
	return nil
}

// Put adds a version, and returns the one that it takes the place of, if any.
func (b *Bucket) Put(o *Object) (replaced *Object) {
	if o.Version == NullVersion {
		replaced = b.Remove(o.Key, NullVersion)
	}
	b.Objects[o.Key] = slices.Insert(b.Objects[o.Key], 0, o)
	return replaced
}

// Remove takes a version out and returns it, or nil if there is none.
func (b *Bucket) Remove(key, version string) *Object {
	versions := b.Objects[key]
	i := slices.IndexFunc(versions, func(o *Object) bool { return o.Version == version })
	if i < 0 {
		return nil
	}
	removed := versions[i]
	if len(versions) == 1 {
		delete(b.Objects, key)
	} else {
		b.Objects[key] = slices.Delete(versions, i, i+1)
	}
	return removed
}

// ShownVersion returns the version ID that answers show: none in a bucket that
// never had versions.
func (b *Bucket) ShownVersion(o *Object) string {
	if b.Versioning == "" && o.Version == NullVersion {
		return ""
	}
	return o.Version
}

// Clone returns a bucket with the same objects and uploads, whose own
// properties can be changed and then thrown away.
func (b *Bucket) Clone() *Bucket {
	c := *b
	return &c
}

// OverwriteForbidden reports whether an object stands in the way of a request that
// does not want to overwrite. Where there are versions, nothing is overwritten.
func (b *Bucket) OverwriteForbidden(key string, forbid bool) bool {
	return forbid && b.Versioning == "" && b.Current(key) != nil
}

// An Upload is a multipart upload that was neither completed nor aborted.
// The server's lock guards it.
type Upload struct {
	Attributes
	ID         string
	Key        string
	Initiated  time.Time
	Sequential bool

	Parts map[int]*Part `json:"-"` // by number
}

// A Part of an upload. It does not change.
type Part struct {
	Number   int
	Size     int64
	ETag     string // without quotes
	CRC64    uint64
	Modified time.Time
	Blob     *Blob `json:"-"`
}

// Sorted returns the parts in the order of their numbers.
func (u *Upload) Sorted() []*Part {
	parts := make([]*Part, 0, len(u.Parts))
	for _, p := range u.Parts {
		parts = append(parts, p)
	}
	slices.SortFunc(parts, func(a, b *Part) int { return a.Number - b.Number })
	return parts
}
