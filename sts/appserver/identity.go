package appserver

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vodupload/vodupload/sts/internal/role"
)

// What [Options.Authenticate] says about a request that gets no token.
var (
	// ErrUnauthenticated means that the request has no valid credentials. The
	// client gets the code Unauthenticated and HTTP status 401.
	ErrUnauthenticated = errors.New("appserver: not authenticated")

	// ErrForbidden means that the caller may not have a token. The client gets
	// the code Forbidden and HTTP status 403.
	ErrForbidden = errors.New("appserver: forbidden")
)

// An Identity is who a token is for, and what it may do.
type Identity struct {
	// Name distinguishes users: in the log, in the session's name and in the cache.
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
// more. Only hashes of them are kept, and compared in constant time. No error shows a
// token, also where token and name are the wrong way round.
func Bearer(clients map[string]Identity) (func(*http.Request) (Identity, error), error) {
	known := make(map[[sha256.Size]byte]Identity, len(clients))
	for _, token := range slices.Sorted(maps.Keys(clients)) {
		id := clients[token]
		if err := checkClient(token, id, clients); err != nil {
			return nil, fmt.Errorf("appserver: client %s: %w", shownName(id.Name), err)
		}
		known[sha256.Sum256([]byte(token))] = id
	}
	return func(r *http.Request) (Identity, error) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		// The time that the lookup of a hash takes reveals nothing about the token.
		id, ok := known[sha256.Sum256([]byte(strings.TrimSpace(token)))]
		if !ok || !strings.EqualFold(scheme, "Bearer") {
			return Identity{}, ErrUnauthenticated
		}
		return id, nil
	}, nil
}

var tokenForm = regexp.MustCompile(`^[!-~]+$`)

// checkClient returns what is wrong with a client, without its token and its name.
func checkClient(token string, id Identity, clients map[string]Identity) error {
	_, named := clients[id.Name]
	switch {
	case named && id.Name != "":
		return errors.New("the Name is a token; a name is logged")
	case len(token) < minBearer && len(id.Name) >= minBearer, looksSecret(id.Name) && !looksSecret(token):
		return fmt.Errorf("the Name looks like a token and the token like a name; want the token as the key, and the name as Name")
	case len(token) < minBearer:
		return fmt.Errorf("the token has %d characters; want %d or more, which nobody can guess (openssl rand -hex 16)", len(token), minBearer)
	case !tokenForm.MatchString(token):
		return errors.New("the token has white space or other characters than printable ASCII in it")
	}
	if err := validatePrefix(id.ObjectPrefix); err != nil {
		return fmt.Errorf("ObjectPrefix %w", err)
	}
	return nil
}

// looksSecret reports whether a text looks like a generated secret.
func looksSecret(text string) bool { return role.Shown(text) != strconv.Quote(text) }

// shownName is a client's name in an error: what is as long as a token may be one.
func shownName(name string) string {
	if len(name) >= minBearer || looksSecret(name) {
		return fmt.Sprintf("with a name of %d characters", len(name))
	}
	return strconv.Quote(name)
}
