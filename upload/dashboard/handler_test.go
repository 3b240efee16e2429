package dashboard

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/upload"
)

func TestNewRefuses(t *testing.T) {
	if _, err := New(nil, nil); !errors.Is(err, upload.ErrMissingArgument) {
		t.Errorf("no client: %v", err)
	}
	for _, host := range []string{"", "https://example.com", "example.com:443", "a b", "*"} {
		if _, err := newDashboard(&fakeClient{}, &Options{Hosts: []string{host}}); !errors.Is(err, upload.ErrInvalidArgument) {
			t.Errorf("host %q: %v", host, err)
		}
	}
}

func TestGuard(t *testing.T) {
	const page, data = "/", "/state"
	tests := []struct {
		name    string
		path    string
		headers []string
		want    int
	}{
		{"this machine", page, nil, 200},
		{"localhost", page, []string{"Host", "localhost:80"}, 200},
		{"an IPv6 address", page, []string{"Host", "[::1]:80", "RemoteAddr", "[::1]:4000"}, 200},
		{"a name of ours", page, []string{"Host", "Uploads.example.com.:443"}, 200},
		{"a name of somebody else's", page, []string{"Host", "rebound.example.net:8080"}, 421},
		{"no name", page, []string{"Host", ""}, 421},
		{"another machine", page, []string{"RemoteAddr", "192.0.2.7:4000"}, 403},
		{"a proxy on this machine", page, []string{"X-Forwarded-For", "192.0.2.7"}, 403},
		{"another proxy on this machine", page, []string{"Forwarded", "for=192.0.2.7"}, 403},
		{"the page itself", data, []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"typed in", data, []string{"Sec-Fetch-Site", "none"}, 200},
		{"a page of another site", data, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403},
		{"a page of the same site", data, []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors"}, 403},
		{"a page of another site, in an old browser", data, []string{"Origin", "https://example.net"}, 403},
		{"a page without an origin", data, []string{"Origin", "null"}, 403},
		{"the page itself, in an old browser", data, []string{"Origin", "http://127.0.0.1:8080"}, 200},
		{"a link", page, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
		{"a frame", page, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 403},
		{"nothing of that name", "/nothing", nil, 404},
		{"no way out", "/../go.mod", nil, 404},
		{"control, which is off", "/control", nil, 404},
		{"a file that is no number", "/state?file=x", nil, 400},
		{"a stream of a file that is no number", "/events?file=x", nil, 400},
	}
	d := open(t, &fakeClient{}, &Options{Hosts: []string{"uploads.example.com"}})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := ask(d, "GET", tt.path, "", tt.headers...)
			if w.Code != tt.want {
				t.Errorf("status %d, want %d", w.Code, tt.want)
			}
			for name, part := range map[string]string{
				"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			} {
				if got := w.Header().Get(name); !strings.Contains(got, part) {
					t.Errorf("%s is %q", name, got)
				}
			}
			if w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Error("other sites may read the answer")
			}
		})
	}
	if w := ask(d, "POST", "/state", ""); w.Code != 405 || w.Header().Get("Allow") != "GET" {
		t.Errorf("POST: status %d", w.Code)
	}
	if w := ask(d, "HEAD", "/events", ""); w.Code != 200 || w.Body.Len() > 0 {
		t.Errorf("HEAD: status %d", w.Code)
	}
}

func TestAdmit(t *testing.T) {
	d := open(t, &fakeClient{}, &Options{Admit: func(w http.ResponseWriter, r *http.Request) bool {
		if _, password, _ := r.BasicAuth(); password == "right" {
			return true
		}
		w.WriteHeader(http.StatusUnauthorized)
		return false
	}})
	far := []string{"RemoteAddr", "192.0.2.7:4000", "X-Forwarded-For", "198.51.100.1"}
	if got := ask(d, "GET", "/state", "", far...).Code; got != 401 {
		t.Errorf("nobody: status %d", got)
	}
	known := append(far, "Authorization", "Basic dTpyaWdodA==")
	if got := ask(d, "GET", "/state", "", known...).Code; got != 200 {
		t.Errorf("somebody known: status %d", got)
	}
	if got := ask(d, "GET", "/state", "", append(known, "Host", "rebound.example.net")...).Code; got != 421 {
		t.Errorf("under a name of somebody else's: status %d", got)
	}
}

func TestPrefixes(t *testing.T) {
	d := open(t, &fakeClient{}, nil)
	mux := http.NewServeMux()
	mux.Handle("/", d)
	mux.Handle("/up/loads/", http.StripPrefix("/up/loads", d))
	mux.Handle("/other/", http.StripPrefix("/other/", d))
	mux.Handle("/exact", http.StripPrefix("/exact", d))
	for _, prefix := range []string{"/", "/up/loads/", "/other/"} {
		for _, name := range []string{"", "main.js", "style.css", "icon.svg", "state", "files"} {
			if w := ask(mux, "GET", prefix+name, ""); w.Code != 200 {
				t.Errorf("%s%s: status %d", prefix, name, w.Code)
			}
		}
	}
	if w := ask(mux, "GET", "/exact", ""); w.Code != 308 || w.Header().Get("Location") != "exact/" {
		t.Errorf("without a slash: status %d to %q", w.Code, w.Header().Get("Location"))
	}
}

