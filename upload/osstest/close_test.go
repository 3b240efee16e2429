package osstest

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"
)

// A server that is mounted elsewhere does not own its connections: Close must not
// wait for a client that has stopped reading.
func TestCloseDoesNotWaitForReader(t *testing.T) {
	s, err := New(&Options{Buckets: []string{"media"}})
	if err != nil {
		t.Fatal(err)
	}
	outer := httptest.NewServer(s)
	defer outer.Close()
	c := newTestClient(t, s)
	c.url = outer.URL
	if a := c.do("PUT", "/media/large", strings.Repeat("x", 64<<20)); a.status != 200 {
		t.Fatalf("put: %d %s", a.status, a.body)
	}
	res, err := c.Do(c.request("GET", "/media/large", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.CopyN(io.Discard, res.Body, 100); err != nil {
		t.Fatal(err)
	}
	s.Close() // hangs if it waits for the reader
}

func TestETagsStandPlainInXML(t *testing.T) {
	_, c := newTestServer(t, nil)
	c.do("PUT", "/media/a", "a")
	if a := c.do("GET", "/media/?prefix=a", ""); !strings.Contains(a.body, `<ETag>"0CC175B9C0F1B6A831C399E269772661"</ETag>`) {
		t.Errorf("got %s", a.body)
	}
}
