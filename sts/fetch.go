package sts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/vodupload/vodupload/sts/internal/roundtrip"
)

// maxFetched is the largest answer of a metadata service or a credentials URI that is
// read, in bytes. Real ones have one or two thousand.
const maxFetched = 64 << 10

// directClient returns a client for services of this machine or its network. It has
// neither a proxy, which must not see the credentials, nor connections that stay open
// between calls hours apart, and it follows no redirect.
func directClient(dial time.Duration) *http.Client {
	return &http.Client{
		CheckRedirect: neverRedirect,
		Transport: &http.Transport{
			DialContext:       (&net.Dialer{Timeout: dial}).DialContext,
			DisableKeepAlives: true,
		},
	}
}

func neverRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// A fetched is the answer to one request.
type fetched struct {
	status int
	date   time.Time // by the server's clock; zero if it did not say
	body   []byte
}

// fetch sends one request and reads its answer, within the given time. The error has no
// URL, which may have a secret in its query.
func fetch(ctx context.Context, client *http.Client, timeout time.Duration, req *http.Request) (fetched, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout,
		fmt.Errorf("no complete answer within %v: %w", timeout, context.DeadlineExceeded))
	defer cancel()
	answer, err := roundtrip.Do(client, req.WithContext(ctx), maxFetched)
	switch {
	case errors.Is(err, roundtrip.ErrTooLarge):
		return fetched{}, kindf(ErrAnswer, "the %w", err)
	case err != nil && answer.Status != 0:
		return fetched{}, fmt.Errorf("read the answer: %w", ended(ctx, err))
	case err != nil:
		return fetched{}, ended(ctx, err)
	}
	return fetched{status: answer.Status, date: answer.Date(), body: bytes.TrimSpace(answer.Body)}, nil
}

// issued are credentials in the form that STS, ECS metadata and credentials URIs have
// in common. Decoding ignores the case of names.
type issued struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string
	Expiration      string
}

// credentials returns what was issued; all four fields are required.
func (i issued) credentials() (Credentials, error) {
	for _, field := range []struct{ name, value string }{
		{"AccessKeyId", i.AccessKeyID}, {"AccessKeySecret", i.AccessKeySecret},
		{"SecurityToken", i.SecurityToken}, {"Expiration", i.Expiration},
	} {
		if field.value == "" {
			return Credentials{}, kindf(ErrAnswer, "%s is missing", field.name)
		}
	}
	expires, err := time.Parse(time.RFC3339, i.Expiration)
	if err != nil {
		return Credentials{}, kindf(ErrAnswer, "the Expiration is not a time such as 2015-12-12T07:49:09Z")
	}
	return Credentials{AccessKeyID: i.AccessKeyID, AccessKeySecret: i.AccessKeySecret, SecurityToken: i.SecurityToken,
		Expiration: expires.UTC()}, nil
}

// decode reads JSON that may have secrets in it: the error describes it and quotes
// nothing.
func decode(body []byte, into any) error {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	switch {
	case len(body) == 0:
		return kindf(ErrAnswer, "it is empty")
	case body[0] == '<':
		return kindf(ErrAnswer, "it is a page of HTML or XML; want JSON")
	}
	if err := json.Unmarshal(body, into); err != nil {
		return kindf(ErrAnswer, "%w", jsonProblem(err))
	}
	return nil
}

// jsonProblem describes an error of decoding without quoting the input.
func jsonProblem(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		kind, _, _ := strings.Cut(wrong.Value, " ")
		return fmt.Errorf("field %s is a JSON %s", firstOf(wrong.Field, "(all of it)"), kind)
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("not JSON from byte %d on", syntax.Offset)
	}
	return errors.New("not JSON")
}

// tokenOf reads credentials from the answer of a metadata service or a credentials URI.
func tokenOf(f fetched, begin time.Time) (Credentials, error) {
	var answer struct {
		Code, Message string
		issued
	}
	if err := decode(f.body, &answer); err != nil {
		return Credentials{}, fmt.Errorf("the answer: %w", err)
	}
	if answer.Code != "" && answer.Code != "Success" {
		return Credentials{}, errors.New(strings.TrimSpace("refused: " + scrub(answer.Code) + " " + scrub(answer.Message)))
	}
	creds, err := answer.credentials()
	if err != nil {
		return Credentials{}, fmt.Errorf("the answer: %w", err)
	}
	return creds.seen(f.date, begin)
}

// seen returns c with its end by this machine's clock, from the date of the answer that
// it came in, or an error if it has expired already.
func (c Credentials) seen(date, begin time.Time) (Credentials, error) {
	here := now()
	end, good := endOfGuess(c.Expiration, clockAhead(date, begin, here), here)
	if !good {
		return Credentials{}, kindf(ErrExpired, "they were good until %s; it is %s by this machine's clock", c.expires(), here.UTC().Format(time.RFC3339))
	}
	return c.endingAt(end), nil
}

// metadataHost is the address of the metadata service on every ECS instance (ECS
// documentation, Instance metadata). It is not among the link-local ones.
const metadataHost = "100.100.100.200"

// private reports whether plain HTTP to a host stays on this machine or its link: a
// loopback address, a link-local one, or that of the metadata service.
func private(host string) bool {
	if strings.EqualFold(host, "localhost") || host == metadataHost {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && (address.IsLoopback() || address.IsLinkLocalUnicast())
}

// errPlain is the refusal of plain HTTP.
func errPlain(host string) error {
	return fmt.Errorf("plain HTTP to %s would show the credentials to the network; use https", host)
}
