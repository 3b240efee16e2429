package osstest

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// policyServer has one bucket, media, and keys that all have one policy.
func policyServer(lookup func(id, token string) (Key, bool)) *Server {
	return &Server{
		opts:    &Options{Region: testRegion},
		keys:    newKeyring(nil, lookup),
		buckets: map[string]*storage.Bucket{},
	}
}

func TestEachOperationAsksForItsAction(t *testing.T) {
	object, bucketOnly := "media/in/a.mp4", "media"
	tests := []struct {
		op     Op
		query  string
		header string // name=value
		want   []string
	}{
		{op: OpListBuckets, want: []string{"oss:ListBuckets *"}},
		{op: OpPutBucket, want: []string{"oss:PutBucket " + bucketOnly}},
		{op: OpListObjects, want: []string{"oss:ListObjects " + bucketOnly}},
		{op: OpListMultipartUploads, want: []string{"oss:ListMultipartUploads " + bucketOnly}},
		{op: OpInitiateMultipartUpload, want: []string{"oss:PutObject " + object}},
		{op: OpUploadPart, want: []string{"oss:PutObject " + object}},
		{op: OpCompleteMultipartUpload, want: []string{"oss:PutObject " + object}},
		{op: OpAbortMultipartUpload, want: []string{"oss:AbortMultipartUpload " + object}},
		{op: OpListParts, want: []string{"oss:ListParts " + object}},
		{op: OpPutObject, want: []string{"oss:PutObject " + object}},
		{op: OpPutObject, header: "X-Oss-Tagging=a=b", want: []string{"oss:PutObject " + object, "oss:PutObjectTagging " + object}},
		{op: OpGetObject, want: []string{"oss:GetObject " + object}},
		{op: OpHeadObject, want: []string{"oss:GetObject " + object}},
		{op: OpGetObject, query: "versionId=7", want: []string{"oss:GetObjectVersion " + object}},
		{op: OpDeleteObject, want: []string{"oss:DeleteObject " + object}},
		{op: OpDeleteObject, query: "versionId=7", want: []string{"oss:DeleteObjectVersion " + object}},
		{op: OpGetObjectACL, want: []string{"oss:GetObjectAcl " + object}},
		{op: OpUploadPartCopy, header: "X-Oss-Copy-Source=/src/a%20b+c%2Bd%2Fe", want: []string{"oss:PutObject " + object, "oss:GetObject src/a b c+d/e"}},
		{op: OpUploadPartCopy, header: "X-Oss-Copy-Source=nonsense", want: []string{"oss:PutObject " + object}},
		{op: OpUploadPartCopy, header: "X-Oss-Copy-Source=src/a?versionId=7", want: []string{"oss:PutObject " + object, "oss:GetObject src/a", "oss:GetObjectVersion src/a"}},
		{op: "Unheard", want: []string{"oss:Unheard " + object}},
	}
	for _, tt := range tests {
		t.Run(string(tt.op)+"?"+tt.query+" "+tt.header, func(t *testing.T) {
			req := &request{Request: httptest.NewRequest("GET", "/", nil), op: tt.op}
			req.query, _ = url.ParseQuery(tt.query)
			if name, value, ok := strings.Cut(tt.header, "="); ok {
				req.Header.Set(name, value)
			}
			req.bucket, req.key, _ = strings.Cut(strings.TrimPrefix(tt.want[0][strings.Index(tt.want[0], " ")+1:], "*"), "/")
			var got []string
			for _, a := range accesses(req) {
				got = append(got, a.Action+" "+a.Path)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEveryOperationHasAnAction(t *testing.T) {
	for op := range operators {
		if actions[op] == "" && op != OpDeleteMultipleObjects && op != OpOptionObject {
			t.Errorf("%s has none", op)
		}
	}
}

func partRequest(k Key) *request {
	return &request{
		Request: &http.Request{Header: http.Header{}}, op: OpUploadPart,
		bucket: "media", key: "in/a.mp4", query: url.Values{}, principal: k,
	}
}

func TestPolicyIsEnforced(t *testing.T) {
	onlyIn := statements(`{"Effect":"Allow","Action":"oss:PutObject","Resource":"acs:oss:*:*:media/in/*"}`)
	denying := statements(`{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Deny","Action":"*","Resource":"acs:oss:*:*:media/out/*"}`)
	s := policyServer(nil)

	user, temporary := longKey, tempKey
	user.Policy, temporary.Policy = onlyIn, onlyIn
	for _, k := range []Key{user, temporary} {
		if err := s.authorize(partRequest(k)); err != nil {
			t.Errorf("%v: got %s %s", k, err.Code, err.Message)
		}
	}

	tests := []struct {
		name         string
		key          Key
		policy, want string
		ec, detail   string
	}{
		{"a temporary key's policy does not allow it", tempKey, onlyIn, "Access denied by authorizer's policy.", "0003-00000301", "ImplicitDeny"},
		{"a temporary key's policy denies it", tempKey, denying, "Access denied by authorizer's policy.", "0003-00000301", "ExplicitDeny"},
		{"a user's policy does not allow it", longKey, onlyIn, "You have no right to access this object because of bucket acl.", "0003-00000001", "ImplicitDeny"},
		{"a user's policy denies it", longKey, denying, "Access denied by authorizer's policy.", "0003-00000201", "ExplicitDeny"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.key.Policy = tt.policy
			req := partRequest(tt.key)
			req.key = "out/a.mp4"
			err := s.authorize(req)
			if err == nil || err.Status != 403 || err.Code != "AccessDenied" || err.Message != tt.want || err.EC != tt.ec {
				t.Fatalf("got %+v, want 403 AccessDenied %s %s", err, tt.ec, tt.want)
			}
			wantDetail(t, err, "NoPermissionType", tt.detail)
			wantDetail(t, err, "AuthAction", "oss:PutObject")
		})
	}
}

func TestPartCopyNeedsItsSource(t *testing.T) {
	s := policyServer(nil)
	k := longKey
	k.Policy = statements(`{"Effect":"Allow","Action":"oss:*","Resource":"acs:oss:*:*:media/*"}`)
	req := partRequest(k)
	req.op = OpUploadPartCopy
	req.Header.Set("X-Oss-Copy-Source", "/media/a")
	if err := s.authorize(req); err != nil {
		t.Errorf("from its own bucket: got %s", err.Code)
	}
	req.Header.Set("X-Oss-Copy-Source", "/other/a")
	err := s.authorize(req)
	if codeOf(err) != "AccessDenied" {
		t.Fatalf("from another bucket: got %v, want AccessDenied", err)
	}
	wantDetail(t, err, "AuthAction", "oss:GetObject")
}

func TestEachDeletedKeyIsAuthorized(t *testing.T) {
	s := policyServer(nil)
	k := longKey
	k.Policy = statements(`{"Effect":"Allow","Action":"oss:DeleteObject","Resource":"acs:oss:*:*:media/in/*"}`)
	req := partRequest(k)
	req.op, req.key = OpDeleteMultipleObjects, ""
	if err := s.authorize(req); err != nil {
		t.Fatalf("before the keys are known: got %s", err.Code)
	}
	if err := s.authorizeDelete(req, "in/a", ""); err != nil {
		t.Errorf("in/a: got %s", err.Code)
	}
	if err := s.authorizeDelete(req, "out/a", ""); codeOf(err) != "AccessDenied" {
		t.Errorf("out/a: got %v, want AccessDenied", err)
	}
	if err := s.authorizeDelete(req, "in/a", "7"); codeOf(err) != "AccessDenied" {
		t.Errorf("a version of in/a: got %v, want AccessDenied", err)
	}
}

func TestUnreadablePolicyOfLookupDeniesAll(t *testing.T) {
	s := policyServer(nil)
	k := tempKey
	k.Policy = conditional
	err := s.authorize(partRequest(k))
	if codeOf(err) != "AccessDenied" || !strings.Contains(err.Message, "Condition") {
		t.Errorf("got %+v, want AccessDenied with the reason", err)
	}
}

func TestAnonymousReadsWhatIsPublic(t *testing.T) {
	tests := []struct {
		name              string
		bucketACL, object string // object: its ACL, or none
		op                Op
		want              string
	}{
		{"public-read object", "private", "public-read", OpGetObject, ""},
		{"public-read-write object", "private", "public-read-write", OpHeadObject, ""},
		{"default object of a public-read bucket", "public-read", "default", OpGetObject, ""},
		{"missing object of a public-read bucket", "public-read", "none", OpGetObject, ""},
		{"private object of a public-read bucket", "public-read", "private", OpGetObject, "AccessDenied"},
		{"default object of a private bucket", "private", "default", OpHeadObject, "AccessDenied"},
		{"missing object of a private bucket", "private", "none", OpGetObject, "AccessDenied"},
		{"writing a public-read-write object", "public-read-write", "public-read-write", OpPutObject, "AccessDenied"},
		{"listing a public-read bucket", "public-read", "none", OpListObjects, "AccessDenied"},
		{"deleting several", "public-read-write", "none", OpDeleteMultipleObjects, "AccessDenied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := policyServer(nil)
			b := storage.NewBucket("media", testTime)
			b.ACL = tt.bucketACL
			if tt.object != "none" {
				o := &storage.Object{Key: "in/a.mp4", Version: storage.NullVersion}
				o.ACL = tt.object
				b.Put(o)
			}
			s.buckets["media"] = b
			req := partRequest(Key{})
			req.op = tt.op
			if got := codeOf(s.authorize(req)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	t.Run("missing bucket is reported by the operation", func(t *testing.T) {
		req := partRequest(Key{})
		req.op = OpGetObject
		if err := policyServer(nil).authorize(req); err != nil {
			t.Errorf("got %s", err.Code)
		}
	})
}

func TestPoliciesAreReadOnce(t *testing.T) {
	r := newKeyring(nil, nil)
	document := statements(`{"Effect":"Allow","Action":"*","Resource":"*"}`)
	first, err := r.policy(document)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := r.policy(document)
	if first != again {
		t.Error("read twice")
	}
	for i := range 2 * maxCachedPolicies {
		r.policy(document + strings.Repeat(" ", i))
	}
	if len(r.policies) > maxCachedPolicies {
		t.Errorf("remembers %d documents, want at most %d", len(r.policies), maxCachedPolicies)
	}
}

// wantDetail checks an element of AccessDeniedDetail.
func wantDetail(t *testing.T, e *osserr.Error, name, want string) {
	t.Helper()
	for _, f := range e.Fields {
		if f.Name == "AccessDeniedDetail" {
			wantField(t, &osserr.Error{Fields: f.Nested}, name, want)
			return
		}
	}
	t.Error("no AccessDeniedDetail")
}

const conditional = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:*","Resource":"*",
	"Condition":{"IpAddress":{"acs:SourceIp":"10.0.0.0/8"}}}]}`

// statements makes a policy document of statements.
func statements(s ...string) string {
	return `{"Version":"1","Statement":[` + strings.Join(s, ",") + `]}`
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
