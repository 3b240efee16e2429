package upload

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Limits of [Info], in bytes of UTF-8 (MPS documentation, AddMedia).
const (
	maxTitle       = 128
	maxDescription = 1024
	maxCoverURL    = 3200
	maxTags        = 16
	maxTag         = 32
	maxUserData    = 1024
	maxPriority    = 10
)

// Info describes a media file for the media services. It is sent with the request that
// makes the object, as the header x-oss-notification, which the clients for mobile and
// the web send as well; MPS keeps it with the media that a workflow makes of the object.
//
// # Workflows
//
// The client starts no workflow: MPS does when OSS notifies it of a new object, however
// that was uploaded, and it gets Info as well. The MPS documentation gives these rules
// by which files trigger workflows:
//
//   - Every active workflow runs whose input path is a prefix of the object's URL. The
//     prefix is one of text, not of folders: for an object under test1/
//     the workflows with the input paths test and test1 both run. End input paths
//     with a slash.
//   - Each upload is one run, with a RunId of its own. Uploading the same object
//     again is another run.
//   - The object's name has no extension, or one of video (3gp asf avi dat dv flv f4v
//     gif m2t m3u8 m4v mj2 mjpeg mkv mov mp4 mpe mpg mpeg mts ogg qt rm rmvb swf ts vob
//     wmv webm) or audio (aac ac3 acm amr ape caf flac m4a mp3 ra wav wma aiff). Others
//     start nothing.
//   - A workflow whose TriggerMode is NotInAuto is not started by uploads; only
//     the API of MPS sets that.
//
// NoProcess, IsProcess=false in the header, requests the same for one file.
type Info struct {
	Title       string   // at most 128 bytes
	Description string   // at most 1,024 bytes
	CategoryID  int64    // 0: none
	Tags        []string // at most 16, of at most 32 bytes each, without commas
	CoverURL    string   // at most 3,200 bytes
	UserData    string   // at most 1,024 bytes; passed to callbacks and workflows as it is

	// NoProcess keeps the workflow from starting for this file.
	NoProcess bool

	// Watermark and Priority, from 1 to 10, are for the workflow. They take the
	// place of UserData, and cannot be combined with it.
	Watermark bool
	Priority  int
}

// check returns an error that names the field which is out of its limits.
func (i *Info) check() error {
	for _, f := range []struct {
		field, value string
		limit        int
	}{
		{"Title", i.Title, maxTitle},
		{"Description", i.Description, maxDescription},
		{"CoverURL", i.CoverURL, maxCoverURL},
		{"UserData", i.UserData, maxUserData},
	} {
		if len(f.value) > f.limit {
			return fmt.Errorf("%w: Info.%s: got %d bytes, want at most %d", ErrInvalidArgument, f.field, len(f.value), f.limit)
		}
	}
	if len(i.Tags) > maxTags {
		return fmt.Errorf("%w: Info.Tags: got %d, want at most %d", ErrInvalidArgument, len(i.Tags), maxTags)
	}
	for _, tag := range i.Tags {
		if len(tag) > maxTag || tag == "" || strings.Contains(tag, ",") {
			return fmt.Errorf("%w: Info.Tags: got %q, want 1 to %d bytes without a comma", ErrInvalidArgument, tag, maxTag)
		}
	}
	if i.Priority < 0 || i.Priority > maxPriority {
		return fmt.Errorf("%w: Info.Priority: got %d, want 0 for none, or 1 to %d", ErrInvalidArgument, i.Priority, maxPriority)
	}
	if i.CategoryID < 0 {
		return fmt.Errorf("%w: Info.CategoryID: got %d, want 0 for none, or more", ErrInvalidArgument, i.CategoryID)
	}
	if i.UserData != "" && (i.Watermark || i.Priority != 0) {
		return fmt.Errorf("%w: Info: got UserData together with Watermark or Priority, want one of them: they are sent in the same place", ErrInvalidArgument)
	}
	return nil
}

// A notification is the JSON of x-oss-notification. All scalars are texts there.
type notification struct {
	Vod struct {
		Title       string `json:",omitempty"`
		Description string `json:",omitempty"`
		CateID      string `json:"CateId,omitempty"`
		Tags        string `json:",omitempty"`
		CoverURL    string `json:"CoverUrl,omitempty"`
		IsProcess   string
		UserData    any `json:",omitempty"`
	}
}

// workflowData is what takes the place of the user's data.
type workflowData struct {
	IsShowWaterMark string
	Priority        string `json:",omitempty"`
}

// notification returns the value of the header.
func (i *Info) notification() string {
	var n notification
	v := &n.Vod
	v.Title, v.Description, v.CoverURL = i.Title, i.Description, i.CoverURL
	v.Tags = strings.Join(i.Tags, ",")
	v.IsProcess = strconv.FormatBool(!i.NoProcess)
	if i.CategoryID != 0 {
		v.CateID = strconv.FormatInt(i.CategoryID, 10)
	}
	switch {
	case i.Watermark || i.Priority != 0:
		w := workflowData{IsShowWaterMark: strconv.FormatBool(i.Watermark)}
		if i.Priority != 0 {
			w.Priority = strconv.Itoa(i.Priority)
		}
		v.UserData = w
	case i.UserData != "":
		v.UserData = i.UserData
	}
	return encode(n)
}

// encode returns the base64 of the JSON of v, with <, > and & as they are.
func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // only strings go in
	}
	return base64.StdEncoding.EncodeToString(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
