package osscallback

import (
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload/internal/webhook"
)

// A Verifier verifies upload callbacks of OSS. It is safe for use by many goroutines.
// Make one for a program: it keeps OSS's keys.
type Verifier struct {
	opts  *Options // a pointer, which package fmt does not follow: it has secrets
	keys  keys
	quiet webhook.Sampler
}

// New returns a verifier. Nil options are the defaults; the error names the one that is
// wrong.
func New(opts *Options) (*Verifier, error) {
	o, err := opts.resolved()
	if err != nil {
		return nil, err
	}
	o.Secrets = slices.Clone(o.Secrets)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if o.HTTPClient != nil {
		client.Transport = o.HTTPClient.Transport
	}
	return &Verifier{opts: &o, keys: keys{client: client, timeout: o.KeyTimeout, life: o.KeyLife, known: map[string]*keyEntry{}}}, nil
}

// Format writes the verifier's options without their secrets, whatever the verb.
func (v *Verifier) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "osscallback.Verifier(%v)", v.opts) }

// Verify returns what the callback r says, if OSS has signed it. The body of r can be read
// again afterwards. The errors are the ones of this package, with what is wrong.
//
// It waits for the body, and for OSS's key where that has to be fetched: both end with the
// context of r at the latest, if its server sees to that.
func (v *Verifier) Verify(r *http.Request) (*Event, error) {
	s, err := readSignature(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsigned, err)
	}
	body, err := webhook.Body(r, v.opts.MaxBody)
	switch {
	case errors.Is(err, webhook.ErrTooLarge):
		return nil, fmt.Errorf("%w: %w", ErrTooLarge, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrBody, err)
	}
	digest, err := digestOf(v.opts.RequestURI(r), body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	key, err := v.keys.get(r.Context(), s.keyPath)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if !key.verifies(digest, s.value) {
		return nil, fmt.Errorf("%w: path, query or body were altered on the way, or the path is not the one that OSS has (Options.RequestURI)", ErrSignature)
	}
	e, err := parseEvent(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBody, err)
	}
	if len(v.opts.Secrets) > 0 {
		if err := checkToken(v.opts.Secrets, e, time.Now()); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrToken, err)
		}
		delete(e.Fields, TokenVar) // it is nobody's business from here on
	}
	return e, nil
}

// A signature is what the headers of a callback say.
type signature struct {
	value   []byte
	keyPath string
}

func readSignature(r *http.Request) (signature, error) {
	if r.Method != http.MethodPost {
		return signature{}, fmt.Errorf("it is a %q, want POST", r.Method)
	}
	text, err := webhook.Header(r.Header, "Authorization")
	if err != nil {
		return signature{}, err
	}
	keyURL, err := webhook.Header(r.Header, "X-Oss-Pub-Key-Url")
	if err != nil {
		return signature{}, err
	}
	var s signature
	if len(text) > 2*maxKeyBits/8 {
		return s, fmt.Errorf("its Authorization has %d characters", len(text))
	}
	if s.value, err = base64.StdEncoding.Strict().DecodeString(text); err != nil {
		return s, fmt.Errorf("its Authorization is not base64: got %d characters", len(text))
	}
	s.keyPath, err = keyPath(keyURL)
	return s, err
}

// requestURI returns path and query of a request as they came.
func requestURI(r *http.Request) string {
	uri := r.RequestURI
	if uri == "" {
		uri = r.URL.RequestURI() // of a request that did not come through net/http
	}
	if strings.HasPrefix(uri, "/") {
		return uri
	}
	if u, err := url.Parse(uri); err == nil { // the absolute form, which proxies are sent
		return u.RequestURI()
	}
	return uri
}

// digestOf returns the MD5 of what OSS signs: the decoded path, the query as it is, a line
// break and the body (OSS documentation, Callback).
func digestOf(uri string, body []byte) (digest [md5.Size]byte, err error) {
	path, query, asked := strings.Cut(uri, "?")
	if path, err = url.PathUnescape(path); err != nil {
		return digest, errors.New("the path has a % that is no escape")
	}
	if strings.ContainsAny(path, "?\n") {
		// Nobody could say where the path ends, and the query or the body begins: what is
		// signed is the same text.
		return digest, errors.New("the path has an escaped question mark or line break")
	}
	h := md5.New()
	h.Write([]byte(path))
	if asked {
		h.Write([]byte("?" + query))
	}
	h.Write([]byte("\n"))
	h.Write(body)
	h.Sum(digest[:0])
	return digest, nil
}
