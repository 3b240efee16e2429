package sts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vodupload/vodupload/sts/internal/role"
)

// parseAppAnswer reads an app server's answer with the given HTTP status, which was
// received at the time now. Complete credentials outweigh whatever codes are in the
// answer: some app servers have a success of 0, others of 200, of true or of "ok". Of
// the error, the fields that the body has are set.
func parseAppAnswer(status int, body []byte, now time.Time) (Credentials, *AppServerError) {
	body = bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\xef\xbb\xbf")))
	all, err := objects(body)
	if err != nil && len(body) > 0 && body[0] == '{' {
		return Credentials{}, unreadable(status, err)
	}
	if len(all) == 0 {
		return Credentials{}, textAnswer(status, body)
	}
	creds, err := findCredentials(all, now)
	if err == nil && status/100 == 2 {
		return creds, nil
	}
	if e := refusal(status, all); e != nil && (e.Code != "" || status/100 != 2 || errors.Is(err, errNone)) {
		return Credentials{}, e
	}
	return Credentials{}, unreadable(status, err)
}

func unreadable(status int, err error) *AppServerError {
	return &AppServerError{Status: status, Err: fmt.Errorf("%w: %w", ErrAnswer, err)}
}

// textAnswer reads an answer without a JSON object: some app servers answer an error
// as plain text or as a JSON string.
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
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return unreadable(status, errors.New("the answer is not text in UTF-8; want JSON"))
	}
	// What is in braces may be credentials, as in JSONP: it is not quoted.
	before, _, braces := strings.Cut(text, "{")
	if braces && status/100 == 2 {
		return unreadable(status, errors.New("the answer has something before its JSON; want JSON alone"))
	}
	return &AppServerError{Status: status, Message: firstOf(scrub(before), http.StatusText(status))}
}

// The names of what an error consists of, in the order in which they count.
var (
	codeNames    = []string{"errorcode", "errcode", "errorno", "errno", "code", "resultcode", "returncode", "retcode", "ret"}
	statusNames  = []string{"statuscode", "status"}
	messageNames = []string{"errormessage", "errormsg", "errmessage", "errmsg", "message", "msg", "errordescription",
		"description", "detail", "reason", "error"}
	requestNames = []string{"requestid", "reqid", "traceid"}
)

// refusal returns the error that an answer without credentials reports, and nil if it
// reports none. Old app servers have the code of STS, such as NoPermission, in the
// place of the status.
func refusal(status int, all []object) *AppServerError {
	e := &AppServerError{Status: status}
	failed := status/100 != 2
	number := ""
	for _, o := range all {
		e.Message = firstOf(e.Message, o.failure(messageNames...))
		e.RequestID = firstOf(e.RequestID, o.first(requestNames...))
		failed = failed || o.first("success", "ok", "succeeded") == "false"
		if e.Code == "" {
			if e.Code = o.code(); e.Code != "" {
				// What stands beside the code explains it best.
				e.Message = firstOf(o.failure(messageNames...), e.Message)
			}
		}
		number = firstOf(number, o.failure(statusNames...))
	}
	if _, err := strconv.ParseFloat(number, 64); err != nil && number != "" {
		e.Code, number = firstOf(e.Code, number), ""
	}
	if !failed && e.Code == "" && e.Message == "" && number == "" {
		return nil
	}
	if e.Message == "" && e.Code == "" {
		e.Message = http.StatusText(status)
		if number != "" {
			e.Message = "status " + number
		}
	}
	if e.Message == e.Code {
		e.Message = ""
	}
	e.Code, e.Message, e.RequestID = scrub(e.Code), scrub(e.Message), scrub(e.RequestID)
	return e
}

// word is what a code looks like in a field named error, which others have a sentence in.
var word = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

func (o object) code() string {
	if code := o.failure(codeNames...); code != "" {
		return code
	}
	if text := o.failure("error"); word.MatchString(text) {
		return text
	}
	return ""
}

// failure returns the first value under one of the names that does not report a success.
func (o object) failure(names ...string) string {
	for _, name := range names {
		for _, value := range o[name] {
			if !isSuccess(value) {
				return value
			}
		}
	}
	return ""
}

// The words for a success that app servers have in a code or a message.
var successes = []string{"ok", "success", "succeed", "succeeded", "successful", "true", "none"}

func isSuccess(code string) bool {
	if n, err := strconv.ParseFloat(code, 64); err == nil {
		return n == 0 || n >= 200 && n < 300
	}
	return slices.Contains(successes, strings.ToLower(strings.TrimRight(code, ".!")))
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
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
