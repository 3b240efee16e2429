package wire

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What an answer lays out on lines of its own is the same as without.
func TestAnswersThatAreLaidOut(t *testing.T) {
	t.Run("Initiate", func(t *testing.T) {
		o := newObject(t, serve(t, says("<InitiateMultipartUploadResult>\n<UploadId>\n\tU \r\n</UploadId>\n</InitiateMultipartUploadResult>")), nil)
		if got, err := o.Initiate(t.Context(), testKey, nil); err != nil || got.UploadID != "U" {
			t.Errorf("got upload ID %q, error %v; want U", got.UploadID, err)
		}
	})
	t.Run("Initiate without an ID", func(t *testing.T) {
		o := newObject(t, serve(t, says("<InitiateMultipartUploadResult><UploadId>  </UploadId></InitiateMultipartUploadResult>")), nil)
		_, err := o.Initiate(t.Context(), testKey, nil)
		if e := wantError(t, err, Retry); !strings.Contains(e.Error(), "upload ID is empty") {
			t.Errorf("error = %v, want that the upload ID is empty", e)
		}
	})
	t.Run("ListParts", func(t *testing.T) {
		o := newObject(t, serve(t, says(`<ListPartsResult> <Part> <PartNumber> 1 </PartNumber> <ETag>
			"A" </ETag> <Size> 5 </Size> <HashCrc64ecma> 7 </HashCrc64ecma> </Part> </ListPartsResult>`)), nil)
		got, err := o.ListParts(t.Context(), testKey, "U")
		if want := (Part{Number: 1, Size: 5, ETag: "A", CRC64: 7, HasCRC64: true}); err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("got %+v, error %v; want %+v", got, err, want)
		}
	})
	t.Run("ListUploads", func(t *testing.T) {
		b := newBucket(t, says(`<ListMultipartUploadsResult><Upload><Key> a </Key><UploadId> U </UploadId>
			<Initiated> 2026-10-20T07:28:00.000Z </Initiated></Upload></ListMultipartUploadsResult>`))
		got, err := b.ListUploads(t.Context(), testKey, "", UploadMarker{})
		want := Unfinished{" a ", "U", time.Date(2026, 10, 20, 7, 28, 0, 0, time.UTC)}
		if err != nil || len(got.Uploads) != 1 || got.Uploads[0] != want {
			t.Errorf("got %+v, error %v; want %+v, since a name may begin and end with a space", got.Uploads, err, want)
		}
	})
}

// A gateway that compresses without being asked does so with answers of any size.
func TestListPartsThatAreCompressed(t *testing.T) {
	var page strings.Builder
	page.WriteString("<ListPartsResult>")
	for i := range maxPage {
		fmt.Fprintf(&page, "<Part><PartNumber>%d</PartNumber><ETag>%032X</ETag><Size>1048576</Size><LastModified>2026-10-20T07:28:00.000Z</LastModified><HashCrc64ecma>%d</HashCrc64ecma></Part>",
			i+1, i, uint64(i)<<40)
	}
	page.WriteString("</ListPartsResult>")
	o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		says(gzipped(page.String()))(w, r)
	}), nil)
	if got, err := o.ListParts(t.Context(), testKey, "U"); err != nil || len(got) != maxPage {
		t.Errorf("got %d parts, error %v; want %d", len(got), err, maxPage)
	}
}

func TestOnlyARedirectIsCalledOne(t *testing.T) {
	for status, redirect := range map[int]bool{300: false, 301: true, 302: true, 303: true, 304: false, 307: true, 308: true} {
		o := newObject(t, serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }), nil)
		_, err := putPart(t.Context(), o, Body{})
		if e := wantError(t, err, Permanent); strings.Contains(e.Error(), "redirect") != redirect {
			t.Errorf("error = %v; want a word of redirects: %t", e, redirect)
		}
	}
}

// A connection that the server has taken for another protocol outlives the context of
// its request: only a call that does not read it comes back.
func TestAnswerThatSwitchesProtocols(t *testing.T) {
	closed := make(chan error, 1)
	o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		all(r.Body)
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: odd\r\n\r\n")
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second)) // so that a failure ends
		_, err = c.Read(make([]byte, 1))
		closed <- err
	}), nil)
	_, err := putPart(t.Context(), o, bodyOf("x"))
	if e := wantError(t, err, Permanent); e.Status != http.StatusSwitchingProtocols {
		t.Errorf("error = %v, want status 101", e)
	}
	if err := <-closed; err != io.EOF {
		t.Errorf("the server's read ended with %v, want EOF, of a connection that the call has closed", err)
	}
}
