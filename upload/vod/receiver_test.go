package vod_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/vod"
	"github.com/vodupload/vodupload/upload/vod/vodtest"
)

const (
	callbackURL = "https://app.example.com/vod?x=1"
	authKey     = "AuthKey123"
	uploaded    = `{"EventType":"FileUploadComplete","VideoId":"v1","Size":3,"Status":"success"}`
)

// newNotification is one that was signed at the given time.
func newNotification(at time.Time, url, key, body string) *http.Request {
	stamp := fmt.Sprintf("%010d", at.Unix())
	sum := md5.Sum([]byte(url + "|" + stamp + "|" + key))
	r := httptest.NewRequest(http.MethodPost, "/vod", strings.NewReader(body))
	r.Header.Set("X-VOD-TIMESTAMP", stamp)
	r.Header.Set("X-VOD-SIGNATURE", hex.EncodeToString(sum[:]))
	return r
}

// The signature, computed by md5sum: of "https://app.example.com/vod?x=1|1519375990|AuthKey123".
func TestReceiverVerifiesAKnownSignature(t *testing.T) {
	const stamp, signature = "1519375990", "5f2d43d6c46754a392c3214244e956a1"
	v := must(vod.NewReceiver(callbackURL, authKey, &vod.ReceiverOptions{Now: func() time.Time { return time.Unix(1519375990+290, 0) }}))
	for _, signature := range []string{signature, strings.ToUpper(signature)} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(uploaded))
		r.Header.Set("X-VOD-TIMESTAMP", stamp)
		r.Header.Set("X-VOD-SIGNATURE", signature)
		e, err := v.Verify(r)
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := e.Detail.(*vod.FileUploadComplete); !ok || d.VideoID != "v1" {
			t.Errorf("got %+v", e)
		}
		if body, err := io.ReadAll(r.Body); string(body) != uploaded || err != nil {
			t.Errorf("the body reads %q, %v afterwards; want it once more", body, err)
		}
	}
}

