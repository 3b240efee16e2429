package sts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxDepth bounds how deep objects, arrays and JSON in strings are looked into.
const maxDepth = 16

// An object is a JSON object whose members are found by a name without regard to case,
// hyphens and underscores: AccessKeyId, accessKeyID and access_key_id are one name.
// A name that is there more than once has all its values.
type object map[string][]string

// objects returns the objects in a JSON text, outer ones before those inside them.
// It looks into arrays, and into strings that hold JSON. The values of an object are
// those that are strings, numbers and booleans.
func objects(text []byte) ([]object, error) {
	root, err := decodeTree(text)
	if err != nil {
		return nil, err
	}
	var found []object
	for level := []any{root}; len(level) > 0; {
		var next []any
		for _, value := range level {
			switch v := value.(type) {
			case []any:
				next = append(next, v...)
			case []member:
				found = append(found, objectOf(v))
				for _, m := range v {
					next = append(next, m.value)
				}
			}
		}
		level = next
	}
	return found, nil
}

func objectOf(members []member) object {
	o := object{}
	for _, m := range members {
		var text string
		switch v := m.value.(type) {
		case string:
			text = strings.TrimSpace(v)
		case json.Number:
			text = v.String()
		case bool:
			text = fmt.Sprint(v)
		}
		if text != "" {
			name := plainName(m.name)
			o[name] = append(o[name], text)
		}
	}
	return o
}

// first returns the first value that there is under one of the names.
func (o object) first(names ...string) string {
	for _, name := range names {
		if values := o[name]; len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, name)
}

// A member is one of a JSON object's. They are kept in their order, also those whose
// name is there twice: with a map, the last would win in silence.
type member struct {
	name  string
	value any // []member, []any, string, json.Number, bool or nil
}

func decodeTree(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	value, err := decodeValue(d, 0)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return value, nil
		}
	}
	if errors.Is(err, errTooDeep) {
		return nil, err
	}
	return nil, fmt.Errorf("not JSON from byte %d on", d.InputOffset())
}

var errTooDeep = fmt.Errorf("JSON that is nested more than %d deep", maxDepth)

func decodeValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		return decodeInside(d, t, depth)
	case string:
		return embedded(t, depth), nil
	}
	return token, nil
}

// decodeInside reads an array or an object from behind its opening bracket on.
func decodeInside(d *json.Decoder, open json.Delim, depth int) (any, error) {
	list, members := []any{}, []member{}
	for d.More() {
		var name string
		if open == '{' {
			token, err := d.Token()
			if err != nil {
				return nil, err
			}
			name, _ = token.(string)
		}
		value, err := decodeValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		list, members = append(list, value), append(members, member{name, value})
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if open == '{' {
		return members, nil
	}
	return list, nil
}

// embedded returns the JSON that a string holds, as gateways give it in a field named
// body, or else the string.
func embedded(text string, depth int) any {
	inside := strings.TrimSpace(text)
	if inside == "" || inside[0] != '{' && inside[0] != '[' {
		return text
	}
	d := json.NewDecoder(strings.NewReader(inside))
	d.UseNumber()
	value, err := decodeValue(d, depth+1)
	if err != nil {
		return text
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return text
	}
	return value
}
