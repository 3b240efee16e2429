package upload

import (
	"github.com/vodupload/vodupload/checkpoint"
)

// openDefaultStore opens the directory that checkpoints are kept in unless the user
// gave a store. Where there is no home, as in a bare container, that is a private
// one under the temporary directory, and an operator should know: it may not
// outlive the container.
func openDefaultStore(o Options) (checkpoint.Store, error) {
	dir, fallback, err := checkpoint.DefaultDir()
	if err != nil {
		return nil, err
	}
	if fallback {
		o.Logger.Warn("no home directory: checkpoints are kept under the temporary directory", "dir", dir)
	}
	return checkpoint.OpenDir(dir)
}
