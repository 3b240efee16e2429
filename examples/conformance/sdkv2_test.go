package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
)

type v2 struct {
	t      *testing.T
	client *oss.Client
}

func newV2(t *testing.T, e env) sdk {
	t.Helper()
	k := e.way.key
	config := oss.LoadDefaultConfig().
		WithRegion(region).
		WithEndpoint(e.endpoint()).
		WithHttpClient(e.wire.client()).
		WithRetryMaxAttempts(2).
		WithCredentialsProvider(credentials.NewStaticCredentialsProvider(k.AccessKeyID, k.AccessKeySecret, k.SecurityToken))
	if !e.way.v4 {
		config.WithSignatureVersion(oss.SignatureVersionV1)
	}
	if e.way.additional {
		config.WithAdditionalHeaders([]string{"date", "range", "content-length"})
	}
	return v2{t, oss.NewClient(config)}
}

func (s v2) put(key, content string) error {
	_, err := s.client.PutObject(s.t.Context(), &oss.PutObjectRequest{
		Bucket: oss.Ptr(bucket), Key: oss.Ptr(key), Body: strings.NewReader(content),
		ContentType: oss.Ptr("video/mp4"), CacheControl: oss.Ptr("no-cache"),
		Metadata: map[string]string{"title": "A talk"}, Tagging: oss.Ptr("a=1&b=2"),
		ServerSideEncryption: oss.Ptr("AES256"), StorageClass: oss.StorageClassIA,
	})
	return err
}

func (s v2) get(key, version string) (string, error) {
	request := &oss.GetObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(key)}
	if version != "" {
		request.VersionId = oss.Ptr(version)
	}
	return s.read(request)
}

func (s v2) getRange(key string, from, to int64) (string, error) {
	return s.read(&oss.GetObjectRequest{
		Bucket: oss.Ptr(bucket), Key: oss.Ptr(key), Range: oss.Ptr(fmt.Sprintf("bytes=%d-%d", from, to)),
	})
}

func (s v2) read(request *oss.GetObjectRequest) (string, error) {
	r, err := s.client.GetObject(s.t.Context(), request)
	if err != nil {
		return "", err
	}
	return readAll(r.Body, nil)
}

func (s v2) head(key string) (http.Header, error) {
	r, err := s.client.HeadObject(s.t.Context(), &oss.HeadObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(key)})
	if err != nil {
		return nil, err
	}
	return r.Headers, nil
}

func (s v2) setACL(key, acl string) error {
	_, err := s.client.PutObjectAcl(s.t.Context(), &oss.PutObjectAclRequest{
		Bucket: oss.Ptr(bucket), Key: oss.Ptr(key), Acl: oss.ObjectACLType(acl),
	})
	return err
}

func (s v2) acl(key string) (string, error) {
	r, err := s.client.GetObjectAcl(s.t.Context(), &oss.GetObjectAclRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(key)})
	if err != nil {
		return "", err
	}
	return oss.ToString(r.ACL), nil
}

func (s v2) list(prefix, delimiter string) (keys, prefixes []string, err error) {
	r, err := s.client.ListObjectsV2(s.t.Context(), &oss.ListObjectsV2Request{
		Bucket: oss.Ptr(bucket), Prefix: oss.Ptr(prefix), Delimiter: oss.Ptr(delimiter),
	})
	if err != nil {
		return nil, nil, err
	}
	for _, o := range r.Contents {
		keys = append(keys, oss.ToString(o.Key))
	}
	for _, p := range r.CommonPrefixes {
		prefixes = append(prefixes, oss.ToString(p.Prefix))
	}
	return keys, prefixes, nil
}

func (s v2) remove(key, version string) error {
	request := &oss.DeleteObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(key)}
	if version != "" {
		request.VersionId = oss.Ptr(version)
	}
	_, err := s.client.DeleteObject(s.t.Context(), request)
	return err
}

func (s v2) removeAll(keys ...string) error {
	request := &oss.DeleteMultipleObjectsRequest{Bucket: oss.Ptr(bucket)}
	for _, key := range keys {
		request.Objects = append(request.Objects, oss.DeleteObject{Key: oss.Ptr(key)})
	}
	_, err := s.client.DeleteMultipleObjects(s.t.Context(), request)
	return err
}

func (s v2) enableVersioning() error {
	_, err := s.client.PutBucketVersioning(s.t.Context(), &oss.PutBucketVersioningRequest{
		Bucket: oss.Ptr(bucket), VersioningConfiguration: &oss.VersioningConfiguration{Status: oss.VersionEnabled},
	})
	return err
}

func (s v2) versions() ([]string, error) {
	r, err := s.client.ListObjectVersions(s.t.Context(), &oss.ListObjectVersionsRequest{Bucket: oss.Ptr(bucket)})
	if err != nil {
		return nil, err
	}
	var list []string
	for _, m := range r.ObjectDeleteMarkers {
		list = append(list, "marker "+oss.ToString(m.VersionId))
	}
	for _, v := range r.ObjectVersions {
		list = append(list, "version "+oss.ToString(v.VersionId))
	}
	return list, nil
}

