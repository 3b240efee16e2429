package main

import "fmt"

// serverErrors is how many requests the server refuses in the third step.
const serverErrors = 3

// retries counts requests that were made again.
type retries struct {
	total  int
	unsaid int
	first  string // why the first of those that were not said yet was made again
}

func (r *retries) add(reason string) {
	if r.unsaid == 0 {
		r.first = reason
	}
	r.total++
	r.unsaid++
}

// take returns one line about those that were not said yet; empty if there are none.
func (r *retries) take() string {
	n := r.unsaid
	r.unsaid = 0
	switch n {
	case 0:
		return ""
	case 1:
		return cut("retried once: " + r.first)
	}
	return cut(fmt.Sprintf("retried %d times, first %s", n, r.first))
}

// cut makes a line fit a terminal of 80 columns.
func cut(line string) string {
	const width = 80 - len(indent) - 1
	if runes := []rune(line); len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return line
}
