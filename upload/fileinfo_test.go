package upload_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// TestFileInfoInJSON is the same when it is read again, as from a queue or a database.
func TestFileInfoInJSON(t *testing.T) {
	at := time.Date(2026, 11, 28, 1, 2, 3, 4, time.UTC)
	for name, f := range map[string]upload.FileInfo{
		"succeeded": {ID: 1, Path: "a", State: upload.FileSucceeded, Size: 3, Started: at, Result: &upload.Result{CRC64: 1<<63 + 1}},
		"waiting":   {ID: 2, Waiting: &upload.Waiting{For: upload.WaitClaim, Since: at, Err: errors.New("held by b")}},
		"failed":    {ID: 3, State: upload.FileFailed, Err: &upload.Error{Op: "PutObject", Path: "a", Code: "AccessDenied", Status: 403, Err: errors.New("no right")}},
		"canceled":  {ID: 4, State: upload.FileCanceled, Err: &upload.Error{Op: "upload", Path: "a", Code: upload.CodeCanceled}},
	} {
		text := must(json.Marshal(f))
		var read upload.FileInfo
		if err := json.Unmarshal(text, &read); err != nil {
			t.Errorf("%s: %v, of %s", name, err, text)
		} else if !reflect.DeepEqual(read, f) {
			t.Errorf("%s: got %+v, want %+v, of %s", name, read, f, text)
		}
	}
}
