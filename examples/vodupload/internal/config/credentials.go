package config

import (
	"context"
	"fmt"
	"net/url"

	"github.com/vodupload/vodupload/sts"
)

// A keyFamily are the environment variables of one prefix that have a key.
type keyFamily struct{ id, secret, token string }

var keyFamilies = []keyFamily{
	{"VODUPLOAD_ACCESS_KEY_ID", "VODUPLOAD_ACCESS_KEY_SECRET", "VODUPLOAD_SECURITY_TOKEN"},
	{"OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"},
	{"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN"},
}

// read returns the key, and false if neither its ID nor its secret is set.
func (f keyFamily) read(l Lookup) (sts.Credentials, bool, error) {
	id, hasID := l(f.id)
	secret, hasSecret := l(f.secret)
	token, _ := l(f.token)
	switch {
	case !hasID && !hasSecret:
		return sts.Credentials{}, false, nil
	case !hasID:
		return sts.Credentials{}, false, wrong("environment", "%s is set, but not %s", f.secret, f.id)
	case !hasSecret:
		return sts.Credentials{}, false, wrong("environment", "%s is set, but not %s", f.id, f.secret)
	}
	c := sts.Credentials{AccessKeyID: id, AccessKeySecret: secret, SecurityToken: token}
	if err := c.Validate(); err != nil {
		return c, false, &Error{Origin: "environment, " + f.id + " and those beside it", Err: err}
	}
	return c, true, nil
}

// findCredentials takes the first source that is configured, and assumes a role with it if
// one is asked for.
func (c *Config) findCredentials(in Input, file *source) error {
	c.RoleARN = either(in.Flags.RoleARN, "role-arn", func() (string, string) { return in.Lookup.first("VODUPLOAD_ROLE_ARN") })
	c.AccessKeyID = Setting{"access-key-id", "", "not known before it is asked for"}
	for _, find := range []func(Input, *source) (bool, error){
		c.byFlags, c.byKeys, c.byOIDC, c.byURI, c.byFile, c.byECS,
	} {
		if found, err := find(in, file); err != nil {
			return err
		} else if found {
			return c.assume(in)
		}
	}
	c.Source = Setting{"credentials", "none", "not set"}
	c.Credentials = sts.ProviderFunc(func(context.Context) (sts.Credentials, error) {
		return sts.Credentials{}, fmt.Errorf("%w: looked at the environment (VODUPLOAD_, OSS_ and ALIBABA_CLOUD_ACCESS_KEY_ID), ~/.ossutilconfig and ~/.aliyun/config.json", sts.ErrNotConfigured)
	})
	return nil
}

// from records the source that was found.
func (c *Config) from(p sts.Provider, what, origin string, err error) (bool, error) {
	if err != nil {
		return false, &Error{Origin: origin, Err: err}
	}
	c.Credentials, c.Source = p, Setting{"credentials", what, origin}
	return true, nil
}

// byFlags: --credentials-uri, or the file if --profile or --config-file chooses it. A flag
// comes before the environment.
func (c *Config) byFlags(in Input, file *source) (bool, error) {
	if uri := in.Flags.CredentialsURI; uri != "" {
		p, err := sts.NewURI(uri, nil)
		return c.from(p, "of "+withoutSecrets(uri), "flag --credentials-uri", err)
	}
	if in.Flags.Profile == "" && in.Flags.ConfigFile == "" {
		return false, nil
	}
	return c.byFile(in, file)
}

func (c *Config) byKeys(in Input, _ *source) (bool, error) {
	for i, family := range keyFamilies {
		key, found, err := family.read(in.Lookup)
		if err != nil {
			return false, err
		}
		if !found {
			continue
		}
		c.AccessKeyID = Setting{"access-key-id", Shorten(key.AccessKeyID), "environment " + family.id}
		p := sts.Static(key)
		if arn, ok := in.Lookup("ALIBABA_CLOUD_ROLE_ARN"); ok && i == len(keyFamilies)-1 && c.RoleARN.Value == "" {
			c.RoleARN = Setting{"role-arn", arn, "environment ALIBABA_CLOUD_ROLE_ARN"}
		}
		return c.from(p, "access key", "environment "+family.id, nil)
	}
	return false, nil
}

