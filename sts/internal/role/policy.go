package role

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// CompactPolicy returns a RAM policy without white space. The error says if it is
// not a JSON object, or has more than 2,048 characters then. An empty policy
// stays empty.
func CompactPolicy(policy string) (string, error) {
	if policy == "" {
		return "", nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(policy)); err != nil {
		return "", fmt.Errorf("the Policy is not JSON: %w", err)
	}
	if b.Bytes()[0] != '{' {
		return "", errors.New("the Policy is JSON, but not an object")
	}
	if n := utf8.RuneCount(b.Bytes()); n > MaxPolicy {
		return "", fmt.Errorf("the Policy has %d characters without white space; STS takes at most %d", n, MaxPolicy)
	}
	return b.String(), nil
}
