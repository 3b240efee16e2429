package openapi

import (
	"context"
	"crypto/fips140"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// A call is one call of an action.
type call struct {
	action string
	params map[string]string // the action's own
	key    Key               // of no use for an unsigned call
}

const (
	formType   = "application/x-www-form-urlencoded"
	timeLayout = "2006-01-02T15:04:05Z"
)

var errNotFIPS = errors.New("signature version 1.0 is an HMAC-SHA1, which FIPS 140-only mode forbids")

// request returns the request of a call, signed in the client's way.
func (c *Client) request(ctx context.Context, call call) (*http.Request, error) {
	if c.opts.Signature == ACS3 && !call.key.unsigned {
		return c.signedByHeader(ctx, call)
	}
	params, err := c.withCommon(call)
	if err != nil {
		return nil, err
	}
	if !call.key.unsigned {
		if fips140.Enforced() { // it would panic
			return nil, errNotFIPS
		}
		params["Signature"] = Sign(c.opts.Method, params, call.key.Secret)
	}
	return c.carrying(ctx, params)
}

// withCommon returns the parameters of a call together with the common ones.
func (c *Client) withCommon(call call) (map[string]string, error) {
	common := map[string]string{
		"Action":    call.action,
		"Version":   c.version,
		"Format":    "JSON",
		"Timestamp": c.opts.Now().UTC().Format(timeLayout),
	}
	if !call.key.unsigned {
		common["AccessKeyId"] = call.key.ID
		common["SignatureMethod"] = HMACSHA1
		common["SignatureVersion"] = "1.0"
		common["SignatureNonce"] = rand.Text()
	}
	if call.key.Token != "" {
		common["SecurityToken"] = call.key.Token
	}
	if err := noneTaken(call.params); err != nil {
		return nil, err
	}
	maps.Copy(common, call.params)
	return common, nil
}

// commonParams are set by the client, whatever the signature.
var commonParams = []string{"Action", "Version", "Format", "Timestamp", "AccessKeyId", "SecurityToken",
	"SignatureMethod", "SignatureVersion", "SignatureNonce", "Signature"}

func noneTaken(params map[string]string) error {
	for _, name := range commonParams {
		if _, given := params[name]; given {
			return fmt.Errorf("parameter %s is set by the client and must not be given", name)
		}
	}
	return nil
}

// carrying returns a request with params where the client's method has them: in the
// query, or in a form.
func (c *Client) carrying(ctx context.Context, params map[string]string) (*http.Request, error) {
	encoded := encode(params)
	if c.opts.Method == http.MethodGet {
		u := *c.endpoint
		u.RawQuery = encoded
		return http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint.String(), strings.NewReader(encoded))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", formType)
	return req, nil
}

func encode(params map[string]string) string {
	values := make(url.Values, len(params))
	for name, value := range params {
		values.Set(name, value)
	}
	return values.Encode()
}

// signedByHeader returns the request of a call with the signature ACS3-HMAC-SHA256.
func (c *Client) signedByHeader(ctx context.Context, call call) (*http.Request, error) {
	if err := noneTaken(call.params); err != nil {
		return nil, err
	}
	req, err := c.carrying(ctx, call.params)
	if err != nil {
		return nil, err
	}
	sum := SHA256(nil)
	if c.opts.Method == http.MethodPost {
		sum = SHA256([]byte(encode(call.params)))
	}
	signed := map[string]string{
		"host":                  req.URL.Host,
		"x-acs-action":          call.action,
		"x-acs-version":         c.version,
		"x-acs-date":            c.opts.Now().UTC().Format(timeLayout),
		"x-acs-signature-nonce": rand.Text(),
		"x-acs-content-sha256":  sum,
	}
	if call.key.Token != "" {
		signed["x-acs-accesskey-id"] = call.key.ID
		signed["x-acs-security-token"] = call.key.Token
	}
	if kind := req.Header.Get("Content-Type"); kind != "" {
		signed["content-type"] = kind
	}
	for name, value := range signed {
		if name != "host" {
			req.Header.Set(name, value)
		}
	}
	req.Header.Set("Accept", "application/json")
	what := ACS3Request{Method: req.Method, Query: req.URL.Query(), Header: signed, BodySHA256: sum}
	req.Header.Set("Authorization", what.Authorization(call.key.ID, call.key.Secret))
	return req, nil
}

// secrets returns what the text of an error must not have in it.
func (c *Client) secrets(call call) []string {
	secrets := []string{call.key.Secret, call.key.Token}
	for _, name := range c.opts.SecretParams {
		secrets = append(secrets, call.params[name])
	}
	return secrets
}
