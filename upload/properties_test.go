package upload_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A sentHeader is how a property of a file looks on the wire, and with which requests it
// goes: with PutObject, and with those of a multipart upload that in names. The
// others must not have it.
type sentHeader struct {
	header, want string
	in           string // some of I (Initiate), P (UploadPart) and C (Complete)
	decode       bool   // it is base64
}

func (w sentHeader) has(op osstest.Op) bool {
	letter, ok := map[osstest.Op]string{
		osstest.OpInitiateMultipartUpload: "I", osstest.OpUploadPart: "P", osstest.OpCompleteMultipartUpload: "C",
	}[op]
	return op == osstest.OpPutObject || ok && strings.Contains(w.in, letter)
}

func (w sentHeader) check(t *testing.T, r osstest.Request) {
	t.Helper()
	got := r.Header.Get(w.header)
	if w.decode {
		text, err := base64.StdEncoding.DecodeString(got)
		if err != nil {
			t.Errorf("%s: %s is %q: %v", r.Op, w.header, got, err)
		}
		got = string(text)
	}
	want := ""
	if w.has(r.Op) {
		want = w.want
	}
	if got != want {
		t.Errorf("%s: %s is %q, want %q", r.Op, w.header, got, want)
	}
}

// Each property of a file reaches the server as it was given, in one request and in
// parts. URL stands for the callback server's in what is wanted.
func TestPropertiesReachTheirRequestsWithTheirValues(t *testing.T) {
	for _, tt := range []struct {
		name  string
		set   func(f *upload.File, url string)
		wires []sentHeader
	}{
		{"content headers", func(f *upload.File, _ string) {
			f.Options.ContentType, f.Options.CacheControl, f.Options.ContentDisposition = "video/x-mine", "max-age=60", `attachment; filename="a b.mp4"`
			f.Options.ContentEncoding, f.Options.Expires = "gzip", time.Date(2030, 1, 2, 12, 4, 5, 0, time.FixedZone("", 8*3600))
		}, []sentHeader{
			{header: "Content-Type", want: "video/x-mine", in: "I"},
			{header: "Cache-Control", want: "max-age=60", in: "I"},
			{header: "Content-Disposition", want: `attachment; filename="a b.mp4"`, in: "I"},
			{header: "Content-Encoding", want: "gzip", in: "I"},
			{header: "Expires", want: "Wed, 02 Jan 2030 04:04:05 GMT", in: "I"},
		}},
		{"storage", func(f *upload.File, _ string) {
			f.Options.StorageClass, f.Options.ACL = "IA", "public-read"
			f.Options.Metadata, f.Options.Tags = map[string]string{"Author": "me & you"}, map[string]string{"a": "b c", "d/e": "f=g"}
			f.Options.Headers = map[string]string{"x-oss-mine": "1"}
		}, []sentHeader{
			{header: "X-Oss-Storage-Class", want: "IA", in: "I"},
			{header: "X-Oss-Object-Acl", want: "public-read", in: "I"},
			{header: "X-Oss-Meta-Author", want: "me & you", in: "I"},
			{header: "X-Oss-Tagging", want: "a=b%20c&d%2Fe=f%3Dg", in: "I"},
			{header: "X-Oss-Mine", want: "1", in: "I"},
		}},
		{"AES256", func(f *upload.File, _ string) { f.Options.Encryption = "AES256" }, []sentHeader{
			{header: "X-Oss-Server-Side-Encryption", want: "AES256", in: "I"},
			{header: "X-Oss-Server-Side-Encryption-Key-Id"},
		}},
		{"KMS", func(f *upload.File, _ string) { f.Options.Encryption, f.Options.EncryptionKeyID = "KMS", "key-1" }, []sentHeader{
			{header: "X-Oss-Server-Side-Encryption", want: "KMS", in: "I"},
			{header: "X-Oss-Server-Side-Encryption-Key-Id", want: "key-1", in: "I"},
		}},
		{"requests", func(f *upload.File, _ string) {
			f.IfExists, f.Options.RequestPayer, f.Options.TrafficLimit = upload.Fail, true, 838_860_800
		}, []sentHeader{
			{header: "X-Oss-Forbid-Overwrite", want: "true", in: "IC"},
			{header: "X-Oss-Request-Payer", want: "requester", in: "IPC"},
			{header: "X-Oss-Traffic-Limit", want: "838860800", in: "P"},
		}},
		{"callback with a default body and SNI", func(f *upload.File, url string) {
			f.Options.Callback = &upload.Callback{
				URLs: []string{url}, SNI: true, Vars: map[string]string{"x:b": "1", "x:a&": "2"},
				VarsOf: func(bucket, object string) map[string]string {
					return map[string]string{"x:b": bucket, "x:c": object}
				},
			}
		}, []sentHeader{
			{header: "X-Oss-Callback", want: `{"callbackUrl":"URL","callbackBody":"bucket=${bucket}&object=${object}&etag=${etag}&size=${size}` +
				`&mimeType=${mimeType}&crc64=${crc64}&contentMd5=${contentMd5}&vpcId=${vpcId}&clientIp=${clientIp}&reqId=${reqId}&operation=${operation}` +
				`&imageInfo.width=${imageInfo.width}&imageInfo.height=${imageInfo.height}&imageInfo.format=${imageInfo.format}` +
				`&x:a%26=${x:a&}&x:b=${x:b}&x:c=${x:c}","callbackSNI":true}`, in: "C", decode: true},
			{header: "X-Oss-Callback-Var", want: `{"x:a&":"2","x:b":"media","x:c":"in/a.bin"}`, in: "C", decode: true},
		}},
		{"callback and notification", func(f *upload.File, url string) {
			f.Options.Callback = &upload.Callback{
				URLs: []string{url + "/1", url + "/2"}, Host: "back.example", Body: `{"size":${size},"who":"${x:who}"}`,
				BodyType: "application/json", Vars: map[string]string{"x:who": "me"},
			}
			f.Info = &upload.Info{Title: "t", Tags: []string{"a", "b"}}
		}, []sentHeader{
			{header: "X-Oss-Callback", want: `{"callbackUrl":"URL/1;URL/2","callbackHost":"back.example",` +
				`"callbackBody":"{\"size\":${size},\"who\":\"${x:who}\"}","callbackBodyType":"application/json"}`, in: "C", decode: true},
			{header: "X-Oss-Callback-Var", want: `{"x:who":"me"}`, in: "C", decode: true},
			{header: "X-Oss-Notification", want: `{"Vod":{"Title":"t","Tags":"a,b","IsProcess":"true"}}`, in: "C", decode: true},
		}},
	} {
		for kind, size := range map[string]int{"in one request": 10, "in parts": 250 * kib} {
			t.Run(tt.name+" "+kind, func(t *testing.T) {
				b := newTestbed(t)
				back := serve(t, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					_, _ = w.Write([]byte("{}"))
				})
				f := b.file("a.bin", size)
				f.Options = new(upload.ObjectOptions)
				tt.set(&f, back)
				if _, err := b.client().Upload(b.ctx, f); err != nil {
					t.Fatal(err)
				}
				for _, w := range tt.wires {
					w.want = strings.ReplaceAll(w.want, "URL", back)
					for _, r := range b.server.Requests() {
						if w.header == "Content-Type" && !w.has(r.Op) {
							continue // of the request's own body
						}
						w.check(t, r)
					}
				}
			})
		}
	}
}

