package upload

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxCallbackURLs is how many servers a [Callback] may name (OSS documentation,
// Callback).
const maxCallbackURLs = 5

// A Callback is a request that OSS makes to a server of yours once the object is
// stored. That server's answer, JSON of at most 1 MB within 5 s, is the
// CallbackBody of the [Result]. If that server fails, the file fails with the code
// CallbackFailed, although the object is stored.
type Callback struct {
	URLs     []string          // one to five; the next is tried when one fails
	Host     string            // of the request; empty: the URL's
	Body     string            // with variables like ${object}, ${size} and ${x:mine}
	BodyType string            // empty: application/x-www-form-urlencoded
	Vars     map[string]string // values of variables of your own; their names begin with "x:"
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
	if c.Body == "" {
		return fmt.Errorf("%w: Callback.Body is empty", ErrMissingArgument)
	}
	for _, f := range []struct{ field, value string }{{"Host", c.Host}, {"Body", c.Body}, {"BodyType", c.BodyType}} {
		if !utf8.ValidString(f.value) { // JSON would change it
			return fmt.Errorf("%w: Callback.%s is not valid UTF-8", ErrInvalidArgument, f.field)
		}
	}
	if strings.ContainsFunc(c.Host+c.BodyType, unicode.IsControl) {
		return fmt.Errorf("%w: Callback: a control character in Host or BodyType, which become headers", ErrInvalidArgument)
	}
	for name, value := range c.Vars {
		if !strings.HasPrefix(name, "x:") || name == "x:" || name != strings.ToLower(name) {
			return fmt.Errorf("%w: Callback.Vars: got %q, want a lower-case name that begins with \"x:\"", ErrInvalidArgument, name)
		}
		if !utf8.ValidString(name + value) {
			return fmt.Errorf("%w: Callback.Vars: %q is not valid UTF-8", ErrInvalidArgument, name)
		}
	}
	return nil
}

// headers returns the values of x-oss-callback and x-oss-callback-var.
func (c *Callback) headers() (callback, vars string) {
	callback = encode(struct {
		URL      string `json:"callbackUrl"`
		Host     string `json:"callbackHost,omitempty"`
		Body     string `json:"callbackBody"`
		BodyType string `json:"callbackBodyType,omitempty"`
	}{strings.Join(c.URLs, ";"), c.Host, c.Body, c.BodyType})
	if len(c.Vars) > 0 {
		vars = encode(c.Vars)
	}
	return callback, vars
}
