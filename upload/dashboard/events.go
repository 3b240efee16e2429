package dashboard

import (
	"net/http"
	"time"
)

const (
	// keepalive is how far apart the events of a stream are at most: proxies end those that
	// are silent, and a page that hears nothing for longer knows that it is cut off.
	keepalive = 15 * time.Second

	// patience is how long a viewer may take to read one update.
	patience = 30 * time.Second
)

// serveEvents streams what changes, until the viewer goes or the dashboard is closed. Of a
// slow viewer no more is kept than the latest of each topic.
func (d *Dashboard) serveEvents(w http.ResponseWriter, r *http.Request) {
	file, ok := fileOf(r)
	if !ok {
		fail(w, http.StatusBadRequest, "file has to be a number.")
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // nginx would keep the events back
	if r.Method == http.MethodHead {
		return
	}
	v := d.hub.enter(file)
	if v == nil {
		h.Set("Retry-After", "10")
		fail(w, http.StatusServiceUnavailable, "Too many viewers.")
		return
	}
	defer d.hub.leave(v)
	s := &stream{w: w, control: http.NewResponseController(w)}
	if s.write([]byte("retry: 1000\n: \n\n")) != nil { // a second, for a browser that has lost the stream
		return
	}
	quiet := time.NewTicker(keepalive)
	defer quiet.Stop()
	for {
		var err error
		select {
		case <-v.wake:
			err = s.send(v.next())
			quiet.Reset(keepalive)
		case <-quiet.C:
			err = s.send(nil)
		case <-r.Context().Done():
			return
		case <-d.ended.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// A stream writes events.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// send writes frames, or a sign of life where there are none. That is an event, as a page
// is told of no comment.
func (s *stream) send(frames map[string]frame) error {
	text := []byte(nil)
	for topic, f := range frames {
		text = append(append(append(text, "event: "...), topic...), "\ndata: "...)
		text = append(append(text, f.body...), "\n\n"...)
	}
	if len(frames) == 0 {
		text = append(text, "event: beat\ndata: 0\n\n"...)
	}
	return s.write(text)
}

// write writes some lines. The deadline of a server's WriteTimeout is for whole answers:
// here each write has one of its own instead, which a ResponseWriter may be without.
func (s *stream) write(text []byte) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(patience))
	if _, err := s.w.Write(text); err != nil {
		return err
	}
	return s.control.Flush()
}
