package sts

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// ProfileOptions are the optional settings of [NewProfile].
type ProfileOptions struct {
	// STSEndpoint is a host or URL of STS, for tests. The default is the one of the
	// profile's sts_region, and without that as in [OIDCOptions].
	STSEndpoint string

	// HTTPClient sends the requests to STS. The default is a client with
	// [http.DefaultTransport].
	HTTPClient *http.Client

	// ECSRole is for profiles with the mode EcsRamRole; its Role is the profile's. The
	// default is as in [NewECSRole].
	ECSRole *ECSRoleOptions

	// URI is for profiles with the mode CredentialsURI. The default is as in [NewURI].
	URI *URIOptions

	// Logger gets a warning if other users of the machine can read the file. The default
	// is silent.
	Logger *slog.Logger
}

// A Profile gets credentials from a profile of the aliyun command line. See
// [NewProfile].
type Profile struct {
	file   string
	name   string // empty: the current one
	opts   ProfileOptions
	warned atomic.Bool // not a sync.Once: the Logger may call the provider
}

// NewProfile returns a provider of the credentials of a profile in config.json of the
// aliyun command line. An empty path is ALIBABA_CLOUD_CONFIG_FILE, and without that
// .aliyun/config.json in the home folder. An empty name is ALIBABA_CLOUD_PROFILE, and
// without that the profile that is current in the file.
//
// The file is read by each call, so that what `aliyun configure` changes is seen,
// and never written. These modes are known (aliyun-cli, config/profile.go):
//
//	AK, StsToken            what is stored
//	RamRoleArn              AssumeRole with the stored key
//	ChainableRamRoleArn     AssumeRole with the credentials of source_profile
//	EcsRamRole              as NewECSRole
//	RamRoleArnWithRoleName  AssumeRole with the credentials of the instance's role
//	OIDC                    as NewOIDC
//	CredentialsURI          as NewURI
//	External                as NewProcess
//	CloudSSO, OAuth         the stored token until it ends; then the error names the
//	                        aliyun command to run
//
// BearerToken, Anonymous and RsaKeyPair have no key that OSS takes: they are errors.
// Most modes send a request with each call of Credentials: put a [Cache] around it.
func NewProfile(path, name string, opts *ProfileOptions) (*Profile, error) {
	file, err := configFile(path)
	if err != nil {
		return nil, fmt.Errorf("sts: profile: %w: give the path of config.json, or set %s", err, envConfigFile)
	}
	var o ProfileOptions
	if opts != nil {
		o = *opts
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Profile{file: file, name: given(name, envProfile), opts: o}, nil
}

// Credentials reads the profile and does what its mode asks for.
func (p *Profile) Credentials(ctx context.Context) (Credentials, error) {
	provider, _, err := p.open()
	if err != nil {
		return Credentials{}, err
	}
	creds, err := provider.Credentials(ctx)
	if err != nil {
		return Credentials{}, fmt.Errorf("sts: %s: %w", p.what(), nested{err})
	}
	return creds, nil
}

// open returns the provider that the profile asks for, and the profile's name.
func (p *Profile) open() (Provider, string, error) {
	config, err := readConfig(p.file)
	if err != nil {
		return nil, "", fmt.Errorf("sts: profile: %w", err)
	}
	if readableByOthers(p.file) {
		if !p.warned.Swap(true) {
			p.opts.Logger.Warn("other users of this machine can read the credentials: chmod 600", "file", p.file)
		}
	}
	profile, name, err := config.profile(p.name)
	if err != nil {
		return nil, name, fmt.Errorf("sts: %s: %w", p.file, err)
	}
	provider, err := p.provider(config, profile, nil)
	if err != nil {
		return nil, name, fmt.Errorf("sts: profile %s of %s: %w", scrub(name), p.file, nested{err})
	}
	return provider, name, nil
}

// errBlank is returned for a profile in which nothing was ever filled in.
var errBlank = kindf(ErrInvalidCredentials, "it has neither a mode nor a key")

// provider returns what the profile's mode asks for. Chain are the names of the profiles
// that assume a role with this one's credentials.
func (p *Profile) provider(config *cliConfig, profile *cliProfile, chain []string) (Provider, error) {
	mode := profile.mode()
	if mode == modeUnset {
		return nil, fmt.Errorf("%w; run: %s", errBlank, profile.command())
	}
	if err := profile.complete(mode); err != nil {
		return nil, err
	}
	switch mode {
	case modeAK:
		return Static(Credentials{AccessKeyID: profile.AccessKeyID, AccessKeySecret: profile.AccessKeySecret}), nil
	case modeStsToken:
		return ProviderFunc(profile.stored), nil
	case modeRamRoleArn:
		return p.assume(Static(profile.key()), profile)
	case modeChainable:
		return p.chained(config, profile, chain)
	case modeEcsRamRole:
		return p.ecsRole(profile)
	case modeEcsThenRole:
		base, err := p.ecsRole(profile)
		if err != nil {
			return nil, err
		}
		return p.assume(base, profile)
	case modeOIDC:
		return NewOIDC(&OIDCOptions{RoleARN: profile.RoleARN, ProviderARN: profile.OIDCProvider, TokenFile: profile.OIDCTokenFile,
			SessionName: profile.SessionName, Duration: profile.duration(), Policy: profile.Policy,
			Endpoint: p.stsEndpoint(profile), HTTPClient: p.opts.HTTPClient})
	case modeURI:
		return NewURI(profile.URI, p.opts.URI)
	case modeExternal:
		command, err := splitCommand(profile.ProcessCommand, runtime.GOOS == "windows")
		if err != nil {
			return nil, kindf(ErrInvalidCredentials, "process_command: %w", err)
		}
		return NewProcess(command, nil)
	case modeCloudSSO, modeOAuth:
		return ProviderFunc(profile.session), nil
	case modeBearer, modeAnonymous, modeRSA:
		return nil, kindf(ErrInvalidCredentials, "its mode %s has no access key; OSS needs one", scrub(profile.Mode))
	}
	return nil, kindf(ErrInvalidCredentials, "its mode %q is not known", scrub(profile.Mode))
}

// complete returns an error that names the first field that the mode needs and the
// profile lacks.
func (p *cliProfile) complete(mode string) error {
	for _, field := range p.needed(mode) {
		if field.value == "" {
			return kindf(ErrInvalidCredentials, "%s is missing for the mode %s; run: %s", field.name, scrub(p.Mode), p.command())
		}
	}
	return nil
}

type field struct{ name, value string }

func (p *cliProfile) needed(mode string) []field {
	key := []field{{"access_key_id", p.AccessKeyID}, {"access_key_secret", p.AccessKeySecret}}
	role := field{"ram_role_arn", p.RoleARN}
	switch mode {
	case modeAK:
		return key
	case modeStsToken:
		return append(key, field{"sts_token", p.Token})
	case modeRamRoleArn:
		return append(key, role)
	case modeChainable:
		return []field{{"source_profile", p.SourceProfile}, role}
	case modeEcsThenRole:
		return []field{role}
	case modeOIDC:
		return []field{{"oidc_provider_arn", given(p.OIDCProvider, envOIDCProvider)},
			{"oidc_token_file", given(p.OIDCTokenFile, envOIDCTokenFile)}, {"ram_role_arn", given(p.RoleARN, envRoleARN)}}
	case modeURI:
		return []field{{"credentials_uri", given(p.URI, envURI)}}
	case modeExternal:
		return []field{{"process_command", p.ProcessCommand}}
	}
	return nil
}

// command is what has to be run to set the profile up.
func (p *cliProfile) command() string {
	command := "aliyun configure --profile " + scrub(p.Name)
	if p.Mode != "" {
		command += " --mode " + scrub(p.Mode)
	}
	return command
}

func (p *cliProfile) key() Credentials {
	return Credentials{AccessKeyID: p.AccessKeyID, AccessKeySecret: p.AccessKeySecret, SecurityToken: p.Token}
}

func (p *cliProfile) duration() time.Duration { return time.Duration(p.Seconds) * time.Second }

// stored returns the token of the mode StsToken, whose end the file may have.
func (p *cliProfile) stored(context.Context) (Credentials, error) {
	creds := p.key()
	if p.TokenExpires <= 0 {
		return creds, nil
	}
	creds.Expiration = time.Unix(p.TokenExpires, 0).UTC()
	if !now().Before(creds.Expiration) {
		return Credentials{}, kindf(ErrExpired, "the stored token expired at %s; run: %s", creds.expires(), p.command())
	}
	return creds, nil
}

// session returns the token that the command line stored for a login in the browser.
// Any call of the command line gets the next one, for as long as the login is valid.
func (p *cliProfile) session(context.Context) (Credentials, error) {
	creds := p.key()
	creds.Expiration = time.Unix(p.TokenExpires, 0).UTC()
	complete := creds.Validate() == nil && creds.Temporary() && p.TokenExpires > 0
	if complete && now().Before(creds.Expiration) {
		return creds, nil
	}
	command := "aliyun sts GetCallerIdentity --profile " + scrub(p.Name)
	if !p.loggedIn() {
		command = p.command()
	}
	if !complete {
		return Credentials{}, kindf(ErrExpired, "no token is stored; run: %s", command)
	}
	return Credentials{}, kindf(ErrExpired, "the stored token expired at %s; run: %s", creds.expires(), command)
}

// loggedIn reports whether the login behind the token is still good.
func (p *cliProfile) loggedIn() bool {
	expires := p.SSOAccessExpires
	if modeOf(p.Mode) == modeOAuth {
		expires = p.OAuthExpires
	}
	return time.Unix(expires, 0).After(now())
}

// chained assumes the role of a profile with the credentials of another one.
func (p *Profile) chained(config *cliConfig, profile *cliProfile, chain []string) (Provider, error) {
	chain = append(chain, profile.Name)
	if slices.Contains(chain, profile.SourceProfile) {
		return nil, kindf(ErrInvalidCredentials, "the profiles are sources of each other: %s",
			scrub(strings.Join(append(chain, profile.SourceProfile), " → ")))
	}
	source, name, err := config.profile(profile.SourceProfile)
	if err != nil {
		return nil, fmt.Errorf("source_profile: %w", err)
	}
	base, err := p.provider(config, source, chain)
	if err != nil {
		return nil, fmt.Errorf("source_profile %s: %w", scrub(name), nested{err})
	}
	return p.assume(base, profile)
}

func (p *Profile) assume(base Provider, profile *cliProfile) (Provider, error) {
	return NewAssumeRole(base, profile.RoleARN, &AssumeRoleOptions{SessionName: profile.SessionName, ExternalID: profile.ExternalID,
		Duration: profile.duration(), Policy: profile.Policy, Endpoint: p.stsEndpoint(profile), HTTPClient: p.opts.HTTPClient})
}

func (p *Profile) ecsRole(profile *cliProfile) (Provider, error) {
	var o ECSRoleOptions
	if p.opts.ECSRole != nil {
		o = *p.opts.ECSRole
	}
	o.Role = firstOf(profile.RoleName, o.Role)
	return NewECSRole(&o)
}

func (p *Profile) stsEndpoint(profile *cliProfile) string {
	return firstOf(p.opts.STSEndpoint, stsAddress(profile.STSRegion, profile.VPC))
}

func (p *Profile) what() string {
	if p.name == "" {
		return "current profile of " + p.file
	}
	return "profile " + scrub(p.name) + " of " + p.file
}

// Format writes the profile's name and file, whatever the verb.
func (p *Profile) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "sts.Profile(%s)", p.what()) }
