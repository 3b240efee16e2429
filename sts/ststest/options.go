package ststest

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/vodupload/vodupload/sts/internal/role"
)

// The defaults of a server that was given no users and no roles.
const (
	DefaultUserID = "LTAIststestdefault"                      // access key ID of the user
	DefaultRole   = "acs:ram::1000000000000001:role/uploader" // ARN of the role

	// DefaultOIDCProvider is the ARN of the identity provider, see [Server.OIDCToken].
	DefaultOIDCProvider = "acs:ram::1000000000000001:oidc-provider/ack-rrsa"

	defaultSecret = "ststest-default-user-secret-30"
)

// A User is a RAM user, or a root account, with one access key.
//
// Its text in every form leaves out the secret.
type User struct {
	AccessKeyID     string
	AccessKeySecret string

	// Inactive keys are refused.
	Inactive bool

	// Root makes it the key of an account, which may not assume roles.
	Root bool

	// Unauthorized makes it a user that lacks AliyunSTSAssumeRoleAccess.
	Unauthorized bool
}

// String returns the user without the secret.
func (u User) String() string { return "ststest.User(" + u.AccessKeyID + ")" }

// Format writes the user without the secret, whatever the verb.
func (u User) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, u.String()) }

// LogValue returns the user without the secret.
func (u User) LogValue() slog.Value { return slog.StringValue(u.String()) }

// MarshalJSON encodes the user without the secret.
func (u User) MarshalJSON() ([]byte, error) { return json.Marshal(u.String()) }

// MarshalText encodes the user without the secret, for XML and the like.
func (u User) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// GobEncode encodes the user without the secret. There is no way back.
func (u User) GobEncode() ([]byte, error) { return []byte(u.String()), nil }

// A Role can be assumed.
type Role struct {
	ARN string // acs:ram::ACCOUNT:role/NAME

	// MaxSession is the longest life of a token. The default is one hour, as of a
	// new role on the real service.
	MaxSession time.Duration

	// Trusted are the access key IDs of the users that may assume the role. The
	// default is all.
	Trusted []string

	// TrustedOIDC are the ARNs of the OIDC identity providers whose tokens may assume
	// the role. The default is all.
	TrustedOIDC []string

	// ExternalID has to be given by callers, unless it is empty.
	ExternalID string

	// Policy is what tokens may do at most, whatever policy they were issued with: a
	// RAM policy in JSON. The default, an empty string, allows everything.
	Policy string
}

// Options say what a [Server] is like. Each field may be left out.
type Options struct {
	// Users may call. The default is one user, [Server.DefaultUser].
	Users []User

	// Roles exist. The default is [DefaultRole] alone, which all users may assume.
	Roles []Role

	// OIDCProviders are the ARNs of the OIDC identity providers that exist. The default
	// is [DefaultOIDCProvider] alone.
	OIDCProviders []string

	// PerMinute is how many calls are served in a minute before Throttling.User is
	// the answer. The default is 6000, as of an account (STS documentation).
	PerMinute int

	// TokenLife is the life of all tokens, whatever the caller asks for: renewal
	// can be tested without waiting for 15 minutes. The default, 0, is what the
	// caller asks for.
	TokenLife time.Duration

	// Now is the server's clock. It must be safe for concurrent use. The default
	// is [time.Now].
	Now func() time.Time
}

// Format writes the fields without their secrets, whatever the verb: for one that does
// not fit, package fmt would print them itself.
func (o Options) Format(f fmt.State, _ rune) {
	type fields Options
	fmt.Fprintf(f, "%+v", fields(o))
}

func (o *Options) resolved() (Options, error) {
	var r Options
	if o != nil {
		r = *o
	}
	if len(r.Users) == 0 {
		r.Users = []User{{AccessKeyID: DefaultUserID, AccessKeySecret: defaultSecret}}
	}
	if len(r.Roles) == 0 {
		r.Roles = []Role{{ARN: DefaultRole}}
	}
	if len(r.OIDCProviders) == 0 {
		r.OIDCProviders = []string{DefaultOIDCProvider}
	}
	if r.PerMinute == 0 {
		r.PerMinute = 6000
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	return r, r.validate()
}

func (o *Options) validate() error {
	if o.PerMinute < 0 || o.TokenLife < 0 {
		return fmt.Errorf("ststest: PerMinute %d and TokenLife %v must not be negative", o.PerMinute, o.TokenLife)
	}
	for _, u := range o.Users {
		if u.AccessKeyID == "" || u.AccessKeySecret == "" {
			return fmt.Errorf("ststest: user %q lacks its access key ID or its secret", u.AccessKeyID)
		}
	}
	for i, r := range o.Roles {
		if err := role.ValidateARN(r.ARN); err != nil {
			return fmt.Errorf("ststest: %w", err)
		}
		if r.MaxSession == 0 {
			r.MaxSession = time.Hour
		}
		if r.MaxSession < time.Hour || r.MaxSession > role.MaxDuration {
			return fmt.Errorf("ststest: MaxSession of %s is %v; want 1h to %v", r.ARN, r.MaxSession, role.MaxDuration)
		}
		if err := checkPolicy(r.Policy); err != nil {
			return fmt.Errorf("ststest: policy of %s: %w", r.ARN, err)
		}
		o.Roles[i] = r
	}
	return nil
}
