package upload_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload"
)

func TestReaderOfTwoFiles(t *testing.T) {
	data := bytes.Repeat([]byte("r"), 250*kib)
	reader := func() io.ReadSeeker { return bytes.NewReader(data) }
	t.Run("ErrInvalidArgument while the first may read it", func(t *testing.T) {
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"a pointer": func(r io.Reader) io.Reader { return r },
			"a value":   func(r io.Reader) io.Reader { return struct{ io.Reader }{r} },
		} {
			b := newTestbed(t)
			f, g := b.to("a"), b.to("b")
			f.Reader = wrap(reader())
			g.Reader = f.Reader
			c := b.client()
			b.add(c, f)
			if _, err := c.AddFile(g); !errors.Is(err, upload.ErrInvalidArgument) {
				t.Errorf("%s: AddFile: got %v, want ErrInvalidArgument", name, err)
			}
			if _, err := c.Upload(b.ctx, g); !errors.Is(err, upload.ErrInvalidArgument) {
				t.Errorf("%s: Upload: got %v, want ErrInvalidArgument", name, err)
			}
		}
	})
	t.Run("may be given again when the first has ended", func(t *testing.T) {
		b := newTestbed(t)
		r := reader()
		for _, object := range []string{"a", "b", "c"} {
			f := b.to(object)
			f.Reader = r
			if _, err := b.client().Upload(b.ctx, f); err != nil {
				t.Fatal(err)
			}
			if got := b.content(object); !bytes.Equal(got, data) {
				t.Errorf("object %s has %d bytes", object, len(got))
			}
			_, _ = r.Seek(0, io.SeekStart)
		}
	})
	t.Run("in one client, in turn, also after a refusal", func(t *testing.T) {
		b := newTestbed(t)
		c := b.client()
		r := reader()
		f := b.to("a")
		f.Reader = r
		for range 20 {
			_, _ = r.Seek(0, io.SeekStart)
			if _, err := c.Upload(b.ctx, f); err != nil {
				t.Fatal(err)
			}
		}
		id := b.add(c, f)[0]
		if err := c.DeleteFile(id); err != nil {
			t.Fatal(err)
		}
		b.add(c, f)
	})
	t.Run("not before a Read of the first has returned", func(t *testing.T) {
		b := newTestbed(t)
		g := newGated(0)
		f := b.to("a")
		f.Reader = g
		c := b.client()
		ctx, cancel := context.WithCancel(b.ctx)
		go func() { <-g.waits; cancel() }()
		if _, err := c.Upload(ctx, f); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if _, err := c.Upload(b.ctx, f); !errors.Is(err, upload.ErrInvalidArgument) {
			t.Errorf("got %v, want ErrInvalidArgument", err)
		}
		close(g.goOn)
		b.eventually("the Reader to be free", func() bool {
			_, err := c.Upload(b.ctx, f)
			return err == nil
		})
	})
	t.Run("what has no identity is not compared", func(t *testing.T) {
		b := newTestbed(t)
		c := b.client()
		for _, r := range []io.Reader{panicking{}, readerFunc(nil), &panicking{}} {
			f, g := b.to("a"), b.to("b")
			f.Reader, g.Reader = r, r
			b.add(c, f, g)
			if err := c.ClearFiles(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestErrorWhoseMethodsPanic, as those of a nil pointer in an interface do, is an error
// of its file.
func TestErrorWhoseMethodsPanic(t *testing.T) {
	for name, bad := range map[string]error{
		"a nil *fs.PathError": (*fs.PathError)(nil),
		"a nil *net.OpError":  (*net.OpError)(nil),
		"Error":               panickingError{},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			f := b.to("r")
			f.Reader = readerFunc(func([]byte) (int, error) { return 0, bad })
			g := b.to("s")
			g.Source = &faulty{Reader: bytes.NewReader(make([]byte, 250*kib)), fail: func(_, _ int64) error { return bad }}
			for _, f := range []upload.File{f, g} {
				if _, err := b.client().Upload(b.ctx, f); err == nil || !strings.Contains(err.Error(), "panicked") {
					t.Errorf("%s: got %v, want the panic", f.Object, err)
				}
			}
			b.clean()
		})
	}
}

type panickingError struct{}

func (panickingError) Error() string { panic("torn") }
