package webupload_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Every text that a person can see has a Chinese one.
func TestTextsAreTranslated(t *testing.T) {
	read := func(name string) string {
		t.Helper()
		data, err := os.ReadFile(filepath.Join("page", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	chinese := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\t"([^"]+)": "`).FindAllStringSubmatch(read("zh.js"), -1) {
		chinese[m[1]] = true
	}
	literal := regexp.MustCompile(`"([A-Z][a-z][^"]* [^"]*|\{0\}[^"]+)"`)
	called := regexp.MustCompile(`\bt\("([^"]+)"`)
	marked := regexp.MustCompile(`data-(?:t|label)="([^"]+)"`)
	used := map[string]bool{}
	for name, forms := range map[string][]*regexp.Regexp{
		"failure.js": {literal}, "upload.js": {literal}, "tokens.js": {literal}, "bucket.js": {literal}, "main.js": {literal, called},
		"view.js": {literal, called}, "uploads.js": {literal, called}, "index.html": {marked},
	} {
		for _, form := range forms {
			for _, m := range form.FindAllStringSubmatch(read(name), -1) {
				used[m[1]] = true
				if !chinese[m[1]] {
					t.Errorf("%s: %q has no Chinese text in zh.js", name, m[1])
				}
			}
		}
	}
	states := regexp.MustCompile(`(?m)^const states = .*$`).FindString(read("view.js"))
	for _, m := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(states, -1) {
		used[m[1]] = true
		if !chinese[m[1]] {
			t.Errorf("the state %q has no Chinese text in zh.js", m[1])
		}
	}
	if len(used) < 50 {
		t.Errorf("found only %d texts: the test does not see them all", len(used))
	}
}
