package upload

import (
	"fmt"
	"testing"

	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// A server that makes up codes must not fill the memory.
func TestRetriesAreCountedByFewCodes(t *testing.T) {
	var n counters
	for i := range 120 {
		n.retried(&transfer.Error{Code: fmt.Sprint("Code", i)})
	}
	n.retried(&transfer.Error{Code: "Code7"})
	var s Stats
	n.addTo(&s, transfer.Counts{})
	if len(s.Retries) != maxCodes+1 || s.Retries["Other"] != 20 || s.Retries["Code7"] != 2 {
		t.Errorf("%d codes, %d others, %d of one; want 100 and Other with 20, 2", len(s.Retries), s.Retries["Other"], s.Retries["Code7"])
	}
}
