package ststest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// A Server is an STS in this process. It is an [http.Handler], so that a test can
// wrap it. All its methods are safe for concurrent use.
type Server struct {
	// URL is the server's address, of the form http://127.0.0.1:PORT. It is empty
	// in a server that [New] made.
	URL string

	opts      *Options     // a pointer, which package fmt does not follow: it has keys
	oidcKey   []byte       // signs the tokens of OIDCToken
	listening *http.Server // nil in a server that New made
	served    chan struct{}
	life      context.Context // ends with Close
	end       context.CancelFunc

	mu        sync.Mutex
	issued    map[string]Credential // by access key ID
	nonces    map[string]bool       // used since nonceTurn
	oldNonces map[string]bool       // used in the turn before
	nonceTurn time.Time
	minute    time.Time
	inMinute  int
	failures  []string
	delay     time.Duration
	gate      chan struct{}
	stats     Stats
	entered   chan struct{} // closed and replaced with each call that comes in
}

// Format writes the server's address and counts, whatever the verb: the keys that
// it keeps are nobody's business.
func (s *Server) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "ststest.Server(%s, %+v)", s.URL, s.Stats())
}

// New returns a server that does not listen: an [http.Handler]. Nil options are
// the defaults; the error names the option that is wrong.
func New(opts *Options) (*Server, error) {
	o, err := opts.resolved()
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.Background())
	return &Server{opts: &o, oidcKey: []byte(rand.Text()), life: life, end: end, issued: map[string]Credential{},
		nonces: map[string]bool{}, nonceTurn: o.Now(), entered: make(chan struct{})}, nil
}

// NewServer starts a server on a port of the loopback interface. The caller must
// call [Server.Close] at the end. Like [net/http/httptest.NewServer] it panics
// when it cannot listen, and also when the options are wrong.
func NewServer(opts *Options) *Server {
	s, err := New(opts)
	if err != nil {
		panic(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("ststest: listen on the loopback interface: %v", err))
	}
	s.URL = "http://" + l.Addr().String()
	s.listening = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	s.served = make(chan struct{})
	go func() {
		defer close(s.served)
		_ = s.listening.Serve(l) // ErrServerClosed, from Close
	}()
	return s
}

// Close stops the server and ends all requests. What was issued can still be
// looked up.
func (s *Server) Close() {
	s.end()
	if s.listening != nil {
		_ = s.listening.Close()
		<-s.served
	}
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	scripted, delay, gate := s.enter()
	issued := false
	defer func() { s.leave(issued) }()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()

	// Not before the body was read does the server notice a client that is gone.
	req, refusal := readRequest(w, r)
	wait(ctx, delay, gate)
	if ctx.Err() != nil {
		return
	}
	w.Header().Set("Date", s.opts.Now().UTC().Format(http.TimeFormat))
	var answer any
	switch {
	case scripted != "":
		refusal = errorOf(scripted)
	case s.throttled():
		refusal = errThrottled
	case refusal == nil:
		answer, issued, refusal = s.carryOut(req)
	}
	if refusal != nil {
		issued = false
		respond(w, req.params["Format"], refusal.status, newFailure(refusal, r.Host))
		return
	}
	respond(w, req.params["Format"], http.StatusOK, answer)
}

// The actions that issue tokens.
const (
	assumeRole         = "AssumeRole"
	assumeRoleWithOIDC = "AssumeRoleWithOIDC"
)

// carryOut carries out a call, and reports whether a token was issued.
func (s *Server) carryOut(req *request) (answer any, issued bool, refusal *apiError) {
	if refusal := checkAction(req.params); refusal != nil {
		return nil, false, refusal
	}
	if req.params["Action"] == getCallerIdentity {
		answer, refusal = s.identify(req)
		return answer, false, refusal
	}
	c, refusal := s.assumeRole(req)
	return newSuccess(c, req.params), true, refusal
}

// assumeRole carries out a call of either action. One of AssumeRoleWithOIDC has no
// signature: the token stands for it.
func (s *Server) assumeRole(req *request) (Credential, *apiError) {
	if req.params["Action"] == assumeRoleWithOIDC {
		return s.withOIDC(req.params)
	}
	if refusal := s.authenticate(req); refusal != nil {
		return Credential{}, refusal
	}
	g, refusal := s.authorize(req)
	if refusal != nil {
		return Credential{}, refusal
	}
	return s.issue(g), nil
}
