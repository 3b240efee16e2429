package ststest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A MetadataMode is how the metadata service of an instance may be asked (ECS
// documentation, Instance metadata).
type MetadataMode int

// The modes.
const (
	BothModes    MetadataMode = iota // with a token or without
	HardenedMode                     // only with a token (IMDSv2)
	NormalMode                       // an old service, which has no tokens (IMDSv1)
)

// MetadataOptions say what a [Metadata] is like. Each field may be left out.
type MetadataOptions struct {
	// Role is the name of the role that is attached to the instance. The default is
	// "uploader".
	Role string

	// Mode is how the service may be asked. The default is BothModes.
	Mode MetadataMode

	// Life is how long credentials live. The default is six hours.
	Life time.Duration
}

// A Metadata is the metadata service of an ECS instance, as far as it hands out the
// credentials of the instance's role.
type Metadata struct {
	// URL is the service's address, of the form http://127.0.0.1:PORT.
	URL string

	fake
	opts MetadataOptions

	tokenMu sync.Mutex
	role    string // empty: none is attached
	tokens  map[string]time.Time
}

// NewMetadata starts a metadata service on a port of the loopback interface. Issuer
// makes its credentials, knows them by [Server.Lookup], and has its clock. The caller
// must call Close at the end.
func NewMetadata(issuer *Server, opts *MetadataOptions) *Metadata {
	m := &Metadata{tokens: map[string]time.Time{}}
	if opts != nil {
		m.opts = *opts
	}
	if m.opts.Role == "" {
		m.opts.Role = "uploader"
	}
	if m.opts.Life == 0 {
		m.opts.Life = 6 * time.Hour
	}
	m.role = m.opts.Role
	m.URL = m.serve(issuer, m.answer)
	return m
}

// SetRole attaches another role to the instance; an empty name takes it away.
func (m *Metadata) SetRole(name string) {
	m.tokenMu.Lock()
	defer m.tokenMu.Unlock()
	m.role = name
}

// Format writes the service's address, whatever the verb.
func (m *Metadata) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "ststest.Metadata(%s)", m.URL) }

const roleFolder = "/latest/meta-data/ram/security-credentials/"

func (m *Metadata) answer(w http.ResponseWriter, r *http.Request) {
	fault := faultOf(r)
	m.tokenMu.Lock()
	role := m.role
	m.tokenMu.Unlock()
	name, inFolder := strings.CutPrefix(r.URL.Path, roleFolder)
	switch {
	case r.URL.Path == "/latest/api/token" && m.opts.Mode != NormalMode:
		m.answerToken(w, r, fault)
	case r.Method != http.MethodGet:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case !m.allowed(r):
		w.WriteHeader(http.StatusForbidden)
	case !inFolder || role == "" || name != "" && name != role:
		w.WriteHeader(http.StatusNotFound)
	case name == "":
		_, _ = w.Write([]byte(role))
	default:
		m.hand(w, fault, grant{role: Role{ARN: "acs:ram::1000000000000001:role/" + role}, session: "i-ststest", duration: m.opts.Life})
	}
}

// answerToken gives a token for the hardened mode, for 1 to 21,600 seconds.
func (m *Metadata) answerToken(w http.ResponseWriter, r *http.Request, fault Fault) {
	seconds, err := strconv.Atoi(r.Header.Get("X-aliyun-ecs-metadata-token-ttl-seconds"))
	switch {
	case r.Method != http.MethodPut:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case err != nil || seconds < 1 || seconds > 21600:
		w.WriteHeader(http.StatusBadRequest)
	case fault == FaultNoToken:
	default:
		token := rand.Text() + "=="
		m.tokenMu.Lock()
		m.tokens[token] = m.sts.opts.Now().Add(time.Duration(seconds) * time.Second)
		m.tokenMu.Unlock()
		_, _ = w.Write([]byte(token))
	}
}

// allowed reports whether the request has a good token, or none and needs none.
func (m *Metadata) allowed(r *http.Request) bool {
	token := r.Header.Get("X-aliyun-ecs-metadata-token")
	if token == "" || m.opts.Mode == NormalMode {
		return m.opts.Mode != HardenedMode
	}
	m.tokenMu.Lock()
	defer m.tokenMu.Unlock()
	return m.sts.opts.Now().Before(m.tokens[token])
}
