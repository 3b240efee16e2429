package osstest

import (
	"strings"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/policy"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// authorize returns the error that OSS answers if the principal of a request
// may not do what it asks for. Which keys a DeleteMultipleObjects is about
// stands in its body: see authorizeDelete.
func (s *Server) authorize(req *request) *osserr.Error {
	if req.anonymous() {
		return s.authorizeAnonymous(req)
	}
	for _, a := range accesses(req) {
		if err := s.authorizeAccess(req, a); err != nil {
			return err
		}
	}
	return nil
}

// authorizeDelete is authorize for one object of a DeleteMultipleObjects.
func (s *Server) authorizeDelete(req *request, key, version string) *osserr.Error {
	return s.authorizeAccess(req, policy.Access{
		Action: versioned("oss:DeleteObject", version),
		Path:   req.bucket + "/" + key,
	})
}

func (s *Server) authorizeAccess(req *request, a policy.Access) *osserr.Error {
	a.Region, a.Account = s.opts.Region, accountID
	p, err := s.keys.policy(req.principal.Policy)
	if err != nil {
		// A document that came by Options.LookupKey. Nobody may do anything
		// on the strength of a policy that cannot be read.
		return errPolicyUnreadable(err)
	}
	if d := p.Decide(a); d != policy.Allowed {
		return errPolicyDenies(req.principal, a, d)
	}
	return nil
}

// authorizeAnonymous allows everybody to read what is public, and nothing else.
func (s *Server) authorizeAnonymous(req *request) *osserr.Error {
	switch req.op {
	case OpGetObject, OpHeadObject, OpGetObjectMeta:
	default:
		return osserr.AccessDenied("", "Anonymous access is forbidden for this operation.")
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := s.buckets[req.bucket]
	if b == nil || publicRead(b, req.key, req.query.Get("versionId")) {
		return nil
	}
	return osserr.AccessDenied("0003-00000001", "You have no right to access this object because of bucket acl.")
}

// publicRead reports whether everybody may read an object. The bucket decides
// for an object whose ACL is the default, and for one that is not there: whether
// it exists is a secret of principals that may read it.
func publicRead(b *storage.Bucket, key, version string) bool {
	o := b.Current(key)
	if version != "" {
		o = b.Version(key, version)
	}
	acl := b.ACL
	if o != nil && o.ACL != "" && o.ACL != "default" {
		acl = o.ACL
	}
	return strings.HasPrefix(acl, "public-read")
}

// actions are what the operations ask for (OSS documentation, RAM policy
// overview, and the section Permissions of each operation).
var actions = map[Op]string{
	OpListBuckets:             "oss:ListBuckets",
	OpPutBucket:               "oss:PutBucket",
	OpDeleteBucket:            "oss:DeleteBucket",
	OpGetBucketInfo:           "oss:GetBucketInfo",
	OpGetBucketLocation:       "oss:GetBucketLocation",
	OpPutBucketACL:            "oss:PutBucketAcl",
	OpGetBucketACL:            "oss:GetBucketAcl",
	OpPutBucketTags:           "oss:PutBucketTagging",
	OpPutBucketVersioning:     "oss:PutBucketVersioning",
	OpGetBucketVersioning:     "oss:GetBucketVersioning",
	OpPutBucketCORS:           "oss:PutBucketCors",
	OpGetBucketCORS:           "oss:GetBucketCors",
	OpDeleteBucketCORS:        "oss:DeleteBucketCors",
	OpListObjects:             "oss:ListObjects",
	OpListObjectVersions:      "oss:ListObjectVersions",
	OpListLiveChannel:         "oss:ListLiveChannel",
	OpListMultipartUploads:    "oss:ListMultipartUploads",
	OpPutObject:               "oss:PutObject",
	OpGetObject:               "oss:GetObject",
	OpHeadObject:              "oss:GetObject",
	OpGetObjectMeta:           "oss:GetObject",
	OpDeleteObject:            "oss:DeleteObject",
	OpPutObjectACL:            "oss:PutObjectAcl",
	OpGetObjectACL:            "oss:GetObjectAcl",
	OpInitiateMultipartUpload: "oss:PutObject",
	OpUploadPart:              "oss:PutObject",
	OpUploadPartCopy:          "oss:PutObject",
	OpCompleteMultipartUpload: "oss:PutObject",
	OpAbortMultipartUpload:    "oss:AbortMultipartUpload",
	OpListParts:               "oss:ListParts",
}

// versionActions are those that have a right of their own for one version of
// an object, instead of its current one.
var versionActions = map[string]string{
	"oss:GetObject":    "oss:GetObjectVersion",
	"oss:DeleteObject": "oss:DeleteObjectVersion",
	"oss:GetObjectAcl": "oss:GetObjectVersionAcl",
	"oss:PutObjectAcl": "oss:PutObjectVersionAcl",
}

func versioned(action, version string) string {
	if v := versionActions[action]; v != "" && version != "" {
		return v
	}
	return action
}

// accesses returns what a request asks for, beyond the keys in its body.
func accesses(req *request) []policy.Access {
	action, known := actions[req.op]
	if req.op == OpDeleteMultipleObjects {
		return nil
	}
	if !known {
		// An operation that nobody gave a right for is nobody's right.
		action = "oss:" + string(req.op)
	}
	list := []policy.Access{{Action: versioned(action, req.query.Get("versionId")), Path: resourcePath(req)}}
	switch req.op {
	case OpPutObject, OpInitiateMultipartUpload:
		if req.Header.Get("X-Oss-Tagging") != "" {
			list = append(list, policy.Access{Action: "oss:PutObjectTagging", Path: resourcePath(req)})
		}
	case OpUploadPartCopy:
		list = append(list, copySourceAccesses(req.Header.Get("X-Oss-Copy-Source"))...)
	}
	return list
}

// resourcePath is the last field of the resource that a request is about.
func resourcePath(req *request) string {
	switch {
	case req.bucket == "":
		return "*"
	case req.key == "":
		return req.bucket
	}
	return req.bucket + "/" + req.key
}

// copySourceAccesses returns what reading a copy source asks for; the right to
// the version comes on top of that to the object (OSS documentation,
// UploadPartCopy). A source that cannot be read is left to the operation.
func copySourceAccesses(header string) []policy.Access {
	bucket, key, version, ok := parseCopySource(header)
	if !ok {
		return nil
	}
	list := []policy.Access{{Action: "oss:GetObject", Path: bucket + "/" + key}}
	if version != "" {
		list = append(list, policy.Access{Action: "oss:GetObjectVersion", Path: bucket + "/" + key})
	}
	return list
}
