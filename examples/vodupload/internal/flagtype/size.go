// Package flagtype has the kinds of values that flags of the command have. Each says what
// was wanted instead of a value that is wrong.
package flagtype

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// units are those of sizes. K and Ki are the same: 1,024, as in ossutil and rclone.
var units = []struct {
	name  string
	bytes float64
}{
	{"TI", 1 << 40}, {"GI", 1 << 30}, {"MI", 1 << 20}, {"KI", 1 << 10},
	{"T", 1 << 40}, {"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10},
}

// ParseSize reads a number of bytes like 8Mi, 1.5G or 4096.
func ParseSize(text string) (int64, error) {
	number, unit := strings.TrimSuffix(strings.ToUpper(text), "B"), 1.0
	for _, u := range units {
		if n, found := strings.CutSuffix(number, u.name); found {
			number, unit = n, u.bytes
			break
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || strings.Trim(number, "0123456789.") != "" || n*unit >= math.MaxInt64 {
		return 0, fmt.Errorf("wanted a size like 4096, 512K, 8M or 1G (powers of 1024; Ki, Mi and Gi are the same)")
	}
	return int64(n * unit), nil
}

// A Size is a flag of bytes, from Min to Max. Zero: not given.
type Size struct {
	Bytes    int64
	Min, Max int64 // of what can be given; 0: no limit
}

// Set reads the flag.
func (s *Size) Set(text string) error {
	n, err := ParseSize(text)
	if err != nil {
		return err
	}
	if n < s.Min || s.Max > 0 && n > s.Max {
		limits := "at least " + FormatSize(s.Min)
		if s.Max > 0 {
			limits = "from " + FormatSize(s.Min) + " to " + FormatSize(s.Max)
		}
		return fmt.Errorf("wanted %s", limits)
	}
	s.Bytes = n
	return nil
}

// String returns the flag's value.
func (s *Size) String() string {
	if s.Bytes == 0 {
		return ""
	}
	return FormatSize(s.Bytes)
}

// Type is the word for the value in the help.
func (s *Size) Type() string { return "SIZE" }

// FormatSize returns a number of bytes as ParseSize reads it, exactly.
func FormatSize(n int64) string {
	for _, u := range []string{"T", "G", "M", "K"} {
		size := int64(unitOf(u))
		if n >= size && n%size == 0 {
			return strconv.FormatInt(n/size, 10) + u
		}
	}
	return strconv.FormatInt(n, 10)
}

func unitOf(name string) float64 {
	for _, u := range units {
		if u.name == name {
			return u.bytes
		}
	}
	return 1
}
