package link

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// The addresses of the two sides. Each link has namespaces of its own, so that all links
// have the same.
var (
	clientIP = [4]byte{10, 77, 0, 1}
	serverIP = [4]byte{10, 77, 0, 2}
)

// ServerIP is the address of the server's side.
var ServerIP = net.IP(serverIP[:]).String()

// A Link joins two sides. Its methods may be called from any goroutine.
type Link struct {
	Client, Server *Side

	down  atomic.Bool
	pumps sync.WaitGroup
}

// A Side is one end of a link: a network namespace.
type Side struct {
	tun   *os.File
	calls chan func() // run on the thread that is in the namespace
}

// New makes a link. Close ends it.
func New(s Shape) (*Link, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := Possible(); err != nil {
		return nil, err
	}
	forbid, err := allow(s.Congestion)
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	defer forbid()
	client, err := newSide(clientIP, s.Congestion)
	if err != nil {
		return nil, err
	}
	server, err := newSide(serverIP, s.Congestion)
	if err != nil {
		client.close()
		return nil, err
	}
	l := &Link{Client: client, Server: server}
	l.pump(client.tun, server.tun, newDirection(s, 1))
	l.pump(server.tun, client.tun, newDirection(s, 2))
	return l, nil
}

// allowed is the system's list of congestion controls that a namespace may have as its
// default: see tcp(7).
const allowed = "/proc/sys/net/ipv4/tcp_allowed_congestion_control"

// allow lets namespaces have a congestion control as their default. Once they have it,
// forbid puts the system back to how it was. The lock on the list is for other processes
// that do the same at the same time.
func allow(congestion string) (forbid func(), err error) {
	if congestion == "" {
		return func() {}, nil
	}
	f, err := os.Open(allowed)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, &os.PathError{Op: "flock", Path: allowed, Err: err}
	}
	before, err := os.ReadFile(allowed)
	if err == nil {
		err = os.WriteFile(allowed, append(bytes.TrimSpace(before), " "+congestion...), 0)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("allow the congestion control %s: %w", congestion, err)
	}
	return func() {
		_ = os.WriteFile(allowed, before, 0)
		_ = f.Close()
	}, nil
}

// Possible says what is missing here for a link; nil: nothing.
func Possible() error {
	if os.Geteuid() != 0 {
		return errors.New("link: a link needs root, to make network namespaces: run this as root")
	}
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("link: a link needs TUN devices (modprobe tun; in a container, --device /dev/net/tun and --cap-add NET_ADMIN,SYS_ADMIN): %w", err)
	}
	return f.Close()
}

// SetDown has the link lose everything, or end that.
func (l *Link) SetDown(down bool) { l.down.Store(down) }

// Close ends the link. Connections over it get no further answer.
func (l *Link) Close() {
	l.Client.close()
	l.Server.close()
	l.pumps.Wait()
}

// Do calls fn on a thread that is in the side's namespace: sockets that fn makes, and
// processes that it starts, are on this side of the link, wherever they are used later.
func (s *Side) Do(fn func() error) error {
	done := make(chan error, 1)
	s.calls <- func() { done <- fn() }
	return <-done
}

// Listen is net.Listen on this side.
func (s *Side) Listen(address string) (l net.Listener, err error) {
	err = s.Do(func() (err error) {
		l, err = net.Listen("tcp4", address)
		return err
	})
	return l, err
}