// byOIDC: what ACK sets for a pod with RRSA.
func (c *Config) byOIDC(in Input, _ *source) (bool, error) {
	var o sts.OIDCOptions
	o.ProviderARN, _ = in.Lookup("ALIBABA_CLOUD_OIDC_PROVIDER_ARN")
	o.TokenFile, _ = in.Lookup("ALIBABA_CLOUD_OIDC_TOKEN_FILE")
	if o.ProviderARN == "" && o.TokenFile == "" {
		return false, nil
	}
	o.RoleARN, _ = in.Lookup("ALIBABA_CLOUD_ROLE_ARN")
	o.Endpoint, _ = in.Lookup("ALIBABA_CLOUD_STS_ENDPOINT")
	p, err := sts.NewOIDC(&o)
	return c.from(p, "OIDC", "environment ALIBABA_CLOUD_OIDC_TOKEN_FILE", err)
}

func (c *Config) byURI(in Input, _ *source) (bool, error) {
	uri, origin := in.Lookup.first("VODUPLOAD_CREDENTIALS_URI", "ALIBABA_CLOUD_CREDENTIALS_URI")
	if uri == "" {
		return false, nil
	}
	p, err := sts.NewURI(uri, nil)
	return c.from(p, "of "+withoutSecrets(uri), origin, err)
}

func (c *Config) byFile(_ Input, file *source) (bool, error) {
	if file.provider == nil {
		return false, nil
	}
	p, err := file.provider()
	if err != nil || p == nil {
		return false, err
	}
	if file.keyID != "" {
		c.AccessKeyID = Setting{"access-key-id", Shorten(file.keyID), file.origin}
	}
	return c.from(p, "profile", file.origin, nil)
}

// byECS: the role that is attached to the instance, if there is one: only asking shows.
func (c *Config) byECS(in Input, _ *source) (bool, error) {
	if off, _ := in.Lookup("ALIBABA_CLOUD_ECS_METADATA_DISABLED"); off == "true" {
		return false, nil
	}
	role, _ := in.Lookup("ALIBABA_CLOUD_ECS_METADATA")
	p, err := sts.NewECSRole(&sts.ECSRoleOptions{Role: role})
	if err != nil {
		return false, &Error{Origin: "role of the instance", Err: err}
	}
	return c.from(orNothing{p}, "role of the ECS instance", "nothing else is configured", nil)
}

// assume puts the role around the credentials.
func (c *Config) assume(in Input) error {
	if c.RoleARN.Value == "" {
		return nil
	}
	session, _ := in.Lookup.first("VODUPLOAD_ROLE_SESSION_NAME", "ALIBABA_CLOUD_ROLE_SESSION_NAME")
	external, _ := in.Lookup("ALIBABA_CLOUD_EXTERNAL_ID")
	p, err := sts.NewAssumeRole(c.Credentials, c.RoleARN.Value, &sts.AssumeRoleOptions{
		Endpoint: c.STSEndpoint, SessionName: session, ExternalID: external,
	})
	if err != nil {
		return &Error{Origin: c.RoleARN.Origin, Err: err}
	}
	c.Credentials = p
	return nil
}

// orNothing makes a failure of the last resort say that nothing is configured: this is
// hardly ever an instance whose metadata service is away.
type orNothing struct{ sts.Provider }

func (o orNothing) Credentials(ctx context.Context) (sts.Credentials, error) {
	creds, err := o.Provider.Credentials(ctx)
	if err != nil {
		err = fmt.Errorf("%w: looked at the environment (VODUPLOAD_, OSS_ and ALIBABA_CLOUD_ACCESS_KEY_ID), ~/.ossutilconfig, ~/.aliyun/config.json and the role of the ECS instance (%w)", sts.ErrNotConfigured, err)
	}
	return creds, err
}

// Shorten returns as much of an access key ID as may be shown.
func Shorten(id string) string { return id[:min(4, len(id)/2)] + "…" }

// withoutSecrets returns a URL without user and query.
func withoutSecrets(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "a URL"
	}
	return u.Scheme + "://" + u.Host + u.Path
}