// The policy lets nothing inline run, and nothing in the page makes elements of text.
func TestPageIsStrict(t *testing.T) {
	err := fs.WalkDir(embedded, "assets", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := fs.ReadFile(embedded, name)
		if err != nil {
			return err
		}
		text := string(body)
		forbidden := []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser", "createContextualFragment", "https://"}
		if strings.HasSuffix(name, ".html") {
			forbidden = append(forbidden, "<style", " style=", " onclick=", " onload=", "javascript:", `="/`)
			if strings.Count(text, "<script") != strings.Count(text, "></script>") {
				t.Errorf("%s has an inline script", name)
			}
		}
		for _, bad := range forbidden {
			if strings.Contains(text, bad) {
				t.Errorf("%s has %s", name, bad)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestControl(t *testing.T) {
	if w := ask(open(t, &fakeClient{}, nil), "POST", "/control", `{"do":"pause"}`, "Content-Type", "application/json"); w.Code != 404 {
		t.Errorf("without Options.Control: status %d", w.Code)
	}
	const json = "application/json"
	tests := []struct {
		name    string
		body    string
		headers []string
		want    int
		did     string
	}{
		{"pause", `{"do":"pause"}`, nil, 204, "pause"},
		{"resume", `{"do":"resume"}`, nil, 204, "resume"},
		{"cancel", `{"do":"cancel","file":7}`, nil, 204, "cancel 7"},
		{"cancel what is not there", `{"do":"cancel","file":700}`, nil, 404, ""},
		{"retry", `{"do":"retry","file":8}`, nil, 204, "retry 8"},
		{"retry all that failed", `{"do":"retryFailed"}`, nil, 204, "retry 8"},
		{"parallel", `{"do":"parallel","parallel":3}`, nil, 204, "parallel 3"},
		{"something else", `{"do":"delete"}`, nil, 400, ""},
		{"no JSON", `do=pause`, nil, 400, ""},
		{"too long", `{"do":"` + strings.Repeat("x", maxCommand) + `"}`, nil, 400, ""},
		{"a form", `{"do":"pause"}`, []string{"Content-Type", "text/plain"}, 415, ""},
		{"the page itself", `{"do":"pause"}`, []string{"Sec-Fetch-Site", "same-origin"}, 204, "pause"},
		{"a page of another site", `{"do":"pause"}`, []string{"Sec-Fetch-Site", "cross-site"}, 403, ""},
		{"a link from another site", `{"do":"pause"}`, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 403, ""},
		{"a page of another site, in an old browser", `{"do":"pause"}`, []string{"Origin", "http://127.0.0.1:9999"}, 403, ""},
		{"another machine", `{"do":"pause"}`, []string{"RemoteAddr", "192.0.2.7:1"}, 403, ""},
		{"a name of somebody else's", `{"do":"pause"}`, []string{"Host", "rebound.example.net"}, 421, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &fakeClient{files: manyFiles(20)}
			d := open(t, c, &Options{Control: true})
			w := ask(d, "POST", "/control", tt.body, append([]string{"Content-Type", json}, tt.headers...)...)
			if w.Code != tt.want || strings.Join(c.did, ", ") != tt.did {
				t.Errorf("status %d, did %q; want %d, %q", w.Code, c.did, tt.want, tt.did)
			}
		})
	}
	if w := ask(open(t, &fakeClient{}, &Options{Control: true}), "GET", "/control", ""); w.Code != 405 {
		t.Errorf("GET: status %d", w.Code)
	}
}

func TestLeftovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeClient{
			left:     []upload.Leftover{{Path: "/a.mp4", Bucket: "media", Object: "in/a.mp4", UploadID: "U1", Parts: 3, Bytes: 300}},
			sweepErr: errors.New("bucket b: AccessDenied"),
		}
		d := open(t, c, &Options{Sweeps: []upload.SweepOptions{{Bucket: "a"}, {Bucket: "b", OlderThan: time.Hour}}})
		view(t, d, "")
		time.Sleep(time.Hour)
		if len(c.swept) > 0 {
			t.Error("a sweep that nobody asked for")
		}
		var got leftovers
		for range 3 {
			if err := json.Unmarshal(ask(d, "GET", "/leftovers", "").Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
		}
		if len(c.swept) != 2 {
			t.Errorf("%d sweeps for three questions at the same time, want one of each", len(c.swept))
		}
		for _, o := range c.swept {
			if !o.DryRun {
				t.Errorf("a sweep that aborts: %+v", o)
			}
		}
		if got.Count != 2 || got.Bytes != 600 || len(got.Errors) != 2 || got.Found[0].Object != "media/in/a.mp4" {
			t.Errorf("got %+v", got)
		}
		time.Sleep(sweepAge)
		if ask(d, "GET", "/leftovers", ""); len(c.swept) != 4 {
			t.Errorf("%d sweeps, want new ones later", len(c.swept))
		}
	})
}

func TestOptionsOfTheUserStayAsTheyAre(t *testing.T) {
	c := &fakeClient{}
	opts := &Options{Sweeps: []upload.SweepOptions{{Bucket: "a"}}}
	ask(open(t, c, opts), "GET", "/leftovers", "")
	if opts.Sweeps[0].DryRun {
		t.Error("the sweep was changed")
	}
}
