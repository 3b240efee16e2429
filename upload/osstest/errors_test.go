package osstest

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// An errorCase is a call that the server answers with an error.
type errorCase struct {
	constructor string // in osserr/service.go
	name        string // what is wrong with the call
	method      string
	path        string
	body        string
	header      []string

	status  int
	code    string
	ec      string
	message string
	fields  []string // the code's own: name, value, ...
	answer  []string // headers of the answer: name, value, ...
}

const (
	partMessage   = "One or more of the specified parts could not be found or the specified entity tag might not have matched the part's entity tag."
	uploadMessage = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
	existsMessage = "The object you specified already exists and can not be overwritten."
	xmlMessage    = "The XML you provided was not well-formed or did not validate against our published schema."
	digestMessage = "The Content-MD5 you specified was invalid."
	methodMessage = "The specified method is not allowed against this resource."
	partNoMessage = "Part number must be an integer between 1 and 10000, inclusive."
	rateMessage   = "x-oss-traffic-limit is invalid, should be specified between 819200(100KB/s) and 838860800(100MB/s)."
	noUpload      = "0004B9894A22E5B1888A1E29F8236E2D"
	emptyMD5      = "1B2M2Y8AsgTpgAmY7PhCfg=="
)

// errorCases are one call or more for each constructor. The upload is of
// /media/k; it has part 1, of 1 byte with that ETag, and part 2. The sequential one
// is of /media/s and has such a part 1.
func errorCases(upload, sequential, etag string) []errorCase {
	complete := "/media/k?uploadId=" + upload
	part := "/media/k?partNumber=1&uploadId=" + upload
	return []errorCase{
		{"InvalidBucketName", "a bad bucket name", "PUT", "/Media", "", nil,
			400, "InvalidBucketName", "", "The specified bucket is not valid.", []string{"BucketName", "Media"}, nil},
		{"InvalidObjectName", "a key of 1024 bytes", "PUT", "/media/" + strings.Repeat("k", 1024), "", nil,
			400, "InvalidObjectName", "", "The Length of Object name must be less than 1024", nil, nil},
		{"InvalidObjectName", "a key with a slash first", "PUT", "/media//k", "", nil,
			400, "InvalidObjectName", "", "The specified object is not valid.", []string{"ObjectName", "/k"}, nil},
		{"InvalidObjectName", "a key with a backslash first", "GET", "/media/%5Ck", "", nil,
			400, "InvalidObjectName", "", "The specified object is not valid.", []string{"ObjectName", `\k`}, nil},
		{"InvalidObjectName", "a key that is not UTF-8", "PUT", "/media/%ff", "", nil,
			400, "InvalidObjectName", "", "The specified object is not valid.", nil, nil},
		{"NoSuchBucket", "a bucket that is not there", "GET", "/nowhere/k", "", nil,
			404, "NoSuchBucket", "0015-00000101", "The specified bucket does not exist.", []string{"BucketName", "nowhere"}, nil},
		{"NoSuchBucket", "the same by HEAD", "HEAD", "/nowhere/k", "", nil,
			404, "NoSuchBucket", "0015-00000101", "The specified bucket does not exist.", []string{"BucketName", "nowhere"}, []string{"X-Oss-Ec", "0015-00000101"}},
		{"BucketNotEmpty", "a bucket with objects", "DELETE", "/media", "", nil,
			409, "BucketNotEmpty", "0015-00000301", "The bucket has objects. Please delete them first.", []string{"BucketName", "media"}, nil},
		{"BucketNotEmpty", "a bucket with uploads", "DELETE", "/uploads-only", "", nil,
			409, "BucketNotEmpty", "0015-00000301", "The bucket has multipart uploads. Please delete them first.", nil, nil},
		{"NoSuchKey", "an object that is not there", "GET", "/media/nothing", "", nil,
			404, "NoSuchKey", "0026-00000001", "The specified key does not exist.", []string{"Key", "nothing"}, nil},
		{"NoSuchVersion", "a version that is not there", "GET", "/media/old?versionId=V", "", nil,
			404, "NoSuchVersion", "", "The specified version does not exist.", []string{"Key", "old", "VersionId", "V"}, nil},
		{"MethodNotAllowed", "a method that objects do not have", "PATCH", "/media/k", "", nil,
			405, "MethodNotAllowed", "", methodMessage, []string{"Method", "PATCH", "ResourceType", "OBJECT"}, []string{"Allow", "GET, HEAD, PUT, POST, DELETE"}},
		{"MethodNotAllowed", "a method that buckets do not have", "HEAD", "/media", "", nil,
			405, "MethodNotAllowed", "", methodMessage, []string{"Method", "HEAD", "ResourceType", "BUCKET"}, nil},
		{"MethodNotAllowed", "a method that the service does not have", "PUT", "/", "", nil,
			405, "MethodNotAllowed", "", methodMessage, []string{"Method", "PUT", "ResourceType", "SERVICE"}, []string{"Allow", "GET"}},
		{"NotImplementedHeader", "a condition on a write", "PUT", "/media/k", "", []string{"If-None-Match", "*"},
			400, "NotImplemented", "", "A header you provided implies functionality that is not implemented.", []string{"Header", "If-None-Match"}, nil},
		{"NotImplemented", "a sub-resource that this server lacks", "PUT", "/media?lifecycle", "", nil,
			501, "NotImplemented", "", "osstest does not implement PUT of ?lifecycle.", nil, nil},
		{"NotImplemented", "a copy of an object", "PUT", "/media/k2", "", []string{"x-oss-copy-source", "/media/old"},
			501, "NotImplemented", "", "osstest does not implement CopyObject.", nil, nil},

		{"NoSuchUpload", "a part of an unknown upload", "PUT", "/media/k?partNumber=1&uploadId=" + noUpload, "x", nil,
			404, "NoSuchUpload", "0042-00000104", uploadMessage, []string{"UploadId", noUpload}, nil},
		{"NoSuchUpload", "a part of another object's upload", "PUT", "/media/other?partNumber=1&uploadId=" + upload, "x", nil,
			404, "NoSuchUpload", "0042-00000104", uploadMessage, []string{"UploadId", upload}, nil},
		{"NoSuchUpload", "a copied part of an unknown upload", "PUT", "/media/k?partNumber=1&uploadId=" + noUpload, "", []string{"x-oss-copy-source", "/media/old"},
			404, "NoSuchUpload", "0042-00000311", uploadMessage, []string{"UploadId", noUpload}, nil},
		{"NoSuchUpload", "the completion of an unknown upload", "POST", "/media/k?uploadId=" + noUpload, partList(1, etag), nil,
			404, "NoSuchUpload", "0042-00000203", uploadMessage, []string{"UploadId", noUpload}, nil},
		{"NoSuchUpload", "the abort of an unknown upload", "DELETE", "/media/k?uploadId=" + noUpload, "", nil,
			404, "NoSuchUpload", "0042-00000002", uploadMessage, []string{"UploadId", noUpload}, nil},
		{"NoSuchUpload", "the parts of an unknown upload", "GET", "/media/k?uploadId=" + noUpload, "", nil,
			404, "NoSuchUpload", "0042-00000002", uploadMessage, []string{"UploadId", noUpload}, nil},
		{"MissingPartNumber", "a part without number", "PUT", "/media/k?uploadId=" + upload, "x", nil,
			400, "InvalidArgument", "0017-00000219", "Unexpected query string parameter", []string{"ArgumentName", "ResourceType", "ArgumentValue", "partNumber"}, nil},
		{"InvalidPartNumber", "part number 0", "PUT", "/media/k?partNumber=0&uploadId=" + upload, "x", nil,
			400, "InvalidArgument", "0017-00000220", partNoMessage, []string{"ArgumentName", "PartNumber", "ArgumentValue", "0"}, nil},
		{"InvalidPartNumber", "part number 10001", "PUT", "/media/k?partNumber=10001&uploadId=" + upload, "x", nil,
			400, "InvalidArgument", "0017-00000220", partNoMessage, []string{"ArgumentName", "PartNumber", "ArgumentValue", "10001"}, nil},
		{"InvalidPartNumber", "a part number that is none", "PUT", "/media/k?partNumber=one&uploadId=" + upload, "x", nil,
			400, "InvalidArgument", "0017-00000220", partNoMessage, []string{"ArgumentValue", "one"}, nil},
		{"FileAlreadyExists", "a put that must not overwrite", "PUT", "/media/old", "x", []string{"x-oss-forbid-overwrite", "true"},
			409, "FileAlreadyExists", "0026-00000002", existsMessage, nil, nil},
		{"FileAlreadyExists", "an upload that must not overwrite", "POST", "/media/old?uploads", "", []string{"x-oss-forbid-overwrite", "true"},
			409, "FileAlreadyExists", "", existsMessage, nil, nil},
		{"MalformedXML", "no list of parts", "POST", complete, "", nil,
			400, "MalformedXML", "0042-00000205", xmlMessage, nil, nil},
		{"MalformedXML", "a list of parts that ends early", "POST", complete, "<CompleteMultipartUpload><Part>", nil,
			400, "MalformedXML", "0042-00000205", xmlMessage, nil, nil},
		{"InvalidPartOrder", "parts in the wrong order", "POST", complete, partList(2, etag, 1, etag), nil,
			400, "InvalidPartOrder", "0042-00000209", "The list of parts was not in ascending order.", nil, nil},
		{"InvalidPartOrder", "a part twice", "POST", complete, partList(1, etag, 1, etag), nil,
			400, "InvalidPartOrder", "0042-00000209", "The list of parts was not in ascending order.", nil, nil},
		{"InvalidPart", "a part that is not there", "POST", complete, partList(1, etag, 3, etag), nil,
			400, "InvalidPart", "", partMessage, []string{"ETag", etag, "PartNumber", "3", "UploadId", upload}, nil},
		{"InvalidPart", "a part with another ETag", "POST", complete, partList(1, `"00"`), nil,
			400, "InvalidPart", "", partMessage, []string{"ETag", `"00"`, "PartNumber", "1"}, nil},
		{"EntityTooSmall", "a small part that is not the last", "POST", complete, partList(1, etag, 2, etag), nil,
			400, "EntityTooSmall", "0042-00000213", "Your proposed upload smaller than the minimum allowed size.",
			[]string{"MinSizeAllowed", "102400", "ProposedSize", "1", "PartNumber", "1", "ETag", unquoted(etag)}, nil},
		{"CompleteAllWithBody", "a list and x-oss-complete-all", "POST", complete, partList(1, etag), []string{"x-oss-complete-all", "yes"},
			400, "InvalidArgument", "0042-00000216", "Should not speficy both complete all header and http body.",
			[]string{"ArgumentName", "x-oss-complete-all", "ArgumentValue", "yes"}, nil},
		{"PartAlreadyExists", "a part of a sequential upload twice", "PUT", "/media/s?partNumber=1&uploadId=" + sequential, "x", nil,
			409, "PartAlreadyExist", "0042-00000108", "For sequential multipart upload, you can't overwrite uploaded parts.",
			[]string{"PartEtag", etag, "PartNumber", "1"}, nil},
		{"PartNotSequential", "a part of a sequential upload too early", "PUT", "/media/s?partNumber=3&uploadId=" + sequential, "x", nil,
			400, "PartNotSequential", "0042-00000105", "For sequential multipart upload, you must upload or complete parts with sequential part number.",
			[]string{"PartNumber", "3"}, nil},
		{"InvalidDigest", "a Content-MD5 that is none", "PUT", part, "x", []string{"Content-MD5", "eA=="},
			400, "InvalidDigest", "0017-00000502", digestMessage, nil, nil},
		{"InvalidDigest", "a Content-MD5 of other bytes", "PUT", part, "x", []string{"Content-MD5", emptyMD5},
			400, "InvalidDigest", "0017-00000503", digestMessage, nil, nil},
		{"TrafficLimit", "a bandwidth limit that is too low", "PUT", part, "x", []string{"x-oss-traffic-limit", "819199"},
			400, "InvalidArgument", "0004-00000502", rateMessage, []string{"ArgumentName", "x-oss-traffic-limit", "ArgumentValue", "819199"}, nil},
		{"TrafficLimit", "a bandwidth limit that is too high", "PUT", "/media/k?x-oss-traffic-limit=838860801", "x", nil,
			400, "InvalidArgument", "0004-00000502", rateMessage, nil, nil},
		{"InvalidEncryption", "an encryption that OSS lacks", "POST", "/media/k?uploads", "", []string{"x-oss-server-side-encryption", "ROT13"},
			400, "InvalidEncryptionAlgorithmError", "", "The Encryption Method specified is not supported.",
			[]string{"ArgumentName", "x-oss-server-side-encryption", "ArgumentValue", "ROT13"}, nil},
		{"MetadataTooLarge", "more than 8 KB of metadata", "PUT", "/media/k", "x", []string{"x-oss-meta-a", strings.Repeat("m", 8192)},
			400, "MetadataTooLarge", "", "Your metadata headers exceed the maximum allowed metadata size.", nil, nil},
		{"MetadataName", "an underscore in a name of metadata", "PUT", "/media/k", "x", []string{"x-oss-meta-share_in", "1"},
			400, "InvalidArgument", "0011-00000004", "The name of a user metadata header has an invalid character.",
			[]string{"ArgumentName", "x-oss-meta-*", "ArgumentValue", "x-oss-meta-share_in"}, nil},
		{"MetadataName", "metadata without a name", "POST", "/media/k?uploads", "", []string{"x-oss-meta-", "1"},
			400, "InvalidArgument", "0011-00000004", "The name of a user metadata header has an invalid character.", nil, nil},
		{"InvalidArgument", "a bad storage class", "POST", "/media/k?uploads", "", []string{"x-oss-storage-class", "Frozen"},
			400, "InvalidArgument", "", "The value of x-oss-storage-class is not valid.",
			[]string{"ArgumentName", "x-oss-storage-class", "ArgumentValue", "Frozen"}, nil},
		{"PreconditionFailed", "another ETag wanted", "GET", "/media/old", "", []string{"If-Match", `"00"`},
			412, "PreconditionFailed", "", "At least one of the pre-conditions you specified did not hold.", []string{"Condition", "If-Match"}, nil},
		{"NotModified", "the same ETag known", "GET", "/media/old", "", []string{"If-None-Match", `"9DD4E461268C8034F5C8564E155C67A6"`},
			304, "", "", "", nil, []string{"Etag", `"9DD4E461268C8034F5C8564E155C67A6"`}},
		{"InvalidRange", "a range behind the end", "GET", "/media/old", "", []string{"Range", "bytes=1-", "x-oss-range-behavior", "standard"},
			416, "InvalidRange", "", "The requested range cannot be satisfied.",
			[]string{"ActualObjectSize", "1", "RangeRequested", "bytes=1-"}, []string{"Content-Range", "bytes */1"}},
		{"CallbackFailed", "a callback that reaches nobody", "PUT", "/media/called", "x", []string{"x-oss-callback", encodedCallback("http://127.0.0.1:1/", "a=b", "")},
			203, "CallbackFailed", "0007-00000203", "Error status : -1. OSS can not connect to your callbackUrl, please check it.", nil, nil},
	}
}

