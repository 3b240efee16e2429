package link

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newLink makes a link that ends with the test, or skips the test and says what is missing.
func newLink(t *testing.T, s Shape) *Link {
	if err := Possible(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	l, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// connect returns the two ends of a connection over a link.
func connect(t *testing.T, l *Link) (client, server net.Conn) {
	listener, err := l.Server.Listen(ServerIP + ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	client, err = l.Client.Dial(ctx, "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	server, err = listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return client, server
}

func TestRoundTripTakesItsTime(t *testing.T) {
	client, server := connect(t, newLink(t, Shape{Rate: 1e9, RoundTrip: 60 * time.Millisecond}))
	go func() { _, _ = io.Copy(server, server) }()
	began := time.Now()
	if _, err := client.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(client, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 60*time.Millisecond {
		t.Errorf("a round trip took %v, want at least 60ms", took)
	}
}

func TestRateIsTheMostThatGetsThrough(t *testing.T) {
	const size = 2 << 20
	shape := Shape{Rate: 40e6, RoundTrip: 10 * time.Millisecond}
	client, server := connect(t, newLink(t, shape))
	began := time.Now()
	go func() {
		_, _ = client.Write(make([]byte, size))
		_ = client.Close()
	}()
	n, err := io.Copy(io.Discard, server)
	if err != nil || n != size {
		t.Fatalf("%d bytes got through, %v", n, err)
	}
	if took := time.Since(began); took < time.Duration(float64(8*size)/float64(shape.Rate)*float64(time.Second)) {
		t.Errorf("%d bytes took %v: more than the rate got through", size, took)
	}
}

func TestNothingGetsThroughALinkThatIsDown(t *testing.T) {
	l := newLink(t, Shape{Rate: 1e9, RoundTrip: time.Millisecond})
	client, server := connect(t, l)
	l.SetDown(true)
	if _, err := client.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	_ = server.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := server.Read(make([]byte, 1)); err == nil {
		t.Fatalf("%d bytes got through", n)
	}
	_ = server.SetReadDeadline(time.Now().Add(30 * time.Second))
	l.SetDown(false)
	if _, err := server.Read(make([]byte, 1)); err != nil {
		t.Errorf("after it is up again: %v", err)
	}
}

func TestProcessesAreInTheNamespace(t *testing.T) {
	l := newLink(t, Shape{Rate: 1e9})
	cmd := exec.CommandContext(t.Context(), "cat", "/proc/net/dev")
	var out strings.Builder
	cmd.Stdout = &out
	if err := l.Client.Do(cmd.Start); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "link:") {
		t.Errorf("the process sees %s", out.String())
	}
}

func TestCongestionControlIsSet(t *testing.T) {
	before, _ := os.ReadFile(allowed)
	for _, want := range []string{"reno", "cubic"} {
		l := newLink(t, Shape{Rate: 1e9, Congestion: want})
		var got []byte
		err := l.Client.Do(func() (err error) {
			got, err = os.ReadFile("/proc/sys/net/ipv4/tcp_congestion_control")
			return err
		})
		if err != nil || strings.TrimSpace(string(got)) != want {
			t.Errorf("got %q, %v, want %s", got, err, want)
		}
	}
	if after, _ := os.ReadFile(allowed); string(after) != string(before) {
		t.Errorf("the system allows %q, want %q as before", after, before)
	}
	if _, err := New(Shape{Rate: 1e9, Congestion: "none-such"}); err == nil {
		t.Error("a congestion control that does not exist is taken")
	}
}
