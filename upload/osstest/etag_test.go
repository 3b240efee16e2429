package osstest

import (
	"hash/crc64"
	"testing"
)

// goldenParts are those of the object whose ETag a test of the SDK for Go
// expects of the real service: 482,048 bytes in parts of 100 KB.
var goldenParts = []*part{
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
		var parts []*part
		var all string
		for _, n := range []int{0, 1, 7, 8, 9, 0, 255, 256, 257, 65535, 65536, 65537, 3} {
			s := letters(n)
			all += s
			parts = append(parts, &part{Size: int64(n), CRC64: crc64.Checksum([]byte(s), crcTable)})
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
