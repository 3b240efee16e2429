package appserver

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/vodupload/vodupload/sts/internal/keytext"
	"github.com/vodupload/vodupload/sts/internal/role"
)

// A Config is what the documented config.json says, and a little more. A field's
// comment has its key in the file and its environment variable, which wins.
//
// Its text in every form leaves out the secret.
type Config struct {
	// AccessKeyID and AccessKeySecret are the key of a RAM user that may call
	// AssumeRole. Keys AccessKeyID (or AccessKeyId) and AccessKeySecret;
	// ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET.
	AccessKeyID     string
	AccessKeySecret string

	// RoleARN is the role that the tokens are for, acs:ram::ACCOUNT:role/NAME.
	// Key RoleArn; ALIBABA_CLOUD_ROLE_ARN.
	RoleARN string

	// TokenExpireTime is the life of a token, 900 s to 43,200 s, in the file as a
	// number or text of seconds. Key TokenExpireTime; VODUPLOAD_TOKEN_EXPIRE_TIME.
	// The default is 900 s.
	TokenExpireTime time.Duration

	// PolicyFile says what tokens may do: a RAM policy, in a file beside
	// config.json, or one of the three that are built in: policy/all_policy.txt,
	// policy/bucket_read_policy.txt and policy/bucket_read_write_policy.txt, also
	// without the policy/. A file on disk wins; the log says which it was. Key
	// PolicyFile; VODUPLOAD_POLICY_FILE.
	PolicyFile string

	// BucketName takes the place of $BUCKET_NAME in the policy. Key BucketName;
	// VODUPLOAD_BUCKET_NAME.
	BucketName string

	// ObjectPrefix takes the place of $OBJECT_PREFIX in the policy. It ends with a
	// slash. Key ObjectPrefix; VODUPLOAD_OBJECT_PREFIX. The default is empty: the
	// whole bucket.
	ObjectPrefix string

	// SessionName is the session's name for clients without an identity. Key
	// SessionName; ALIBABA_CLOUD_ROLE_SESSION_NAME. The default is "vodupload".
	SessionName string

	// STSEndpoint is a host or URL. Key STSEndpoint; VODUPLOAD_STS_ENDPOINT. The
	// default is https://sts.aliyuncs.com.
	STSEndpoint string

	// Dir is the directory that a relative PolicyFile is in. [LoadConfig] sets it
	// to that of the file.
	Dir string

	exposed string // the file, if it holds a secret and everybody on the machine can read it
}

// A FieldError says what is wrong with one field of a configuration. What
// [LoadConfig], [ParseConfig], [Config.Override], [Config.Validate] and [New]
// return holds one for each such field.
type FieldError struct {
	Field   string // the key in config.json, or the environment variable
	Problem string // what it is, and what it has to be
}

// Error returns the field and its problem.
func (e *FieldError) Error() string { return e.Field + " " + e.Problem }

func wrong(field, format string, args ...any) error {
	return &FieldError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

var bucketForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)

// Validate returns an error that has a [FieldError] for each field that is wrong,
// but for the policy file, which [New] reads.
func (c *Config) Validate() error {
	var errs []error
	check := func(bad bool, field, format string, args ...any) {
		if bad {
			errs = append(errs, wrong(field, format, args...))
		}
	}
	check(c.AccessKeyID == "", "AccessKeyID", "is empty; want the access key ID of a RAM user")
	check(c.AccessKeySecret == "", "AccessKeySecret", "is empty; want the secret that belongs to AccessKeyID")
	for _, f := range [...]struct{ field, value string }{{"AccessKeyID", c.AccessKeyID}, {"AccessKeySecret", c.AccessKeySecret}} {
		err := keytext.Check(f.value)
		check(err != nil, f.field, "%v", err)
	}
	check(isKeyID(c.AccessKeySecret), "AccessKeySecret", "begins as an access key ID does; are AccessKeyID and AccessKeySecret the wrong way round?")
	if misplaced := c.misplacedSecret(); len(misplaced) > 0 {
		// Nothing more is said about any field: it might quote the secret.
		for _, field := range misplaced {
			check(true, field, "has the AccessKeySecret in it")
		}
		return join(errs...)
	}
	if c.RoleARN == "" {
		check(true, "RoleArn", "is empty; want the form acs:ram::ACCOUNT:role/NAME")
	} else if role.ValidateARN(c.RoleARN) != nil {
		check(true, "RoleArn", "is %s; want the form acs:ram::ACCOUNT:role/NAME", role.Shown(c.RoleARN))
	}
	if d := c.TokenExpireTime; d != 0 {
		check(role.ValidateDuration(d) != nil, "TokenExpireTime", "is %v seconds; want %v to %v, whole",
			d.Seconds(), role.MinDuration.Seconds(), role.MaxDuration.Seconds())
	}
	check(c.PolicyFile == "", "PolicyFile", "is empty; want a file, or one of %s", strings.Join(builtIn(), ", "))
	check(c.BucketName != "" && !bucketForm.MatchString(c.BucketName), "BucketName",
		"is %s; want 3 to 63 of a-z, 0-9 and hyphens", role.Shown(c.BucketName))
	if err := validatePrefix(c.ObjectPrefix); err != nil {
		check(true, "ObjectPrefix", "%v", err)
	}
	check(c.SessionName != "" && role.ValidateSessionName(c.SessionName) != nil, "SessionName",
		"is %s; want %d to %d letters, digits and .@-_", role.Shown(c.SessionName), role.MinSessionName, role.MaxSessionName)
	return join(errs...)
}

// isKeyID reports whether a value begins as the IDs of keys of RAM users and of STS do.
func isKeyID(value string) bool {
	return strings.HasPrefix(value, "LTAI") || strings.HasPrefix(value, "STS.")
}

// misplacedSecret returns the fields that have the secret in them, and are sent, logged
// or shown.
func (c *Config) misplacedSecret() []string {
	const shortest = 8 // less may be in a name by chance
	if len(c.AccessKeySecret) < shortest {
		return nil
	}
	var fields []string
	for _, f := range []struct{ name, value string }{
		{"AccessKeyID", c.AccessKeyID}, {"RoleArn", c.RoleARN}, {"PolicyFile", c.PolicyFile}, {"BucketName", c.BucketName},
		{"ObjectPrefix", c.ObjectPrefix}, {"SessionName", c.SessionName}, {"STSEndpoint", c.STSEndpoint},
	} {
		if strings.Contains(f.value, c.AccessKeySecret) {
			fields = append(fields, f.name)
		}
	}
	return fields
}

// String returns the configuration without the secret.
func (c Config) String() string {
	if fields := c.misplacedSecret(); len(fields) > 0 {
		return fmt.Sprintf("appserver.Config(not shown: the secret is in %s)", strings.Join(fields, ", "))
	}
	return fmt.Sprintf("appserver.Config(role %s, %v, policy %s, bucket %s, prefix %s)",
		role.Shown(c.RoleARN), c.TokenExpireTime, role.Shown(c.PolicyFile), role.Shown(c.BucketName), role.Shown(c.ObjectPrefix))
}

// Format writes the configuration without the secret, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue returns the configuration without the secret.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// GobEncode returns an error: package gob is for storing, and would store the secret.
func (c Config) GobEncode() ([]byte, error) {
	return nil, errors.New("appserver: a Config is not for package gob")
}

// MarshalText encodes the configuration without the secret; it is for logs.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
