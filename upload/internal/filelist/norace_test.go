//go:build !race

package filelist

// manySteps are a fifth of what CI runs, by -steps.
const manySteps = 200_000
