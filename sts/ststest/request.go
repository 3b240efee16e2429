package ststest

import (
	"bytes"
	"crypto/hmac"
	"io"
	"maps"
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
	params map[string]string  // of query and form, and the common ones in headers
	acs3   *openapi.Presented // nil: signed by a parameter, or not at all
	caller principal
}

// A principal is whoever signed a request.
type principal struct {
	id, secret     string
	sourceIdentity string
	user           *User // nil: a role's token

	roleARN, session string // of a role's token
}

// maxForm bounds the body of a request, in bytes.
const maxForm = 64 << 10

// readRequest collects the parameters of query, form and headers: clients differ in
// where they put which. The request is never nil.
func readRequest(w http.ResponseWriter, r *http.Request) (*request, *apiError) {
	req := &request{method: r.Method, params: map[string]string{}}
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return req, errNoSuchAction
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		return req, errMalformed
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err := r.ParseForm(); err != nil {
		return req, errMalformed
	}
	for name, values := range r.Form {
		req.params[name] = values[0]
	}
	if req.params["Signature"] == "" { // else these are signed as they are
		maps.Copy(req.params, openapi.HeaderParams(r.Header))
	}
	if openapi.IsACS3(r) {
		return req, req.readACS3(r, body)
	}
	return req, nil
}

func (req *request) readACS3(r *http.Request, body []byte) *apiError {
	p, err := openapi.ReadACS3(r, body)
	if err != nil {
		return &apiError{http.StatusBadRequest, "IncompleteSignature",
			"The request signature does not conform to Aliyun standards: " + err.Error() + "."}
	}
	req.acs3 = &p
	req.params["AccessKeyId"] = p.AccessKeyID
	return nil
}

// authenticate checks who signed the request, in the order of the real service:
// the parameters' form, the key, the time, the signature, the nonce.
func (s *Server) authenticate(req *request) *apiError {
	p := req.params
	for _, name := range req.signatureParams() {
		if p[name] == "" {
			return errMissing(name)
		}
	}
	if req.acs3 == nil && (p["SignatureMethod"] != openapi.HMACSHA1 || p["SignatureVersion"] != "1.0") {
		return errSignatureMethod
	}
	caller, refusal := s.principal(p["AccessKeyId"], p["SecurityToken"])
	if refusal != nil {
		return refusal
	}
	if refusal := s.checkTime(p["Timestamp"]); refusal != nil {
		return refusal
	}
	if refusal := req.checkSignature(caller.secret); refusal != nil {
		return refusal
	}
	if !s.useNonce(caller.id + " " + p["SignatureNonce"]) {
		return errNonceUsed
	}
	req.caller = caller
	return nil
}

// checkAction checks what all calls have, signed or not.
func checkAction(p map[string]string) *apiError {
	for _, name := range []string{"Action", "Version"} {
		if p[name] == "" {
			return errMissing(name)
		}
	}
	switch {
	case p["Version"] != "2015-04-01":
		return errVersion
	case p["Action"] != assumeRole && p["Action"] != assumeRoleWithOIDC && p["Action"] != getCallerIdentity:
		return errNoSuchAction
	}
	return nil
}

// signatureParams are the parameters that the request's kind of signature needs.
func (req *request) signatureParams() []string {
	if req.acs3 != nil {
		return []string{"SignatureNonce", "Timestamp"}
	}
	return []string{"AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp"}
}

func (req *request) checkSignature(secret string) *apiError {
	if req.acs3 != nil {
		if !req.acs3.Check(secret) {
			what := req.acs3.Request
			return errSignature(what.StringToSign() + ", server CanonicalRequest is:" + what.Canonical())
		}
		return nil
	}
	want := openapi.Sign(req.method, req.params, secret)
	if !hmac.Equal([]byte(want), []byte(req.params["Signature"])) {
		return errSignature(openapi.StringToSign(req.method, req.params))
	}
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
	role           Role
	session        string
	duration       time.Duration
	policy         string
	sourceIdentity string
}

// authorize checks what a call of AssumeRole asks for.
func (s *Server) authorize(req *request) (grant, *apiError) {
	g, refusal := readGrant(req.params)
	if refusal != nil {
		return grant{}, refusal
	}
	if u := req.caller.user; u != nil && u.Root {
		return grant{}, errRootAccount
	} else if u != nil && u.Unauthorized {
		return grant{}, errNotAuthorized
	}
	if g.role, refusal = s.role(req.params["RoleArn"]); refusal != nil {
		return grant{}, refusal
	}
	if len(g.role.Trusted) > 0 && !slices.Contains(g.role.Trusted, req.caller.id) ||
		g.role.ExternalID != "" && g.role.ExternalID != req.params["ExternalId"] {
		return grant{}, errNotAuthorized
	}
	if g.sourceIdentity, refusal = req.sourceIdentity(); refusal != nil {
		return grant{}, refusal
	}
	g.duration, refusal = durationOf(req.params["DurationSeconds"], g.role.MaxSession)
	return g, refusal
}

// readGrant checks the form of what is asked for.
func readGrant(p map[string]string) (grant, *apiError) {
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
	return grant{session: p["RoleSessionName"], policy: p["Policy"]}, nil
}

func (s *Server) role(arn string) (Role, *apiError) {
	i := slices.IndexFunc(s.opts.Roles, func(r Role) bool { return r.ARN == arn })
	if i < 0 {
		return Role{}, errNoSuchRole
	}
	return s.opts.Roles[i], nil
}

// sourceIdentity returns whose session it is. Once it is set, it stays the same for all
// roles that are assumed in turn (RAM documentation, SourceIdentity).
func (req *request) sourceIdentity() (string, *apiError) {
	kept, asked := req.caller.sourceIdentity, req.params["SourceIdentity"]
	switch {
	case kept == "":
		return asked, nil
	case asked != "" && asked != kept:
		return "", errNotAuthorized
	}
	return kept, nil
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
