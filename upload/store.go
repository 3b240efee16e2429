package upload

import (
	"fmt"

	"github.com/vodupload/vodupload/checkpoint"
)

// openDir opens the directory that checkpoints are kept in unless the user gave a
// store. Where there is neither Options.CheckpointDir nor a home, as in a bare container,
// that is a private one under the temporary directory, and an operator should know: it
// may not outlive the container.
func openDir(o Options) (checkpoint.Store, error) {
	if o.CheckpointDir != "" {
		store, err := checkpoint.OpenDir(o.CheckpointDir)
		if err != nil {
			return nil, fmt.Errorf("Options.CheckpointDir: %w", err)
		}
		return store, nil
	}
	dir, fallback, err := checkpoint.MakeDefaultDir()
	if err != nil {
		return nil, err
	}
	if fallback {
		o.Logger.Warn("no home directory: checkpoints are kept under the temporary directory", "dir", dir)
	}
	return checkpoint.OpenDir(dir)
}
