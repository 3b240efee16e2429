package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vodupload/vodupload/upload"
)

// A Job is one upload for whichever worker comes first. It is stored in the engine as
// JSON, so it never holds a credential of the destination: the worker brings that.
type Job struct {
	// ID names the job: 1 to 64 letters, digits, hyphens and underscores. An ID of your
	// own, that of an order for example, makes Enqueue safe to repeat. The default is a
	// random one.
	ID string

	// Source is the URL of the bytes, like "file:///mnt/films/talk.mp4": the workers'
	// Openers decide which schemes there are. A URL with a user or a password is refused.
	// A signed URL is a secret for as long as its signature is valid: it is stored in the
	// engine, where all who may read the queue can read it, but not in checkpoints, errors
	// and logs, which leave out the query of any URL.
	Source string

	// SourceName names the bytes in the checkpoint, the same on every machine, and
	// together with the destination it names the upload. Set it where the same bytes
	// may have several URLs. The default is Source, without its query if that has a
	// signature.
	SourceName string `json:",omitempty"`

	// Endpoint, Bucket and Object are the destination, as in [upload.File].
	Endpoint string
	Bucket   string
	Object   string

	// Options are the properties of the object. A Callback with VarsOf is refused, since
	// a function cannot be stored. The default is those of the bucket.
	Options *upload.ObjectOptions `json:",omitempty"`

	// Info is sent to the media services with the file. The default is nothing.
	Info *upload.Info `json:",omitempty"`

	// IfExists says what to do if the object exists already. The default is Overwrite.
	IfExists upload.IfExists `json:",omitempty"`

	// CRC64 is the CRC-64/ECMA that the bytes are expected to have, if that is known. It
	// is compared once the object is stored: a job of other bytes is dead with
	// [ErrDigest], and its object has to be deleted by who reads that. The default is not
	// to compare.
	CRC64 *uint64 `json:",string,omitempty"`

	// NotBefore is when the job may begin, by the clock of the servers if that of a worker
	// is more than a second off. The default is at once.
	NotBefore time.Time `json:",omitzero"`

	// Trace is the context of a trace, as the headers of W3C Trace Context: "traceparent"
	// and "tracestate". It comes back in every [JobInfo], and
	// WorkerOptions.Began gets it. The default is none.
	Trace map[string]string `json:",omitempty"`
}

// Format writes the fields, and of Source no query, whatever the verb: it may have a
// signature.
func (j Job) Format(f fmt.State, _ rune) {
	type fields Job
	j.Source = shown(j.Source)
	fmt.Fprintf(f, "%+v", fields(j))
}

// LogValue is what Format writes, for log/slog.
func (j Job) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(j)) }

// maxJob is the size of a job as JSON, in bytes: a message of NATS may have 1 MiB, and a
// state has the result beside the job.
const maxJob = 256 << 10

var (
	jobID  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	scheme = regexp.MustCompile(`^[a-z][a-z0-9+.-]+$`) // one letter is a drive of Windows
)

// check returns an error that names the field that no worker could use.
func (j *Job) check() error {
	for _, f := range []struct{ name, value string }{
		{"Source", j.Source}, {"Endpoint", j.Endpoint}, {"Bucket", j.Bucket}, {"Object", j.Object},
	} {
		if f.value == "" {
			return fmt.Errorf("%w: Job.%s is empty", ErrMissingArgument, f.name)
		}
	}
	for _, f := range []struct{ name, value string }{
		{"SourceName", j.SourceName}, {"Endpoint", j.Endpoint}, {"Bucket", j.Bucket}, {"Object", j.Object},
	} {
		if !utf8.ValidString(f.value) || strings.ContainsFunc(f.value, unicode.IsControl) {
			return fmt.Errorf("%w: Job.%s: got %q, want UTF-8 without control characters", ErrInvalidArgument, f.name, f.value)
		}
	}
	if field := notText(reflect.ValueOf(*j)); field != "" {
		return fmt.Errorf("%w: Job%s is not UTF-8, which JSON would change; in a URL a byte is written like %%FF", ErrInvalidArgument, field)
	}
	if j.ID != "" && !jobID.MatchString(j.ID) {
		return fmt.Errorf("%w: Job.ID: got %q, want 1 to 64 letters, digits, hyphens and underscores", ErrInvalidArgument, j.ID)
	}
	if err := checkSource(j.Source); err != nil {
		return fmt.Errorf("%w: Job.Source: %w", ErrInvalidArgument, err)
	}
	if strings.Contains(j.Endpoint, "@") {
		return fmt.Errorf("%w: Job.Endpoint has a user: want a host, like oss-cn-hangzhou.aliyuncs.com", ErrInvalidArgument)
	}
	return j.checkOptions()
}

