//go:build !race

package world

// defaultSeeds is how many schedules are run where nothing else was asked for.
const defaultSeeds = 1000
