//go:build race

package filelist

// manySteps are fewer with the race detector, which takes ten times as long and has
// nothing to find where there is no goroutine.
const manySteps = 100_000
