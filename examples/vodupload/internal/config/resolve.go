package config

import (
	"github.com/vodupload/vodupload/sts"
)

// An Input is where settings are looked for.
type Input struct {
	Flags  Flags
	Lookup Lookup
	Home   string // the folder of the files; empty: none
}

// A Config is the resolved configuration.
type Config struct {
	Profile      Setting
	Region       Setting
	Endpoint     Setting
	CustomDomain Setting

	// Credentials gets the credentials. It has not been asked yet: most sources send a
	// request for it.
	Credentials sts.Provider

	// CredentialsSetting has what is known of them without asking.
	CredentialsSetting Setting

	buckets map[string]bucket // by what a file says of single buckets
}

// Resolve returns the configuration. The error is an *Error.
func Resolve(in Input) (*Config, error) {
	l := in.Lookup
	c := &Config{
		Profile: either(in.Flags.Profile, "profile", func() (string, string) {
			return l.first("VODUPLOAD_PROFILE", "OSSUTIL_PROFILE", "ALIBABA_CLOUD_PROFILE")
		}),
		Region: either(in.Flags.Region, "region", func() (string, string) {
			return l.first("VODUPLOAD_REGION", "OSS_REGION", "ALIBABA_CLOUD_REGION_ID")
		}),
		Endpoint: either(in.Flags.Endpoint, "endpoint", func() (string, string) {
			return l.first("VODUPLOAD_ENDPOINT", "OSS_ENDPOINT")
		}),
		CustomDomain: either(in.Flags.CustomDomain, "custom-domain", func() (string, string) {
			return l.first("VODUPLOAD_CUSTOM_DOMAIN")
		}),
	}
	return c, c.findCredentials(in)
}
