package ststest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// A Fault is how a [Metadata] or [CredentialsURI] misbehaves.
type Fault string

// The faults.
const (
	// FaultNone is the way back to good behaviour.
	FaultNone Fault = ""

	// FaultNoToken leaves what the hardened mode needs out of the answer to the request
	// for a token, which is empty.
	FaultNoToken Fault = "no token"

	// FaultNoSecurityToken leaves SecurityToken out of the credentials.
	FaultNoSecurityToken Fault = "no security token"

	// FaultNoExpiration leaves Expiration out of the credentials.
	FaultNoExpiration Fault = "no expiration"

	// FaultHTML answers with a page, as a captive portal does.
	FaultHTML Fault = "html"

	// FaultCut ends the answer in its middle.
	FaultCut Fault = "cut"

	// FaultHuge answers with a megabyte.
	FaultHuge Fault = "huge"

	// FaultRedirect sends the client to another host.
	FaultRedirect Fault = "redirect"

	// FaultUnavailable answers with HTTP 503.
	FaultUnavailable Fault = "unavailable"

	// FaultDown closes each connection without an answer, as a service that has not
	// started yet.
	FaultDown Fault = "down"
)

// A fake is what the servers for sources of credentials have in common. All its methods
// are safe for concurrent use.
type fake struct {
	sts       *Server
	listening *http.Server
	served    chan struct{}
	life      context.Context // ends with Close
	end       context.CancelFunc

	mu       sync.Mutex
	fault    Fault
	left     int // requests that the fault is for; negative: all
	delay    time.Duration
	requests int
	issued   int
}

// serve starts the server and returns its address. It panics when it cannot listen.
func (f *fake) serve(issuer *Server, answer http.HandlerFunc) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("ststest: listen on the loopback interface: %v", err))
	}
	f.sts = issuer
	f.life, f.end = context.WithCancel(context.Background())
	f.listening = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault, delay := f.enter()
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(f.life, cancel)()
		if wait(ctx, delay, nil); ctx.Err() != nil {
			return
		}
		w.Header().Set("Date", f.sts.opts.Now().UTC().Format(http.TimeFormat))
		if !misbehave(w, fault) {
			answer(w, r.WithContext(context.WithValue(r.Context(), faultKey{}, fault)))
		}
	})}
	f.served = make(chan struct{})
	go func() {
		defer close(f.served)
		_ = f.listening.Serve(l) // ErrServerClosed, from Close
	}()
	return "http://" + l.Addr().String()
}

// faultKey is the key of a request's fault in its context.
type faultKey struct{}

func faultOf(r *http.Request) Fault {
	fault, _ := r.Context().Value(faultKey{}).(Fault)
	return fault
}

// misbehave gives the answer of a fault that is the same for all requests.
func misbehave(w http.ResponseWriter, fault Fault) bool {
	switch fault {
	case FaultHTML:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!DOCTYPE html><html><body>Log in to the network</body></html>"))
	case FaultHuge:
		_, _ = w.Write(make([]byte, 1<<20))
	case FaultRedirect:
		w.Header().Set("Location", "http://192.0.2.1/elsewhere")
		w.WriteHeader(http.StatusFound)
	case FaultUnavailable:
		w.WriteHeader(http.StatusServiceUnavailable)
	case FaultDown:
		panic(http.ErrAbortHandler)
	default:
		return false
	}
	return true
}

func (f *fake) enter() (Fault, time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	fault := f.fault
	if f.left--; f.left == 0 {
		f.fault = FaultNone
	}
	return fault, f.delay
}

// SetFault makes the server misbehave until it is set to [FaultNone].
func (f *fake) SetFault(fault Fault) { f.FailNext(-1, fault) }

// FailNext makes the server misbehave for the next n requests.
func (f *fake) FailNext(n int, fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.left = fault, n
}

// SetDelay makes each answer take d longer.
func (f *fake) SetDelay(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.delay = d
}

// Requests returns how many requests came in.
func (f *fake) Requests() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests
}

// Issued returns how many credentials were handed out.
func (f *fake) Issued() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.issued
}

// Close stops the server and ends all requests.
func (f *fake) Close() {
	f.end()
	_ = f.listening.Close()
	<-f.served
}

// hand writes credentials in the form of the metadata service.
func (f *fake) hand(w http.ResponseWriter, fault Fault, g grant) {
	c := f.sts.issue(g)
	f.mu.Lock()
	f.issued++
	f.mu.Unlock()
	now := f.sts.opts.Now().UTC()
	body := fmt.Sprintf(`{"AccessKeyId":%q,"AccessKeySecret":%q,"Expiration":%q,"SecurityToken":%q,"LastUpdated":%q,"Code":"Success"}`,
		c.AccessKeyID, c.AccessKeySecret, c.Expires.UTC().Format(stamp), c.SecurityToken, now.Format(stamp))
	switch fault {
	case FaultNoSecurityToken:
		body = fmt.Sprintf(`{"AccessKeyId":%q,"AccessKeySecret":%q,"Expiration":%q,"Code":"Success"}`,
			c.AccessKeyID, c.AccessKeySecret, c.Expires.UTC().Format(stamp))
	case FaultNoExpiration:
		body = fmt.Sprintf(`{"AccessKeyId":%q,"AccessKeySecret":%q,"SecurityToken":%q,"Code":"Success"}`,
			c.AccessKeyID, c.AccessKeySecret, c.SecurityToken)
	case FaultCut:
		body = body[:len(body)*2/3]
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(body)) // fails only if the client is gone
}

const stamp = "2006-01-02T15:04:05Z"