// errorsElsewhere are the constructors that other tests provoke.
var errorsElsewhere = map[string]string{
	"PathStyleForbidden":   "TestHostNames",
	"MissingContentLength": "TestBodyNeedsALength",
	"EntityTooLarge":       "TestBodyTooLong",
	"IncompleteBody":       "TestBrokenBodyLeavesNothing",
	"RequestTimeout":       "TestIdleBodyTimesOut",
	"Internal":             "TestDiskFailureIsAnInternalError",
}

func TestEachError(t *testing.T) {
	s, c := newTestServer(t, &Options{Buckets: []string{"uploads-only"}})
	c.good("PUT", "/media/old", "x")
	c.initiate("/uploads-only/k")
	upload := c.initiate("/media/k")
	etag := c.part("/media/k", upload, 1, "x")
	c.part("/media/k", upload, 2, "x")
	sequential := c.initiate("/media/s?sequential")
	c.part("/media/s", sequential, 1, "x")
	provoked := maps.Clone(errorsElsewhere)
	for _, test := range errorCases(upload, sequential, etag) {
		provoked[test.constructor] = "TestEachError"
		t.Run(test.name, func(t *testing.T) {
			c := *c
			c.t = t
			test.check(t, c.do(test.method, test.path, test.body, test.header...), s)
		})
	}
	for _, name := range constructors(t) {
		if _, ok := provoked[name]; !ok {
			t.Errorf("no call provokes %s", name)
		}
	}
}

