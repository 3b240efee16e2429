package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osscallback"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/vod"
	"github.com/vodupload/vodupload/upload/vod/vodtest"
)

// services are OSS, VOD and the backend, all in this process.
type services struct {
	backend *backend
	url     string // of the backend
	objects *osstest.Server
	videos  *vodtest.Server
}

// embedded runs the whole circle without an account.
func embedded(ctx context.Context, stdout io.Writer) (err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &services{url: "http://" + l.Addr().String()}
	s.objects = osstest.NewServer(&osstest.Options{
		Region: vod.DefaultRegion, Buckets: []string{"media"},
		OnStored: func(bucket, object string, size int64) { s.videos.Stored(bucket, object, size) },
	})
	defer s.objects.Close()
	s.backend = &backend{
		log: stdout, secret: []byte(rand.Text()), vodURL: s.url + "/vod", vodKey: []byte(rand.Text()),
		keys: &http.Client{Transport: s.objects.CallbackKeys()},
	}
	s.videos = vodtest.NewServer(&vodtest.Options{
		Region: vod.DefaultRegion, Endpoint: s.objects.URL, CreateBucket: s.objects.CreateBucket,
		AddKey:      func(k vodtest.Key) { s.objects.AddKey(osstest.Key(k)) },
		CallbackURL: s.backend.vodURL, AuthKey: string(s.backend.vodKey),
	})
	defer s.videos.Close()
	handler, err := s.backend.handler()
	if err != nil {
		return errors.Join(err, l.Close())
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // ErrServerClosed
	}()
	defer func() {
		err = errors.Join(err, server.Close())
		<-done
	}()
	for _, step := range []func(context.Context) error{s.toOSS, s.forged, s.toVOD} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// upload uploads a few bytes.
func (s *services) upload(ctx context.Context, o upload.Options, f upload.File) (r upload.Result, err error) {
	o.Checkpoints = checkpoint.NewMemory()
	c, err := upload.New(&o)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	const film = "no player would play it"
	f.Path, f.Source = "talk.mp4", upload.NewSource(strings.NewReader(film), int64(len(film)), "1")
	return c.Upload(ctx, f)
}

// direct uploads to OSS with a callback.
func (s *services) direct(ctx context.Context, object string, callback *upload.Callback) (upload.Result, error) {
	f := upload.File{Endpoint: s.objects.URL, Bucket: "media", Object: object}
	f.Options = &upload.ObjectOptions{Callback: callback}
	key := sts.Credentials{AccessKeyID: osstest.DefaultKey.AccessKeyID, AccessKeySecret: osstest.DefaultKey.AccessKeySecret}
	return s.upload(ctx, upload.Options{Credentials: sts.Static(key)}, f)
}

// toOSS uploads with a token in the callback.
func (s *services) toOSS(ctx context.Context) error {
	r, err := s.direct(ctx, "in/talk.mp4", &upload.Callback{
		URLs: []string{s.url + "/oss"}, VarsOf: osscallback.TokenVars(s.backend.secret, 24*time.Hour),
	})
	if err == nil {
		s.backend.printf("the uploader got %s", r.CallbackBody)
	}
	return err
}

// forged has OSS send what somebody without the secret makes up.
func (s *services) forged(ctx context.Context) error {
	_, err := s.direct(ctx, "mine", &upload.Callback{URLs: []string{s.url + "/oss"}, Body: "bucket=media&object=in/paid.mp4&size=1"})
	var failed *upload.Error
	if !errors.As(err, &failed) || failed.Code != "CallbackFailed" {
		return fmt.Errorf("the backend believed a callback without a token: %v", err)
	}
	s.backend.printf("a callback without a token was refused")
	return nil
}

// toVOD uploads a video, and has VOD say that it is transcoded.
func (s *services) toVOD(ctx context.Context) error {
	key := sts.Credentials{AccessKeyID: vodtest.DefaultKey.AccessKeyID, AccessKeySecret: vodtest.DefaultKey.AccessKeySecret}
	client, err := vod.NewClient(sts.Static(key), &vod.ClientOptions{Endpoint: s.videos.URL})
	if err != nil {
		return err
	}
	authorizer, err := vod.NewAuthorizer(client, nil)
	if err != nil {
		return err
	}
	r, err := s.upload(ctx, upload.Options{Authorizer: authorizer}, upload.File{})
	if err != nil {
		return err
	}
	return s.videos.Notify(ctx, map[string]any{
		"EventType": vod.EventTranscodeComplete, "VideoId": r.VideoID, "Status": "success",
		"StreamInfos": []map[string]any{{"Status": "success", "Definition": "HD", "Format": "mp4"}},
	})
}
