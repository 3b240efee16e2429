package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var long = flag.Bool("long", false, "kill a node, too, after which an election takes some seconds, and run what else takes seconds")

// TestMain lets the test binary be a node and a worker, too.
func TestMain(m *testing.M) {
	if isChild() {
		os.Exit(runChild())
	}
	goleak.VerifyTestMain(m)
}

// play runs a small show, and returns the lines that it printed.
func play(t *testing.T, ctx context.Context) ([]string, error) {
	t.Helper()
	return playWith(t, ctx, func(*show) {})
}

func playWith(t *testing.T, ctx context.Context, change func(*show)) ([]string, error) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	s := show{films: 6, parts: 6, delay: 200 * time.Millisecond, lease: 5 * time.Second}
	if !*long {
		s.lease, s.sparesNodes = 4*time.Second, true
	}
	change(&s)
	rerr := direct(ctx, s, out)
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "vodupload-fleet-*")); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n"), rerr
}

func TestFleet(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	lines, err := play(t, ctx)
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(lines, "\n"))
	}
	text := strings.Join(lines, "\n")
	t.Log(text)
	last := lines[len(lines)-1]
	if !regexp.MustCompile(`^verified: 6 objects, [1-9] taken over, [1-9][0-9]* parts kept, [0-9]+ sent again$`).MatchString(last) {
		t.Errorf("the last line is %q", last)
	}
	for _, want := range []string{"killed worker", "killed a node", "takes over film-", "were there already"} {
		if !strings.Contains(text, want) && (*long || want != "killed a node") {
			t.Errorf("no line says %q:\n%s", want, text)
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Second, cancel) // wherever it is then
	if lines, err := play(t, ctx); err == nil {
		t.Errorf("got no error:\n%s", strings.Join(lines, "\n"))
	}
}

// The others would take its films over: but whoever looks on has to know of it.
func TestFleetWithAWorkerThatEndsByItself(t *testing.T) {
	if !*long {
		t.Skip("it takes the seconds that three nodes need to start: -args -long")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	lines, err := playWith(t, ctx, func(s *show) { s.dying = "worker 2" })
	if err == nil || !strings.Contains(err.Error(), "worker 2 has ended by itself: exit status 1") {
		t.Errorf("got %v\n%s", err, strings.Join(lines, "\n"))
	}
}

func TestArguments(t *testing.T) {
	if err := run(t.Context(), []string{"a"}, os.Stdout); err == nil {
		t.Error("got no error")
	}
}

func TestVersion(t *testing.T) {
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := run(t.Context(), []string{"-version"}, out); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(out.Name()); err != nil || !strings.HasPrefix(string(text), "fleet ") {
		t.Errorf("got %q, %v", text, err)
	}
}
