//go:build race

package checkpoint

// flipStep is how many bytes the flipping of bytes goes on: the race detector makes
// it slow, and there is no race to find in it.
const flipStep = 17
