package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
)

// howToResume returns the command that resumes this run, which is the same once more. One
// that has a secret in it is not repeated.
func (a *app) howToResume() string {
	words := []string{"vodupload"}
	for _, arg := range a.args {
		switch {
		case hasSecret(arg):
			return "the same command resumes"
		case arg == "-":
			return "run the same command again, with the same standard input"
		}
		words = append(words, quote(arg))
	}
	return "resume with: " + strings.Join(words, " ")
}

// sayInterrupted says what has ended the run, and how it is resumed.
func (a *app) sayInterrupted(r *output.Reporter, cause error) {
	r.Say("%v: %s", cause, a.howToResume())
}

// hasSecret reports whether an argument has a URL that may be signed or have a password.
func hasSecret(arg string) bool {
	if _, value, found := strings.Cut(arg, "="); found && strings.HasPrefix(arg, "--") {
		arg = value
	}
	u, err := url.Parse(arg)
	return err == nil && u.Scheme != "" && (u.User != nil || u.RawQuery != "")
}

// quote returns a word as a shell takes it, and as a terminal shows it.
func quote(word string) string {
	if output.Safe(word) != word {
		return "$'" + escape(word) + "'"
	}
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,+@%", r) || r > 0x7f
	}
	if word != "" && strings.TrimFunc(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// escape returns the bytes of a word for a shell's quotation marks of the form $'...'.
func escape(word string) string {
	var b strings.Builder
	for _, c := range []byte(word) {
		if c < ' ' || c > '~' || c == '\'' || c == '\\' {
			fmt.Fprintf(&b, `\x%02x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
