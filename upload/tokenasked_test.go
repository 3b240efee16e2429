package upload_test

import (
	"errors"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// TestTokenIsAskedForWhateverNeedsIt expires the token before something is taken away
// at the server. There is no Provider: OnTokenExpired is the only way to the next one.
func TestTokenIsAskedForWhateverNeedsIt(t *testing.T) {
	for name, tt := range map[string]struct {
		own  bool // the file has a token of its own
		left func(b *testbed, c *upload.Client) upload.FileID
		act  func(b *testbed, c *upload.Client, id upload.FileID) error
		of   string // the object of the FileInfo; "": it is zero
	}{
		"Sweep":                        {false, elsewhere, sweepAll, ""},
		"DeleteFile of a failed file":  {false, failedFile, deleteFile, ""},
		"ClearFiles of a failed file":  {false, failedFile, clearFiles, ""},
		"DeleteFile of a running file": {false, runningFile, deleteFile, "a"},
		"CancelFile":                   {false, runningFile, cancelFile, "a"},
		"DeleteFile of a failed file with its own token":  {true, failedFile, deleteFile, ""},
		"DeleteFile of a running file with its own token": {true, runningFile, deleteFile, "a"},
		"CancelFile of a file with its own token":         {true, runningFile, cancelFile, "a"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			b.opts.Credentials, b.opts.RetryCount = nil, -1
			rec := b.recorded()
			asked := make(chan upload.FileInfo, 10)
			rec.at = func(c *upload.Client, name string, f upload.FileInfo) {
				if name != "OnTokenExpired" {
					return
				}
				defer func() { asked <- f }() // then the client may be closed
				if err := c.ResumeWithToken(b.newToken(2)); err != nil {
					t.Error(err)
				}
				if err := c.SetToken(f.ID, b.newToken(3)); err != nil && f.ID != 0 && !errors.Is(err, upload.ErrFileNotExist) {
					t.Error(err)
				}
			}
			c := b.client()
			if err := c.Init(b.newToken(1)); err != nil {
				t.Fatal(err)
			}
			id := tt.left(b, c)
			b.server.ExpireKey("STS.1")
			if tt.own {
				own := b.newToken(9)
				if err := c.SetToken(id, own); err != nil {
					t.Fatal(err)
				}
				b.server.ExpireKey(own.AccessKeyID)
			}
			if err := tt.act(b, c, id); err != nil {
				t.Error(err)
			}
			b.eventually("the upload to be aborted", func() bool { return len(b.server.Uploads(bucket)) == 0 })
			if f := <-asked; f.Object != tt.of || tt.of == "" && f.ID != 0 {
				t.Errorf("asked with %+v, want the object %q", f, tt.of)
			}
			b.server.ClearFaults()
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			b.clean()
			if len(asked) > 0 {
				t.Errorf("asked again, with %+v", <-asked)
			}
		})
	}
}

func failedFile(b *testbed, c *upload.Client) upload.FileID {
	b.server.Inject(osstest.Fail(osstest.OpCompleteMultipartUpload, 403, "AccessDenied"))
	id := b.add(c, b.bytesOf("a", 250*kib))[0]
	if err := errors.Join(c.Start(b.ctx), ignoreFailed(c.Wait(b.ctx))); err != nil {
		b.t.Fatal(err)
	}
	return id
}

func runningFile(b *testbed, c *upload.Client) upload.FileID {
	hang := osstest.Hang(osstest.OpUploadPart).Nth(2).Always()
	b.server.Inject(hang)
	id := b.add(c, b.bytesOf("a", 250*kib))[0]
	if err := c.Start(b.ctx); err != nil {
		b.t.Fatal(err)
	}
	<-hang.Fired()
	return id
}

// elsewhere leaves an upload that only the server knows of.
func elsewhere(b *testbed, _ *upload.Client) upload.FileID {
	opts := b.opts
	b.opts.Credentials, b.opts.Callbacks, b.opts.Checkpoints = sts.Static(defaultKey), upload.Callbacks{}, checkpoint.NewMemory()
	leave(b, b.bytesOf("a", 250*kib))
	b.opts = opts
	return 0
}

func sweepAll(b *testbed, c *upload.Client, _ upload.FileID) error {
	found, err := c.Sweep(b.ctx, upload.SweepOptions{Endpoint: b.server.URL, Bucket: bucket, OlderThan: -1, OnlyThisMachine: true})
	if err == nil && (len(found) != 1 || !found[0].Aborted) {
		err = errors.New("want one upload to be found, and aborted")
	}
	return err
}

func deleteFile(_ *testbed, c *upload.Client, id upload.FileID) error { return c.DeleteFile(id) }
func clearFiles(_ *testbed, c *upload.Client, _ upload.FileID) error  { return c.ClearFiles() }
func cancelFile(_ *testbed, c *upload.Client, id upload.FileID) error { return c.CancelFile(id) }

// A clean-up that asked in vain leaves the question to the next file.
func TestTokenIsAskedForAgainAfterACleanUp(t *testing.T) {
	b := newTestbed(t)
	b.opts.Credentials, b.opts.RetryCount = nil, -1
	b.opts.CleanupTimeout = 50 * time.Millisecond
	rec := b.recorded()
	rec.at = func(c *upload.Client, name string, f upload.FileInfo) {
		if name == "OnTokenExpired" && f.ID != 0 {
			_ = c.ResumeWithToken(b.newToken(2))
		}
	}
	c := b.client()
	if err := c.Init(b.newToken(1)); err != nil {
		t.Fatal(err)
	}
	id := failedFile(b, c)
	b.server.ExpireKey("STS.1")
	if err := c.DeleteFile(id); err != nil {
		t.Fatal(err)
	}
	b.add(c, b.bytesOf("next", 1))
	if err := c.Wait(b.ctx); err != nil {
		t.Error(err)
	}
	if rec.told("OnTokenExpired", "next") != 1 {
		t.Errorf("got %v, want the next file to have it asked again", rec.log)
	}
}
