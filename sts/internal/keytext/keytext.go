// Package keytext checks the strings that an access key consists of.
package keytext

import (
	"fmt"
	"unicode/utf8"
)

// Check returns an error for what cannot be part of an access key's ID, its secret or a
// security token: these are printable ASCII without spaces and quotation marks. What
// comes with them from a file, a form or a shell would fail later, as a signature that
// does not match. The error names the character and its place, and nothing else of the
// value.
func Check(value string) error {
	for i, c := range value {
		if c > ' ' && c < 0x7f && c != '"' && c != '\'' && c != '`' {
			continue
		}
		size := utf8.RuneLen(c)
		if c == utf8.RuneError {
			_, size = utf8.DecodeRuneInString(value[i:])
		}
		place := fmt.Sprintf("at byte %d of %d", i+1, len(value))
		switch {
		case i == 0:
			place = "at its beginning"
		case i+size == len(value):
			place = "at its end"
		}
		return fmt.Errorf("has %s %s", name(c), place)
	}
	return nil
}

// names are those of characters that are not seen, or often come along.
var names = map[rune]string{
	'\t': "a tab", '\n': "a line break", '\r': "a carriage return", ' ': "a space", '\u00a0': "a no-break space",
	'\ufeff': "a byte order mark", '\u200b': "a zero width space", utf8.RuneError: "a byte that is not UTF-8",
	'"': "a quotation mark", '\'': "a quotation mark", '`': "a quotation mark",
	'“': "a quotation mark", '”': "a quotation mark", '‘': "a quotation mark", '’': "a quotation mark",
}

func name(c rune) string {
	n, ok := names[c]
	switch {
	case c == utf8.RuneError:
		return n
	case ok:
		return fmt.Sprintf("%s (%U)", n, c)
	case c < ' ' || c == 0x7f:
		return fmt.Sprintf("a control character (%U)", c)
	}
	return fmt.Sprintf("a character that is not ASCII (%U)", c)
}