func TestReceiverRefuses(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	v := must(vod.NewReceiver(callbackURL, authKey, &vod.ReceiverOptions{Now: func() time.Time { return now }, MaxBody: 1000, OldAuthKey: "old"}))
	good := func() *http.Request { return newNotification(now, callbackURL, authKey, uploaded) }
	changed := func(change func(r *http.Request)) *http.Request {
		r := good()
		change(r)
		return r
	}
	header := func(name, value string) *http.Request {
		return changed(func(r *http.Request) { r.Header.Set(name, value) })
	}
	signature := good().Header.Get("X-VOD-SIGNATURE")
	eleven := md5.Sum([]byte(callbackURL + "|01800000000|" + authKey))
	for what, tt := range map[string]struct {
		r    *http.Request
		want error
	}{
		"nothing wrong":          {good(), nil},
		"with the old key":       {newNotification(now, callbackURL, "old", uploaded), nil},
		"just young enough":      {newNotification(now.Add(-5*time.Minute), callbackURL, authKey, uploaded), nil},
		"just not too far ahead": {newNotification(now.Add(5*time.Minute), callbackURL, authKey, uploaded), nil},
		"too old":                {newNotification(now.Add(-5*time.Minute-time.Second), callbackURL, authKey, uploaded), vod.ErrStale},
		"from the future":        {newNotification(now.Add(5*time.Minute+time.Second), callbackURL, authKey, uploaded), vod.ErrStale},
		"from 1970":              {newNotification(time.Unix(0, 0), callbackURL, authKey, uploaded), vod.ErrStale},
		"from the year 2286":     {newNotification(time.Unix(9999999999, 0), callbackURL, authKey, uploaded), vod.ErrStale},
		"another key":            {newNotification(now, callbackURL, "AuthKey124", uploaded), vod.ErrUnsigned},
		"no key":                 {newNotification(now, callbackURL, "", uploaded), vod.ErrUnsigned},
		"another URL":            {newNotification(now, "https://app.example.com/vod", authKey, uploaded), vod.ErrUnsigned},
		"another time":           {header("X-VOD-TIMESTAMP", strconv.FormatInt(now.Unix()+1, 10)), vod.ErrUnsigned},
		"a time in milliseconds": {header("X-VOD-TIMESTAMP", strconv.FormatInt(now.UnixMilli(), 10)), vod.ErrUnsigned},
		"a time with a sign":     {header("X-VOD-TIMESTAMP", "+180000000"), vod.ErrUnsigned},
		"a time with a blank":    {header("X-VOD-TIMESTAMP", " 1800000000"), vod.ErrUnsigned},
		"a time of 11 digits, signed": {changed(func(r *http.Request) {
			r.Header.Set("X-VOD-TIMESTAMP", "01800000000")
			r.Header.Set("X-VOD-SIGNATURE", hex.EncodeToString(eleven[:]))
		}), vod.ErrUnsigned},
		"no time":                  {changed(func(r *http.Request) { r.Header.Del("X-VOD-TIMESTAMP") }), vod.ErrUnsigned},
		"two times":                {changed(func(r *http.Request) { r.Header.Add("X-VOD-TIMESTAMP", "1800000000") }), vod.ErrUnsigned},
		"no signature":             {changed(func(r *http.Request) { r.Header.Del("X-VOD-SIGNATURE") }), vod.ErrUnsigned},
		"an empty signature":       {header("X-VOD-SIGNATURE", ""), vod.ErrUnsigned},
		"two signatures":           {changed(func(r *http.Request) { r.Header.Add("X-VOD-SIGNATURE", signature) }), vod.ErrUnsigned},
		"half a signature":         {header("X-VOD-SIGNATURE", signature[:16]), vod.ErrUnsigned},
		"no hexadecimal":           {header("X-VOD-SIGNATURE", strings.Repeat("x", 32)), vod.ErrUnsigned},
		"a signature with a blank": {header("X-VOD-SIGNATURE", signature+" "), vod.ErrUnsigned},
		"GET":                      {changed(func(r *http.Request) { r.Method = http.MethodGet }), vod.ErrUnsigned},
		"a body beyond the limit":  {newNotification(now, callbackURL, authKey, strings.Repeat("a", 1001)), vod.ErrEvent},
		"a body that is no JSON":   {newNotification(now, callbackURL, authKey, "a=b"), vod.ErrEvent},
		"no body":                  {newNotification(now, callbackURL, authKey, ""), vod.ErrEvent},
	} {
		t.Run(what, func(t *testing.T) {
			e, err := v.Verify(tt.r)
			if !errors.Is(err, tt.want) || (e == nil) == (err == nil) {
				t.Errorf("got %v, %v; want %v", e, err, tt.want)
			}
			if err != nil && (strings.Contains(err.Error(), authKey) || strings.Contains(err.Error(), signature) || strings.ContainsAny(err.Error(), "\r\n")) {
				t.Errorf("the error shows a secret, or has several lines: %v", err)
			}
		})
	}
}

func TestReceiverOptionsAreChecked(t *testing.T) {
	for want, make := range map[string]func() (*vod.Receiver, error){
		"callbackURL": func() (*vod.Receiver, error) { return vod.NewReceiver("", authKey, nil) },
		"authKey":     func() (*vod.Receiver, error) { return vod.NewReceiver(callbackURL, "", nil) },
		"[hidden]":    func() (*vod.Receiver, error) { return vod.NewReceiver(callbackURL, "[hidden]", nil) },
		"MaxAge": func() (*vod.Receiver, error) {
			return vod.NewReceiver(callbackURL, authKey, &vod.ReceiverOptions{MaxAge: -1})
		},
		"MaxBody": func() (*vod.Receiver, error) {
			return vod.NewReceiver(callbackURL, authKey, &vod.ReceiverOptions{MaxBody: -1})
		},
	} {
		if _, err := make(); !errors.Is(err, vod.ErrParameter) || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want ErrParameter that says %s", err, want)
		}
	}
}

func TestReceiverHandlerAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // within a second
		var log bytes.Buffer
		var fail error
		v := must(vod.NewReceiver(callbackURL, authKey, &vod.ReceiverOptions{MaxBody: 1000, Logger: slog.New(slog.NewTextHandler(&log, nil))}))
		h := v.Handler(func(_ context.Context, e *vod.Event) error { return fail })
		for _, tt := range []struct {
			name   string
			r      *http.Request
			fail   error
			status int
			code   string
		}{
			{"an event", newNotification(time.Now(), callbackURL, authKey, uploaded), nil, 200, `{"Status":"OK"}`},
			{"an event that is not known", newNotification(time.Now(), callbackURL, authKey, `{"EventType":"New"}`), nil, 200, `{"Status":"OK"}`},
			{"a handler that fails", newNotification(time.Now(), callbackURL, authKey, uploaded), errors.New("database away"), 500, `"InternalError"`},
			{"unsigned", httptest.NewRequest(http.MethodPost, "/", nil), nil, 403, `"Unsigned"`},
			{"stale", newNotification(time.Now().Add(-time.Hour), callbackURL, authKey, uploaded), nil, 403, `"Stale"`},
			{"too large", newNotification(time.Now(), callbackURL, authKey, strings.Repeat("a", 1001)), nil, 413, `"RequestTooLarge"`},
			{"no event", newNotification(time.Now(), callbackURL, authKey, "{}"), nil, 400, `"InvalidEvent"`},
		} {
			fail = tt.fail
			w := httptest.NewRecorder()
			h.ServeHTTP(w, tt.r)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.code) || w.Header().Get("Content-Length") != strconv.Itoa(w.Body.Len()) {
				t.Errorf("%s: got %d %s %v, want %d %s", tt.name, w.Code, w.Body, w.Header(), tt.status, tt.code)
			}
		}
		if text := log.String(); strings.Count(text, "refused") != 1 || !strings.Contains(text, "database away") || strings.Contains(text, authKey) {
			t.Errorf("the log has\n%s\nwant one refusal within a second, and the failure", text)
		}
	})
}

// From the upload by way of VOD to the event that its backend gets.
func TestFromTheUploadToTheNotification(t *testing.T) {
	w := newNotifiedWorld(t)
	for name, kind := range map[string]string{"a.mp4": "FileUploadComplete", "b.jpg": "ImageUploadComplete"} {
		path := w.file(name, 250*kib)
		r, err := w.uploads(w.authorizer(nil), checkpoint.NewMemory(), upload.Callbacks{}).Upload(w.ctx,
			upload.File{Path: path, Info: &upload.Info{UserData: `{"Extend":{"id":"7"}}`}})
		if err != nil {
			t.Fatal(err)
		}
		e := <-w.events
		if e.Type != kind || !e.Succeeded() || e.Time.IsZero() || e.ID != r.VideoID+r.MediaID {
			t.Errorf("the event is %+v, want %s of %s", e, kind, r.VideoID+r.MediaID)
		}
		switch d := e.Detail.(type) {
		case *vod.FileUploadComplete:
			if d.Size != r.Size || !strings.HasSuffix(d.FileURL, r.Object) || e.Extend != `{"id":"7"}` {
				t.Errorf("the event says %+v, %s; the result %+v", d, e.Extend, r)
			}
		case *vod.ImageUploadComplete:
			if d.Size != r.Size || d.ImageID != r.MediaID {
				t.Errorf("the event says %+v, the result %+v", d, r)
			}
		}
	}
}