// Dial is net.Dial from this side, for addresses without names.
func (s *Side) Dial(ctx context.Context, network, address string) (c net.Conn, err error) {
	err = s.Do(func() (err error) {
		c, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	return c, err
}

// newSide makes a namespace with a TUN device.
func newSide(ip [4]byte, congestion string) (*Side, error) {
	s := &Side{calls: make(chan func())}
	made := make(chan error)
	go func() {
		// The thread ends with this goroutine, and no other ever runs on it.
		runtime.LockOSThread()
		err := s.enter(ip, congestion)
		made <- err
		if err != nil {
			return
		}
		for call := range s.calls {
			call()
		}
	}()
	if err := <-made; err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	return s, nil
}

func (s *Side) close() {
	close(s.calls)
	_ = s.tun.Close()
}

// enter moves the thread to a namespace of its own, and furnishes that.
func (s *Side) enter(ip [4]byte, congestion string) error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: "/dev/net/tun", Err: err}
	}
	if err := configure(fd, ip); err != nil {
		_ = unix.Close(fd)
		return err
	}
	// Not before it has its device: the poller would not learn of packets.
	s.tun = os.NewFile(uintptr(fd), "/dev/net/tun")
	for name, value := range map[string]string{
		"tcp_rmem":               "4096 131072 33554432",
		"tcp_wmem":               "4096 65536 33554432",
		"tcp_no_metrics_save":    "1", // each connection begins without what earlier ones learned
		"tcp_congestion_control": congestion,
	} {
		if value == "" {
			continue
		}
		if err := os.WriteFile("/proc/sys/net/ipv4/"+name, []byte(value), 0); err != nil {
			_ = s.tun.Close()
			return err
		}
	}
	return nil
}

// configure makes the device of a TUN's descriptor, gives it an address and switches it
// on, and the loopback device as well.
func configure(tun int, ip [4]byte) error {
	const name = "link"
	dev, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	dev.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(tun, unix.TUNSETIFF, dev); err != nil {
		return os.NewSyscallError("ioctl TUNSETIFF", err)
	}
	sock, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(sock)
	for _, step := range []struct {
		what, device string
		request      uint
		set          func(*unix.Ifreq) error
	}{
		{"SIOCSIFADDR", name, unix.SIOCSIFADDR, func(r *unix.Ifreq) error { return r.SetInet4Addr(ip[:]) }},
		{"SIOCSIFNETMASK", name, unix.SIOCSIFNETMASK, func(r *unix.Ifreq) error { return r.SetInet4Addr([]byte{255, 255, 255, 0}) }},
		{"SIOCSIFMTU", name, unix.SIOCSIFMTU, func(r *unix.Ifreq) error { r.SetUint32(mtu); return nil }},
		// What waits for this process is not to be dropped: the link's queue is in here.
		{"SIOCSIFTXQLEN", name, unix.SIOCSIFTXQLEN, func(r *unix.Ifreq) error { r.SetUint32(100_000); return nil }},
		{"SIOCSIFFLAGS", name, unix.SIOCSIFFLAGS, up},
		{"SIOCSIFFLAGS", "lo", unix.SIOCSIFFLAGS, up},
	} {
		r, err := unix.NewIfreq(step.device)
		if err != nil {
			return err
		}
		if err := step.set(r); err != nil {
			return err
		}
		if err := unix.IoctlIfreq(sock, step.request, r); err != nil {
			return os.NewSyscallError("ioctl "+step.what, err)
		}
	}
	return nil
}

func up(r *unix.Ifreq) error {
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return nil
}

// A packet is on its way.
type packet struct {
	at   time.Time // when it arrives
	size int
	data [mtu]byte
}

var packets = sync.Pool{New: func() any { return new(packet) }}

// pump carries packets in one direction, until a device is closed.
func (l *Link) pump(from, to *os.File, d *direction) {
	began := time.Now()
	// It holds more than any queue and delay: what is in here has been let through.
	way := make(chan *packet, 1<<18)
	l.pumps.Go(func() {
		defer close(way)
		for {
			p := packets.Get().(*packet)
			n, err := from.Read(p.data[:])
			if err != nil {
				return
			}
			at, ok := d.arrive(time.Since(began), n)
			if !ok || l.down.Load() {
				packets.Put(p)
				continue
			}
			p.at, p.size = began.Add(at), n
			way <- p
		}
	})
	l.pumps.Go(func() {
		for p := range way {
			time.Sleep(time.Until(p.at))
			_, _ = to.Write(p.data[:p.size]) // fails once the device is closed
			packets.Put(p)
		}
	})
}
