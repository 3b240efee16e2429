package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Parse reads a RAM policy document, or a list of some; an empty one allows
// everything. It knows all that it accepts: an element that it does not evaluate,
// such as a Condition, is an error, since a test that passes because a restriction
// was overlooked would be worth nothing.
func Parse(document string) (*Policy, error) {
	if document == "" {
		return allowAll, nil
	}
	documents, err := oneOrMore(json.RawMessage(document))
	if err != nil {
		return nil, fmt.Errorf("read RAM policy: %w", err)
	}
	var first *Policy
	for _, d := range slices.Backward(documents) {
		p, err := parseDocument(d)
		if err != nil {
			return nil, fmt.Errorf("read RAM policy: %w", err)
		}
		p.and = first
		first = p
	}
	return first, nil
}

func parseDocument(document json.RawMessage) (*Policy, error) {
	elements, err := jsonObject(document, "Version", "Statement")
	if err != nil {
		return nil, err
	}
	var version string
	if err := json.Unmarshal(elements["Version"], &version); err != nil || version != "1" {
		return nil, fmt.Errorf("element Version is %s, want \"1\"", shown(elements["Version"]))
	}
	raw, err := oneOrMore(elements["Statement"])
	if err != nil {
		return nil, fmt.Errorf("element Statement: %w", err)
	}
	p := &Policy{}
	for i, r := range raw {
		s, err := parseStatement(r)
		if err != nil {
			return nil, fmt.Errorf("statement %d: %w", i+1, err)
		}
		p.statements = append(p.statements, s)
	}
	return p, nil
}

func parseStatement(raw json.RawMessage) (statement, error) {
	var s statement
	elements, err := jsonObject(raw,
		"Effect", "Action", "NotAction", "Resource", "NotResource", "Condition")
	if err != nil {
		return s, err
	}
	if c, ok := elements["Condition"]; ok && !emptyObject(c) {
		return s, errors.New("osstest evaluates no Condition, and will not overlook one")
	}
	var effect string
	if err := json.Unmarshal(elements["Effect"], &effect); err != nil || effect != "Allow" && effect != "Deny" {
		return s, fmt.Errorf("element Effect is %s, want \"Allow\" or \"Deny\"", shown(elements["Effect"]))
	}
	s.allow = effect == "Allow"
	actions, not, err := eitherList(elements, "Action", "NotAction")
	if err != nil {
		return s, err
	}
	resources, except, err := eitherList(elements, "Resource", "NotResource")
	if err != nil {
		return s, err
	}
	s.not, s.except = not, except
	for _, a := range actions {
		if a != "*" && !strings.Contains(a, ":") {
			return s, fmt.Errorf("action %q has no service, want one such as \"oss:PutObject\"", a)
		}
		// RAM takes action names in any case (RAM documentation, policy elements).
		s.actions = append(s.actions, strings.ToLower(a))
	}
	for _, r := range resources {
		pattern, err := parseResource(r)
		if err != nil {
			return s, err
		}
		s.resources = append(s.resources, pattern)
	}
	return s, nil
}

func parseResource(r string) (resourcePattern, error) {
	if r == "*" {
		return resourcePattern{any: true}, nil
	}
	f := strings.SplitN(r, ":", 5)
	if len(f) != 5 || f[0] != "acs" || f[4] == "" {
		return resourcePattern{}, fmt.Errorf(
			"resource is %q, want one such as \"acs:oss:*:*:bucket/prefix/*\"", r)
	}
	return resourcePattern{service: f[1], region: f[2], account: f[3], path: f[4]}, nil
}

// eitherList returns the strings under one of two names that exclude each
// other, and whether it was the second.
func eitherList(elements map[string]json.RawMessage, name, notName string) ([]string, bool, error) {
	raw, ok := elements[name]
	notRaw, not := elements[notName]
	if ok == not {
		return nil, false, fmt.Errorf("want one of %s and %s", name, notName)
	}
	if not {
		name, raw = notName, notRaw
	}
	items, err := oneOrMore(raw)
	if err != nil {
		return nil, false, fmt.Errorf("element %s: %w", name, err)
	}
	list := make([]string, len(items))
	for i, item := range items {
		if err := json.Unmarshal(item, &list[i]); err != nil || list[i] == "" {
			return nil, false, fmt.Errorf("element %s has %s, want strings", name, shown(item))
		}
	}
	return list, not, nil
}

// jsonObject reads an object whose names are among those given, in exactly
// that spelling: encoding/json alone would take "action" for Action.
func jsonObject(raw []byte, names ...string) (map[string]json.RawMessage, error) {
	var elements map[string]json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		return nil, err
	}
	for name := range elements {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("unknown element %q, want some of %s", name, strings.Join(names, ", "))
		}
	}
	return elements, nil
}

// oneOrMore reads what may be a list or its only element by itself.
func oneOrMore(raw json.RawMessage) ([]json.RawMessage, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil, errors.New("missing")
	}
	if raw[0] != '[' {
		return []json.RawMessage{raw}, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errors.New("empty list")
	}
	return list, nil
}

func emptyObject(raw json.RawMessage) bool {
	var elements map[string]json.RawMessage
	return json.Unmarshal(raw, &elements) == nil && len(elements) == 0
}

// shown is a piece of JSON as an error message shows it.
func shown(raw json.RawMessage) string {
	if len(raw) == 0 {
		return "missing"
	}
	return string(raw)
}
