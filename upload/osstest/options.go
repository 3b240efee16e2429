package osstest

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// Options say what a [Server] is like. Each field may be left out.
type Options struct {
	// Region is the region that the server pretends to be in. Signatures of
	// version 4 have to name it. The default is cn-hangzhou.
	Region string

	// Dir is a directory that keeps all that is stored, for the next server with
	// the same Dir. It must be missing, empty, or one that a server made: [New]
	// refuses any other, and changes nothing in it. Files of others inside are
	// ignored. One server at a time can use it. By default everything is kept in
	// memory and gone with the server.
	Dir string

	// Buckets are created at the start, unless Dir has them already.
	Buckets []string

	// Keys are the credentials that requests may be signed with. The default
	// is [DefaultKey] alone, or none where LookupKey is given.
	Keys []Key

	// LookupKey is asked for the access key IDs that are not in Keys, with the
	// security token of the request, if it has one. It must be safe for
	// concurrent use. It is the place to connect an STS server.
	LookupKey func(accessKeyID, securityToken string) (Key, bool)

	// RefuseV1 answers 403 with the EC 0002-00000080 to requests that are signed by
	// version 1, as OSS does to accounts that are newer than 1 March 2025 and for
	// buckets that are newer than 1 September 2025 (Notice on the discontinuation of the
	// OSS V1 signature algorithm). The default is false, for accounts that are older.
	RefuseV1 bool

	// Now is the server's clock: for signatures, expiry, time stamps and the
	// Date header. It must be safe for concurrent use. The default is
	// [time.Now].
	Now func() time.Time

	// Seed drives what faults leave to chance. Servers with equal seeds and
	// equal requests make equal choices. The default is 0.
	Seed uint64

	// KeepRequests is how many calls the log of [Server.Requests] keeps: the
	// newest ones. Negative: none. The default is 100,000. Whatever the number,
	// the log keeps no more than about 256 MiB.
	KeepRequests int

	// Hosts are further host names that the server answers to in virtual-host
	// style: under the host "oss.test", a request to media.oss.test is for the
	// bucket media. The endpoints below aliyuncs.com, and localhost, are always
	// among them. All other hosts, IP addresses included, use path style.
	Hosts []string

	// CustomDomains are the domains that are mapped to buckets (OSS documentation,
	// Access OSS through a custom domain name): the host name, without a port, and the
	// bucket. There, the whole path is the object's name.
	CustomDomains map[string]string

	// CORS are the rules that new buckets begin with; PutBucketCors changes them.
	// The default is none: pages in a browser cannot use the server.
	CORS []CORSRule

	// ETags is how ETags are written, for tests of clients that meet other servers
	// than OSS. The default is ETagsUpper, as OSS does.
	ETags ETagForm

	// BodyTimeout is how long a request's body may make no progress before the
	// server answers RequestTimeout and closes the connection. A server that
	// listens gives the header of a request that long, too. The default is one
	// minute.
	BodyTimeout time.Duration

	// OnStored is called for each object that PutObject or CompleteMultipartUpload has
	// stored, before the call is answered. It must be safe for concurrent use. The default
	// does nothing.
	OnStored func(bucket, object string, size int64)

	// CallbackTimeout is how long a callback server may take to answer. The
	// default is 5 seconds, as in the OSS documentation, Callback.
	CallbackTimeout time.Duration

	// CallbackTransport carries the callbacks. It must be safe for concurrent
	// use. The default connects to whatever host a callback's URL names, once
	// for each callback; a test that must not leave the machine gives its own.
	CallbackTransport http.RoundTripper
}

// Format writes the fields without their secrets, whatever the verb: for one that does
// not fit, package fmt would print them itself.
func (o Options) Format(f fmt.State, _ rune) {
	type fields Options
	fmt.Fprintf(f, "%+v", fields(o))
}

// resolved returns the options with the defaults filled in, or an error that
// names the option that is wrong.
func (o *Options) resolved() (Options, error) {
	var r Options
	if o != nil {
		r = *o
	}
	if r.Region == "" {
		r.Region = "cn-hangzhou"
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	if r.BodyTimeout == 0 {
		r.BodyTimeout = time.Minute
	}
	if r.CallbackTimeout == 0 {
		r.CallbackTimeout = 5 * time.Second
	}
	if r.CallbackTransport == nil {
		r.CallbackTransport = &http.Transport{DisableKeepAlives: true}
	}
	return r, r.validate()
}

func (o *Options) validate() error {
	if o.BodyTimeout < 0 || o.CallbackTimeout < 0 {
		return fmt.Errorf("osstest: a timeout in the options is negative: BodyTimeout %v, CallbackTimeout %v", o.BodyTimeout, o.CallbackTimeout)
	}
	for _, k := range o.Keys {
		if err := k.validate(); err != nil {
			return err
		}
	}
	for _, h := range o.Hosts {
		if h == "" || strings.ContainsAny(h, ":/") {
			return fmt.Errorf("osstest: host %q in the options is not a host name; give it without scheme and port", h)
		}
	}
	for h, bucket := range o.CustomDomains {
		if h == "" || h != strings.ToLower(h) || strings.ContainsAny(h, ":/") {
			return fmt.Errorf("osstest: custom domain %q in the options is not a host name; give it in lower case, without scheme and port", h)
		}
		if !storage.ValidBucketName(bucket) {
			return fmt.Errorf("osstest: custom domain %s in the options is mapped to %q, which is not a bucket name", h, bucket)
		}
	}
	if err := validateCORS(o.CORS); err != nil {
		return err
	}
	for _, b := range o.Buckets {
		if !storage.ValidBucketName(b) {
			return fmt.Errorf("osstest: %q in the options is not a bucket name; want 3 to 63 of a-z, 0-9 and hyphens", b)
		}
	}
	return nil
}
