package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
)

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Shows the version of this program",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := readVersion()
			if a.global.json {
				report := a.reporter()
				report.Emit(output.Event{Type: "version", Value: v.Version, Go: v.Go, Platform: v.Platform})
				report.Close(exitOK)
				return nil
			}
			_, err := fmt.Fprintf(a.stdout, "vodupload %s, %s, %s\n", v.Version, v.Go, v.Platform)
			return err
		},
	}
}

type version struct{ Version, Go, Platform string }

func readVersion() version {
	v := version{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && v.Version == "(devel)" {
			v.Version = s.Value[:min(12, len(s.Value))]
		}
	}
	return v
}
