package sts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/vodupload/vodupload/sts/internal/weburl"
)

// ECSRoleOptions are the optional settings of [NewECSRole].
type ECSRoleOptions struct {
	// Role is the name of the RAM role that is attached to the instance. The default is
	// ALIBABA_CLOUD_ECS_METADATA, and without that the role that the metadata service
	// names, which is asked each time.
	Role string

	// HardenedOnly refuses the normal mode of the metadata service (IMDSv1), in which
	// no token protects it against forged requests. The default is
	// ALIBABA_CLOUD_IMDSV1_DISABLED, and without that false: the normal mode is used
	// where the service gives no token.
	HardenedOnly bool

	// Endpoint is the URL of the metadata service, for tests. The default is
	// http://100.100.100.200.
	Endpoint string

	// Timeout ends each of up to three requests that has no complete answer by then. The
	// default is one second, as in Alibaba Cloud's SDKs.
	Timeout time.Duration

	client *http.Client // nil: one that goes to the service directly; another in tests with fake time
}

// An ECSRole gets the credentials of the RAM role that is attached to the ECS instance
// on which the program runs. Each call of Credentials asks the metadata service of the
// instance, two or three times: put a [Cache] around it.
type ECSRole struct {
	opts ECSRoleOptions
	base *url.URL
}

// NewECSRole returns a provider of the credentials of the instance's role. It asks for
// a token first, as the hardened mode needs it (ECS documentation, Instance metadata:
// IMDSv2), never goes through a proxy, and follows no redirect. It is an error if
// ALIBABA_CLOUD_ECS_METADATA_DISABLED is true.
func NewECSRole(opts *ECSRoleOptions) (*ECSRole, error) {
	if isTrue(envMetadataDisabled) {
		return nil, kindf(ErrInvalidCredentials, "sts: ECS role: switched off by %s", envMetadataDisabled)
	}
	var o ECSRoleOptions
	if opts != nil {
		o = *opts
	}
	o.Role = given(o.Role, envMetadataRole)
	o.HardenedOnly = o.HardenedOnly || isTrue(envV1Disabled)
	setDefault(&o.Endpoint, "http://"+metadataHost)
	setDefault(&o.Timeout, time.Second)
	base, err := weburl.Parse(o.Endpoint)
	switch {
	case err != nil:
		return nil, fmt.Errorf("sts: ECS role: Endpoint: %w", err)
	case o.Role != "" && !roleNameForm.MatchString(o.Role):
		return nil, errors.New("sts: ECS role: the Role is not the name of a role; want 1 to 64 letters, digits and .@-_")
	case o.Timeout < 0:
		return nil, fmt.Errorf("sts: ECS role: Timeout %v must not be negative", o.Timeout)
	}
	if o.client == nil {
		o.client = directClient(o.Timeout)
	}
	return &ECSRole{opts: o, base: base}, nil
}

var roleNameForm = regexp.MustCompile(`^[A-Za-z0-9.@_-]{1,64}$`)

// metadataTokenLife is how long a token of the metadata service is asked to live, the
// longest that is possible (ECS documentation, Instance metadata).
const metadataTokenLife = 6 * time.Hour

// The paths and headers of the metadata service (ECS documentation, Instance metadata).
const (
	metadataTokenPath = "/latest/api/token"
	metadataRolePath  = "/latest/meta-data/ram/security-credentials/"
	metadataTTLHeader = "X-aliyun-ecs-metadata-token-ttl-seconds"
	metadataToken     = "X-aliyun-ecs-metadata-token"
)

// Credentials asks the metadata service. An answer that cannot be read wraps
// [ErrAnswer].
func (e *ECSRole) Credentials(ctx context.Context) (Credentials, error) {
	creds, err := e.get(ctx)
	if err != nil {
		return Credentials{}, fmt.Errorf("sts: ECS role, metadata service %s: %w", weburl.Bare(e.base), err)
	}
	return creds, nil
}

