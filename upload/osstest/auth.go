package osstest

import (
	"crypto/hmac"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
)

// A signature is what a request shows of its signer, read from its header or
// its URL and not yet verified.
type signature struct {
	v4          bool
	accessKeyID string
	token       string
	provided    string // the signature itself
	date        string // what stands for the date in what was signed
	scope       scope  // version 4
	additional  []string
}

// authenticate finds out whose signature a request bears, and sets its
// principal. It returns the error that OSS answers if the signature is not
// good; a request without one passes, as an anonymous one.
func (s *Server) authenticate(req *request) *osserr.Error {
	if s.opts.RefuseV1 && claimsV1(req.Request, req.query) {
		return osserr.V1Refused()
	}
	lookup := func(accessKeyID, token string) (Key, *osserr.Error) {
		// OSS misses the bucket before it looks at who asks.
		if err := s.checkBucket(req); err != nil {
			return Key{}, err
		}
		return s.keys.find(accessKeyID, token, req.start)
	}
	key, err := verify(req.Request, req.query, target{req.bucket, req.key}, lookup, s.opts.Region, req.start)
	if err != nil {
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

// verify returns the key that signed a request, as lookup has it, or the zero
// Key of an anonymous one. Region is what version 4 must have signed for; now is
// the server's time.
func verify(r *http.Request, query url.Values, t target, lookup func(accessKeyID, token string) (Key, *osserr.Error), region string, now time.Time) (Key, *osserr.Error) {
	s, err := readSignature(r, query, region, now)
	if s == nil || err != nil {
		return Key{}, err
	}
	key, err := lookup(s.accessKeyID, s.token)
	if err != nil {
		return Key{}, err
	}
	if s.v4 {
		err = s.verifyV4(r, query, t, key)
	} else {
		err = s.verifyV1(r, query, t, key)
	}
	if err != nil {
		return Key{}, err
	}
	return key, nil
}

func (s *signature) verifyV1(r *http.Request, query url.Values, t target, key Key) *osserr.Error {
	stringToSign := stringToSignV1(r, t, query, s.date)
	want := signV1(key.AccessKeySecret, stringToSign)
	if !hmac.Equal([]byte(want), []byte(s.provided)) {
		return osserr.Signature("0002-00000040", s.accessKeyID, s.provided, stringToSign)
	}
	return nil
}

func (s *signature) verifyV4(r *http.Request, query url.Values, t target, key Key) *osserr.Error {
	canonical := canonicalRequestV4(r, t, query, s.additional)
	stringToSign := stringToSignV4(s.date, s.scope, canonical)
	want := signV4(key.AccessKeySecret, s.scope, stringToSign)
	if !hmac.Equal([]byte(want), []byte(s.provided)) {
		return osserr.Signature("0002-00000201", s.accessKeyID, s.provided, stringToSign).
			With("CanonicalRequest", canonical)
	}
	return nil
}

// readSignature finds where a request is signed, and reads it there. It
// returns nil for an anonymous request.
func readSignature(r *http.Request, query url.Values, region string, now time.Time) (*signature, *osserr.Error) {
	header := r.Header.Values("Authorization")
	inURLv1 := hasAny(query, "OSSAccessKeyId", "Signature")
	inURLv4 := hasAny(query, "x-oss-signature-version", "x-oss-credential", "x-oss-signature")
	inURL := inURLv1 || inURLv4
	switch {
	case len(header) == 0 && !inURL:
		return nil, nil
	case len(header) > 0 && inURL:
		return nil, osserr.AuthTwice()
	case len(header) > 0:
		return readHeader(r, query, header[0], region, now)
	}
	if err := checkTokenInURL(r, query); err != nil {
		return nil, err
	}
	if inURLv4 {
		return readURLv4(r, query, region, now)
	}
	return readURLv1(query, now)
}

func hasAny(query url.Values, names ...string) bool {
	return slices.ContainsFunc(names, query.Has)
}

// checkTokenInURL refuses a signed URL whose token is not part of it: the
// token would not be covered by what the URL's maker has signed.
func checkTokenInURL(r *http.Request, query url.Values) *osserr.Error {
	if r.Header.Get("X-Oss-Security-Token") != "" && !hasAny(query, "security-token", "x-oss-security-token") {
		return osserr.TokenNotInURL()
	}
	return nil
}

// requestTime returns the time of a request that is signed in its header, and
// the text that it came as.
func requestTime(r *http.Request) (time.Time, string, *osserr.Error) {
	text := r.Header.Get("X-Oss-Date")
	forms := []string{timeFormV4, http.TimeFormat}
	if text == "" {
		text, forms = r.Header.Get("Date"), forms[1:]
	}
	for _, form := range forms {
		if t, err := time.Parse(form, text); err == nil {
			return t, text, nil
		}
	}
	return time.Time{}, "", osserr.NoValidDate()
}

func checkSkew(requested, now time.Time) *osserr.Error {
	if requested.Sub(now).Abs() > osserr.MaxSkew {
		return osserr.TimeTooSkewed(requested, now)
	}
	return nil
}
