//go:build !race

package upload_test

// many is how many of n to take in a test whose time grows with them.
func many(n int) int { return n }
