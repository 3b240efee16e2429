package target

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line makes a string of a user's or a server's fit for one line of text: whatever
// breaks a line, moves the cursor, changes the direction of writing or cannot be seen
// comes as an escape, like \n, \u2028 or \xff. All other text stays as it is.
func Line(s string) string {
	if fit(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		writeRune(&b, r, s[:n])
		s = s[n:]
	}
	return b.String()
}

func fit(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7f { // ASCII is most of all text
			return utf8.ValidString(s) && strings.IndexFunc(s, unfit) < 0
		}
	}
	return true
}

// unfit is true for control and format characters, for the separators of lines and
// paragraphs, and for what is no character at all.
func unfit(r rune) bool { return !unicode.IsGraphic(r) }

func writeRune(b *strings.Builder, r rune, raw string) {
	switch {
	case r == utf8.RuneError && len(raw) == 1:
		fmt.Fprintf(b, `\x%02x`, raw[0])
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\t':
		b.WriteString(`\t`)
	case unfit(r) && r < 0x80:
		fmt.Fprintf(b, `\x%02x`, r)
	case unfit(r) && r > 0xffff:
		fmt.Fprintf(b, `\U%08x`, r)
	case unfit(r):
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		b.WriteRune(r)
	}
}

// ClipLine is Line for text that may be too long to be printed whole: it keeps the first
// bytes of it, at most limit, and says by an ellipsis that there is more.
func ClipLine(s string, limit int) string {
	if short := head(s, limit); len(short) < len(s) {
		return Line(short) + "…"
	}
	return Line(s)
}

// Clip shortens a value for an error that quotes it, with %q.
func Clip(s string) string {
	if short := head(s, 80); len(short) < len(s) {
		return short + "…"
	}
	return s
}

// head returns the first bytes of s, at most limit, and no half of a character.
func head(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// OneLine returns err, or an error with the same causes whose text is one line if
// err's is not. The texts that errors.Join has put one below the other are separated by "; ".
func OneLine(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if fit(text) {
		return err
	}
	return &lineError{Line(separated(err, text)), err}
}

// Text returns the text of err as [OneLine] does.
func Text(err error) string { return Line(Separated(err)) }

// Separated returns the text of err with "; " between what errors.Join has joined, in it or
// in its causes. Line breaks of other origin stay.
func Separated(err error) string { return separated(err, err.Error()) }

func separated(err error, text string) string {
	if !strings.Contains(text, "\n") {
		return text
	}
	var causes []error
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		causes = []error{e.Unwrap()}
	case interface{ Unwrap() []error }:
		causes = e.Unwrap()
	}
	var b strings.Builder
	for i, cause := range causes {
		if cause == nil {
			continue
		}
		inner := cause.Error()
		before, after, found := strings.Cut(text, inner)
		if !found || inner == "" {
			continue
		}
		if i > 0 && strings.Trim(before, "\n") == "" {
			before = strings.ReplaceAll(before, "\n", "; ")
		}
		b.WriteString(before + separated(cause, inner))
		text = after
	}
	return b.String() + text
}

type lineError struct {
	text string
	err  error
}

func (e *lineError) Error() string { return e.text }

func (e *lineError) Unwrap() error { return e.err }

// Join is errors.Join with a text of one line.
func Join(errs ...error) error {
	errs = slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil })
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return joinedError(errs)
}

type joinedError []error

func (e joinedError) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = Text(err)
	}
	return strings.Join(texts, "; ")
}

func (e joinedError) Unwrap() []error { return e }
