package upload_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A media is a media service: each call of Authorize without an ID makes a video.
type media struct {
	b         *testbed
	authorize func(ctx context.Context, f upload.FileInfo) error // called first; nil: nothing
	renew     func() error

	mu      sync.Mutex
	calls   []string // IDs that Authorize was called with
	made    int
	renewed int
}

func (m *media) Authorize(ctx context.Context, f upload.FileInfo) (upload.Authorization, error) {
	if m.authorize != nil {
		if err := m.authorize(ctx, f); err != nil {
			return upload.Authorization{}, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, f.VideoID)
	id := f.VideoID
	if id == "" {
		m.made++
		id = fmt.Sprintf("video%d", m.made)
	}
	return upload.Authorization{Endpoint: m.b.server.URL, Bucket: bucket, Object: "sv/" + id + ".mp4", VideoID: id, Credentials: exampleToken(m.b.server)}, nil
}

func (m *media) Renew(context.Context, upload.FileInfo) (sts.Credentials, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.renewed++
	if m.renew != nil {
		if err := m.renew(); err != nil {
			return sts.Credentials{}, err
		}
	}
	return exampleToken(m.b.server), nil
}

// said returns what Authorize was called with, like "-,video1".
func (m *media) said() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.calls, ",")
}

// newMedia returns a testbed whose client asks a media service, and a file for it.
func newMedia(t *testing.T, size int) (*testbed, *media, upload.File) {
	t.Helper()
	b := newTestbed(t)
	m := &media{b: b}
	b.opts.Authorizer, b.opts.Credentials = m, nil
	f := b.file("a.mp4", size)
	f.Endpoint, f.Bucket, f.Object = "", "", ""
	return b, m, f
}

// there fails the test unless the video has the file's bytes.
func (b *testbed) there(f upload.File, videoID string) {
	b.t.Helper()
	f.Bucket, f.Object = bucket, "sv/"+videoID+".mp4"
	b.same(f)
}

func TestAuthorizerGivesTheDestination(t *testing.T) {
	for _, size := range []int{0, 1000, mib} {
		t.Run(fmt.Sprintf("%d bytes", size), func(t *testing.T) {
			b, m, f := newMedia(t, size)
			r, err := b.client().Upload(b.ctx, f)
			if err != nil {
				t.Fatal(err)
			}
			b.there(f, "video1")
			b.clean()
			if r.VideoID != "video1" || r.Object != "sv/video1.mp4" || m.said() != "" || m.made != 1 {
				t.Errorf("got %+v after calls with %q", r, m.said())
			}
		})
	}
	t.Run("to a Reader, too", func(t *testing.T) {
		b, _, f := newMedia(t, mib)
		file := must(os.Open(f.Path))
		defer file.Close()
		if _, err := b.client().Upload(b.ctx, upload.File{Path: "a.mp4", Reader: file}); err != nil {
			t.Fatal(err)
		}
		b.there(f, "video1")
		b.clean()
	})
	t.Run("not to a file that has one", func(t *testing.T) {
		b, m, f := newMedia(t, mib)
		b.opts.Credentials = sts.Static(defaultKey)
		f.Endpoint, f.Bucket, f.Object = b.server.URL, bucket, "in/a.mp4"
		if _, err := b.client().Upload(b.ctx, f); err != nil {
			t.Fatal(err)
		}
		b.same(f)
		if m.made != 0 {
			t.Error("a video was made")
		}
	})
	t.Run("not to a file that was given one before it began", func(t *testing.T) {
		b, m, f := newMedia(t, mib)
		b.opts.Credentials = sts.Static(defaultKey)
		c := b.client()
		id := must(c.AddFile(f))
		if err := c.SetDestination(id, b.server.URL, bucket, "in/a.mp4"); err != nil {
			t.Fatal(err)
		}
		start(t, b, c)
		if err := c.Wait(b.ctx); err != nil || m.made != 0 {
			t.Errorf("%d videos were made, %v; want none", m.made, err)
		}
	})
}

func start(t *testing.T, b *testbed, c *upload.Client) {
	t.Helper()
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
}

// Whether OnStarted comes before or after the service's answer, it is the same.
func TestSetDestinationOfAFileThatIsAuthorized(t *testing.T) {
	b, m, f := newMedia(t, mib)
	var dest, both error
	told := make(chan struct{})
	m.authorize = func(context.Context, upload.FileInfo) error {
		<-told
		return nil
	}
	address := encoded(`{"Endpoint":"http://x","Bucket":"bbb","FileName":"o"}`)
	auth := encoded(`{"AccessKeyId":"a","AccessKeySecret":"b","SecurityToken":"c"}`)
	b.opts.Callbacks.OnStarted = func(c *upload.Client, f upload.FileInfo) {
		dest = c.SetDestination(f.ID, b.server.URL, bucket, "x")
		both = c.SetUploadAuthAndAddress(f.ID, auth, address, "")
		close(told)
	}
	if _, err := b.client().Upload(b.ctx, f); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(dest, upload.ErrState) || !errors.Is(both, upload.ErrState) {
		t.Errorf("got %v and %v, want ErrState", dest, both)
	}
	b.there(f, "video1")
}

