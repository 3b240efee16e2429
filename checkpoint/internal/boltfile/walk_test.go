package boltfile

import (
	"bytes"
	"hash/fnv"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
)

var bucket = []byte("upload")

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// boltFile makes a database with bbolt alone, and returns its bytes.
func boltFile(t testing.TB, opts bolt.Options, fill func(*bolt.Tx) error) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	opts.NoSync = true
	db, err := bolt.Open(path, 0o600, &opts)
	must(t, err)
	if fill != nil {
		must(t, db.Update(fill))
	}
	must(t, db.Close())
	data, err := os.ReadFile(path)
	must(t, err)
	return data
}

func TestEmptyIsWhatBboltWrites(t *testing.T) {
	want := boltFile(t, bolt.Options{PageSize: PageSize}, nil)
	if got := Empty(); !bytes.Equal(got, want[:len(got)]) || len(bytes.Trim(want[len(got):], "\x00")) > 0 {
		t.Errorf("image of %d bytes differs from what bbolt writes, %d bytes", len(got), len(want))
	}
}

func TestWalkRefuses(t *testing.T) {
	big := func(tx *bolt.Tx) error {
		b, err := tx.CreateBucket(bucket)
		must(t, err)
		for n := range 500 {
			must(t, b.Put([]byte{byte(n >> 8), byte(n)}, make([]byte, 43)))
		}
		return nil
	}
	named := func(name string) func(*bolt.Tx) error {
		return func(tx *bolt.Tx) error {
			b, err := tx.CreateBucket([]byte(name))
			must(t, err)
			return b.Put([]byte("key"), []byte("value"))
		}
	}
	sound := boltFile(t, bolt.Options{PageSize: PageSize}, big)
	spoiled := func(spoil func([]byte)) []byte {
		data := bytes.Clone(sound)
		spoil(data)
		return data
	}
	branch := pageWith(t, sound, branchPage)
	leaf := pageWith(t, sound, leafPage)
	free := pageWith(t, sound, freelistPage)
	for name, data := range map[string][]byte{
		"a wild transaction":        spoiled(func(b []byte) { setMeta(b, 0, 48, 1<<63) }),
		"two sizes of pages":        spoiled(func(b []byte) { setMeta(b, 1, 8, 8192) }),
		"more pages than there are": spoiled(func(b []byte) { setMeta(b, 0, 40, 1<<17); setMeta(b, 1, 40, 1<<17) }),
		"noise":                     bytes.Repeat([]byte("noise"), 10_000),
		"another program's bucket":  boltFile(t, bolt.Options{PageSize: PageSize}, named("x")),
		"no bucket":                 Empty(),
		"other page size":           boltFile(t, bolt.Options{PageSize: 8192}, big),
		"no list of free pages":     boltFile(t, bolt.Options{PageSize: PageSize, NoFreelistSync: true}, big),
		"two buckets":               boltFile(t, bolt.Options{PageSize: PageSize}, func(tx *bolt.Tx) error { must(t, named("zzz")(tx)); return big(tx) }),
		"branch that is its child":  spoiled(func(b []byte) { nativeEndian.PutUint64(b[branch+pageHead+8:], uint64(branch/PageSize)) }),
		"branch with a wild child":  spoiled(func(b []byte) { nativeEndian.PutUint64(b[branch+pageHead+8:], 1<<60) }),
		"branch with a wild key":    spoiled(func(b []byte) { nativeEndian.PutUint32(b[branch+pageHead:], 1<<32-1) }),
		"leaf with a wild key":      spoiled(func(b []byte) { nativeEndian.PutUint32(b[leaf+pageHead+4:], 1<<32-8) }),
		"leaf that covers another":  spoiled(func(b []byte) { nativeEndian.PutUint32(b[leaf+12:], 1) }),
		"a part twice": spoiled(func(b []byte) {
			first, second := b[leaf+pageHead+2*elementSize:], b[leaf+pageHead+3*elementSize:]
			copy(second[:elementSize], first[:elementSize])
			nativeEndian.PutUint32(second[4:], nativeEndian.Uint32(first[4:])-elementSize)
		}),
		"leaf with too many keys":   spoiled(func(b []byte) { nativeEndian.PutUint16(b[leaf+10:], 0xFFFF) }),
		"leaf that is enormous":     spoiled(func(b []byte) { nativeEndian.PutUint32(b[leaf+12:], 0xFFFF_FFFF) }),
		"leaf of another number":    spoiled(func(b []byte) { b[leaf]++ }),
		"empty leaf below a branch": spoiled(func(b []byte) { nativeEndian.PutUint16(b[leaf+10:], 0) }),
		"free page that is in use": spoiled(func(b []byte) {
			nativeEndian.PutUint16(b[free+10:], 1)
			nativeEndian.PutUint64(b[free+pageHead:], uint64(leaf/PageSize))
		}),
		"enormous list of free": spoiled(func(b []byte) {
			nativeEndian.PutUint16(b[free+10:], longFreelist)
			nativeEndian.PutUint64(b[free+pageHead:], 1<<60)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			_, err := Walk(bytes.NewReader(data), int64(len(data)), bucket, func(_, _ []byte) error {
				n++
				return nil
			})
			if err == nil {
				t.Errorf("read %d keys, want an error", n)
			}
		})
	}
}

// setMeta changes a number in a meta page, and makes its checksum right.
func setMeta(data []byte, page, field int, value uint64) {
	b := data[page*PageSize+pageHead:]
	nativeEndian.PutUint64(b[field:], value)
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaSummed])
	nativeEndian.PutUint64(b[metaSummed:], sum.Sum64())
}

// pageWith returns the offset of the first page in use that has these flags.
func pageWith(t *testing.T, data []byte, flags uint16) int {
	t.Helper()
	seen := map[int]bool{}
	if _, err := Walk(noting{data, seen}, int64(len(data)), bucket, func(_, _ []byte) error { return nil }); err != nil {
		t.Fatal(err)
	}
	for at := 2 * PageSize; at < len(data); at += PageSize {
		if seen[at] && nativeEndian.Uint16(data[at+8:]) == flags && nativeEndian.Uint16(data[at+10:]) != 1 {
			return at
		}
	}
	t.Fatalf("no page has the flags %x", flags)
	return 0
}

// noting records the offsets that are read.
type noting struct {
	data []byte
	seen map[int]bool
}

func (n noting) ReadAt(p []byte, off int64) (int, error) {
	n.seen[int(off)] = true
	return bytes.NewReader(n.data).ReadAt(p, off)
}
