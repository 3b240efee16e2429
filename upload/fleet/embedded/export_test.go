package embedded

import (
	"net"

	"github.com/nats-io/nats-server/v2/server"
)

// Config returns what JetStream runs with.
func Config(s *Server) *server.JetStreamConfig { return s.nats.JetStreamConfig() }

// Addr returns where the server listens.
func Addr(s *Server) net.Addr { return s.nats.Addr() }
