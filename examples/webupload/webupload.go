// Package webupload is a page on which people pick files in a browser and upload
// them straight to a bucket, with the public web SDK of OSS and with tokens from
// the token server of package appserver.
//
// [New] returns the page as an [http.Handler], to be mounted beside the token
// server; examples/tokenserver does so with -web. The page asks it for config.json,
// which says where files go: nobody types in an endpoint or a bucket.
//
// The SDK is not in this package. "npm ci" in this folder fetches the version that
// package-lock.json names, and the handler serves its built file.
//
// # The bucket
//
// A browser lets the page use the bucket only if the bucket has a CORS rule for it:
// the page's origin, the methods PUT, POST, DELETE and HEAD, all request headers
// (*), and ETag and x-oss-request-id among the exposed headers.
package webupload

import (
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"

	"github.com/vodupload/vodupload/sts/appserver"
)

//go:embed page
var embedded embed.FS

// Options say where files go. Endpoint and Bucket are needed.
type Options struct {
	// Endpoint is a host or URL, such as oss-cn-hangzhou.aliyuncs.com. Without a
	// scheme it is https. Objects are addressed in virtual-host style, but on IP
	// addresses and localhost in path style.
	Endpoint string

	// CustomDomain says that Endpoint is a domain which is mapped to the bucket (by a
	// CNAME), such as media.example.com: no bucket's name is put before it.
	CustomDomain bool

	// Region makes requests be signed with version 4. The default is the region in
	// the endpoint's name; where there is none, the signature is version 1.
	Region string

	// Bucket takes the files, and Prefix comes before their names: it is empty or
	// ends with a slash.
	Bucket string
	Prefix string

	// Authenticate identifies who requests config.json: [appserver.Handler.Identify] of the
	// token server, which counts and logs the guesses at access codes. Where its error
	// is [appserver.ErrUnauthenticated], the page asks for an access code and sends it
	// as a bearer token. The identity's ObjectPrefix is put after Prefix. The default
	// answers everybody.
	Authenticate func(r *http.Request) (appserver.Identity, error)

	// Token is the path of the token server on this host. The default is "/".
	Token string

	// SDK is the file with the SDK. The default is the one that npm has put beside
	// this package's source, seen from the directory of the module, of this
	// package, or of another example.
	SDK string

	// PartSize is the size of a part in bytes, 100 KiB to 100 MiB: each part in
	// flight is in the browser's memory. The default is 1 MiB.
	PartSize int64

	// Parallel is how many requests the page has in flight, 1 to 6, which is what
	// a browser allows for one host. The default is 5.
	Parallel int

	// Logger gets failures of Authenticate. The default is silent.
	Logger *slog.Logger
}

// New returns the page. The error names the option that is wrong, or says how to
// get the SDK if its file is not there.
func New(opts *Options) (http.Handler, error) {
	if opts == nil {
		opts = &Options{}
	}
	o, err := opts.resolved()
	if err != nil {
		return nil, err
	}
	site, err := newSite(o)
	if err != nil {
		return nil, err
	}
	files, err := fs.Sub(embedded, "page")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(files))
	mux.HandleFunc("GET /config.json", func(w http.ResponseWriter, r *http.Request) { serveConfig(w, r, o, site) })
	mux.HandleFunc("GET /"+sdkName, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, o.SDK) })
	return secured(mux, site.origin), nil
}

// secured lets the page load nothing but its own files, and connect to nothing but
// its own server and the bucket.
func secured(next http.Handler, bucket string) http.Handler {
	policy := strings.Join([]string{
		"default-src 'self'", "connect-src 'self' " + bucket, "object-src 'none'", "base-uri 'none'",
		"form-action 'none'", "frame-ancestors 'none'",
	}, "; ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	})
}

// A config is what the page gets.
type config struct {
	Settings settings `json:"settings"`
	URL      string   `json:"url"` // of the bucket
	Bucket   string   `json:"bucket"`
	Prefix   string   `json:"prefix"`
	Token    string   `json:"token"`
	PartSize int64    `json:"partSize"`
	Parallel int      `json:"parallel"`
}

// settings are options of the SDK.
type settings struct {
	Endpoint  string `json:"endpoint"`
	Bucket    string `json:"bucket"`
	PathStyle bool   `json:"sldEnable"`
	Custom    bool   `json:"cname"`
	Region    string `json:"region,omitempty"`
	V4        bool   `json:"authorizationV4"`
}

func serveConfig(w http.ResponseWriter, r *http.Request, o *Options, s *site) {
	w.Header().Set("Cache-Control", "no-store")
	prefix := o.Prefix
	if o.Authenticate != nil {
		who, err := o.Authenticate(r)
		if err != nil {
			refuse(w, o, err)
			return
		}
		prefix += who.ObjectPrefix
	}
	body, err := json.Marshal(config{Settings: s.settings, URL: s.url, Bucket: o.Bucket, Prefix: prefix,
		Token: o.Token, PartSize: o.PartSize, Parallel: o.Parallel})
	if err != nil {
		panic(err) // strings and numbers only
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(body) // fails only if the client is gone
}

func refuse(w http.ResponseWriter, o *Options, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, appserver.ErrUnauthenticated):
		// Without WWW-Authenticate: the page asks, not the browser.
		status = http.StatusUnauthorized
	case errors.Is(err, appserver.ErrForbidden):
		status = http.StatusForbidden
	case errors.Is(err, appserver.ErrThrottled):
		w.Header().Set("Retry-After", "1")
		status = http.StatusTooManyRequests
	default:
		o.Logger.Error("authentication failed", "error", err)
	}
	http.Error(w, http.StatusText(status), status)
}
