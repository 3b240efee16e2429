package ststest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An oidcToken are the claims of a token, and what an answer says of it.
type oidcToken struct {
	Issuer         string `json:"Issuer"`
	Subject        string `json:"Subject"`
	ClientIDs      string `json:"ClientIds" xml:"ClientIds"`
	ExpirationTime string `json:"ExpirationTime"`
	expires        time.Time
}

// claims are the same in a token (RFC 7519).
type claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	Expires  int64  `json:"exp"` // Unix time
}

// OIDCToken returns a token of the cluster's identity provider for a subject, such as
// system:serviceaccount:NAMESPACE:NAME, which AssumeRoleWithOIDC takes for the given
// time. A life that is not positive makes a token that has expired. It is a JSON Web
// Token in form; only this server can check its signature.
func (s *Server) OIDCToken(subject string, life time.Duration) string {
	body, _ := json.Marshal(claims{ // never fails: all of it is text and numbers
		Issuer: "https://oidc.example.com", Subject: subject, Audience: "sts.aliyuncs.com", Expires: s.opts.Now().Add(life).Unix(),
	})
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`))
	signed := head + "." + base64.RawURLEncoding.EncodeToString(body)
	return signed + "." + s.signOIDC(signed)
}

func (s *Server) signOIDC(text string) string {
	mac := hmac.New(sha256.New, s.oidcKey)
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// readClaims returns what a token says.
func readClaims(token string) (oidcToken, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return oidcToken{}, errors.New("not three parts")
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return oidcToken{}, err
	}
	var c claims
	if err := json.Unmarshal(body, &c); err != nil {
		return oidcToken{}, err
	}
	expires := time.Unix(c.Expires, 0)
	return oidcToken{Issuer: c.Issuer, Subject: c.Subject, ClientIDs: c.Audience,
		ExpirationTime: expires.UTC().Format("2006-01-02T15:04:05Z"), expires: expires}, nil
}

// The length of a token, in characters (STS documentation, AssumeRoleWithOIDC).
const (
	minOIDCToken = 4
	maxOIDCToken = 20_000
)

// withOIDC carries out AssumeRoleWithOIDC.
func (s *Server) withOIDC(p map[string]string) (Credential, *apiError) {
	for _, name := range []string{"OIDCProviderArn", "OIDCToken"} {
		if p[name] == "" {
			return Credential{}, errMissing(name)
		}
	}
	g, refusal := readGrant(p)
	if refusal != nil {
		return Credential{}, refusal
	}
	if !slices.Contains(s.opts.OIDCProviders, p["OIDCProviderArn"]) {
		return Credential{}, errOIDCProvider
	}
	if refusal := s.checkOIDCToken(p["OIDCToken"]); refusal != nil {
		return Credential{}, refusal
	}
	if g.role, refusal = s.role(p["RoleArn"]); refusal != nil {
		return Credential{}, refusal
	}
	if len(g.role.TrustedOIDC) > 0 && !slices.Contains(g.role.TrustedOIDC, p["OIDCProviderArn"]) {
		return Credential{}, errOIDCTrust
	}
	if g.duration, refusal = durationOf(p["DurationSeconds"], g.role.MaxSession); refusal != nil {
		return Credential{}, refusal
	}
	return s.issue(g), nil
}

func (s *Server) checkOIDCToken(token string) *apiError {
	if n := len(token); n < minOIDCToken || n > maxOIDCToken {
		return &apiError{400, "InvalidParameter.OIDCToken", "The parameter OIDCToken must have 4 to " + strconv.Itoa(maxOIDCToken) + " characters."}
	}
	signed, signature := token, ""
	if i := strings.LastIndexByte(token, '.'); i >= 0 {
		signed, signature = token[:i], token[i+1:]
	}
	claims, err := readClaims(token)
	switch {
	case err != nil, !hmac.Equal([]byte(signature), []byte(s.signOIDC(signed))):
		return errOIDCToken
	case !s.opts.Now().Before(claims.expires):
		return errOIDCTokenExpired
	}
	return nil
}
