package sts

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ParseCredentials reads the temporary credentials in a JSON text that was received at
// the time now, in the forms that app servers, STS and ApsaraVideo VOD have for them:
//
//   - The key's ID, its secret and the token may stand in any object, such as data,
//     result or Credentials, also below arrays and in strings that hold JSON. All
//     three have to stand in the same one.
//   - Names are read in any case, with hyphens and underscores: AccessKeyId,
//     access_key_id. The token is SecurityToken, Security, stsToken or sessionToken.
//   - The end is named Expiration, ExpireUTCTime, expireTime, expiresAt, expiresIn or
//     the like, beside the key or around it. It is a time as in RFC 3339 or without a
//     zone, which is in UTC then; a number of seconds or milliseconds since 1970; or,
//     below 10,000,000, of seconds from now on. It may be a number or text. Where none
//     can be read, the expiration is not known.
//
// The error is [ErrAnswer] for what is no JSON, and [ErrInvalidCredentials] where one of
// the three is missing, or where there are several that differ. It shows nothing of the
// text.
func ParseCredentials(text []byte, now time.Time) (Credentials, error) {
	all, err := objects(text)
	if err != nil {
		return Credentials{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	c, err := findCredentials(all, now)
	if err != nil {
		return Credentials{}, fmt.Errorf("%w: %w", ErrInvalidCredentials, err)
	}
	return c, nil
}

func credentialsIn(text []byte, now time.Time) (Credentials, error) {
	all, err := objects(text)
	if err != nil {
		return Credentials{}, errors.New("AccessKeyId is missing")
	}
	return findCredentials(all, now)
}

// The names of what credentials consist of, in the order in which they count.
var (
	idNames         = []string{"accesskeyid", "ossaccesskeyid", "accessid", "accesskey"}
	secretNames     = []string{"accesskeysecret", "secretaccesskey", "accesssecret", "secretkey"}
	tokenNames      = []string{"securitytoken", "security", "ststoken", "sessiontoken"}
	expirationNames = []string{"expireutctime", "expiration", "expirationtime", "expiretime", "expiredtime",
		"expiresat", "expireat", "expires", "expire", "expiresin", "expirein"}
)

// findCredentials returns the one complete set of credentials that is there. A set that
// is there several times is one.
func findCredentials(all []object, now time.Time) (Credentials, error) {
	var found Credentials
	missing, best, end := errNone, 0, time.Time{}
	for _, o := range all {
		c, parts, err := o.credentials(now)
		if end.IsZero() {
			end = c.Expiration
		}
		switch {
		case errors.Is(err, errTwice):
			return Credentials{}, err
		case err != nil:
			if parts > best {
				best, missing = parts, err
			}
		case found.AccessKeyID == "":
			found, missing = c, nil
		case found.AccessKeyID != c.AccessKeyID || found.AccessKeySecret != c.AccessKeySecret || found.SecurityToken != c.SecurityToken:
			return Credentials{}, errors.New("there are several credentials, which differ")
		case found.Expiration.IsZero():
			found.Expiration = c.Expiration
		}
	}
	if found.Expiration.IsZero() && missing == nil {
		found.Expiration = end
	}
	if missing == nil {
		missing = found.problem()
	}
	return found, missing
}

// errNone says that there is nothing that looks like credentials.
var errNone = errors.New("AccessKeyId is missing")

// errTwice says that nobody can know which value is meant.
var errTwice = errors.New("is there twice, with different values")

// credentials returns those of an object, and how many of the three parts it has. The
// expiration is set also with an error.
func (o object) credentials(now time.Time) (c Credentials, parts int, err error) {
	for _, name := range expirationNames {
		for _, text := range o[name] {
			if c.Expiration.IsZero() {
				c.Expiration = readExpiration(text, now)
			}
		}
	}
	for _, part := range []struct {
		name  string
		names []string
		field *string
	}{
		{"AccessKeyId", idNames, &c.AccessKeyID},
		{"AccessKeySecret", secretNames, &c.AccessKeySecret},
		{"SecurityToken", tokenNames, &c.SecurityToken},
	} {
		value, twice := o.only(part.names)
		if value == "" && !twice && part.field == &c.SecurityToken && strings.HasPrefix(c.AccessKeyID, "STS.") {
			// A name that much else has, too. A key of STS has to have its token.
			value, twice = o.only([]string{"token"})
		}
		switch {
		case twice:
			return c, parts, fmt.Errorf("%s %w", part.name, errTwice)
		case value == "" && err == nil:
			// A key without a token would be the app server's own: it has to be an
			// error of the app server that hands it out.
			err = fmt.Errorf("%s is missing", part.name)
		case value != "":
			parts++
			*part.field = value
		}
	}
	return c, parts, err
}

// only returns the value under the first of the names that is there. It is there twice
// if names that mean the same have different values.
func (o object) only(names []string) (value string, twice bool) {
	for _, name := range names {
		for _, v := range o[name] {
			if value != "" && v != value {
				return "", true
			}
			value = v
		}
	}
	return value, false
}
