//go:build race

package checkpoint

// flipStep is how many bytes lie between two that are flipped: the race detector makes
// it slow, and there is no race to find in it.
const flipStep = 17
