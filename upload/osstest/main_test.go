package osstest

import (
	"testing"

	"go.uber.org/goleak"
)

// After the last test no server may be left running. One of net/http that has
// answered before the body had come keeps the connection for half a second, and
// does not let anybody wait for that.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}
