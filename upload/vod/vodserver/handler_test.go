package vodserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/appserver"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/vod"
	"github.com/vodupload/vodupload/upload/vod/vodserver"
	"github.com/vodupload/vodupload/upload/vod/vodtest"
)

func TestMain(m *testing.M) {
	// How net/http ends a connection whose request was not read to its end: it ends by itself.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// A world is VOD, OSS and the server between them and their users.
type world struct {
	t       *testing.T
	objects *osstest.Server
	vod     *vodtest.Server
	url     string
	log     bytes.Buffer
}

// byHeader authenticates by a header, as a test can.
func byHeader(r *http.Request) (appserver.Identity, error) {
	name := r.Header.Get("X-User")
	switch name {
	case "":
		return appserver.Identity{}, appserver.ErrUnauthenticated
	case "banned":
		return appserver.Identity{}, appserver.ErrForbidden
	}
	return appserver.Identity{Name: name}, nil
}

func newWorld(t *testing.T, opts vodserver.Options, gate appserver.Options) *world {
	t.Helper()
	w := &world{t: t}
	w.objects = osstest.NewServer(&osstest.Options{Region: vod.DefaultRegion})
	t.Cleanup(w.objects.Close)
	w.vod = vodtest.NewServer(&vodtest.Options{
		Endpoint: w.objects.URL, CreateBucket: w.objects.CreateBucket,
		AddKey: func(k vodtest.Key) { w.objects.AddKey(osstest.Key(k)) },
	})
	t.Cleanup(w.vod.Close)
	client, err := vod.NewClient(sts.Static(sts.Credentials{
		AccessKeyID: vodtest.DefaultKey.AccessKeyID, AccessKeySecret: vodtest.DefaultKey.AccessKeySecret,
	}), &vod.ClientOptions{Endpoint: w.vod.URL})
	if err != nil {
		t.Fatal(err)
	}
	if gate.Authenticate == nil {
		gate.Authenticate = byHeader
	}
	opts.Logger = slog.New(slog.NewTextHandler(&w.log, nil))
	gate.Logger = opts.Logger
	g, err := appserver.NewGate(&gate)
	if err != nil {
		t.Fatal(err)
	}
	h, err := vodserver.New(client, g, &opts)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.StripPrefix("/vod", h))
	t.Cleanup(server.Close)
	w.url = server.URL + "/vod/"
	return w
}

// An answer is what a user gets.
type answer struct {
	HTTP                                         int
	header                                       http.Header
	StatusCode, Status                           int
	RequestID                                    string `json:"RequestId"`
	VideoID                                      string `json:"VideoId"`
	ImageID                                      string `json:"ImageId"`
	ImageURL, FileURL, UploadAddress, UploadAuth string
	ErrorCode, ErrorMessage                      string
}

