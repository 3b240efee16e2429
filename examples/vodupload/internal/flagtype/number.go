package flagtype

import (
	"fmt"
	"strconv"
	"time"
)

// A Number is a flag from Min to Max. With Word, that word may stand for AsWord.
type Number struct {
	Value    int
	Min, Max int
	Word     string
	AsWord   int
}

// Set reads the flag.
func (n *Number) Set(text string) error {
	if n.Word != "" && text == n.Word {
		n.Value = n.AsWord
		return nil
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < n.Min || v > n.Max {
		or := ""
		if n.Word != "" {
			or = ", or " + n.Word
		}
		return fmt.Errorf("wanted a number from %d to %d%s", n.Min, n.Max, or)
	}
	n.Value = v
	return nil
}

// String returns the flag's value.
func (n *Number) String() string {
	if n.Word != "" && n.Value == n.AsWord {
		return n.Word
	}
	return strconv.Itoa(n.Value)
}

// Type is the word for the value in the help.
func (n *Number) Type() string { return "N" }

// A Duration is a flag of a time that is not negative, and at least Min where it is given.
// With Zero, 0 may be given, too.
type Duration struct {
	time.Duration
	Min  time.Duration
	Zero bool
}

// Set reads the flag.
func (d *Duration) Set(text string) error {
	v, err := time.ParseDuration(text)
	if err != nil || v < 0 || v < d.Min || v == 0 && !d.Zero {
		least := ""
		switch {
		case d.Min > 0:
			least = fmt.Sprintf(", at least %v", d.Min)
		case d.Zero:
			least = ", or 0s"
		}
		return fmt.Errorf("wanted a time like 90s, 10m or 1h30m%s", least)
	}
	d.Duration = v
	return nil
}

// String returns the flag's value.
func (d *Duration) String() string {
	if d.Duration == 0 {
		return ""
	}
	return d.Duration.String()
}

// Type is the word for the value in the help.
func (d *Duration) Type() string { return "TIME" }

// A Text is a flag that a function checks.
type Text struct {
	Value string
	Check func(string) error
	Word  string // for the value in the help
}

// Set reads the flag.
func (t *Text) Set(text string) error {
	if err := t.Check(text); err != nil {
		return err
	}
	t.Value = text
	return nil
}

// String returns the flag's value.
func (t *Text) String() string { return t.Value }

// Type is the word for the value in the help.
func (t *Text) Type() string { return t.Word }

// Texts is a flag that may be given several times, and that a function checks.
type Texts struct {
	Values []string
	Check  func(string) error
	Word   string // for the value in the help
}

// Set reads one value.
func (t *Texts) Set(text string) error {
	if err := t.Check(text); err != nil {
		return err
	}
	t.Values = append(t.Values, text)
	return nil
}

// String returns the flag's values.
func (t *Texts) String() string {
	if len(t.Values) == 0 {
		return ""
	}
	return fmt.Sprint(t.Values)
}

// Type is the word for the value in the help.
func (t *Texts) Type() string { return t.Word }