// notText returns the field of v, or of what is in it, that is no UTF-8; empty: there is
// none. JSON would store other bytes than it was given.
func notText(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			return " "
		}
	case reflect.Pointer, reflect.Interface:
		return notText(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if rest := notText(v.Field(i)); rest != "" {
				return strings.TrimSpace("." + v.Type().Field(i).Name + rest)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if rest := notText(v.Index(i)); rest != "" {
				return strings.TrimSpace(fmt.Sprintf("[%d]%s", i, rest))
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if notText(k) != "" || notText(v.MapIndex(k)) != "" {
				return strings.TrimSpace(fmt.Sprintf("[%q]", k))
			}
		}
	}
	return ""
}

func (j *Job) checkOptions() error {
	if j.Options == nil || j.Options.Callback == nil {
		return nil
	}
	if j.Options.Callback.VarsOf != nil {
		return fmt.Errorf("%w: Job.Options.Callback.VarsOf: a function cannot be stored; use Vars", ErrInvalidArgument)
	}
	for i, raw := range j.Options.Callback.URLs {
		if u, err := url.Parse(raw); err != nil || u.User != nil {
			return fmt.Errorf("%w: Job.Options.Callback.URLs[%d]: want a URL without a user and a password", ErrInvalidArgument, i)
		}
	}
	return nil
}

// checkSource does not show what it refuses: that may be a password.
func checkSource(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return errors.New("not a URL, like file:///mnt/films/talk.mp4 or https://origin/talk.mp4")
	case u.User != nil:
		return errors.New("the URL has a user or a password; jobs hold no credentials: give them to the Opener of the workers")
	case !scheme.MatchString(u.Scheme):
		return errors.New("the URL has no scheme, want one like file:///mnt/films/talk.mp4 or https://origin/talk.mp4")
	case u.Fragment != "":
		return errors.New("the URL has a fragment (#); a # in a name is written %23")
	}
	switch u.Scheme {
	case "file":
		if u.Host != "" || u.Opaque != "" || !strings.HasPrefix(u.Path, "/") || u.RawQuery != "" {
			return errors.New("want file:/// and an absolute path, without a host; a ? in a name is written %3F")
		}
	case "http", "https":
		if u.Host == "" {
			return fmt.Errorf("want %s:// and a host", u.Scheme)
		}
	}
	return nil
}

// signatures are the parameters of a query that sign a URL, in lower case: of OSS, S3,
// Google and Azure.
var signatures = []string{"signature", "x-oss-signature", "x-amz-signature", "x-goog-signature", "sig", "security-token", "token"}

// sourceName returns the name of the bytes in the checkpoint.
func (j *Job) sourceName() string {
	if j.SourceName != "" {
		return j.SourceName
	}
	u, err := url.Parse(j.Source)
	if err != nil {
		return j.Source // refused by check
	}
	for name := range u.Query() {
		for _, s := range signatures {
			if strings.EqualFold(name, s) {
				return shown(j.Source)
			}
		}
	}
	return j.Source
}

// shown returns a source for errors and logs, without what may be secret.
func shown(source string) string {
	u, err := url.Parse(source)
	if err != nil {
		return "(not a URL)"
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment = nil, "", false, ""
	return u.String()
}

// upload returns the name of the upload in the queue: of two jobs of the same upload only
// one can be pending. Names of any length become one token of a subject.
func (j *Job) upload() string {
	h := sha256.New()
	for _, s := range []string{j.sourceName(), j.Endpoint, j.Bucket, j.Object} {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// String names the job for people.
func (j *Job) String() string {
	return fmt.Sprintf("job %s (%s to %s/%s)", j.ID, shown(j.Source), j.Bucket, j.Object)
}