func (w *world) do(method, path, contentType, body string, headers ...string) answer {
	w.t.Helper()
	r, err := http.NewRequest(method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("X-User", "alice")
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	a := answer{HTTP: resp.StatusCode, header: resp.Header}
	if err != nil || len(text) > 0 && json.Unmarshal(text, &a) != nil {
		w.t.Fatalf("%s %s: got %d %q, %v", method, path, resp.StatusCode, text, err)
	}
	return a
}

const (
	form = "application/x-www-form-urlencoded"
	js   = "application/json"
)

func TestCreatesAndRefreshes(t *testing.T) {
	w := newWorld(t, vodserver.Options{}, appserver.Options{})
	for name, tt := range map[string]struct{ path, contentType, body string }{
		"in a form":    {"CreateUploadVideo", form, "Title=A+talk&FileName=a.mp4&FileSize=7&Tags=a,b&CateId=3&BusinessType=vodai"},
		"in the query": {"CreateUploadVideo?Title=A+talk&FileName=a.mp4&FileSize=7&Tags=a,+b&CateId=3&TerminalType=pc", "", ""},
		"in JSON":      {"CreateUploadVideo", js + "; charset=utf-8", `{"title":"A talk","fileName":"a.mp4","FileSize":7,"Tags":["a","b"],"CateId":"3","UUID":"x","AppVersion":null}`},
	} {
		t.Run(name, func(t *testing.T) {
			a := w.do("POST", tt.path, tt.contentType, tt.body)
			all := w.vod.Media()
			m := all[len(all)-1]
			if a.HTTP != 200 || a.StatusCode != 200 || a.Status != 200 || a.VideoID != m.ID || a.RequestID == "" || a.ErrorCode != "" {
				t.Fatalf("got %+v, want the video %s", a, m.ID)
			}
			if p := m.Params; p["Title"] != "A talk" || p["FileName"] != "a.mp4" || p["FileSize"] != "7" || p["Tags"] != "a,b" || p["CateId"] != "3" || p["BusinessType"] != "" {
				t.Errorf("VOD was asked with %v", p)
			}
			if _, err := upload.ParseUploadAddress(a.UploadAddress); err != nil {
				t.Error(err)
			}
			if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Cross-Origin-Resource-Policy") != "same-origin" {
				t.Errorf("the headers are %v", a.header)
			}
			for _, method := range []string{"POST", "GET"} {
				fresh := w.do(method, "RefreshUploadVideo?VideoId="+a.VideoID, "", "")
				if fresh.HTTP != 200 || fresh.VideoID != a.VideoID || fresh.UploadAddress != a.UploadAddress || fresh.UploadAuth == "" || fresh.UploadAuth == a.UploadAuth {
					t.Errorf("%s: got %+v, want a fresh auth", method, fresh)
				}
			}
		})
	}
	image := w.do("POST", "CreateUploadImage", form, "ImageExt=jpg&Title=x")
	if image.HTTP != 200 || image.ImageID == "" || image.ImageURL == "" || image.UploadAuth == "" || image.VideoID != "" {
		t.Errorf("got %+v, want an image", image)
	}
	if log := w.log.String(); strings.Contains(log, image.UploadAuth) || !strings.Contains(log, image.ImageID) || !strings.Contains(log, "identity=alice") {
		t.Errorf("the log has\n%s", log)
	}
}

