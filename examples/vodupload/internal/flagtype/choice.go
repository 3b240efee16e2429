package flagtype

import (
	"fmt"
	"slices"
	"strings"
)

// A Choice is a flag that is one of several words, in any case.
type Choice struct {
	Value string // empty: not given
	Of    []string
}

// Set reads the flag.
func (c *Choice) Set(text string) error {
	i := slices.IndexFunc(c.Of, func(one string) bool { return strings.EqualFold(one, text) })
	if i < 0 {
		return fmt.Errorf("wanted one of %s", strings.Join(c.Of, ", "))
	}
	c.Value = c.Of[i]
	return nil
}

// String returns the flag's value.
func (c *Choice) String() string { return c.Value }

// Type is the word for the value in the help.
func (c *Choice) Type() string { return "WORD" }
