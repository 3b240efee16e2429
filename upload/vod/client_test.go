package vod_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/openapi"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/vod"
	"github.com/vodupload/vodupload/upload/vod/vodtest"
)

func TestCreateAndRefresh(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	made, err := c.CreateUploadVideo(w.ctx, vod.CreateUploadVideoRequest{
		Media: vod.Media{
			Title: "Ein Film 影片", Description: "d", CategoryID: 19, Tags: []string{"one", "two"},
			StorageLocation: "s", AppID: "app-1", UserData: `{"Extend":{"id":"7"}}`,
		},
		FileName: "a b.mp4", FileSize: 7, CoverURL: "http://x/y.png", WorkflowID: "w",
	})
	if err != nil {
		t.Fatal(err)
	}
	m := w.one()
	want := map[string]string{
		"Title": "Ein Film 影片", "FileName": "a b.mp4", "FileSize": "7", "Description": "d", "CoverURL": "http://x/y.png", "CateId": "19",
		"Tags": "one,two", "WorkflowId": "w", "StorageLocation": "s", "AppId": "app-1", "UserData": `{"Extend":{"id":"7"}}`,
	}
	if fmt.Sprint(m.Params) != fmt.Sprint(want) {
		t.Errorf("parameters:\n got %v\nwant %v", m.Params, want)
	}
	if made.VideoID != m.ID || made.Address.Bucket != m.Bucket || made.Address.Object != m.Object || made.Address.Endpoint != w.objects.URL ||
		made.Region != "cn-shanghai" || made.RequestID == "" {
		t.Errorf("got %+v, made was %+v", made, m)
	}
	if left := time.Until(made.Credentials.Expiration); left < 49*time.Minute || left > 50*time.Minute {
		t.Errorf("credentials expire in %v, want 3000 s", left)
	}
	fresh, err := c.RefreshUploadVideo(w.ctx, made.VideoID)
	if err != nil {
		t.Fatal(err)
	}
	if fresh.Address != made.Address || fresh.Credentials.AccessKeyID == made.Credentials.AccessKeyID {
		t.Errorf("refreshed: got %v, want the address of %v and other credentials", fresh, made)
	}
	address, err := upload.ParseUploadAddress(made.UploadAddress)
	if err != nil || address != made.Address {
		t.Errorf("the raw address is %v, %v", address, err)
	}
	if creds, _, err := upload.ParseUploadAuth(string(made.UploadAuth), time.Now()); err != nil || creds != made.Credentials {
		t.Errorf("the raw auth is %v, %v", creds, err)
	}
}

func TestCreateImageAndAttachedMedia(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	image, err := c.CreateUploadImage(w.ctx, vod.CreateUploadImageRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(image.Address.Object, "image/default/") || !strings.HasSuffix(image.ImageURL, ".png") || image.FileURL == "" || image.ImageID == "" {
		t.Errorf("got %v", image)
	}
	media, err := c.CreateUploadAttachedMedia(w.ctx, vod.CreateUploadAttachedMediaRequest{BusinessType: "watermark", MediaExt: "png", Media: vod.Media{CategoryID: 3}})
	if err != nil {
		t.Fatal(err)
	}
	if media.MediaID == "" || media.MediaURL == "" || !strings.HasPrefix(media.Address.Object, "watermark/") {
		t.Errorf("got %v", media)
	}
	if got := w.vod.Media()[1].Params["CateIds"]; got != "3" {
		t.Errorf("CateIds is %q, want 3", got)
	}
}

func TestRefusedBeforeSending(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	video := func(edit func(*vod.CreateUploadVideoRequest)) func() error {
		r := vod.CreateUploadVideoRequest{Media: vod.Media{Title: "t"}, FileName: "f.mp4"}
		edit(&r)
		return func() error { _, err := c.CreateUploadVideo(w.ctx, r); return err }
	}
	image := func(r vod.CreateUploadImageRequest) func() error {
		return func() error { _, err := c.CreateUploadImage(w.ctx, r); return err }
	}
	attached := func(r vod.CreateUploadAttachedMediaRequest) func() error {
		return func() error { _, err := c.CreateUploadAttachedMedia(w.ctx, r); return err }
	}
	type request = vod.CreateUploadVideoRequest
	tests := []struct {
		text string
		call func() error
	}{
		{"Title is empty", video(func(r *request) { r.Title = "" })},
		{"Title: got 129 characters, want at most 128", video(func(r *request) { r.Title = strings.Repeat("ü", 129) })},
		{"Title is not UTF-8", video(func(r *request) { r.Title = "\xff" })},
		{`FileName: got "f"`, video(func(r *request) { r.FileName = "f" })},
		{`FileName: got ""`, video(func(r *request) { r.FileName = "" })},
		{"FileSize: got -1", video(func(r *request) { r.FileSize = -1 })},
		{"Description: got 1025", video(func(r *request) { r.Description = strings.Repeat("x", 1025) })},
		{"CategoryID: got -1", video(func(r *request) { r.CategoryID = -1 })},
		{"Tags: got 17", video(func(r *request) { r.Tags = make([]string, 17) })},
		{`Tags: got "a,b"`, video(func(r *request) { r.Tags = []string{"a,b"} })},
		{"UserData: got 4 bytes", video(func(r *request) { r.UserData = "null" })},
		{"Extend has", video(func(r *request) { r.UserData = `{"Extend":"` + strings.Repeat("x", 512) + `"}` })},
		{`"w" and NoTranscode true, want at most one`, video(func(r *request) { r.WorkflowID, r.NoTranscode = "w", true })},
		{`ImageExt: got "bmp"`, image(vod.CreateUploadImageRequest{ImageExt: "bmp"})},
		{`ImageType: got "x"`, image(vod.CreateUploadImageRequest{ImageType: "x"})},
		{`BusinessType: got ""`, attached(vod.CreateUploadAttachedMediaRequest{})},
		{`MediaExt: got ".png"`, attached(vod.CreateUploadAttachedMediaRequest{BusinessType: "subtitle", MediaExt: ".png"})},
		{"Title: got 129", attached(vod.CreateUploadAttachedMediaRequest{BusinessType: "subtitle", MediaExt: "srt", Media: vod.Media{Title: strings.Repeat("x", 129)}})},
		{"video ID is empty", func() error { _, err := c.RefreshUploadVideo(w.ctx, ""); return err }},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			err := tt.call()
			if !errors.Is(err, vod.ErrParameter) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error is %v, want ErrParameter that says %q", err, tt.text)
			}
		})
	}
	if n := w.vod.Calls(""); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

