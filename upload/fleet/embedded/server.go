package embedded

import (
	"fmt"
	"net"
	"sync"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// A Server is a running NATS server. Its methods are safe for use by many goroutines.
type Server struct {
	nats     *server.Server
	dir      *dirLock
	listens  bool
	user     string
	password Password
	close    func() error
}

// Run starts a server and returns when it takes connections, which in a cluster does
// not mean that there is a leader yet. It takes no signals: the program has to call
// [Server.Close].
func Run(o *Options) (*Server, error) {
	opts, err := o.server()
	if err != nil {
		return nil, err
	}
	dir, err := lockDir(o.Dir)
	if err != nil {
		return nil, err
	}
	n, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("embedded: %w", joinErrors(err, dir.unlock()))
	}
	l := newLogger(o.Logger)
	n.SetLoggerV2(l, l.debug(), false, false)
	s := &Server{nats: n, dir: dir, listens: !opts.DontListen, user: o.User, password: o.Password}
	s.close = sync.OnceValue(s.shutdown)

	go n.Start() // returns once everything listens; readiness says when, and Close waits for it
	wait := or(o.ReadyTimeout, defaultReadyTimeout)
	if n.ReadyForConnections(wait) && n.JetStreamEnabled() {
		return s, nil
	}
	err = fmt.Errorf("embedded: the server with data in %s is not ready after %v", o.Dir, wait)
	if last := l.last(); last != "" {
		err = fmt.Errorf("%w: %s", err, last)
	}
	return nil, joinErrors(err, s.close())
}

// Format writes the name of s's type and nothing else, whatever the verb: s holds a
// password.
func (s *Server) Format(f fmt.State, _ rune) { fmt.Fprint(f, "embedded.Server") }

// URL returns the address for clients in other processes, without user and password.
// It is empty if the server listens nowhere.
func (s *Server) URL() string {
	if !s.listens {
		return ""
	}
	return s.nats.ClientURL()
}

// Connect connects this process to the server without a socket.
func (s *Server) Connect(options ...nats.Option) (*nats.Conn, error) {
	own := []nats.Option{nats.InProcessServer(s)}
	if s.user != "" {
		own = append(own, nats.UserInfo(s.user, string(s.password)))
	}
	return nats.Connect("", append(own, options...)...)
}

// InProcessConn implements [nats.InProcessConnProvider].
func (s *Server) InProcessConn() (net.Conn, error) { return s.nats.InProcessConn() }

// SyncAlways reports that what the server acknowledges has been synced to the disk.
// The store of package jetstream asks for it.
func (s *Server) SyncAlways() bool { return true }

// Close ends the server and returns when nothing of it runs any more. Connections to it
// should be closed before. Further calls return what the first one returned.
func (s *Server) Close() error { return s.close() }

func (s *Server) shutdown() error {
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
	return s.dir.unlock()
}
