//go:build race

package dashboard

// many is how many of n to take in a test whose time grows with them. The race detector
// takes ten times as long, and finds no more in the rest of them.
func many(n int) int { return n / 10 }
