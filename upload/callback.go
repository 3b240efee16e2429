package upload

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// maxCallbackURLs is how many servers a [Callback] may name (OSS documentation,
// Callback).
const maxCallbackURLs = 5

// A Callback is a request that OSS makes to a server of yours once the object is
// stored. That server's answer, JSON of at most 1 MB within 5 s, is the
// CallbackBody of the [Result]. If that server fails, the file fails with the code
// CallbackFailed, although the object is stored.
//
// Package osscallback is for that server: it verifies that the request is from OSS, and
// about an object that this program has uploaded.
type Callback struct {
	URLs []string // one to five; the next is tried when one fails
	Host string   // of the request; empty: the URL's

	// SNI sends the host's name in the TLS handshake (Server Name Indication), which a
	// server with several certificates needs. The default is false, as at OSS.
	SNI bool

	// Body is what is sent, with variables like ${object}, ${size} and ${x:mine}. The
	// default is a form with all variables that OSS has, and those of Vars and VarsOf,
	// each under its own name.
	Body     string
	BodyType string // of Body: application/json, or empty for application/x-www-form-urlencoded

	// Vars are values of variables of your own; their names begin with "x:".
	Vars map[string]string

	// VarsOf returns further ones for one object, when its upload starts; they take
	// precedence over those in Vars. It is called from many goroutines. The default is
	// none.
	VarsOf func(bucket, object string) map[string]string `json:"-" xml:"-"`
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// systemVariables are those that OSS fills in (OSS documentation, Callback, system
// parameters).
var systemVariables = []string{
	"bucket", "object", "etag", "size", "mimeType", "crc64", "contentMd5", "vpcId", "clientIp", "reqId", "operation",
	"imageInfo.width", "imageInfo.height", "imageInfo.format",
}

func (c *Callback) check() error {
	if len(c.URLs) == 0 || len(c.URLs) > maxCallbackURLs {
		return fmt.Errorf("%w: Callback.URLs: got %d, want 1 to %d", ErrInvalidArgument, len(c.URLs), maxCallbackURLs)
	}
	for i, raw := range c.URLs {
		// It may hold a password: neither it nor the error of url.Parse is shown.
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Contains(raw, "#") {
			return fmt.Errorf("%w: Callback.URLs[%d]: want an http or https URL without a fragment", ErrInvalidArgument, i)
		}
	}
	switch c.BodyType {
	case "", formType:
	case jsonType:
		if c.Body == "" {
			return fmt.Errorf("%w: Callback.Body is empty, and the default is a form: leave BodyType empty, too", ErrMissingArgument)
		}
	default:
		return fmt.Errorf("%w: Callback.BodyType: got %q, want %q or %q", ErrInvalidArgument, c.BodyType, formType, jsonType)
	}
	for _, f := range []struct{ field, value string }{{"Host", c.Host}, {"Body", c.Body}, {"BodyType", c.BodyType}} {
		if !utf8.ValidString(f.value) { // JSON would change it
			return fmt.Errorf("%w: Callback.%s is not valid UTF-8", ErrInvalidArgument, f.field)
		}
	}
	if strings.ContainsFunc(c.Host, unicode.IsControl) {
		return fmt.Errorf("%w: Callback.Host: got %q, which has a control character, and becomes a header", ErrInvalidArgument, c.Host)
	}
	return checkVars("Vars", c.Vars)
}

func checkVars(field string, vars map[string]string) error {
	for name, value := range vars {
		// A brace would end the variable in the body.
		if !strings.HasPrefix(name, "x:") || name == "x:" || name != strings.ToLower(name) || strings.ContainsAny(name, "{}$ ") {
			return fmt.Errorf("%w: Callback.%s: got %q, want a lower-case name that begins with \"x:\"", ErrInvalidArgument, field, name)
		}
		if !utf8.ValidString(name + value) {
			return fmt.Errorf("%w: Callback.%s: %q is not valid UTF-8", ErrInvalidArgument, field, name)
		}
	}
	return nil
}

// body returns Body, or the default for variables of these names.
func (c *Callback) body(vars map[string]string) string {
	if c.Body != "" {
		return c.Body
	}
	var fields []string
	for _, name := range slices.Concat(systemVariables, slices.Sorted(maps.Keys(vars))) {
		fields = append(fields, strings.ReplaceAll(url.QueryEscape(name), "%3A", ":")+"=${"+name+"}")
	}
	return strings.Join(fields, "&")
}

// headers returns the values of x-oss-callback and x-oss-callback-var, for an object for
// which VarsOf returned more.
func (c *Callback) headers(more map[string]string) (callback, vars string) {
	all := maps.Clone(c.Vars)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, more)
	callback = encode(struct {
		URL      string `json:"callbackUrl"`
		Host     string `json:"callbackHost,omitempty"`
		Body     string `json:"callbackBody"`
		BodyType string `json:"callbackBodyType,omitempty"`
		SNI      bool   `json:"callbackSNI,omitempty"`
	}{strings.Join(c.URLs, ";"), c.Host, c.body(all), c.BodyType, c.SNI})
	if len(all) > 0 {
		vars = encode(all)
	}
	return callback, vars
}

// addVarsOf has VarsOf give its variables to the callback of o. It must be called without
// a lock: VarsOf is the user's.
func (c *Callback) addVarsOf(o *target.ObjectOptions, bucket, object string) (err error) {
	if c.VarsOf == nil {
		return nil
	}
	var more map[string]string
	err = transfer.Isolate("Callback.VarsOf", func() error {
		more = c.VarsOf(bucket, object)
		return nil
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidArgument, err)
	}
	if err := checkVars("VarsOf", more); err != nil {
		return err
	}
	o.Callback, o.CallbackVar = c.headers(more)
	return invalid("File", o.Validate())
}
