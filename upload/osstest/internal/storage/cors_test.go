package storage

import "testing"

func TestPatterns(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"*", "anything", true},
		{"*", "", true},
		{"http://*", "http://a", true},
		{"http://*", "https://a", false},
		{"ab*ba", "abba", true},
		{"ab*ba", "aba", false}, // no letter counts twice
		{"X-Oss-*", "x-oss-date", true},
		{"a.example.com", "aXexample.com", false},
	} {
		if got := matchesAny([]string{"other", test.pattern}, test.text); got != test.want {
			t.Errorf("%q for %q: got %t; want %t", test.pattern, test.text, got, test.want)
		}
	}
}
