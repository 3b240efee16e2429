package appserver

import (
	"errors"
	"fmt"
	"strings"
)

// LoadClients reads the file at path as [ParseClients] does.
func LoadClients(path string) (map[string]Identity, error) {
	data, err := readFile(path, maxClientsFile)
	if err != nil {
		return nil, fmt.Errorf("appserver: read the clients: %w", err)
	}
	clients, err := ParseClients(data)
	if err != nil {
		return nil, fmt.Errorf("appserver: read the clients %s: %w", path, err)
	}
	return clients, nil
}

// ParseClients reads the content of a clients.json, for [Bearer]: a JSON object with
// bearer tokens for keys, and for each an object with the Name of the client and its
// ObjectPrefix, which may be left out.
//
//	{"3f9c…": {"Name": "alice", "ObjectPrefix": "users/alice/"}}
//
// The error names each wrong line and what is wrong there, and quotes nothing of the
// content.
func ParseClients(data []byte) (map[string]Identity, error) {
	entries, err := readObject(data)
	if err != nil {
		return nil, err
	}
	clients := make(map[string]Identity, len(entries))
	var errs []error
	for _, e := range entries {
		id, err := parseClient(e)
		if _, twice := clients[e.key]; twice && err == nil {
			err = errors.New("the token is there twice")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", e.line, err))
			continue
		}
		clients[e.key] = id
	}
	for _, e := range entries {
		if id, ok := clients[e.key]; ok {
			if err := checkClient(e.key, id, clients); err != nil {
				errs = append(errs, fmt.Errorf("line %d: %w", e.line, err))
			}
		}
	}
	if len(errs) > 0 {
		return nil, join(errs...)
	}
	return clients, nil
}

func parseClient(e entry) (Identity, error) {
	var id Identity
	fields, err := readObject(e.value)
	if err != nil {
		return id, errors.New("want an object with Name and ObjectPrefix behind the token")
	}
	seen := map[string]bool{}
	for _, f := range fields {
		text, ok := textOf(f.value)
		switch {
		case seen[f.key]:
			return id, fmt.Errorf("%s is there twice", shownKey(f.key))
		case !ok:
			return id, fmt.Errorf("%s is not text", shownKey(f.key))
		case f.key == "Name":
			id.Name = strings.TrimSpace(text)
		case f.key == "ObjectPrefix":
			id.ObjectPrefix = text
		default:
			return id, fmt.Errorf("%s is not a known key; known are Name and ObjectPrefix", shownKey(f.key))
		}
		seen[f.key] = true
	}
	if id.Name == "" {
		return id, errors.New("the client has no Name, which distinguishes clients in the log")
	}
	return id, nil
}