func (s v2) putWithCallback(key, content, callback string) (string, error) {
	r, err := s.client.PutObject(s.t.Context(), &oss.PutObjectRequest{
		Bucket: oss.Ptr(bucket), Key: oss.Ptr(key), Body: strings.NewReader(content), Callback: oss.Ptr(callback),
	})
	if err != nil {
		return "", err
	}
	answer, err := json.Marshal(r.CallbackResult)
	return string(answer), err
}

func (s v2) initiate(key string) (string, error) {
	r, err := s.client.InitiateMultipartUpload(s.t.Context(), &oss.InitiateMultipartUploadRequest{
		Bucket: oss.Ptr(bucket), Key: oss.Ptr(key), Metadata: map[string]string{"title": "A talk"},
	})
	if err != nil {
		return "", err
	}
	return oss.ToString(r.UploadId), nil
}

func (s v2) part(key, uploadID string, number int, content string) (string, error) {
	r, err := s.client.UploadPart(s.t.Context(), &oss.UploadPartRequest{
		Bucket: oss.Ptr(bucket), Key: oss.Ptr(key), UploadId: oss.Ptr(uploadID),
		PartNumber: int32(number), Body: strings.NewReader(content),
	})
	if err != nil {
		return "", err
	}
	return oss.ToString(r.ETag), nil
}

func (s v2) copyPart(key, uploadID string, number int, source string) (string, error) {
	r, err := s.client.UploadPartCopy(s.t.Context(), &oss.UploadPartCopyRequest{
		Bucket: oss.Ptr(bucket), Key: oss.Ptr(key), UploadId: oss.Ptr(uploadID), PartNumber: int32(number),
		SourceBucket: oss.Ptr(bucket), SourceKey: oss.Ptr(source), Range: oss.Ptr(fmt.Sprintf("bytes=0-%d", partSize-1)),
	})
	if err != nil {
		return "", err
	}
	return oss.ToString(r.ETag), nil
}

func (s v2) parts(key, uploadID string) ([]string, error) {
	r, err := s.client.ListParts(s.t.Context(), &oss.ListPartsRequest{
		Bucket: oss.Ptr(bucket), Key: oss.Ptr(key), UploadId: oss.Ptr(uploadID),
	})
	if err != nil {
		return nil, err
	}
	var etags []string
	for _, p := range r.Parts {
		etags = append(etags, oss.ToString(p.ETag))
	}
	return etags, nil
}

func (s v2) uploads() ([]string, error) {
	r, err := s.client.ListMultipartUploads(s.t.Context(), &oss.ListMultipartUploadsRequest{Bucket: oss.Ptr(bucket)})
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, u := range r.Uploads {
		keys = append(keys, oss.ToString(u.Key))
	}
	return keys, nil
}

func (s v2) complete(key, uploadID string, etags ...string) error {
	request := &oss.CompleteMultipartUploadRequest{
		Bucket: oss.Ptr(bucket), Key: oss.Ptr(key), UploadId: oss.Ptr(uploadID),
		CompleteMultipartUpload: &oss.CompleteMultipartUpload{},
	}
	for i, etag := range etags {
		request.CompleteMultipartUpload.Parts = append(request.CompleteMultipartUpload.Parts,
			oss.UploadPart{PartNumber: int32(i + 1), ETag: oss.Ptr(etag)})
	}
	_, err := s.client.CompleteMultipartUpload(s.t.Context(), request)
	return err
}

func (s v2) abort(key, uploadID string) error {
	_, err := s.client.AbortMultipartUpload(s.t.Context(), &oss.AbortMultipartUploadRequest{
		Bucket: oss.Ptr(bucket), Key: oss.Ptr(key), UploadId: oss.Ptr(uploadID),
	})
	return err
}

func (s v2) uploadFile(key, path, checkpoints string) error {
	uploader := s.client.NewUploader(func(o *oss.UploaderOptions) {
		o.PartSize = partSize
		o.ParallelNum = 1
		o.LeavePartsOnError = true
		o.EnableCheckpoint = true
		o.CheckpointDir = checkpoints + string(os.PathSeparator)
	})
	_, err := uploader.UploadFile(s.t.Context(), &oss.PutObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(key)}, path)
	return err
}

func (s v2) signedURL(method, key string, valid time.Duration) (string, error) {
	var request any = &oss.GetObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(key)}
	if method == http.MethodPut {
		request = &oss.PutObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(key)}
	}
	r, err := s.client.Presign(s.t.Context(), request, oss.PresignExpires(valid))
	if err != nil {
		return "", err
	}
	return r.URL, nil
}

func (s v2) fail(err error) failure {
	var e *oss.ServiceError
	if !errors.As(err, &e) {
		return failure{}
	}
	return failure{e.StatusCode, e.Code, e.EC}
}
