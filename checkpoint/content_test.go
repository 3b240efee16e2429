package checkpoint

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/vodupload/vodupload/checkpoint/internal/boltfile"
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

// What bbolt reads and what is read here, without bbolt, is the same.
func TestContentIsWhatBboltWrote(t *testing.T) {
	shuffle := rand.New(rand.NewPCG(1, 2))
	for _, count := range []int{0, 1, 20, 60, 200, 3_000, 10_000} {
		rec := testRecord("a")
		encoded, _ := rec.MarshalBinary()
		parts := testParts(1, count)
		data := boltFile(t, bolt.Options{PageSize: boltfile.PageSize}, func(tx *bolt.Tx) error {
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

func TestContentRefuses(t *testing.T) {
	big := func(tx *bolt.Tx) error {
		b, err := tx.CreateBucket(bucketName)
		must(t, err)
		encoded, _ := testRecord("a").MarshalBinary()
		must(t, b.Put(partKey(0), encoded))
		return new(recordFile).putParts(b, tag(encoded), testParts(1, 500))
	}
	for name, fill := range map[string]func(*bolt.Tx) error{
		"other keys in the bucket": func(tx *bolt.Tx) error {
			b, err := tx.CreateBucket(bucketName)
			must(t, err)
			return b.Put([]byte("key"), []byte("value"))
		},
		"a part of an earlier record": func(tx *bolt.Tx) error {
			must(t, big(tx))
			return new(recordFile).putParts(tx.Bucket(bucketName), []byte("tag?"), testParts(7, 7))
		},
	} {
		t.Run(name, func(t *testing.T) {
			data := boltFile(t, bolt.Options{PageSize: boltfile.PageSize}, fill)
			if c, err := readContent(bytes.NewReader(data), int64(len(data))); err == nil {
				t.Errorf("read %d parts of %q, want an error", len(c.parts), c.rec.UploadID)
			}
		})
	}
}
