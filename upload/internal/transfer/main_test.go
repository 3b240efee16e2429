package transfer

import (
	"io"
	"math/rand/v2"
	"testing"

	"go.uber.org/goleak"
)

// A server of net/http that has answered before the body had come keeps the connection
// for half a second, and does not let anybody wait for that.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

const (
	kib      = 1 << 10
	partSize = MinPartSize
	name     = "in/talk.mp4"
	media    = "media"
)

// fiveParts is the size of a source of five parts, the last one short.
const fiveParts = 4*partSize + 10*kib

// data returns n bytes, the same in each run.
func data(n int, seed byte) []byte {
	b := make([]byte, n)
	_, _ = io.ReadFull(rand.NewChaCha8([32]byte{seed}), b)
	return b
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
