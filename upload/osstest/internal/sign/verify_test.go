package sign

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
)

// A vector is a request that others have signed: the OSS documentation, and the
// tests of the Go SDK of version 2.
type vector struct {
	name    string
	method  string
	url     string
	headers []string // name, value, ...
	target  Target
	key     key
	now     string // RFC 3339
}

var vectors = []vector{
	{
		name: "V1 header, the documentation's example", method: "PUT", url: "/nelson",
		headers: []string{
			"Content-MD5", "ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM=",
			"Content-Type", "text/html",
			"Date", "Thu, 17 Nov 2005 18:49:58 GMT",
			"X-OSS-Meta-Author", "foo@bar.com",
			"X-OSS-Magic", "abracadabra",
			"Authorization", "OSS 44CF9590006BF252F707:26NBxoKdsyly4EDv6inkoDft/yA=",
		},
		target: Target{"oss-example", "nelson"},
		key:    key{"44CF9590006BF252F707", "OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV", ""},
		now:    "2005-11-17T18:49:58Z",
	},
	{
		name: "V1 header, x-oss-date instead of Date", method: "PUT", url: "/",
		headers: []string{
			"Content-MD5", "eB5eJF1ptWaXm4bijSPyxw==",
			"Content-Type", "text/html",
			"x-oss-meta-author", "alice",
			"x-oss-meta-magic", "abracadabra",
			"x-oss-date", "Wed, 28 Dec 2022 10:27:41 GMT",
			"Authorization", "OSS ak:kSHKmLxlyEAKtZPkJhG9bZb5k7M=",
		},
		target: Target{"examplebucket", "nelson"},
		key:    key{"ak", "sk", ""},
		now:    "2022-12-28T10:27:41Z",
	},
	{
		name: "V1 header, x-oss-date before another Date", method: "PUT", url: "/?acl",
		headers: []string{
			"Content-MD5", "eB5eJF1ptWaXm4bijSPyxw==",
			"Content-Type", "text/html",
			"x-oss-meta-author", "alice",
			"x-oss-meta-magic", "abracadabra",
			"x-oss-date", "Wed, 28 Dec 2022 10:27:41 GMT",
			"Date", "Tue, 27 Dec 2022 10:27:41 GMT",
			"Authorization", "OSS ak:/afkugFbmWDQ967j1vr6zygBLQk=",
		},
		target: Target{"examplebucket", "nelson"},
		key:    key{"ak", "sk", ""},
		now:    "2022-12-28T10:27:41Z",
	},
	{
		name: "V1 header, sub-resource of a bucket beside a parameter", method: "GET",
		url: "/?resourceGroup&non-resousce=null",
		headers: []string{
			"x-oss-date", "Wed, 28 Dec 2022 10:27:41 GMT",
			"Authorization", "OSS ak:vkQmfuUDyi1uDi3bKt67oemssIs=",
		},
		target: Target{"examplebucket", ""},
		key:    key{"ak", "sk", ""},
		now:    "2022-12-28T10:27:41Z",
	},
	{
		name: "V1 header, two sub-resources", method: "GET", url: "/?resourceGroup&acl",
		headers: []string{
			"x-oss-date", "Wed, 28 Dec 2022 10:27:41 GMT",
			"Authorization", "OSS ak:x3E5TgOvl/i7PN618s5mEvpJDYk=",
		},
		target: Target{"examplebucket", ""},
		key:    key{"ak", "sk", ""},
		now:    "2022-12-28T10:27:41Z",
	},
	{
		name: "V1 URL", method: "GET",
		url:    "/key?Expires=1699807420&OSSAccessKeyId=ak&Signature=dcLTea%2BYh9ApirQ8o8dOPqtvJXQ%3D&versionId=versionId",
		target: Target{"bucket", "key"},
		key:    key{"ak", "sk", ""},
		now:    "2023-11-12T16:43:39Z",
	},
	{
		name: "V1 URL with a token", method: "GET",
		url:    "/key%2B123?Expires=1699808204&OSSAccessKeyId=ak&Signature=jzKYRrM5y6Br0dRFPaTGOsbrDhY%3D&security-token=token&versionId=versionId",
		target: Target{"bucket", "key+123"},
		key:    key{"ak", "sk", "token"},
		now:    "2023-11-12T16:56:43Z",
	},
	vectorV4("V4 header", "", "20231216T162057Z",
		"Credential=ak/20231216/cn-hangzhou/oss/aliyun_v4_request,"+
			"Signature=e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe"),
	vectorV4("V4 header with a token", "token", "20231217T034736Z",
		"Credential=ak/20231217/cn-hangzhou/oss/aliyun_v4_request,"+
			"Signature=b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea"),
	vectorV4("V4 header with additional headers", "", "20231216T172512Z",
		"Credential=ak/20231216/cn-hangzhou/oss/aliyun_v4_request,AdditionalHeaders=abc;zabc,"+
			"Signature=4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f"),
	vectorURLv4("V4 URL", "", "20231217T025437Z", "&x-oss-signature="+
		"a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe"),
	vectorURLv4("V4 URL with a token", "token", "20231217T035628Z", "&x-oss-security-token=token&x-oss-signature="+
		"3817ac9d206cd6dfc90f1c09c00be45005602e55898f26f5ddb06d7892e1f8b5"),
	vectorURLv4("V4 URL with additional headers", "", "20231217T033009Z",
		"&x-oss-additional-headers=abc%3Bzabc&x-oss-signature="+
			"6bd984bfe531afb6db1f7550983a741b103a8c58e5e14f83ea474c2322dfa2b7"),
}

