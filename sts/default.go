package sts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/vodupload/vodupload/sts/internal/weburl"
)

// DefaultOptions are the optional settings of [Default]. What they leave open, the
// environment says.
type DefaultOptions struct {
	// ConfigFile and Profile are the path and the name for [NewProfile].
	ConfigFile, Profile string

	// STSEndpoint is a host or URL of STS, for tests. The default is as in
	// [OIDCOptions].
	STSEndpoint string

	// HTTPClient sends the requests to STS. The default is a client with
	// [http.DefaultTransport]. The metadata service, credentials URIs and OSS are not
	// asked with it.
	HTTPClient *http.Client

	// ECSRole and URI are for the sources of these names.
	ECSRole *ECSRoleOptions
	URI     *URIOptions

	// Logger gets a line when the source has been found, and a warning if other users of
	// the machine can read the profile's file. The default is silent.
	Logger *slog.Logger
}

// A DefaultProvider finds out where this machine's credentials come from. See [Default].
type DefaultProvider struct {
	opts DefaultOptions

	mu    sync.Mutex
	found *foundSource // nil: not yet
}

// A foundSource is a source that is configured.
type foundSource struct {
	name     string
	provider Provider
}

// Default returns the provider that suits a program which runs on a developer's machine,
// on ECS and in ACK alike. It takes the first of these sources that is configured:
//
//  1. the environment, as [Env], if it has an access key;
//  2. OIDC, as [NewOIDC], if ALIBABA_CLOUD_OIDC_PROVIDER_ARN or
//     ALIBABA_CLOUD_OIDC_TOKEN_FILE is set;
//  3. the profile of the aliyun command line, as [NewProfile], if config.json is there
//     or named; not if ALIBABA_CLOUD_CLI_PROFILE_DISABLED is true;
//  4. the credentials URI, as [NewURI], if ALIBABA_CLOUD_CREDENTIALS_URI is set;
//  5. the role of the ECS instance, as [NewECSRole], if the metadata service answers
//     within 1.5 seconds (or DefaultOptions.ECSRole.Timeout, if that is longer); not if
//     ALIBABA_CLOUD_ECS_METADATA_DISABLED is true.
//
// The order is that of Alibaba Cloud's SDKs (credentials-go 1.4), but for the URI, which
// somebody has set while a role may be on any instance, and for the INI file
// ~/.alibabacloud/credentials, which is not read. A source that is set up by half is an
// error that names what is missing, and the next one is not tried: the program would
// work with rights that nobody meant. So is ALIBABA_CLOUD_ROLE_ARN alone.
//
// Default itself does nothing. The first call of Credentials looks for a source, and so
// does the next one, until one of them has succeeded; from then on the source stays the
// same. So a machine whose network comes up late needs no restart. A program that wants
// to end at once where nothing is configured calls Credentials when it starts: that
// takes at most two seconds, and the error wraps [ErrNotConfigured].
//
// Most sources send a request with each call: put a [Cache] around it.
func Default(opts *DefaultOptions) *DefaultProvider {
	var o DefaultOptions
	if opts != nil {
		o = *opts
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &DefaultProvider{opts: o}
}

// Credentials asks the source, which is looked for where none has given any yet.
func (d *DefaultProvider) Credentials(ctx context.Context) (Credentials, error) {
	if f := d.source(); f != nil {
		return f.provider.Credentials(ctx)
	}
	f, creds, err := d.find(ctx)
	if err != nil {
		return Credentials{}, err
	}
	return d.remember(ctx, f, creds)
}

// Source returns where the credentials come from, for people: "environment", for
// instance, or "profile media of /home/me/.aliyun/config.json". It is empty until a
// call of Credentials has succeeded.
func (d *DefaultProvider) Source() string {
	if f := d.source(); f != nil {
		return f.name
	}
	return ""
}

// Invalidate passes on to the source that a server refused c, for those that have no
// other credentials to give.
func (d *DefaultProvider) Invalidate(c Credentials) {
	if f := d.source(); f != nil {
		if keeper, ok := f.provider.(Invalidator); ok {
			keeper.Invalidate(c)
		}
	}
}

func (d *DefaultProvider) source() *foundSource {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.found
}

// remember keeps the source that gave creds, unless another call was faster: if that
// found another one, its credentials are the answer.
func (d *DefaultProvider) remember(ctx context.Context, f *foundSource, creds Credentials) (Credentials, error) {
	d.mu.Lock()
	first := d.found == nil
	if first {
		d.found = f
	}
	kept := d.found
	d.mu.Unlock()
	if first {
		d.opts.Logger.Info("credentials found", "source", f.name)
	}
	if kept.name != f.name {
		return kept.provider.Credentials(ctx)
	}
	return creds, nil
}

// find returns the first source that is configured, with its credentials.
func (d *DefaultProvider) find(ctx context.Context) (*foundSource, Credentials, error) {
	var looked []string
	for _, look := range []func() (*foundSource, string, error){d.environment, d.oidc, d.profile, d.uri} {
		f, where, err := look()
		if err != nil {
			return nil, Credentials{}, err
		}
		if f != nil {
			creds, err := f.provider.Credentials(ctx)
			return f, creds, err
		}
		looked = append(looked, where)
	}
	f, creds, err := d.ecsRole(ctx)
	if err != nil {
		looked = append(looked, nested{err}.Error())
		return nil, Credentials{}, kindf(ErrNotConfigured, "sts: no credentials are configured; looked for: %s%w",
			strings.Join(looked, "; "), hidden{err})
	}
	return f, creds, nil
}

// A hidden error is found by errors.Is and errors.As, and adds no text.
type hidden struct{ error }

// Error returns nothing.
func (hidden) Error() string { return "" }

// Unwrap returns the error.
func (h hidden) Unwrap() error { return h.error }

func (d *DefaultProvider) environment() (*foundSource, string, error) {
	env := &EnvProvider{endpoint: d.opts.STSEndpoint, client: d.opts.HTTPClient}
	if !env.configured() {
		return nil, "environment (" + envKeyID + " is not set)", nil
	}
	if _, err := env.provider(); err != nil {
		return nil, "", err
	}
	return &foundSource{"environment", env}, "", nil
}

func (d *DefaultProvider) oidc() (*foundSource, string, error) {
	if len(unset(envOIDCProvider, envOIDCTokenFile)) == 2 {
		if get(envRoleARN) != "" {
			return nil, "", kindf(ErrInvalidCredentials, "sts: %s is set, but nothing that may assume it: neither %s and %s nor %s and %s",
				envRoleARN, envKeyID, envKeySecret, envOIDCProvider, envOIDCTokenFile)
		}
		return nil, "OIDC (" + envOIDCProvider + " and " + envOIDCTokenFile + " are not set)", nil
	}
	p, err := NewOIDC(&OIDCOptions{Endpoint: d.opts.STSEndpoint, HTTPClient: d.opts.HTTPClient})
	if err != nil {
		return nil, "", err
	}
	return &foundSource{"OIDC", p}, "", nil
}

func (d *DefaultProvider) profile() (*foundSource, string, error) {
	if isTrue(envProfileDisabled) {
		return nil, "profile (switched off by " + envProfileDisabled + ")", nil
	}
	named := given(d.opts.ConfigFile, envConfigFile) != "" || given(d.opts.Profile, envProfile) != ""
	p, err := NewProfile(d.opts.ConfigFile, d.opts.Profile, &ProfileOptions{STSEndpoint: d.opts.STSEndpoint,
		HTTPClient: d.opts.HTTPClient, ECSRole: d.opts.ECSRole, URI: d.opts.URI, Logger: d.opts.Logger})
	switch {
	case errors.Is(err, errNoHome) && !named:
		return nil, "profile (" + errNoHome.Error() + ")", nil
	case err != nil:
		return nil, "", err
	case !named && missingFile(p.file):
		return nil, "profile (there is no " + p.file + ")", nil
	}
	_, name, err := p.open()
	switch {
	case errors.Is(err, errBlank) && !named:
		return nil, "profile (" + scrub(name) + " of " + p.file + " is blank)", nil
	case err != nil:
		return nil, "", err
	}
	return &foundSource{"profile " + scrub(name) + " of " + p.file, p}, "", nil
}

func (d *DefaultProvider) uri() (*foundSource, string, error) {
	if get(envURI) == "" {
		return nil, "credentials URI (" + envURI + " is not set)", nil
	}
	p, err := NewURI("", d.opts.URI)
	if err != nil {
		return nil, "", err
	}
	return &foundSource{"credentials URI " + weburl.Bare(p.url), p}, "", nil
}

// probeTime is how long the metadata service may take to show that it is there, unless
// one request may take longer.
const probeTime = 1500 * time.Millisecond

func (d *DefaultProvider) ecsRole(ctx context.Context) (*foundSource, Credentials, error) {
	p, err := NewECSRole(d.opts.ECSRole)
	if err != nil {
		return nil, Credentials{}, err
	}
	limit := max(probeTime, p.opts.Timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no credentials within %v: %w", limit, context.DeadlineExceeded))
	defer cancel()
	creds, err := p.Credentials(ctx)
	if err != nil {
		return nil, Credentials{}, err
	}
	return &foundSource{"ECS role", p}, creds, nil
}

// Format writes where the credentials come from, whatever the verb.
func (d *DefaultProvider) Format(f fmt.State, _ rune) {
	source := d.Source()
	if source == "" {
		source = "no source yet"
	}
	fmt.Fprintf(f, "sts.Default(%s)", source)
}
