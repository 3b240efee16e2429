package vodtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// A Key is a set of credentials. It has the fields of osstest.Key, and converts to
// it.
//
// Its text in every form leaves out the secret and the token.
type Key struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string    // empty for a long-lived key
	Expires         time.Time // the zero time: never
	Policy          string    // of a key that this server issues: a RAM policy in JSON
}

// DefaultKey is accepted by a server without Options.LookupKey.
var DefaultKey = Key{AccessKeyID: "vodtest", AccessKeySecret: "vodtest-secret"}

// String returns the key without its secrets.
func (k Key) String() string { return "vodtest.Key(" + k.AccessKeyID + ")" }

// Format writes the key without its secrets, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue returns the key without its secrets.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText encodes the key without its secrets, for XML and the like.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// GobEncode returns an error: package gob is for storing, and would store the secrets.
func (k Key) GobEncode() ([]byte, error) {
	return nil, errors.New("vodtest: keys are not for package gob")
}

// MarshalJSON encodes the key without its secrets.
func (k Key) MarshalJSON() ([]byte, error) { return json.Marshal(k.String()) }

// Options say what a [Server] is like. Each field may be left out.
type Options struct {
	// LookupKey finds the key that a call is signed with, by its ID and the security
	// token of the call. It must be safe for concurrent use. The default knows
	// [DefaultKey].
	LookupKey func(accessKeyID, securityToken string) (Key, bool)

	// Endpoint is that of the OSS server in each UploadAddress. The default is
	// https://oss-REGION.aliyuncs.com.
	Endpoint string

	// Bucket is where all media go. The default is outin-vodtest.
	Bucket string

	// CreateBucket makes Bucket, once, at the start. The default does nothing.
	CreateBucket func(bucket string) error

	// AddKey makes the OSS server accept the key of an UploadAuth. It must be safe for
	// concurrent use. The default does nothing.
	AddKey func(Key)

	// AuthLife is how long an UploadAuth is valid. The default is 3,000 seconds (VOD
	// documentation, Upload URLs and credentials).
	AuthLife time.Duration

	// CallbackURL is where notifications of events go; see [Server.Notify]. The default is
	// nowhere.
	CallbackURL string

	// AuthKey is what notifications are signed with. The default is vodtest-auth-key.
	AuthKey string

	// CallbackTransport carries the notifications. The default connects to the host of
	// CallbackURL, once for each.
	CallbackTransport http.RoundTripper

	// Region is that of the service. The default is cn-shanghai.
	Region string

	// Now is the server's clock. It must be safe for concurrent use. The default is
	// [time.Now].
	Now func() time.Time
}

// Format writes the options without their key, whatever the verb.
func (o Options) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "vodtest.Options(region %q, endpoint %q, bucket %q)", o.Region, o.Endpoint, o.Bucket)
}

func (o *Options) resolved() (Options, error) {
	var r Options
	if o != nil {
		r = *o
	}
	setDefault(&r.Region, "cn-shanghai")
	setDefault(&r.Endpoint, "https://oss-"+r.Region+".aliyuncs.com")
	setDefault(&r.Bucket, "outin-vodtest")
	setDefault(&r.AuthLife, 3000*time.Second)
	setDefault(&r.AuthKey, "vodtest-auth-key")
	if r.CallbackTransport == nil {
		r.CallbackTransport = &http.Transport{DisableKeepAlives: true}
	}
	if r.LookupKey == nil {
		r.LookupKey = func(id, token string) (Key, bool) {
			return DefaultKey, id == DefaultKey.AccessKeyID && token == ""
		}
	}
	if r.AddKey == nil {
		r.AddKey = func(Key) {}
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	if r.AuthLife < 0 {
		return r, fmt.Errorf("vodtest: AuthLife is %v; want a positive duration", r.AuthLife)
	}
	return r, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
