package ststest

import (
	"encoding/json"
	"errors"
	"fmt"
)

// checkPolicy looks at the grammar of a RAM policy: what it means is the business
// of whoever checks the token.
func checkPolicy(policy string) error {
	if policy == "" {
		return nil
	}
	var p struct {
		Version   string
		Statement oneOrMore[statement]
	}
	if err := json.Unmarshal([]byte(policy), &p); err != nil {
		return err
	}
	if p.Version != "1" {
		return fmt.Errorf("the Version is %q; want \"1\"", p.Version)
	}
	if len(p.Statement) == 0 {
		return errors.New("there is no Statement")
	}
	for i, s := range p.Statement {
		if s.Effect != "Allow" && s.Effect != "Deny" {
			return fmt.Errorf("statement %d: the Effect is %q; want Allow or Deny", i+1, s.Effect)
		}
		if len(s.Action)+len(s.NotAction) == 0 || len(s.Resource)+len(s.NotResource) == 0 {
			return fmt.Errorf("statement %d: want an Action and a Resource", i+1)
		}
	}
	return nil
}

type statement struct {
	Effect                string
	Action, NotAction     oneOrMore[string]
	Resource, NotResource oneOrMore[string]
	Condition             map[string]any
}

// oneOrMore is a JSON list, or a single element without the brackets.
type oneOrMore[T any] []T

// UnmarshalJSON reads either form.
func (l *oneOrMore[T]) UnmarshalJSON(data []byte) error {
	var many []T
	if json.Unmarshal(data, &many) == nil {
		*l = many
		return nil
	}
	var one T
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	*l = oneOrMore[T]{one}
	return nil
}
