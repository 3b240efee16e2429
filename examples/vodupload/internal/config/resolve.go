package config

import (
	"strings"

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
	ConfigFile   Setting
	Region       Setting
	Endpoint     Setting
	CustomDomain Setting
	RoleARN      Setting
	AccessKeyID  Setting // shortened, of a key that is known without asking
	Source       Setting // where credentials come from

	// STSEndpoint is that of the Security Token Service. Empty: the public one.
	STSEndpoint string

	// Credentials gets the credentials. It has not been asked yet: most sources send a
	// request for it.
	Credentials sts.Provider

	buckets map[string]bucket // what a file says of single buckets
}

// Settings returns all settings, for people.
func (c *Config) Settings() []Setting {
	return []Setting{c.Profile, c.ConfigFile, c.Region, c.Endpoint, c.CustomDomain, c.RoleARN, c.AccessKeyID, c.Source}
}

// Resolve returns the configuration. The error is an *Error.
func Resolve(in Input) (*Config, error) {
	l := in.Lookup
	c := &Config{
		Profile: either(in.Flags.Profile, "profile", func() (string, string) {
			return l.first("VODUPLOAD_PROFILE", "OSSUTIL_PROFILE", "ALIBABA_CLOUD_PROFILE")
		}),
		ConfigFile: either(in.Flags.ConfigFile, "config-file", func() (string, string) {
			return l.first("VODUPLOAD_CONFIG_FILE", "OSSUTIL_CONFIG_FILE", "ALIBABA_CLOUD_CONFIG_FILE")
		}),
	}
	file, err := findProfile(c, in)
	if err != nil {
		return nil, err
	}
	if file == nil {
		file = &source{}
	}
	c.buckets = file.buckets
	ofFile := func(value string, names ...string) func() (string, string) {
		return func() (string, string) {
			if v, origin := l.first(names...); v != "" || value == "" {
				return v, origin
			}
			return value, file.origin
		}
	}
	c.Region = either(in.Flags.Region, "region", ofFile(file.region, "VODUPLOAD_REGION", "OSS_REGION", "ALIBABA_CLOUD_REGION_ID"))
	c.Region.Value = strings.TrimPrefix(c.Region.Value, "oss-")
	c.Endpoint = either(in.Flags.Endpoint, "endpoint", ofFile(file.endpoint, "VODUPLOAD_ENDPOINT", "OSS_ENDPOINT"))
	c.CustomDomain = either(in.Flags.CustomDomain, "custom-domain", ofFile("", "VODUPLOAD_CUSTOM_DOMAIN"))
	c.STSEndpoint, _ = l.first("VODUPLOAD_STS_ENDPOINT", "ALIBABA_CLOUD_STS_ENDPOINT")
	return c, c.findCredentials(in, file)
}