func TestErrorsOfTheService(t *testing.T) {
	tests := []struct {
		code string
		is   error
	}{
		{"InvalidVideo.NotFound", vod.ErrVideoNotFound},
		{"Throttling.User", vod.ErrThrottled},
		{"Forbidden.InitFailed", vod.ErrForbidden},
		{"OperationDenied.Suspended", vod.ErrForbidden},
	}
	w := newWorld(t)
	c := w.client()
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			w.vod.Inject(vodtest.Fault{Code: tt.code})
			_, err := c.RefreshUploadVideo(w.ctx, "v")
			var e *openapi.Error
			if !errors.Is(err, tt.is) || !errors.As(err, &e) || e.Code != tt.code || e.RequestID == "" {
				t.Errorf("got %v (%+v), want %v", err, e, tt.is)
			}
		})
	}
	if len(w.vod.Pending()) > 0 || w.vod.Calls("") != len(tests) {
		t.Errorf("%d calls, want one each", w.vod.Calls(""))
	}
}

// What is not known must not be taken for a refusal, and not be repeated.
func TestAnswerIsLost(t *testing.T) {
	valid := vod.CreateUploadVideoRequest{Media: vod.Media{Title: "t"}, FileName: "f.mp4"}
	t.Run("connection breaks", func(t *testing.T) {
		w := newWorld(t)
		c := w.client()
		// On a connection that was used before, net/http itself may repeat a request.
		w.vod.Inject(vodtest.Fault{}, vodtest.Fault{LoseAnswer: true})
		_, _ = c.RefreshUploadVideo(w.ctx, "other")
		_, err := c.CreateUploadVideo(w.ctx, valid)
		if n := w.vod.Calls(vodtest.CreateUploadVideo); n != 1 || !errors.Is(err, upload.ErrAnswerLost) {
			t.Errorf("%d calls, error %v; want 1, ErrAnswerLost", n, err)
		}
		w.one()
	})
	t.Run("InternalError", func(t *testing.T) {
		w := newWorld(t)
		w.vod.Inject(vodtest.Fault{Code: "InternalError"})
		if _, err := w.client().CreateUploadVideo(w.ctx, valid); !errors.Is(err, upload.ErrAnswerLost) {
			t.Errorf("error %v, want ErrAnswerLost", err)
		}
	})
	for name, body := range map[string]string{
		"a success that is no JSON":    `<html>`,
		"a success without an address": `{"RequestId":"R-7","VideoId":"v"}`,
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
			defer srv.Close()
			c := must(vod.NewClient(sts.Static(sts.Credentials{AccessKeyID: "a", AccessKeySecret: "b"}), &vod.ClientOptions{Endpoint: srv.URL}))
			if _, err := c.CreateUploadVideo(t.Context(), valid); !errors.Is(err, upload.ErrAnswerLost) {
				t.Errorf("error %v, want ErrAnswerLost", err)
			}
		})
	}
	t.Run("the caller goes away meanwhile, and gets the answer", func(t *testing.T) {
		w := newWorld(t)
		c := w.client()
		ctx, cancel := context.WithCancel(w.ctx)
		w.vod.Inject(vodtest.Fault{After: func(context.Context) { cancel() }})
		made, err := c.CreateUploadVideo(ctx, valid)
		if err != nil || made.VideoID != w.one().ID {
			t.Errorf("got %v, %v", made, err)
		}
		if _, err := c.CreateUploadVideo(ctx, valid); !errors.Is(err, context.Canceled) || w.vod.Calls("") != 1 {
			t.Errorf("with an ended context: %d calls, error %v; want none more", w.vod.Calls(""), err)
		}
	})
	t.Run("no connection is no lost answer", func(t *testing.T) {
		srv := httptest.NewServer(nil)
		srv.Close()
		c := must(vod.NewClient(sts.Static(sts.Credentials{AccessKeyID: "a", AccessKeySecret: "b"}), &vod.ClientOptions{Endpoint: srv.URL}))
		if _, err := c.CreateUploadVideo(t.Context(), valid); err == nil || errors.Is(err, upload.ErrAnswerLost) {
			t.Errorf("error %v, want one of the connection", err)
		}
	})
}

