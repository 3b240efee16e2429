package config

import (
	"cmp"

	"github.com/vodupload/vodupload/sts"
)

// A keyFamily are the environment variables of one prefix that have a key.
type keyFamily struct{ id, secret, token string }

var keyFamilies = []keyFamily{
	{"VODUPLOAD_ACCESS_KEY_ID", "VODUPLOAD_ACCESS_KEY_SECRET", "VODUPLOAD_SECURITY_TOKEN"},
	{"OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"},
	{"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN"},
}

// read returns the key, and false if none of the variables is set.
func (f keyFamily) read(l Lookup) (sts.Credentials, bool, error) {
	id, hasID := l(f.id)
	secret, hasSecret := l(f.secret)
	token, hasToken := l(f.token)
	switch {
	case !hasID && !hasSecret && !hasToken:
		return sts.Credentials{}, false, nil
	case !hasID:
		return sts.Credentials{}, false, wrong("environment", "%s is not set beside the others of its kind", f.id)
	case !hasSecret:
		return sts.Credentials{}, false, wrong("environment", "%s is set, but not %s", f.id, f.secret)
	}
	c := sts.Credentials{AccessKeyID: id, AccessKeySecret: secret, SecurityToken: token}
	if err := c.Validate(); err != nil {
		return c, false, &Error{Origin: "environment " + f.id + " and " + f.secret, Err: err}
	}
	return c, true, nil
}

func (c *Config) findCredentials(in Input) error {
	for _, family := range keyFamilies {
		key, found, err := family.read(in.Lookup)
		if err != nil {
			return err
		}
		if found {
			c.Credentials = sts.Static(key)
			c.CredentialsSetting = Setting{"credentials", Shorten(key.AccessKeyID), "environment " + family.id}
			return nil
		}
	}
	return nil
}

// Shorten returns as much of an access key ID as may be shown.
func Shorten(id string) string {
	return cmp.Or(id[:min(4, len(id)/2)], "") + "…"
}
