package selection_test

import (
	"testing"
	"time"

	"github.com/vodupload/vodupload/examples/vodupload/internal/selection"
)

func TestFile(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		outcome string
		rules   selection.Rules
		name    string
		age     time.Duration
		want    bool
	}{
		{"everything without rules", selection.Rules{}, "a/b.mp4", 0, true},
		{"a name that is included", selection.Rules{Include: []string{"*.mp4"}}, "a/b.mp4", 0, true},
		{"a name that is not included", selection.Rules{Include: []string{"*.mp4"}}, "a/b.mov", 0, false},
		{"one of several", selection.Rules{Include: []string{"*.{mp4,mov}"}}, "a/b.mov", 0, true},
		{"a path that is included", selection.Rules{Include: []string{"a/**"}}, "a/b/c.mp4", 0, true},
		{"a path elsewhere", selection.Rules{Include: []string{"a/**"}}, "b/a/c.mp4", 0, false},
		{"exclude before include", selection.Rules{Include: []string{"*.mp4"}, Exclude: []string{"raw*"}}, "a/raw1.mp4", 0, false},
		{"a leading slash is the folder", selection.Rules{Exclude: []string{"/b.mp4"}}, "a/b.mp4", 0, true},
		{"deep enough", selection.Rules{MaxDepth: 2}, "a/b.mp4", 0, true},
		{"too deep", selection.Rules{MaxDepth: 1}, "a/b.mp4", 0, false},
		{"too young", selection.Rules{MinAge: time.Minute}, "b.mp4", 59 * time.Second, false},
		{"old enough", selection.Rules{MinAge: time.Minute}, "b.mp4", time.Minute, true},
		{"of the future", selection.Rules{MinAge: time.Minute}, "b.mp4", -time.Hour, false},
	} {
		t.Run(test.outcome, func(t *testing.T) {
			if got := test.rules.File(test.name, now.Add(-test.age), now); got != test.want {
				t.Errorf("File(%q) is %v", test.name, got)
			}
		})
	}
}

func TestFolder(t *testing.T) {
	for _, test := range []struct {
		outcome string
		rules   selection.Rules
		name    string
		want    bool
	}{
		{"everything without rules", selection.Rules{}, "a/b", true},
		{"includes are for files", selection.Rules{Include: []string{"*.mp4"}}, "a", true},
		{"excluded with all in it", selection.Rules{Exclude: []string{".git"}}, "a/.git", false},
		{"the deepest that has files", selection.Rules{MaxDepth: 2}, "a", true},
		{"deeper", selection.Rules{MaxDepth: 2}, "a/b", false},
		{"the deepest, with a slash at its end", selection.Rules{MaxDepth: 2}, "a/", true},
		{"excluded by its path", selection.Rules{Exclude: []string{"a/b"}}, "a/b/", false},
		{"excluded by a leading slash", selection.Rules{Exclude: []string{"/a"}}, "a/", false},
		{"excluded by a pattern that ends in a slash", selection.Rules{Exclude: []string{"a/b/"}}, "a/b", false},
	} {
		t.Run(test.outcome, func(t *testing.T) {
			if got := test.rules.Folder(test.name); got != test.want {
				t.Errorf("Folder(%q) is %v", test.name, got)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	for pattern, want := range map[string]bool{"*.mp4": true, "a/**": true, "": false, "[a": false, "{a": false} {
		if err := selection.Check(pattern); (err == nil) != want {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}
