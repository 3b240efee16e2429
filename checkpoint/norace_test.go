//go:build !race

package checkpoint

const flipStep = 1
