package sts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/vodupload/vodupload/sts/openapi"
)

// The limits of AssumeRole (STS documentation, AssumeRole). A role may allow less
// than MaxDuration; its own MaxSessionDuration is 1 to 12 hours.
const (
	MinDuration       = 15 * time.Minute
	MaxDuration       = 12 * time.Hour
	MaxPolicy         = 2048 // characters
	MinSessionName    = 2    // characters
	MaxSessionName    = 64   // characters
	minExternalID     = 2    // characters
	maxExternalID     = 1224 // characters
	stsVersion        = "2015-04-01"
	defaultSTSAddress = "https://sts.aliyuncs.com"
)

// AssumeRoleOptions are the optional settings of [NewAssumeRole].
type AssumeRoleOptions struct {
	// SessionName tells in the cloud's audit log who used the token: 2 to 64
	// letters, digits and ".@-_". The default is "vodupload".
	SessionName string

	// Duration is the life of a token, in whole seconds: from 15 minutes to the
	// MaxSessionDuration of the role, which is 1 to 12 hours. The default is one
	// hour.
	Duration time.Duration

	// Policy is a RAM policy, JSON of up to 2,048 characters after white space is
	// taken out, which is done here. The token may do what both the policy and
	// the role allow. The default is all that the role allows.
	Policy string

	// ExternalID is for roles whose trust policy asks for one: 2 to 1,224 letters,
	// digits and "=,.@:/-_+". The default is none.
	ExternalID string

	// Endpoint is a host or URL, for a region's own STS or a test server. The
	// default is https://sts.aliyuncs.com.
	Endpoint string

	// HTTPClient sends the requests. The default is a client with
	// [http.DefaultTransport].
	HTTPClient *http.Client

	// Timeout ends a call that has no complete answer by then. The default is 30
	// seconds.
	Timeout time.Duration
}

// An AssumeRole gets credentials from STS itself. Each call of Credentials is one
// call of AssumeRole, which STS limits to 6,000 a minute for an account (STS
// documentation): put a [Cache] around it.
type AssumeRole struct {
	roleArn string
	opts    AssumeRoleOptions
	client  *openapi.Client
	params  map[string]string
}

// NewAssumeRole returns a provider of tokens for the role with the given ARN, of
// the form acs:ram::ACCOUNT:role/NAME. Base is the key of a RAM user, or the
// token of another role, that may assume it; root accounts may not. All options
// are checked here, and the error names the one that is wrong.
func NewAssumeRole(base Provider, roleArn string, opts *AssumeRoleOptions) (*AssumeRole, error) {
	if base == nil {
		return nil, errors.New("sts: assume role: the provider of the base credentials is nil")
	}
	var o AssumeRoleOptions
	if opts != nil {
		o = *opts
	}
	setDefault(&o.SessionName, "vodupload")
	setDefault(&o.Duration, time.Hour)
	setDefault(&o.Endpoint, defaultSTSAddress)
	if err := o.validate(roleArn); err != nil {
		return nil, fmt.Errorf("sts: assume role: %w", err)
	}
	client, err := openapi.New(o.Endpoint, stsVersion, Key(base), &openapi.Options{
		HTTPClient: o.HTTPClient, Timeout: o.Timeout, MaxAnswer: 64 << 10,
	})
	if err != nil {
		return nil, fmt.Errorf("sts: assume role: %w", err)
	}
	return &AssumeRole{roleArn: roleArn, opts: o, client: client, params: o.params(roleArn)}, nil
}

var (
	roleArnForm     = regexp.MustCompile(`^acs:ram::[0-9]+:role/[A-Za-z0-9.@_-]+$`)
	sessionNameForm = regexp.MustCompile(`^[A-Za-z0-9.@_-]+$`)
	externalIDForm  = regexp.MustCompile(`^[A-Za-z0-9_+=,.@:/-]+$`)
)

// validate checks all settings, and takes white space out of the policy.
func (o *AssumeRoleOptions) validate(roleArn string) error {
	if err := ValidateRoleArn(roleArn); err != nil {
		return err
	}
	if err := ValidateSessionName(o.SessionName); err != nil {
		return err
	}
	if err := ValidateDuration(o.Duration); err != nil {
		return err
	}
	policy, err := CompactPolicy(o.Policy)
	if err != nil {
		return err
	}
	o.Policy = policy
	if n := len(o.ExternalID); n > 0 && (n < minExternalID || n > maxExternalID || !externalIDForm.MatchString(o.ExternalID)) {
		return fmt.Errorf("ExternalID has %d characters; want %d to %d of letters, digits and =,.@:/-_+",
			n, minExternalID, maxExternalID)
	}
	return nil
}

// ValidateRoleArn returns an error that says what a role's ARN has to look like.
func ValidateRoleArn(arn string) error {
	if !roleArnForm.MatchString(arn) {
		return fmt.Errorf("RoleArn is %q; want the form acs:ram::ACCOUNT:role/NAME", arn)
	}
	return nil
}

