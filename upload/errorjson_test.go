package upload_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload"
)

// TestErrorsInJSON: none of them is an empty object.
func TestErrorsInJSON(t *testing.T) {
	cause := errors.Join(errors.New("no \"right\""), errors.New("no key"))
	failed := &upload.Error{Op: "PutObject", FileID: 3, Path: "a", Part: 2, Code: "AccessDenied", Status: 403, Err: cause}
	for name, c := range map[string]struct {
		v    any
		says string
	}{
		"Error":            {failed, `no \"right\"; no key`},
		"Error, a value":   {*failed, `no \"right\"; no key`},
		"Errors":           {upload.Errors{failed}, `no \"right\"; no key`},
		"Error of no file": {&upload.Error{Op: "upload", Code: upload.CodeStopped}, `"Code":"Stopped"`},
		"no Error":         {(*upload.Error)(nil), `null`},
		"Retry":            {upload.Retry{Part: 2, Attempt: 1, Code: "AccessDenied", Err: cause}, `no \"right\"; no key`},
		"Outcome":          {upload.Outcome{Status: 403, Err: cause}, `no \"right\"; no key`},
		"Outcome, good":    {upload.Outcome{Status: 200}, `"Status":200`},
	} {
		text := string(must(json.Marshal(c.v)))
		if !strings.Contains(text, c.says) || strings.Contains(text, `{}`) {
			t.Errorf("%s: got %s, want %s in it", name, text, c.says)
		}
	}

	var read upload.Error
	if err := json.Unmarshal(must(json.Marshal(failed)), &read); err != nil {
		t.Fatal(err)
	}
	want := *failed
	want.Err = errors.New(`no "right"; no key`)
	if !reflect.DeepEqual(read, want) {
		t.Errorf("got %+v, want %+v", read, want)
	}
}

// TestErrorInLogs is its text, in each handler of package slog; a handler of another one finds
// it.
func TestErrorInLogs(t *testing.T) {
	var failed *upload.Error
	for _, err := range []*upload.Error{{Op: "PutObject", Path: "a", Bucket: "b", Object: "c", Code: "AccessDenied", Err: errors.New("no right")}, nil} {
		var text, object bytes.Buffer
		plain := fmt.Errorf("%s", err.Error())
		for _, logged := range []error{err, plain} {
			slog.New(slog.NewTextHandler(&text, withoutTime)).Error("failed", "error", logged)
			slog.New(slog.NewJSONHandler(&object, withoutTime)).Error("failed", "error", logged)
		}
		for _, lines := range []string{text.String(), object.String()} {
			if got, want, _ := strings.Cut(lines, "\n"); got+"\n" != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		if got, ok := err.LogValue().Resolve().Any().(error); !ok || !errors.As(got, &failed) || failed != err {
			t.Errorf("got %v, want the error in it", got)
		}
	}
}

var withoutTime = &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}}
