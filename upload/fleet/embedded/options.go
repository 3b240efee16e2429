package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Options are what [Run] starts a server with.
type Options struct {
	// Dir is the folder for the server's data; it is made if there is none. It is the
	// server's own: no other server may use it, and no other user may write to it.
	// It is required.
	Dir string

	// Addr is the host and port to listen on for other processes, "127.0.0.1:4222" or,
	// for any free port, "127.0.0.1:0". An address that other machines reach needs a
	// Password. The default is to listen nowhere.
	Addr string

	// User and Password are what clients have to log in with. [Server.Connect] does so
	// by itself. The default is that everybody who reaches the server may use it.
	User     string
	Password Password

	// Name is the name of the server, unique in a cluster. The default is a random one.
	Name string

	// MaxMemory is how many bytes streams in memory may take. The default is 64 MiB.
	MaxMemory int64

	// MaxStore is how many bytes streams in files may take. The default is 16 GiB.
	MaxStore int64

	// ReadyTimeout is how long Run waits for the server. The default is 10 s.
	ReadyTimeout time.Duration

	// Cluster makes the server one node of several. The default is a single server.
	Cluster *Cluster

	// Logger receives what the server logs. The default is to log nothing.
	Logger *slog.Logger
}

// A Cluster is what a node has to know of the other nodes. All of them have the same
// Name, User and Password.
type Cluster struct {
	Name   string   // of the cluster; it is required
	Addr   string   // the host and port on which this node listens for the others; it is required
	Routes []string // host and port of each node; this node's own may be among them

	// Advertise is the host and port that the nodes give each other for this one, where
	// they do not reach it by Addr, as in a container. The default is Addr.
	Advertise string
}

const (
	defaultMaxMemory    = 64 << 20
	defaultMaxStore     = 16 << 30
	defaultReadyTimeout = 10 * time.Second
)

// server returns the options of the server, or what is wrong with o.
func (o *Options) server() (*server.Options, error) {
	if o == nil || o.Dir == "" {
		return nil, errors.New("embedded: Options.Dir is empty, want a folder for the server's data")
	}
	if o.MaxMemory < 0 || o.MaxStore < 0 || o.ReadyTimeout < 0 {
		return nil, errors.New("embedded: Options has a negative limit, want 0 for the default or a positive one")
	}
	if (o.User == "") != (o.Password == "") {
		return nil, errors.New("embedded: Options has one of User and Password, want both or none")
	}
	s := &server.Options{
		ServerName: o.Name,
		StoreDir:   o.Dir,
		JetStream:  true,
		SyncAlways: true,
		// 0 would be taken as three quarters of the machine's memory.
		JetStreamMaxMemory: or(o.MaxMemory, defaultMaxMemory),
		JetStreamMaxStore:  or(o.MaxStore, defaultMaxStore),
		Username:           o.User,
		Password:           string(o.Password),
		DontListen:         o.Addr == "",
		NoSigs:             true,
	}
	if o.Addr != "" {
		host, port, err := o.listen("Options.Addr", o.Addr)
		if err != nil {
			return nil, err
		}
		s.Host, s.Port = host, port
	}
	if o.Cluster != nil {
		if err := o.join(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// join adds what makes the server a node of a cluster.
func (o *Options) join(s *server.Options) error {
	c := o.Cluster
	if c.Name == "" || o.Name == "" {
		return errors.New("embedded: a node of a cluster needs Options.Cluster.Name and Options.Name")
	}
	host, port, err := o.listen("Options.Cluster.Addr", c.Addr)
	if err != nil {
		return err
	}
	if c.Advertise != "" {
		if _, _, err := splitAddr("Options.Cluster.Advertise", c.Advertise); err != nil {
			return err
		}
	}
	s.Cluster = server.ClusterOpts{
		Name: c.Name, Host: host, Port: port, Advertise: c.Advertise, Username: o.User, Password: string(o.Password),
	}
	for _, r := range c.Routes {
		if _, _, err := splitAddr("Options.Cluster.Routes", r); err != nil {
			return err
		}
		u := &url.URL{Scheme: "nats", Host: r}
		if o.User != "" {
			u.User = url.UserPassword(o.User, string(o.Password))
		}
		s.Routes = append(s.Routes, u)
	}
	return nil
}

// listen parses an address to listen on. One that other machines reach needs a password.
func (o *Options) listen(field, addr string) (host string, port int, err error) {
	host, port, err = splitAddr(field, addr)
	if err != nil {
		return "", 0, err
	}
	if ip := net.ParseIP(host); o.Password == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", 0, fmt.Errorf("embedded: %s is %q, which other machines can reach: set User and Password, or listen on 127.0.0.1", field, addr)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

func splitAddr(field, addr string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil || port < 0 || port > 65535 || host == "" {
		return "", 0, fmt.Errorf("embedded: %s is %q, want a host and a port such as 127.0.0.1:4222", field, addr)
	}
	return host, port, nil
}

func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
