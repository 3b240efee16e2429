package main

import (
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// The plot's measures, in pixels.
const (
	plotLeft   = 330
	plotWidth  = 520
	plotRow    = 34
	plotTop    = 92
	plotBottom = 46
)

// A look is how a contender's figures are drawn. Colours are from Okabe and Ito's
// palette, which the colour-blind can tell apart; the shapes say it again.
type look struct{ who, colour, shape string }

// A chart says what is drawn: one line for each scenario, with values on a logarithmic
// axis that begins at low.
type chart struct {
	title  string
	low    float64
	marks  []look
	values func(*result) map[string]float64
}

var costChart = chart{"CPU of the client, as a multiple of net/http sending the same bytes", 0.5, []look{
	{ours, "#0072B2", "circle"},
	{v1, "#D55E00", "square"},
	{v1Put, "#E69F00", "square"},
	{v1Checkpoint, "#CC79A7", "square"},
	{v2, "#009E73", "diamond"},
	{v2Checkpoint, "#56B4E9", "diamond"},
}, overFloor}

// writeSVG draws the chart of what was measured.
func writeSVG(w io.Writer, res *results) error {
	var b strings.Builder
	c := &costChart
	if res.overLinks() {
		c = &linkChart
	}
	high := 2.0
	for i := range res.Scenarios {
		for _, v := range c.values(&res.Scenarios[i]) {
			high = math.Max(high, v)
		}
	}
	x := func(v float64) float64 {
		return plotLeft + plotWidth*math.Log(math.Max(v, c.low)/c.low)/math.Log(high*1.15/c.low)
	}
	bottom := plotTop + plotRow*len(res.Scenarios)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`+"\n", plotLeft+plotWidth+30, bottom+plotBottom)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/><text x="12" y="24" font-size="16" fill="#222">%s</text>`+"\n", html.EscapeString(c.title))
	c.legend(&b, res)
	axis(&b, x, high, bottom)
	for i := range res.Scenarios {
		y := plotTop + plotRow*i + plotRow/2
		fmt.Fprintf(&b, `<line x1="%d" x2="%d" y1="%d" y2="%[3]d" stroke="#eee"/><text x="%d" y="%d" text-anchor="end" fill="#222">%s</text>`+"\n",
			plotLeft, plotLeft+plotWidth, y, plotLeft-12, y+4, html.EscapeString(res.Scenarios[i].Name))
		values := c.values(&res.Scenarios[i])
		for _, m := range slices.Backward(c.marks) {
			if v, ok := values[m.who]; ok {
				mark(&b, m.shape, m.colour, x(v), float64(y), fmt.Sprintf("%s: %.2f", m.who, v))
			}
		}
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" fill="#555" font-size="12">%s, %s, %d CPUs; medians of interleaved rounds; less is better; logarithmic</text>`+"\n</svg>\n",
		plotLeft, bottom+38, html.EscapeString(res.Go), html.EscapeString(res.Machine), res.CPUs)
	_, err := io.WriteString(w, b.String())
	return err
}

// overFloor returns each contender's CPU as a multiple of the floor's.
func overFloor(r *result) map[string]float64 {
	values := make(map[string]float64)
	by, order := r.byContender()
	for _, who := range order {
		if who != floor {
			values[who] = ratio(by[who], by[floor], func(s sample) time.Duration { return s.CPU })
		}
	}
	return values
}

// legend names the contenders that take part.
func (c *chart) legend(b *strings.Builder, res *results) {
	seen := make(map[string]bool)
	for i := range res.Scenarios {
		for who := range c.values(&res.Scenarios[i]) {
			seen[who] = true
		}
	}
	at := 20.0
	for _, m := range c.marks {
		if !seen[m.who] {
			continue
		}
		mark(b, m.shape, m.colour, at, 48, "")
		fmt.Fprintf(b, `<text x="%.0f" y="52" fill="#222">%s</text>`+"\n", at+10, html.EscapeString(m.who))
		at += 34 + 7.2*float64(len(m.who))
	}
}

// axis draws the lines at 1, 2, 5, 10 and so on.
func axis(b *strings.Builder, x func(float64) float64, high float64, bottom int) {
	for unit := 1.0; unit <= high*1.15; unit *= 10 {
		for _, step := range []float64{1, 2, 5} {
			v := unit * step
			if v > high*1.15 {
				return
			}
			colour := "#ccc"
			if v == 1 {
				colour = "#222"
			}
			fmt.Fprintf(b, `<line x1="%.1f" x2="%.1[1]f" y1="%d" y2="%d" stroke="%s"/>`, x(v), plotTop-4, bottom, colour)
			fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#555">%g</text>`+"\n", x(v), plotTop-10, v)
		}
	}
}

// mark draws one figure, with a text for the pointer.
func mark(b *strings.Builder, shape, colour string, x, y float64, title string) {
	fmt.Fprintf(b, `<g fill="%s">`, colour)
	if title != "" {
		fmt.Fprintf(b, `<title>%s</title>`, html.EscapeString(title))
	}
	switch shape {
	case "circle":
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="6.5"/>`, x, y)
	case "triangle":
		fmt.Fprintf(b, `<path d="M%.1f %.1fl6.5 12h-13z"/>`, x, y-6.5)
	case "square":
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="10" height="10"/>`, x-5, y-5)
	default:
		fmt.Fprintf(b, `<path d="M%.1f %.1fl6.5 6.5l-6.5 6.5l-6.5 -6.5z"/>`, x, y-6.5)
	}
	b.WriteString("</g>\n")
}
