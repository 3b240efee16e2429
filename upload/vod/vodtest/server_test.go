package vodtest_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vodupload/vodupload/sts/openapi"
	"github.com/vodupload/vodupload/upload/vod/vodtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, opts *vodtest.Options) *vodtest.Server {
	t.Helper()
	s := vodtest.NewServer(opts)
	t.Cleanup(s.Close)
	return s
}

// call makes a signed call, and returns its answer.
func call(t *testing.T, s *vodtest.Server, key openapi.Key, action string, params map[string]string) (map[string]string, error) {
	t.Helper()
	c, err := openapi.New(s.URL, "2017-03-21", func(context.Context) (openapi.Key, error) { return key, nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]string)
	err = c.Do(t.Context(), action, params, &out)
	return out, err
}

var key = openapi.Key{ID: vodtest.DefaultKey.AccessKeyID, Secret: vodtest.DefaultKey.AccessKeySecret}

func codeOf(err error) string {
	var e *openapi.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return fmt.Sprint(err)
}

func decoded(t *testing.T, text string) map[string]string {
	t.Helper()
	out := make(map[string]string)
	raw, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCreateIssuesAKeyForOneObject(t *testing.T) {
	var keys []vodtest.Key
	var buckets []string
	s := serve(t, &vodtest.Options{
		Endpoint: "http://oss.example", Bucket: "outin-1", Region: "cn-beijing", AuthLife: time.Hour,
		AddKey:       func(k vodtest.Key) { keys = append(keys, k) },
		CreateBucket: func(name string) error { buckets = append(buckets, name); return nil },
	})
	made, err := call(t, s, key, vodtest.CreateUploadVideo, map[string]string{"Title": "t", "FileName": "a.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := call(t, s, key, vodtest.RefreshUploadVideo, map[string]string{"VideoId": made["VideoId"]})
	if err != nil {
		t.Fatal(err)
	}
	if fresh["UploadAddress"] != made["UploadAddress"] || fresh["UploadAuth"] == made["UploadAuth"] {
		t.Error("refresh: want the same address and another auth")
	}
	m := s.Media()[0]
	address, auth := decoded(t, made["UploadAddress"]), decoded(t, made["UploadAuth"])
	if address["Endpoint"] != "http://oss.example" || address["Bucket"] != "outin-1" || address["FileName"] != m.Object ||
		!strings.HasPrefix(m.Object, address["ObjectPrefix"]) || address["ObjectPrefix"] == "" {
		t.Errorf("address %v of %+v", address, m)
	}
	if len(keys) != 2 || auth["AccessKeyId"] != keys[0].AccessKeyID || auth["Expiration"] != "3600" || auth["Region"] != "cn-beijing" ||
		!strings.Contains(keys[0].Policy, `"acs:oss:*:*:outin-1/`+m.Object+`"`) {
		t.Errorf("auth of %s, keys %v with policy %s", auth["AccessKeyId"], keys, keys[0].Policy)
	}
	if !slices.Equal(buckets, []string{"outin-1"}) || m.Refreshed != 1 || s.Calls("") != 2 || s.Calls(vodtest.RefreshUploadVideo) != 1 {
		t.Errorf("buckets %v, refreshed %d, %d calls", buckets, m.Refreshed, s.Calls(""))
	}
	if text := fmt.Sprintf("%v %+v %#v", keys, keys[0], s); strings.Contains(text, keys[0].AccessKeySecret) || strings.Contains(text, keys[0].SecurityToken) {
		t.Errorf("a secret is in %s", text)
	}
}

func TestRefusals(t *testing.T) {
	video := func(name, value string) map[string]string {
		p := map[string]string{"Title": "t", "FileName": "a.mp4"}
		p[name] = value
		return p
	}
	tests := []struct {
		code   string
		key    openapi.Key
		action string
		params map[string]string
	}{
		{"InvalidAction.NotFound", key, "DeleteVideo", nil},
		{"InvalidAccessKeyId.NotFound", openapi.Key{ID: "nobody", Secret: "x"}, vodtest.CreateUploadVideo, video("", "")},
		{"InvalidAccessKeyId.NotFound", openapi.Key{ID: key.ID, Secret: key.Secret, Token: "x"}, vodtest.CreateUploadVideo, video("", "")},
		{"SignatureDoesNotMatch", openapi.Key{ID: key.ID, Secret: "wrong"}, vodtest.CreateUploadVideo, video("", "")},
		{"MissingTitle", key, vodtest.CreateUploadVideo, video("Title", "")},
		{"MissingFileName", key, vodtest.CreateUploadVideo, video("FileName", "")},
		{"InvalidFileName.Extension", key, vodtest.CreateUploadVideo, video("FileName", "a.txt")},
		{"LengthExceededMax", key, vodtest.CreateUploadVideo, video("Title", strings.Repeat("x", 129))},
		{"LengthExceededMax", key, vodtest.CreateUploadVideo, video("Tags", strings.Repeat("x", 33))},
		{"TagsExceededMax", key, vodtest.CreateUploadVideo, video("Tags", strings.Repeat("x,", 16))},
		{"MissingVideoId", key, vodtest.RefreshUploadVideo, nil},
		{"InvalidVideo.NotFound", key, vodtest.RefreshUploadVideo, map[string]string{"VideoId": "x"}},
		{"InvalidParameter", key, vodtest.CreateUploadImage, map[string]string{"ImageType": "huge"}},
		{"InvalidParameter", key, vodtest.CreateUploadImage, map[string]string{"ImageType": "cover", "ImageExt": "bmp"}},
		{"MissingBusinessType", key, vodtest.CreateUploadAttachedMedia, nil},
		{"InvalidParameter", key, vodtest.CreateUploadAttachedMedia, map[string]string{"BusinessType": "x", "Title": "t", "MediaExt": "png"}},
	}
	s := serve(t, nil)
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			if _, err := call(t, s, tt.key, tt.action, tt.params); codeOf(err) != tt.code {
				t.Errorf("%s with %v: got %v, want %s", tt.action, tt.params, err, tt.code)
			}
		})
	}
	if made := s.Media(); len(made) > 0 {
		t.Errorf("made was %v", made)
	}
}

