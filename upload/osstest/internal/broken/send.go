package broken

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// Head returns the head of an answer as it goes over the wire. It announces the
// end of the connection.
func Head(status int, header http.Header) []byte {
	h := header.Clone()
	h.Set("Connection", "close")
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %03d %s\r\n", status, http.StatusText(status))
	h.Write(&b)
	b.WriteString("\r\n")
	return b.Bytes()
}

// A Stop is a point in an answer where something happens to it.
type Stop struct {
	At int         // bytes that are sent before
	Do func() bool // returns false if the answer ends there
}

// Halfway, as a number of bytes, is the middle of the answer's body, or short of
// the header's end where there cannot be a body.
const Halfway = -1

// StopAt returns the place of a stop after a number of bytes, in an answer whose
// head and body have these lengths. At least one byte comes after it.
func StopAt(after int64, head, body int, mayHaveBody bool) int {
	switch {
	case after != Halfway:
		return int(min(max(after, 0), int64(head+body-1)))
	case body == 0 && !mayHaveBody:
		return head - len("\r\n")
	}
	return head + body/2
}

// A Link sends at a rate.
type Link struct {
	Rate  int                      // bytes per second; 0 is no limit
	Pause func(time.Duration) bool // returns false if the call ended meanwhile
}

// Send sends an answer with its stops. It calls last before it sends the last
// byte, and reports whether it came that far.
func (l Link) Send(w io.Writer, raw []byte, stops []Stop, last func()) bool {
	slices.SortStableFunc(stops, func(a, b Stop) int { return cmp.Compare(a.At, b.At) })
	sent := 0
	for _, s := range stops {
		if !l.write(w, raw[sent:s.At]) || !s.Do() {
			return false
		}
		sent = s.At
	}
	end := len(raw) - 1
	if !l.write(w, raw[sent:end]) {
		return false
	}
	last()
	w.Write(raw[end:])
	return true
}

// write sends p. It returns false if the call ended meanwhile.
func (l Link) write(w io.Writer, p []byte) bool {
	if l.Rate == 0 {
		_, err := w.Write(p)
		return err == nil
	}
	for len(p) > 0 {
		n := min(burst(l.Rate), len(p))
		if _, err := w.Write(p[:n]); err != nil || !l.Pause(duration(n, l.Rate)) {
			return false
		}
		p = p[n:]
	}
	return true
}

// burst returns how many bytes pass at once at a rate, so that a slow link
// flows rather than stutters.
func burst(bytesPerSecond int) int { return max(bytesPerSecond/20, 1) }

// duration returns how long n bytes take at a rate.
func duration(n, bytesPerSecond int) time.Duration {
	return time.Duration(n) * time.Second / time.Duration(bytesPerSecond)
}
