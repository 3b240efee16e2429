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
