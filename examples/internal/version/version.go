// Package version says which build of a program is running, for the programs'
// -version flags.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Library is the module whose version matters to whoever reports a problem.
const Library = "github.com/vodupload/vodupload"

// revisionLength is how much of a commit's hash is shown.
const revisionLength = 12

// Line returns one line with the program's version, the library's where it is another
// one, and those of Go and the platform.
func Line(program string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return line(program, info, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
}

func line(program string, info *debug.BuildInfo, goVersion, platform string) string {
	own := revised(info)
	text := program + " " + own
	if library := libraryVersion(info); library != "" && library != own {
		text += ", library " + library
	}
	return fmt.Sprintf("%s, %s, %s", text, goVersion, platform)
}

// revised is the version of the main module. A build out of a working copy has the
// commit in it.
func revised(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	revision := settings["vcs.revision"]
	if revision == "" {
		return "(devel)"
	}
	revision = revision[:min(revisionLength, len(revision))]
	if settings["vcs.modified"] == "true" {
		revision += ", modified"
	}
	return revision
}

// libraryVersion is that of the library as a dependency; empty where it is the working
// copy beside the program.
func libraryVersion(info *debug.BuildInfo) string {
	for _, m := range info.Deps {
		if m.Path == Library && m.Replace == nil && m.Version != "(devel)" {
			return m.Version
		}
	}
	return ""
}
