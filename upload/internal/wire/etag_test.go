package wire

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestBareETag(t *testing.T) {
	for given, want := range map[string]string{
		`"0123456789ABCDEF0123456789ABCDEF"`: "0123456789ABCDEF0123456789ABCDEF",
		`"0123456789abcdef"`:                 "0123456789abcdef",
		`W/"aB-2"`:                           "aB-2",
		` "a" `:                              "a",
		`a`:                                  "a",
		`""`:                                 "",
		`W/""`:                               "",
		`W/x"y`:                              `x"y`,
		`w/"a"`:                              `w/"a`, // RFC 9110: the W is a capital
		``:                                   "",
	} {
		if got := bareETag(given); got != want {
			t.Errorf("%s: got %s, want %s", given, got, want)
		}
	}
}

func TestSameETag(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"aB", "Ab", true},
		{"a", "a", true},
		{"a", "b", false},
		{"", "", false},
		{"a", "", false},
	} {
		if got := SameETag(tt.a, tt.b); got != tt.want {
			t.Errorf("%q and %q: got %t", tt.a, tt.b, got)
		}
	}
}

// What a server gives for a part goes back to it in Complete as it came.
func TestETagGoesBackAsItCame(t *testing.T) {
	for name, c := range map[string]struct{ given, back string }{
		"lower case":      {`"0123456789abcdef"`, "0123456789abcdef"},
		"weak":            {`W/"aB-cd"`, "aB-cd"},
		"without quotes":  {`aBcd`, "aBcd"},
		"an empty one":    {`""`, ""},
		"XML's own signs": {`"<&>"`, "&lt;&amp;&gt;"},
	} {
		t.Run(name, func(t *testing.T) {
			var list string
			o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				w.Header().Set("ETag", c.given)
				w.Header().Set("x-amz-request-id", "R")
				if r.Method == http.MethodHead {
					w.Header().Set("Content-Length", "1")
				}
				if r.Method == http.MethodPost {
					list = string(body)
					_, _ = io.WriteString(w, "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")
				}
			}), nil)
			p, err := putPart(t.Context(), o, bodyOf("x"))
			if err != nil {
				t.Fatal(err)
			}
			res, err := o.Complete(t.Context(), testKey, "U", []Part{p}, nil)
			if err != nil || res.ETag != p.ETag {
				t.Errorf("got %+v and %v, want the ETag of the header", res, err)
			}
			if want := `<ETag>"` + c.back + `"</ETag>`; !strings.Contains(list, want) {
				t.Errorf("sent %s, want %s in it", list, want)
			}
			if put, err := o.Put(t.Context(), testKey, bodyOf("x"), nil); err != nil || put.ETag != p.ETag {
				t.Errorf("Put: got %+v and %v", put, err)
			}
			if info, err := o.Head(t.Context(), testKey); err != nil || info.ETag != p.ETag {
				t.Errorf("Head: got %+v and %v", info, err)
			}
		})
	}
}
