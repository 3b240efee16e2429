package sts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/sts/openapi"
)

// An Identity is who STS says that a key or token belongs to (STS documentation,
// GetCallerIdentity).
type Identity struct {
	Type        string // Account, RAMUser or AssumedRoleUser
	AccountID   string
	UserID      string // of an account or a RAM user; empty for a role
	RoleID      string // of a role; else empty
	ARN         string // like acs:ram::ACCOUNT:user/NAME
	PrincipalID string
	RequestID   string // names the request to the service's support
}

// IdentityOptions are the optional settings of [GetCallerIdentity].
type IdentityOptions struct {
	// Endpoint is a host or URL, for a region's own STS or a test server. The
	// default is https://sts.aliyuncs.com.
	Endpoint string

	// HTTPClient sends the request. The default is a client with
	// [http.DefaultTransport].
	HTTPClient *http.Client

	// Timeout ends a call that has no complete answer by then. The default is 30
	// seconds.
	Timeout time.Duration
}

// GetCallerIdentity asks STS who the provider's credentials belong to. The documentation
// names no right that is needed for it. A refusal is an [*openapi.Error] with code and
// request ID; where the cause is known, the text ends with what to do about it. An answer
// that names nobody wraps [ErrAnswer].
func GetCallerIdentity(ctx context.Context, p Provider, opts *IdentityOptions) (Identity, error) {
	if p == nil {
		return Identity{}, errors.New("sts: get caller identity: the provider of the credentials is nil")
	}
	var o IdentityOptions
	if opts != nil {
		o = *opts
	}
	setDefault(&o.Endpoint, defaultSTSAddress)
	client, err := openapi.New(o.Endpoint, stsVersion, signingKey(p), &openapi.Options{
		HTTPClient: o.HTTPClient, Timeout: o.Timeout, MaxAnswer: 64 << 10,
	})
	if err != nil {
		return Identity{}, fmt.Errorf("sts: get caller identity: %w", err)
	}
	var out struct {
		IdentityType, AccountID, UserID, RoleID, Arn, PrincipalID, RequestID string
	}
	if err := client.Do(ctx, "GetCallerIdentity", nil, &out); err != nil {
		return Identity{}, fmt.Errorf("sts: get caller identity: %w%s", err, identityHint(err))
	}
	if out.AccountID == "" || out.Arn == "" {
		return Identity{}, fmt.Errorf("sts: get caller identity: %w: AccountId or Arn is missing (request ID %s)", ErrAnswer, scrub(out.RequestID))
	}
	return Identity{
		Type: out.IdentityType, AccountID: out.AccountID, UserID: out.UserID, RoleID: out.RoleID,
		ARN: out.Arn, PrincipalID: out.PrincipalID, RequestID: out.RequestID,
	}, nil
}

// identityHint is hint, but for what means something else where no role is assumed.
func identityHint(err error) string {
	var e *openapi.Error
	if errors.As(err, &e) && e.Code == "NoPermission" {
		return ": a policy of the user, the role or the token denies sts:GetCallerIdentity"
	}
	return hint(err)
}
