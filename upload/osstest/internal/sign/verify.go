// Package sign verifies the signatures of requests to OSS: those of versions 1
// and 4, in the Authorization header and in the URL.
package sign

import (
	"crypto/hmac"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
)

// A signature is what a request says about its signer, read from its header or
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

// A Lookup returns the secret of the access key that a request names, or the
// error that OSS answers if the key does not exist or does not belong to the
// token. The token is empty for a request without one.
type Lookup func(accessKeyID, token string) (secret string, err *osserr.Error)

// Verify returns the ID of the access key that signed a request, or "" for a
// request without a signature. Region is the one that a signature of version 4
// must name; now is the server's time. It returns the error that OSS answers if
// the signature is wrong, has expired or cannot be read, and that of lookup,
// which it calls once and only for a signature that can be read.
func Verify(r *http.Request, t Target, lookup Lookup, region string, now time.Time) (accessKeyID string, err *osserr.Error) {
	query := r.URL.Query()
	s, err := readSignature(r, query, region, now)
	if s == nil || err != nil {
		return "", err
	}
	secret, err := lookup(s.accessKeyID, s.token)
	if err != nil {
		return "", err
	}
	if s.v4 {
		err = s.verifyV4(r, query, t, secret)
	} else {
		err = s.verifyV1(r, query, t, secret)
	}
	if err != nil {
		return "", err
	}
	return s.accessKeyID, nil
}

func (s *signature) verifyV1(r *http.Request, query url.Values, t Target, secret string) *osserr.Error {
	stringToSign := StringToSignV1(r, t, query, s.date)
	want := V1(secret, stringToSign)
	if !hmac.Equal([]byte(want), []byte(s.provided)) {
		return osserr.Signature("0002-00000040", s.accessKeyID, s.provided, stringToSign)
	}
	return nil
}

func (s *signature) verifyV4(r *http.Request, query url.Values, t Target, secret string) *osserr.Error {
	canonical := canonicalRequestV4(r, t, query, s.additional)
	stringToSign := stringToSignV4(s.date, s.scope, canonical)
	want := signV4(secret, s.scope, stringToSign)
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

// readHeader reads an Authorization header of either version.
func readHeader(r *http.Request, query url.Values, header, region string, now time.Time) (*signature, *osserr.Error) {
	if r.Header.Get("X-Oss-Security-Token") != "" && hasAny(query, "security-token") {
		return nil, osserr.TokenTwice()
	}
	scheme, rest, _ := strings.Cut(header, " ")
	var s *signature
	var err *osserr.Error
	switch scheme {
	case "":
		return nil, osserr.Authorization("", "Authorization header value is empty.", header)
	case "OSS":
		s, err = readHeaderV1(r, header, rest, now)
	case algorithmV4:
		s, err = readHeaderV4(r, header, rest, region, now)
	default:
		return nil, osserr.Authorization("0002-00000061", "Authorization header is invalid.", header)
	}
	if err != nil {
		return nil, err
	}
	s.token = r.Header.Get("X-Oss-Security-Token")
	return s, nil
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

// RequestTime returns the time of a request that is signed in its header, and
// the text that it came as.
func RequestTime(r *http.Request) (time.Time, string, *osserr.Error) {
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
