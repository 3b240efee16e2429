package hotfolder

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// FailedDir is the folder, in the folder, for the files that cannot be uploaded.
const FailedDir = "failed"

// A Failure is what stands beside a file that cannot be uploaded, as NAME.error.json.
type Failure struct {
	Name   string    `json:"name"` // in the folder
	Object string    `json:"object"`
	Size   int64     `json:"size"`
	At     time.Time `json:"at"`
	Code   string    `json:"code,omitempty"`
	Error  string    `json:"error"`
}

// setFailed moves a file to the folder of those that failed, with the reason beside it. To
// have it tried again, move it back.
func setFailed(dir, name string, failure Failure) error {
	from := filepath.Join(dir, filepath.FromSlash(name))
	to := filepath.Join(dir, FailedDir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	text, err := json.MarshalIndent(failure, "", "  ")
	if err != nil {
		return err
	}
	to, err = renameFree(from, to)
	return errors.Join(err, os.WriteFile(to+".error.json", append(text, '\n'), 0o666))
}