func TestRefuses(t *testing.T) {
	w := newWorld(t, vodserver.Options{}, appserver.Options{Origins: []string{"https://good.example"}, MaxBody: 2000})
	const good = "Title=t&FileName=a.mp4"
	for what, tt := range map[string]struct {
		method, path, contentType, body string
		headers                         []string
		status                          int
		code                            string
	}{
		"nobody":                       {"POST", "CreateUploadVideo", form, good, []string{"X-User", ""}, 401, "Unauthenticated"},
		"somebody else":                {"POST", "CreateUploadVideo", form, good, []string{"X-User", "banned"}, 403, "Forbidden"},
		"a GET that makes something":   {"GET", "CreateUploadVideo?" + good, "", "", nil, 405, "MethodNotAllowed"},
		"a HEAD":                       {"HEAD", "RefreshUploadVideo?VideoId=x", "", "", nil, 405, ""},
		"a PUT":                        {"PUT", "CreateUploadVideo", form, good, nil, 405, "MethodNotAllowed"},
		"another site's page":          {"POST", "CreateUploadVideo", form, good, []string{"Origin", "https://evil.example"}, 403, "OriginNotAllowed"},
		"another site's picture":       {"GET", "RefreshUploadVideo?VideoId=x", "", "", []string{"Sec-Fetch-Site", "cross-site"}, 403, "OriginNotAllowed"},
		"another path":                 {"POST", "DeleteVideo", form, good, nil, 404, "NotFound"},
		"no path":                      {"POST", "", form, good, nil, 404, "NotFound"},
		"a path below":                 {"POST", "CreateUploadVideo/x", form, good, nil, 404, "NotFound"},
		"too large a body":             {"POST", "CreateUploadVideo", form, good + strings.Repeat("a", 2000), nil, 413, "RequestTooLarge"},
		"no title":                     {"POST", "CreateUploadVideo", form, "FileName=a.mp4", nil, 400, "InvalidParameter"},
		"no video":                     {"POST", "CreateUploadVideo", form, "Title=t&FileName=a.txt", nil, 400, "InvalidParameter"},
		"an image as a video":          {"POST", "CreateUploadVideo", form, "Title=t&FileName=a.png", nil, 400, "InvalidParameter"},
		"a title twice":                {"POST", "CreateUploadVideo", form, good + "&Title=u", nil, 400, "InvalidParameter"},
		"a title in query and form":    {"POST", "CreateUploadVideo?title=u", form, good, nil, 400, "InvalidParameter"},
		"a title of a list of numbers": {"POST", "CreateUploadVideo", js, `{"Title":[1],"FileName":"a.mp4"}`, nil, 400, "InvalidParameter"},
		"a size that is none":          {"POST", "CreateUploadVideo", form, good + "&FileSize=x", nil, 400, "InvalidParameter"},
		"broken JSON":                  {"POST", "CreateUploadVideo", js, `{"Title":`, nil, 400, "InvalidParameter"},
		"a list":                       {"POST", "CreateUploadVideo", js, `[]`, nil, 400, "InvalidParameter"},
		"text":                         {"POST", "CreateUploadVideo", "text/plain", good, nil, 400, "InvalidParameter"},
		"a bad escape":                 {"POST", "CreateUploadVideo", form, good + "&a=%zz", nil, 400, "InvalidParameter"},
		"a callback of the user's own": {"POST", "CreateUploadVideo", form, good + "&UserData=" + url.QueryEscape(`{"MessageCallback":{"CallbackURL":"http://evil"}}`), nil, 400, "InvalidParameter"},
		"a template of the user's own": {"POST", "CreateUploadVideo", form, good + "&templategroupid=x", nil, 400, "InvalidParameter"},
		"a bucket of the user's own":   {"POST", "CreateUploadImage", form, "StorageLocation=x", nil, 400, "InvalidParameter"},
		"an image of no kind":          {"POST", "CreateUploadImage", form, "ImageExt=exe", nil, 400, "InvalidParameter"},
		"no video ID":                  {"POST", "RefreshUploadVideo", form, "VideoId=", nil, 400, "InvalidParameter"},
		"a video of nobody":            {"POST", "RefreshUploadVideo", form, "VideoId=5f1c", nil, 403, "Forbidden"},
	} {
		t.Run(what, func(t *testing.T) {
			a := w.do(tt.method, tt.path, tt.contentType, tt.body, tt.headers...)
			if a.HTTP != tt.status || a.ErrorCode != tt.code || a.UploadAuth != "" || a.VideoID != "" {
				t.Errorf("got %+v, want %d %s", a, tt.status, tt.code)
			}
			if tt.code != "" && (a.StatusCode != tt.status || a.ErrorMessage == "" || a.RequestID == "") {
				t.Errorf("got %+v, want the form of appserver", a)
			}
		})
	}
	if n := w.vod.Calls(""); n != 0 {
		t.Errorf("VOD was asked %d times, want not at all", n)
	}
	good1 := w.do("POST", "CreateUploadVideo", form, good, "Origin", "https://good.example")
	if good1.HTTP != 200 || good1.header.Get("Access-Control-Allow-Origin") != "https://good.example" {
		t.Errorf("got %+v, want what a page of a known origin may have", good1)
	}
	preflight := w.do("OPTIONS", "CreateUploadVideo", "", "", "Origin", "https://good.example")
	if preflight.HTTP != 204 || w.vod.Calls("") != 1 {
		t.Errorf("got %d, want an answer to the browser's question", preflight.HTTP)
	}
}

// A video is its user's: who may refresh it may overwrite it.
func TestVideosOfOthers(t *testing.T) {
	w := newWorld(t, vodserver.Options{}, appserver.Options{})
	a := w.do("POST", "CreateUploadVideo", form, "Title=t&FileName=a.mp4")
	if b := w.do("POST", "RefreshUploadVideo", form, "VideoId="+a.VideoID, "X-User", "bob"); b.HTTP != 403 || b.UploadAuth != "" {
		t.Errorf("got %+v, want Forbidden", b)
	}
	if n := w.vod.Calls(vodtest.RefreshUploadVideo); n != 0 {
		t.Errorf("VOD was asked %d times, want not at all", n)
	}
	w.vod.Delete(a.VideoID)
	if b := w.do("POST", "RefreshUploadVideo", form, "VideoId="+a.VideoID); b.HTTP != 404 || b.ErrorCode != "InvalidVideo.NotFound" {
		t.Errorf("got %+v, want that it is gone", b)
	}
}