const queryV4 = "?%2Bparam1=value3&%2Bparam2=&%7Cparam1=value4&%7Cparam2=&param1=value1&param2="

func vectorV4(name, token, date, authorization string) vector {
	v := vector{
		name: name, method: "PUT", url: "/" + queryV4,
		headers: []string{
			"x-oss-head1", "value", "abc", "value", "ZAbc", "value", "XYZ", "value",
			"content-type", "text/plain", "x-oss-content-sha256", "UNSIGNED-PAYLOAD",
			"x-oss-date", date, "Authorization", "OSS4-HMAC-SHA256 " + authorization,
		},
		target: Target{"bucket", "1234+-/123/1.txt"},
		key:    key{"ak", "sk", token},
		now:    rfc3339(date),
	}
	if token != "" {
		v.headers = append(v.headers, "x-oss-security-token", token)
	}
	return v
}

func vectorURLv4(name, token, date, rest string) vector {
	return vector{
		name: name, method: "PUT",
		url: "/" + queryV4 + "&x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-expires=599" +
			"&x-oss-credential=ak%2F" + date[:8] + "%2Fcn-hangzhou%2Foss%2Faliyun_v4_request&x-oss-date=" + date + rest,
		headers: []string{
			"x-oss-head1", "value", "abc", "value", "ZAbc", "value", "XYZ", "value",
			"content-type", "application/octet-stream",
		},
		target: Target{"bucket", "1234+-/123/1.txt"},
		key:    key{"ak", "sk", token},
		now:    rfc3339(date),
	}
}

func rfc3339(date string) string {
	t, err := time.Parse(timeFormV4, date)
	if err != nil {
		panic(err)
	}
	return t.Format(time.RFC3339)
}

func (v vector) request() *http.Request {
	r := httptest.NewRequest(v.method, v.url, nil)
	for i := 0; i < len(v.headers); i += 2 {
		r.Header.Add(v.headers[i], v.headers[i+1])
	}
	return r
}

func (v vector) verify(t *testing.T, r *http.Request) (string, *osserr.Error) {
	t.Helper()
	now, err := time.Parse(time.RFC3339, v.now)
	if err != nil {
		t.Fatal(err)
	}
	return Verify(r, v.target, lookupIn(v.key), "cn-hangzhou", now)
}

func TestSignaturesOfOthersAreGood(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			id, err := v.verify(t, v.request())
			if err != nil {
				t.Fatalf("got %s %s: %v", err.Code, err.Message, err.Fields)
			}
			if id != v.key.id {
				t.Errorf("signed by %q, want %q", id, v.key.id)
			}
		})
	}
}

