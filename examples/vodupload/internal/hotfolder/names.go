package hotfolder

import (
	"path"
	"strings"
)

// DefaultTemporary are the patterns of names that say "not yet": of browsers, of FTP
// servers, of rsync, of object gateways, of editors.
var DefaultTemporary = []string{
	"*.part", "*.tmp", "*.partial", "*.crdownload", "*.filepart", "*.download", "*.part.minio",
	"*.opdownload", "*.!ut", "*.aspx-partial", "*.aspera-ckpt", ".*", "~*",
}

// isTemporary reports whether name, or a folder that it is in, says "not yet". name has
// slashes and is relative to the folder.
func isTemporary(patterns []string, name string) bool {
	for part := range strings.SplitSeq(strings.ToLower(name), "/") {
		for _, pattern := range patterns {
			if ok, _ := path.Match(strings.ToLower(pattern), part); ok {
				return true
			}
		}
	}
	return false
}

// mainOf returns the name of the file that a sidecar belongs to, if name is one.
func mainOf(triggers []string, name string) (main string, ok bool) {
	for _, suffix := range triggers {
		if main, ok := strings.CutSuffix(name, suffix); ok && path.Base(main) != "." && main != "" && !strings.HasSuffix(main, "/") {
			return main, true
		}
	}
	return "", false
}

// within reports whether name is dir or below it. An empty dir is none.
func within(name, dir string) bool {
	return dir != "" && (name == dir || strings.HasPrefix(name, dir+"/"))
}
