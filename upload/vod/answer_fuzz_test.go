package vod_test

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/vod"
)

// An answering transport answers each request with the same bytes.
type answering struct {
	status int
	body   string
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: -1, Request: r,
	}, nil
}

// FuzzAnswers has VOD answer anything. What is taken for a success must be usable, and
// what is not must be an error of one line that keeps the secret; a call that may have
// made something has to say so.
func FuzzAnswers(f *testing.F) {
	coded := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	address := coded(`{"Endpoint":"https://oss-cn-shanghai.aliyuncs.com","Bucket":"b-ucket","FileName":"a/b.mp4"}`)
	auth := coded(`{"AccessKeyId":"STS.i","AccessKeySecret":"s","SecurityToken":"t","Expiration":"3000"}`)
	good := `{"RequestId":"R","VideoId":"V","ImageId":"I","MediaId":"M","UploadAddress":"` + address + `","UploadAuth":"` + auth + `"}`
	for _, body := range []string{good, "", "{", "null", "[]", `"x"`, `{"Code":"Throttling","Message":"a\nb","RequestId":"R"}`,
		strings.Replace(good, `"V"`, "7", 1), strings.Replace(good, address, "x", 1), strings.Replace(good, auth, coded("{}"), 1)} {
		for _, status := range []uint16{200, 400, 403, 503} {
			f.Add(status, body)
		}
	}
	f.Fuzz(func(t *testing.T, status uint16, body string) {
		if status < 200 || status > 599 {
			t.Skip()
		}
		provider := sts.Static(sts.Credentials{AccessKeyID: "id", AccessKeySecret: "S3CR3T-KEY"})
		c, err := vod.NewClient(provider, &vod.ClientOptions{HTTPClient: &http.Client{Transport: answering{int(status), body}}})
		if err != nil {
			t.Fatal(err)
		}
		check := func(id string, ticket vod.Ticket, err error) {
			t.Helper()
			if err == nil {
				if id == "" || ticket.Address.Bucket == "" || ticket.Address.Object == "" || ticket.Credentials.Validate() != nil {
					t.Errorf("took %q for a success: ID %q, %v", body, id, ticket.Address)
				}
				return
			}
			if text := err.Error(); strings.ContainsAny(text, "\n\r") || strings.Contains(text, "S3CR3T-KEY") {
				t.Errorf("the error is %q", text)
			}
			if status == 200 && !errors.Is(err, upload.ErrAnswerLost) && !strings.Contains(body, "Code") {
				t.Errorf("%v does not say that something may have been made", err)
			}
		}
		video, err := c.CreateUploadVideo(t.Context(), vod.CreateUploadVideoRequest{Media: vod.Media{Title: "t"}, FileName: "f.mp4"})
		check(video.VideoID, video.Ticket, err)
		image, err := c.CreateUploadImage(t.Context(), vod.CreateUploadImageRequest{})
		check(image.ImageID, image.Ticket, err)
		media, err := c.CreateUploadAttachedMedia(t.Context(), vod.CreateUploadAttachedMediaRequest{BusinessType: "subtitle", MediaExt: "srt"})
		check(media.MediaID, media.Ticket, err)
	})
}
