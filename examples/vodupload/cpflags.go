package main

import (
	"github.com/spf13/pflag"

	"github.com/vodupload/vodupload/examples/vodupload/internal/flagtype"
	"github.com/vodupload/vodupload/upload"
)

// copyFlags are those of the commands that upload.
type copyFlags struct {
	partSize      flagtype.Size
	checkpointDir string
}

func (f *copyFlags) register(flags *pflag.FlagSet) {
	f.partSize.Min, f.partSize.Max = 100<<10, 5<<30
	flags.Var(&f.partSize, "part-size", "size of the parts, from 100K to 5G (default 1M)")
	flags.StringVar(&f.checkpointDir, "checkpoint-dir", "", "`FOLDER` of the checkpoints (default: in the user's cache folder)")
}

// options returns the options of the client.
func (f copyFlags) options() upload.Options {
	return upload.Options{
		PartSize:      f.partSize.Bytes,
		CheckpointDir: f.checkpointDir,
	}
}
