package appserver

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// A field is one setting, under all its names.
type field struct {
	key   string // in config.json
	other string // a further spelling there
	env   string // environment variable
	set   func(c *Config, text string) error
}

func text(target func(*Config) *string) func(*Config, string) error {
	return func(c *Config, text string) error {
		*target(c) = text
		return nil
	}
}

// fields are all settings. The variables of the key and the role are those that
// Alibaba Cloud's own tools read.
var fields = []field{
	{"AccessKeyID", "AccessKeyId", "ALIBABA_CLOUD_ACCESS_KEY_ID", text(func(c *Config) *string { return &c.AccessKeyID })},
	{"AccessKeySecret", "", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", text(func(c *Config) *string { return &c.AccessKeySecret })},
	{"RoleArn", "", "ALIBABA_CLOUD_ROLE_ARN", text(func(c *Config) *string { return &c.RoleARN })},
	{"TokenExpireTime", "", "VODUPLOAD_TOKEN_EXPIRE_TIME", setExpireTime},
	{"PolicyFile", "", "VODUPLOAD_POLICY_FILE", text(func(c *Config) *string { return &c.PolicyFile })},
	{"BucketName", "", "VODUPLOAD_BUCKET_NAME", text(func(c *Config) *string { return &c.BucketName })},
	{"ObjectPrefix", "", "VODUPLOAD_OBJECT_PREFIX", text(func(c *Config) *string { return &c.ObjectPrefix })},
	{"SessionName", "", "ALIBABA_CLOUD_ROLE_SESSION_NAME", text(func(c *Config) *string { return &c.SessionName })},
	{"STSEndpoint", "", "VODUPLOAD_STS_ENDPOINT", text(func(c *Config) *string { return &c.STSEndpoint })},
}

func setExpireTime(c *Config, text string) error {
	seconds, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if err != nil {
		return errors.New("is not a whole number of seconds; want 900 to 43200")
	}
	if seconds == 0 {
		// In the field a zero means the default: in the file it does not.
		return errors.New("is 0 seconds; want 900 to 43200")
	}
	c.TokenExpireTime = time.Duration(seconds) * time.Second
	return nil
}

func fieldByKey(key string) *field {
	for i, f := range fields {
		if key == f.key || f.other != "" && key == f.other {
			return &fields[i]
		}
	}
	return nil
}

func keys() []string {
	var names []string
	for _, f := range fields {
		names = append(names, f.key)
	}
	return names
}

// Override sets the fields whose environment variable is there and not empty, and
// returns the variables' names. Lookup is [os.LookupEnv] or the like.
func (c *Config) Override(lookup func(name string) (string, bool)) ([]string, error) {
	var (
		used []string
		errs []error
	)
	for _, f := range fields {
		value, ok := lookup(f.env)
		if !ok || value == "" {
			continue
		}
		if err := f.set(c, value); err != nil {
			errs = append(errs, wrong(f.env, "%v", err))
			continue
		}
		used = append(used, f.env)
	}
	return used, join(errs...)
}
