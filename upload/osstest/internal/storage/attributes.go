package storage

import "net/http"

const MetaPrefix = "X-Oss-Meta-"

// KeptHeaders are the headers that are stored with an object, beside its user
// metadata.
var KeptHeaders = []string{
	"Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires",
	"X-Oss-Server-Side-Encryption", "X-Oss-Server-Side-Encryption-Key-Id", "X-Oss-Server-Side-Data-Encryption",
	"X-Oss-Tagging", "X-Oss-Notification",
}

// Attributes are what PutObject and InitiateMultipartUpload say about an object
// beside its bytes.
type Attributes struct {
	Header       http.Header
	StorageClass string
	ACL          string
}

// InBucket fills in what an object has from its bucket.
func (a Attributes) InBucket(b *Bucket) Attributes {
	if a.StorageClass == "" {
		a.StorageClass = b.StorageClass
	}
	return a
}
