package memnet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

const address = "oss.test:80"

// connected calls fn with both ends of a connection, in a bubble.
func connected(t *testing.T, fn func(t *testing.T, n *Network, client, server net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := New()
		defer n.Close()
		l, err := n.Listen(address)
		if err != nil {
			t.Fatal(err)
		}
		client, err := n.Host("laptop").DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		fn(t, n, client, server)
	})
}

// took fails the test unless so much time passed in fn.
func took(t *testing.T, want time.Duration, fn func()) {
	t.Helper()
	start := time.Now()
	fn()
	if got := time.Since(start); got != want {
		t.Errorf("it took %v, want %v", got, want)
	}
}

// reads fails the test unless a read returns this text, or this error.
func reads(t *testing.T, c net.Conn, text string, want error) {
	t.Helper()
	b := make([]byte, 100)
	n, err := c.Read(b)
	if string(b[:n]) != text || !errors.Is(err, want) {
		t.Errorf("read %q, %v, want %q, %v", b[:n], err, text, want)
	}
}

func write(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Error(err)
	}
}

func TestDelayAndRate(t *testing.T) {
	connected(t, func(t *testing.T, n *Network, client, server net.Conn) {
		n.Set(Link{Delay: 50 * time.Millisecond, Rate: 10})
		took(t, 0, func() { write(t, client, "hello") })
		took(t, 550*time.Millisecond, func() { reads(t, server, "hello", nil) })
		n.Set(Link{})
		took(t, 0, func() {
			write(t, server, "hello")
			reads(t, client, "hello", nil)
		})
	})
}

func TestWriteWaitsForTheReader(t *testing.T) {
	connected(t, func(t *testing.T, _ *Network, client, server net.Conn) {
		sent := bytes.Repeat([]byte("0123456789"), window/5)
		go func() {
			_, _ = client.Write(sent)
			client.Close()
		}()
		synctest.Wait()
		time.Sleep(time.Hour)
		got, err := io.ReadAll(server)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("read %d bytes, %v, want %d", len(got), err, len(sent))
		}
	})
}

func TestSilenceHoldsBack(t *testing.T) {
	connected(t, func(t *testing.T, n *Network, client, server net.Conn) {
		n.Set(Link{Silent: true})
		time.AfterFunc(time.Minute, func() { n.Set(Link{}) })
		write(t, client, "late")
		took(t, time.Minute, func() { reads(t, server, "late", nil) })
	})
}

func TestStrandedForEver(t *testing.T) {
	connected(t, func(t *testing.T, n *Network, client, server net.Conn) {
		if got := n.Strand(); got != 1 {
			t.Errorf("%d connections, want 1", got)
		}
		write(t, client, "lost")
		server.SetReadDeadline(time.Now().Add(time.Hour))
		took(t, time.Hour, func() { reads(t, server, "", os.ErrDeadlineExceeded) })
		again, err := n.Host("laptop").DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		again.Close()
	})
}

func TestEnds(t *testing.T) {
	t.Run("an orderly end comes behind what was written", func(t *testing.T) {
		connected(t, func(t *testing.T, _ *Network, client, server net.Conn) {
			write(t, client, "last")
			client.Close()
			reads(t, server, "last", nil)
			reads(t, server, "", io.EOF)
			reads(t, client, "", net.ErrClosed)
		})
	})
	t.Run("bytes that nobody reads any more reset the connection", func(t *testing.T) {
		connected(t, func(t *testing.T, _ *Network, client, server net.Conn) {
			write(t, client, "unread")
			server.Close()
			reads(t, client, "", syscall.ECONNRESET)
			if _, err := client.Write([]byte("more")); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("wrote, %v, want a reset", err)
			}
		})
	})
	t.Run("Cut loses what is under way", func(t *testing.T) {
		connected(t, func(t *testing.T, n *Network, client, server net.Conn) {
			write(t, client, "lost")
			n.Cut()
			reads(t, server, "", syscall.ECONNRESET)
			reads(t, client, "", syscall.ECONNRESET)
		})
	})
	t.Run("CloseWrite leaves the other direction", func(t *testing.T) {
		connected(t, func(t *testing.T, _ *Network, client, server net.Conn) {
			client.(interface{ CloseWrite() error }).CloseWrite()
			reads(t, server, "", io.EOF)
			write(t, server, "answer")
			reads(t, client, "answer", nil)
		})
	})
	t.Run("SetLinger(0) resets", func(t *testing.T) {
		connected(t, func(t *testing.T, _ *Network, client, server net.Conn) {
			client.(interface{ SetLinger(int) error }).SetLinger(0)
			client.Close()
			reads(t, server, "", syscall.ECONNRESET)
		})
	})
}

func TestKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		defer n.Close()
		l, _ := n.Listen(address)
		h := n.Host("process")
		client, err := h.DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		server, _ := l.Accept()
		write(t, client, "still")
		h.Kill()
		reads(t, server, "still", nil)
		reads(t, server, "", io.EOF)
		reads(t, client, "", net.ErrClosed)
		if _, err := h.DialContext(t.Context(), "tcp", address); !errors.Is(err, net.ErrClosed) {
			t.Errorf("dialed, %v, want net.ErrClosed", err)
		}
	})
}

func TestDial(t *testing.T) {
	dial := func(t *testing.T, link Link, then func(*Network), to string, want error, after time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			n := New()
			defer n.Close()
			if _, err := n.Listen(address); err != nil {
				t.Fatal(err)
			}
			n.Set(link)
			if then != nil {
				then(n)
			}
			took(t, after, func() {
				if _, err := n.Host("laptop").DialContext(t.Context(), "tcp", to); !errors.Is(err, want) {
					t.Errorf("%v, want %v", err, want)
				}
			})
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		dial(t, Link{Delay: time.Second}, nil, "nobody.test:80", syscall.ECONNREFUSED, 2*time.Second)
	})
	t.Run("refused", func(t *testing.T) { dial(t, Link{Refused: true}, nil, address, syscall.ECONNREFUSED, 0) })
	t.Run("silent", func(t *testing.T) {
		dial(t, Link{Silent: true}, nil, address, os.ErrDeadlineExceeded, dialTimeout)
	})
	t.Run("silent for a moment", func(t *testing.T) {
		dial(t, Link{Silent: true}, func(n *Network) {
			time.AfterFunc(time.Second, func() { n.Set(Link{}) })
		}, address, nil, time.Second)
	})
	t.Run("no names", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := New()
			defer n.Close()
			n.Set(Link{NoNames: true})
			_, err := n.Host("laptop").DialContext(t.Context(), "tcp", address)
			if _, ok := errors.AsType[*net.DNSError](err); !ok {
				t.Errorf("%v, want a DNSError", err)
			}
		})
	})
	t.Run("its context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := New()
			defer n.Close()
			n.Set(Link{Silent: true})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			if _, err := n.Host("laptop").DialContext(ctx, "tcp", address); !errors.Is(err, context.Canceled) {
				t.Errorf("%v, want context.Canceled", err)
			}
		})
	})
}

func TestHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		defer n.Close()
		n.Serve(address, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			_, _ = w.Write(body)
		}))
		transport := n.Host("laptop").Transport()
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport}
		body := bytes.Repeat([]byte("0123456789"), 20_000)
		n.Set(Link{Rate: 100_000, Delay: 10 * time.Millisecond})
		for range 3 {
			res, err := client.Post("http://"+address, "text/plain", bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || !bytes.Equal(got, body) {
				t.Errorf("got %d bytes, %v, want %d", len(got), err, len(body))
			}
		}
		n.Set(Link{Refused: true})
		n.Cut()
		if _, err := client.Get("http://" + address); !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%v, want it refused", err)
		}
	})
}