// What is not answered with 200 comes again, three times in all.
func TestNotificationsAreRepeated(t *testing.T) {
	w := newNotifiedWorld(t)
	w.fail = 2
	if err := w.vod.Notify(w.ctx, map[string]any{"EventType": "FileUploadComplete", "VideoId": "v"}); err != nil {
		t.Error(err)
	}
	w.fail = 5
	if err := w.vod.Notify(w.ctx, map[string]any{"EventType": "FileUploadComplete", "VideoId": "v"}); err == nil || !strings.Contains(err.Error(), "status 500") {
		t.Errorf("error is %v, want one with the status", err)
	}
	sent := w.vod.Notifications()
	if len(sent) != 2 || !slices.Equal(sent[0].Status, []int{500, 500, 200}) || !slices.Equal(sent[1].Status, []int{500, 500, 500}) {
		t.Errorf("sent %+v, want two and three failures", sent)
	}
}

// A notifiedWorld is a world whose VOD notifies a backend.
type notifiedWorld struct {
	*world
	events chan *vod.Event
	fail   int // so many notifications fail; there is one at a time
}

func newNotifiedWorld(t *testing.T) *notifiedWorld {
	t.Helper()
	n := &notifiedWorld{events: make(chan *vod.Event, 10)}
	var h http.Handler
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	t.Cleanup(backend.Close)
	v := must(vod.NewReceiver(backend.URL+"/vod", authKey, nil))
	h = v.Handler(func(_ context.Context, e *vod.Event) error {
		if n.fail > 0 {
			n.fail--
			return errors.New("not now")
		}
		n.events <- e
		return nil
	})
	n.world = newWorld(t, func(o *vodtest.Options) { o.CallbackURL, o.AuthKey = backend.URL+"/vod", authKey })
	return n
}

// A backend that hears from VOD when a video is there.
func ExampleReceiver() {
	var service *vodtest.Server
	objects := osstest.NewServer(&osstest.Options{
		Region: vod.DefaultRegion, OnStored: func(bucket, object string, size int64) { service.Stored(bucket, object, size) },
	})
	defer objects.Close()

	mux := http.NewServeMux()
	backend := httptest.NewServer(mux)
	defer backend.Close()
	// Both as they are configured in VOD's console.
	url, key := backend.URL+"/vod", vod.Secret("AuthKey123")
	receiver, err := vod.NewReceiver(url, key, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	mux.Handle("/vod", receiver.Handler(func(ctx context.Context, e *vod.Event) error {
		switch d := e.Detail.(type) {
		case *vod.FileUploadComplete:
			fmt.Println("uploaded:", d.Size, "bytes of a video")
		case *vod.TranscodeComplete:
			fmt.Println("ready:", len(d.Streams), "streams")
		}
		return nil
	}))

	service = vodtest.NewServer(&vodtest.Options{
		Endpoint: objects.URL, CreateBucket: objects.CreateBucket, CallbackURL: url, AuthKey: string(key),
		AddKey: func(k vodtest.Key) { objects.AddKey(osstest.Key(k)) },
	})
	defer service.Close()
	client, err := vod.NewClient(sts.Static(sts.Credentials{
		AccessKeyID: vodtest.DefaultKey.AccessKeyID, AccessKeySecret: vodtest.DefaultKey.AccessKeySecret,
	}), &vod.ClientOptions{Endpoint: service.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	authorizer, err := vod.NewAuthorizer(client, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	uploads, err := upload.New(&upload.Options{Authorizer: authorizer, Checkpoints: checkpoint.NewMemory()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer uploads.Close()
	if _, err := uploads.Upload(context.Background(), upload.File{
		Path: "talk.mp4", Source: upload.NewSource(strings.NewReader("frames"), 6, "talk 1"),
	}); err != nil {
		fmt.Println(err)
		return
	}
	_ = service.Notify(context.Background(), map[string]any{
		"EventType": "TranscodeComplete", "VideoId": service.Media()[0].ID, "Status": "success", "StreamInfos": []map[string]any{{"Format": "mp4"}},
	})
	// Output:
	// uploaded: 6 bytes of a video
	// ready: 1 streams
}
