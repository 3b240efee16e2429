package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write the files that are compared with")

// The help of every command is what testdata/help has. To accept a change:
//
//	go test ./vodupload -run TestHelp -update
func TestHelp(t *testing.T) {
	var all func(cmd *cobra.Command)
	seen := make(map[string]bool)
	all = func(cmd *cobra.Command) {
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".txt"
		seen[name] = true
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			w := newWorld(t)
			args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
			got := w.run(args...).wants(t, exitOK).stdout
			path := filepath.Join("testdata", "help", name)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || got != string(want) {
				t.Errorf("%v: got\n%s\nwant\n%s", err, got, want)
			}
			for line := range strings.Lines(got) {
				if cmd.Short == "" || strings.HasSuffix(line, " \n") || strings.Contains(line, " string ") || strings.Contains(line, " int ") {
					t.Errorf("a line says too little: %q", line)
				}
			}
		})
		for _, sub := range cmd.Commands() {
			if !sub.Hidden && sub.Name() != "help" {
				all(sub)
			}
		}
	}
	root := newRoot(&app{})
	root.InitDefaultCompletionCmd()
	all(root)
	files, err := os.ReadDir(filepath.Join("testdata", "help"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !seen[f.Name()] {
			t.Errorf("%s belongs to no command", f.Name())
		}
	}
}

func TestHelpFitsTheTerminal(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "help", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	words := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := fitted(string(text), 0); got != string(text) {
			t.Errorf("%s: without a terminal it is another text", path)
		}
		for _, columns := range []int{60, 80, 120} {
			got := fitted(string(text), columns)
			if words(got) != words(string(text)) {
				t.Errorf("%s at %d columns has other words:\n%s", path, columns, got)
			}
			for line := range strings.Lines(got) {
				if len(line) > columns && line[0] != '\t' { // those are commands to copy
					t.Errorf("%s at %d columns has a longer line: %q", path, columns, line)
				}
			}
		}
	}
	got := fitted("Shows what\nis there.\n\nFlags:\n  -q, --quiet   report errors only\n", 32)
	want := "Shows what is there.\n\nFlags:\n  -q, --quiet   report errors\n                only\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestCompletion(t *testing.T) {
	w := newWorld(t)
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := w.run("completion", shell).wants(t, exitOK); !strings.Contains(r.stdout, "vodupload") {
			t.Errorf("%s: %q", shell, r.stdout)
		}
	}
	if r := w.run("__complete", "cp", "--compare", "").wants(t, exitOK); !strings.Contains(r.stdout, "crc64\n") {
		t.Errorf("--compare completes to %q", r.stdout)
	}
}