func TestExpiredAndDeleted(t *testing.T) {
	expires := time.Now()
	s := serve(t, &vodtest.Options{LookupKey: func(id, _ string) (vodtest.Key, bool) {
		k := vodtest.Key{AccessKeyID: id, AccessKeySecret: "s"}
		if id == "old" {
			k.Expires = expires
		}
		return k, true
	}})
	params := map[string]string{"Title": "t", "FileName": "a.mp4"}
	if _, err := call(t, s, openapi.Key{ID: "old", Secret: "s"}, vodtest.CreateUploadVideo, params); codeOf(err) != "InvalidSecurityToken.Expired" {
		t.Errorf("an expired token: %v", err)
	}
	made, err := call(t, s, openapi.Key{ID: "new", Secret: "s"}, vodtest.CreateUploadVideo, params)
	if err != nil {
		t.Fatal(err)
	}
	if !s.Delete(made["VideoId"]) || s.Delete(made["VideoId"]) || s.Delete("other") {
		t.Error("Delete: want true once")
	}
	_, err = call(t, s, openapi.Key{ID: "new", Secret: "s"}, vodtest.RefreshUploadVideo, map[string]string{"VideoId": made["VideoId"]})
	if codeOf(err) != "InvalidVideo.NotFound" {
		t.Errorf("a deleted video: %v", err)
	}
}

// The clients for mobile send a query, without a time stamp.
func TestCallOfAPhone(t *testing.T) {
	s := serve(t, nil)
	params := map[string]string{
		"Action": vodtest.CreateUploadVideo, "Version": "2017-03-21", "Format": "JSON", "AccessKeyId": key.ID,
		"SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureNonce": "n1", "Title": "a b", "FileName": "a.mp4",
	}
	params["Signature"] = openapi.Sign(http.MethodGet, params, key.Secret)
	query := url.Values{}
	for name, value := range params {
		query.Set(name, value)
	}
	for _, want := range []int{200, 400} { // the second has a nonce that was used
		resp, err := http.Get(s.URL + "/?" + query.Encode())
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("got HTTP %d, want %d", resp.StatusCode, want)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestFaults(t *testing.T) {
	s := serve(t, nil)
	var order []string
	var mu sync.Mutex
	note := func(what string) func(context.Context) {
		return func(context.Context) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, fmt.Sprint(what, len(s.Media())))
		}
	}
	s.Inject(
		vodtest.Fault{Action: vodtest.RefreshUploadVideo, Code: "InternalError"},
		vodtest.Fault{Action: vodtest.CreateUploadVideo, Code: "AddVideoFailed"},
		vodtest.Fault{Action: vodtest.CreateUploadVideo, Code: "Strange", Status: 418},
		vodtest.Fault{Action: vodtest.CreateUploadVideo, LoseAnswer: true, Delay: time.Millisecond, Before: note("before"), After: note("after")},
	)
	params := map[string]string{"Title": "t", "FileName": "a.mp4"}
	var e *openapi.Error
	if _, err := call(t, s, key, vodtest.CreateUploadVideo, params); !errors.As(err, &e) || e.Code != "AddVideoFailed" || e.Status != 503 {
		t.Errorf("got %v, want AddVideoFailed with 503", err)
	}
	if _, err := call(t, s, key, vodtest.CreateUploadVideo, params); !errors.As(err, &e) || e.Code != "Strange" || e.Status != 418 {
		t.Errorf("got %v, want Strange with 418", err)
	}
	e = nil
	if _, err := call(t, s, key, vodtest.CreateUploadVideo, params); err == nil || errors.As(err, &e) {
		t.Errorf("got %v, want a broken connection", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(s.Media()) != 1 || !slices.Equal(order, []string{"before0", "after1"}) || len(s.Pending()) != 1 {
		t.Errorf("made %v, in the order %v, pending %v", s.Media(), order, s.Pending())
	}
}

func TestWrongOptions(t *testing.T) {
	if _, err := vodtest.New(&vodtest.Options{AuthLife: -1}); err == nil || !strings.Contains(err.Error(), "AuthLife") {
		t.Errorf("error is %v", err)
	}
	broken := errors.New("no disk")
	if _, err := vodtest.New(&vodtest.Options{CreateBucket: func(string) error { return broken }}); !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
}