// What is signed is signed: each change of it must be noticed.
func TestSignatureNoticesEachChange(t *testing.T) {
	changes := map[string]func(r *http.Request, v *vector){
		"another method":      func(r *http.Request, v *vector) { r.Method = "DELETE" },
		"another bucket":      func(r *http.Request, v *vector) { v.target.Bucket += "2" },
		"another key":         func(r *http.Request, v *vector) { v.target.Key += "2" },
		"another secret":      func(r *http.Request, v *vector) { v.key.secret += "2" },
		"a new x-oss- header": func(r *http.Request, v *vector) { r.Header.Set("X-Oss-Object-Acl", "public-read") },
		"a new content type":  func(r *http.Request, v *vector) { r.Header.Set("Content-Type", "image/png") },
		"a new digest":        func(r *http.Request, v *vector) { r.Header.Set("Content-Md5", "1B2M2Y8AsgTpgAmY7PhCfg==") },
		"a new sub-resource":  func(r *http.Request, v *vector) { r.URL.RawQuery += "&uploadId=1" },
		"a new x-oss- query":  func(r *http.Request, v *vector) { r.URL.RawQuery += "&x-oss-traffic-limit=819200" },
	}
	for _, v := range vectors {
		for name, change := range changes {
			t.Run(v.name+"/"+name, func(t *testing.T) {
				r := v.request()
				change(r, &v)
				_, err := v.verify(t, r)
				if err == nil || err.Code != "SignatureDoesNotMatch" {
					t.Errorf("got %v, want SignatureDoesNotMatch", err)
				}
			})
		}
	}
}

func TestSignatureV1LeavesParametersOut(t *testing.T) {
	for _, v := range vectors {
		if !strings.HasPrefix(v.name, "V1") {
			continue
		}
		r := v.request()
		r.URL.RawQuery += "&encoding-type=url&max-parts=3&prefix=a"
		if _, err := v.verify(t, r); err != nil {
			t.Errorf("%s: got %s %v", v.name, err.Code, err.Fields)
		}
	}
}

func TestSignatureMismatchShowsWhatWasSigned(t *testing.T) {
	t.Run("V1", func(t *testing.T) {
		v := vectors[0]
		r := v.request()
		r.Method = "POST"
		_, err := v.verify(t, r)
		text := "POST\nODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM=\ntext/html\n" +
			"Thu, 17 Nov 2005 18:49:58 GMT\nx-oss-magic:abracadabra\n" +
			"x-oss-meta-author:foo@bar.com\n/oss-example/nelson"
		wantField(t, err, "OSSAccessKeyId", "44CF9590006BF252F707")
		wantField(t, err, "SignatureProvided", "26NBxoKdsyly4EDv6inkoDft/yA=")
		wantField(t, err, "StringToSign", text)
		if got := fieldOf(err, "StringToSignBytes"); !strings.HasPrefix(got, "50 4F 53 54 0A ") {
			t.Errorf("StringToSignBytes begins %.20q", got)
		}
		if err.EC != "0002-00000040" || err.Status != 403 {
			t.Errorf("status %d, EC %s", err.Status, err.EC)
		}
	})
	t.Run("V4", func(t *testing.T) {
		v := vectorV4("", "", "20231216T162057Z", "Credential=ak/20231216/cn-hangzhou/oss/aliyun_v4_request,Signature=00")
		_, err := v.verify(t, v.request())
		wantField(t, err, "SignatureProvided", "00")
		wantField(t, err, "CanonicalRequest", "PUT\n/bucket/1234%2B-/123/1.txt\n"+
			"%2Bparam1=value3&%2Bparam2&%7Cparam1=value4&%7Cparam2&param1=value1&param2\n"+
			"content-type:text/plain\nx-oss-content-sha256:UNSIGNED-PAYLOAD\n"+
			"x-oss-date:20231216T162057Z\nx-oss-head1:value\n\n\nUNSIGNED-PAYLOAD")
		if err.EC != "0002-00000201" || err.Status != 403 {
			t.Errorf("status %d, EC %s", err.Status, err.EC)
		}
	})
}

func TestCanonicalQueryV4(t *testing.T) {
	q := url.Values{
		"a": {"1"}, "a-b": {"2"}, "a b": {"c+d/e"}, "empty": {""}, "twice": {"x", "y"}, "x-oss-signature": {"00"},
	}
	want := "a=1&a%20b=c%2Bd%2Fe&a-b=2&empty&twice=x&twice=y"
	if got := canonicalQueryV4(q); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The Go SDK of version 1 lists headers in a URL that it signs in any case.
func TestAdditionalHeadersAreThoseThatMakeADifference(t *testing.T) {
	got := additionalHeaders("Host;content-type;range;x-oss-meta-a; content-md5;host;")
	if !slices.Equal(got, []string{"host", "range"}) {
		t.Errorf("got %q", got)
	}
}

func fieldOf(e *osserr.Error, name string) string {
	if e == nil {
		return ""
	}
	for _, f := range e.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func wantField(t *testing.T, e *osserr.Error, name, want string) {
	t.Helper()
	if got := fieldOf(e, name); got != want {
		t.Errorf("%s\ngot:  %q\nwant: %q", name, got, want)
	}
}
