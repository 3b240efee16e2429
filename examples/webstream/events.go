package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// heartbeat is how often a browser without news is sent a comment, so that proxies keep
// the connection.
const heartbeat = 15 * time.Second

// events sends the progress of an upload as server-sent events (HTML standard,
// Server-sent events) until it has ended. A page asks for them before it uploads.
func (s *relay) events(w http.ResponseWriter, r *http.Request) {
	id, ok := idOf(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	to := &stream{w: w, conn: http.NewResponseController(w), patience: s.patience}
	p := s.progress.watch(id)
	defer p.unwatch()
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	giveUp := time.After(keepFor) // on an upload that does not begin
	for {
		now, began, changed := p.latest()
		if began {
			giveUp = nil
		}
		if to.send(now) != nil || now.last() {
			return
		}
		select {
		case <-changed:
		case <-tick.C:
			if to.comment() != nil {
				return
			}
		case <-giveUp:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// A stream is the connection to one browser. Each write has a deadline of its own: a
// browser that does not take what it is sent loses the connection, and asks again.
type stream struct {
	w        http.ResponseWriter
	conn     *http.ResponseController
	patience time.Duration
	sent     event
	any      bool
}

// send sends an event, unless it is the last one that was sent.
func (s *stream) send(e event) error {
	if s.any && e == s.sent {
		return nil
	}
	s.sent, s.any = e, true
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return s.write(fmt.Sprintf("data: %s\n\n", data))
}

func (s *stream) comment() error { return s.write(":\n\n") }

func (s *stream) write(text string) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(s.patience)); err != nil {
		return err
	}
	if _, err := fmt.Fprint(s.w, text); err != nil {
		return err
	}
	return s.conn.Flush()
}
