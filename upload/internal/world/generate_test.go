package world

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/vodupload/vodupload/upload/osstest"
)

const (
	kib      = 1 << 10
	partSize = 100 * kib
)

// A dice draws what a schedule leaves to chance.
type dice struct{ *rand.Rand }

// generate returns the schedule of a seed: always the same.
func generate(seed uint64) schedule {
	d := dice{rand.New(rand.NewPCG(seed, 0))}
	s := schedule{Seed: seed, Setup: d.setup()}
	horizon := s.Setup.horizon(d)
	for range 2 + d.IntN(10) {
		if e, ok := d.event(d.kind(), horizon, s.Setup.Files); ok {
			s.Events = append(s.Events, e)
		}
	}
	s.Events = append(s.Events, extras(seed, horizon, s.Setup.Files)...)
	slices.SortStableFunc(s.Events, func(a, b event) int { return cmp.Compare(a.At, b.At) })
	return s
}

func (d dice) setup() setup {
	u := setup{
		Parallel: 1 + d.IntN(5),
		Retry:    d.between(500*time.Millisecond, 4*time.Second),
		Delay:    time.Duration(1+d.IntN(300)) * time.Millisecond,
		Rate:     int(d.log(3*kib, 200*kib)),
		Provider: d.IntN(3) > 0,
	}
	if d.IntN(3) > 0 {
		u.TokenLife = d.between(30*time.Second, 20*time.Minute)
	}
	if d.IntN(4) == 0 {
		u.Skew = d.between(-40*time.Minute, 40*time.Minute)
	}
	for range 1 + d.IntN(6) {
		u.Files = append(u.Files, d.file())
	}
	return u
}

// file draws a file: some are empty, some of one part, most of several.
func (d dice) file() fileSpec {
	kinds := []fileKind{fingerprinted, fingerprinted, fingerprinted, fingerprinted, fingerprinted, nameless, reader, late, direct}
	f := fileSpec{Kind: kinds[d.IntN(len(kinds))]}
	switch d.IntN(8) {
	case 0:
		f.Size = d.IntN(3)
	case 1:
		f.Size = 1 + d.IntN(partSize)
	case 2:
		f.Size = partSize * (2 + d.IntN(4))
	default:
		f.Size = partSize + 1 + d.IntN(5*partSize)
	}
	return f
}

// horizon is about how long the uploads take, so that most events come while there is
// something to disturb.
func (u setup) horizon(d dice) time.Duration {
	total := 0
	for _, f := range u.Files {
		total += f.Size
	}
	quiet := time.Duration(float64(total) / float64(u.Rate*u.Parallel) * float64(time.Second))
	return min(20*time.Minute, 5*time.Second+time.Duration(float64(quiet)*(0.5+1.5*d.Float64())))
}

// extras returns the events of kinds that came later: in one schedule of four, and drawn
// apart, so that what a seed is known for does not change with each new kind.
func extras(seed uint64, horizon time.Duration, files []fileSpec) (all []event) {
	d := dice{rand.New(rand.NewPCG(seed, 1))}
	if d.IntN(4) > 0 {
		return nil
	}
	kinds := []eventKind{setParallel, failFile}
	for range 1 + d.IntN(2) {
		if e, ok := d.event(kinds[d.IntN(len(kinds))], horizon, files); ok {
			all = append(all, e)
		}
	}
	return all
}

func (d dice) event(kind eventKind, horizon time.Duration, files []fileSpec) (event, bool) {
	e := event{Kind: kind, At: d.between(0, horizon), Times: 1}
	if traits[e.Kind].longer {
		e.For = time.Duration(d.log(float64(time.Second), float64(15*time.Minute))).Round(100 * time.Millisecond)
	}
	switch traits[e.Kind].subject {
	case anOp:
		ops := opsFor(e.Kind)
		e.Op = ops[d.IntN(len(ops))]
		e.Times = 1 + d.IntN(2)
	case aNumber:
		e.Times = 1 + d.IntN(6)
	case aFile:
		var fit []int
		for i, f := range files {
			if (f.Kind == direct) == (e.Kind == uploadDirect) {
				fit = append(fit, i)
			}
		}
		if len(fit) == 0 {
			return event{}, false
		}
		e.File = fit[d.IntN(len(fit))]
	}
	return e, true
}

// opsFor returns the operations that an event of the kind can hit.
func opsFor(k eventKind) []osstest.Op {
	switch k {
	case flipBit, breakBody:
		return []osstest.Op{osstest.OpUploadPart, osstest.OpPutObject}
	case loseUpload:
		return []osstest.Op{osstest.OpUploadPart, osstest.OpCompleteMultipartUpload}
	}
	return []osstest.Op{
		osstest.OpUploadPart, osstest.OpUploadPart, osstest.OpPutObject, osstest.OpInitiateMultipartUpload,
		osstest.OpCompleteMultipartUpload, osstest.OpCompleteMultipartUpload, osstest.OpAbortMultipartUpload,
		osstest.OpListParts, osstest.OpHeadObject, osstest.OpListMultipartUploads,
	}
}

func (d dice) kind() eventKind {
	sum := 0
	for _, t := range traits {
		sum += t.weight
	}
	n := d.IntN(sum)
	for k, t := range traits {
		if n -= t.weight; n < 0 {
			return eventKind(k)
		}
	}
	panic("unreachable")
}

func (d dice) between(low, high time.Duration) time.Duration {
	return (low + time.Duration(d.Int64N(int64(high-low)))).Round(100 * time.Millisecond)
}

// log draws a number whose logarithm is evenly spread.
func (d dice) log(low, high float64) float64 {
	return low * math.Exp(d.Float64()*math.Log(high/low))
}
