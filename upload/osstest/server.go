package osstest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// A Server is an OSS server in this process. It is an [http.Handler], so that a
// test can wrap it. All its methods are safe for concurrent use.
type Server struct {
	// URL is the server's address, of the form http://127.0.0.1:PORT. It is
	// empty in a server that [New] made.
	URL string

	opts     *Options // a pointer, which package fmt does not follow: it has keys
	hosts    []string // suffixes of virtual-host style, beside those of aliyuncs.com
	keys     *keyring
	faults   faultState
	requests requestLog
	blobs    *storage.BlobStore

	callbackKey callbackKey
	disk        *storage.Disk // nil: memory only

	mu      sync.RWMutex // guards what follows, never held while a body moves
	buckets map[string]*storage.Bucket
	lastSeq uint64

	listening *http.Server // nil in a server that New made
	served    chan struct{}
	life      context.Context // ends with Close
	end       context.CancelFunc
	closing   sync.Mutex
	closed    bool
	handlers  sync.WaitGroup
}

// NewServer starts a server on a port of the loopback interface. The caller
// must call [Server.Close] at the end. Like [net/http/httptest.NewServer] it
// panics when it cannot listen, and also when the options are wrong. Nil
// options are the defaults.
func NewServer(opts *Options) *Server {
	s, err := New(opts)
	if err != nil {
		panic(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.Close()
		panic(fmt.Errorf("osstest: listen: %w", err))
	}
	s.URL = "http://" + l.Addr().String()
	s.listening = &http.Server{Handler: s, ReadHeaderTimeout: s.opts.BodyTimeout}
	s.served = make(chan struct{})
	go func() {
		defer close(s.served)
		s.listening.Serve(l)
	}()
	return s
}

// New returns a server that does not listen: an [http.Handler] to be mounted
// elsewhere. The caller must call [Server.Close] at the end. New returns an
// error if the options are wrong, or if Options.Dir cannot be read or is in
// use. Nil options are the defaults.
func New(opts *Options) (*Server, error) {
	resolved, err := opts.resolved()
	if err != nil {
		return nil, err
	}
	s := &Server{opts: &resolved, hosts: []string{"localhost"}}
	for _, h := range resolved.Hosts {
		s.hosts = append(s.hosts, strings.ToLower(strings.Trim(h, ".")))
	}
	s.requests.keep = resolved.KeepRequests
	s.keys = newKeyring(resolved.Keys, resolved.LookupKey)
	stored, err := storage.Open(resolved.Dir)
	if err != nil {
		return nil, fmt.Errorf("osstest: open the directory in the options: %w", err)
	}
	s.disk, s.blobs, s.buckets, s.lastSeq = stored.Disk, stored.Blobs, stored.Buckets, stored.LastSeq
	s.life, s.end = context.WithCancel(context.Background())
	for _, name := range resolved.Buckets {
		if err := s.CreateBucket(name); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// Format writes the server's address, whatever the verb: its keys are secrets.
func (s *Server) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "osstest.Server(%s)", s.URL) }

// Close stops the server: it ends all connections and requests, and waits until
// all of its goroutines have ended. What a server keeps in Options.Dir stays
// there. Close may be called more than once.
func (s *Server) Close() {
	s.closing.Lock()
	first := !s.closed
	s.closed = true
	s.closing.Unlock()
	// The connections go first: a request that is broken off gets no answer.
	if s.listening != nil {
		s.listening.Close()
		<-s.served
	}
	s.end()
	s.handlers.Wait()
	if first {
		s.disk.Close()
	}
}

// enter counts a handler, and says whether it may run.
func (s *Server) enter() bool {
	s.closing.Lock()
	defer s.closing.Unlock()
	if s.closed {
		return false
	}
	s.handlers.Add(1)
	return true
}

func (s *Server) now() time.Time { return s.opts.Now() }

// AddKey makes the server accept k from now on, in place of any key of the same
// AccessKeyID. It takes back what [Server.RevokeKey] and [Server.ExpireKey] did
// to that ID. It panics if k has no AccessKeyID or AccessKeySecret, or a Policy
// that is not a RAM policy or has a Condition, which osstest does not evaluate.
func (s *Server) AddKey(k Key) { s.keys.add(k) }

// RevokeKey makes the server answer InvalidAccessKeyId to all requests with the
// key, as OSS does once a key is deleted or an STS key is no longer known.
// It also holds for keys of Options.LookupKey.
func (s *Server) RevokeKey(accessKeyID string) { s.keys.revoke(accessKeyID) }

// ExpireKey makes the server answer SecurityTokenExpired to all requests with
// the key, as if its time had come. It also holds for keys of Options.LookupKey.
func (s *Server) ExpireKey(accessKeyID string) { s.keys.expire(accessKeyID) }
