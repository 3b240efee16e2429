package flagtype

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Pairs is a flag like name=value that may be given several times.
type Pairs struct{ Map map[string]string }

// Set reads one pair.
func (p *Pairs) Set(text string) error {
	name, value, found := strings.Cut(text, "=")
	if !found || name == "" {
		return errors.New("wanted NAME=VALUE")
	}
	if _, twice := p.Map[name]; twice {
		return fmt.Errorf("%s is given twice", name)
	}
	if p.Map == nil {
		p.Map = make(map[string]string)
	}
	p.Map[name] = value
	return nil
}

// String returns the pairs, by name.
func (p *Pairs) String() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(p.Map)) {
		all = append(all, name+"="+p.Map[name])
	}
	return strings.Join(all, ",")
}

// Type is the word for the value in the help.
func (p *Pairs) Type() string { return "NAME=VALUE" }
