package ststest

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/vodupload/vodupload/sts"
)

// A Credential is a key that the server knows: one that it issued, or that of a
// user.
//
// Its text in every form leaves out the secret and the token.
type Credential struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string    // empty for a user's key
	Expires         time.Time // the zero time for a user's key
	Policy          string    // what the token may do: JSON, see [Server.Lookup]; empty: everything
	RoleARN         string    // empty for a user's key
	Session         string    // the session's name; empty for a user's key
	SourceIdentity  string    // whose session it is at the beginning of a chain of roles; may be empty
}

// String returns the credential without the secrets.
func (c Credential) String() string {
	return fmt.Sprintf("ststest.Credential(%s, role %q, session %q)", c.AccessKeyID, c.RoleARN, c.Session)
}

// Format writes the credential without the secrets, whatever the verb.
func (c Credential) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue returns the credential without the secrets.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON encodes the credential without the secrets.
func (c Credential) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

// MarshalText encodes the credential without the secrets, for XML and the like.
func (c Credential) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// GobEncode encodes the credential without the secrets. There is no way back.
func (c Credential) GobEncode() ([]byte, error) { return []byte(c.String()), nil }

// Credentials returns c for clients.
func (c Credential) Credentials() sts.Credentials {
	return sts.Credentials{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret,
		SecurityToken: c.SecurityToken, Expiration: c.Expires}
}

// DefaultUser returns the key of the first user.
func (s *Server) DefaultUser() sts.Credentials {
	u := s.opts.Users[0]
	return sts.Credentials{AccessKeyID: u.AccessKeyID, AccessKeySecret: u.AccessKeySecret}
}

// Lookup returns the key with the given ID if securityToken belongs to it: of an
// issued key, even if it has expired, or with an empty token of a user. An issued key
// may do what both the policy of its session and that of its role allow (STS
// documentation, AssumeRole): if there are both, Policy is a JSON list of the two, which
// package osstest takes, too.
func (s *Server) Lookup(accessKeyID, securityToken string) (Credential, bool) {
	s.mu.Lock()
	c, issued := s.issued[accessKeyID]
	s.mu.Unlock()
	if issued {
		return c, hmac.Equal([]byte(c.SecurityToken), []byte(securityToken))
	}
	u := s.user(accessKeyID)
	if u == nil || u.Inactive || securityToken != "" {
		return Credential{}, false
	}
	return Credential{AccessKeyID: u.AccessKeyID, AccessKeySecret: u.AccessKeySecret}, true
}

// ExpireAll ends the life of all tokens that were issued so far.
func (s *Server) ExpireAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := s.opts.Now().Add(-time.Second)
	for id, c := range s.issued {
		if c.Expires.After(end) {
			c.Expires = end
			s.issued[id] = c
		}
	}
}

func (s *Server) user(accessKeyID string) *User {
	for i := range s.opts.Users {
		if s.opts.Users[i].AccessKeyID == accessKeyID {
			return &s.opts.Users[i]
		}
	}
	return nil
}

// principal returns whoever has the key, or the reason why it may not sign.
func (s *Server) principal(accessKeyID, token string) (principal, *apiError) {
	if u := s.user(accessKeyID); u != nil {
		if u.Inactive {
			return principal{}, errInactiveKey
		}
		return principal{id: u.AccessKeyID, secret: u.AccessKeySecret, user: u}, nil
	}
	s.mu.Lock()
	c, ok := s.issued[accessKeyID]
	s.mu.Unlock()
	switch {
	case !ok:
		return principal{}, errNoSuchKey
	case token == "":
		return principal{}, errTokenMissing
	case !hmac.Equal([]byte(c.SecurityToken), []byte(token)):
		return principal{}, errTokenMismatch
	case !s.opts.Now().Before(c.Expires):
		return principal{}, errTokenExpired
	}
	return principal{id: c.AccessKeyID, secret: c.AccessKeySecret, sourceIdentity: c.SourceIdentity, roleARN: c.RoleARN, session: c.Session}, nil
}

// issue makes a new key for a grant.
func (s *Server) issue(g grant) Credential {
	life := g.duration
	if s.opts.TokenLife > 0 {
		life = s.opts.TokenLife
	}
	c := Credential{
		AccessKeyID:     "STS.NU" + rand.Text()[:20],
		AccessKeySecret: rand.Text() + rand.Text()[:6],
		SecurityToken:   "CAIS" + randomBase64(240) + "==",
		// The answer has whole seconds, and so has the life.
		Expires: s.opts.Now().Add(life).UTC().Truncate(time.Second),
		Policy:  bothPolicies(g.role.Policy, g.policy),
		RoleARN: g.role.ARN,
		Session: g.session,

		SourceIdentity: g.sourceIdentity,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetLocked()
	s.issued[c.AccessKeyID] = c
	return c
}

// bothPolicies returns what two policies allow together.
func bothPolicies(role, session string) string {
	switch {
	case role == "":
		return session
	case session == "":
		return role
	}
	return "[" + role + "," + session + "]"
}

// maxIssued bounds the memory of a server that runs for long.
const maxIssued = 100_000

// forgetLocked drops tokens that expired long ago once there are very many.
func (s *Server) forgetLocked() {
	if len(s.issued) < maxIssued {
		return
	}
	old := s.opts.Now().Add(-time.Hour)
	for id, c := range s.issued {
		if c.Expires.Before(old) {
			delete(s.issued, id)
		}
	}
}

func randomBase64(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, by its documentation
	return base64.StdEncoding.EncodeToString(b)
}
