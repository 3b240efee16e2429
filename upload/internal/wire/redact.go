package wire

import (
	"errors"
	"html"
	"net/url"
	"regexp"
	"strings"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// minSecret is the length below which a string is not looked for in text: OSS's own
// secrets have 30 characters, and a shorter one would be found in any word.
const minSecret = 8

// maxText bounds a piece of foreign text in an error.
const maxText = 512

// oneLine makes a server's text fit for a line of a log, and bounds it. Its line
// breaks and indents are the layout of an answer.
func oneLine(s string) string { return target.ClipLine(strings.Join(strings.Fields(s), " "), maxText) }

// unwrapURL returns the cause inside the errors that net/http wraps around it. They
// print the URL, and a proxy or a transport of the user's may have put a token there.
// Where the address of a proxy in the environment is malformed, net/http quotes it: it
// may hold a password.
func unwrapURL(err error) error {
	for {
		var u *url.Error
		if !errors.As(err, &u) {
			break
		}
		err = u.Err
	}
	if err == nil {
		return nil
	}
	text := err.Error()
	if clean := quotedURL.ReplaceAllString(text, "${1}[URL]"); clean != text {
		return &redactedError{text: clean, err: err}
	}
	return err
}

// quotedURL is what stands behind the words of net/http and net/url for an address.
var quotedURL = regexp.MustCompile(`((?:parse|address|port) )"(?:\\.|[^"\\])*"`)

// redact hides the secrets of s in text that others wrote: some gateways answer with
// the headers that they got, or with the URL, as text or in a page.
func (s Snapshot) redact(text string) string {
	if text == "" {
		return ""
	}
	for _, secret := range [...]string{s.AccessKeySecret, s.SecurityToken, signatureOf(s.authorization)} {
		if len(secret) < minSecret || len(secret) > len(text) { // no form of it is shorter
			continue
		}
		for _, form := range [...]string{
			secret, html.EscapeString(secret), url.QueryEscape(secret), url.PathEscape(secret),
			strings.ReplaceAll(html.EscapeString(secret), "&#34;", "&quot;"),
		} {
			text = strings.ReplaceAll(text, form, "[redacted]")
		}
	}
	return text
}

// signatureOf returns the signature in the value of a header Authorization, of version 1
// or 4. It is good for one request, and for as long as the server's clock allows.
func signatureOf(authorization string) string {
	if _, signature, ok := strings.Cut(authorization, "Signature="); ok {
		return signature
	}
	_, signature, _ := strings.Cut(authorization, ":")
	return signature
}

// redactError returns err, or one with another text if err's has a secret in it.
func (s Snapshot) redactError(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if clean := s.redact(text); clean != text {
		return &redactedError{text: clean, err: err}
	}
	return err
}

// A redactedError answers for an error that must not be printed. It has no Unwrap:
// code that prints each error of a chain would print it then.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }

func (e *redactedError) Is(target error) bool { return errors.Is(e.err, target) }
