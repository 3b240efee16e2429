package webhook

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// Answer sends content as JSON, with its length. It sends nothing if it returns an error:
// content cannot be encoded, or has more than limit bytes.
func Answer(w http.ResponseWriter, status int, content any, limit int) error {
	body, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	if len(body) > limit {
		return fmt.Errorf("the answer has %d bytes, want at most %d", len(body), limit)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails only if the other side is gone
	return nil
}

// A Refusal is what the other side learns of a request that is not served.
type Refusal struct {
	Code    string `json:"Code"`
	Message string `json:"Message"`
}

// Refuse sends a refusal.
func Refuse(w http.ResponseWriter, status int, r Refusal) {
	if status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	_ = Answer(w, status, r, 1<<20) // two short texts: never an error
}
