package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vodupload/vodupload/examples/vodupload/internal/flagtype"
	"github.com/vodupload/vodupload/sts/ststest"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func newDemo(a *app) *cobra.Command {
	size := flagtype.Size{Bytes: 32 << 20, Min: 8 << 20, Max: 1 << 30}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Shows what this program does, without an account",
		Long: `Shows what this program does, without an account: it starts an OSS and an STS in this
process, makes a folder of files, and runs the commands that it shows. Nothing of it stays.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context(), size.Bytes) },
	}
	cmd.Flags().Var(&size, "size", "of all files together")
	return cmd
}

// A demo is a machine with a folder of films, credentials and a bucket.
type demo struct {
	env
	oss *osstest.Server
}

// demo runs the demonstration in a folder of its own.
func (a *app) demo(ctx context.Context, size int64) (err error) {
	dir, err := os.MkdirTemp("", "vodupload-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	before, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := os.Chdir(dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Chdir(before)) }()
	if err := makeFilms(size); err != nil {
		return err
	}
	tokens := ststest.NewServer(nil)
	defer tokens.Close()
	uri := ststest.NewCredentialsURI(tokens)
	defer uri.Close()
	oss := osstest.NewServer(&osstest.Options{
		Buckets: []string{"demo"},
		LookupKey: func(id, token string) (osstest.Key, bool) {
			c, ok := tokens.Lookup(id, token)
			return osstest.Key{
				AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret,
				SecurityToken: c.SecurityToken, Expires: c.Expires, Policy: c.Policy,
			}, ok
		},
	})
	defer oss.Close()
	d := &demo{env: a.env, oss: oss}
	d.signals = nil // they end ctx, and with it the command that runs
	d.environ = []string{
		"HOME=" + dir, "VODUPLOAD_CHECKPOINT_DIR=" + filepath.Join(dir, "checkpoints"),
		"VODUPLOAD_ENDPOINT=" + oss.URL, "VODUPLOAD_REGION=cn-hangzhou", "VODUPLOAD_CREDENTIALS_URI=" + uri.URL,
	}
	for _, name := range []string{"TERM", "NO_COLOR"} {
		if value, ok := a.lookup(name); ok {
			d.environ = append(d.environ, name+"="+value)
		}
	}
	return d.show(ctx, int(size/demoPart/3))
}

// demoPart is the size of the parts.
const demoPart = 1 << 20

// makeFilms makes three files, in two folders.
func makeFilms(size int64) error {
	random := rand.NewChaCha8([32]byte{})
	for name, share := range map[string]int64{"films/opening.mp4": size / 2, "films/credits.mp4": size / 4, "films/raw/take-1.mov": size / 4} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = io.CopyN(f, random, share)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// show runs the commands. The first is interrupted after so many parts.
func (d *demo) show(ctx context.Context, parts int) error {
	copyFilms := "vodupload cp films oss://demo/2026/ --bandwidth 8M"
	d.say("An OSS server and a token server run in this process; the folder\nfilms has three files.")
	d.say("Ctrl-C comes in the middle of the first upload:")
	if err := d.interrupted(ctx, parts, copyFilms); err != nil {
		return err
	}
	for _, step := range []struct{ says, types string }{
		{"The same command sends what is missing:", copyFilms},
		{"Nothing has changed, so nothing is sent:", "vodupload sync films oss://demo/2026/"},
		{"Does the bucket have the bytes of the folder? No download is needed:", "vodupload verify films oss://demo/2026/"},
		{"Where do the settings come from?", "vodupload config show --origin"},
	} {
		d.say(step.says)
		if err := d.types(ctx, step.types, exitOK); err != nil {
			return err
		}
	}
	d.say("With a bucket of yours: vodupload cp FILE oss://BUCKET/, with --region, and a\nkey in OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, or a profile of ossutil or\nthe aliyun CLI.")
	return nil
}

func (d *demo) say(text string) {
	fmt.Fprintf(d.stderr, "\n# %s\n", strings.ReplaceAll(text, "\n", "\n# "))
}

// interrupted runs a command that gets a Ctrl-C after so many parts.
func (d *demo) interrupted(ctx context.Context, parts int, line string) error {
	signals := make(chan os.Signal, 1)
	reached := osstest.Delay(osstest.OpUploadPart, 0).Nth(max(parts, upload.DefaultParallel+1)) // the first is acknowledged
	d.oss.Inject(reached)
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-reached.Fired():
			signals <- os.Interrupt
		case <-ended:
		}
	}()
	other := *d
	other.signals = signals
	return other.types(ctx, line, exitInterrupted)
}

// types shows a command and runs it. A signal of the demo's own ends all of it.
func (d *demo) types(ctx context.Context, line string, want int) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	fmt.Fprintf(d.stderr, "$ %s\n", line)
	if code := runWithin(ctx, strings.Fields(line)[1:], d.env); code != want {
		return fmt.Errorf("exit code %d, want %d", code, want)
	}
	return nil
}
