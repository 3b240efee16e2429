package upload_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
)

func encoded(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func TestParseUploadAddress(t *testing.T) {
	const text = `{"Endpoint":"https://oss-cn-shanghai.aliyuncs.com","Bucket":"outin-7","FileName":"sv/5f-1/ü.mp4"}`
	want := upload.UploadAddress{Endpoint: "https://oss-cn-shanghai.aliyuncs.com", Bucket: "outin-7", Object: "sv/5f-1/ü.mp4"}
	playlist := want
	playlist.ObjectPrefix = "sv/5f-1/"
	for name, in := range map[string]string{
		"as it is given":              encoded(text),
		"without padding":             strings.TrimRight(encoded(text), "="),
		"in the alphabet of URLs":     base64.URLEncoding.EncodeToString([]byte(text)),
		"with line breaks":            "\n" + encoded(text)[:40] + "\r\n " + encoded(text)[40:] + "\n",
		"decoded before":              " " + text,
		"with names in another case":  encoded(strings.Replace(text, "FileName", "fileName", 1)),
		"with fields that nobody has": encoded(strings.Replace(text, "{", `{"New":[1],`, 1)),
	} {
		if got, err := upload.ParseUploadAddress(in); got != want || err != nil {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	if got, err := upload.ParseUploadAddress(encoded(strings.Replace(text, "{", `{"ObjectPrefix":"sv/5f-1/",`, 1))); got != playlist || err != nil {
		t.Errorf("of a playlist: got %+v, %v", got, err)
	}
}

func TestParseUploadAuth(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const key = `"AccessKeyId":"STS.a","AccessKeySecret":"b","SecurityToken":"c"`
	for fields, want := range map[string]time.Time{
		``:                                       {},
		`"Expiration":"3600"`:                    now.Add(time.Hour),
		`"Expiration":3600`:                      now.Add(time.Hour),
		`"Expiration":" 3600 "`:                  now.Add(time.Hour),
		`"Expiration":"2026-01-02T04:00:00Z"`:    time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC),
		`"Expiration":"1767326400"`:              time.Unix(1767326400, 0).UTC(),
		`"Expiration":1767326400000`:             time.Unix(1767326400, 0).UTC(),
		`"Expiration":null`:                      {},
		`"Expiration":{"a":1}`:                   {},
		`"Expiration":"NaN"`:                     {},
		`"Expiration":"-5"`:                      {},
		`"Expiration":"1e300"`:                   {},
		`"Expiration":"soon"`:                    {},
		`"ExpireUTCTime":"2026-01-02T04:00:00Z"`: time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC),
		`"ExpireUTCTime":"2026-01-02T12:00:00.5+08:00","Expiration":"9"`: time.Date(2026, 1, 2, 4, 0, 0, 5e8, time.UTC),
		`"ExpireUTCTime":"2026-01-02T04:00:00"`:                          time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC),
		`"ExpireUTCTime":"2026-01-02 04:00:00"`:                          time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC),
		`"expiration":3600`:                                              now.Add(time.Hour),
		`"ExpireUTCTime":"2026-01-02 12:00:00+08:00"`:                    time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC),
		`"ExpireUTCTime":"","Expiration":"60"`:                           now.Add(time.Minute),
		`"ExpireUTCTime":"sometime","Expiration":"60"`:                   now.Add(time.Minute),
	} {
		text := `{` + key + `,"Region":"cn-shanghai"` + strings.TrimSuffix(","+fields, ",") + `}`
		got, region, err := upload.ParseUploadAuth(encoded(text), now)
		wanted := sts.Credentials{AccessKeyID: "STS.a", AccessKeySecret: "b", SecurityToken: "c", Expiration: want}
		if got != wanted || region != "cn-shanghai" || err != nil {
			t.Errorf("%s: got %v in %q, %v; want %v", fields, got, region, err, want)
		}
	}
}

