package osstest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// route finds out what a request is for. The request that it returns is usable
// even when there is an error.
func (s *Server) route(r *http.Request) (*request, *osserr.Error) {
	req := &request{Request: r, id: storage.NewID(12), start: s.now()}
	req.bucket, req.key = s.address(r)
	query, err := url.ParseQuery(r.URL.RawQuery)
	req.query = query
	req.uploadID = query.Get("uploadId")
	req.partNumber, _ = strconv.Atoi(query.Get("partNumber"))
	req.op = operation(req)
	switch {
	case err != nil:
		return req, osserr.InvalidArgument("", "The query string is not valid.", "QueryString", r.URL.RawQuery)
	case s.pathStyleForbidden(r) && req.bucket != "":
		return req, osserr.PathStyleForbidden()
	case req.bucket != "" && !storage.ValidBucketName(req.bucket):
		return req, osserr.InvalidBucketName(req.bucket)
	case req.op == "":
		return req, unroutable(req)
	case req.key != "":
		return req, storage.CheckKey(req.key)
	}
	return req, nil
}

// address returns the bucket and the object name that a request is for.
func (s *Server) address(r *http.Request) (bucket, key string) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if bucket := s.hostBucket(r); bucket != "" {
		return bucket, path
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}

// hostBucket returns the bucket that the Host header names, if it names one.
func (s *Server) hostBucket(r *http.Request) string {
	host := hostName(r)
	if bucket := s.opts.CustomDomains[host]; bucket != "" {
		return bucket
	}
	if before, ok := strings.CutSuffix(host, aliyunSuffix); ok {
		labels := strings.Split(before, ".")
		if len(labels) == endpointLabels(labels)+1 {
			return labels[0]
		}
		return ""
	}
	for _, suffix := range s.hosts {
		if bucket, ok := strings.CutSuffix(host, "."+suffix); ok {
			return bucket
		}
	}
	return ""
}

const aliyunSuffix = ".aliyuncs.com"

// endpointLabels returns how many labels before aliyuncs.com are the endpoint:
// one in oss-cn-hangzhou.aliyuncs.com, two in the dual-stack form
// cn-hangzhou.oss.aliyuncs.com.
func endpointLabels(labels []string) int {
	if labels[len(labels)-1] == "oss" && len(labels) > 1 {
		return 2
	}
	return 1
}

// pathStyleForbidden reports whether the request uses an endpoint of the real
// service without a bucket in the host name. OSS refuses path style there.
func (s *Server) pathStyleForbidden(r *http.Request) bool {
	return strings.HasSuffix(hostName(r), aliyunSuffix) && s.hostBucket(r) == ""
}

