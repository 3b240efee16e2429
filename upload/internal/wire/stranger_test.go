package wire

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// A store that gives no CRC64 may give no request ID either, or one in another vendor's form.
func TestAnswersOfOtherStores(t *testing.T) {
	for name, header := range map[string]string{
		"of OSS":         "X-Oss-Request-Id",
		"of S3":          "X-Amz-Request-Id",
		"another vendor": "X-Cos-Request-Id",
	} {
		t.Run(name, func(t *testing.T) {
			o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("ETag", `"A"`)
				w.Header().Set(header, "R")
				if r.Method == http.MethodHead {
					w.Header().Set("Content-Length", "1")
				}
			}), nil)
			if _, err := o.Put(t.Context(), testKey, bodyOf("x"), nil); err != nil {
				t.Error(err)
			}
			if _, err := putPart(t.Context(), o, bodyOf("x")); err != nil {
				t.Error(err)
			}
			if _, err := o.Head(t.Context(), testKey); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("no request ID, and nothing to read", func(t *testing.T) {
		o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("ETag", `"A"`)
		}), nil)
		if _, err := o.Put(t.Context(), testKey, bodyOf("x"), nil); err != nil {
			t.Error(err)
		}
		if _, err := putPart(t.Context(), o, bodyOf("x")); err != nil {
			t.Error(err)
		}
	})
}

// An answer that began as a success, white space before it, may end as an error. Its code
// counts as that of an error's status would.
func TestErrorInASuccess(t *testing.T) {
	type call func(o *Object) error
	calls := map[string]call{
		"put":      func(o *Object) error { _, err := o.Put(t.Context(), testKey, bodyOf("x"), nil); return err },
		"part":     func(o *Object) error { _, err := putPart(t.Context(), o, bodyOf("x")); return err },
		"initiate": func(o *Object) error { _, err := o.Initiate(t.Context(), testKey, nil); return err },
		"list":     func(o *Object) error { _, err := o.ListParts(t.Context(), testKey, "U"); return err },
		"complete": func(o *Object) error {
			_, err := o.Complete(t.Context(), testKey, "U", []Part{{Number: 1, ETag: "A"}}, nil)
			return err
		},
		"complete, callback": func(o *Object) error {
			_, err := o.Complete(t.Context(), testKey, "U", []Part{{Number: 1, ETag: "A"}}, &target.ObjectOptions{Callback: "e30="})
			return err
		},
	}
	for code, class := range map[string]Class{
		"InternalError":        Retry,
		"AccessDenied":         Retry, // the status says otherwise
		"SecurityTokenExpired": Token,
		"NoSuchUpload":         Restart,
		"ServiceUnavailable":   Throttle,
	} {
		for name, call := range calls {
			t.Run(name+"/"+code, func(t *testing.T) {
				o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					w.Header().Set("ETag", `"A"`)
					w.Header().Set("x-oss-request-id", "R1")
					fmt.Fprintf(w, " \n \n<?xml version=\"1.0\"?>\n<Error><Code>%s</Code><Message>m</Message><RequestId>R2</RequestId></Error>", code)
				}), nil)
				e := wantError(t, call(o), class)
				if e.Status != 200 || e.Code != code || e.RequestID != "R2" {
					t.Errorf("got %+v, want the code and the request ID of the body", e)
				}
			})
		}
	}
}
