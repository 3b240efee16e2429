// Package roundtrip sends one HTTP request and reads its answer, for the clients of
// token servers and of APIs alike. The HTTP client is often the user's, and so is its
// transport: whatever that does, or does not do, is an error of the request.
package roundtrip

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"
)

// ErrTooLarge is wrapped by the error of an answer that has more bytes than allowed.
var ErrTooLarge = errors.New("answer is too large")

// ErrBroken is for errors of an answer that broke off, or did not come in time: those of
// the network, which may pass.
var ErrBroken = errors.New("it did not come whole")

// Unread returns the error of an answer whose body could not be read to its end because
// of err.
func Unread(err error) error {
	if errors.Is(err, ErrTooLarge) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrBroken, err)
}

// An Answer is an HTTP answer that has been read to its end.
type Answer struct {
	Status int // 0: there is none
	Header http.Header
	Body   []byte
}

// Date returns when the server answered by its own clock; the zero time if the answer
// does not say.
func (a Answer) Date() time.Time {
	date, err := http.ParseTime(a.Header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return date
}

// grace is how long a transport may take to return after its context has ended. Those
// of net/http take no time; one that does not listen is left alone.
const grace = time.Second

// Do sends req and reads its answer, of at most limit bytes. An error with an answer
// that has a status is about the body of that answer. Do returns at most a second after
// the end of req's context, even where the client does not.
func Do(client *http.Client, req *http.Request, limit int64) (Answer, error) {
	guarded := *client
	guarded.Transport = guard{client.Transport}
	done := make(chan result, 1)
	go func() { done <- exchange(&guarded, req, limit) }()
	ctx := req.Context()
	select {
	case r := <-done:
		return r.answer, r.err
	case <-ctx.Done():
	}
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case r := <-done:
		return r.answer, r.err
	case <-t.C:
		return Answer{}, fmt.Errorf("the HTTP client's transport (%T) does not listen to its context: %w", client.Transport, context.Cause(ctx))
	}
}

type result struct {
	answer Answer
	err    error
}

// exchange turns a panic of the client, or of a body that it returned, into an error.
func exchange(client *http.Client, req *http.Request, limit int64) (r result) {
	defer func() {
		if v := recover(); v != nil {
			r.err = fmt.Errorf("the HTTP client panicked: %s", PanicText(v))
		}
	}()
	resp, err := client.Do(req)
	if err != nil {
		return result{err: err}
	}
	defer resp.Body.Close()
	r.answer = Answer{Status: resp.StatusCode, Header: resp.Header}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// Nobody asked for another protocol. The body is the connection, which the
		// end of the request's context no longer closes: reading it could take forever.
		return r
	}
	r.answer.Body, r.err = readAll(resp.Body, limit)
	return r
}

// PanicText returns what a panic says. The text of other values is not for logs: it
// could be the request, with its headers.
func PanicText(v any) string {
	switch v := v.(type) {
	case error:
		return fmt.Sprint(v) // a method of a nil pointer may panic itself
	case string:
		return v
	}
	return fmt.Sprintf("a value of type %T", v)
}

// readAll reads all of r, or fails with [ErrTooLarge] beyond limit bytes.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	limit = min(limit, math.MaxInt64-1)
	body, err := io.ReadAll(&patient{r: io.LimitReader(r, limit+1)})
	switch {
	case err != nil:
		return nil, err
	case int64(len(body)) > limit:
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
	}
	return body, nil
}

// maxEmpty is how many reads in a row may return nothing, as in package bufio.
const maxEmpty = 100

// A patient reader fails with [io.ErrNoProgress] where its reader returns nothing for
// too long: [io.ReadAll] would go round for ever.
type patient struct {
	r     io.Reader
	empty int // reads in a row that returned nothing
}

func (p *patient) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if n > 0 || err != nil {
		p.empty = 0
		return n, err
	}
	if p.empty++; p.empty > maxEmpty {
		return 0, io.ErrNoProgress
	}
	return 0, nil
}

// A guard makes an answer or an error of whatever its transport returns.
type guard struct{ base http.RoundTripper }

// RoundTrip sends req once.
func (g guard) RoundTrip(req *http.Request) (*http.Response, error) {
	base := g.base
	if base == nil {
		base = http.DefaultTransport
	}
	resp, err := base.RoundTrip(req)
	switch {
	case err != nil:
		if resp != nil && resp.Body != nil {
			_ = resp.Body.Close()
		}
		return nil, err
	case resp == nil:
		return nil, fmt.Errorf("the HTTP client's transport (%T) returned neither an answer nor an error", base)
	case resp.StatusCode < 100 || resp.StatusCode > 999:
		return nil, fmt.Errorf("the answer has status %d, which HTTP does not have", resp.StatusCode)
	}
	if resp.Body != nil && resp.Header != nil {
		return resp, nil
	}
	whole := *resp // the transport may keep its own
	if whole.Body == nil {
		whole.Body = http.NoBody
	}
	if whole.Header == nil {
		whole.Header = http.Header{}
	}
	return &whole, nil
}
