package appserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

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
	// without the policy/. A file on disk wins; the log says which it was. Key PolicyFile; VODUPLOAD_POLICY_FILE.
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

// maxFile bounds config.json and policy files, in bytes.
const maxFile = 64 << 10

// LoadConfig reads the file at path. It does not check whether the values make
// sense: overrides may come on top, and [New] checks the whole.
func LoadConfig(path string) (*Config, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("appserver: read the configuration: %w", err)
	}
	c, err := ParseConfig(data)
	if err != nil {
		return nil, fmt.Errorf("appserver: read the configuration %s: %w", path, err)
	}
	c.Dir = filepath.Dir(path)
	return c, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxFile)
	}
	return data, nil
}

// ParseConfig reads the content of a config.json. Unknown and repeated keys are
// errors, since a misspelt one would silently leave a default in place.
func ParseConfig(data []byte) (*Config, error) {
	entries, err := readObject(data)
	if err != nil {
		return nil, err
	}
	c := &Config{}
	seen := map[string]string{}
	var errs []error
	for _, e := range entries {
		f := fieldByKey(e.key)
		if f == nil {
			errs = append(errs, wrong(shownKey(e.key), "is not a known key; known are %s", strings.Join(keys(), ", ")))
			continue
		}
		if first, ok := seen[f.key]; ok {
			errs = append(errs, wrong(e.key, "is there twice (first as %s)", first))
			continue
		}
		seen[f.key] = e.key
		text, ok := textOf(e.value)
		if !ok {
			errs = append(errs, wrong(e.key, "is neither text nor a whole number"))
			continue
		}
		if err := f.set(c, text); err != nil {
			errs = append(errs, wrong(e.key, "%v", err))
		}
	}
	return c, errors.Join(errs...)
}

type entry struct {
	key   string
	value json.RawMessage
}

// readObject reads a JSON object without losing repeated keys.
func readObject(data []byte) ([]entry, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, jsonError(data, d, err, "want a JSON object")
	}
	var entries []entry
	for d.More() {
		var e entry
		t, err := d.Token()
		if err != nil {
			return nil, jsonError(data, d, err, "want a key")
		}
		e.key, _ = t.(string)
		if err := d.Decode(&e.value); err != nil {
			return nil, jsonError(data, d, err, "want a value for "+shownKey(e.key))
		}
		entries = append(entries, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, jsonError(data, d, err, "want a closing brace")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, jsonError(data, d, err, "want nothing after the closing brace")
	}
	return entries, nil
}

var wordForm = regexp.MustCompile(`^[A-Za-z_]{1,40}$`)

// shownKey is an unknown key as an error shows it: a value that slipped into the
// place of a key may be the secret.
func shownKey(key string) string {
	if wordForm.MatchString(key) {
		return key
	}
	return fmt.Sprintf("(a key of %d characters)", len(key))
}

// jsonError says where the JSON is wrong, and quotes nothing: it may be the
// secret that lacks its quotation mark.
func jsonError(data []byte, d *json.Decoder, err error, want string) error {
	at := d.InputOffset()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = syntax.Offset
	}
	if at > int64(len(data)) {
		at = int64(len(data))
	}
	before := data[:at]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("not valid JSON at line %d, column %d: %s", line, column, want)
}

// textOf returns a JSON string, or a whole number as it stands there.
func textOf(value json.RawMessage) (string, bool) {
	var text string
	if json.Unmarshal(value, &text) == nil && string(value) != "null" {
		return text, true
	}
	_, err := strconv.ParseInt(string(value), 10, 64)
	return string(value), err == nil
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
	check(strings.ContainsAny(c.AccessKeyID, " \t\r\n"), "AccessKeyID", "has white space in it")
	check(strings.ContainsAny(c.AccessKeySecret, " \t\r\n"), "AccessKeySecret", "has white space in it")
	if c.RoleARN == "" {
		check(true, "RoleArn", "is empty; want the form acs:ram::ACCOUNT:role/NAME")
	} else if role.ValidateARN(c.RoleARN) != nil {
		check(true, "RoleArn", "is %q; want the form acs:ram::ACCOUNT:role/NAME", c.RoleARN)
	}
	if d := c.TokenExpireTime; d != 0 {
		check(role.ValidateDuration(d) != nil, "TokenExpireTime", "is %v seconds; want %v to %v, whole",
			d.Seconds(), role.MinDuration.Seconds(), role.MaxDuration.Seconds())
	}
	check(c.PolicyFile == "", "PolicyFile", "is empty; want a file, or one of %s", strings.Join(builtIn(), ", "))
	check(c.BucketName != "" && !bucketForm.MatchString(c.BucketName), "BucketName",
		"is %q; want 3 to 63 of a-z, 0-9 and hyphens", c.BucketName)
	if err := validatePrefix(c.ObjectPrefix); err != nil {
		check(true, "ObjectPrefix", "%v", err)
	}
	check(c.SessionName != "" && role.ValidateSessionName(c.SessionName) != nil, "SessionName",
		"is %q; want %d to %d letters, digits and .@-_", c.SessionName, role.MinSessionName, role.MaxSessionName)
	return errors.Join(errs...)
}

// String returns the configuration without the secret.
func (c Config) String() string {
	return fmt.Sprintf("appserver.Config(role %q, %v, policy %q, bucket %q, prefix %q)",
		c.RoleARN, c.TokenExpireTime, c.PolicyFile, c.BucketName, c.ObjectPrefix)
}

// Format writes the configuration without the secret, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue returns the configuration without the secret.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText encodes the configuration without the secret; it is for logs.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
