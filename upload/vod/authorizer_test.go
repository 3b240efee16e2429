package vod_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/vod"
	"github.com/vodupload/vodupload/upload/vod/vodtest"
)

func TestAuthorizer(t *testing.T) {
	w := newWorld(t)
	store := checkpoint.NewMemory()
	c := w.uploads(w.authorizer(&vod.AuthorizerOptions{TemplateGroupID: "tg", StorageLocation: "loc", AppID: "app-2"}), store, upload.Callbacks{})
	path := w.file("Ein Film.mp4", 950*kib)
	r, err := c.Upload(w.ctx, upload.File{Path: path, Info: &upload.Info{
		Title: "T", Description: "D", Tags: []string{"a", "b"}, CategoryID: 5, CoverURL: "http://c", UserData: `{"Extend":{}}`,
	}})
	if err != nil {
		t.Fatal(err)
	}
	m := w.one()
	w.same(m, path)
	w.clean(store)
	if r.VideoID != m.ID || r.Bucket != m.Bucket || r.Object != m.Object || !r.Verified || r.Parts != 10 {
		t.Errorf("got %+v, made was %+v", r, m)
	}
	for name, want := range map[string]string{
		"Title": "T", "Description": "D", "Tags": "a,b", "CateId": "5", "CoverURL": "http://c", "UserData": `{"Extend":{}}`, "FileName": "Ein Film.mp4",
		"FileSize": "972800", "TemplateGroupId": "tg", "StorageLocation": "loc", "AppId": "app-2",
	} {
		if m.Params[name] != want {
			t.Errorf("%s is %q, want %q", name, m.Params[name], want)
		}
	}
	if n := w.vod.Calls(""); n != 1 {
		t.Errorf("%d calls of VOD, want 1", n)
	}
}

