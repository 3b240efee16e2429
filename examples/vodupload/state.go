package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/vodupload/vodupload/checkpoint"
)

// checkpointFolder returns the folder of the checkpoints, which is made if it is not there.
func checkpointFolder(given string) (string, error) {
	dir := given
	if dir == "" {
		var err error
		if dir, _, err = checkpoint.MakeDefaultDir(); err != nil {
			return "", usageError{err}
		}
	}
	store, err := checkpoint.OpenDir(dir)
	if err != nil {
		return "", usageError{fmt.Errorf("--checkpoint-dir: %w", err)}
	}
	return store.Path(), store.Close()
}

// stateFile returns the path of a file, in the folder of the checkpoints, that belongs to
// what the words name together.
func stateFile(checkpoints, kind string, words ...string) (string, error) {
	h := sha256.New()
	for _, word := range words {
		fmt.Fprintf(h, "%d:%s", len(word), word)
	}
	dir := filepath.Join(checkpoints, kind)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return filepath.Join(dir, hex.EncodeToString(h.Sum(nil)[:16])+"."+kind), nil
}
