package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const repository = "../.."

// The page's program is the first that people copy.
func TestREADMEProgramCompiles(t *testing.T) {
	_, program, _ := strings.Cut(readme(t), "\n```go\n")
	program, _, found := strings.Cut(program, "```\n")
	if !found {
		t.Fatal("README.md has no Go program")
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "vet", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestREADMELinksResolve(t *testing.T) {
	links := regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(readme(t), -1)
	if len(links) == 0 {
		t.Fatal("README.md has no links")
	}
	for _, link := range links {
		if strings.HasPrefix(link[1], "https://") {
			continue
		}
		if _, err := os.Stat(filepath.Join(repository, link[1])); err != nil {
			t.Errorf("README.md: %v", err)
		}
	}
}

// The two have the same commands, program and links. Comments may be in the language of
// the page.
func TestREADMEsAgree(t *testing.T) {
	english, chinese := readme(t), page(t, "README.zh-CN.md")
	for what, of := range map[string]func(string) []string{"code": code, "links": links, "headings": headings, "rows of tables": rows} {
		got, want := of(chinese), of(english)
		if len(want) == 0 {
			t.Errorf("README.md has no %s", what)
		}
		for i := range max(len(got), len(want)) {
			g, w := at(got, i), at(want, i)
			if g != w {
				t.Errorf("%s: README.zh-CN.md has %q where README.md has %q", what, g, w)
				break
			}
		}
	}
	if got, want := strings.Count(chinese, "\n"), strings.Count(english, "\n"); got < want*8/10 {
		t.Errorf("README.zh-CN.md has %d lines, README.md %d: something is left out", got, want)
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "nothing more"
}

// code returns the lines of the blocks of code, without comments.
func code(text string) (lines []string) {
	comment := regexp.MustCompile(`\s+(#|//) .*$`)
	fenced := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		if fenced || strings.HasPrefix(line, "    ") {
			lines = append(lines, comment.ReplaceAllString(strings.TrimRight(line, "\n"), ""))
		}
	}
	return lines
}

// links returns where the links lead, in alphabetical order: sentences differ in theirs.
// Each page links to the other.
func links(text string) (targets []string) {
	for _, link := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(link[1], "README") {
			targets = append(targets, link[1])
		}
	}
	slices.Sort(targets)
	return targets
}

// headings returns the levels of the headings.
func headings(text string) []string {
	return regexp.MustCompile(`(?m)^#+ `).FindAllString(text, -1)
}

// rows returns how many cells each row of the tables has.
func rows(text string) (cells []string) {
	for _, row := range regexp.MustCompile(`(?m)^\|.*$`).FindAllString(text, -1) {
		cells = append(cells, fmt.Sprint(strings.Count(row, "|")-1))
	}
	return cells
}

func readme(t *testing.T) string {
	t.Helper()
	return page(t, "README.md")
}

func page(t *testing.T, name string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}
