package appserver

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/vodupload/vodupload/sts/internal/role"
)

// What [Options.Authenticate] says about a request that gets no token.
var (
	// ErrUnauthenticated means that the request does not tell who asks. The
	// client gets the code Unauthenticated and HTTP status 401.
	ErrUnauthenticated = errors.New("appserver: not authenticated")

	// ErrForbidden means that whoever asks may not have a token. The client gets
	// the code Forbidden and HTTP status 403.
	ErrForbidden = errors.New("appserver: forbidden")
)

// An Identity is who a token is for, and what it may do.
type Identity struct {
	// Name tells users apart: in the log, in the session's name and in the cache.
	// Empty is everybody without a name, and the session is Config.SessionName.
	Name string

	// ObjectPrefix narrows the token to objects below it. It follows
	// Config.ObjectPrefix, and ends with a slash. The policy has to have
	// $OBJECT_PREFIX in it: else the request fails, rather than get more rights
	// than it should.
	ObjectPrefix string

	// Policy takes the place of the configured one. It may have the same
	// placeholders. The default is the configured policy.
	Policy string
}

var unfitForSession = regexp.MustCompile(`[^A-Za-z0-9.@_-]+`)

// sessionName returns a valid session name that is as close to the identity's
// name as the rules allow, and different for different names.
func sessionName(name string) string {
	if role.ValidateSessionName(name) == nil {
		return name
	}
	const digits = 12
	sum := sha256.Sum256([]byte(name))
	fit := unfitForSession.ReplaceAllString(name, "_")
	fit = fit[:min(len(fit), role.MaxSessionName-digits-1)]
	return fit + "-" + hex.EncodeToString(sum[:])[:digits]
}

// minBearer keeps tokens that could be guessed out, in characters.
const minBearer = 16

// Bearer returns a function for [Options.Authenticate] that knows clients by a
// token in the header "Authorization: Bearer TOKEN". Tokens have 16 characters or
// more. Only hashes of them are kept, and compared in constant time.
func Bearer(clients map[string]Identity) (func(*http.Request) (Identity, error), error) {
	known := make(map[[sha256.Size]byte]Identity, len(clients))
	for token, id := range clients {
		if len(token) < minBearer || strings.TrimSpace(token) != token {
			return nil, fmt.Errorf("appserver: the token of client %q has %d characters; want %d or more, without white space around",
				id.Name, len(token), minBearer)
		}
		if err := validatePrefix(id.ObjectPrefix); err != nil {
			return nil, fmt.Errorf("appserver: ObjectPrefix of client %q %w", id.Name, err)
		}
		known[sha256.Sum256([]byte(token))] = id
	}
	return func(r *http.Request) (Identity, error) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		// Looking up a hash takes a time that tells nothing of the token.
		id, ok := known[sha256.Sum256([]byte(strings.TrimSpace(token)))]
		if !ok || !strings.EqualFold(scheme, "Bearer") {
			return Identity{}, ErrUnauthenticated
		}
		return id, nil
	}, nil
}
