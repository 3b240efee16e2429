package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	"github.com/vodupload/vodupload/examples/vodupload/internal/config"
	"github.com/vodupload/vodupload/sts"
)

// probeName is the end of the name of the object that is asked for, and begun and aborted,
// but never made.
const probeName = ".vodupload-doctor"

// A bucketProbe makes harmless requests with the credentials of the command.
type bucketProbe struct {
	client *oss.Client
	bucket *oss.Bucket
	object string
}

func newBucketProbe(place config.Place, d destination, c sts.Credentials) (*bucketProbe, error) {
	options := []oss.ClientOption{oss.SecurityToken(c.SecurityToken), oss.Timeout(5, 10), oss.UseCname(len(place.CustomDomains) > 0)}
	if region := place.Region; region != "" {
		options = append(options, oss.Region(region), oss.AuthVersion(oss.AuthV4))
	} else if region := regionOf(place.Endpoint); region != "" {
		options = append(options, oss.Region(region), oss.AuthVersion(oss.AuthV4))
	}
	client, err := oss.New(place.Endpoint, c.AccessKeyID, c.AccessKeySecret, options...)
	if err != nil {
		return nil, err
	}
	bucket, err := client.Bucket(d.bucket)
	return &bucketProbe{client, bucket, d.prefix() + probeName}, err
}

// regionOf returns the region in the name of one of OSS's endpoints, or "".
func regionOf(endpoint string) string {
	name := hostOf(endpoint)
	name, ok := strings.CutSuffix(name, ".aliyuncs.com")
	name, isOSS := strings.CutPrefix(name, "oss-")
	if !ok || !isOSS || strings.HasPrefix(name, "accelerate") {
		return ""
	}
	return strings.TrimSuffix(name, "-internal")
}

// hostOf returns the host of an endpoint, without scheme and port.
func hostOf(endpoint string) string {
	if !strings.Contains(endpoint, "://") {
		endpoint = "https://" + endpoint
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// A right is what a policy allows, and what for.
type right struct {
	action string
	use    string // what does not work without it
	must   bool   // nothing works without it
}

var (
	rightPut      = right{"oss:PutObject", "nothing can be uploaded", true}
	rightAbort    = right{"oss:AbortMultipartUpload", "sweep aborts nothing, and what was canceled stays", false}
	rightParts    = right{"oss:ListParts", "an upload is not resumed", true}
	rightUploads  = right{"oss:ListMultipartUploads", "uploads and sweep see only what is known here", false}
	rightGet      = right{"oss:GetObject", "verify, and cp with --compare, do not see what is there", false}
	rightList     = right{"oss:ListObjects", "each object is asked for by itself, and a missing one looks forbidden", false}
	rightLocation = right{"oss:GetBucketInfo", "doctor cannot compare the bucket's region", false}
)

// finding judges the answer to a request that needs the right.
func (r right) finding(err error) finding {
	about := "right"
	var refused oss.ServiceError
	switch {
	case err == nil, errors.As(err, &refused) && refused.Code == "NoSuchKey":
		return finding{grade: good, about: about, text: r.action}
	case errors.As(err, &refused) && refused.Code == "AccessDenied":
		f := finding{grade: note, about: about, text: r.action + " is denied", todo: "without it " + r.use}
		if r.must {
			f.grade, f.err = bad, deniedError{err}
		}
		return f
	case errors.As(err, &refused) && refused.Code == "PublicEndpointForbidden":
		return finding{
			grade: bad, about: "domain", err: deniedError{err},
			text: "this account may not upload through OSS's public endpoints",
			todo: "give --custom-domain with a domain that is mapped to the bucket, or an internal endpoint",
		}
	case errors.As(err, &refused):
		return finding{grade: bad, about: about, text: fmt.Sprintf("%s: %d %s %s (request ID %s)", r.action, refused.StatusCode, refused.Code, refused.Message, refused.RequestID), err: answered(refused, err)}
	}
	return finding{grade: bad, about: about, text: r.action + ": " + withoutURL(err).Error(), err: temporaryError{err}}
}

// withoutURL drops the address from the error of a request: it may be signed.
func withoutURL(err error) error {
	var about *url.Error
	if errors.As(err, &about) {
		return about.Err
	}
	return err
}

// A temporaryError is about what may pass.
type temporaryError struct{ err error }

func (e temporaryError) Error() string { return e.err.Error() }
func (e temporaryError) Unwrap() error { return context.DeadlineExceeded }

func answered(refused oss.ServiceError, err error) error {
	switch {
	case refused.StatusCode == http.StatusForbidden || refused.StatusCode == http.StatusUnauthorized:
		return deniedError{err}
	case refused.StatusCode >= 500:
		return temporaryError{err}
	}
	return err
}

// rights asks for each right. An upload that is begun is aborted at once.
func (p *bucketProbe) rights(ctx context.Context, add func(finding)) {
	with := oss.WithContext(ctx)
	add(rightUploads.finding(second(p.bucket.ListMultipartUploads(oss.MaxUploads(1), oss.Prefix(p.object), with))))
	add(rightList.finding(second(p.bucket.ListObjectsV2(oss.MaxKeys(1), oss.Prefix(p.object), with))))
	add(rightGet.finding(p.head(with)))
	begun, err := p.bucket.InitiateMultipartUpload(p.object, with)
	add(rightPut.finding(err))
	if err != nil {
		return
	}
	add(rightParts.finding(second(p.bucket.ListUploadedParts(begun, with))))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	f := rightAbort.finding(p.bucket.AbortMultipartUpload(begun, oss.WithContext(ctx)))
	if f.grade != good {
		f.text += fmt.Sprintf(", and an empty upload of %s is left at the server", p.object)
	}
	add(f)
}

// remove deletes an object, after a signal as well.
func (p *bucketProbe) remove(ctx context.Context, object string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limitOfRequest)
	defer cancel()
	return p.bucket.DeleteObject(object, oss.WithContext(ctx))
}

// head asks for the object that is not there. Its answer has no body, hence no code.
func (p *bucketProbe) head(with oss.Option) error {
	_, err := p.bucket.GetObjectDetailedMeta(p.object, with)
	var refused oss.ServiceError
	if errors.As(err, &refused) && refused.StatusCode == http.StatusNotFound {
		return nil
	}
	if errors.As(err, &refused) && refused.StatusCode == http.StatusForbidden {
		refused.Code = "AccessDenied"
		return refused
	}
	return err
}

func second[T any](_ T, err error) error { return err }
