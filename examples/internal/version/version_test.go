package version

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	const rest = ", go1.26.0, linux/amd64"
	library := func(version string, replace *debug.Module) []*debug.Module {
		return []*debug.Module{{Path: "example.com/other", Version: "v9.0.0"}, {Path: Library, Version: version, Replace: replace}}
	}
	commit := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.modified", Value: modified}}
	}
	for _, tt := range []struct {
		name, want string
		info       debug.BuildInfo
	}{
		{"nothing is known", "vod (devel)", debug.BuildInfo{}},
		{"go run in a working copy", "vod (devel)", debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Deps: library("(devel)", nil)}},
		{"a commit", "vod 0123456789ab", debug.BuildInfo{Settings: commit("false")}},
		{"a commit with changes", "vod 0123456789ab, modified", debug.BuildInfo{Settings: commit("true")}},
		{"a release", "vod v0.3.0", debug.BuildInfo{Main: debug.Module{Version: "v0.3.0"}, Deps: library("v0.3.0", nil), Settings: commit("false")}},
		{"a release with a newer library", "vod v0.3.0, library v0.3.1", debug.BuildInfo{Main: debug.Module{Version: "v0.3.0"}, Deps: library("v0.3.1", nil)}},
		{"the library beside it", "vod v0.3.0", debug.BuildInfo{Main: debug.Module{Version: "v0.3.0"}, Deps: library("v0.0.0-1", &debug.Module{Path: "../"})}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := line("vod", &tt.info, "go1.26.0", "linux/amd64"); got != tt.want+rest {
				t.Errorf("got %q, want %q", got, tt.want+rest)
			}
		})
	}
}

func TestLineOfThisProgram(t *testing.T) {
	if got := Line("test"); !strings.HasPrefix(got, "test ") || !strings.Contains(got, ", go1.") {
		t.Errorf("got %q", got)
	}
}
