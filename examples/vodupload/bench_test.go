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

// What sync of unchanged files costs beyond reading them by as many readers: it should read at
// 80 % of the speed of the disk, and is held against the page cache as well, which is faster.
func BenchmarkSyncUnchanged(b *testing.B) {
	const files, size = 500, 1 << 20
	dir := b.TempDir()
	var paths []string
	for i := range files {
		paths = append(paths, filepath.Join(dir, fmt.Sprintf("%03d.ts", i)))
		if err := os.WriteFile(paths[i], bytes.Repeat([]byte{byte(i)}, size), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	read := func(path string) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{f}, make([]byte, 256<<10))
		return err
	}
	s := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}, KeepRequests: -1})
	b.Cleanup(s.Close)
	w := benchWorld(s)
	sync := func(words string) {
		if r := w.bare("sync", dir, "oss://media/", "--checkpoint-dir", b.TempDir()); r.code != exitOK || !strings.Contains(r.stderr, words) {
			b.Fatal(r.stderr)
		}
	}
	sync("500 files uploaded")
	for from, prepare := range map[string]func(*testing.B, []string){"cache": nil, "disk": dropPages} {
		run := func(name string, all func()) {
			b.Run(from+"/"+name, func(b *testing.B) {
				b.SetBytes(files * size)
				for b.Loop() {
					if prepare != nil {
						b.StopTimer()
						prepare(b, paths)
						b.StartTimer()
					}
					all()
				}
			})
		}
		run("read", func() {
			var g errgroup.Group
			g.SetLimit(upload.DefaultParallel)
			for _, path := range paths {
				g.Go(func() error { return read(path) })
			}
			if err := g.Wait(); err != nil {
				b.Fatal(err)
			}
		})
		run("sync", func() { sync("500 files there already") })
	}
}

func benchWorld(s *osstest.Server) *world {
	return &world{server: s, environ: []string{
		"OSS_ACCESS_KEY_ID=" + osstest.DefaultKey.AccessKeyID, "OSS_ACCESS_KEY_SECRET=" + osstest.DefaultKey.AccessKeySecret,
		"OSS_REGION=cn-hangzhou", "OSS_ENDPOINT=" + s.URL,
	}}
}
