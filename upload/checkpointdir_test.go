package upload_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestCheckpointDir(t *testing.T) {
	b := newTestbed(t)
	b.opts.Checkpoints, b.opts.CheckpointDir = nil, filepath.Join(t.TempDir(), "a", "volume")
	b.opts.RetryCount, b.opts.OutageWait = -1, -1
	f := b.file("talk", 300*kib) // none is on its way when the third of three parts fails
	b.server.Inject(osstest.Fail(osstest.OpUploadPart, 503, "ServiceUnavailable").Nth(3))
	b.opts.Parallel = 1
	first := b.client()
	if _, err := first.Upload(b.ctx, f); err == nil {
		t.Fatal("the upload succeeded, want it to fail at part 3")
	}
	if left := must(os.ReadDir(b.opts.CheckpointDir)); len(left) == 0 {
		t.Fatal("nothing is in the directory")
	}
	second := b.client() // while the first is open
	hang := osstest.Hang(osstest.OpUploadPart)
	b.server.Inject(hang)
	ended := make(chan upload.Result, 1)
	go func() {
		r, err := second.Upload(b.ctx, f)
		if err != nil {
			t.Error(err)
		}
		ended <- r
	}()
	<-hang.Fired()
	if _, err := first.Upload(b.ctx, f); !errors.Is(err, upload.ErrInUse) {
		t.Errorf("meanwhile: got %v, want ErrInUse", err)
	}
	hang.Release()
	if r := <-ended; r.ResumedParts != 2 {
		t.Errorf("%d parts were resumed, want 2", r.ResumedParts)
	}
	b.same(f)
}

func TestCheckpointDirRefused(t *testing.T) {
	_, err := upload.New(&upload.Options{Checkpoints: checkpoint.NewMemory(), CheckpointDir: "here"})
	if !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), `Options.CheckpointDir: got "here" together with Options.Checkpoints`) {
		t.Errorf("with a store: got %v, want ErrInvalidArgument", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, text := range hostile {
		if _, err := upload.New(&upload.Options{CheckpointDir: filepath.Join(file, text)}); err == nil {
			t.Errorf("%s: got no error", name)
		} else {
			isOneLine(t, "New", err.Error())
		}
	}
	_, err = upload.New(&upload.Options{CheckpointDir: filepath.Join(file, "dir")})
	if !errors.Is(err, upload.ErrCheckpoint) || !strings.Contains(err.Error(), "Options.CheckpointDir: ") || !strings.Contains(err.Error(), file) {
		t.Errorf("below a file: got %v, want ErrCheckpoint that names the option and the path", err)
	}
	c, err := upload.New(&upload.Options{CheckpointDir: filepath.Join(file, "dir"), CheckpointsOptional: true})
	if err != nil {
		t.Fatalf("with CheckpointsOptional: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
