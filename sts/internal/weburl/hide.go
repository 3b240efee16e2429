package weburl

import (
	"errors"
	"net/url"
	"regexp"
)

// Without returns the cause inside the errors that net/http wraps around it, which
// print the URL, and hides the URLs that net/http has put into the cause's own text:
// that of a proxy, or the target of a redirect.
func Without(err error) error {
	for {
		var u *url.Error
		if !errors.As(err, &u) {
			return Hide(err)
		}
		err = u.Err
	}
}

// urlLike is a URL, or what follows the words of net/http about a proxy's address and
// the target of a redirect, which need not look like one.
var urlLike = regexp.MustCompile(`((?:parse|address|header|URL) )"(?:\\.|[^"\\])*"|[A-Za-z][A-Za-z0-9+.-]*://[^\s"]*`)

// quoted is what url.Parse says of a password with a slash, a ?, a # or a % in it.
var quoted = regexp.MustCompile(`(invalid (?:port|URL escape|character)) "(?:\\.|[^"\\])*"`)

// Hide returns err, or one with another text if there is a URL in it. errors.Is finds
// the same below both.
func Hide(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	clean := quoted.ReplaceAllString(urlLike.ReplaceAllString(text, "${1}[URL]"), "$1")
	if clean == text {
		return err
	}
	return &hidden{text: clean, err: err}
}

// A hidden error has no Unwrap: code that prints each error of a chain would print what
// is hidden.
type hidden struct {
	text string
	err  error
}

func (h *hidden) Error() string { return h.text }

func (h *hidden) Is(target error) bool { return errors.Is(h.err, target) }
