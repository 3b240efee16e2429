package osstest

// Requests returns the calls that the log has, oldest first: all of them, or
// those of the given operations. The log keeps the newest 100,000, unless
// Options.KeepRequests sets another number, and never more than about 256 MiB.
func (s *Server) Requests(ops ...Op) []Request {
	var requests []Request
	for _, e := range s.requests.kept(ops) {
		requests = append(requests, e.redacted())
	}
	return requests
}

// Count returns how many calls the server has seen, since its start or since
// [Server.ResetRequests]: all of them, or those of the given operations.
func (s *Server) Count(ops ...Op) int { return s.requests.count(ops) }

// InFlight returns how many calls are in flight: all of them, or those of the
// given operations. A call is in flight from the moment its header was read
// until the last byte of its answer is sent, or its connection is broken.
func (s *Server) InFlight(ops ...Op) int { return s.requests.inFlight(ops) }

// MaxInFlight returns the greatest number of calls that were in flight at the
// same time, since the server's start or since [Server.ResetRequests]: of all
// of them, or of those of the given operations. With operations it sees as far
// back as the log goes.
//
// A call that its client has given up counts until the server notices; such a
// client can seem to have more calls in flight than it has.
func (s *Server) MaxInFlight(ops ...Op) int { return s.requests.maxInFlight(ops) }

// ResetRequests empties the log and resets Count and MaxInFlight. Seq continues,
// and calls in flight remain so.
func (s *Server) ResetRequests() { s.requests.reset() }