func TestSourceIsClaimed(t *testing.T) {
	b, m, f := newMedia(t, mib)
	reached, release := make(chan struct{}), make(chan struct{})
	m.authorize = func(context.Context, upload.FileInfo) error {
		close(reached)
		<-release
		return nil
	}
	first := b.client()
	must(first.AddFile(f))
	start(t, b, first)
	<-reached
	if _, err := first.AddFile(f); !errors.Is(err, upload.ErrFileAlreadyExist) {
		t.Errorf("the same file in the same list: %v, want ErrFileAlreadyExist", err)
	}
	if _, err := b.client().Upload(b.ctx, f); !errors.Is(err, upload.ErrInUse) {
		t.Errorf("the same file in another client: %v, want ErrInUse", err)
	}
	close(release)
	if err := first.Wait(b.ctx); err != nil {
		t.Fatal(err)
	}
	b.there(f, "video1")
	b.clean()
}

// While the service is asked, others use the slot.
func TestAskingTakesNoSlot(t *testing.T) {
	b, m, f := newMedia(t, mib)
	b.opts.Parallel, b.opts.Credentials = 1, sts.Static(defaultKey)
	release := make(chan struct{})
	m.authorize = func(context.Context, upload.FileInfo) error {
		<-release
		return nil
	}
	b.opts.Callbacks.OnSucceeded = func(_ *upload.Client, f upload.FileInfo, _ upload.Result) {
		if f.Object == "in/b.mp4" {
			close(release)
		}
	}
	c := b.client()
	must(c.AddFile(f))
	must(c.AddFile(b.file("b.mp4", mib)))
	start(t, b, c)
	if err := c.Wait(b.ctx); err != nil {
		t.Fatal(err)
	}
	b.there(f, "video1")
}

func TestRenewedOnce(t *testing.T) {
	b, m, f := newMedia(t, 3*mib)
	b.server.Inject(osstest.ExpireToken(osstest.OpUploadPart).Nth(7))
	asked := 0
	b.opts.Callbacks.OnTokenExpired = func(*upload.Client, upload.FileInfo) { asked++ }
	r, err := b.client().Upload(b.ctx, f)
	if err != nil {
		t.Fatal(err)
	}
	if m.renewed != 1 || m.made != 1 || asked != 0 {
		t.Errorf("renewed %d times, %d videos, OnTokenExpired %d times; want 1, 1, 0", m.renewed, m.made, asked)
	}
	if n := b.server.Count(osstest.OpInitiateMultipartUpload); n != 1 {
		t.Errorf("%d uploads were begun, want 1", n)
	}
	b.there(f, r.VideoID)
	b.clean()
}

func TestRenewIsTriedAgain(t *testing.T) {
	t.Parallel() // it waits most of the time
	b, m, f := newMedia(t, mib)
	b.server.Inject(osstest.ExpireToken(osstest.OpUploadPart).Nth(3))
	m.renew = func() error {
		m.renew = nil
		return errors.New("the service is down for a moment")
	}
	if _, err := b.client().Upload(b.ctx, f); err != nil {
		t.Fatal(err)
	}
	if m.renewed != 2 {
		t.Errorf("Renew was called %d times, want 2", m.renewed)
	}
	b.there(f, "video1")
}

func TestCancelForgetsTheVideo(t *testing.T) {
	for _, paused := range []bool{false, true} {
		t.Run(fmt.Sprintf("paused: %t", paused), func(t *testing.T) {
			b, _, f := newMedia(t, mib)
			hang := osstest.Hang(osstest.OpUploadPart).Nth(4)
			b.server.Inject(hang)
			c := b.client()
			id := must(c.AddFile(f))
			start(t, b, c)
			<-hang.Fired()
			if paused {
				if err := c.Pause(); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.DeleteFile(id); err != nil {
				t.Fatal(err)
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			b.clean()
		})
	}
	t.Run("while it is made", func(t *testing.T) {
		b, m, f := newMedia(t, mib)
		asked := make(chan struct{})
		m.authorize = func(ctx context.Context, _ upload.FileInfo) error {
			close(asked)
			<-ctx.Done()
			return nil
		}
		c := b.client()
		id := must(c.AddFile(f))
		start(t, b, c)
		<-asked
		if err := c.DeleteFile(id); err != nil {
			t.Fatal(err)
		}
		m.authorize = nil
		must(c.AddFile(f)) // waits for what is left of the other
		if err := c.Wait(b.ctx); err != nil {
			t.Fatal(err)
		}
		b.there(f, "video2")
		b.clean()
	})
}

func TestBadAuthorization(t *testing.T) {
	b, m, f := newMedia(t, mib)
	for name, a := range map[string]upload.Authorization{
		"neither VideoID nor MediaID": {Endpoint: "x", Bucket: bucket, Object: "o", Credentials: defaultKey},
		"Bucket":                      {Endpoint: "x", Object: "o", VideoID: "v", Credentials: defaultKey},
		"AccessKeyID":                 {Endpoint: "x", Bucket: bucket, Object: "o", VideoID: "v"},
	} {
		b.opts.Authorizer = fixed{m, a}
		if _, err := b.client().Upload(b.ctx, f); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error is %v, want one that names %s", err, name)
		}
	}
}

// A fixed media service gives always the same.
type fixed struct {
	*media
	a upload.Authorization
}

func (f fixed) Authorize(context.Context, upload.FileInfo) (upload.Authorization, error) {
	return f.a, nil
}

func TestFolderThroughTheService(t *testing.T) {
	b, m, _ := newMedia(t, 1000)
	b.file("b.mp4", 2000)
	c := b.client()
	if _, err := c.AddDir(b.ctx, b.dir, nil); err != nil {
		t.Fatal(err)
	}
	start(t, b, c)
	if err := c.Wait(b.ctx); err != nil || m.made != 2 {
		t.Errorf("%d videos were made, %v; want 2", m.made, err)
	}
	b.clean()
}
