package vodtest

import (
	"crypto/hmac"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/sts/openapi"
)

// maxForm bounds the body of a request, in bytes.
const maxForm = 64 << 10

// readParams collects the parameters of query and form: clients differ in where they
// put which.
func readParams(w http.ResponseWriter, r *http.Request) (map[string]string, *apiError) {
	params := make(map[string]string)
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return params, refusal("InvalidAction.NotFound")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return params, refusal("InvalidParameter")
	}
	for name, values := range r.Form {
		params[name] = values[0]
	}
	return params, nil
}

// authenticate checks who signed the call, in the order of the real service: the
// parameters' form, the key, the time, the signature, the nonce.
func (s *Server) authenticate(method string, p map[string]string) *apiError {
	for _, name := range []string{"Action", "Version", "AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce"} {
		if p[name] == "" {
			return missing(name)
		}
	}
	switch {
	case p["Version"] != "2017-03-21":
		return refusal("InvalidVersion")
	case p["SignatureMethod"] != "HMAC-SHA1" || p["SignatureVersion"] != "1.0":
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
	want := openapi.Sign(method, p, key.AccessKeySecret)
	if !hmac.Equal([]byte(want), []byte(p["Signature"])) {
		return &apiError{http.StatusBadRequest, "SignatureDoesNotMatch",
			"Specified signature is not matched with our calculation. server string to sign is:" + openapi.StringToSign(method, p)}
	}
	if !s.useNonce(key.AccessKeyID + " " + p["SignatureNonce"]) {
		return refusal("SignatureNonceUsed")
	}
	return nil
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
