package checkpointtest

import (
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

// A Pair is two stores of one engine, as two machines have them.
type Pair struct {
	A, B checkpoint.Store

	// Pause does to A what SIGSTOP does to a process: it renews no lease, and sees no time
	// pass. It returns when the leases of A have ended at the engine. resume continues A;
	// until then no call of A or its claims is made.
	Pause func(t *testing.T) (resume func())
}

type test struct {
	name string // what is seen to hold
	run  func(t *testing.T, s checkpoint.Store)
}

type sharedTest struct {
	name string // what is seen to hold
	run  func(t *testing.T, p Pair)
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
