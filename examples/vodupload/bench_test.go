package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// What the command adds to the library, for 5,000 small files: with bars it may take 1.2
// times as long.
func BenchmarkSmallFiles(b *testing.B) {
	dir := b.TempDir()
	for i := range 5000 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d.ts", i)), make([]byte, 4000+i), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	server := func(b *testing.B) *osstest.Server {
		s := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}, KeepRequests: -1})
		b.Cleanup(s.Close)
		return s
	}
	b.Run("library", func(b *testing.B) {
		s := server(b)
		for b.Loop() {
			c, err := upload.New(&upload.Options{
				Credentials:   sts.Static(sts.Credentials{AccessKeyID: osstest.DefaultKey.AccessKeyID, AccessKeySecret: osstest.DefaultKey.AccessKeySecret}),
				CheckpointDir: b.TempDir(), Region: "cn-hangzhou",
			})
			if err != nil {
				b.Fatal(err)
			}
			if err := c.Start(b.Context()); err != nil {
				b.Fatal(err)
			}
			if _, err := c.AddDir(b.Context(), dir, &upload.AddDirOptions{File: upload.File{Endpoint: s.URL, Bucket: "media"}}); err != nil {
				b.Fatal(err)
			}
			if err := c.Wait(b.Context()); err != nil {
				b.Fatal(err)
			}
			_ = c.Close()
		}
	})
	for name, more := range map[string][]string{"command": nil, "command with JSON": {"--json"}} {
		b.Run(name, func(b *testing.B) {
			s := server(b)
			w := benchWorld(s)
			for b.Loop() {
				args := append([]string{"cp", dir, "oss://media/", "--checkpoint-dir", b.TempDir()}, more...)
				if r := w.bare(args...); r.code != exitOK {
					b.Fatal(r.stderr)
				}
			}
		})
	}
}

// What sync of unchanged files costs beyond reading them: it should read at 80 % of the speed
// of the disk. Here the files are in the page cache, which is faster than disks are.
func BenchmarkSyncUnchanged(b *testing.B) {
	const files, size = 500, 1 << 20
	dir := b.TempDir()
	for i := range files {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.ts", i)), bytes.Repeat([]byte{byte(i)}, size), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("read", func(b *testing.B) {
		b.SetBytes(files * size)
		for b.Loop() {
			var g errgroup.Group
			g.SetLimit(upload.DefaultParallel)
			for i := range files {
				g.Go(func() error {
					f, err := os.Open(filepath.Join(dir, fmt.Sprintf("%03d.ts", i)))
					if err != nil {
						return err
					}
					defer f.Close()
					_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{f}, make([]byte, 256<<10))
					return err
				})
			}
			if err := g.Wait(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sync", func(b *testing.B) {
		s := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}, KeepRequests: -1})
		b.Cleanup(s.Close)
		w := benchWorld(s)
		args := []string{"sync", dir, "oss://media/", "--checkpoint-dir", b.TempDir()}
		if r := w.bare(args...); r.code != exitOK {
			b.Fatal(r.stderr)
		}
		b.SetBytes(files * size)
		for b.Loop() {
			if r := w.bare(args...); r.code != exitOK || !strings.Contains(r.stderr, "500 files there already") {
				b.Fatal(r.stderr)
			}
		}
	})
}

func benchWorld(s *osstest.Server) *world {
	return &world{server: s, environ: []string{
		"OSS_ACCESS_KEY_ID=" + osstest.DefaultKey.AccessKeyID, "OSS_ACCESS_KEY_SECRET=" + osstest.DefaultKey.AccessKeySecret,
		"OSS_REGION=cn-hangzhou", "OSS_ENDPOINT=" + s.URL,
	}}
}
