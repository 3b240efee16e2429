package sts

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

// An EnvProvider gets credentials from environment variables. See [Env].
type EnvProvider struct {
	endpoint string       // of STS; empty: the environment's
	client   *http.Client // nil: the default
	refused  atomic.Pointer[Credentials]
}

// Env returns a provider of the credentials in the process's environment, which is read
// again by each call (Alibaba Cloud SDK documentation, Manage access credentials:
// environment variables; those of the role: aliyun-cli, config/profile.go):
//
//	ALIBABA_CLOUD_ACCESS_KEY_ID
//	ALIBABA_CLOUD_ACCESS_KEY_SECRET
//	ALIBABA_CLOUD_SECURITY_TOKEN      of a temporary key
//	ALIBABA_CLOUD_ROLE_ARN            a role to assume with the key
//	ALIBABA_CLOUD_ROLE_SESSION_NAME   "vodupload" by default
//	ALIBABA_CLOUD_EXTERNAL_ID         where the role's trust policy asks for one
//	ALIBABA_CLOUD_STS_ENDPOINT        of the STS that is asked for the role
//	ALIBABA_CLOUD_STS_REGION          the same by its region
//
// With a role, each call of Credentials is one of AssumeRole, as the aliyun command line
// does it: put a [Cache] around it. Without one, a token has no known expiration.
//
// A variable that is missing beside others that are set is an [ErrInvalidCredentials]
// that names it.
func Env() *EnvProvider { return &EnvProvider{} }

// Credentials reads the environment, and asks STS where it names a role.
func (e *EnvProvider) Credentials(ctx context.Context) (Credentials, error) {
	provider, err := e.provider()
	if err != nil {
		return Credentials{}, err
	}
	return provider.Credentials(ctx)
}

func (e *EnvProvider) provider() (Provider, error) {
	missing := unset(envKeyID, envKeySecret)
	switch {
	case len(missing) == 2 && get(envToken) == "":
		return nil, kindf(ErrInvalidCredentials, "sts: environment: %s and %s are not set", envKeyID, envKeySecret)
	case len(missing) > 0:
		present := envKeyID
		if get(envKeyID) == "" {
			present = firstSet(envKeySecret, envToken)
		}
		return nil, fmt.Errorf("sts: environment: %w", halfSet(present, missing))
	}
	key := Credentials{AccessKeyID: get(envKeyID), AccessKeySecret: get(envKeySecret), SecurityToken: get(envToken)}
	if refused := e.refused.Load(); refused != nil && *refused == key {
		return nil, kindf(ErrInvalidCredentials, "sts: environment: the server refused the token in %s, and there is no other", envToken)
	}
	base := Static(key)
	roleARN := get(envRoleARN)
	if roleARN == "" {
		return base, nil
	}
	return NewAssumeRole(base, roleARN, &AssumeRoleOptions{SessionName: get(envSessionName), ExternalID: get(envExternalID),
		Endpoint: firstOf(e.endpoint, stsAddress("", false)), HTTPClient: e.client})
}

// Invalidate says that a server refused c. If that is the token in the environment,
// there is no other until the variables change: the error is [ErrInvalidCredentials].
func (e *EnvProvider) Invalidate(c Credentials) {
	if c.Temporary() && c.SecurityToken == get(envToken) {
		e.refused.Store(&c)
	}
}

// configured reports whether the environment has anything of a key.
func (e *EnvProvider) configured() bool { return len(unset(envKeyID, envKeySecret, envToken)) < 3 }

func firstSet(names ...string) string {
	for _, name := range names {
		if get(name) != "" {
			return name
		}
	}
	return ""
}

// Format writes the provider's name, whatever the verb.
func (e *EnvProvider) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "sts.Env()") }
