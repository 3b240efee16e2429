//go:build race

package world

// defaultSeeds is how many schedules are run where nothing else was asked for. The race
// detector takes ten times as long.
const defaultSeeds = 100
