package checkpoint

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// holdUpload is the child: it begins an upload, makes 100 parts durable, says so,
// and waits to be killed.
func holdUpload(dir string) {
	d, err := OpenDir(dir)
	if err == nil {
		var u Claim
		u, err = d.Open(context.Background(), testKey("child"))
		if err == nil {
			err = u.Begin(context.Background(), testRecord("child"))
		}
		for n := 1; n <= 100 && err == nil; n++ {
			err = u.Add(testPart(n))
		}
		if err == nil {
			err = u.Flush(context.Background())
		}
	}
	fmt.Println("holding:", err)
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // ends with the parent, at the latest
	os.Exit(1)
}

// startChild runs a process that holds the upload "child" in dir.
func startChild(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	stdin, err := cmd.StdinPipe()
	must(t, err)
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || line != "holding: <nil>\n" {
		t.Fatalf("child says %q, %v", line, err)
	}
	return cmd
}

func TestKilledProcess(t *testing.T) {
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	child := startChild(t, d.Path())

	if _, err := d.Open(t.Context(), testKey("child")); !errors.Is(err, ErrInUse) {
		t.Errorf("Open while the child lives: error is %v, want %v", err, ErrInUse)
	}
	entries, err := d.List(t.Context())
	if err != nil || len(entries) != 1 || !entries[0].InUse || entries[0].Record != testRecord("child") {
		t.Errorf("List while the child lives: %+v, %v, want its record, in use", entries, err)
	}
	mustBegin(t, d, "another") // side by side

	must(t, child.Process.Kill())
	_ = child.Wait()
	u := mustOpen(t, d, "child")
	if err := u.Damaged(); err != nil {
		t.Errorf("damaged: %v", err)
	}
	wantContent(t, u, "child", testParts(1, 100))
}