func (e *errorCase) check(t *testing.T, a *testAnswer, s *Server) {
	t.Helper()
	if a.status != e.status || a.Code != e.code || a.EC != e.ec || a.Message != e.message {
		t.Fatalf("got %d %q, EC %q, %q\nwant %d %q, EC %q, %q\n%s",
			a.status, a.Code, a.EC, a.Message, e.status, e.code, e.ec, e.message, a.body)
	}
	for i := 0; i < len(e.fields); i += 2 {
		if got := a.field(e.fields[i]); got != e.fields[i+1] {
			t.Errorf("element %s: got %q; want %q", e.fields[i], got, e.fields[i+1])
		}
	}
	for i := 0; i < len(e.answer); i += 2 {
		if got := a.Get(e.answer[i]); got != e.answer[i+1] {
			t.Errorf("header %s: got %q; want %q", e.answer[i], got, e.answer[i+1])
		}
	}
	if id := a.Get("X-Oss-Request-Id"); len(id) != 24 || e.code != "" && a.RequestID != id {
		t.Errorf("request ID: got %q in the header and %q in the body; want one of 24 digits", id, a.RequestID)
	}
	if host := strings.TrimPrefix(s.URL, "http://"); e.code != "" && a.HostID != host {
		t.Errorf("HostId: got %q; want %q", a.HostID, host)
	}
	if want := cmp.Or(e.ec, ""); want != "" && a.RecommendDoc != "https://api.aliyun.com/troubleshoot?q="+want {
		t.Errorf("RecommendDoc: got %q", a.RecommendDoc)
	}
	if e.method == http.MethodHead && a.body != "" {
		t.Errorf("HEAD: got a body: %q", a.body)
	}
}

