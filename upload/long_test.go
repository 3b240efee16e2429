package upload_test

import "flag"

// long is how CI runs the tests once, without the race detector.
var long = flag.Bool("long", false, "run the tests with lists at full length, and with each fault three times")

// many is how many of n to take in a test whose time grows with them. Fewer find the same
// things; with the race detector all take ten times as long.
func many(n int) int {
	switch {
	case raced:
		return n / 10
	case *long:
		return n
	}
	return n / 5
}
