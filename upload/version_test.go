package upload_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// TestRecordOfAnotherVersion: a client meets what an older or a newer one has left.
// It does not guess: the record is set aside, and the upload starts over.
func TestRecordOfAnotherVersion(t *testing.T) {
	for _, version := range []byte{0, checkpoint.Version + 1, 255} {
		t.Run(fmt.Sprintf("%d is set aside, and the upload starts over", version), func(t *testing.T) {
			b := newTestbed(t)
			dir, log := b.withDir()
			f := b.file("a", 500*kib)
			leave(b, f)
			record := giveVersion(t, dir, version)
			old := b.server.Uploads(bucket)
			if len(old) != 1 || strings.Contains(log.String(), "level=WARN") {
				t.Fatalf("%d uploads are left, and the log says %q; want one, and no warning", len(old), log)
			}

			r, err := b.client().Upload(b.ctx, f)
			if n := b.server.Count(osstest.OpInitiateMultipartUpload); err != nil || r.ResumedParts > 0 || n != 2 {
				t.Errorf("got %+v, %v after %d uploads were begun; want a second, with nothing resumed", r, err, n)
			}
			b.same(f)
			saysAll(t, log.String(), "starts over", fmt.Sprintf("record has version %d, want %d", version, checkpoint.Version), record)
			left := must(os.ReadDir(dir))
			if len(left) != 1 || !strings.HasPrefix(left[0].Name(), filepath.Base(record)+".damaged-") {
				t.Errorf("left are %v, want the record that was set aside", left)
			}
			b.sweptOnly(old[0].UploadID)
		})
	}
}

// giveVersion makes the only record in dir one of another version.
func giveVersion(t *testing.T, dir string, version byte) (record string) {
	t.Helper()
	files := must(filepath.Glob(filepath.Join(dir, "*.checkpoint"))) // one in use may have its parts beside it
	if len(files) != 1 {
		t.Fatalf("the records are %q, want one", files)
	}
	record = files[0]
	data := must(os.ReadFile(record))
	ours := append([]byte("VODC"), checkpoint.Version)
	if !bytes.Contains(data, ours) {
		t.Fatal("no record begins as one should")
	}
	data = bytes.ReplaceAll(data, ours, append([]byte("VODC"), version))
	if err := os.WriteFile(record, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return record
}

// sweptOnly wants one upload left at the server, whose ID only the old record told,
// and has it swept.
func (b *testbed) sweptOnly(id string) {
	b.t.Helper()
	found, err := b.client().Sweep(b.ctx, upload.SweepOptions{Endpoint: b.server.URL, Bucket: bucket, OlderThan: -1, OnlyThisMachine: true})
	if err != nil || len(found) != 1 || found[0].UploadID != id || !found[0].Aborted {
		b.t.Errorf("Sweep: got %+v, %v; want upload %s aborted", found, err, id)
	}
	b.clean()
}

// TestRecordOfAnotherVersionInUse: a newer client is at work on the upload. It is not
// disturbed, neither by Upload nor by Sweep.
func TestRecordOfAnotherVersionInUse(t *testing.T) {
	notOnWindows(t)
	b := newTestbed(t)
	dir, _ := b.withDir()
	f := b.file("a", 500*kib)
	hang := osstest.Hang(osstest.OpUploadPart).Nth(2).Always()
	defer hang.Release()
	b.server.Inject(hang)
	newer := b.client()
	b.add(newer, f)
	start(t, b, newer)
	<-hang.Fired()
	giveVersion(t, dir, checkpoint.Version+1)

	if _, err := b.client().Upload(b.ctx, f); !errors.Is(err, upload.ErrInUse) {
		t.Errorf("Upload: got %v, want ErrInUse", err)
	}
	found, err := b.client().Sweep(b.ctx, upload.SweepOptions{Endpoint: b.server.URL, Bucket: bucket, OlderThan: -1, OnlyThisMachine: true})
	if err != nil || len(b.server.Uploads(bucket)) != 1 {
		t.Errorf("Sweep: got %+v, %v, and %d uploads are left; want it left alone", found, err, len(b.server.Uploads(bucket)))
	}
}
