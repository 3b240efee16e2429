package sts

import (
	"errors"
	"strings"
	"unicode"
)

// splitCommand splits a line of a configuration into a program and its arguments: at
// white space, but not within quotes. A backslash takes the next character as it is,
// except within single quotes, and except on Windows, where it separates folders.
// Nothing is expanded, and no shell is started.
func splitCommand(line string, windows bool) ([]string, error) {
	var args []string
	var word strings.Builder
	var quote rune // that is open; 0: none
	inWord, escaped := false, false
	for _, r := range line {
		switch {
		case escaped:
			escaped = false
			word.WriteRune(r)
		case r == '\\' && !windows && quote != '\'':
			escaped, inWord = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, inWord = r, true
		case !unicode.IsSpace(r):
			inWord = true
			word.WriteRune(r)
		case inWord:
			args = append(args, word.String())
			word.Reset()
			inWord = false
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("a quote is not closed, or the last character is a backslash")
	}
	if inWord {
		args = append(args, word.String())
	}
	if len(args) == 0 || args[0] == "" {
		return nil, errors.New("it is empty")
	}
	return args, nil
}
