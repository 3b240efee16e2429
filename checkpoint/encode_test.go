package checkpoint

import (
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

// A file that one version wrote is read by the next: these bytes do not change
// while Version is 1.
func TestFormatStaysTheSame(t *testing.T) {
	rec := Record{
		Version: Version,
		Key:     Key{Source: "/a", Endpoint: "https://e", Bucket: "b", Object: "o"},
		Source: Source{
			Size: 3, ModTime: time.Unix(5, 6).UTC(), Inode: 7, Device: 8, ChangeTime: time.Unix(-1, 9).UTC(), Fingerprint: "f",
		},
		UploadID: "u", PartSize: 2, Started: time.Unix(10, 0).UTC(), VideoID: "v",
	}
	wantRecord := "564f4443" + "01" + "022f61" + "0968747470733a2f2f65" + "0162" + "016f" +
		"0000000000000003" + "0000000000000005" + "00000006" + "0000000000000007" + "0000000000000008" +
		"ffffffffffffffff" + "00000009" + "0166" + "0175" + "0000000000000002" + "000000000000000a" + "00000000" + "0176" +
		"b3bb80d2"
	if got, err := rec.MarshalBinary(); err != nil || hex.EncodeToString(got) != wantRecord {
		t.Errorf("record is\n%x (%v), want\n%s", got, err, wantRecord)
	}
	for etag, want := range map[string]string{
		"0123456789ABCDEF0123456789ABCDEF": "01" + "0007" + "0000000000000100" + "00000000000000ff" + "0123456789abcdef0123456789abcdef" + "f650877a",
		"0123456789abcdef0123456789abcdef": "02" + "0007" + "0000000000000100" + "00000000000000ff" + "0123456789abcdef0123456789abcdef" + "941b3d1f",
		"0123456789ABCDEF-2":               "00" + "0007" + "0000000000000100" + "00000000000000ff" + hex.EncodeToString([]byte("0123456789ABCDEF-2")) + "5640d83f",
	} {
		part := Part{Number: 7, Size: 256, ETag: etag, CRC64: 255}
		if got, err := part.MarshalBinary(); err != nil || hex.EncodeToString(got) != want {
			t.Errorf("part is\n%x (%v), want\n%s", got, err, want)
		}
	}
}

func TestPartsComeBackLetterByLetter(t *testing.T) {
	for _, etag := range []string{
		"", "x", strings.Repeat("0", 32), strings.Repeat("aB", 16), strings.Repeat("g", 32), strings.Repeat("A", 31), strings.Repeat("a", 33), "\x00\xff", strings.Repeat("z", maxETag),
	} {
		want := Part{Number: maxPartNumber, Size: 1<<63 - 1, ETag: etag, CRC64: 1<<64 - 1}
		data, err := want.MarshalBinary()
		var got Part
		if err == nil {
			err = got.UnmarshalBinary(data)
		}
		if err != nil || got != want {
			t.Errorf("part is %+v (%v), want %+v", got, err, want)
		}
	}
}

func TestDamagedEncodingIsAnError(t *testing.T) {
	rec := testRecord("a")
	record, _ := rec.MarshalBinary()
	part := testPart(1)
	encodedPart, _ := part.MarshalBinary()
	for name, decode := range map[string]struct {
		data []byte
		into interface{ UnmarshalBinary([]byte) error }
	}{
		"record": {record, &Record{UploadID: "before"}},
		"part":   {encodedPart, &Part{ETag: "before"}},
	} {
		before := reflect.ValueOf(decode.into).Elem().Interface()
		check := func(what string, data []byte) {
			if err := decode.into.UnmarshalBinary(data); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s %s: error is %v, want %v", name, what, err, ErrDamaged)
			}
			if now := reflect.ValueOf(decode.into).Elem().Interface(); now != before {
				t.Errorf("%s %s: became %+v", name, what, now)
			}
		}
		for i := range decode.data {
			for bit := range 8 {
				flipped := append([]byte(nil), decode.data...)
				flipped[i] ^= 1 << bit
				check("with a flipped bit", flipped)
			}
			check("cut short", decode.data[:i])
		}
		check("with more behind it", append(decode.data[:len(decode.data):len(decode.data)], 0))
	}
}

func TestOtherVersionIsNamed(t *testing.T) {
	rec := testRecord("a")
	data, _ := rec.MarshalBinary()
	data[4] = 7
	if err := rec.UnmarshalBinary(data); err == nil || !strings.Contains(err.Error(), "version 7, want 1") {
		t.Errorf("error is %v, want one that names version 7", err)
	}
}

func TestValidateNamesWhatIsWrong(t *testing.T) {
	long := strings.Repeat("x", maxText+1)
	for want, spoil := range map[string]func(*Record){
		"version is 2":            func(r *Record) { r.Version = 2 },
		"no upload ID":            func(r *Record) { r.UploadID = "" },
		"part size is 0 bytes":    func(r *Record) { r.PartSize = 0 },
		"source size is -1 bytes": func(r *Record) { r.Source.Size = -1 },
		"object has 1048577":      func(r *Record) { r.Key.Object = long },
		"fingerprint has 1048577": func(r *Record) { r.Source.Fingerprint = long },
	} {
		rec := testRecord("a")
		spoil(&rec)
		_, err := rec.MarshalBinary()
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want one that says %q", err, want)
		}
	}
	for want, part := range map[string]Part{
		"number is 0":     {},
		"number is 10001": {Number: 10_001},
		"size is -1":      {Number: 1, Size: -1},
		"ETag has 65537":  {Number: 1, ETag: long[:maxETag+1]},
	} {
		_, err := part.MarshalBinary()
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want one that says %q", err, want)
		}
	}
}
