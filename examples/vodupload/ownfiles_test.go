package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCpLeavesOutWhatItWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tree()
	w.state = filepath.Join(w.dir, "state")
	list := filepath.Join(w.dir, "done.jsonl")
	log, err := os.Create(filepath.Join(w.dir, "log.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	copied := func(args ...string) (code int, said string) {
		t.Helper()
		args = append([]string{"cp"}, append(args, "--manifest", list, "--checkpoint-dir", w.state, "--endpoint", w.server.URL)...)
		code = run(args, env{stdin: strings.NewReader(""), stdout: log, stderr: log, environ: w.environ, now: time.Now, signals: w.signals, exit: w.exit})
		text, _ := os.ReadFile(log.Name())
		return code, string(text)
	}
	for range 2 { // the second finds all of them
		code, said := copied(w.dir, "oss://media/z/")
		if n := len(w.server.Objects("media")); code != exitOK || n != 4 {
			t.Errorf("exit code %d, %d objects, want those of the tree\n%s", code, n, said)
		}
		for _, path := range []string{list, w.state, log.Name()} {
			if !strings.Contains(said, "left out: "+path) {
				t.Errorf("nobody says that %s is left out:\n%s", path, said)
			}
		}
	}
	for _, path := range []string{list, w.state, log.Name()} {
		t.Run("and refuses it as a source: "+filepath.Base(path), func(t *testing.T) {
			if code, said := copied(path, "oss://media/z/"); code != exitUsage || !strings.Contains(said, path+": this run writes to it") {
				t.Errorf("exit code %d\n%s", code, said)
			}
		})
	}
}