// hostName returns the Host header without its port, in lower case.
func hostName(r *http.Request) string {
	host := r.Host
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// A rule says which operation a method and a sub-resource make. The first rule
// whose sub-resource is in the query applies; an empty one always applies.
type rule struct {
	method, resource string
	op               Op
}

var bucketRules = []rule{
	{"GET", "uploads", OpListMultipartUploads},
	{"GET", "versions", OpListObjectVersions},
	{"GET", "versioning", OpGetBucketVersioning},
	{"GET", "cors", OpGetBucketCORS},
	{"GET", "acl", OpGetBucketACL},
	{"GET", "bucketInfo", OpGetBucketInfo},
	{"GET", "location", OpGetBucketLocation},
	{"GET", "live", OpListLiveChannel},
	{"GET", "", OpListObjects},
	{"PUT", "versioning", OpPutBucketVersioning},
	{"PUT", "cors", OpPutBucketCORS},
	{"PUT", "tagging", OpPutBucketTags},
	{"PUT", "acl", OpPutBucketACL},
	{"PUT", "", OpPutBucket},
	{"DELETE", "cors", OpDeleteBucketCORS},
	{"DELETE", "", OpDeleteBucket},
	{"POST", "delete", OpDeleteMultipleObjects},
}

var objectRules = []rule{
	{"GET", "uploadId", OpListParts},
	{"GET", "acl", OpGetObjectACL},
	{"GET", "", OpGetObject},
	{"HEAD", "objectMeta", OpGetObjectMeta},
	{"HEAD", "", OpHeadObject},
	{"PUT", "uploadId", OpUploadPart},
	{"PUT", "partNumber", OpUploadPart},
	{"PUT", "acl", OpPutObjectACL},
	{"PUT", "", OpPutObject},
	{"POST", "uploads", OpInitiateMultipartUpload},
	{"POST", "uploadId", OpCompleteMultipartUpload},
	{"DELETE", "uploadId", OpAbortMultipartUpload},
	{"DELETE", "", OpDeleteObject},
}

// otherResources are sub-resources of OSS that no rule is for: without this
// list PUT /?lifecycle would create a bucket.
var otherResources = []string{
	"append", "callback-rule", "cname", "comp", "cors", "encryption", "img", "inventory", "lifecycle", "logging",
	"metaQuery", "notification", "objectMeta", "policy", "qosInfo", "referer", "regionList", "replication",
	"requestPayment", "resourceGroup", "restore", "stat", "status", "style", "symlink", "tagging",
	"transferAcceleration", "vod", "website", "worm", "x-oss-process", "x-oss-async-process",
}

// operation returns the operation that a request asks for, or "".
func operation(req *request) Op {
	if req.bucket == "" {
		if req.Method == http.MethodGet {
			return OpListBuckets
		}
		return ""
	}
	if req.Method == http.MethodOptions {
		return OpOptionObject
	}
	for _, rule := range rulesFor(req) {
		if rule.method != req.Method || rule.resource == "" && otherResource(req) != "" {
			continue
		}
		if rule.resource == "" || req.query.Has(rule.resource) {
			return copied(rule.op, req)
		}
	}
	return ""
}

func rulesFor(req *request) []rule {
	if req.key == "" {
		return bucketRules
	}
	return objectRules
}

// copied returns op, or the operation that its copy source makes of it.
func copied(op Op, req *request) Op {
	if req.Header.Get("X-Oss-Copy-Source") == "" {
		return op
	}
	switch op {
	case OpUploadPart:
		return OpUploadPartCopy
	case OpPutObject:
		return "" // CopyObject
	}
	return op
}

func otherResource(req *request) string {
	for _, resource := range otherResources {
		if req.query.Has(resource) {
			return resource
		}
	}
	return ""
}

// unroutable returns the error for a request that is no operation of this
// server.
func unroutable(req *request) *osserr.Error {
	kind := "SERVICE"
	if req.bucket != "" {
		kind = "BUCKET"
	}
	if req.key != "" {
		kind = "OBJECT"
	}
	if resource := otherResource(req); resource != "" {
		return osserr.NotImplemented(req.Method + " of ?" + resource)
	}
	if req.Method == http.MethodPut && req.key != "" {
		return osserr.NotImplemented("CopyObject")
	}
	allowed := []string{"GET"}
	if req.bucket != "" {
		for _, rule := range rulesFor(req) {
			if !slices.Contains(allowed, rule.method) {
				allowed = append(allowed, rule.method)
			}
		}
	}
	return osserr.MethodNotAllowed(req.Method, kind, allowed...)
}

// parseCopySource reads /bucket/key?versionId=id. The key is URL-encoded as in a
// query: the SDKs for Go (version 1) and Ruby send a space as a plus sign, and all
// send a plus sign as %2B.
func parseCopySource(header string) (bucketName, key, version string, ok bool) {
	path, query, _ := strings.Cut(header, "?")
	path, err := url.QueryUnescape(path)
	if err != nil {
		return "", "", "", false
	}
	bucketName, key, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	values, err := url.ParseQuery(query)
	return bucketName, key, values.Get("versionId"), err == nil && key != "" && storage.ValidBucketName(bucketName)
}
