package fleettest

// PID returns the number of a node's process.
func PID(c *Cluster, i int) int { return c.nodes[i].process.cmd.Process.Pid }
