//go:build !race

package world

// defaultSeeds is how many schedules are run where nothing else was asked for. CI runs
// 1,000, by -seeds.
const defaultSeeds = 150
