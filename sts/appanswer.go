package sts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vodupload/vodupload/sts/internal/role"
)

// An appAnswer has the fields of all forms of an app server's answer. Decoding
// ignores the case of names, which covers AccessKeyId and AccessKeyID.
type appAnswer struct {
	appToken
	SecurityTokenInfo *appToken // of the VOD web demo
	Credentials       *appToken // of app servers that pass on the answer of STS

	StatusCode   json.RawMessage
	Status       json.RawMessage
	ErrorCode    string
	ErrorMessage string
	Code         json.RawMessage // of app servers that pass on the error of STS
	Message      string
	RequestID    string
}

type appToken struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string
	Security        string
	Expiration      string
}

// parseAppAnswer reads an app server's answer with the given HTTP status. Of the
// error, the fields that the body can tell are set.
func parseAppAnswer(status int, body []byte) (Credentials, *AppServerError) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if len(body) == 0 || body[0] != '{' {
		return Credentials{}, textAnswer(status, body)
	}
	var a appAnswer
	if err := json.Unmarshal(body, &a); err != nil {
		return Credentials{}, unreadable(status, jsonProblem(err))
	}
	code, err := a.statusCode()
	if err != nil {
		return Credentials{}, unreadable(status, err)
	}
	token := a.token()
	if status/100 != 2 || code != "" && code != "200" || a.ErrorCode != "" ||
		token.AccessKeyID == "" && token.AccessKeySecret == "" && len(a.Code) > 0 {
		return Credentials{}, a.refusal(status, code)
	}
	creds, err := token.credentials()
	if err != nil {
		return Credentials{}, unreadable(status, err)
	}
	return creds, nil
}

func unreadable(status int, err error) *AppServerError {
	return &AppServerError{Status: status, Err: fmt.Errorf("%w: %w", ErrAnswer, err)}
}

// jsonProblem describes an error of decoding without quoting the input.
func jsonProblem(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("field %s is a JSON %s", wrong.Field, strings.Fields(wrong.Value + " ")[0])
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("not JSON from byte %d on", syntax.Offset)
	}
	return errors.New("not JSON")
}

// textAnswer reads an answer that is no JSON object: some app servers answer an
// error as plain text or as a JSON string.
func textAnswer(status int, body []byte) *AppServerError {
	var text string
	if json.Unmarshal(body, &text) != nil {
		text = string(body)
	}
	switch {
	case text == "":
		return unreadable(status, errors.New("the answer is empty"))
	case text[0] == '<':
		return unreadable(status, errors.New("the answer is a page of HTML or XML; want JSON"))
	}
	return &AppServerError{Status: status, Message: scrub(text)}
}

func (a *appAnswer) token() appToken {
	for _, t := range []*appToken{&a.appToken, a.SecurityTokenInfo, a.Credentials} {
		if t != nil && (t.AccessKeyID != "" || t.AccessKeySecret != "") {
			return *t
		}
	}
	return appToken{}
}

// statusCode returns the first of the two statuses that says anything but 200,
// as text; "" if there is none.
func (a *appAnswer) statusCode() (string, error) {
	code := ""
	for _, f := range []struct {
		name string
		raw  json.RawMessage
	}{{"StatusCode", a.StatusCode}, {"status", a.Status}} {
		text, err := numberOrText(f.raw)
		if err != nil {
			return "", fmt.Errorf("field %s %w", f.name, err)
		}
		if text != "" && (code == "" || code == "200") {
			code = text
		}
	}
	return code, nil
}

func numberOrText(raw json.RawMessage) (string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return strings.TrimSpace(text), nil
	}
	var number float64
	if json.Unmarshal(raw, &number) != nil {
		return "", errors.New("is neither a number nor a string")
	}
	return strconv.FormatFloat(number, 'f', -1, 64), nil
}

// refusal returns the error that the answer tells. Old app servers have the
// code of STS, such as NoPermission, in the place of the status.
func (a *appAnswer) refusal(status int, statusCode string) *AppServerError {
	own, _ := numberOrText(a.Code)
	code := firstOf(a.ErrorCode, own)
	if _, err := strconv.ParseFloat(statusCode, 64); err != nil {
		code = firstOf(code, statusCode)
	}
	message := firstOf(a.ErrorMessage, a.Message)
	if code == "" && message == "" && statusCode != "" {
		message = "status " + statusCode
	}
	if code == "" && message == "" {
		message = http.StatusText(status)
	}
	return &AppServerError{Status: status, Code: scrub(code), Message: scrub(message), RequestID: scrub(a.RequestID)}
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func (t appToken) credentials() (Credentials, error) {
	c := Credentials{
		AccessKeyID:     t.AccessKeyID,
		AccessKeySecret: t.AccessKeySecret,
		SecurityToken:   firstOf(t.SecurityToken, t.Security),
	}
	switch {
	case c.AccessKeyID == "":
		return c, errors.New("AccessKeyId is missing")
	case c.AccessKeySecret == "":
		return c, errors.New("AccessKeySecret is missing")
	case c.SecurityToken == "":
		// A key without a token would be the app server's own: it has to be an
		// error of the app server that hands it out.
		return c, errors.New("SecurityToken is missing")
	}
	if t.Expiration != "" {
		expires, err := time.Parse(time.RFC3339, t.Expiration)
		if err != nil {
			return c, errors.New("the Expiration is not a time such as 2015-12-12T07:49:09Z")
		}
		c.Expiration = expires.UTC()
	}
	return c, nil
}

func printable(r rune) rune {
	if !unicode.IsPrint(r) || r == utf8.RuneError {
		return '?'
	}
	return r
}

// scrub returns text from an app server fit for a log: on one line, shortened,
// and without anything that could be a secret.
func scrub(text string) string {
	text = strings.Map(printable, strings.Join(strings.Fields(text), " "))
	text = role.Redact(text)
	const limit = 300
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return text
}