func TestProgramsDecide(t *testing.T) {
	failing := errors.New("database at postgres://me:hunter2@db is away")
	var made []string
	w := newWorld(t, vodserver.Options{
		Check: func(_ context.Context, who appserver.Identity, r *vodserver.Request) error {
			switch {
			case who.Name == "bob":
				return fmt.Errorf("no more videos: %w", vodserver.ErrForbidden)
			case who.Name == "carol":
				return failing
			case r.Video != nil:
				r.Video.TemplateGroupID, r.Video.Title = "group", who.Name+": "+r.Video.Title
			}
			return nil
		},
		Created: func(_ context.Context, who appserver.Identity, h vod.Handover) error {
			made = append(made, who.Name+" "+h.VideoID)
			if who.Name == "dave" {
				return failing
			}
			return nil
		},
		MayRefresh: func(_ context.Context, who appserver.Identity, videoID string) error {
			if who.Name != "admin" {
				return vodserver.ErrForbidden
			}
			return nil
		},
	}, appserver.Options{})
	const good = "Title=t&FileName=a.mp4"
	a := w.do("POST", "CreateUploadVideo", form, good)
	if m := w.vod.Media()[0]; a.HTTP != 200 || m.Params["TemplateGroupId"] != "group" || m.Params["Title"] != "alice: t" || len(made) != 1 || made[0] != "alice "+a.VideoID {
		t.Errorf("got %+v, VOD %v, the program %v", a, m.Params, made)
	}
	for user, want := range map[string]string{"bob": "403 Forbidden", "carol": "500 InternalError", "dave": "500 InternalError"} {
		b := w.do("POST", "CreateUploadVideo", form, good, "X-User", user)
		if got := fmt.Sprint(b.HTTP, " ", b.ErrorCode); got != want || b.UploadAuth != "" || strings.Contains(b.ErrorMessage, "hunter2") {
			t.Errorf("%s: got %+v, want %s", user, b, want)
		}
	}
	if b := w.do("POST", "RefreshUploadVideo", form, "VideoId="+a.VideoID, "X-User", "admin"); b.HTTP != 200 {
		t.Errorf("got %+v, want what MayRefresh allows", b)
	}
	if b := w.do("POST", "RefreshUploadVideo", form, "VideoId="+a.VideoID); b.HTTP != 403 {
		t.Errorf("got %+v, want what MayRefresh refuses", b)
	}
}

func TestWhatVODRefuses(t *testing.T) {
	w := newWorld(t, vodserver.Options{}, appserver.Options{})
	for _, tt := range []struct {
		fault  vodtest.Fault
		status int
		code   string
	}{
		{vodtest.Fault{Code: "Throttling.User"}, 503, "Throttling"},
		{vodtest.Fault{Code: "Forbidden.InitFailed"}, 502, "Forbidden.InitFailed"},
		{vodtest.Fault{LoseAnswer: true}, 502, "AnswerLost"},
	} {
		w.vod.Inject(tt.fault)
		a := w.do("POST", "CreateUploadVideo", form, "Title=t&FileName=a.mp4")
		if a.HTTP != tt.status || a.ErrorCode != tt.code || strings.Contains(a.ErrorMessage, "127.0.0.1") {
			t.Errorf("%v: got %+v, want %d %s", tt.fault, a, tt.status, tt.code)
		}
	}
}

func TestLimitsOfTheGate(t *testing.T) {
	w := newWorld(t, vodserver.Options{}, appserver.Options{Rate: 1})
	got := map[int]int{}
	for range 1000 { // until the machine is faster than one a second
		got[w.do("POST", "CreateUploadImage", form, "").HTTP]++
		if got[429] > 0 {
			break
		}
	}
	if got[200] < 2 || got[429] != 1 {
		t.Errorf("got %v, want a burst of two at least, and then a refusal", got)
	}
	if b := w.do("POST", "CreateUploadImage", form, "", "X-User", "bob"); b.HTTP != 200 {
		t.Errorf("got %+v: one user locks out another", b)
	}
}