// ValidateSessionName returns an error that says what a session's name has to
// look like.
func ValidateSessionName(name string) error {
	if n := len(name); n < MinSessionName || n > MaxSessionName || !sessionNameForm.MatchString(name) {
		return fmt.Errorf("SessionName is %q; want %d to %d letters, digits and .@-_", name, MinSessionName, MaxSessionName)
	}
	return nil
}

// ValidateDuration returns an error that says how long a token may live.
func ValidateDuration(d time.Duration) error {
	if d < MinDuration || d > MaxDuration || d%time.Second != 0 {
		return fmt.Errorf("the Duration is %v; want whole seconds from %v to %v", d, MinDuration, MaxDuration)
	}
	return nil
}

// CompactPolicy returns a RAM policy without white space. The error says if it is
// not a JSON object, or has more than 2,048 characters then. An empty policy
// stays empty.
func CompactPolicy(policy string) (string, error) {
	if policy == "" {
		return "", nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(policy)); err != nil {
		return "", fmt.Errorf("the Policy is not JSON: %w", err)
	}
	if b.Bytes()[0] != '{' {
		return "", errors.New("the Policy is JSON, but not an object")
	}
	if n := utf8.RuneCount(b.Bytes()); n > MaxPolicy {
		return "", fmt.Errorf("the Policy has %d characters without white space; STS takes at most %d", n, MaxPolicy)
	}
	return b.String(), nil
}

func (o *AssumeRoleOptions) params(roleArn string) map[string]string {
	params := map[string]string{
		"RoleArn":         roleArn,
		"RoleSessionName": o.SessionName,
		"DurationSeconds": strconv.FormatInt(int64(o.Duration/time.Second), 10),
	}
	if o.Policy != "" {
		params["Policy"] = o.Policy
	}
	if o.ExternalID != "" {
		params["ExternalId"] = o.ExternalID
	}
	return params
}

// Credentials calls AssumeRole. A refusal by STS is an [*openapi.Error] with code
// and request ID; what the caller has to do about it is in [ErrorHint].
func (a *AssumeRole) Credentials(ctx context.Context) (Credentials, error) {
	var out struct {
		RequestID   string `json:"RequestId"`
		Credentials appToken
	}
	begin := now()
	date, err := a.client.DoDated(ctx, "AssumeRole", a.params, &out)
	if err != nil {
		return Credentials{}, fmt.Errorf("sts: assume role %s as %s: %w", a.roleArn, a.opts.SessionName, err)
	}
	creds, err := out.Credentials.credentials()
	if err == nil && creds.Expiration.IsZero() {
		err = errors.New("the Expiration is missing")
	}
	if err != nil {
		return Credentials{}, fmt.Errorf("sts: assume role %s as %s: %w: %w (request ID %s)",
			a.roleArn, a.opts.SessionName, ErrAnswer, err, scrub(out.RequestID))
	}
	// The token was made after the call began, and lives for no longer than was asked
	// for: whatever the clocks say, it is over by then.
	ahead := clockAhead(date, begin, now())
	return creds.endingAt(earlier(creds.Expiration.Add(-ahead), begin.Add(a.opts.Duration))), nil
}

// Format writes the role and the session's name, whatever the verb.
func (a *AssumeRole) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "sts.AssumeRole(%s as %s)", a.roleArn, a.opts.SessionName)
}

// ErrorHint returns what to do about an error of STS, in a sentence for the
// people who run the server; "" if there is nothing to say beyond the error.
func ErrorHint(err error) string {
	var e *openapi.Error
	if !errors.As(err, &e) {
		return ""
	}
	if e.ClockOff() {
		return "Set this machine's clock: STS accepts 15 minutes of difference."
	}
	return hints[e.Code]
}

// hints follow the causes in the STS documentation, AssumeRole and its errors.
var hints = map[string]string{
	"NoPermission": "Attach AliyunSTSAssumeRoleAccess to the RAM user, and let the role's trust policy name the user or its account. " +
		"A key of the account itself cannot assume roles.",
	"EntityNotExist.Role":              "Check RoleArn: there is no such role in that account.",
	"InvalidAccessKeyId.NotFound":      "Check AccessKeyID: there is no such key.",
	"InvalidAccessKeyId.Inactive":      "Enable the key of the RAM user, or use another.",
	"SignatureDoesNotMatch":            "Check AccessKeySecret: it does not belong to AccessKeyID.",
	"MissingSecurityToken":             "The key is a temporary one; its SecurityToken is missing.",
	"InvalidParameter.PolicyGrammar":   "Check the policy: STS cannot read it.",
	"InvalidParameter.PolicySize":      "Shorten the policy.",
	"InvalidParameter.DurationSeconds": "Ask for a shorter life of the token, or raise the role's MaxSessionDuration.",
	"Throttling.User":                  "Ask less often: a token can be used until it expires.",
}