// What OSS, or HTTP, would refuse shows before anything is begun: a video would be
// made of the file else.
func TestAddFileChecksAllOptions(t *testing.T) {
	many := make(map[string]string)
	for i := range 11 {
		many[fmt.Sprint("tag", i)] = "x"
	}
	long := &upload.Callback{URLs: []string{"http://example.com"}, Body: strings.Repeat("b", 2*kib), Vars: map[string]string{"x:a": strings.Repeat("v", 2*kib)}}
	for name, tt := range map[string]struct {
		set  func(*upload.File)
		want string
	}{
		"11 tags":                {func(f *upload.File) { f.Options.Tags = many }, "File.Options.Tags: got 11, want at most 10"},
		"metadata of 9 KiB":      {func(f *upload.File) { f.Options.Metadata = map[string]string{"a": strings.Repeat("m", 9*kib)} }, "want at most 8192"},
		"metadata name share_in": {func(f *upload.File) { f.Options.Metadata = map[string]string{"share_in": "1"} }, `File.Options.Metadata: name "share_in": want letters, digits and hyphens`},
		"metadata not ASCII":     {func(f *upload.File) { f.Options.Metadata = map[string]string{"a": "影片"} }, "File.Options.Metadata: value of a has U+5F71"},
		"callback not UTF-8": {func(f *upload.File) {
			f.Options.Callback = &upload.Callback{URLs: []string{"http://a.example"}, Body: "\xff"}
		}, "Callback.Body is not valid UTF-8"},
		"callback's host": {func(f *upload.File) {
			f.Options.Callback = &upload.Callback{URLs: []string{"http://a.example"}, Body: "a", Host: "a\r\nb"}
		}, "Callback.Host: got"},
		"a header that is reserved":  {func(f *upload.File) { f.Options.Headers = map[string]string{"host": "x"} }, "Host"},
		"a line break in a header":   {func(f *upload.File) { f.Options.CacheControl = "a\nb" }, "File.Options.CacheControl"},
		"callback and its variables": {func(f *upload.File) { f.Options.Callback = long }, "the Vars included"},
	} {
		t.Run(name, func(t *testing.T) {
			_, m, f := newMedia(t, 1000)
			c := m.b.client()
			f.Options = new(upload.ObjectOptions)
			tt.set(&f)
			_, err := c.AddFile(f)
			if !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrInvalidArgument that says %q", err, tt.want)
			}
			f.Source = upload.NewSource(bytes.NewReader(nil), 0, "v1")
			if _, err := c.AddFile(f); !errors.Is(err, upload.ErrInvalidArgument) {
				t.Errorf("with a Source: got %v, want ErrInvalidArgument", err)
			}
			if n := len(c.Files()); n > 0 || m.made > 0 {
				t.Errorf("%d files are in the list, and %d videos were made", n, m.made)
			}
		})
	}
}

func TestCleanUpHasTheRequesterPay(t *testing.T) {
	b := newTestbed(t)
	f := b.file("a.bin", mib)
	f.Options = &upload.ObjectOptions{RequestPayer: true}
	hang := osstest.Hang(osstest.OpUploadPart).Nth(4)
	b.server.Inject(hang)
	c := b.client()
	id := must(c.AddFile(f))
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	<-hang.Fired()
	if err := c.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.CancelFile(id), c.Close()); err != nil {
		t.Fatal(err)
	}
	if b.server.Count(osstest.OpAbortMultipartUpload) == 0 {
		t.Error("the upload was not aborted")
	}
	for _, r := range b.server.Requests() {
		if r.Header.Get("X-Oss-Request-Payer") != "requester" {
			t.Errorf("%v has no x-oss-request-payer", r)
		}
	}
	b.clean()
}