func TestNewRefuses(t *testing.T) {
	client, err := vod.NewClient(sts.Static(sts.Credentials{}), nil)
	if err != nil {
		t.Fatal(err)
	}
	gate, err := appserver.NewGate(nil)
	if err != nil {
		t.Fatal(err)
	}
	for want, err := range map[string]error{
		"client is nil": second(vodserver.New(nil, gate, nil)), "gate is nil": second(vodserver.New(client, nil, nil)),
		"Timeout": second(vodserver.New(client, gate, &vodserver.Options{Timeout: -1})),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want one that says %q", err, want)
		}
	}
}

func second(_ *vodserver.Handler, err error) error { return err }

// A client of package upload uploads with what such a server hands out, through the end of
// its credentials.
func Example() {
	objects := osstest.NewServer(&osstest.Options{Region: vod.DefaultRegion})
	defer objects.Close()
	objects.Inject(osstest.ExpireToken(osstest.OpUploadPart).Nth(2))
	service := vodtest.NewServer(&vodtest.Options{
		Endpoint: objects.URL, CreateBucket: objects.CreateBucket,
		AddKey: func(k vodtest.Key) { objects.AddKey(osstest.Key(k)) },
	})
	defer service.Close()

	// The server, which alone may call VOD.
	client, err := vod.NewClient(sts.Static(sts.Credentials{
		AccessKeyID: vodtest.DefaultKey.AccessKeyID, AccessKeySecret: vodtest.DefaultKey.AccessKeySecret,
	}), &vod.ClientOptions{Endpoint: service.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	whoAsks, err := appserver.Bearer(map[string]appserver.Identity{"0123456789abcdef": {Name: "alice"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	gate, err := appserver.NewGate(&appserver.Options{Authenticate: whoAsks})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler, err := vodserver.New(client, gate, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(handler)
	defer server.Close()

	// A user's program.
	ask := func(action string, params url.Values) (t vod.Handover, err error) {
		r, err := http.NewRequest(http.MethodPost, server.URL+"/"+action, strings.NewReader(params.Encode()))
		if err != nil {
			return t, err
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", "Bearer 0123456789abcdef")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return t, err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return t, fmt.Errorf("%s: %s", action, resp.Status)
		}
		return t, json.NewDecoder(resp.Body).Decode(&t)
	}
	uploads, err := upload.New(&upload.Options{
		Checkpoints: checkpoint.NewMemory(),
		Callbacks: upload.Callbacks{
			OnStarted: func(c *upload.Client, f upload.FileInfo) {
				t, err := ask("CreateUploadVideo", url.Values{"Title": {"A talk"}, "FileName": {"talk.mp4"}})
				if err == nil {
					err = c.SetUploadAuthAndAddress(f.ID, t.UploadAuth, t.UploadAddress, t.VideoID)
				}
				if err != nil {
					_ = c.FailFile(f.ID, err)
				}
			},
			OnTokenExpired: func(c *upload.Client, f upload.FileInfo) {
				fmt.Println("the auth has expired")
				t, err := ask("RefreshUploadVideo", url.Values{"VideoId": {f.VideoID}})
				if err == nil {
					err = c.ResumeWithAuth(f.ID, t.UploadAuth)
				}
				if err != nil {
					_ = c.FailFile(f.ID, err)
				}
			},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer uploads.Close()
	film := strings.Repeat("frame ", 500_000)
	result, err := uploads.Upload(context.Background(), upload.File{
		Path: "talk.mp4", Source: upload.NewSource(strings.NewReader(film), int64(len(film)), "talk 1"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	made := service.Media()[0]
	fmt.Println(made.Params["Title"], result.VideoID == made.ID, result.Parts, "parts")
	// Output:
	// the auth has expired
	// A talk true 3 parts
}
