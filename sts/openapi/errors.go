package openapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/vodupload/vodupload/sts/internal/roundtrip"
)

var (
	// ErrAnswer is wrapped by errors about an answer that cannot be read: not
	// JSON, cut short, or without what a success has to contain.
	ErrAnswer = errors.New("unreadable answer")

	// ErrTooLarge is wrapped by errors about an answer above [Options.MaxAnswer].
	ErrTooLarge = roundtrip.ErrTooLarge

	// ErrNoConnection is wrapped by errors about a request of which nothing was
	// sent, because there was no connection: the name was not found, the dial or the
	// TLS handshake failed or took too long, or a proxy refused. The service cannot
	// have done anything.
	ErrNoConnection = errors.New("no connection")
)

// An Error is an answer that is not a success.
type Error struct {
	Action    string // the call, such as AssumeRole
	Host      string // the endpoint's host
	Status    int    // HTTP status
	Code      string // the service's code, such as NoPermission; empty if the answer has none
	Message   string // the service's message, shortened, free of the caller's secrets
	RequestID string // names the request to the service's support
	HostID    string // the host that the service says it is

	// Offset is how far this machine's clock was ahead of the service's,
	// negative if behind, by the answer's Date. It is 0 where that is unknown.
	Offset time.Duration

	// Err is why the answer could not be read; nil if it could.
	Err error
}

// Error returns what failed, and the service's words about it.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s at %s: ", e.Action, e.Host)
	if e.Code != "" {
		b.WriteString(e.Code + ": ")
	}
	if e.Message != "" {
		b.WriteString(e.Message + " ")
	}
	if e.Err != nil {
		fmt.Fprintf(&b, "%v ", e.Err)
	}
	fmt.Fprintf(&b, "(HTTP %d", e.Status)
	if e.RequestID != "" {
		fmt.Fprintf(&b, ", request ID %s", e.RequestID)
	}
	b.WriteByte(')')
	if clock := e.clock(); clock != "" {
		b.WriteString("; " + clock)
	}
	return b.String()
}

// Unwrap returns [Error.Err].
func (e *Error) Unwrap() error { return e.Err }

// maxOffset is how far a clock may be off before the service refuses the time
// stamp (STS and VOD documentation, InvalidTimeStamp.Expired: 15 minutes).
const maxOffset = 15 * time.Minute

// ClockOff reports whether the service refused the request because of its time
// stamp, or the answer shows a clock that it would refuse.
func (e *Error) ClockOff() bool {
	return strings.HasPrefix(e.Code, "InvalidTimeStamp") || e.Code == "IllegalTimestamp" ||
		e.Offset.Abs() >= maxOffset
}

func (e *Error) clock() string {
	if !e.ClockOff() {
		return ""
	}
	switch off := e.Offset.Round(time.Second); {
	case off > 0:
		return fmt.Sprintf("this machine's clock is %v ahead of the service's", off)
	case off < 0:
		return fmt.Sprintf("this machine's clock is %v behind the service's", -off)
	}
	return "check this machine's clock"
}

// Throttled reports whether the service asks for fewer calls.
func (e *Error) Throttled() bool {
	return e.Status == http.StatusTooManyRequests || strings.HasPrefix(e.Code, "Throttling")
}

// Temporary reports whether the same call may succeed later: the service was
// overloaded, broken or throttling.
func (e *Error) Temporary() bool { return e.Status >= 500 || e.Throttled() }

// scrub returns a message of a service fit for a log: shortened, on one line,
// and without any of the secrets. SignatureDoesNotMatch, for one, quotes the
// string to sign, and with it the security token, encoded twice.
func scrub(message string, secrets ...string) string {
	message = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.Join(strings.Fields(redact(message, secrets)), " "))
	const limit = 300
	if runes := []rune(message); len(runes) > limit {
		message = string(runes[:limit]) + "…"
	}
	return message
}

// shortSecret is the length below which a secret, which then is one of a test, may be
// part of any word.
const shortSecret = 8

// words are what a short secret is looked for among.
var words = regexp.MustCompile(`[^\s"'=:,;&()<>\[\]{}]+`)

// redact returns text without any of the secrets, as they are or encoded.
func redact(text string, secrets []string) string {
	for _, s := range secrets {
		if len(s) < shortSecret {
			text = words.ReplaceAllStringFunc(text, func(word string) string {
				if word == s {
					return "[redacted]"
				}
				return word
			})
			continue
		}
		once := Escape(s)
		for _, form := range []string{s, once, Escape(once), url.QueryEscape(s)} {
			text = strings.ReplaceAll(text, form, "[redacted]")
		}
	}
	return text
}

// A redactedError stands for the error of a transport that prints the request. It has
// no Unwrap: code that prints each error of a chain would print the secrets.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }

func (e *redactedError) Is(target error) bool { return errors.Is(e.err, target) }

func redactError(err error, secrets []string) error {
	text := redact(err.Error(), secrets)
	if text == err.Error() {
		return err
	}
	return &redactedError{text, err}
}
