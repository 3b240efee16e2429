package checkpoint

import (
	"bytes"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"
)

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

func TestEmptyImageIsWhatBboltWrites(t *testing.T) {
	want := boltFile(t, bolt.Options{PageSize: pageSize}, nil)
	if got := emptyImage(); !bytes.Equal(got, want[:len(got)]) || len(bytes.Trim(want[len(got):], "\x00")) > 0 {
		t.Errorf("image of %d bytes differs from what bbolt writes, %d bytes", len(got), len(want))
	}
}

// What bbolt reads and what is read here, without bbolt, is the same.
func TestWalkReadsWhatBboltWrote(t *testing.T) {
	shuffle := rand.New(rand.NewPCG(1, 2))
	for _, count := range []int{0, 1, 20, 60, 200, 3_000, 10_000} {
		rec := testRecord("a")
		encoded, _ := rec.MarshalBinary()
		parts := testParts(1, count)
		data := boltFile(t, bolt.Options{PageSize: pageSize}, func(tx *bolt.Tx) error {
			b, err := tx.CreateBucket(bucketName)
			must(t, err)
			must(t, b.Put(partKey(0), encoded))
			mixed := slices.Clone(parts)
			shuffle.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
			return new(recordFile).putParts(b, tag(encoded), mixed)
		})
		c, err := readContent(bytes.NewReader(data), int64(len(data)))
		if err != nil || !c.ok || c.rec != rec || !slices.Equal(c.parts, parts) {
			t.Errorf("%d parts: read %d, %v", count, len(c.parts), err)
		}
	}
}

func TestWalkRefuses(t *testing.T) {
	big := func(tx *bolt.Tx) error {
		b, err := tx.CreateBucket(bucketName)
		must(t, err)
		rec := testRecord("a")
		encoded, _ := rec.MarshalBinary()
		must(t, b.Put(partKey(0), encoded))
		return new(recordFile).putParts(b, tag(encoded), testParts(1, 500))
	}
	named := func(name string) func(*bolt.Tx) error {
		return func(tx *bolt.Tx) error {
			b, err := tx.CreateBucket([]byte(name))
			must(t, err)
			return b.Put([]byte("key"), []byte("value"))
		}
	}
	sound := boltFile(t, bolt.Options{PageSize: pageSize}, big)
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
		"another program's bucket":  boltFile(t, bolt.Options{PageSize: pageSize}, named("x")),
		"other keys in the bucket":  boltFile(t, bolt.Options{PageSize: pageSize}, named(string(bucketName))),
		"no bucket":                 emptyImage(),
		"other page size":           boltFile(t, bolt.Options{PageSize: 8192}, big),
		"no list of free pages":     boltFile(t, bolt.Options{PageSize: pageSize, NoFreelistSync: true}, big),
		"two buckets":               boltFile(t, bolt.Options{PageSize: pageSize}, func(tx *bolt.Tx) error { must(t, named("zzz")(tx)); return big(tx) }),
		"branch that is its child":  spoiled(func(b []byte) { order.PutUint64(b[branch+pageHead+8:], uint64(branch/pageSize)) }),
		"branch with a wild child":  spoiled(func(b []byte) { order.PutUint64(b[branch+pageHead+8:], 1<<60) }),
		"branch with a wild key":    spoiled(func(b []byte) { order.PutUint32(b[branch+pageHead:], 1<<32-1) }),
		"leaf with a wild key":      spoiled(func(b []byte) { order.PutUint32(b[leaf+pageHead+4:], 1<<32-8) }),
		"leaf that covers another":  spoiled(func(b []byte) { order.PutUint32(b[leaf+12:], 1) }),
		"a part twice": spoiled(func(b []byte) {
			first, second := b[leaf+pageHead+2*elementSize:], b[leaf+pageHead+3*elementSize:]
			copy(second[:elementSize], first[:elementSize])
			order.PutUint32(second[4:], order.Uint32(first[4:])-elementSize)
		}),
		"a part of an earlier record": boltFile(t, bolt.Options{PageSize: pageSize}, func(tx *bolt.Tx) error {
			must(t, big(tx))
			return new(recordFile).putParts(tx.Bucket(bucketName), []byte("tag?"), testParts(7, 7))
		}),
		"leaf with too many keys":   spoiled(func(b []byte) { order.PutUint16(b[leaf+10:], 0xFFFF) }),
		"leaf that is enormous":     spoiled(func(b []byte) { order.PutUint32(b[leaf+12:], 0xFFFF_FFFF) }),
		"leaf of another number":    spoiled(func(b []byte) { b[leaf]++ }),
		"empty leaf below a branch": spoiled(func(b []byte) { order.PutUint16(b[leaf+10:], 0) }),
		"free page that is in use": spoiled(func(b []byte) {
			order.PutUint16(b[free+10:], 1)
			order.PutUint64(b[free+pageHead:], uint64(leaf/pageSize))
		}),
		"enormous list of free": spoiled(func(b []byte) { order.PutUint16(b[free+10:], longFreelist); order.PutUint64(b[free+pageHead:], 1<<60) }),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := readContent(bytes.NewReader(data), int64(len(data)))
			if err == nil {
				t.Errorf("read %d parts of %q, want an error", len(c.parts), c.rec.UploadID)
			}
		})
	}
}

// setMeta changes a number in a meta page, and makes its checksum right.
func setMeta(data []byte, page, field int, value uint64) {
	b := data[page*pageSize+pageHead:]
	order.PutUint64(b[field:], value)
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaSummed])
	order.PutUint64(b[metaSummed:], sum.Sum64())
}

// pageWith returns the offset of the first page in use that has these flags.
func pageWith(t *testing.T, data []byte, flags uint16) int {
	t.Helper()
	seen := map[int]bool{}
	if _, err := walkFile(noting{data, seen}, int64(len(data)), func(_, _ []byte) error { return nil }); err != nil {
		t.Fatal(err)
	}
	for at := 2 * pageSize; at < len(data); at += pageSize {
		if seen[at] && order.Uint16(data[at+8:]) == flags && order.Uint16(data[at+10:]) != 1 {
			return at
		}
	}
	t.Fatalf("no page has the flags %x", flags)
	return 0
}

// noting takes note of the offsets that are read.
type noting struct {
	data []byte
	seen map[int]bool
}

func (n noting) ReadAt(p []byte, off int64) (int, error) {
	n.seen[int(off)] = true
	return bytes.NewReader(n.data).ReadAt(p, off)
}
