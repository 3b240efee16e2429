package upload_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// Secrets that a search finds again, also where their ends were cut off.
const (
	secretMark = "xSECRETx"
	tokenMark  = "xTOKENx"
)

func secretOf(id string) string { return strings.Repeat(secretMark, 3) + id }
func tokenOf(id string) string  { return strings.Repeat(tokenMark, 3) + id }

// noSecret fails the test if text holds a secret, or what signs a URL.
func noSecret(t *testing.T, where, text string) {
	t.Helper()
	for _, mark := range []string{secretMark, tokenMark, "Signature=", "OSSAccessKeyId=", "security-token=", "Authorization"} {
		if i := strings.Index(text, mark); i >= 0 {
			t.Errorf("%s: found %q in …%s…", where, mark, text[max(0, i-200):min(len(text), i+50)])
		}
	}
}

// A logBuffer takes lines from many goroutines.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

var markedKey = osstest.Key{AccessKeyID: "STS.marked", AccessKeySecret: secretOf("k"), SecurityToken: tokenOf("k")}

func markedCredentials() sts.Credentials {
	return sts.Credentials{AccessKeyID: markedKey.AccessKeyID, AccessKeySecret: markedKey.AccessKeySecret, SecurityToken: markedKey.SecurityToken}
}

func TestNoSecretInValues(t *testing.T) {
	b := newTestbed(t)
	b.server.AddKey(markedKey)
	b.opts.Credentials = sts.Static(markedCredentials())
	c := b.client()
	id := must(c.AddFile(b.file("a", 10)))
	if err := c.SetToken(id, markedCredentials()); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%q"} {
		for _, v := range []any{c, *b, b.opts, &b.opts, c.Files(), c.Stats(), markedCredentials(), markedKey} {
			noSecret(t, verb, fmt.Sprintf(verb, v))
		}
	}
	var log logBuffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("values", "client", c, "files", c.Files(), "credentials", markedCredentials())
	noSecret(t, "log", log.String())
}

func TestNoSecretInCheckpoint(t *testing.T) {
	b := newTestbed(t)
	b.server.AddKey(markedKey)
	dir := t.TempDir()
	store := must(checkpoint.OpenDir(dir))
	defer store.Close()
	b.opts.Checkpoints, b.opts.Credentials = store, sts.Static(markedCredentials())
	ctx, stop := context.WithCancel(b.ctx)
	b.opts.Callbacks.OnProgress = func(_ *upload.Client, _ upload.FileInfo, uploaded, _ int64) {
		if uploaded > 0 {
			stop()
		}
	}
	if _, err := b.client().Upload(ctx, b.file("a.mp4", 20*mib)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want it to be canceled", err)
	}
	left := must(filepath.Glob(filepath.Join(dir, "*")))
	if len(left) == 0 {
		t.Fatal("there is no checkpoint")
	}
	for _, name := range left {
		noSecret(t, name, string(must(os.ReadFile(name))))
	}
}

// panicEnv has the test binary panic in a callback.
const panicEnv = "VODUPLOAD_PANIC"

func panicChild() error {
	server := osstest.NewServer(&osstest.Options{Buckets: []string{bucket}, Keys: []osstest.Key{markedKey}})
	defer server.Close()
	c, err := upload.New(&upload.Options{
		Credentials: sts.Static(markedCredentials()), Checkpoints: checkpoint.NewMemory(),
		Callbacks: upload.Callbacks{
			OnStarted: func(c *upload.Client, f upload.FileInfo) { panic(fmt.Sprint(c, f)) },
		},
	})
	if err != nil {
		return err
	}
	_, err = c.Upload(context.Background(), upload.File{
		Path: os.Getenv(panicEnv), Endpoint: server.URL, Bucket: bucket, Object: "o",
	})
	return err
}

func TestNoSecretInPanic(t *testing.T) {
	b := newTestbed(t)
	cmd := exec.CommandContext(b.ctx, must(os.Executable()))
	cmd.Env = append(os.Environ(), panicEnv+"="+b.file("a", 10).Path, "GOTRACEBACK=all")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "panic: ") {
		t.Fatalf("it did not panic: %v\n%s", err, out)
	}
	noSecret(t, "panic", string(out))
}