func (e *ECSRole) get(ctx context.Context) (Credentials, error) {
	token, err := e.token(ctx)
	if err != nil {
		return Credentials{}, fmt.Errorf("get a token: %w", err)
	}
	role := e.opts.Role
	if role == "" {
		if role, err = e.roleName(ctx, token); err != nil {
			return Credentials{}, fmt.Errorf("get the name of the role: %w", err)
		}
	}
	creds, err := e.roleCredentials(ctx, token, role)
	if err != nil {
		return Credentials{}, fmt.Errorf("get the credentials of role %s: %w", role, err)
	}
	return creds, nil
}

// token returns a token for the hardened mode; empty if the service gives none and the
// normal mode is allowed. A service that does not answer at all is not asked again in
// the other mode.
func (e *ECSRole) token(ctx context.Context) (string, error) {
	answer, err := e.ask(ctx, http.MethodPut, metadataTokenPath, metadataTTLHeader, strconv.Itoa(int(metadataTokenLife/time.Second)))
	if err != nil {
		return "", err
	}
	if token := string(answer.body); answer.status == http.StatusOK && isMetadataToken(token) {
		return token, nil
	}
	if e.opts.HardenedOnly {
		return "", kindf(ErrAnswer, "the service gave none (HTTP %d, %d bytes), and the normal mode (IMDSv1) is not allowed", answer.status, len(answer.body))
	}
	return "", nil
}

// isMetadataToken reports whether a text can stand in a header, and is no page of HTML.
func isMetadataToken(text string) bool {
	no := func(r rune) bool { return r < '!' || r > '~' || r == '<' || r == '>' }
	return len(text) >= 1 && len(text) <= 1000 && !strings.ContainsFunc(text, no)
}

func (e *ECSRole) roleName(ctx context.Context, token string) (string, error) {
	answer, err := e.ask(ctx, http.MethodGet, metadataRolePath, metadataToken, token)
	switch {
	case err != nil:
		return "", err
	case answer.status == http.StatusNotFound:
		return "", errStatus(answer.status, "no RAM role is attached to this instance (HTTP 404)")
	case answer.status != http.StatusOK:
		return "", refusedBy(answer.status, token)
	case !roleNameForm.Match(answer.body):
		return "", kindf(ErrAnswer, "the answer, of %d bytes, is not the name of a role", len(answer.body))
	}
	return string(answer.body), nil
}

func (e *ECSRole) roleCredentials(ctx context.Context, token, role string) (Credentials, error) {
	begin := now()
	answer, err := e.ask(ctx, http.MethodGet, metadataRolePath+role, metadataToken, token)
	switch {
	case err != nil:
		return Credentials{}, err
	case answer.status == http.StatusNotFound:
		return Credentials{}, errStatus(answer.status, "it is not attached to this instance (HTTP 404)")
	case answer.status != http.StatusOK:
		return Credentials{}, refusedBy(answer.status, token)
	}
	return tokenOf(answer, begin)
}

// refusedBy is the error of a status that is not a success.
func refusedBy(status int, token string) error {
	if token == "" && (status == http.StatusForbidden || status == http.StatusUnauthorized) {
		return errStatus(status, "HTTP %d: the service asks for a token of the hardened mode, but gave none", status)
	}
	return errStatus(status, "HTTP %d", status)
}

// ask sends one request, with a header unless its value is empty.
func (e *ECSRole) ask(ctx context.Context, method, path, header, value string) (fetched, error) {
	req, err := http.NewRequestWithContext(ctx, method, e.base.JoinPath(path).String(), nil)
	if err != nil {
		return fetched{}, weburl.Without(err)
	}
	if value != "" {
		req.Header.Set(header, value)
	}
	return fetch(ctx, e.opts.client, e.opts.Timeout, req)
}

// Format writes the address of the metadata service and the role, whatever the verb.
func (e *ECSRole) Format(f fmt.State, _ rune) {
	role := e.opts.Role
	if role == "" {
		role = "the instance's role"
	}
	fmt.Fprintf(f, "sts.ECSRole(%s at %s)", role, weburl.Bare(e.base))
}
