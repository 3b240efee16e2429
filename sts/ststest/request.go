package ststest

import (
	"crypto/hmac"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/vodupload/vodupload/sts/internal/role"
	"github.com/vodupload/vodupload/sts/openapi"
)

// A request is one call, as far as it has been understood.
type request struct {
	method string
	params map[string]string // of query and form
	caller principal
}

// A principal is whoever signed a request.
type principal struct {
	id, secret string
	user       *User // nil: a role's token
}

// maxForm bounds the body of a request, in bytes.
const maxForm = 64 << 10

// readParams collects the parameters of query and form: clients differ in where
// they put which.
func readParams(w http.ResponseWriter, r *http.Request) (map[string]string, *apiError) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return nil, errNoSuchAction
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, &apiError{http.StatusBadRequest, "InvalidParameter", "The request's parameters are wrongly formed."}
	}
	params := make(map[string]string, len(r.Form))
	for name, values := range r.Form {
		params[name] = values[0]
	}
	return params, nil
}

// authenticate checks who signed the request, in the order of the real service:
// the parameters' form, the key, the time, the signature, the nonce.
func (s *Server) authenticate(req *request) *apiError {
	p := req.params
	for _, name := range []string{"Action", "Version", "AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp"} {
		if p[name] == "" {
			return errMissing(name)
		}
	}
	switch {
	case p["Version"] != "2015-04-01":
		return errVersion
	case p["Action"] != "AssumeRole":
		return errNoSuchAction
	case p["SignatureMethod"] != "HMAC-SHA1" || p["SignatureVersion"] != "1.0":
		return errSignatureMethod
	}
	caller, refusal := s.principal(p["AccessKeyId"], p["SecurityToken"])
	if refusal != nil {
		return refusal
	}
	if refusal := s.checkTime(p["Timestamp"]); refusal != nil {
		return refusal
	}
	want := openapi.Sign(req.method, p, caller.secret)
	if !hmac.Equal([]byte(want), []byte(p["Signature"])) {
		return errSignature(openapi.StringToSign(req.method, p))
	}
	if !s.useNonce(caller.id + " " + p["SignatureNonce"]) {
		return errNonceUsed
	}
	req.caller = caller
	return nil
}

// maxSkew is how far a time stamp may be off (error center,
// InvalidTimeStamp.Expired).
const maxSkew = 15 * time.Minute

func (s *Server) checkTime(stamp string) *apiError {
	// ali-oss sends milliseconds; parsing takes them without the layout's help.
	t, err := time.Parse("2006-01-02T15:04:05Z", stamp)
	if err != nil {
		return errTimestampFormat
	}
	if s.opts.Now().Sub(t).Abs() > maxSkew {
		return errTimestampExpired
	}
	return nil
}

// A grant is what a good request asks for.
type grant struct {
	role     Role
	session  string
	duration time.Duration
	policy   string
}

// authorize checks what the request asks for.
func (s *Server) authorize(req *request) (grant, *apiError) {
	p := req.params
	for _, name := range []string{"RoleArn", "RoleSessionName"} {
		if p[name] == "" {
			return grant{}, errMissing(name)
		}
	}
	if role.ValidateARN(p["RoleArn"]) != nil {
		return grant{}, errRoleArn
	}
	if role.ValidateSessionName(p["RoleSessionName"]) != nil {
		return grant{}, errSessionName
	}
	if refusal := policyRules(p["Policy"]); refusal != nil {
		return grant{}, refusal
	}
	if u := req.caller.user; u != nil && u.Root {
		return grant{}, errRootAccount
	} else if u != nil && u.Unauthorized {
		return grant{}, errNotAuthorized
	}
	i := slices.IndexFunc(s.opts.Roles, func(r Role) bool { return r.ARN == p["RoleArn"] })
	if i < 0 {
		return grant{}, errNoSuchRole
	}
	role := s.opts.Roles[i]
	if len(role.Trusted) > 0 && !slices.Contains(role.Trusted, req.caller.id) ||
		role.ExternalID != "" && role.ExternalID != p["ExternalId"] {
		return grant{}, errNotAuthorized
	}
	duration, refusal := durationOf(p["DurationSeconds"], role.MaxSession)
	if refusal != nil {
		return grant{}, refusal
	}
	return grant{role: role, session: p["RoleSessionName"], duration: duration, policy: p["Policy"]}, nil
}

func policyRules(policy string) *apiError {
	if len([]rune(policy)) > role.MaxPolicy {
		return errPolicySize
	}
	if checkPolicy(policy) != nil {
		return errPolicyGrammar
	}
	return nil
}

func durationOf(text string, longest time.Duration) (time.Duration, *apiError) {
	if text == "" {
		return time.Hour, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, errDuration
	}
	d := time.Duration(seconds) * time.Second
	if d < role.MinDuration || d > longest {
		return 0, errMaxDuration(longest)
	}
	return d, nil
}
