package flagtype_test

import (
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/vodupload/vodupload/examples/vodupload/internal/flagtype"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "4096": 4096, "100K": 100 << 10, "100k": 100 << 10, "100Ki": 100 << 10, "100KiB": 100 << 10, "8M": 8 << 20,
		"8mib": 8 << 20, "1.5G": 3 << 29, "2Ti": 2 << 40,
		"": -1, "K": -1, "-1": -1, "+1": -1, "1e3": -1, "1 M": -1, "8X": -1, "NaN": -1, "Inf": -1, "0x10": -1, "9999999T": -1, "1.2.3": -1, "1_000": -1,
	} {
		got, err := flagtype.ParseSize(text)
		if err != nil && want != -1 || err == nil && got != want {
			t.Errorf("%q: got %d, %v; want %d", text, got, err, want)
		}
	}
}

// What a flag prints as its value can be given to it.
func TestValues(t *testing.T) {
	pair := func(text string) string { // in a map that Set has made
		var p flagtype.Pairs
		if p.Set(text) != nil {
			return "error"
		}
		return p.String()
	}
	for _, test := range []struct {
		flag     pflag.Value
		in, want string
	}{
		{&flagtype.Size{Min: 100 << 10, Max: 5 << 30}, "100K", "100K"},
		{&flagtype.Size{Min: 100 << 10, Max: 5 << 30}, "102399", "error"},
		{&flagtype.Size{Min: 100 << 10, Max: 5 << 30}, "6G", "error"},
		{&flagtype.Size{}, "1025", "1025"},
		{&flagtype.Number{Min: 1, Max: 1000, Word: "auto", AsWord: -7}, "auto", "auto"},
		{&flagtype.Number{Min: 1, Max: 1000, Word: "auto", AsWord: -7}, "1000", "1000"},
		{&flagtype.Number{Min: 1, Max: 1000, Word: "auto", AsWord: -7}, "0", "error"},
		{&flagtype.Number{Max: 3}, "-1", "error"},
		{&flagtype.Number{Max: 3}, "3x", "error"},
		{&flagtype.Choice{Of: []string{"IA", "Archive"}}, "archive", "Archive"},
		{&flagtype.Choice{Of: []string{"IA", "Archive"}}, "Arch", "error"},
		{&flagtype.Duration{Min: time.Second}, "90s", "1m30s"},
		{&flagtype.Duration{Min: time.Second}, "1ms", "error"},
		{&flagtype.Duration{}, "-1s", "error"},
		{&flagtype.Duration{}, "5", "error"},
	} {
		got := "error"
		if test.flag.Set(test.in) == nil {
			got = test.flag.String()
		}
		if got != test.want {
			t.Errorf("%T %q: got %s, want %s", test.flag, test.in, got, test.want)
		}
	}
	for in, want := range map[string]string{"a=b=c": "a=b=c", "a=": "a=", "=b": "error", "a": "error"} {
		if got := pair(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
	var twice flagtype.Pairs
	if twice.Set("a=1") != nil || twice.Set("a=2") == nil {
		t.Error("a name may be given twice")
	}
}
