package output

import (
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// Version is that of the events: programs can rely on the fields of one version.
const Version = 1

// An Event is one line of JSON. Which fields it has depends on its type:
//
//	start      a file was started
//	progress   at most once a second for each file
//	retry      a request failed and will be made again
//	waiting    a file waits for something
//	done       the object is stored
//	skipped    the object was there
//	failed     the file failed
//	planned    a dry run would upload the file
//	canceled   the file was canceled
//	notice     something a person should know
//	error      the run failed, for no single file
//	summary    the last line, always
//
// Subcommands have further types, with the same fields.
type Event struct {
	V    int       `json:"v"`
	Type string    `json:"type"`
	Time time.Time `json:"time"`
	File int64     `json:"file,omitempty"` // the same number in all events of a file
	Path string    `json:"path,omitempty"`
	// PathBytes is a path that is not UTF-8, in Base64: in path, each wrong byte is U+FFFD.
	PathBytes []byte `json:"path_bytes,omitempty"`
	Bucket    string `json:"bucket,omitempty"`
	Object    string `json:"object,omitempty"`

	UploadID string `json:"upload_id,omitempty"` // of upload
	Job      string `json:"job,omitempty"`       // of job: its ID
	Message  string `json:"message,omitempty"`

	Size     *int64 `json:"size,omitempty"` // bytes; missing: not known
	Uploaded *int64 `json:"uploaded,omitempty"`

	// Of done and skipped.
	ETag         string  `json:"etag,omitempty"`
	CRC64        *uint64 `json:"crc64,omitempty,string"`
	Verified     *bool   `json:"verified,omitempty"`
	Parts        int     `json:"parts,omitempty"`
	ResumedBytes *int64  `json:"resumed_bytes,omitempty"`
	SentBytes    *int64  `json:"sent_bytes,omitempty"`
	Location     string  `json:"location,omitempty"`
	VersionID    string  `json:"version_id,omitempty"`
	Duration     float64 `json:"duration,omitempty"` // seconds

	// Of retry, waiting, failed and error.
	Error     string  `json:"error,omitempty"`
	Code      string  `json:"code,omitempty"` // of OSS, or of package upload
	Op        string  `json:"op,omitempty"`
	Status    int     `json:"status,omitempty"`
	RequestID string  `json:"request_id,omitempty"`
	Part      int     `json:"part,omitempty"`
	Attempt   int     `json:"attempt,omitempty"`
	Delay     float64 `json:"delay,omitempty"` // seconds
	For       string  `json:"for,omitempty"`   // credentials, network and so on: what is waited for

	// Of setting and version.
	Name     string `json:"name,omitempty"`
	Value    string `json:"value,omitempty"` // of a secret: only that there is one
	Origin   string `json:"origin,omitempty"`
	Go       string `json:"go,omitempty"`
	Platform string `json:"platform,omitempty"`

	Identity *Identity `json:"identity,omitempty"` // of a finding of whoami
	Summary  *Summary  `json:"summary,omitempty"`
}

// An Identity is who has the credentials, as STS says.
type Identity struct {
	Type        string `json:"type"` // Account, RAMUser or AssumedRoleUser
	AccountID   string `json:"account_id"`
	UserID      string `json:"user_id,omitempty"`
	RoleID      string `json:"role_id,omitempty"`
	ARN         string `json:"arn"`
	PrincipalID string `json:"principal_id"`
	RequestID   string `json:"request_id"`
}

// A Summary is what a run has done.
type Summary struct {
	Files    int              `json:"files"` // that were found
	Uploaded int              `json:"uploaded"`
	Skipped  int              `json:"skipped"`
	Failed   int              `json:"failed"`
	Canceled int              `json:"canceled"`
	Planned  int              `json:"planned,omitempty"`  // of a dry run
	Extra    int              `json:"extra,omitempty"`    // of verify: objects that have no file
	Left     int              `json:"left"`               // that did not end
	Unlisted bool             `json:"unlisted,omitempty"` // the run ended before it had found all files
	Kept     int64            `json:"kept_bytes"`         // of files that did not end: the next run need not send them
	Bytes    int64            `json:"bytes"`              // of the objects that were stored
	Sent     int64            `json:"sent_bytes"`         // retries included
	Resumed  int64            `json:"resumed_bytes"`
	Retries  int64            `json:"retries"`
	Reasons  map[string]int64 `json:"retries_by_code,omitempty"`
	Duration float64          `json:"duration"` // seconds
	ExitCode int              `json:"exit_code"`
}

// of returns an event about a file.
func of(kind string, f upload.FileInfo) Event {
	e := Event{Type: kind, File: int64(f.ID), Path: f.Path, Bucket: f.Bucket, Object: f.Object}
	if f.Size >= 0 {
		e.Size = &f.Size
	}
	return e
}

// because adds what is known of an error.
func (e Event) because(err error) Event {
	e.Error = Text(err)
	var about *upload.Error
	if errors.As(err, &about) {
		e.Code, e.Op, e.Status, e.RequestID, e.Part = about.Code, about.Op, about.Status, about.RequestID, about.Part
	}
	return e
}

// with adds what became of the file's bytes.
func (e Event) with(r upload.Result) Event {
	e.Bucket, e.Object, e.ETag, e.Location, e.VersionID = r.Bucket, r.Object, r.ETag, r.Location, r.VersionID
	e.CRC64, e.Verified, e.Parts, e.Duration = &r.CRC64, &r.Verified, r.Parts, r.Duration.Seconds()
	e.Size, e.ResumedBytes, e.SentBytes = &r.Size, &r.ResumedBytes, &r.SentBytes
	return e
}

// A lines writes events, one on each line.
type lines struct{ to *json.Encoder }

func newLines(w io.Writer) *lines {
	to := json.NewEncoder(w)
	to.SetEscapeHTML(false)
	return &lines{to}
}

// write writes one event. Whether the writer failed is for the end of the run.
func (l *lines) write(e Event) {
	if l != nil {
		_ = l.to.Encode(e)
	}
}
