package webhook

import (
	"errors"
	"io"
	"net/http"
	"testing"
)

// An endless body is read up to the limit and no further.
func TestBodyStopsAtItsLimit(t *testing.T) {
	var read counting
	r := &http.Request{Body: io.NopCloser(&read), ContentLength: -1}
	if _, err := Body(r, 1000); !errors.Is(err, ErrTooLarge) || read != 1001 {
		t.Errorf("error is %v after %d bytes, want ErrTooLarge after 1001", err, read)
	}
}

// counting is an endless body that counts what was read of it, up to a megabyte.
type counting int

func (c *counting) Read(p []byte) (int, error) {
	if *c > 1<<20 {
		return 0, io.EOF
	}
	*c += counting(len(p))
	return len(p), nil
}
