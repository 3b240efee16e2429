package fleet_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet"
)

func TestJobsAreChecked(t *testing.T) {
	q := newQueue(t)
	for name, tt := range map[string]struct {
		change func(*fleet.Job)
		want   error
		text   string // that the error has
	}{
		"no source":              {func(j *fleet.Job) { j.Source = "" }, fleet.ErrMissingArgument, "Job.Source"},
		"no endpoint":            {func(j *fleet.Job) { j.Endpoint = "" }, fleet.ErrMissingArgument, "Job.Endpoint"},
		"no bucket":              {func(j *fleet.Job) { j.Bucket = "" }, fleet.ErrMissingArgument, "Job.Bucket"},
		"no object":              {func(j *fleet.Job) { j.Object = "" }, fleet.ErrMissingArgument, "Job.Object"},
		"a path":                 {func(j *fleet.Job) { j.Source = "/films/talk.mp4" }, fleet.ErrInvalidArgument, "no scheme"},
		"a Windows path":         {func(j *fleet.Job) { j.Source = `C:\films\talk.mp4` }, fleet.ErrInvalidArgument, "Job.Source"},
		"a relative file":        {func(j *fleet.Job) { j.Source = "file:talk.mp4" }, fleet.ErrInvalidArgument, "absolute path"},
		"a file of a host":       {func(j *fleet.Job) { j.Source = "file://films/talk.mp4" }, fleet.ErrInvalidArgument, "without a host"},
		"a file with a ?":        {func(j *fleet.Job) { j.Source = "file:///films/why?.mp4" }, fleet.ErrInvalidArgument, "%3F"},
		"a fragment":             {func(j *fleet.Job) { j.Source = "file:///films/#1.mp4" }, fleet.ErrInvalidArgument, "%23"},
		"no host":                {func(j *fleet.Job) { j.Source = "https:///talk.mp4" }, fleet.ErrInvalidArgument, "host"},
		"no URL":                 {func(j *fleet.Job) { j.Source = "https://origin/%zz" }, fleet.ErrInvalidArgument, "not a URL"},
		"a user":                 {func(j *fleet.Job) { j.Source = "https://me:secret@origin/talk.mp4" }, fleet.ErrInvalidArgument, "credentials"},
		"a user alone":           {func(j *fleet.Job) { j.Source = "https://secret@origin/talk.mp4" }, fleet.ErrInvalidArgument, "credentials"},
		"a user, and no URL":     {func(j *fleet.Job) { j.Source = "https://me:secret@origin:port/talk.mp4" }, fleet.ErrInvalidArgument, "not a URL"},
		"a user in the endpoint": {func(j *fleet.Job) { j.Endpoint = "http://me:secret@oss" }, fleet.ErrInvalidArgument, "Job.Endpoint"},
		"a user in a callback": {func(j *fleet.Job) {
			j.Options = &upload.ObjectOptions{Callback: &upload.Callback{URLs: []string{"https://me:secret@app"}}}
		}, fleet.ErrInvalidArgument, "Callback.URLs[0]"},
		"a function": {func(j *fleet.Job) {
			j.Options = &upload.ObjectOptions{Callback: &upload.Callback{VarsOf: func(_, _ string) map[string]string { return nil }}}
		}, fleet.ErrInvalidArgument, "VarsOf"},
		"an ID of two tokens": {func(j *fleet.Job) { j.ID = "a.b" }, fleet.ErrInvalidArgument, "Job.ID"},
		"an ID of all":        {func(j *fleet.Job) { j.ID = "*" }, fleet.ErrInvalidArgument, "Job.ID"},
		"a long ID":           {func(j *fleet.Job) { j.ID = strings.Repeat("x", 65) }, fleet.ErrInvalidArgument, "Job.ID"},
		"a line in a name":    {func(j *fleet.Job) { j.Object = "a\nb" }, fleet.ErrInvalidArgument, "Job.Object"},
		"a source in Latin 1": {func(j *fleet.Job) { j.Source = "file:///films/caf\xe9.mp4" }, fleet.ErrInvalidArgument, "Job.Source is not UTF-8"},
		"a type in Latin 1": {func(j *fleet.Job) {
			j.Options = &upload.ObjectOptions{Metadata: map[string]string{"place": "caf\xe9"}}
		}, fleet.ErrInvalidArgument, `Job.Options.Metadata["place"] is not UTF-8`},
		"a tag in Latin 1":       {func(j *fleet.Job) { j.Info = &upload.Info{Tags: []string{"bar", "caf\xe9"}} }, fleet.ErrInvalidArgument, "Job.Info.Tags[1] is not UTF-8"},
		"a time that is no date": {func(j *fleet.Job) { j.NotBefore = time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC) }, fleet.ErrInvalidArgument, "Job cannot be stored: json"},
		"a novel":                {func(j *fleet.Job) { j.Trace = map[string]string{"traceparent": strings.Repeat("x", 1<<20)} }, fleet.ErrInvalidArgument, "bytes as JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			job := film("talk.mp4")
			tt.change(&job)
			_, err := q.Enqueue(t.Context(), job)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want %v that says %q", err, tt.want, tt.text)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error has the password: %v", err)
			}
		})
	}
	if c, err := q.Counts(t.Context()); err != nil || c != (fleet.Counts{}) {
		t.Errorf("got %+v, %v; want nothing to be left of what was refused", c, err)
	}
}
