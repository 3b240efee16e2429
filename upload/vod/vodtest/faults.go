package vodtest

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// The calls that the server knows.
const (
	CreateUploadVideo         = "CreateUploadVideo"
	RefreshUploadVideo        = "RefreshUploadVideo"
	CreateUploadImage         = "CreateUploadImage"
	CreateUploadAttachedMedia = "CreateUploadAttachedMedia"
)

// A Fault is what goes wrong with one call.
type Fault struct {
	// Action is the call that it waits for. Empty: any.
	Action string

	// Code refuses the call with a code of the documentation, such as Throttling.User
	// or ServiceUnavailable; nothing is carried out. Status is the HTTP status; the
	// default is the one of the documentation.
	Code   string
	Status int

	// LoseAnswer carries the call out and breaks the connection instead of answering.
	LoseAnswer bool

	// Delay is how much longer the call takes, before it is carried out.
	Delay time.Duration

	// Before and After are called before the call is carried out, and after that,
	// before it is answered. They must return when ctx ends, which it does when the
	// client is gone or the server is closed.
	Before, After func(ctx context.Context)
}

// String says what the fault does.
func (f Fault) String() string {
	return fmt.Sprintf("fault of %q: code %q, answer lost %t, delay %v", f.Action, f.Code, f.LoseAnswer, f.Delay)
}

// Inject scripts faults. Each meets the next call that it is for and no earlier fault
// has met.
func (s *Server) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Pending returns the scripted faults that have not happened yet.
func (s *Server) Pending() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// Calls returns how many calls of an action came in, refused ones included; of all
// actions for the empty string.
func (s *Server) Calls(action string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if action != "" {
		return s.calls[action]
	}
	n := 0
	for _, calls := range s.calls {
		n += calls
	}
	return n
}

// enter counts a call in, and returns the fault that was scripted for it.
func (s *Server) enter(action string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[action]++
	for i, f := range s.faults {
		if f.Action == "" || f.Action == action {
			s.faults = slices.Delete(s.faults, i, i+1)
			return f
		}
	}
	return Fault{}
}

func (f Fault) before(ctx context.Context) {
	if f.Delay > 0 {
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
	if f.Before != nil {
		f.Before(ctx)
	}
}

func (f Fault) after(ctx context.Context) {
	if f.After != nil {
		f.After(ctx)
	}
}
