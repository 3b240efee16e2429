// Package decide has the decisions of the fleet as functions of plain values: what to do
// with a job that the queue delivers, how an attempt ends, which jobs are to be rung
// again, and a worker's share of the budget. It knows no engine, clock or goroutine.
package decide
