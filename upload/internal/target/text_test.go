package target

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"":                         "",
		"in/talk.mp4":              "in/talk.mp4",
		"影片/ü　é.mp4":               "影片/ü　é.mp4",
		`C:\media\a.mp4`:           `C:\media\a.mp4`,
		"a\nb\r\n":                 `a\nb\r\n`,
		"a\tb":                     `a\tb`,
		"a\x00\x1b[31mred\x7f":     `a\x00\x1b[31mred\x7f`,
		"a\u0085b\u2028c\u2029d":   `a\u0085b\u2028c\u2029d`,
		"a\u202egpj.exe\u2066b":    `a\u202egpj.exe\u2066b`,
		"\ufeffa\u200bb":           `\ufeffa\u200bb`,
		"a\xffb\xe5\xbd":           `a\xffb\xe5\xbd`,
		"\U000e0001x\ue000":        `\U000e0001x\ue000`,
		"a replacement \ufffd too": "a replacement \ufffd too",
	} {
		if got := Line(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct {
		in    string
		limit int
		want  string
	}{
		{"talk", 4, "talk"},
		{"talks", 4, "talk…"},
		{"影片", 4, "影…"},
		{"影片", 2, "…"},
		{"a\nb\nc", 3, `a\nb…`},
		{"\xff\xff\xff", 2, `\xff\xff…`},
	} {
		if got := ClipLine(c.in, c.limit); got != c.want {
			t.Errorf("%q to %d bytes: got %q, want %q", c.in, c.limit, got, c.want)
		}
	}
}

func TestOneLine(t *testing.T) {
	if OneLine(nil) != nil {
		t.Error("nil is an error")
	}
	if plain := errors.New("plain"); OneLine(plain) != plain {
		t.Error("an error of one line is not returned as it is")
	}
	err := OneLine(fmt.Errorf("open: %w", &fs.PathError{Op: "open", Path: "a\nb", Err: fs.ErrNotExist}))
	if strings.ContainsAny(err.Error(), "\n") || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %q, want one line with its cause", err)
	}
}

func TestOneLineOfJoinedErrors(t *testing.T) {
	one, two := errors.New("one"), fmt.Errorf("name a\nb: %w", fs.ErrNotExist)
	for want, err := range map[string]error{
		`one; name a\nb: file does not exist`:       errors.Join(one, two),
		`read: one; name a\nb: file does not exist`: fmt.Errorf("read: %w", errors.Join(one, nil, two)),
		`one; read: one; one; done`:                 errors.Join(one, fmt.Errorf("read: %w; done", errors.Join(one, one))),
		`a\nb: one; one`:                            fmt.Errorf("a\nb: %w", errors.Join(one, one)),
		`one; ; one`:                                errors.Join(one, errors.New(""), one),
		`upload: one; one`:                          fmt.Errorf("upload: %w", OneLine(errors.Join(one, one))),
		`another text\nof one`:                      textError{"another text\nof one", errors.Join(one, two)},
	} {
		if got := OneLine(err); got.Error() != want || Text(err) != want || !errors.Is(got, one) {
			t.Errorf("got %q and %q, want %q with its causes", got, Text(err), want)
		}
	}
}

// A textError does not have the text of its cause in its own.
type textError struct {
	text  string
	cause error
}

func (e textError) Error() string { return e.text }
func (e textError) Unwrap() error { return e.cause }

func FuzzLine(f *testing.F) {
	for _, s := range []string{"a\nb", "\u2028", "\x1b[0m", "影", "\xff", "\u202e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Line(s)
		if !fit(got) || Line(got) != got {
			t.Fatalf("%q: got %q, which is not fit for a line", s, got)
		}
		if clipped := ClipLine(s, 10); !fit(clipped) {
			t.Fatalf("%q: clipped to %q", s, clipped)
		}
	})
}

func TestJoin(t *testing.T) {
	one, two := errors.New("one"), fmt.Errorf("two\nlines: %w", fs.ErrNotExist)
	if Join() != nil || Join(nil, nil) != nil || Join(nil, one) != one {
		t.Error("no error or one is not returned as it is")
	}
	err := Join(one, nil, two)
	if err.Error() != `one; two\nlines: file does not exist` || !errors.Is(err, one) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %q, want one line with both causes", err)
	}
}