func TestAuthorizerOfImages(t *testing.T) {
	w := newWorld(t)
	store := checkpoint.NewMemory()
	w.vod.Inject(vodtest.Fault{Action: vodtest.CreateUploadImage, LoseAnswer: true}) // an image more does not hurt
	c := w.uploads(w.authorizer(nil), store, upload.Callbacks{})
	path := w.file("cover.JPG", 50*kib)
	r, err := c.Upload(w.ctx, upload.File{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	all := w.vod.Media()
	m := all[len(all)-1]
	w.same(m, path)
	w.clean(store)
	if r.MediaID != m.ID || r.VideoID != "" || !strings.HasSuffix(r.MediaURL, m.Object) || m.Params["ImageExt"] != "jpg" || m.Params["Title"] != "cover.JPG" {
		t.Errorf("got %+v, made was %+v", r, m)
	}
}

// An UploadAuth of an image cannot be renewed: the image is made again.
func TestExpiredImageBeginsAnew(t *testing.T) {
	w := newWorld(t)
	store := checkpoint.NewMemory()
	w.objects.Inject(osstest.ExpireToken(osstest.OpUploadPart).Nth(3))
	path := w.file("big.png", 700*kib)
	r, err := w.uploads(w.authorizer(nil), store, upload.Callbacks{}).Upload(w.ctx, upload.File{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	all := w.vod.Media()
	if len(all) != 2 || r.MediaID != all[1].ID {
		t.Fatalf("got %v, made were %v; want the second of two", r, all)
	}
	w.same(all[1], path)
	w.clean(store)
}

func TestAuthorizerRefuses(t *testing.T) {
	tests := []struct {
		name string
		file string
		info *upload.Info
		is   error
		text string
	}{
		{"a media type that VOD does not take", "notes.txt", nil, vod.ErrMediaType, "txt"},
		{"a watermark", "a.mp4", &upload.Info{Watermark: true}, vod.ErrParameter, "Watermark"},
		{"user data that is no JSON", "a.mp4", &upload.Info{UserData: "hello"}, vod.ErrParameter, "UserData"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			store := checkpoint.NewMemory()
			c := w.uploads(w.authorizer(nil), store, upload.Callbacks{})
			_, err := c.Upload(w.ctx, upload.File{Path: w.file(tt.file, 10), Info: tt.info})
			if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) || w.vod.Calls("") != 0 {
				t.Errorf("%d calls, error %v; want none, %v that names %s", w.vod.Calls(""), err, tt.is, tt.text)
			}
			w.clean(store)
		})
	}
}

func TestAuthorizerRetries(t *testing.T) {
	t.Run("what was refused and may pass", func(t *testing.T) {
		w := newWorld(t)
		w.vod.Inject(vodtest.Fault{Code: "Throttling.User"}, vodtest.Fault{Code: "ServiceUnavailable"}, vodtest.Fault{Code: "AddVideoFailed"})
		path := w.file("a.mp4", 10)
		if _, err := w.uploads(w.authorizer(nil), checkpoint.NewMemory(), upload.Callbacks{}).Upload(w.ctx, upload.File{Path: path}); err != nil {
			t.Fatal(err)
		}
		w.same(w.one(), path)
	})
	t.Run("within bounds", func(t *testing.T) {
		w := newWorld(t)
		for range 3 {
			w.vod.Inject(vodtest.Fault{Code: "Throttling.User"})
		}
		a := w.authorizer(&vod.AuthorizerOptions{RetryCount: 2})
		_, err := w.uploads(a, checkpoint.NewMemory(), upload.Callbacks{}).Upload(w.ctx, upload.File{Path: w.file("a.mp4", 10)})
		var e *upload.Error
		if !errors.As(err, &e) || e.Code != "Throttling.User" || e.RequestID == "" || e.Op != "CreateUploadVideo" || w.vod.Calls("") != 3 {
			t.Errorf("%d calls, got %v (%+v); want 3, Throttling.User", w.vod.Calls(""), err, e)
		}
	})
	t.Run("nothing that was refused for good", func(t *testing.T) {
		w := newWorld(t)
		w.vod.Inject(vodtest.Fault{Code: "Forbidden.InitFailed"})
		_, err := w.uploads(w.authorizer(nil), checkpoint.NewMemory(), upload.Callbacks{}).Upload(w.ctx, upload.File{Path: w.file("a.mp4", 10)})
		if !errors.Is(err, vod.ErrForbidden) || w.vod.Calls("") != 1 {
			t.Errorf("%d calls, error %v; want 1, ErrForbidden", w.vod.Calls(""), err)
		}
	})
}

// A video that may have been made is not made again unless the user wants it.
func TestLostAnswerIsTheUsersDecision(t *testing.T) {
	w := newWorld(t)
	store := checkpoint.NewMemory()
	w.vod.Inject(vodtest.Fault{LoseAnswer: true})
	c := w.uploads(w.authorizer(nil), store, upload.Callbacks{})
	path := w.file("a.mp4", 500*kib)
	id := must(c.AddFile(upload.File{Path: path}))
	if err := c.Start(w.ctx); err != nil {
		t.Fatal(err)
	}
	var e *upload.Error
	if err := c.Wait(w.ctx); !errors.Is(err, upload.ErrAnswerLost) || !errors.As(err, &e) || e.Code != upload.CodeAnswerLost {
		t.Fatalf("got %v, want ErrAnswerLost", err)
	}
	w.one()
	if err := c.ResumeFile(id); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.same(w.vod.Media()[1], path)
	w.clean(store)
}

// The video is deleted between two runs, and during one.
func TestDeletedVideoBeginsAnew(t *testing.T) {
	w := newWorld(t)
	store := checkpoint.NewMemory()
	a := w.authorizer(nil)
	path := w.file("a.mp4", 900*kib)
	fails := osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Part(7)
	w.objects.Inject(fails)
	if _, err := w.uploads(a, store, upload.Callbacks{}).Upload(w.ctx, upload.File{Path: path}); err == nil {
		t.Fatal("the first run succeeded")
	}
	first := w.one()
	w.vod.Delete(first.ID)

	// Parts of the first run may still be on their way.
	expires := osstest.ExpireToken(osstest.OpUploadPart).Match(func(r osstest.Request) bool { return r.Key != first.Object }).Nth(4)
	w.objects.Inject(expires)
	deleted := vodtest.Fault{Action: vodtest.RefreshUploadVideo, Code: "InvalidVideo.NotFound"}
	w.vod.Inject(vodtest.Fault{Action: vodtest.RefreshUploadVideo}, deleted) // the first finds it deleted by itself
	r, err := w.uploads(a, store, upload.Callbacks{}).Upload(w.ctx, upload.File{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	all := w.vod.Media()
	if len(all) != 3 || r.VideoID != all[2].ID {
		t.Fatalf("got video %s, made were %v; want the third of three", r.VideoID, all)
	}
	w.same(all[2], path)
	w.clean(store)
}

// The mode in which somebody else talks to VOD.
func TestWithAuths(t *testing.T) {
	w := newWorld(t)
	vodClient := w.client() // of the app server
	w.objects.Inject(osstest.ExpireToken(osstest.OpUploadPart).Nth(3))
	expired := 0
	c := w.uploads(nil, checkpoint.NewMemory(), upload.Callbacks{
		OnStarted: func(c *upload.Client, f upload.FileInfo) {
			made := must(vodClient.CreateUploadVideo(w.ctx, vod.CreateUploadVideoRequest{Media: vod.Media{Title: "t"}, FileName: "a.mp4"}))
			if err := c.SetUploadAuthAndAddress(f.ID, string(made.UploadAuth), made.UploadAddress, made.VideoID); err != nil {
				t.Error(err)
			}
		},
		OnTokenExpired: func(c *upload.Client, f upload.FileInfo) {
			expired++
			fresh := must(vodClient.RefreshUploadVideo(w.ctx, f.VideoID))
			if err := c.ResumeWithAuth(f.ID, string(fresh.UploadAuth)); err != nil {
				t.Error(err)
			}
		},
	})
	path := w.file("a.mp4", 900*kib)
	must(c.AddFile(upload.File{Path: path}))
	if err := c.Start(w.ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.same(w.one(), path)
	if f := c.Files()[0]; f.Result == nil || f.Result.VideoID == "" || f.Result.VideoID != w.one().ID {
		t.Errorf("the result is %+v, want the video's ID", f.Result)
	}
	if expired != 1 {
		t.Errorf("OnTokenExpired was called %d times, want once", expired)
	}
}
