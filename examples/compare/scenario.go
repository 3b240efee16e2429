package main

import (
	"fmt"
	"time"

	"github.com/vodupload/vodupload/examples/compare/link"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
)

// A scenario is one kind of work, done by several contenders.
type scenario struct {
	Name     string        `json:"name"`
	Size     int64         `json:"size"` // of the file, in bytes
	PartSize int64         `json:"part_size"`
	Files    int           `json:"files"` // objects that the file is uploaded to
	Parallel int           `json:"parallel"`
	Latency  time.Duration `json:"latency_ns"` // from the last byte of a request to its answer
	Resume   bool          `json:"resume"`     // all parts but the last are there already
	Rounds   int           `json:"rounds"`     // at most; 0: as many as the others

	TLS  bool        `json:"tls,omitempty"`
	Link *link.Shape `json:"link,omitempty"` // between client and server; nil: loopback

	contenders []string
}

// The contenders. Those with checkpoints keep them on disk.
const (
	ours         = "vodupload"
	oursVolatile = "vodupload, checkpoints in memory"
	oursAuto     = "vodupload, Auto"
	v1           = "v1 SDK"
	v1Checkpoint = "v1 SDK, checkpoint"
	v1Put        = "v1 SDK, PutObject"
	v2           = "v2 SDK"
	v2Checkpoint = "v2 SDK, checkpoint"
	floor        = "net/http"

	ours16 = "vodupload, 16 in flight"
	ours48 = "vodupload, 48 in flight"
	ours64 = "vodupload, 64 in flight"
)

// inFlight are the contenders that do not have as many requests in flight as the others.
var inFlight = map[string]int{ours16: 16, ours48: 48, ours64: 64}

// baseline is what ratios are of, where it takes part; else the floor is.
var baseline = []string{v1, v1Put, v1Checkpoint}

// sizes are what tells the runs from each other: the full one, -quick, and the test.
type sizes struct {
	large    int64 // one file, in parts of 1 MiB and of huge
	huge     int64
	parts    int   // of the file of many parts
	part     int64 // size of these
	few      int   // small files
	many     int
	fileSize int64
	list     int // the long list
	latency  time.Duration
	delayed  int64 // the file that is sent with latency
	linked   int64 // over a link
}

var (
	full = sizes{
		large: gib, huge: 100 * mib, parts: 9_362, part: 100 * kib,
		few: 2_000, many: 20_000, fileSize: 16 * kib, list: 100_000,
		latency: 50 * time.Millisecond, delayed: gib, linked: 200e6,
	}
	small = sizes{
		large: 256 * mib, huge: 100 * mib, parts: 1_000, part: 100 * kib,
		few: 200, many: 2_000, fileSize: 16 * kib, list: 10_000,
		latency: 50 * time.Millisecond, delayed: 128 * mib, linked: 40e6,
	}
	tiny = sizes{
		large: 4 * mib, huge: 2 * mib, parts: 12, part: 100 * kib,
		few: 8, many: 30, fileSize: 16 * kib, list: 60,
		latency: 2 * time.Millisecond, delayed: 2 * mib, linked: 3e6,
	}
)

