package sts

import (
	"slices"
	"testing"
)

func TestSplitCommand(t *testing.T) {
	tests := []struct {
		line    string
		windows bool
		want    []string // nil: an error
	}{
		{"helper", false, []string{"helper"}},
		{"  helper  --profile\tmedia \n", false, []string{"helper", "--profile", "media"}},
		{`"/opt/my tools/helper" 'a b' c"d e"f`, false, []string{"/opt/my tools/helper", "a b", "cd ef"}},
		{`helper "" ''`, false, []string{"helper", "", ""}},
		{`helper a\ b "c\"d" 'e\f'`, false, []string{"helper", "a b", `c"d`, `e\f`}},
		{`C:\tools\helper.exe "C:\my tools\x"`, true, []string{`C:\tools\helper.exe`, `C:\my tools\x`}},
		{`helper $HOME;rm`, false, []string{"helper", "$HOME;rm"}},
		{``, false, nil},
		{`   `, false, nil},
		{`""`, false, nil},
		{`helper "open`, false, nil},
		{`helper 'open`, false, nil},
		{`helper \`, false, nil},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			got, err := splitCommand(tt.line, tt.windows)
			if (err != nil) != (tt.want == nil) || !slices.Equal(got, tt.want) {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestHomeFolder(t *testing.T) {
	tests := []struct {
		name    string
		windows bool
		vars    map[string]string
		want    string
	}{
		{"unix", false, map[string]string{"HOME": "/home/me", "USERPROFILE": "x"}, "/home/me"},
		{"unix without HOME", false, map[string]string{"USERPROFILE": "x"}, ""},
		{"Windows", true, map[string]string{"HOMEDRIVE": "C:", "HOMEPATH": `\Users\me`, "USERPROFILE": "x", "HOME": "y"}, `C:\Users\me`},
		{"Windows without HOMEPATH", true, map[string]string{"USERPROFILE": `C:\Users\me`, "HOME": "y"}, `C:\Users\me`},
		{"Windows without either", true, map[string]string{"HOME": "y"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := homeFolder(tt.windows, func(name string) string { return tt.vars[name] }); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
