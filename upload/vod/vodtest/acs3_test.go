package vodtest_test

import (
	"context"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts/openapi"
	"github.com/vodupload/vodupload/upload/vod/vodtest"
)

func TestCallsSignedWithACS3(t *testing.T) {
	lookup := func(id, token string) (vodtest.Key, bool) {
		return vodtest.Key{AccessKeyID: id, AccessKeySecret: "secret-of-a-role", SecurityToken: token}, id == "STS.x" && token == "CAIS"
	}
	s := serve(t, &vodtest.Options{LookupKey: lookup})
	good := openapi.Key{ID: "STS.x", Secret: "secret-of-a-role", Token: "CAIS"}
	tests := []struct {
		name   string
		key    openapi.Key
		action string
		now    func() time.Time
		code   string // empty: success
	}{
		{"token in a header", good, vodtest.CreateUploadVideo, nil, ""},
		{"wrong secret", openapi.Key{ID: "STS.x", Secret: "other", Token: "CAIS"}, vodtest.CreateUploadVideo, nil, "SignatureDoesNotMatch"},
		{"no token", openapi.Key{ID: "STS.x", Secret: "secret-of-a-role"}, vodtest.CreateUploadVideo, nil, "InvalidAccessKeyId.NotFound"},
		{"unknown action", good, "DeleteVideo", nil, "InvalidAction.NotFound"},
		{"clock 16 minutes ahead", good, vodtest.CreateUploadVideo, func() time.Time { return time.Now().Add(16 * time.Minute) }, "InvalidTimeStamp.Expired"},
	}
	for _, tt := range tests {
		for _, method := range []string{"GET", "POST"} {
			t.Run(tt.name+", "+method, func(t *testing.T) {
				c, err := openapi.New(s.URL, "2017-03-21", func(context.Context) (openapi.Key, error) { return tt.key, nil },
					&openapi.Options{Method: method, Signature: openapi.ACS3, Now: tt.now})
				if err != nil {
					t.Fatal(err)
				}
				var out struct{ VideoID string }
				err = c.Do(t.Context(), tt.action, map[string]string{"Title": "t ü*", "FileName": "a.mp4"}, &out)
				if tt.code == "" && (err != nil || out.VideoID == "") {
					t.Errorf("%v, video %q", err, out.VideoID)
				}
				if tt.code != "" && codeOf(err) != tt.code {
					t.Errorf("error = %v, want %s", err, tt.code)
				}
			})
		}
	}
}
