//go:build !race

package filelist

const manySteps = 1_000_000
