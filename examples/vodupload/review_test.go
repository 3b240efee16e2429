package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/osstest"
)

func TestWrongFoldersAndNamesAreUsage(t *testing.T) {
	t.Parallel()
	for outcome, test := range map[string]struct {
		args []string
		env  string
		says string
	}{
		"an object that begins with a slash":  {[]string{"cp", "FILE", "oss://media//a.mp4"}, "", "do not begin with a slash: wanted oss://media/a.mp4"},
		"a prefix that is a slash":            {[]string{"cp", "FILE", "oss://media//"}, "", "do not begin with a slash: wanted oss://media/\n"},
		"a folder that cannot be":             {[]string{"cp", "FILE", "oss://media/", "--checkpoint-dir", "FILE/x"}, "", "--checkpoint-dir"},
		"a folder that cannot be, of uploads": {[]string{"uploads", "--checkpoint-dir", "FILE/x"}, "", "--checkpoint-dir"},
		"a manifest that cannot be":           {[]string{"cp", "FILE", "oss://media/", "--manifest", "FILE/x"}, "", "--manifest"},
		"a region that is none":               {[]string{"cp", "FILE", "oss://media/"}, "OSS_REGION=cn hangzhou", "region"},
		"an age that is none":                 {[]string{"sweep", "--older-than", "soon"}, "", "wanted a time like 90s, 10m or 1h30m, or 0s"},
		"a pause that is none":                {[]string{"watch", "DIR", "oss://media/", "--settle", "0s"}, "", "wanted a time like 90s"},
		"a number that is none":               {[]string{"verify", "DIR", "oss://media/"}, "VODUPLOAD_PARALLEL=many", "wanted a number from 1 to 1000, or auto"},
		"a source that is empty":              {[]string{"cp", "FILE", "", "oss://media/"}, "", "one source is empty"},
		"two that are contrary":               {[]string{"cp", "FILE", "oss://media/", "-q", "-v"}, "", "--quiet and --verbose: wanted one of them"},
		"a shell of nobody":                   {[]string{"completion", "csh"}, "", "csh"},
		"a list with zero bytes":              {[]string{"cp", "--files-from", "-", "DIR", "oss://media/"}, "", "--files-from0"},
	} {
		t.Run(outcome, func(t *testing.T) {
			w := newWorld(t)
			w.stdin = "a.mp4\x00b.mp4\x00"
			w.environ = append(w.environ, "VODUPLOAD_CHECKPOINT_DIR="+w.state, test.env)
			file := w.file("a.mp4", 10)
			var args []string
			for _, arg := range test.args {
				args = append(args, strings.NewReplacer("FILE", file, "DIR", w.dir).Replace(arg))
			}
			w.environ = append(w.environ, "VODUPLOAD_ENDPOINT="+w.server.URL)
			r := w.run(args...).wants(t, exitUsage)
			r.says(t, test.says)
			if strings.Contains(r.stderr, "strconv") || strings.Contains(r.stderr, "/check") {
				t.Errorf("says what nobody has typed: %s", r.stderr)
			}
		})
	}
}

func TestFlagsOfOneCommandAreNoErrorOfAnother(t *testing.T) {
	w := verified(t)
	w.environ = append(w.environ, "VODUPLOAD_PARALLEL=auto")
	w.verify().wants(t, exitOK)
}

// What is no list, like the film itself, is not read to its end.
func TestListOfEndlessLine(t *testing.T) {
	for flag, want := range map[string]string{"--files-from": "one on each line", "--files-from0": "a zero byte after each"} {
		w := newWorld(t)
		w.stdin = strings.Repeat("a", 128<<10+1)
		r := w.upload("cp", flag, "-", "oss://media/").wants(t, exitUsage)
		if r.says(t, "more than 128 KiB: wanted "+want); len(r.stderr) > 1000 {
			t.Errorf("%s: it says %d bytes", flag, len(r.stderr))
		}
	}
}

func TestListOfWindows(t *testing.T) {
	w := newWorld(t)
	w.tree()
	w.stdin = "\ufeffa.mp4\r\n\r\nb.mov\r\nb.mov\r\n"
	w.upload("cp", "--files-from", "-", filepath.Join(w.dir, "tree"), "oss://media/").wants(t, exitOK).says(t, "2 files uploaded")
	w.has("a.mp4", "b.mov")
}

