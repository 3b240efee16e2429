package osstest

import (
	"crypto/md5"
	"hash/crc64"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// goldenParts are those of the object whose ETag a test of the SDK for Go
// expects of the real service: 482,048 bytes in parts of 100 KB.
var goldenParts = []*storage.Part{
	{ETag: "251AD9D223371CF6380544DF72E106CB", CRC64: 8763152386744783419, Size: 102400},
	{ETag: "215A888785362D10E3F5204BFAB1EEDF", CRC64: 6614430229846010432, Size: 102400},
	{ETag: "547DF973F1622420B4D20B5E7C6D329C", CRC64: 16516841772958390055, Size: 102400},
	{ETag: "B820869246C889A0AD3C54043F2B7E05", CRC64: 3383540858311989068, Size: 102400},
	{ETag: "BCCAB4D694301EB00A03686D12F331A7", CRC64: 12089466050497086081, Size: 72448},
}

func TestPartsMakeTheETagOfTheRealService(t *testing.T) {
	var etags []string
	for _, p := range goldenParts {
		etags = append(etags, p.ETag)
	}
	if got, want := partsETag(etags), "2351E662233817A7AE974D8C5B0876DD-5"; got != want {
		t.Errorf("got ETag %s; want %s", got, want)
	}
}

func TestPartsMakeTheCRC(t *testing.T) {
	if got, want := partsCRC(goldenParts), uint64(3125829253308236322); got != want {
		t.Errorf("got CRC %d; want %d", got, want)
	}
	t.Run("check value", func(t *testing.T) {
		if got, want := crc64.Checksum([]byte("123456789"), crcTable), uint64(11051210869376104954); got != want {
			t.Errorf("got CRC %d; want %d", got, want)
		}
	})
	t.Run("any lengths", func(t *testing.T) {
		var parts []*storage.Part
		var all string
		for _, n := range []int{0, 1, 7, 8, 9, 0, 255, 256, 257, 65535, 65536, 65537, 3} {
			s := letters(n)
			all += s
			parts = append(parts, &storage.Part{Size: int64(n), CRC64: crc64.Checksum([]byte(s), crcTable)})
			if got, want := partsCRC(parts), crc64.Checksum([]byte(all), crcTable); got != want {
				t.Fatalf("after a part of %d bytes: got CRC %d; want %d", n, got, want)
			}
		}
	})
}

func TestETagsAreComparedAsClientsSendThem(t *testing.T) {
	for _, etag := range []string{`"ABC"`, `ABC`, `abc`, `"abc"`, ` "ABC" `} {
		if got := unquoted(etag); got != "ABC" {
			t.Errorf("unquoted(%q) = %q; want ABC", etag, got)
		}
	}
}

func TestFormsOfETags(t *testing.T) {
	body := letters(minPartSize)
	sum := bodyETagOf(body)
	for _, test := range []struct {
		name         string
		form         ETagForm
		part, object string // as written
		taken        []string
		refused      []string
	}{
		{"upper case", ETagsUpper, `"` + sum + `"`, `"` + sum + `"`, []string{sum, strings.ToLower(sum), `"` + sum + `"`}, []string{"", "x"}},
		{"lower case", ETagsLower, `"` + strings.ToLower(sum) + `"`, `"` + strings.ToLower(sum) + `"`, []string{strings.ToLower(sum)}, []string{sum}},
		{"weak", ETagsWeak, `W/"` + sum + `"`, `W/"` + sum + `"`, []string{sum, `W/"` + sum + `"`}, []string{"x"}},
		{"empty for parts", ETagsOfPartsEmpty, `""`, `"` + sum + `"`, []string{"", `""`, "x"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, c := newTestServer(t, &Options{ETags: test.form})
			if got := c.good("PUT", "/media/o", body).Get("Etag"); got != test.object {
				t.Errorf("PutObject: got ETag %s; want %s", got, test.object)
			}
			for i, text := range append(test.refused, test.taken...) {
				id := c.initiate("/media/k")
				if got := c.good("PUT", "/media/k?partNumber=1&uploadId="+id, body).Get("Etag"); got != test.part {
					t.Errorf("UploadPart: got ETag %s; want %s", got, test.part)
				}
				var list listPartsResult
				c.read(c.good("GET", "/media/k?uploadId="+id, ""), &list)
				if got := list.Parts[0].ETag; got != test.part {
					t.Errorf("ListParts: got ETag %s; want %s", got, test.part)
				}
				if i < len(test.refused) {
					c.refused(400, "InvalidPart", "POST", "/media/k?uploadId="+id, partList(1, text))
				} else {
					c.good("POST", "/media/k?uploadId="+id, partList(1, text))
				}
			}
		})
	}
}

func bodyETagOf(body string) string {
	h := md5.New()
	h.Write([]byte(body))
	return bodyETag(h)
}
