package sts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/vodupload/vodupload/sts/internal/role"
	"github.com/vodupload/vodupload/sts/openapi"
)

// The life of a token (STS documentation, AssumeRole). A role may allow less than
// MaxDuration; its own MaxSessionDuration is 1 to 12 hours.
const (
	MinDuration = role.MinDuration // 15 minutes
	MaxDuration = role.MaxDuration // 12 hours
)

const (
	stsVersion        = "2015-04-01"
	defaultSTSAddress = "https://sts.aliyuncs.com"
)

// AssumeRoleOptions are the optional settings of [NewAssumeRole].
type AssumeRoleOptions struct {
	// SessionName says in the cloud's audit log who used the token: 2 to 64
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

	// SourceIdentity names whose session it is. STS keeps it along a chain of roles, in
	// which it cannot be changed, and the audit log has it (RAM documentation,
	// SourceIdentity). The role's trust policy has to allow sts:SetSourceIdentity. The
	// default is none.
	SourceIdentity string

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
	roleARN string
	opts    AssumeRoleOptions
	call    roleCall
	params  map[string]string
}

// NewAssumeRole returns a provider of tokens for the role with the given ARN, of
// the form acs:ram::ACCOUNT:role/NAME. Base is the key of a RAM user, or the
// token of another role, that may assume it; root accounts may not. All options
// are checked here, and the error names the one that is wrong.
func NewAssumeRole(base Provider, roleARN string, opts *AssumeRoleOptions) (*AssumeRole, error) {
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
	if err := o.validate(roleARN); err != nil {
		return nil, fmt.Errorf("sts: assume role: %w", err)
	}
	client, err := openapi.New(o.Endpoint, stsVersion, signingKey(base), &openapi.Options{
		HTTPClient: o.HTTPClient, Timeout: o.Timeout, MaxAnswer: 64 << 10,
	})
	if err != nil {
		return nil, fmt.Errorf("sts: assume role: %w", err)
	}
	call := roleCall{client: client, action: "AssumeRole", duration: o.Duration}
	return &AssumeRole{roleARN: roleARN, opts: o, call: call, params: o.params(roleARN)}, nil
}

// validate checks all settings, and takes white space out of the policy.
func (o *AssumeRoleOptions) validate(roleARN string) error {
	if err := role.ValidateARN(roleARN); err != nil {
		return err
	}
	if err := role.ValidateSessionName(o.SessionName); err != nil {
		return err
	}
	if err := role.ValidateDuration(o.Duration); err != nil {
		return err
	}
	if o.ExternalID != "" {
		if err := role.ValidateExternalID(o.ExternalID); err != nil {
			return err
		}
	}
	if strings.ContainsFunc(o.SourceIdentity, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		return errors.New("the SourceIdentity has white space or a control character in it")
	}
	var err error
	o.Policy, err = role.CompactPolicy(o.Policy)
	return err
}

func (o *AssumeRoleOptions) params(roleARN string) map[string]string {
	params := map[string]string{
		"RoleArn":         roleARN,
		"RoleSessionName": o.SessionName,
		"DurationSeconds": strconv.FormatInt(int64(o.Duration/time.Second), 10),
	}
	if o.Policy != "" {
		params["Policy"] = o.Policy
	}
	if o.ExternalID != "" {
		params["ExternalId"] = o.ExternalID
	}
	if o.SourceIdentity != "" {
		params["SourceIdentity"] = o.SourceIdentity
	}
	return params
}

// Credentials calls AssumeRole. A refusal by STS is an [*openapi.Error] with code
// and request ID; where the cause is known, the text ends with what to do about it.
func (a *AssumeRole) Credentials(ctx context.Context) (Credentials, error) {
	creds, err := a.call.issue(ctx, a.params)
	if err != nil {
		return Credentials{}, fmt.Errorf("sts: assume role %s as %s: %w", a.roleARN, a.opts.SessionName, err)
	}
	return creds, nil
}

// Format writes the role and the session's name, whatever the verb.
func (a *AssumeRole) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "sts.AssumeRole(%s as %s)", a.roleARN, a.opts.SessionName)
}