func TestFlagsCountMoreThanTheEnvironment(t *testing.T) {
	w := newWorld(t)
	w.environ = append(w.environ, "VODUPLOAD_VERBOSE=true")
	if r := w.upload("cp", w.file("a.mp4", 10), "oss://media/", "--quiet").wants(t, exitOK); r.stderr != "" {
		t.Errorf("with --quiet: %s", r.stderr)
	}
	w.environ = append(w.environ, "VODUPLOAD_VERBOSE=", "VODUPLOAD_QUIET=true")
	w.upload("cp", w.file("a.mp4", 10), "oss://media/", "--verbose").wants(t, exitOK).says(t, "done: ")
}

// Advice names flags, and nothing that only programs have.
func TestAdviceIsForPeople(t *testing.T) {
	w := newWorld(t)
	w.file("tree/x\xff.mp4", 10)
	r := w.upload("cp", w.dir+"/tree", w.dir+"/tree/missing", "oss://media/").wants(t, exitFailed)
	for _, word := range []string{"AddDir", "File.Path", "Options"} {
		if strings.Contains(r.stderr, word) {
			t.Errorf("says %s in\n%s", word, r.stderr)
		}
	}
}

// failing is an output that fails.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestStandardOutput(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left on device")
	for outcome, test := range map[string]struct {
		args []string
		err  error
		code int
	}{
		"a reader that is gone ends no upload":   {[]string{"cp", "FILE", "oss://media/", "--json"}, syscall.EPIPE, exitOK},
		"events for a full disk":                 {[]string{"cp", "FILE", "oss://media/", "--json"}, full, exitFailed},
		"settings for a full disk":               {[]string{"config", "show"}, full, exitFailed},
		"findings for a full disk":               {[]string{"whoami"}, full, exitFailed},
		"help for a full disk":                   {[]string{"cp", "--help"}, full, exitFailed},
		"the whole help for a full disk":         {[]string{"--help"}, full, exitFailed},
		"a reader of settings that is gone":      {[]string{"config", "show"}, syscall.EPIPE, exitOK},
		"a code of its own stays":                {[]string{"cp", "FILE.none", "oss://media/", "--json"}, full, exitNotFound},
		"a reader of the version that went away": {[]string{"version"}, io.ErrClosedPipe, exitOK},
	} {
		t.Run(outcome, func(t *testing.T) {
			w := newWorld(t)
			w.environ = append(w.environ, "VODUPLOAD_CHECKPOINT_DIR="+w.state, "VODUPLOAD_ENDPOINT="+w.server.URL)
			file := w.file("a.mp4", 10)
			var args []string
			for _, arg := range test.args {
				args = append(args, strings.Replace(arg, "FILE", file, 1))
			}
			var stderr bytes.Buffer
			code := run(args, env{stdin: strings.NewReader(""), stdout: failing{test.err}, stderr: &stderr, environ: w.environ, now: time.Now, signals: w.signals, exit: w.exit})
			if said := strings.Contains(stderr.String(), "standard output is not complete: no space left"); code != test.code || said != (test.err == full) {
				t.Errorf("exit code %d, want %d\n%s", code, test.code, stderr.String())
			}
			if args[0] == "cp" && test.code == exitOK {
				w.has("a.mp4")
			}
		})
	}
}

// The signal that comes with a closed pipe ends a process, unless it is asked for.
func TestClosedPipeEndsNoUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cmd, _ := w.command("cp", w.file("a.mp4", 10), "oss://media/", "--json", "--endpoint", w.server.URL, "--checkpoint-dir", w.state)
	r, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	r.Close()
	cmd.Stdout = out
	if err := cmd.Run(); err != nil {
		t.Errorf("ended by %v", err)
	}
	w.has("a.mp4")
}

func TestJSONOfSettingsAndVersion(t *testing.T) {
	w := newWorld(t)
	events := w.run("version", "--json").wants(t, exitOK).events(t)
	if e := events[0]; len(events) != 2 || e.Type != "version" || e.Value == "" || !strings.HasPrefix(e.Go, "go1.") || e.Platform == "" {
		t.Errorf("got %+v", events)
	}
	r := w.run("config", "show", "--json").wants(t, exitOK)
	for _, e := range r.events(t) {
		if e.Type == "setting" && e.Name == "region" && e.Value == "cn-hangzhou" && e.Origin == "environment OSS_REGION" {
			return
		}
	}
	if t.Errorf("got %s", r.stdout); strings.Contains(r.stdout, osstest.DefaultKey.AccessKeySecret) {
		t.Error("a secret is shown")
	}
}
