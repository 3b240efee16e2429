package upload

import (
	"time"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// ObjectOptions are the properties of the object to be made. Any number of files may share
// them, of several clients too: for a long list that saves memory. They are read until
// the last of these files has left its list. Do not change them once a file was added:
// neither the struct nor what its fields hold; make another for other properties.
type ObjectOptions struct {
	// ContentType of the object. The default is the type of Object's or Path's
	// extension; without one, what the first 512 bytes look like (not of a Reader), or
	// "application/octet-stream".
	ContentType string

	// CacheControl, ContentDisposition, ContentEncoding and Expires are sent back to
	// those who download the object.
	CacheControl       string
	ContentDisposition string
	ContentEncoding    string
	Expires            time.Time

	// StorageClass is Standard, IA, Archive, ColdArchive or DeepColdArchive. The
	// default is the bucket's.
	StorageClass string

	// ACL is private, public-read, public-read-write or default. The default is the
	// bucket's.
	ACL string

	// Metadata is kept with the object, as x-oss-meta- headers: at most 8 KB, with the
	// headers' names. A name has letters, digits and hyphens, and its case does not
	// matter; a value is printable ASCII, and spaces around it are not kept (OSS
	// documentation, EC 0011-00000004 and 0011-00000005). Encode other text, in base64
	// for example.
	Metadata map[string]string

	// Tags are the object's tags: at most 10. They need the right oss:PutObjectTagging
	// besides oss:PutObject (OSS documentation, EC 0003-00000905).
	Tags map[string]string

	// Encryption is the server-side encryption: AES256, KMS or SM4. The default is
	// the bucket's. EncryptionKeyID is the key of KMS.
	Encryption      string
	EncryptionKeyID string

	// Callback is a request that OSS makes once the object is stored.
	Callback *Callback

	// RequestPayer has the requester pay.
	RequestPayer bool

	// TrafficLimit bounds the bandwidth of each request at the server, in bit/s:
	// from 819,200 to 838,860,800. The default is no limit.
	TrafficLimit int64

	// Headers are sent as they are with the request that makes the object's
	// properties (PutObject, InitiateMultipartUpload).
	Headers map[string]string
}

// check returns an error that names what OSS, or HTTP, would refuse. o may be nil.
func (o *ObjectOptions) check() error {
	if o == nil {
		return nil
	}
	if o.Callback != nil {
		if err := o.Callback.check(); err != nil {
			return err
		}
	}
	t := o.target()
	return invalid("File.Options", t.Validate())
}

// target returns o as the requests need it. o may be nil.
func (o *ObjectOptions) target() target.ObjectOptions {
	if o == nil {
		return target.ObjectOptions{}
	}
	t := target.ObjectOptions{
		ContentType: o.ContentType, CacheControl: o.CacheControl,
		ContentDisposition: o.ContentDisposition, ContentEncoding: o.ContentEncoding,
		StorageClass: o.StorageClass, ACL: o.ACL, Metadata: o.Metadata, Tags: o.Tags,
		Encryption: o.Encryption, EncryptionKeyID: o.EncryptionKeyID,
		RequestPayer: o.RequestPayer, TrafficLimit: o.TrafficLimit, Headers: o.Headers, Expires: o.Expires,
	}
	if o.Callback != nil {
		t.Callback, t.CallbackVar = o.Callback.headers(nil)
	}
	return t
}
