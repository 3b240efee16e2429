package upload_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
)

// hostile are names and texts that break a line, or change how it is shown.
var hostile = map[string]string{
	"line break":          "a\nb\r\nc",
	"separators":          "a\u0085b\u2028c\u2029d",
	"terminal escape":     "a\x1b[31mb\x07",
	"direction":           "a\u202egpj.exe\u2066b",
	"invisible":           "a\ufeffb\u200bc",
	"long and full of it": strings.Repeat("\n\u202e", 50),
}

// isOneLine fails the test unless text can be shown as one line.
func isOneLine(t *testing.T, what, text string) {
	t.Helper()
	if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }); i >= 0 {
		t.Errorf("%s has %q at byte %d:\n%q", what, text[i:][:1], i, text)
	}
}

func TestErrorsAreOneLine(t *testing.T) {
	for name, text := range hostile {
		t.Run("name: "+name, func(t *testing.T) {
			b := newTestbed(t)
			c := b.client()
			f := b.bytesOf(text, 10)
			f.Path = text
			if _, err := c.AddFile(f); err != nil {
				t.Fatal(err)
			}
			_, twice := c.AddFile(f)
			slash, missing, noBucket := f, f, f
			slash.Object = "/" + text
			missing.Source, missing.Path = nil, filepath.Join(b.dir, "none"+strings.ReplaceAll(text, "\x00", ""))
			noBucket.Bucket = text
			_, refused := c.AddFile(slash)
			_, gone := c.AddFile(missing)
			_, bucket := c.AddFile(noBucket)
			_, dir := c.AddDir(b.ctx, missing.Path, &upload.AddDirOptions{Prefix: text})
			_, sweep := c.Sweep(b.ctx, upload.SweepOptions{Endpoint: b.server.URL, Bucket: "none-such", Prefix: text, OnlyThisMachine: true})
			_, sent := c.Upload(b.ctx, func() upload.File { f := f; f.Object, f.Bucket = text+"2", "none-such"; return f }())
			for what, err := range map[string]error{
				"twice": twice, "bad object": refused, "gone": gone, "bad bucket": bucket, "AddDir": dir, "Sweep": sweep, "Upload": sent,
			} {
				if err == nil {
					t.Errorf("%s: got no error", what)
					continue
				}
				isOneLine(t, what, err.Error())
			}
			if !errors.Is(gone, fs.ErrNotExist) || !errors.Is(gone, upload.ErrFileNotExist) {
				t.Errorf("got %v, want its causes to be found", gone)
			}
		})
		t.Run("server: "+name, func(t *testing.T) {
			b := newTestbed(t)
			var log logBuffer
			b.opts.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			f := b.bytesOf("a", 10)
			f.Endpoint = serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusForbidden)
				escaped := strings.NewReplacer("\x1b", "", "\x07", "").Replace(text)
				fmt.Fprintf(w, "<Error><Code>No%s</Code><Message>%s</Message><RequestId>%s</RequestId><EC>%s</EC></Error>", escaped, escaped, escaped, escaped)
			})
			_, err := b.client().Upload(b.ctx, f)
			if err == nil {
				t.Fatal("got no error")
			}
			isOneLine(t, "Upload", err.Error())
			for line := range strings.Lines(log.String()) {
				isOneLine(t, "the log", strings.TrimSuffix(line, "\n"))
			}
		})
	}
}

// AddDir reports each file in one line, and all of them in one.
func TestErrorsOfAddDirAreOneLine(t *testing.T) {
	b := newTestbed(t)
	for _, text := range hostile {
		path := filepath.Join(b.dir, text)
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Skipf("this file system has no such names: %v", err)
		}
	}
	opts := b.into("")
	opts.Func = func(f *upload.File, _ fs.DirEntry) (bool, error) {
		f.Object = "/" + f.Object
		return false, nil
	}
	_, err := b.client().AddDir(b.ctx, b.dir, opts)
	var refused upload.AddDirErrors
	if !errors.As(err, &refused) || len(refused) != len(hostile) {
		t.Fatalf("got %v, want %d objects that begin with a slash", err, len(hostile))
	}
	isOneLine(t, "AddDir", err.Error())
	for _, one := range refused {
		isOneLine(t, "AddDir", one.Error())
	}
}

// An upload ID goes into texts, records and URLs: one that cannot be printed is refused.
func TestUploadIDThatCannotBePrinted(t *testing.T) {
	b := newTestbed(t)
	f := b.bytesOf("a", 300*kib)
	f.Endpoint = serve(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "<InitiateMultipartUploadResult><UploadId>A\nB</UploadId></InitiateMultipartUploadResult>")
	})
	_, err := b.client().Upload(b.ctx, f)
	if err == nil || !strings.Contains(err.Error(), `upload ID "A\nB" has characters that cannot be printed`) {
		t.Errorf("got %v, want the upload ID to be refused", err)
	}
}

type unlistable struct{ checkpoint.Store }

func (unlistable) List(context.Context) ([]checkpoint.Entry, error) {
	return nil, errors.New("disk\n\u202egone")
}

func TestErrorOfSweepIsOneLine(t *testing.T) {
	b := newTestbed(t)
	b.opts.Checkpoints = unlistable{b.store}
	_, err := b.client().Sweep(b.ctx, upload.SweepOptions{})
	if err == nil {
		t.Fatal("got no error of a store that cannot be listed")
	}
	isOneLine(t, "Sweep", err.Error())
}
