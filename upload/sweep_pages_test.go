package upload_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/vodupload/vodupload/upload"
)

// A page of the server's list that fails once is asked for again, and not the list from
// its beginning.
func TestSweepResumesItsListAtThePageThatFailed(t *testing.T) {
	var asked []string
	endpoint := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !r.URL.Query().Has("uploads") {
			_, _ = io.WriteString(w, "<ListPartsResult></ListPartsResult>")
			return
		}
		marker := r.URL.Query().Get("key-marker")
		asked = append(asked, marker)
		key, more := "a", marker == ""
		if !more {
			key = "b"
		}
		if len(asked) == 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, `<ListMultipartUploadsResult><IsTruncated>%t</IsTruncated><NextKeyMarker>a</NextKeyMarker>
			<Upload><Key>%s</Key><UploadId>U</UploadId><Initiated>2020-10-20T07:28:00.000Z</Initiated></Upload></ListMultipartUploadsResult>`, more, key)
	})
	b := newTestbed(t)
	left, err := b.client().Sweep(b.ctx, upload.SweepOptions{Endpoint: endpoint, Bucket: bucket, DryRun: true})
	if err != nil || len(left) != 2 {
		t.Errorf("got %d leftovers, error %v; want a and b, once each", len(left), err)
	}
	if want := []string{"", "a", "a"}; !slices.Equal(asked, want) {
		t.Errorf("asked after %q, want %q", asked, want)
	}
}
