package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// A section is a table of the page, which stands between <!-- name --> and
// <!-- end -->.
type section struct {
	name  string
	write func(*strings.Builder, *results)
}

func machine(b *strings.Builder, res *results) {
	fmt.Fprintf(b, "Measured with %s on %s, %d processors.\n", res.Go, res.Machine, res.CPUs)
}

var sections = []section{
	{"machine", machine},
	{"cpu", func(b *strings.Builder, res *results) {
		perContender(b, res, columns, func(r *result, who string) string {
			return times(r.over(floor, who, cpu))
		})
	}},
	{"time", func(b *strings.Builder, res *results) {
		perContender(b, res, columns, func(r *result, who string) string {
			return times(r.over(floor, who, wall))
		})
	}},
	{"ideal", func(b *strings.Builder, res *results) {
		all := append(columns[:len(columns):len(columns)], column{"net/http", []string{floor}})
		var late results
		for _, r := range res.Scenarios {
			if r.Ideal > 0 {
				late.Scenarios = append(late.Scenarios, r)
			}
		}
		perContender(b, &late, all, func(r *result, who string) string {
			by, _ := r.byContender()
			if len(by[who]) == 0 {
				return ""
			}
			return fmt.Sprintf("%.1f %%", 100*r.Ideal.Seconds()/median(by[who], wall).Seconds())
		})
	}},
	{"checkpoints", func(b *strings.Builder, res *results) {
		pair(b, res, "time", func(r *result) (float64, float64) {
			return r.over(oursVolatile, ours, wall), r.over(oursVolatile, ours, cpu)
		})
	}},
	{"auto", func(b *strings.Builder, res *results) {
		pair(b, res, "throughput", func(r *result) (float64, float64) {
			return r.over(oursAuto, ours, wall), r.over(ours, oursAuto, cpu)
		})
	}},
	{"memory", func(b *strings.Builder, res *results) {
		all := append(columns[:len(columns):len(columns)], column{"net/http", []string{floor}})
		perContender(b, res, all, func(r *result, who string) string {
			by, _ := r.byContender()
			if len(by[who]) == 0 {
				return ""
			}
			return fmt.Sprintf("%.0f", float64(median(by[who], func(s sample) int64 { return s.Peak }))/mib)
		})
	}},
}

// A column is of the first of its contenders that takes part.
type column struct {
	title string
	who   []string
}

var columns = []column{
	{"this library", []string{ours}},
	{"v1 `UploadFile`", []string{v1}},
	{"v1, checkpoint", []string{v1Checkpoint}},
	{"v1 `PutObject`", []string{v1Put}},
	{"v2 `Uploader`", []string{v2, v2Checkpoint}},
}

// perContender writes a table with a row for each scenario. value returns "" for who
// does not take part.
func perContender(b *strings.Builder, res *results, columns []column, value func(r *result, who string) string) {
	b.WriteString("| |")
	for _, c := range columns {
		b.WriteString(" " + c.title + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(columns)) + "\n")
	for i := range res.Scenarios {
		r := &res.Scenarios[i]
		b.WriteString("| " + r.Name + " |")
		for _, c := range columns {
			text := "–"
			for _, who := range c.who {
				if v := value(r, who); v != "" {
					text = v
					break
				}
			}
			b.WriteString(" " + text + " |")
		}
		b.WriteString("\n")
	}
}

// pair writes a table of two figures for each scenario in which the first is known;
// the second is of CPU.
func pair(b *strings.Builder, res *results, title string, of func(*result) (float64, float64)) {
	b.WriteString("| | " + title + " | CPU |\n|---|---:|---:|\n")
	for i := range res.Scenarios {
		r := &res.Scenarios[i]
		if first, second := of(r); first > 0 {
			fmt.Fprintf(b, "| %s | %.2f | %.2f |\n", r.Name, first, second)
		}
	}
}

// over is how many times base's figure who has; 0 if one of them does not take part.
func (r *result) over(base, who string, of func(sample) time.Duration) float64 {
	by, _ := r.byContender()
	if len(by[who]) == 0 || len(by[base]) == 0 {
		return 0
	}
	return ratio(by[who], by[base], of)
}

// times writes a ratio with two or three digits that mean something.
func times(v float64) string {
	switch {
	case v == 0:
		return ""
	case v >= 10:
		return fmt.Sprintf("%.0f", v)
	case v >= 5:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// rewritten returns the page with the figures of res in its sections.
func rewritten(page string, res *results) (string, error) {
	all := sections
	if res.overLinks() {
		all = linkSections
	}
	for _, s := range all {
		begin, end := "<!-- "+s.name+" -->\n", "<!-- end -->"
		before, rest, ok := strings.Cut(page, begin)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			return "", fmt.Errorf("the page has no %q up to %q", strings.TrimSpace(begin), end)
		}
		var b strings.Builder
		s.write(&b, res)
		page = before + begin + b.String() + end + after
	}
	return page, nil
}

// rewrite does so with a file.
func rewrite(path string, res *results) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := rewritten(string(page), res)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
