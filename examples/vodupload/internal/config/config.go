// Package config finds out which bucket's endpoint a command talks to, and with whose
// credentials. Each setting is taken from the first place that has it:
//
//  1. flags
//  2. VODUPLOAD_REGION, VODUPLOAD_ENDPOINT and so on
//  3. OSS_REGION and so on, as ossutil 2 has them
//  4. ALIBABA_CLOUD_REGION_ID and so on, as Alibaba Cloud's SDKs have them
//  5. a profile in a file of ossutil (1 or 2) or of the aliyun CLI
//  6. for credentials: the role of the ECS instance
//
// Nothing is ever written. No error and no text of this package has a secret in it.
package config

import (
	"cmp"
	"fmt"
	"strings"
)

// Flags are the global flags that are about the configuration. Empty: not given.
type Flags struct {
	Profile        string
	ConfigFile     string
	Region         string
	Endpoint       string
	CustomDomain   string
	CredentialsURI string
	RoleARN        string
}

// An Error says which setting is wrong, where it comes from, and what was wanted.
type Error struct {
	Origin string
	Err    error
}

func (e *Error) Error() string { return e.Origin + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func wrong(origin, format string, args ...any) error {
	return &Error{Origin: origin, Err: fmt.Errorf(format, args...)}
}

// A Setting is one value and where it comes from.
type Setting struct {
	Name   string
	Value  string // of a secret: only that there is one
	Origin string
}

// A Lookup returns the value of an environment variable, and whether it is set.
type Lookup func(name string) (string, bool)

// first returns the setting by the first of the environment variables that is set.
func (l Lookup) first(names ...string) (value, origin string) {
	for _, name := range names {
		if v, ok := l(name); ok {
			return v, "environment " + name
		}
	}
	return "", ""
}

// either returns the flag's value, or what comes after it.
func either(flag, name string, rest func() (value, origin string)) Setting {
	s := Setting{Value: flag, Origin: "flag --" + name}
	if flag == "" {
		s.Value, s.Origin = rest()
	}
	s.Name, s.Origin = name, cmp.Or(s.Origin, "not set")
	return s
}

// fromFile reports whether the setting is weaker than what the file says of a bucket.
func (s Setting) fromFile() bool {
	return s.Value == "" || !strings.HasPrefix(s.Origin, "flag ") && !strings.HasPrefix(s.Origin, "environment ")
}
