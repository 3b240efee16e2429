package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A second delivery to a worker that could not do the job must not touch the state of the
// one that is at it.
func TestSecondDeliveryToAWorkerWithoutTheSource(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*fleet.WorkerOptions){
		"no source": func(o *fleet.WorkerOptions) { o.Openers["file"], _ = fleet.Files(t.TempDir()) },
		"a permanent error": func(o *fleet.WorkerOptions) {
			o.Prepare = func(context.Context, fleet.Job, *upload.File) error { return fleet.ErrInvalidArgument }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlant(t)
			job := p.film("talk.mp4", 350<<10)
			hold := osstest.Hang(osstest.OpUploadPart).Nth(2)
			p.oss.Inject(hold)
			p.enqueue(job)
			a := p.worker("a", func(o *fleet.WorkerOptions) { o.Files, o.Lease = 1, time.Minute })
			<-hold.Fired()
			await(t, "a has written that it runs", func() bool { return p.get(job.ID).State == fleet.StateRunning })
			p.worker("b", change)
			if err := p.bells().Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := p.js.Publish(t.Context(), bellSubject(t, p, job), []byte(job.ID)); err != nil {
				t.Fatal(err)
			}
			await(t, "the second delivery was put off", func() bool {
				c, err := p.Counts(t.Context())
				return err == nil && c.Waiting == 0 && c.Working == 1
			})
			hold.Release()
			if info := p.wait(job.ID); info.State != fleet.StateSucceeded || info.Attempts != 1 || info.Worker != "a" {
				t.Errorf("got %+v, want a to have done it", info)
			}
			a.stop()
		})
	}
}

func TestSourceOfAnotherMachine(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job := p.film("talk.mp4", 100)
	p.enqueue(job)
	elsewhere := t.TempDir()
	p.worker("has-not", func(o *fleet.WorkerOptions) {
		files, err := fleet.Files(elsewhere)
		if err != nil {
			t.Fatal(err)
		}
		o.Openers["file"] = files
		o.MaxAttempts = 1
	})
	await(t, "the first worker has said that it does not have the file", func() bool {
		return strings.Contains(p.get(job.ID).Error, "talk.mp4")
	})
	info := p.get(job.ID)
	if info.State != fleet.StateQueued || info.Attempts != 0 || !strings.Contains(info.Error, "has-not") || !strings.Contains(info.Error, elsewhere) {
		t.Errorf("got %+v, want it kept, with the worker and its folders", info)
	}
	wantFactsOnce(t, errors.New(info.Error))
	p.worker("has", func(o *fleet.WorkerOptions) { o.Lease = time.Minute })
	if info := p.wait(job.ID); info.State != fleet.StateSucceeded || info.Worker != "has" || info.Error != "" || info.Attempts != 1 {
		t.Errorf("got %+v, want the other worker to have done it", info)
	}
}

func TestSourceThatNobodyHas(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	gone, scheme := p.film("gone.mp4", 100), film("scheme.mp4")
	if err := os.Remove(filepath.Join(p.folder, "gone.mp4")); err != nil {
		t.Fatal(err)
	}
	scheme.ID, scheme.Source = "scheme", "gopher://origin/scheme.mp4?Signature=secret"
	p.enqueue(gone, scheme)
	a := p.worker("a", func(o *fleet.WorkerOptions) { o.SourceWait = 200 * time.Millisecond })
	for id, text := range map[string]string{gone.ID: "gone.mp4", scheme.ID: "gopher"} {
		info := p.wait(id)
		if info.State != fleet.StateDead || !strings.Contains(info.Error, text) || strings.Contains(info.Error, "secret") {
			t.Errorf("got %+v, want it dead after SourceWait, with %q", info, text)
		}
		wantFactsOnce(t, errors.New(info.Error))
		if waited := info.Ended.Sub(info.Enqueued); waited < 200*time.Millisecond {
			t.Errorf("%s was dead after %v, before SourceWait", id, waited)
		}
	}
	if strings.Contains(a.log.String(), "secret") {
		t.Errorf("the signature is in the log: %s", a.log)
	}
}

