// Package checkpointtest is the suite that every [checkpoint.Store] has to pass.
//
// A store's test calls [Run] with a function that makes an empty one:
//
//	func TestStore(t *testing.T) {
//		checkpointtest.Run(t, func(t *testing.T) checkpoint.Store {
//			return etcdstore.New(testCluster(t), t.Name())
//		})
//	}
//
// A store that many machines share passes [RunShared] as well. [Leases] is such a store in
// memory, whose holders can be stopped and cut off: for tests of what uses one.
//
// Run it with the race detector too. What only the store itself can show is left to
// its own tests: what survives a crash, and that claims hold between processes.
package checkpointtest

import (
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

// Run tests that the stores that open returns keep to the contract of
// [checkpoint.Store] and [checkpoint.Claim]. It calls open once for each subtest,
// and closes the store at the end of it; the store has to be empty, and to keep
// nothing of the other subtests. Clean-up of what lies below goes to t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) checkpoint.Store) {
	for _, group := range [][]test{claims, records, parts, lists, finder, unbegun, ends} {
		for _, tt := range group {
			t.Run(tt.name, func(t *testing.T) {
				s := open(t)
				t.Cleanup(func() { noError(t, "Close of the store", s.Close()) })
				tt.run(t, s)
			})
		}
	}
}

type test struct {
	name string // what is seen to hold
	run  func(t *testing.T, s checkpoint.Store)
}

// Key returns the key of the upload of a file called name.
func Key(name string) checkpoint.Key {
	return checkpoint.Key{Source: "/media/" + name, Endpoint: "https://oss-cn-hangzhou.aliyuncs.com", Bucket: "media", Object: "in/" + name}
}

// Record returns a record with all fields set, of the upload that key names.
func Record(key checkpoint.Key) checkpoint.Record {
	at := time.Date(2026, 3, 1, 12, 30, 15, 123_456_789, time.UTC)
	return checkpoint.Record{
		Version: checkpoint.Version,
		Key:     key,
		Source: checkpoint.Source{
			Size: 5 << 30, ModTime: at, Inode: 1<<63 + 7, Device: 2049, ChangeTime: at.Add(time.Second), Fingerprint: "etag:abc",
		},
		UploadID: "0004B9894A22E5B1888A1E29F8236E2D",
		PartSize: 1 << 20,
		Started:  at.Add(time.Hour),
		VideoID:  "93ab850b4f6f44eab54b6e91d24d81d4",
	}
}

// Part returns the part with this number, as OSS could have acknowledged it.
func Part(number int) checkpoint.Part {
	const digits = "0123456789ABCDEF"
	etag := make([]byte, 32)
	for i := range etag {
		etag[i] = digits[(number>>(4*(i%4)))&15]
	}
	return checkpoint.Part{Number: number, Size: 1 << 20, ETag: string(etag), CRC64: 0x9E3779B97F4A7C15 * uint64(number)}
}

// Parts returns the parts with the numbers from first to last.
func Parts(first, last int) []checkpoint.Part {
	var parts []checkpoint.Part
	for n := first; n <= last; n++ {
		parts = append(parts, Part(n))
	}
	return parts
}
