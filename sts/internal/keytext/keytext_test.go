package keytext

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, ok := range []string{"", "LTAI5tBk", "STS.NUr3nX", "CAIS+/=_-.~", "a{b}|c"} {
		if err := Check(ok); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for bad, want := range map[string]string{
		"VALUE\n":       "has a line break (U+000A) at its end",
		"VALUE\r\n":     "has a carriage return (U+000D) at byte 6 of 7",
		"\ufeffVALUE":   "has a byte order mark (U+FEFF) at its beginning",
		" VALUE":        "has a space (U+0020) at its beginning",
		"VALUE\t":       "has a tab (U+0009) at its end",
		"VAL UE":        "has a space (U+0020) at byte 4 of 6",
		"VALUE\u00a0":   "has a no-break space (U+00A0) at its end",
		"\"VALUE\"":     "has a quotation mark (U+0022) at its beginning",
		"VALUE'":        "has a quotation mark (U+0027) at its end",
		"“VALUE”":       "has a quotation mark (U+201C) at its beginning",
		"VALUE\x00":     "has a control character (U+0000) at its end",
		"VALUE\x7f":     "has a control character (U+007F) at its end",
		"VALUE\u200b":   "has a zero width space (U+200B) at its end",
		"VALUÉ":         "has a character that is not ASCII (U+00C9) at its end",
		"VALUE\xff":     "has a byte that is not UTF-8 at its end",
		"VALUE\u2028":   "has a character that is not ASCII (U+2028) at its end",
		"VALUE\ufffdx":  "has a byte that is not UTF-8 at byte 6 of 9",
		"\u202eVALUE\n": "has a character that is not ASCII (U+202E) at its beginning",
	} {
		err := Check(bad)
		if err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want it to say %q", bad, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "VAL") {
			t.Errorf("%q: the error shows the value: %v", bad, err)
		}
	}
}