func TestFilesOutsideOfTheFolders(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	outside := filepath.Join(t.TempDir(), "passwd")
	if err := os.WriteFile(outside, []byte("root"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(p.folder, "link")
	if err := os.Symlink(outside, link); err != nil {
		t.Skip(err)
	}
	open, err := fleet.Files(p.folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{outside, link, p.folder + "/../" + filepath.Base(filepath.Dir(outside)) + "/passwd", "/", p.folder + "x/y"} {
		if f, err := open(t.Context(), fleet.Job{Source: "file://" + path}); !errors.Is(err, fleet.ErrNoSource) {
			t.Errorf("%s: got %+v, %v; want ErrNoSource", path, f, err)
		}
	}
	if _, err := open(t.Context(), fleet.Job{Source: "file://" + p.folder}); !errors.Is(err, fleet.ErrInvalidArgument) {
		t.Errorf("a folder: got %v", err)
	}
	for _, folders := range [][]string{nil, {"films"}, {""}} {
		if _, err := fleet.Files(folders...); !errors.Is(err, fleet.ErrInvalidArgument) {
			t.Errorf("Files(%q): got %v", folders, err)
		}
	}
}

func TestSignatureOfAURLIsInNoCheckpoint(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	data := bytes.Repeat([]byte("talk "), 100_000)
	job := fleet.Job{ID: "talk", Source: "https://origin/talk.mp4?Signature=secret", Endpoint: p.oss.URL, Bucket: "media", Object: "talk"}
	hold := osstest.Hang(osstest.OpUploadPart).Nth(3).Always()
	p.oss.Inject(hold)
	p.enqueue(job)
	opens := func(o *fleet.WorkerOptions) {
		o.Openers["https"] = func(_ context.Context, j fleet.Job) (upload.File, error) {
			if j.Source != job.Source {
				t.Errorf("the opener got %s", j.Source)
			}
			return upload.File{Source: upload.NewSource(bytes.NewReader(data), int64(len(data)), "v1")}, nil
		}
	}
	a := p.worker("a", opens)
	<-hold.Fired()
	await(t, "two parts are there", func() bool { return p.parts(job) == 2 })
	a.stop()
	if c := p.checkpoints(); len(c) != 1 || c[0].Record.Key.Source != "https://origin/talk.mp4" {
		t.Errorf("got checkpoints %+v, want one without the signature", c)
	}
	p.oss.ClearFaults()
	b := p.worker("b", opens)
	if info := p.wait(job.ID); info.State != fleet.StateSucceeded || info.Result.ResumedParts != 2 {
		t.Errorf("got %+v, want b to have resumed it", info)
	}
	for _, r := range []*running{a, b} {
		if strings.Contains(r.log.String(), "secret") {
			t.Errorf("the signature is in the log: %s", r.log)
		}
	}
}

// Two machines may have other files under one path, although the folders of a fleet are
// meant to be shared: what one has sent is not taken for a part of the other's.
func TestOnePathIsAnotherFileOnAnotherMachine(t *testing.T) {
	t.Parallel()
	const size = 450 << 10
	for name, tt := range map[string]struct {
		size int64
		same bool // the time of modification, too
	}{
		"of another size":                        {size + 1, false},
		"of the same size":                       {size, false},
		"of the same size and modification time": {size, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlant(t)
			job := p.film("talk.mp4", size)
			hold := osstest.Hang(osstest.OpUploadPart).Nth(3).Always()
			p.oss.Inject(hold)
			p.enqueue(job)
			a := p.worker("a", nil)
			<-hold.Fired()
			await(t, "two parts are there", func() bool { return p.parts(job) == 2 })
			a.stop()
			p.oss.ClearFaults()

			other := filepath.Join(t.TempDir(), "talk.mp4")
			if err := os.WriteFile(other, bytes.Repeat([]byte{7}, int(tt.size)), 0o600); err != nil {
				t.Fatal(err)
			}
			if tt.same {
				info, err := os.Stat(filepath.Join(p.folder, "talk.mp4"))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.Chtimes(other, info.ModTime(), info.ModTime()); err != nil {
					t.Fatal(err)
				}
			}
			p.worker("b", func(o *fleet.WorkerOptions) {
				o.Openers["file"] = func(context.Context, fleet.Job) (upload.File, error) { return upload.File{Path: other}, nil }
			})
			if info := p.wait(job.ID); info.State != fleet.StateSucceeded || info.Result.ResumedParts != 0 {
				t.Errorf("got %+v, want it uploaded from the beginning", info)
			}
			job.Source = "file://" + other
			p.checkObject(job)
		})
	}
}

// A URL is not the path of a file, where an Opener returns nothing that could be read.
func TestOpenerReturnsNothing(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job := p.film("talk.mp4", 100)
	job.Source = "odd:///talk.mp4"
	p.worker("a", func(o *fleet.WorkerOptions) {
		o.Openers["odd"] = func(context.Context, fleet.Job) (upload.File, error) { return upload.File{}, nil }
	})
	p.enqueue(job)
	info := p.wait(job.ID)
	if info.State != fleet.StateDead || info.Attempts != 1 || !strings.Contains(info.Error, "the Opener of odd:///talk.mp4 has returned a File without Path") {
		t.Errorf("got %s after %d attempts: %s", info.State, info.Attempts, info.Error)
	}
}
