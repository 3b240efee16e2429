package appserver

import (
	"container/list"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/internal/role"
)

// New returns a handler. The configuration and the policy file are checked here,
// once: the error has a [FieldError] for each field that is wrong. Nil options
// are the defaults. The caller must call [Handler.Close] at the end.
func New(config *Config, opts *Options) (*Handler, error) {
	o, err := opts.resolved()
	if err != nil {
		return nil, err
	}
	if config == nil {
		return nil, errors.New("appserver: the configuration is nil")
	}
	c := *config
	policy, err := c.check(&o)
	if err != nil {
		return nil, fmt.Errorf("appserver: the configuration is wrong: %w", err)
	}
	if c.exposed != "" {
		o.Logger.Warn("every user of this machine can read the secret: take the right to read away from others (chmod 600)", "file", c.exposed)
	}
	h := &Handler{
		opts: o, bucket: c.BucketName, prefix: c.ObjectPrefix, policy: policy, session: c.SessionName,
		gate: newGate(o), started: time.Now(),
	}
	setDefault(&h.session, "vodupload")
	key := sts.Credentials{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret}
	c.AccessKeySecret = "" // from here on only the provider has it
	h.tokens = &tokens{
		base: sts.Static(key), config: c, client: o.HTTPClient, logger: o.Logger, max: o.MaxTokens,
		inFlight: make(chan struct{}, o.MaxCalls), recent: list.New(), byKey: map[tokenKey]*list.Element{},
	}
	return h, nil
}

// check validates everything that can be without asking STS, and reads the
// policy. It fills in the defaults.
func (c *Config) check(o *Options) (*template, error) {
	setDefault(&c.TokenExpireTime, role.MinDuration)
	errs := []error{c.Validate()}
	var policy *template
	if c.PolicyFile != "" {
		var err error
		if policy, err = c.readPolicy(o.Logger, o.Authenticate != nil); err != nil {
			errs = append(errs, err)
		}
	}
	if c.STSEndpoint != "" {
		// The role and the rest are checked above: only the endpoint can be wrong.
		_, err := sts.NewAssumeRole(sts.Static(sts.Credentials{}), "acs:ram::1:role/check",
			&sts.AssumeRoleOptions{Endpoint: c.STSEndpoint, HTTPClient: o.HTTPClient})
		if err != nil {
			errs = append(errs, wrong("STSEndpoint", "is wrong: %v", err))
		}
	}
	return policy, join(errs...)
}

// readPolicy reads the policy file, and fills it in once to see that it can be.
func (c *Config) readPolicy(logger *slog.Logger, authenticated bool) (*template, error) {
	data, from, err := loadPolicy(c.Dir, c.PolicyFile)
	if err != nil {
		return nil, err
	}
	logger.Info("policy of the tokens", "policy", c.PolicyFile, "from", from)
	t, err := parseTemplate(data)
	if err != nil {
		return nil, wrong("PolicyFile", "%s %v", role.Shown(c.PolicyFile), err)
	}
	if t.bucket && c.BucketName == "" {
		return nil, wrong("BucketName", "is empty; the policy %q needs it for %s", c.PolicyFile, bucketPlaceholder)
	}
	if t.prefix && authenticated {
		if _, err := narrow(t.statements); err != nil {
			return nil, wrong("PolicyFile", "%q has %s, and the prefix of an identity cannot take its place: %v", c.PolicyFile, prefixPlaceholder, err)
		}
	}
	if _, err := t.fill(c.BucketName, c.ObjectPrefix); err != nil {
		if errors.Is(err, errNotNarrowable) {
			return nil, wrong("ObjectPrefix", "is %q, but in the policy %q: %v", c.ObjectPrefix, c.PolicyFile, err)
		}
		return nil, wrong("PolicyFile", "%q: %v", c.PolicyFile, err)
	}
	return t, nil
}
