// Package role checks what a call of AssumeRole says: the role, the session's name,
// the life of the token and its policy.
package role

import (
	"fmt"
	"regexp"
	"time"
)

// The limits of AssumeRole (STS documentation, AssumeRole).
const (
	MinDuration    = 15 * time.Minute
	MaxDuration    = 12 * time.Hour
	MaxPolicy      = 2048 // characters
	MinSessionName = 2    // characters
	MaxSessionName = 64   // characters
	MinExternalID  = 2    // characters
	MaxExternalID  = 1224 // characters
)

var (
	arnForm         = regexp.MustCompile(`^acs:ram::[0-9]+:role/[A-Za-z0-9.@_-]+$`)
	sessionNameForm = regexp.MustCompile(`^[A-Za-z0-9.@_-]+$`)
	externalIDForm  = regexp.MustCompile(`^[A-Za-z0-9_+=,.@:/-]+$`)
)

// ValidateARN returns an error that says what a role's ARN has to look like.
func ValidateARN(arn string) error {
	if !arnForm.MatchString(arn) {
		return fmt.Errorf("RoleArn is %s; want the form acs:ram::ACCOUNT:role/NAME", Shown(arn))
	}
	return nil
}

// ValidateSessionName returns an error that says what a session's name has to
// look like.
func ValidateSessionName(name string) error {
	if n := len(name); n < MinSessionName || n > MaxSessionName || !sessionNameForm.MatchString(name) {
		return fmt.Errorf("SessionName is %s; want %d to %d letters, digits and .@-_", Shown(name), MinSessionName, MaxSessionName)
	}
	return nil
}

// ValidateDuration returns an error that says how long a token may live.
func ValidateDuration(d time.Duration) error {
	if d < MinDuration || d > MaxDuration || d%time.Second != 0 {
		return fmt.Errorf("the Duration is %v; want whole seconds from %v to %v", d, MinDuration, MaxDuration)
	}
	return nil
}

// ValidateExternalID returns an error that says what an external ID has to look like.
// It does not quote the ID, which the parties to a role may keep to themselves.
func ValidateExternalID(id string) error {
	if n := len(id); n < MinExternalID || n > MaxExternalID || !externalIDForm.MatchString(id) {
		return fmt.Errorf("ExternalID has %d characters; want %d to %d of letters, digits and =,.@:/-_+", n, MinExternalID, MaxExternalID)
	}
	return nil
}
