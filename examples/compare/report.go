package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// printTable writes one table for each scenario.
func printTable(w io.Writer, res *results) error {
	fmt.Fprintf(w, "%s, %s, %d CPUs. Medians; ratios are medians of the ratios within each round.\n", res.Go, res.Machine, res.CPUs)
	for i := range res.Scenarios {
		r := &res.Scenarios[i]
		rows, base := r.rows()
		fmt.Fprintf(w, "\n%s (%d in flight, rounds: %d; %s is 1)\n", r.Name, r.Parallel, rows[0].rounds, base)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprint(t, "CPU s\tratio\twall s\tratio\t")
		if r.Ideal > 0 {
			fmt.Fprint(t, "of ideal\t")
		}
		fmt.Fprintln(t, "peak MiB\trequests\tMiB sent\t  ")
		for _, one := range rows {
			fmt.Fprintf(t, "%.3f\t%.2f\t%.3f\t%.2f\t", one.cpu.Seconds(), one.cpuOf, one.wall.Seconds(), one.wallOf)
			if r.Ideal > 0 {
				fmt.Fprintf(t, "%.1f %%\t", 100*r.Ideal.Seconds()/one.wall.Seconds())
			}
			fmt.Fprintf(t, "%.1f\t%d\t%.1f\t  %s\n", float64(one.peak)/mib, one.requests, float64(one.bytes)/mib, one.who)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// writeJSON writes every sample.
func writeJSON(w io.Writer, res *results) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(res)
}
