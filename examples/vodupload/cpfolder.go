package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vodupload/vodupload/upload"
)

// add adds one source. A source that is not there is a file that failed.
func (c *copying) add(ctx context.Context, source string) error {
	if source == "-" {
		c.addPipe()
		return nil
	}
	if isURL(source) {
		c.addURL(ctx, source)
		return nil
	}
	info, err := os.Stat(source)
	switch {
	case err != nil:
		c.report.Fail(source, err)
		return nil
	case info.IsDir() && !c.own.has(info): // addFile says why not
		return c.addFolder(ctx, source)
	}
	c.addFile(source, c.to.object(filepath.Base(source)))
	return nil
}

// addFolder adds the files of a folder that the flags select.
func (c *copying) addFolder(ctx context.Context, dir string) error {
	rules, prefix := c.flags.rules(), c.to.prefix()
	common := c.file("", "")
	_, err := c.client.AddDir(ctx, dir, &upload.AddDirOptions{
		Prefix: prefix,
		File:   common,
		Func: func(f *upload.File, d fs.DirEntry) (skip bool, err error) {
			name := strings.TrimPrefix(f.Object, prefix)
			if d.IsDir() && !rules.Folder(name) {
				return true, nil
			}
			info, err := d.Info()
			if d.IsDir() && err != nil {
				return false, nil // reading it reports why
			}
			if err != nil || !d.IsDir() && !rules.File(name, info.ModTime(), c.app.now()) {
				return true, err
			}
			if c.own.has(info) {
				c.report.Say("left out: %s: this run writes to it", filepath.Join(dir, filepath.FromSlash(name)))
				return true, nil
			}
			if d.IsDir() {
				return false, nil
			}
			err = c.take(f.Path, f.Object)
			if errors.Is(err, errTwice) {
				return true, nil
			}
			return false, err
		},
	})
	var entries upload.AddDirErrors
	switch {
	case err == nil || ctx.Err() != nil:
		return nil
	case !errors.As(err, &entries):
		c.report.Fail(dir, err)
		return nil
	}
	for _, e := range entries {
		c.report.Fail(e.Path, e)
	}
	return nil
}
