package vodtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// A Server is VOD in this process. It is an [http.Handler], so that a test can wrap
// it. All its methods are safe for concurrent use.
type Server struct {
	// URL is the server's address, of the form http://127.0.0.1:PORT. It is empty in a
	// server that [New] made.
	URL string

	opts      *Options     // a pointer, which package fmt does not follow: it has a key
	listening *http.Server // nil in a server that New made
	served    chan struct{}
	life      context.Context // ends with Close
	end       context.CancelFunc

	mu     sync.Mutex
	media  []*Media
	byID   map[string]*Media
	nonces map[string]bool
	calls  map[string]int
	faults []Fault

	notifications []*Notification
}

// New returns a server that does not listen: an [http.Handler]. Nil options are the
// defaults. The error says what is wrong with the options, or why there is no bucket.
func New(opts *Options) (*Server, error) {
	o, err := opts.resolved()
	if err != nil {
		return nil, err
	}
	if o.CreateBucket != nil {
		if err := o.CreateBucket(o.Bucket); err != nil {
			return nil, fmt.Errorf("vodtest: create the bucket %s: %w", o.Bucket, err)
		}
	}
	life, end := context.WithCancel(context.Background())
	return &Server{opts: &o, life: life, end: end, byID: map[string]*Media{}, nonces: map[string]bool{}, calls: map[string]int{}}, nil
}

// NewServer starts a server on a port of the loopback interface. The caller must call
// [Server.Close] at the end. Like [net/http/httptest.NewServer] it panics when it
// cannot listen, and also when the options are wrong.
func NewServer(opts *Options) *Server {
	s, err := New(opts)
	if err != nil {
		panic(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("vodtest: listen on the loopback interface: %v", err))
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

// Close stops the server and ends all calls. What was made can still be looked at.
func (s *Server) Close() {
	s.end()
	if s.listening != nil {
		_ = s.listening.Close()
		<-s.served
	}
}

// Format writes the server's address, whatever the verb.
func (s *Server) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "vodtest.Server(%s)", s.URL) }

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()

	req, refused := readRequest(w, r)
	fault := s.enter(req.params["Action"])
	fault.before(ctx)
	if ctx.Err() != nil && !fault.LoseAnswer {
		return
	}
	var answer map[string]string
	if refused == nil && fault.Code != "" {
		refused = refusal(fault.Code)
		if fault.Status != 0 {
			refused = &apiError{fault.Status, fault.Code, refused.message}
		}
	}
	if refused == nil {
		answer, refused = s.call(req)
	}
	fault.after(ctx)
	if fault.LoseAnswer {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Date", s.opts.Now().UTC().Format(http.TimeFormat))
	status := http.StatusOK
	if refused != nil {
		status = refused.status
		answer = map[string]string{"HostId": r.Host, "Code": refused.code, "Message": refused.message,
			"Recommend": "https://api.aliyun.com/troubleshoot?q=" + refused.code + "&product=vod"}
	}
	answer["RequestId"] = newRequestID()
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // fails only if the client is gone
}

// call carries out one call.
func (s *Server) call(req *request) (map[string]string, *apiError) {
	if refused := s.authenticate(req); refused != nil {
		return nil, refused
	}
	params := req.params
	switch params["Action"] {
	case CreateUploadVideo:
		return s.createVideo(params)
	case RefreshUploadVideo:
		return s.refreshVideo(params)
	case CreateUploadImage:
		return s.createImage(params)
	case CreateUploadAttachedMedia:
		return s.createAttached(params)
	}
	return nil, refusal("InvalidAction.NotFound")
}
