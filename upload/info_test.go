package upload_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// The bytes are what the services read: they must not change by accident.
func TestInfoGolden(t *testing.T) {
	for _, tt := range []struct {
		name string
		info upload.Info
		want string
	}{
		{"nothing but the default", upload.Info{}, `{"Vod":{"IsProcess":"true"}}`},
		{
			"all fields",
			upload.Info{Title: "Ein <Titel> & mehr", Description: "影片", CategoryID: 19, Tags: []string{"tag1", "tag2"}, CoverURL: "https://c.example/a.jpg?x=1&y=2", UserData: "user defined info here"},
			`{"Vod":{"Title":"Ein <Titel> & mehr","Description":"影片","CateId":"19","Tags":"tag1,tag2","CoverUrl":"https://c.example/a.jpg?x=1&y=2","IsProcess":"true","UserData":"user defined info here"}}`,
		},
		{"no workflow", upload.Info{Title: "t", NoProcess: true}, `{"Vod":{"Title":"t","IsProcess":"false"}}`},
		{
			"watermark and priority take the user data's place",
			upload.Info{Watermark: true, Priority: 7},
			`{"Vod":{"IsProcess":"true","UserData":{"IsShowWaterMark":"true","Priority":"7"}}}`,
		},
		{"priority alone", upload.Info{Priority: 1}, `{"Vod":{"IsProcess":"true","UserData":{"IsShowWaterMark":"false","Priority":"1"}}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for size, op := range map[int]osstest.Op{10: osstest.OpPutObject, 300 * kib: osstest.OpCompleteMultipartUpload} {
				b := newTestbed(t)
				f := b.file("a.mp4", size)
				f.Info = &tt.info
				if _, err := b.client().Upload(b.ctx, f); err != nil {
					t.Fatal(err)
				}
				for _, r := range b.server.Requests() {
					got, err := base64.StdEncoding.DecodeString(r.Header.Get("x-oss-notification"))
					if err != nil {
						t.Fatal(err)
					}
					want := ""
					if r.Op == op {
						want = tt.want
					}
					if string(got) != want {
						t.Errorf("%s has notification\n%s, want\n%s", r.Op, got, want)
					}
				}
			}
		})
	}
}

func TestBadFile(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	good := b.file("a.mp4", 10)
	tags := make([]string, 17)
	for _, tt := range []struct {
		want   string // in the error
		is     error
		change func(*upload.File)
	}{
		{"File.Path", upload.ErrMissingArgument, func(f *upload.File) { f.Path = "" }},
		{"File.Path", upload.ErrFileNotExist, func(f *upload.File) { f.Path += "x" }},
		{"is a directory", upload.ErrInvalidArgument, func(f *upload.File) { f.Path = b.dir }},
		{"File.Endpoint", upload.ErrMissingArgument, func(f *upload.File) { f.Endpoint = "" }},
		{"File.Endpoint", upload.ErrInvalidArgument, func(f *upload.File) { f.Endpoint = "ftp://host" }},
		{"File.Endpoint", upload.ErrInvalidArgument, func(f *upload.File) { f.Endpoint = "no host" }},
		{"File.Bucket", upload.ErrMissingArgument, func(f *upload.File) { f.Bucket = "" }},
		{"File.Bucket", upload.ErrInvalidArgument, func(f *upload.File) { f.Bucket = "UPPER" }},
		{"File.Object", upload.ErrMissingArgument, func(f *upload.File) { f.Object = "" }},
		{"File.Object", upload.ErrInvalidArgument, func(f *upload.File) { f.Object = "/slash" }},
		{"File.Object", upload.ErrInvalidArgument, func(f *upload.File) { f.Object = strings.Repeat("k", 1024) }},
		{"File.Options.StorageClass", upload.ErrInvalidArgument, func(f *upload.File) { f.Options.StorageClass = "Cheap" }},
		{"File.Options.ACL", upload.ErrInvalidArgument, func(f *upload.File) { f.Options.ACL = "all" }},
		{"File.Options.Encryption", upload.ErrInvalidArgument, func(f *upload.File) { f.Options.Encryption = "ROT13" }},
		{"File.Options.TrafficLimit", upload.ErrInvalidArgument, func(f *upload.File) { f.Options.TrafficLimit = 1 }},
		{"Info.Title", upload.ErrInvalidArgument, func(f *upload.File) { f.Info = &upload.Info{Title: strings.Repeat("ü", 65)} }},
		{"Info.Description", upload.ErrInvalidArgument, func(f *upload.File) { f.Info = &upload.Info{Description: strings.Repeat("d", 1025)} }},
		{"Info.CoverURL", upload.ErrInvalidArgument, func(f *upload.File) { f.Info = &upload.Info{CoverURL: strings.Repeat("u", 3201)} }},
		{"Info.UserData", upload.ErrInvalidArgument, func(f *upload.File) { f.Info = &upload.Info{UserData: strings.Repeat("u", 1025)} }},
		{"Info.Tags", upload.ErrInvalidArgument, func(f *upload.File) { f.Info = &upload.Info{Tags: tags} }},
		{"Info.Tags", upload.ErrInvalidArgument, func(f *upload.File) { f.Info = &upload.Info{Tags: []string{"a,b"}} }},
		{"Info.Tags", upload.ErrInvalidArgument, func(f *upload.File) { f.Info = &upload.Info{Tags: []string{strings.Repeat("t", 33)}} }},
		{"Info.Priority", upload.ErrInvalidArgument, func(f *upload.File) { f.Info = &upload.Info{Priority: 11} }},
		{"Info.CategoryID", upload.ErrInvalidArgument, func(f *upload.File) { f.Info = &upload.Info{CategoryID: -1} }},
		{"UserData together with", upload.ErrInvalidArgument, func(f *upload.File) { f.Info = &upload.Info{UserData: "u", Watermark: true} }},
		{"Callback.URLs", upload.ErrInvalidArgument, func(f *upload.File) { f.Options.Callback = &upload.Callback{Body: "b"} }},
		{"Callback.URLs", upload.ErrInvalidArgument, func(f *upload.File) { f.Options.Callback = &upload.Callback{Body: "b", URLs: []string{"host"}} }},
		{"Callback.URLs[0]: want", upload.ErrInvalidArgument, func(f *upload.File) {
			f.Options.Callback = &upload.Callback{Body: "b", URLs: []string{"https://me:hunter2#@host/"}}
		}},
		{"Callback.Body", upload.ErrMissingArgument, func(f *upload.File) {
			f.Options.Callback = &upload.Callback{URLs: []string{"http://h/"}, BodyType: "application/json"}
		}},
		{"Callback.BodyType", upload.ErrInvalidArgument, func(f *upload.File) {
			f.Options.Callback = &upload.Callback{URLs: []string{"http://h/"}, Body: "b", BodyType: "text/plain"}
		}},
		{"Callback.Vars", upload.ErrInvalidArgument, func(f *upload.File) {
			f.Options.Callback = &upload.Callback{URLs: []string{"http://h/"}, Vars: map[string]string{"x:a}": "1"}}
		}},
		{"Callback.Vars", upload.ErrInvalidArgument, func(f *upload.File) {
			f.Options.Callback = &upload.Callback{URLs: []string{"http://h/"}, Body: "b", Vars: map[string]string{"mine": "1"}}
		}},
		{"bytes as a header", upload.ErrInvalidArgument, func(f *upload.File) {
			f.Options.Callback = &upload.Callback{URLs: []string{"http://h/"}, Body: strings.Repeat("b", 5<<10)}
		}},
	} {
		t.Run(tt.want, func(t *testing.T) {
			f := good
			f.Options = new(upload.ObjectOptions)
			tt.change(&f)
			_, err := c.AddFile(f)
			if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to be %q and to tell %q", err, tt.is, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error has the password: %v", err)
			}
		})
	}
	if n := len(b.server.Requests()); n > 0 {
		t.Errorf("%d requests were sent, want none", n)
	}
}

func TestBadOptions(t *testing.T) {
	for want, o := range map[string]upload.Options{
		"PartSize: got 102399":       {PartSize: 100*kib - 1},
		"PartSize: got 5368709121":   {PartSize: 5<<30 + 1},
		"Parallel: got -1":           {Parallel: -1},
		"Parallel: got 1001":         {Parallel: 1001},
		"RetryInterval: got -1ns":    {RetryInterval: -1},
		"StallTimeout: got -1ns":     {StallTimeout: -1},
		"TokenWait: got -1ns":        {TokenWait: -1},
		"CleanupTimeout: got -1ns":   {CleanupTimeout: -1},
		"BandwidthLimit: got -1":     {BandwidthLimit: -1},
		"RetryInterval: got 2ns":     {RetryInterval: 2},
		`Region: region "Shang hai"`: {Region: "Shang hai"},
	} {
		if _, err := upload.New(&o); !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to tell %q", err, want)
		}
	}
}

// Each property goes with the requests that honour it, and with no other.
func TestObjectOptionsReachTheirRequests(t *testing.T) {
	header := map[string][]osstest.Op{
		"Content-Type":                        {osstest.OpPutObject, osstest.OpInitiateMultipartUpload},
		"Cache-Control":                       {osstest.OpPutObject, osstest.OpInitiateMultipartUpload},
		"Content-Disposition":                 {osstest.OpPutObject, osstest.OpInitiateMultipartUpload},
		"X-Oss-Storage-Class":                 {osstest.OpPutObject, osstest.OpInitiateMultipartUpload},
		"X-Oss-Object-Acl":                    {osstest.OpPutObject, osstest.OpInitiateMultipartUpload},
		"X-Oss-Meta-Author":                   {osstest.OpPutObject, osstest.OpInitiateMultipartUpload},
		"X-Oss-Tagging":                       {osstest.OpPutObject, osstest.OpInitiateMultipartUpload},
		"X-Oss-Server-Side-Encryption":        {osstest.OpPutObject, osstest.OpInitiateMultipartUpload},
		"X-Oss-Server-Side-Encryption-Key-Id": {osstest.OpPutObject, osstest.OpInitiateMultipartUpload},
		"X-Oss-Mine":                          {osstest.OpPutObject, osstest.OpInitiateMultipartUpload},
		"X-Oss-Forbid-Overwrite":              {osstest.OpPutObject, osstest.OpInitiateMultipartUpload, osstest.OpCompleteMultipartUpload},
		"X-Oss-Traffic-Limit":                 {osstest.OpPutObject, osstest.OpUploadPart},
		"X-Oss-Request-Payer":                 {osstest.OpPutObject, osstest.OpInitiateMultipartUpload, osstest.OpUploadPart, osstest.OpCompleteMultipartUpload},
	}
	for _, size := range []int{10, 300 * kib} {
		b := newTestbed(t)
		f := b.file("a.bin", size)
		f.IfExists = upload.Fail
		f.Options = &upload.ObjectOptions{
			ContentType: "video/x-mine", CacheControl: "no-cache", ContentDisposition: "attachment",
			StorageClass: "IA", ACL: "public-read", Encryption: "KMS", EncryptionKeyID: "key-1",
			Metadata: map[string]string{"Author": "me"}, Tags: map[string]string{"a": "b c"},
			RequestPayer: true, TrafficLimit: 819200, Headers: map[string]string{"x-oss-mine": "1"},
		}
		if _, err := b.client().Upload(b.ctx, f); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.server.Requests() {
			for name, ops := range header {
				want := false
				for _, op := range ops {
					want = want || op == r.Op
				}
				if got := r.Header.Get(name) != ""; got != want {
					t.Errorf("%s has %s: %t, want %t", r.Op, name, got, want)
				}
			}
		}
		o, _ := b.server.Object(bucket, f.Object)
		if o.ContentType != "video/x-mine" || o.StorageClass != "IA" || o.Header.Get("X-Oss-Meta-Author") != "me" {
			t.Errorf("the object has type %q, class %q, headers %v", o.ContentType, o.StorageClass, o.Header)
		}
	}
}

func TestContentType(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	png := []byte("\x89PNG\r\n\x1a\n")
	for _, tt := range []struct{ object, path, data, want string }{
		{"a.MP4", "x.bin", "", "video/mp4"},
		{"noext", "x.m3u8", "", "application/vnd.apple.mpegurl"},
		{"noext1", "x1", string(png), "image/png"},
		{"noext2", "x2", "\x00\x01\x02", "application/octet-stream"},
		{"v1.2/noext3", "x3", "plain words", "text/plain; charset=utf-8"},
	} {
		f := b.file(tt.path, 0)
		writeFile(t, f.Path, tt.data)
		f.Object = tt.object
		if _, err := c.Upload(b.ctx, f); err != nil {
			t.Fatal(err)
		}
		if o, _ := b.server.Object(bucket, tt.object); o.ContentType != tt.want {
			t.Errorf("%s of %s has type %q, want %q", tt.object, tt.path, o.ContentType, tt.want)
		}
	}
}

func TestCallback(t *testing.T) {
	b := newTestbed(t)
	answer := `{"Status":"OK"}`
	status := http.StatusOK
	var got string
	back := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got = r.Form.Encode()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "15")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	})
	for _, size := range []int{10, 300 * kib} {
		f := b.file("a.mp4", size)
		f.Options = &upload.ObjectOptions{Callback: &upload.Callback{
			URLs: []string{back}, Body: "object=${object}&who=${x:who}", Vars: map[string]string{"x:who": "me"},
		}}
		status = http.StatusOK
		r, err := b.client().Upload(b.ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		if string(r.CallbackBody) != answer || got != "object=in%2Fa.mp4&who=me" || !r.Verified {
			t.Errorf("got answer %q, verified %t; the server got %q", r.CallbackBody, r.Verified, got)
		}
		status = http.StatusInternalServerError
		_, err = b.client().Upload(b.ctx, f)
		var one *upload.Error
		if !errors.As(err, &one) || one.Code != "CallbackFailed" || one.Status != 203 {
			t.Errorf("got %v, want CallbackFailed", err)
		}
		b.same(f) // stored all the same
		b.clean()
	}
}
