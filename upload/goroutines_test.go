package upload_test

import (
	"testing"

	"go.uber.org/goleak"
)

// goroutinesEnd returns a function that fails the test while goroutines run that were
// started after this call, once they have had some time to end.
func goroutinesEnd(t *testing.T) (ended func()) {
	t.Helper()
	// Those of tests that run at the same time would count. Setenv panics in such a test.
	t.Setenv("VODUPLOAD_TEST_ALONE", "1")
	current := goleak.IgnoreCurrent()
	return func() {
		t.Helper()
		if err := goleak.Find(current); err != nil {
			t.Error(err)
		}
	}
}
