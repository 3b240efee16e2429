package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
)

func TestErrorText(t *testing.T) {
	for name, c := range map[string]struct {
		err  Error
		want string
	}{
		"answer of OSS": {
			Error{
				Op: opUploadPart, Bucket: "media", Object: "in/talk.mp4", Part: 7, UploadID: "U1", Status: 403,
				Code: "AccessDenied", Message: "You have no right.", RequestID: "R1", EC: "0003-1",
			},
			"UploadPart part 7: 403 AccessDenied: You have no right. (request ID R1, EC 0003-1)",
		},
		"answer of a gateway": {
			Error{Op: opPut, Bucket: "media", Object: "a", Status: 502, Err: errors.New("answer is not of OSS")},
			"PutObject: 502 Bad Gateway: answer is not of OSS",
		},
		"no answer": {
			Error{Op: opHead, Bucket: "media", Object: "a", Err: io.EOF},
			"HeadObject: EOF",
		},
		"direction of writing": {
			Error{Op: opPut, Status: 403, Code: "a\u202eb", Message: "one\u2028two\x1b[31m"},
			`PutObject: 403 a\u202eb: one two\x1b[31m`,
		},
		"foreign line breaks": {
			Error{Op: opPut, Bucket: "media", Object: "a\nb\x00c", Status: 599, Message: "one\r\ntwo", Err: errors.New("x\ty")},
			`PutObject: 599 unknown status: one two: x y`,
		},
		"joined causes": {
			Error{Op: opPut, Err: fmt.Errorf("dial: %w", errors.Join(errors.New("no IPv6"), errors.New("no IPv4")))},
			`PutObject: dial: no IPv6; no IPv4`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.err.Error(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestErrorTextIsBounded(t *testing.T) {
	e := &Error{Op: opPut, Bucket: "media", Object: strings.Repeat("a", 1023), Message: strings.Repeat("é", 5000), Err: errors.New(strings.Repeat("b", 5000))}
	if n := len(e.Error()); n > 4*maxText {
		t.Errorf("got %d bytes", n)
	}
}

func TestErrorTimeout(t *testing.T) {
	for name, c := range map[string]struct {
		err  Error
		want bool
	}{
		"stall":           {Error{Err: &stallError{}}, true},
		"deadline":        {Error{Err: context.DeadlineExceeded}, true},
		"status 408":      {Error{Status: 408}, true},
		"RequestTimeout":  {Error{Status: 400, Code: "RequestTimeout"}, true},
		"other":           {Error{Status: 500, Err: io.EOF}, false},
		"without a cause": {Error{}, false},
	} {
		if got := c.err.Timeout(); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
}

func TestUnwrapURL(t *testing.T) {
	inner := &url.Error{Op: "Put", URL: "https://x/?security-token=secret", Err: io.EOF}
	if got := unwrapURL(&url.Error{Op: "Put", URL: "https://x/?Signature=secret", Err: inner}); got != io.EOF {
		t.Errorf("got %v, want EOF", got)
	}
	proxy := errors.New(`invalid proxy address "http://me:hunter2#@proxy": parse "http://me:hunter2": invalid port ":hunter2" after host`)
	if got := unwrapURL(&url.Error{Op: "Put", URL: "https://x/", Err: proxy}); strings.Contains(got.Error(), "hunter2") || !errors.Is(got, proxy) {
		t.Errorf("malformed address of a proxy: %v", got)
	}
	if unwrapURL(nil) != nil {
		t.Error("an error was made of none")
	}
}

func TestRedactError(t *testing.T) {
	cause := context.DeadlineExceeded
	err := testToken.redactError(errors.Join(errors.New("token sts-token, secret sts-secret"), cause))
	if strings.Contains(err.Error(), "sts-") || !strings.Contains(err.Error(), "[redacted]") {
		t.Errorf("got %q", err)
	}
	if !errors.Is(err, cause) {
		t.Error("its cause is lost")
	}
	if got := testToken.redactError(cause); got != cause {
		t.Errorf("got %v, want the error itself", got)
	}
}