// constructors returns the names of the functions in osserr/service.go that make an
// error.
func constructors(t *testing.T) []string {
	file, err := parser.ParseFile(token.NewFileSet(), "internal/osserr/service.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name != "XMLSafe" {
			names = append(names, f.Name.Name)
		}
	}
	return slices.Sorted(slices.Values(names))
}

func TestErrorLooksLikeTheRealOne(t *testing.T) {
	s, c := newTestServer(t, nil)
	a := c.refused(404, "NoSuchKey", "GET", "/media/object", "")
	want := `<?xml version="1.0" encoding="UTF-8"?>
<Error>
  <Code>NoSuchKey</Code>
  <Message>The specified key does not exist.</Message>
  <RequestId>` + a.Get("X-Oss-Request-Id") + `</RequestId>
  <HostId>` + strings.TrimPrefix(s.URL, "http://") + `</HostId>
  <Key>object</Key>
  <EC>0026-00000001</EC>
  <RecommendDoc>https://api.aliyun.com/troubleshoot?q=0026-00000001</RecommendDoc>
</Error>
`
	if a.body != want {
		t.Errorf("got %s\nwant %s", a.body, want)
	}
	for name, want := range map[string]string{
		"Server": "AliyunOSS", "Content-Type": "application/xml", "X-Oss-Ec": "0026-00000001",
		"Content-Length": fmt.Sprint(len(want)),
	} {
		if got := a.Get(name); got != want {
			t.Errorf("header %s: got %q; want %q", name, got, want)
		}
	}
	if a.Get("Date") == "" || a.Get("X-Oss-Server-Time") == "" {
		t.Errorf("got Date %q and x-oss-server-time %q; want both", a.Get("Date"), a.Get("X-Oss-Server-Time"))
	}
}
