package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// usualRounds is how many runs a figure is the median of where nothing else is said.
const usualRounds = 5

// overLinks reports whether time over links was measured.
func (res *results) overLinks() bool {
	return slices.ContainsFunc(res.Scenarios, func(r result) bool { return r.Link != nil })
}

// bestFixed stands for that of this library's fixed numbers of requests in flight with
// which a file took the least time.
const bestFixed = "vodupload, best fixed number"

var linkChart = chart{"Time of one file of 200 MB, as a multiple of what the link allows", 0.9, []look{
	{oursAuto, "#0072B2", "circle"},
	{bestFixed, "#999999", "circle"},
	{ours, "#56B4E9", "circle"},
	{v1, "#D55E00", "square"},
	{v2, "#009E73", "diamond"},
	{floor, "#222222", "triangle"},
}, overIdeal}

// overIdeal returns each contender's time as a multiple of what the link allows.
func overIdeal(r *result) map[string]float64 {
	values := make(map[string]float64)
	if r.Ideal == 0 {
		return values
	}
	_, order := r.byContender()
	for _, who := range append(order, bestFixed) {
		if t := r.time(who); t > 0 {
			values[who] = t.Seconds() / r.Ideal.Seconds()
		}
	}
	return values
}

// time is the median of a contender's times; 0 if it does not take part.
func (r *result) time(who string) time.Duration {
	if who != bestFixed {
		by, _ := r.byContender()
		return median(by[who], wall)
	}
	var best time.Duration
	for _, fixed := range []string{ours, ours16, ours48, ours64} {
		if t := r.time(fixed); t > 0 && (best == 0 || t < best) {
			best = t
		}
	}
	return best
}

var linkSections = []section{
	{"links-machine", machine},
	{"links", func(b *strings.Builder, res *results) {
		perContender(b, res, []column{
			{"`Auto`", []string{oursAuto}}, {"5", []string{ours}}, {"16", []string{ours16}}, {"48", []string{ours48}}, {"64", []string{ours64}},
			{"v1 `UploadFile`", []string{v1}}, {"v2 `Uploader`", []string{v2}}, {"net/http", []string{floor}}, {"the link allows", []string{""}},
		}, func(r *result, who string) string {
			if who == "" {
				return fmt.Sprintf("%.1f", r.Ideal.Seconds())
			}
			return r.cell(who)
		})
	}},
	{"links-auto", func(b *strings.Builder, res *results) {
		perContender(b, res, []column{
			{"the best fixed number", []string{bestFixed}}, {"5", []string{ours}}, {"v2 `Uploader`", []string{v2}},
		}, func(r *result, who string) string {
			if r.time(who) == 0 {
				return ""
			}
			return fmt.Sprintf("%.2f", r.time(oursAuto).Seconds()/r.time(who).Seconds())
		})
	}},
}

// cell is a contender's time in seconds, with the number of runs where that is not the
// usual one, and of those that failed.
func (r *result) cell(who string) string {
	by, _ := r.byContender()
	var notes []string
	n, failed := len(by[who]), r.failures(who)
	if n > 0 && n != usualRounds {
		notes = append(notes, fmt.Sprint(n))
	}
	if failed > 0 {
		notes = append(notes, fmt.Sprintf("%d failed", failed))
	}
	text := ""
	if n > 0 {
		text = fmt.Sprintf("%.1f", r.time(who).Seconds())
	}
	if len(notes) > 0 {
		text += " (" + strings.Join(notes, ", ") + ")"
	}
	return strings.TrimSpace(text)
}
