package upload_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

// goroutinesEnd returns a function that fails the test where goroutines that were started
// after this call do not end. It waits for them: goleak by itself gives them less than half
// a second, which a busy machine may take to run each of them once.
func goroutinesEnd(t *testing.T) (ended func()) {
	t.Helper()
	// Those of tests that run at the same time would count. Setenv panics in such a test.
	t.Setenv("VODUPLOAD_TEST_ALONE", "1")
	current := goleak.IgnoreCurrent()
	return func() {
		t.Helper()
		err := goleak.Find(current)
		for deadline := time.Now().Add(time.Minute); err != nil && time.Now().Before(deadline); {
			err = goleak.Find(current)
		}
		if err != nil {
			t.Error(err)
		}
	}
}
