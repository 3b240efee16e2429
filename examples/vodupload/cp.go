package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/vodupload/vodupload/upload"
)

func newCp(a *app) *cobra.Command {
	var flags copyFlags
	cmd := &cobra.Command{
		Use:   "cp SOURCE... oss://BUCKET/PREFIX/",
		Short: "Copies files and folders to a bucket",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return errors.New("cp: wanted at least one source and a destination like oss://BUCKET/PREFIX/")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.copy(cmd.Context(), args[:len(args)-1], args[len(args)-1], flags)
		},
	}
	flags.register(cmd.Flags())
	return cmd
}

// copy copies the sources to a destination.
func (a *app) copy(ctx context.Context, sources []string, to string, flags copyFlags) error {
	d, err := parseDestination(to)
	if err != nil {
		return err
	}
	if len(sources) > 1 && !d.isPrefix() {
		return usageError{fmt.Errorf("destination %q: with several sources it has to end in a slash", to)}
	}
	s, err := a.open(ctx, d.bucket, flags.options())
	if err != nil {
		return err
	}
	err = s.start(ctx)
	for _, source := range sources {
		if err == nil {
			err = s.add(ctx, source, d)
		}
	}
	return s.finish(ctx, err)
}

// add adds one source to the list.
func (s *session) add(ctx context.Context, source string, d destination) error {
	info, err := os.Stat(source)
	switch {
	case err != nil:
		s.report.Fail(source, err)
		return nil
	case info.IsDir():
		return s.addFolder(ctx, source, d)
	}
	f := s.file()
	f.Path, f.Object = source, d.object(filepath.Base(source))
	if _, err := s.client.AddFile(f); err != nil {
		s.report.Fail(source, err)
	}
	return nil
}

func (s *session) addFolder(ctx context.Context, dir string, d destination) error {
	_, err := s.client.AddDir(ctx, dir, &upload.AddDirOptions{Prefix: d.prefix(), File: s.file()})
	var entries upload.AddDirErrors
	if !errors.As(err, &entries) {
		return err
	}
	for _, e := range entries {
		s.report.Fail(e.Path, e)
	}
	return nil
}
