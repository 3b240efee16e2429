package wire

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload/internal/crc64"
)

func TestBodyReadsItsSectionOnly(t *testing.T) {
	var sent int64
	b := &bodyReader{Body: Body{R: strings.NewReader("0123456789"), Off: 2, Size: 5, Sent: func(n int64) { sent += n }}}
	got, err := io.ReadAll(b)
	if err != nil || string(got) != "23456" || sent != 5 {
		t.Errorf("got %q, %v, Sent reported %d", got, err, sent)
	}
	crc, n, err := b.detach()
	if crc != crc64.Update(0, []byte("23456")) || n != 5 || err != nil {
		t.Errorf("got CRC64 %d of %d bytes, %v", crc, n, err)
	}
}

func TestBodyAfterItsRequest(t *testing.T) {
	sent := 0
	b := &bodyReader{Body: Body{R: strings.NewReader("0123456789"), Size: 10, Sent: func(int64) { sent++ }}}
	p := make([]byte, 4)
	if _, err := b.Read(p); err != nil {
		t.Fatal(err)
	}
	before, _, _ := b.detach()
	if n, err := b.Read(p); n != 0 || !errors.Is(err, errDetached) {
		t.Errorf("got %d bytes, %v; want none and errDetached", n, err)
	}
	after, n, _ := b.detach()
	if after != before || n != 4 || sent != 1 {
		t.Errorf("a late read counted: CRC64 %d, then %d; %d bytes, Sent called %d times", before, after, n, sent)
	}
}

// A readerAt returns io.EOF together with the last bytes, as io.ReaderAt allows.
type eagerEnd struct{ *strings.Reader }

func (e eagerEnd) ReadAt(p []byte, off int64) (int, error) {
	n, err := e.Reader.ReadAt(p, off)
	if off+int64(n) == e.Size() {
		err = io.EOF
	}
	return n, err
}

func TestBodyWhoseEndComesWithItsLastBytes(t *testing.T) {
	b := &bodyReader{Body: Body{R: eagerEnd{strings.NewReader("0123456789")}, Size: 10}}
	if got, err := io.ReadAll(b); err != nil || string(got) != "0123456789" {
		t.Errorf("got %q, %v", got, err)
	}
}

type lazySource struct{}

func (lazySource) ReadAt([]byte, int64) (int, error) { return 0, nil }

func TestBodyOfASourceThatGivesNothing(t *testing.T) {
	b := &bodyReader{Body: Body{R: lazySource{}, Size: 10}}
	if _, err := b.Read(make([]byte, 10)); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v", err)
	}
}
