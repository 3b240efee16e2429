package sts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/vodupload/vodupload/sts/internal/keytext"
	"github.com/vodupload/vodupload/sts/openapi"
)

// OIDCOptions are the settings of [NewOIDC]. Those that stay empty are taken from the
// environment, which ACK sets for the pods of a service account with RRSA (ACK
// documentation, Use RRSA to authorize pods).
type OIDCOptions struct {
	// RoleARN is the role to assume. The default is ALIBABA_CLOUD_ROLE_ARN.
	RoleARN string

	// ProviderARN is the identity provider that issues the tokens, of the form
	// acs:ram::ACCOUNT:oidc-provider/NAME. The default is
	// ALIBABA_CLOUD_OIDC_PROVIDER_ARN.
	ProviderARN string

	// TokenFile has the token. It is read by each call, since whatever writes it
	// renews it. The default is ALIBABA_CLOUD_OIDC_TOKEN_FILE.
	TokenFile string

	// SessionName is as in [AssumeRoleOptions]. The default is
	// ALIBABA_CLOUD_ROLE_SESSION_NAME, and without that "vodupload".
	SessionName string

	// Duration and Policy are as in [AssumeRoleOptions].
	Duration time.Duration
	Policy   string

	// Endpoint is the host or https URL of STS; plain HTTP goes to loopback addresses
	// only. The default is ALIBABA_CLOUD_STS_ENDPOINT, without that STS in the region
	// ALIBABA_CLOUD_STS_REGION (by way of the VPC if ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED
	// is true), and without that https://sts.aliyuncs.com.
	Endpoint string

	// HTTPClient and Timeout are as in [AssumeRoleOptions].
	HTTPClient *http.Client
	Timeout    time.Duration
}

// An OIDC gets credentials from STS for a token of an OpenID Connect identity provider,
// as pods in ACK have it (RRSA). No access key is involved. Each call of Credentials is
// one call of AssumeRoleWithOIDC; put a [Cache] around it.
type OIDC struct {
	opts OIDCOptions
	call roleCall
}

// NewOIDC returns a provider of tokens for a role. A setting that is neither given nor
// in the environment is an [ErrInvalidCredentials] that names it.
func NewOIDC(opts *OIDCOptions) (*OIDC, error) {
	o, err := opts.resolved()
	if err != nil {
		return nil, fmt.Errorf("sts: OIDC: %w", err)
	}
	client, err := openapi.New(o.Endpoint, stsVersion, openapi.Unsigned, &openapi.Options{
		HTTPClient: o.HTTPClient, Timeout: o.Timeout, MaxAnswer: maxFetched, SecretParams: []string{"OIDCToken"},
	})
	if err != nil {
		return nil, fmt.Errorf("sts: OIDC: %w", err)
	}
	return &OIDC{opts: o, call: roleCall{client: client, action: "AssumeRoleWithOIDC", duration: o.Duration}}, nil
}

func (o *OIDCOptions) resolved() (OIDCOptions, error) {
	var r OIDCOptions
	if o != nil {
		r = *o
	}
	r.RoleARN = given(r.RoleARN, envRoleARN)
	r.ProviderARN = given(r.ProviderARN, envOIDCProvider)
	r.TokenFile = given(r.TokenFile, envOIDCTokenFile)
	r.SessionName = firstOf(given(r.SessionName, envSessionName), "vodupload")
	r.Endpoint = firstOf(r.Endpoint, stsAddress("", false))
	setDefault(&r.Duration, time.Hour)
	if err := r.complete(); err != nil {
		return r, err
	}
	role := AssumeRoleOptions{SessionName: r.SessionName, Duration: r.Duration, Policy: r.Policy}
	if err := role.validate(r.RoleARN); err != nil {
		return r, err
	}
	r.Policy = role.Policy
	if !strings.HasPrefix(r.ProviderARN, "acs:ram::") || !strings.Contains(r.ProviderARN, ":oidc-provider/") {
		return r, errors.New("ProviderARN does not have the form acs:ram::ACCOUNT:oidc-provider/NAME")
	}
	if u, err := url.Parse(r.Endpoint); err == nil && u.Scheme == "http" && !private(u.Hostname()) {
		return r, errPlain(u.Hostname())
	}
	return r, nil
}

// complete returns an error that names the settings that are missing, by the variables
// that have them.
func (o *OIDCOptions) complete() error {
	var missing, present []string
	for _, s := range []struct{ value, name string }{
		{o.ProviderARN, envOIDCProvider}, {o.TokenFile, envOIDCTokenFile}, {o.RoleARN, envRoleARN},
	} {
		if s.value == "" {
			missing = append(missing, s.name)
		} else {
			present = append(present, s.name)
		}
	}
	switch {
	case len(missing) == 0:
		return nil
	case len(present) == 0:
		return kindf(ErrInvalidCredentials, "%s are not set", strings.Join(missing, ", "))
	}
	return halfSet(present[0], missing)
}

// Credentials reads the token file and asks STS. A refusal is an [*openapi.Error], whose
// text ends with what to do about it where the cause is known.
func (o *OIDC) Credentials(ctx context.Context) (Credentials, error) {
	token, err := readToken(o.opts.TokenFile)
	if err != nil {
		return Credentials{}, fmt.Errorf("sts: OIDC: token file: %w", err)
	}
	params := (&AssumeRoleOptions{SessionName: o.opts.SessionName, Duration: o.opts.Duration, Policy: o.opts.Policy}).params(o.opts.RoleARN)
	params["OIDCProviderArn"] = o.opts.ProviderARN
	params["OIDCToken"] = token
	creds, err := o.call.issue(ctx, params)
	if err != nil {
		return Credentials{}, fmt.Errorf("sts: OIDC: assume role %s as %s: %w", o.opts.RoleARN, o.opts.SessionName, err)
	}
	return creds, nil
}

// The length of a token, in characters (STS documentation, AssumeRoleWithOIDC).
const (
	minOIDCToken = 4
	maxOIDCToken = 20_000
)

func readToken(file string) (string, error) {
	content, err := readSmall(file, 2*maxOIDCToken)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(strings.TrimPrefix(string(content), "\ufeff"))
	if n := len(token); n < minOIDCToken || n > maxOIDCToken {
		return "", fmt.Errorf("%s has %d characters; a token has %d to %d", file, n, minOIDCToken, maxOIDCToken)
	}
	if err := keytext.Check(token); err != nil {
		return "", fmt.Errorf("%s %w, which no token has in it", file, err)
	}
	return token, nil
}

// readSmall reads a whole file of at most limit bytes. What is no regular file, such as
// a pipe that nobody writes to, could keep the caller waiting for ever.
func readSmall(file string, limit int64) ([]byte, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", file)
	case info.Size() > limit:
		return nil, fmt.Errorf("%s has %d bytes; want at most %d", file, info.Size(), limit)
	}
	return os.ReadFile(file)
}

// Format writes the role and the token file, whatever the verb.
func (o *OIDC) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "sts.OIDC(%s as %s, token in %s)", o.opts.RoleARN, o.opts.SessionName, o.opts.TokenFile)
}
