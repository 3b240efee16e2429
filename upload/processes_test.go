package upload_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// processEnv holds the file that a process uploads with the default settings, as
// JSON.
const (
	processEnv = "VODUPLOAD_PROCESS"
	regionEnv  = "VODUPLOAD_PROCESS_REGION"
)

// What became of a file that a process uploaded.
type processWord struct {
	InUse        bool
	Failed       string
	ResumedParts int
}

// processChild uploads its file, and says what became of it.
func processChild() error {
	var f upload.File
	if err := json.Unmarshal([]byte(os.Getenv(processEnv)), &f); err != nil {
		return err
	}
	c, err := upload.New(&upload.Options{Credentials: sts.Static(defaultKey), Region: os.Getenv(regionEnv)})
	if err != nil {
		return err
	}
	defer c.Close()
	r, err := c.Upload(context.Background(), f)
	w := processWord{InUse: errors.Is(err, upload.ErrInUse), ResumedParts: r.ResumedParts}
	if err != nil {
		w.Failed = err.Error()
	}
	return json.NewEncoder(os.Stdout).Encode(w)
}

// A process uploads one file.
type process struct {
	b              *testbed
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
}

func (b *testbed) process(f upload.File) *process {
	b.t.Helper()
	p := &process{b: b, cmd: exec.CommandContext(b.ctx, must(os.Executable()))}
	p.cmd.Env = append(os.Environ(), processEnv+"="+string(must(json.Marshal(f))))
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(p.kill)
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// end waits for the process, and returns what it says.
func (p *process) end() (w processWord) {
	p.b.t.Helper()
	err := p.cmd.Wait()
	if err == nil {
		err = json.Unmarshal(p.stdout.Bytes(), &w)
	}
	if err != nil {
		p.b.t.Fatalf("the process failed: %v\n%s%s", err, p.stdout.String(), p.stderr.String())
	}
	return w
}

// newProcesses returns a testbed whose store is the one that processes have by
// default, in a home of this test's own.
func newProcesses(t *testing.T) *testbed {
	t.Helper()
	home := t.TempDir()
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "LocalAppData"} {
		t.Setenv(name, home)
	}
	b := newTestbed(t)
	dir, fallback, err := checkpoint.MakeDefaultDir()
	if err != nil || fallback {
		t.Fatalf("MakeDefaultDir: %s, %v, %v", dir, fallback, err)
	}
	store := must(checkpoint.OpenDir(dir))
	t.Cleanup(func() { _ = store.Close() })
	b.store = store
	return b
}

// hold lets part 6 of a file hang.
func (b *testbed) hold(f upload.File) *osstest.Fault {
	hang := osstest.Hang(osstest.OpUploadPart).Key(f.Object).Part(6)
	b.server.Inject(hang)
	b.t.Cleanup(hang.Release)
	return hang
}

// fired waits for a fault.
func (b *testbed) fired(hang *osstest.Fault) {
	b.t.Helper()
	select {
	case <-hang.Fired():
	case <-b.ctx.Done():
		b.t.Fatal("part 6 was never sent")
	}
}

// kept waits until the one checkpoint there is has so many parts.
func (b *testbed) kept(parts int) {
	b.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		left := must(b.store.List(b.ctx))
		if len(left) == 1 && left[0].Parts == parts {
			return
		}
		select {
		case <-tick.C:
		case <-b.ctx.Done():
			b.t.Fatalf("the store has %+v, want one checkpoint of %d parts", left, parts)
		}
	}
}

// With the default settings any number of processes work in the same directory.
func TestTwoProcesses(t *testing.T) {
	t.Run("different files go side by side", func(t *testing.T) {
		b := newProcesses(t)
		files := []upload.File{b.file("a.mp4", 8*mib), b.file("b.mp4", 8*mib)}
		var hangs []*osstest.Fault
		var processes []*process
		for _, f := range files {
			hangs = append(hangs, b.hold(f))
			processes = append(processes, b.process(f))
		}
		for _, hang := range hangs {
			b.fired(hang)
		}
		left := must(b.store.List(b.ctx))
		if len(left) != 2 || !left[0].InUse || !left[1].InUse {
			t.Errorf("while both are at it the store has %+v, want two checkpoints in use", left)
		}
		for i, p := range processes {
			hangs[i].Release()
			if w := p.end(); w != (processWord{}) {
				t.Errorf("%s: %+v", files[i].Object, w)
			}
			b.same(files[i])
		}
		b.clean()
	})
	t.Run("ErrInUse for the same file, until the holder is killed", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			t.Skip("how many parts a checkpoint has cannot be read here while it is in use")
		}
		b := newProcesses(t)
		f := b.file("a.mp4", 8*mib)
		hang := b.hold(f)
		holder := b.process(f)
		b.fired(hang)
		b.kept(7)

		before := b.server.Count()
		if w := b.process(f).end(); !w.InUse {
			t.Errorf("the second process says %+v, want ErrInUse", w)
		}
		if after := b.server.Count(); after != before {
			t.Errorf("the second process made %d requests", after-before)
		}

		holder.kill()
		if w := b.process(f).end(); w != (processWord{ResumedParts: 7}) {
			t.Errorf("the process after the kill says %+v, want 7 parts resumed", w)
		}
		b.same(f)
		b.sentOnce(8, 6)
		b.clean()
	})
}

// sentOnce fails the test unless each of so many parts was sent once, and one of
// them twice.
func (b *testbed) sentOnce(parts, twice int) {
	b.t.Helper()
	times := make(map[int]int)
	for _, q := range b.server.Requests(osstest.OpUploadPart) {
		times[q.PartNumber]++
	}
	want := make(map[int]int)
	for n := range parts {
		want[n+1] = 1
	}
	want[twice] = 2
	if fmt.Sprint(times) != fmt.Sprint(want) {
		b.t.Errorf("parts were sent %v times, want %v", times, want)
	}
}
