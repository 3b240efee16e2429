package osstest

import (
	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/sign"
)

// authenticate sets the principal of a request to the key that signed it. It
// returns the error that OSS answers if the signature is not good; a request
// without one passes, as an anonymous one.
func (s *Server) authenticate(req *request) *osserr.Error {
	if s.opts.RefuseV1 && sign.ClaimsV1(req.Request) {
		return osserr.V1Refused()
	}
	var key Key
	lookup := func(accessKeyID, token string) (string, *osserr.Error) {
		// OSS misses the bucket before it looks for the key.
		if err := s.checkBucket(req); err != nil {
			return "", err
		}
		var err *osserr.Error
		key, err = s.keys.find(accessKeyID, token, req.start)
		return key.AccessKeySecret, err
	}
	if _, err := sign.Verify(req.Request, sign.Target{Bucket: req.bucket, Key: req.key}, lookup, s.opts.Region, req.start); err != nil {
		return err
	}
	req.principal = key
	return nil
}

// checkBucket returns an error if the bucket is missing that a request is about.
func (s *Server) checkBucket(req *request) *osserr.Error {
	if req.bucket == "" || req.op == OpPutBucket {
		return nil
	}
	_, err := s.bucketNow(req.bucket)
	return err
}

// anonymous reports whether a request that was authenticated bears no signature.
func (r *request) anonymous() bool { return r.principal.AccessKeyID == "" }