func TestBadUploadAuthAndAddress(t *testing.T) {
	const secret = "verysecretvalue"
	tests := []struct {
		name, in string
		is       error
		text     string
	}{
		{"empty", " \n", upload.ErrMissingArgument, "is empty"},
		{"not base64", secret + "!%", upload.ErrInvalidArgument, "is not base64"},
		{"not JSON", encoded(secret), upload.ErrInvalidArgument, "malformed at byte 1"},
		{"JSON that breaks off", encoded(`{"AccessKeySecret":"` + secret), upload.ErrInvalidArgument, "breaks off"},
		{"a list", encoded(`["` + secret + `"]`), upload.ErrInvalidArgument, "it is no object"},
		{"null", encoded(`null`), upload.ErrMissingArgument, "incomplete"},
		{"a Secret that was printed", "[hidden]", upload.ErrInvalidArgument, "Handover()"},
		{"a Secret that was printed and encoded", encoded("[hidden]"), upload.ErrInvalidArgument, "Handover()"},
		{"the JSON of a Ticket", `{"UploadAddress":"e30=","UploadAuth":"[hidden]","Credentials":{"accessKeyId":"` + secret + `"}}`, upload.ErrInvalidArgument, "Handover()"},
		{"a field is missing", encoded(`{"AccessKeyId":"a","AccessKeySecret":"` + secret + `","Endpoint":"e","Bucket":"b"}`), upload.ErrMissingArgument, "incomplete"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, auth := upload.ParseUploadAuth(tt.in, time.Now())
			_, address := upload.ParseUploadAddress(tt.in)
			for what, err := range map[string]error{"UploadAuth": auth, "UploadAddress": address} {
				if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) || !strings.Contains(err.Error(), what) {
					t.Errorf("%s: error is %v, want %v that says %q", what, err, tt.is, tt.text)
				}
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("%s: the error shows a secret: %v", what, err)
				}
			}
		})
	}
}

func TestSetUploadAuthAndAddressTakesTheVideoID(t *testing.T) {
	b := newTestbed(t)
	auth := encoded(fmt.Sprintf(`{"AccessKeyId":%q,"AccessKeySecret":%q,"SecurityToken":"c"}`, "STS.a", "b"))
	address := encoded(fmt.Sprintf(`{"Endpoint":%q,"Bucket":%q,"FileName":"sv/1.mp4"}`, b.server.URL, bucket))
	c := b.client()
	id, err := c.AddFile(upload.File{Path: b.file("a.mp4", mib).Path})
	if err != nil {
		t.Fatal(err)
	}
	for what, wrong := range map[string]string{
		"the address": address, "an UploadAuth": auth, "a line break": "5f1c\n", "a blank": " ", "much too long": strings.Repeat("a", 129),
	} {
		err := c.SetUploadAuthAndAddress(id, auth, address, wrong)
		if !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), "videoID") || strings.Contains(err.Error(), wrong) && wrong != " " {
			t.Errorf("%s: error is %v, want ErrInvalidArgument that names videoID and does not show it", what, err)
		}
		if f, _ := c.File(id); f.Bucket != "" || f.VideoID != "" {
			t.Errorf("%s: the file got %q and %q; want nothing", what, f.Bucket, f.VideoID)
		}
	}
	if err := c.SetUploadAuthAndAddress(id, auth, address, "5f1c_-A"); err != nil {
		t.Fatal(err)
	}
	if f, _ := c.File(id); f.VideoID != "5f1c_-A" || f.Object != "sv/1.mp4" {
		t.Errorf("the file has %+v; want the video ID and the address", f)
	}
}

// FuzzUploadAuth looks for texts that crash the readers, or whose errors show what
// was read.
func FuzzUploadAuth(f *testing.F) {
	f.Add(encoded(`{"AccessKeyId":"a","AccessKeySecret":"b","SecurityToken":"c","Expiration":"3600","Region":"cn-shanghai"}`))
	f.Add(encoded(`{"AccessKeyId":"a","AccessKeySecret":"b","SecurityToken":"c","ExpireUTCTime":"2026-01-02T04:00:00Z"}`))
	f.Add(encoded(`{"Endpoint":"https://x","Bucket":"b","FileName":"o","ObjectPrefix":"p"}`))
	f.Add(`{"Expiration":1e308}`)
	f.Add("e30=")
	f.Add("!")
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, in string) {
		creds, _, err := upload.ParseUploadAuth(in, now)
		if err == nil && (creds.Validate() != nil || !creds.Temporary()) {
			t.Errorf("got %v without an error", creds)
		}
		if err != nil && !errors.Is(err, upload.ErrMissingArgument) && !errors.Is(err, upload.ErrInvalidArgument) {
			t.Errorf("error is %v", err)
		}
		a, err := upload.ParseUploadAddress(in)
		if err == nil && (a.Endpoint == "" || a.Bucket == "" || a.Object == "") {
			t.Errorf("got %+v without an error", a)
		}
		const shortest = 12 // less than that may be in the text by chance
		if err != nil && len(in) >= shortest && strings.Contains(err.Error(), in) {
			t.Errorf("the error shows what was read: %v", err)
		}
	})
}