// scenarios returns what is run, in the order of the table.
func (z sizes) scenarios() []scenario {
	parts := []string{ours, oursVolatile, oursAuto, v1, v1Checkpoint, v2, floor}
	files := []string{ours, v1, v1Put, v2, floor}
	putting := []string{ours, v1Put, v2, floor}
	const wide = 10 // times as many requests in flight, so that it ends within minutes
	return []scenario{
		{Name: fmt.Sprintf("%s in parts of 1 MiB", bytesText(z.large)), Size: z.large, PartSize: mib, Files: 1, Parallel: 5, contenders: parts},
		{Name: fmt.Sprintf("%s in parts of %s", bytesText(z.large), bytesText(z.huge)), Size: z.large, PartSize: z.huge, Files: 1, Parallel: 5, contenders: parts},
		{Name: fmt.Sprintf("%s in parts of 1 MiB, TLS", bytesText(z.large)), Size: z.large, PartSize: mib, Files: 1, Parallel: 5, TLS: true, contenders: []string{ours, oursAuto, v1, v2, floor}},
		{Name: fmt.Sprintf("%s parts of %s", number(z.parts), bytesText(z.part)), Size: int64(z.parts) * z.part, PartSize: z.part, Files: 1, Parallel: 5, contenders: parts},
		{Name: fmt.Sprintf("%s in parts of 1 MiB, latency %s", bytesText(z.delayed), millis(z.latency)), Size: z.delayed, PartSize: mib, Files: 1, Parallel: 5, Latency: z.latency, Rounds: 3, contenders: []string{ours, oursVolatile, v1, v2, floor}},
		{Name: fmt.Sprintf("%s parts of %s, latency %s", number(z.few), bytesText(z.part), millis(z.latency)), Size: int64(z.few) * z.part, PartSize: z.part, Files: 1, Parallel: 5, Latency: z.latency, Rounds: 3, contenders: []string{ours, oursAuto, v1, floor}},
		{Name: fmt.Sprintf("%s files of %s", number(z.few), bytesText(z.fileSize)), Size: z.fileSize, PartSize: mib, Files: z.few, Parallel: 5, contenders: files},
		{Name: fmt.Sprintf("%s files of %s, latency %s", number(z.few), bytesText(z.fileSize), millis(z.latency)), Size: z.fileSize, PartSize: mib, Files: z.few, Parallel: 5, Latency: z.latency, Rounds: 3, contenders: putting},
		{Name: fmt.Sprintf("%s files of %s", number(z.many), bytesText(z.fileSize)), Size: z.fileSize, PartSize: mib, Files: z.many, Parallel: 5, contenders: files},
		{Name: fmt.Sprintf("%s files of %s, latency %s, %d in flight", number(z.many), bytesText(z.fileSize), millis(z.latency), 5*wide), Size: z.fileSize, PartSize: mib, Files: z.many, Parallel: 5 * wide, Latency: z.latency, Rounds: 3, contenders: putting},
		{Name: fmt.Sprintf("%s files in the list", number(z.list)), Size: 4 * kib, PartSize: mib, Files: z.list, Parallel: 5, Rounds: 3, contenders: putting},
		// The v1 SDK refuses 10,000 parts, although OSS takes them.
		{Name: fmt.Sprintf("resume %s parts, one left", number(resumeParts(z.parts))), Size: int64(resumeParts(z.parts)) * z.part, PartSize: z.part, Files: 1, Parallel: 5, Resume: true, contenders: []string{ours, v1Checkpoint, v2Checkpoint, floor}},
	}
}

// resumeParts is the most that all contenders can send, in the full run.
func resumeParts(parts int) int {
	if parts == full.parts {
		return 9_999
	}
	return parts
}

// ideal is how long the work takes if every request takes its latency and nothing
// else: so many at a time, and those that have to come one after the other.
func (s *scenario) ideal() time.Duration {
	switch {
	case s.Link != nil:
		return s.Link.Ideal(s.Size * int64(s.Files))
	case s.Latency == 0 || s.Resume:
		return 0
	case s.Size <= s.PartSize:
		return s.Latency * time.Duration((s.Files+s.Parallel-1)/s.Parallel)
	}
	parts := int((s.Size + s.PartSize - 1) / s.PartSize)
	return s.Latency * time.Duration((parts+s.Parallel-1)/s.Parallel+2)
}

// number writes n with separators of thousands.
func number(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", number(n/1000), n%1000)
}

// millis writes a latency.
func millis(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

// bytesText writes a number of bytes in the largest unit that divides it.
func bytesText(n int64) string {
	switch {
	case n%gib == 0:
		return fmt.Sprintf("%d GiB", n/gib)
	case n%mib == 0:
		return fmt.Sprintf("%d MiB", n/mib)
	default:
		return fmt.Sprintf("%d KiB", n/kib)
	}
}
