package sts_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(helperVar) != "" {
		helper() // this is the program that a test started
	}
	goleak.VerifyTestMain(m)
}
