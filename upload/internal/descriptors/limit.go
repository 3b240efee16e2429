// Package descriptors says how many files and sockets the process may have open, knows
// the errors of one that has too many, and waits until one can be opened again.
package descriptors

// reserve is what a process has open besides: its standard streams, what the runtime
// needs, a log, a database.
const reserve = 32

// Started returns how many files may be started at a time: each holds perFile
// descriptors, and requests share one for each connection. limit is that of the
// process, 0 if there is none. want is how many it would be without a limit.
func Started(limit, perFile, connections, want int) int {
	if limit <= 0 {
		return want
	}
	room := max(limit-reserve-connections, limit/2) / perFile
	return max(1, min(want, room))
}
