package otelupload

import "sync"

// maxValues is how many values an attribute has whose values come from elsewhere, and other
// is what further ones become, by the semantic conventions for error.type.
const (
	maxValues = 200
	other     = "_OTHER"
)

// bounded are the values of one attribute.
type bounded struct {
	mu    sync.Mutex
	known map[string]struct{}
}

// of returns the value, or other if there are too many.
func (b *bounded) of(value string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.known[value]; ok {
		return value
	}
	if len(b.known) >= maxValues {
		return other
	}
	if b.known == nil {
		b.known = make(map[string]struct{})
	}
	b.known[value] = struct{}{}
	return value
}
