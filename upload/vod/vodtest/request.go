package vodtest

import (
	"bytes"
	"crypto/hmac"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/sts/openapi"
)

// A request is one call, as far as it has been understood.
type request struct {
	method string
	params map[string]string  // of query and form, and the common ones in headers
	acs3   *openapi.Presented // nil: signed by a parameter
}

// maxForm bounds the body of a request, in bytes.
const maxForm = 64 << 10

// readRequest collects the parameters of query, form and headers: clients differ in
// where they put which. The request is never nil.
func readRequest(w http.ResponseWriter, r *http.Request) (*request, *apiError) {
	req := &request{method: r.Method, params: map[string]string{}}
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return req, refusal("InvalidAction.NotFound")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		return req, refusal("InvalidParameter")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err := r.ParseForm(); err != nil {
		return req, refusal("InvalidParameter")
	}
	for name, values := range r.Form {
		req.params[name] = values[0]
	}
	if !openapi.IsACS3(r) {
		return req, nil
	}
	maps.Copy(req.params, openapi.HeaderParams(r.Header))
	p, err := openapi.ReadACS3(r, body)
	if err != nil {
		return req, &apiError{http.StatusBadRequest, "IncompleteSignature",
			"The request signature does not conform to Aliyun standards: " + err.Error() + "."}
	}
	req.acs3 = &p
	req.params["AccessKeyId"] = p.AccessKeyID
	return req, nil
}

// needed are the common parameters that the request's kind of signature needs.
func (req *request) needed() []string {
	if req.acs3 != nil {
		return []string{"Action", "Version", "SignatureNonce", "Timestamp"}
	}
	return []string{"Action", "Version", "AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce"}
}

// authenticate checks who signed the call, in the order of the real service: the
// parameters' form, the key, the time, the signature, the nonce.
func (s *Server) authenticate(req *request) *apiError {
	p := req.params
	for _, name := range req.needed() {
		if p[name] == "" {
			return missing(name)
		}
	}
	switch {
	case p["Version"] != "2017-03-21":
		return refusal("InvalidVersion")
	case req.acs3 == nil && (p["SignatureMethod"] != openapi.HMACSHA1 || p["SignatureVersion"] != "1.0"):
		return refusal("InvalidSignatureMethod")
	}
	key, ok := s.opts.LookupKey(p["AccessKeyId"], p["SecurityToken"])
	switch {
	case !ok:
		return refusal("InvalidAccessKeyId.NotFound")
	case !key.Expires.IsZero() && !s.opts.Now().Before(key.Expires):
		return refusal("InvalidSecurityToken.Expired")
	}
	if refused := s.checkTime(p["Timestamp"]); refused != nil {
		return refused
	}
	if refused := req.checkSignature(key.AccessKeySecret); refused != nil {
		return refused
	}
	if !s.useNonce(key.AccessKeyID + " " + p["SignatureNonce"]) {
		return refusal("SignatureNonceUsed")
	}
	return nil
}

func (req *request) checkSignature(secret string) *apiError {
	toSign := ""
	if req.acs3 != nil {
		if req.acs3.Check(secret) {
			return nil
		}
		toSign = req.acs3.Request.StringToSign() + ", server CanonicalRequest is:" + req.acs3.Request.Canonical()
	} else {
		if hmac.Equal([]byte(openapi.Sign(req.method, req.params, secret)), []byte(req.params["Signature"])) {
			return nil
		}
		toSign = openapi.StringToSign(req.method, req.params)
	}
	return &apiError{http.StatusBadRequest, "SignatureDoesNotMatch",
		"Specified signature is not matched with our calculation. server string to sign is:" + toSign}
}

// maxSkew is how far a time stamp may be off (error center, InvalidTimeStamp.Expired).
const maxSkew = 15 * time.Minute

func (s *Server) checkTime(stamp string) *apiError {
	if stamp == "" {
		return nil // the clients for mobile send none
	}
	t, err := time.Parse("2006-01-02T15:04:05Z", stamp)
	if err != nil {
		return refusal("InvalidTimeStamp.Format")
	}
	if s.opts.Now().Sub(t).Abs() > maxSkew {
		return refusal("InvalidTimeStamp.Expired")
	}
	return nil
}

func (s *Server) useNonce(nonce string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nonces[nonce] {
		return false
	}
	s.nonces[nonce] = true
	return true
}