func TestExpiredToken(t *testing.T) {
	t.Run("the provider is asked once more", func(t *testing.T) {
		w := newWorld(t)
		c := w.client()
		made := must(c.CreateUploadVideo(w.ctx, vod.CreateUploadVideoRequest{Media: vod.Media{Title: "t"}, FileName: "f.mp4"}))
		w.keys.ExpireAll()
		if _, err := c.RefreshUploadVideo(w.ctx, made.VideoID); err != nil {
			t.Error(err)
		}
		if got := w.keys.Stats().Issued; got != 2 {
			t.Errorf("%d tokens were issued, want 2", got)
		}
	})
	t.Run("ErrTokenExpired if it has no other", func(t *testing.T) {
		w := newWorld(t)
		w.vod.Inject(vodtest.Fault{Code: "InvalidSecurityToken.Expired"})
		token := sts.Credentials{AccessKeyID: "STS.x", AccessKeySecret: "topsecret", SecurityToken: "toptoken"}
		c := must(vod.NewClient(sts.Static(token), &vod.ClientOptions{Endpoint: w.vod.URL}))
		_, err := c.RefreshUploadVideo(w.ctx, "v")
		if !errors.Is(err, vod.ErrTokenExpired) || w.vod.Calls("") != 1 {
			t.Errorf("%d calls, error %v; want one, ErrTokenExpired", w.vod.Calls(""), err)
		}
	})
}

func TestNewClientRefuses(t *testing.T) {
	p := sts.Static(sts.Credentials{AccessKeyID: "a", AccessKeySecret: "b"})
	for name, err := range map[string]error{
		"provider": second(vod.NewClient(nil, nil)),
		"Region":   second(vod.NewClient(p, &vod.ClientOptions{Region: "evil.example/"})),
		"endpoint": second(vod.NewClient(p, &vod.ClientOptions{Endpoint: "ftp://x"})),
		"negative": second(vod.NewClient(p, &vod.ClientOptions{Timeout: -1})),
		"client":   second(vod.NewAuthorizer(nil, nil)),
		"both": second(vod.NewAuthorizer(must(vod.NewClient(p, nil)),
			&vod.AuthorizerOptions{TemplateGroupID: "t", WorkflowID: "w"})),
		"ImageType":     second(vod.NewAuthorizer(must(vod.NewClient(p, nil)), &vod.AuthorizerOptions{ImageType: "x"})),
		"RetryInterval": second(vod.NewAuthorizer(must(vod.NewClient(p, nil)), &vod.AuthorizerOptions{RetryInterval: -1})),
	} {
		if !errors.Is(err, vod.ErrParameter) || !strings.Contains(err.Error(), name) {
			t.Errorf("error is %v, want ErrParameter that names %s", err, name)
		}
	}
	if got := fmt.Sprint(must(vod.NewClient(p, nil))); got != "vod.Client(https://vod.cn-shanghai.aliyuncs.com)" {
		t.Errorf("the default is %s", got)
	}
}

func second[T any](_ T, err error) error { return err }

func TestTicketHidesItsSecrets(t *testing.T) {
	w := newWorld(t)
	made := must(w.client().CreateUploadVideo(w.ctx, vod.CreateUploadVideoRequest{Media: vod.Media{Title: "t"}, FileName: "f.mp4"}))
	k := w.issued[0]
	for _, text := range []string{
		fmt.Sprintf("%v %+v %#v %s %q", made, made, made, made, made), string(must(json.Marshal(made))),
	} {
		for _, secret := range []string{k.AccessKeySecret, k.SecurityToken, string(made.UploadAuth)} {
			if strings.Contains(text, secret) {
				t.Errorf("a secret is in %s", text)
			}
		}
	}
}
