package role

import (
	"fmt"
	"regexp"
)

// Secrets have 30 characters and more, and tokens hundreds, without a break. What is
// written in words, as in SignatureDoesNotMatch, is none, and neither is a request ID.
var (
	secretLike   = regexp.MustCompile(`[A-Za-z0-9+/=_%-]{20,}`)
	harmlessLike = regexp.MustCompile(`^(([A-Z][a-z]+)+|[a-z]+|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})$`)
)

// userInfo is the user name and the password of a URL.
var userInfo = regexp.MustCompile(`://\S*@`)

// Redact replaces whatever in text could be a secret.
func Redact(text string) string {
	text = userInfo.ReplaceAllString(text, "://[redacted]@")
	return secretLike.ReplaceAllStringFunc(text, func(s string) string {
		if harmlessLike.MatchString(s) {
			return s
		}
		return "[redacted]"
	})
}

// A run of characters that long without a hyphen, a dot or the like is a generated
// secret, unless it is written in words or is a number, such as that of an account.
var (
	longRun = regexp.MustCompile(`[A-Za-z0-9+=]{16,}`)
	wordy   = regexp.MustCompile(`^(([A-Z]{0,4}[a-z]+)+|[0-9]+)$`)
)

// Shown returns a setting as an error quotes it: one that may be a secret in the wrong
// place is described by its length.
func Shown(value string) string {
	for _, run := range longRun.FindAllString(value, -1) {
		if !wordy.MatchString(run) {
			return fmt.Sprintf("%d characters that are not shown, since they may be a secret", len(value))
		}
	}
	const most = 100
	if len(value) > most {
		return fmt.Sprintf("%q… (%d characters)", value[:most], len(value))
	}
	return fmt.Sprintf("%q", value)
}
