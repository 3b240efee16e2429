package conformance

import (
	"testing"

	"go.uber.org/goleak"
)

// After the last test no server, client or callback may be left running.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
