package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"os"
	"slices"
	"testing"

	"github.com/vodupload/vodupload/checkpoint/internal/boltfile"
)

// FuzzRecord looks for bytes that are taken for a record but are none, or that
// crash the decoder. The checksum is made right, so that it does not stop it.
func FuzzRecord(f *testing.F) {
	for _, rec := range []Record{testRecord("a"), testRecord(""), {Version: Version, UploadID: "u", PartSize: 1}} {
		data, err := rec.MarshalBinary()
		must(f, err)
		f.Add(data[:len(data)-checksumLen])
	}
	f.Add([]byte(recordMagic))
	f.Add([]byte("VODC\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, body []byte) {
		var rec, again Record
		if err := rec.UnmarshalBinary(appendChecksum(slices.Clone(body), 0)); err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("error is %v, want %v", err, ErrDamaged)
			}
			return
		}
		data, err := rec.MarshalBinary()
		must(t, err)
		must(t, again.UnmarshalBinary(data))
		if again != rec {
			t.Errorf("record became %+v, was %+v", again, rec)
		}
	})
}

// FuzzPart does the same for parts.
func FuzzPart(f *testing.F) {
	for _, p := range []Part{testPart(1), {Number: 10_000, ETag: "etag"}, {Number: 1, ETag: "0123456789abcdef0123456789abcdef"}} {
		data, err := p.MarshalBinary()
		must(f, err)
		f.Add(data[:len(data)-checksumLen])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var p, again Part
		if err := p.UnmarshalBinary(appendChecksum(slices.Clone(body), 0)); err != nil {
			return
		}
		data, err := p.MarshalBinary()
		must(t, err)
		must(t, again.UnmarshalBinary(data))
		if again != p {
			t.Errorf("part became %+v, was %+v", again, p)
		}
	})
}

// FuzzFile looks for files that crash the reader, or that it lets through to bbolt
// and that crash bbolt. The checksums of the meta pages are made right.
// -fuzzminimizetime=1x keeps it from making files of 60 KB smaller, byte by byte.
func FuzzFile(f *testing.F) {
	for _, parts := range []int{0, 3, 100, 300} {
		data := recordFileBytes(f, parts)
		m, err := boltfile.ReadMeta(bytes.NewReader(data))
		must(f, err)
		f.Add(data[:m.Pages*boltfile.PageSize])
	}
	f.Add(boltfile.Empty())
	f.Fuzz(func(t *testing.T, data []byte) {
		for page := range min(2, len(data)/boltfile.PageSize) {
			const head, summed = 16, 56 // bytes of the page before its meta, and those that its checksum covers
			b := data[page*boltfile.PageSize+head:]
			sum := fnv.New64a()
			_, _ = sum.Write(b[:summed])
			binary.NativeEndian.PutUint64(b[summed:], sum.Sum64())
		}
		c, err := readContent(bytes.NewReader(data), int64(len(data)))
		if err != nil || !c.ok {
			return
		}
		d := mustOpenDir(t, t.TempDir(), hostSystem())
		must(t, os.WriteFile(d.file(c.rec.Key), data, 0o600))
		u, err := d.Open(t.Context(), c.rec.Key)
		must(t, err)
		mustAdd(t, u, testParts(1, 400)...)
		must(t, u.Close())
		u, err = d.Open(t.Context(), c.rec.Key)
		must(t, err)
		defer u.Close()
		if _, parts, ok := u.Load(); !ok || len(parts) < 400 {
			t.Errorf("%d parts of 400 came back: %v", len(parts), u.Damaged())
		}
	})
}
