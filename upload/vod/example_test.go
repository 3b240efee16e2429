package vod_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/vod"
	"github.com/vodupload/vodupload/upload/vod/vodtest"
)

// VOD with STS: the client makes the videos.
func ExampleAuthorizer() {
	objects := osstest.NewServer(&osstest.Options{Region: vod.DefaultRegion})
	defer objects.Close()
	service := vodtest.NewServer(&vodtest.Options{
		Endpoint: objects.URL, CreateBucket: objects.CreateBucket,
		AddKey: func(k vodtest.Key) { objects.AddKey(osstest.Key(k)) },
	})
	defer service.Close()
	// In earnest: a sts.Cache around what gets tokens from STS or from an app server.
	provider := sts.Static(sts.Credentials{
		AccessKeyID: vodtest.DefaultKey.AccessKeyID, AccessKeySecret: vodtest.DefaultKey.AccessKeySecret,
	})

	client, err := vod.NewClient(provider, &vod.ClientOptions{
		Endpoint: service.URL, // leave it out, and give the Region
	})
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
	film := strings.Repeat("frame ", 500_000)
	result, err := uploads.Upload(context.Background(), upload.File{
		Path:   "talk.mp4",
		Source: upload.NewSource(strings.NewReader(film), int64(len(film)), "talk 1"),
		Info:   &upload.Info{Title: "A talk"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	made := service.Media()[0]
	fmt.Println(made.Params["Title"], result.VideoID == made.ID, result.Size, "bytes in", result.Parts, "parts")
	// Output: A talk true 3000000 bytes in 3 parts
}
