package conformance

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
)

type v1 struct {
	client *oss.Client
	bucket *oss.Bucket
}

func newV1(t *testing.T, e env) sdk {
	t.Helper()
	options := []oss.ClientOption{oss.HTTPClient(e.wire.client()), oss.Region(region)}
	if e.way.v4 {
		options = append(options, oss.AuthVersion(oss.AuthV4))
	}
	if e.way.additional {
		// Not Content-Length: this SDK signs one for requests that are sent without.
		options = append(options, oss.AdditionalHeaders([]string{"host", "range", "user-agent"}))
	}
	if e.way.key.SecurityToken != "" {
		options = append(options, oss.SecurityToken(e.way.key.SecurityToken))
	}
	client, err := oss.New(e.endpoint(), e.way.key.AccessKeyID, e.way.key.AccessKeySecret, options...)
	ok(t, err)
	b, err := client.Bucket(bucket)
	ok(t, err)
	return v1{client, b}
}

func (s v1) put(key, content string) error {
	return s.bucket.PutObject(key, strings.NewReader(content),
		oss.ContentType("video/mp4"), oss.Meta("title", "A talk"), oss.CacheControl("no-cache"),
		oss.SetTagging(oss.Tagging{Tags: []oss.Tag{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}}}),
		oss.ServerSideEncryption("AES256"), oss.ObjectStorageClass(oss.StorageIA))
}

func readAll(body io.ReadCloser, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	return string(data), err
}

func (s v1) get(key, version string) (string, error) {
	var options []oss.Option
	if version != "" {
		options = append(options, oss.VersionId(version))
	}
	return readAll(s.bucket.GetObject(key, options...))
}

func (s v1) getRange(key string, from, to int64) (string, error) {
	return readAll(s.bucket.GetObject(key, oss.Range(from, to)))
}

func (s v1) head(key string) (http.Header, error) { return s.bucket.GetObjectDetailedMeta(key) }

func (s v1) setACL(key, acl string) error { return s.bucket.SetObjectACL(key, oss.ACLType(acl)) }

func (s v1) acl(key string) (string, error) {
	r, err := s.bucket.GetObjectACL(key)
	return r.ACL, err
}

func (s v1) list(prefix, delimiter string) (keys, prefixes []string, err error) {
	r, err := s.bucket.ListObjectsV2(oss.Prefix(prefix), oss.Delimiter(delimiter))
	for _, o := range r.Objects {
		keys = append(keys, o.Key)
	}
	return keys, r.CommonPrefixes, err
}

func (s v1) remove(key, version string) error {
	if version == "" {
		return s.bucket.DeleteObject(key)
	}
	return s.bucket.DeleteObject(key, oss.VersionId(version))
}

func (s v1) removeAll(keys ...string) error {
	_, err := s.bucket.DeleteObjects(keys)
	return err
}

func (s v1) enableVersioning() error {
	return s.client.SetBucketVersioning(bucket, oss.VersioningConfig{Status: "Enabled"})
}

func (s v1) versions() ([]string, error) {
	r, err := s.bucket.ListObjectVersions()
	var list []string
	for _, m := range r.ObjectDeleteMarkers {
		list = append(list, "marker "+m.VersionId)
	}
	for _, v := range r.ObjectVersions {
		list = append(list, "version "+v.VersionId)
	}
	return list, err
}

func (s v1) putWithCallback(key, content, callback string) (string, error) {
	var answer []byte
	err := s.bucket.PutObject(key, strings.NewReader(content), oss.Callback(callback), oss.CallbackResult(&answer))
	return string(answer), err
}

func (s v1) upload(key, uploadID string) oss.InitiateMultipartUploadResult {
	return oss.InitiateMultipartUploadResult{Bucket: bucket, Key: key, UploadID: uploadID}
}

func (s v1) initiate(key string) (string, error) {
	r, err := s.bucket.InitiateMultipartUpload(key, oss.Meta("title", "A talk"))
	return r.UploadID, err
}

func (s v1) part(key, uploadID string, number int, content string) (string, error) {
	p, err := s.bucket.UploadPart(s.upload(key, uploadID), strings.NewReader(content), int64(len(content)), number)
	return p.ETag, err
}

func (s v1) copyPart(key, uploadID string, number int, source string) (string, error) {
	p, err := s.bucket.UploadPartCopy(s.upload(key, uploadID), bucket, source, 0, partSize, number)
	return p.ETag, err
}

func (s v1) parts(key, uploadID string) ([]string, error) {
	r, err := s.bucket.ListUploadedParts(s.upload(key, uploadID))
	var etags []string
	for _, p := range r.UploadedParts {
		etags = append(etags, p.ETag)
	}
	return etags, err
}

func (s v1) uploads() ([]string, error) {
	r, err := s.bucket.ListMultipartUploads()
	var keys []string
	for _, u := range r.Uploads {
		keys = append(keys, u.Key)
	}
	return keys, err
}

func (s v1) complete(key, uploadID string, etags ...string) error {
	var parts []oss.UploadPart
	for i, etag := range etags {
		parts = append(parts, oss.UploadPart{PartNumber: i + 1, ETag: etag})
	}
	_, err := s.bucket.CompleteMultipartUpload(s.upload(key, uploadID), parts)
	return err
}

func (s v1) abort(key, uploadID string) error {
	return s.bucket.AbortMultipartUpload(s.upload(key, uploadID))
}

func (s v1) uploadFile(key, path, checkpoints string) error {
	return s.bucket.UploadFile(key, path, partSize, oss.CheckpointDir(true, checkpoints), oss.Routines(1))
}

func (s v1) signedURL(method, key string, valid time.Duration) (string, error) {
	return s.bucket.SignURL(key, oss.HTTPMethod(method), int64(valid/time.Second))
}

func (s v1) fail(err error) failure {
	var e oss.ServiceError
	if !errors.As(err, &e) {
		return failure{}
	}
	if e.Ec == "" && bytes.Contains([]byte(e.RawMessage), []byte("<EC>")) {
		return failure{e.StatusCode, e.Code, "unread"}
	}
	return failure{e.StatusCode, e.Code, e.Ec}
}
