package storage

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
)

// The forms in which state stands in files.
type (
	savedBlob struct {
		Name string
		Size int64
	}
	savedObject struct {
		Object
		Header savedHeader
		Blobs  []savedBlob `json:",omitempty"`
	}
	savedUpload struct {
		Upload
		Header savedHeader
	}
	savedPart struct {
		Part
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

// What follows says what a file cannot have got from a server: the file is
// damaged, or somebody else's.

func (b *Bucket) checkSaved(name string) error {
	switch {
	case b.Name != name:
		return fmt.Errorf("the bucket is called %q; want %q", b.Name, name)
	case !slices.Contains(BucketACLs, b.ACL):
		return fmt.Errorf("ACL %q", b.ACL)
	case !slices.Contains(StorageClasses, b.StorageClass):
		return fmt.Errorf("storage class %q", b.StorageClass)
	case !slices.Contains([]string{"", VersioningEnabled, VersioningSuspended}, b.Versioning):
		return fmt.Errorf("versioning %q", b.Versioning)
	case b.CORS != nil && b.CORS.Check() != nil:
		return errors.New("CORS rules that OSS would refuse")
	}
	return nil
}

func (o *savedObject) check() error {
	switch {
	case CheckKey(o.Key) != nil:
		return fmt.Errorf("object name %q", o.Key)
	case o.Version != NullVersion && !isVersionID(o.Version):
		return fmt.Errorf("version %q", o.Version)
	case o.Seq == 0 || o.Seq > math.MaxUint64/2:
		return fmt.Errorf("sequence number %d", o.Seq)
	case o.Marker && len(o.Blobs) == 0:
		return nil
	case o.Marker:
		return errors.New("a delete marker with a body")
	case o.Type != "Normal" && o.Type != "Multipart":
		return fmt.Errorf("object type %q", o.Type)
	case o.UploadID != "" && !isID(o.UploadID):
		return fmt.Errorf("upload ID %q", o.UploadID)
	}
	return checkSavedAttributes(o.Attributes, o.Header)
}

func (u *savedUpload) check(id string) error {
	switch {
	case u.ID != id:
		return fmt.Errorf("the upload's ID is %q", u.ID)
	case CheckKey(u.Key) != nil:
		return fmt.Errorf("object name %q", u.Key)
	}
	return checkSavedAttributes(u.Attributes, u.Header)
}

func checkSavedAttributes(a Attributes, h savedHeader) error {
	switch {
	case !slices.Contains(StorageClasses, a.StorageClass):
		return fmt.Errorf("storage class %q", a.StorageClass)
	case !slices.Contains(ObjectACLs, a.ACL):
		return fmt.Errorf("ACL %q", a.ACL)
	case len(h["Content-Type"]) != 1:
		return fmt.Errorf("%d values of Content-Type", len(h["Content-Type"]))
	}
	for name := range h {
		if !slices.Contains(KeptHeaders, name) && !strings.HasPrefix(name, MetaPrefix) {
			return fmt.Errorf("header %q", name)
		}
	}
	return nil
}

func (p *savedPart) check() error {
	switch {
	case p.Number < 1 || p.Number > MaxParts:
		return fmt.Errorf("part number %d", p.Number)
	case p.Size != p.Blob.Size:
		return fmt.Errorf("part %d has %d bytes, its body %d", p.Number, p.Size, p.Blob.Size)
	}
	return nil
}
