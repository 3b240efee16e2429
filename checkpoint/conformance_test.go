package checkpoint_test

import (
	"context"
	"os"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/checkpoint/checkpointtest"
)

func TestDirConforms(t *testing.T) {
	for name, open := range map[string]func(string) (*checkpoint.Dir, error){
		"here":                                 checkpoint.OpenDir,
		"where an open file cannot be removed": checkpoint.OpenDirClosingFirst,
	} {
		t.Run(name, func(t *testing.T) {
			checkpointtest.Run(t, func(t *testing.T) checkpoint.Store {
				d, err := open(t.TempDir())
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { onlyRecordsIn(t, d) })
				return d
			})
		})
	}
}

// onlyRecordsIn looks, after the store was closed, for files that nothing needs.
func onlyRecordsIn(t *testing.T, d *checkpoint.Dir) {
	files, err := os.ReadDir(d.Path())
	if err != nil {
		t.Error(err)
	}
	again, err := checkpoint.OpenDir(d.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	entries, err := again.List(context.Background()) // the one of t has ended
	if err != nil || len(entries) != len(files) {
		t.Errorf("%d files are left (%v), and %d uploads (%v)", len(files), files, len(entries), err)
	}
	for _, e := range entries {
		if e.InUse {
			t.Errorf("%v is still in use", e.Record.Key)
		}
	}
}

func TestMemoryConforms(t *testing.T) {
	checkpointtest.Run(t, func(*testing.T) checkpoint.Store { return checkpoint.NewMemory() })
}
