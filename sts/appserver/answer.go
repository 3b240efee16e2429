package appserver

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/vodupload/vodupload/sts"
)

// An answer is the JSON of a success, with the fields of all generations of
// clients. The statuses are numbers: clients that want text convert them, and
// those that compare with 200 could not be given text.
type answer struct {
	StatusCode int `json:"StatusCode"`
	Status     int `json:"status"`
	tokenFields
	Security          string      `json:"Security"`
	SecurityTokenInfo tokenFields `json:"SecurityTokenInfo"`
}

// tokenFields are the four of the documentation.
type tokenFields struct {
	AccessKeyID     string `json:"AccessKeyId"`
	AccessKeySecret string `json:"AccessKeySecret"`
	SecurityToken   string `json:"SecurityToken"`
	Expiration      string `json:"Expiration"`
}

func newAnswer(c sts.Credentials) answer {
	f := tokenFields{
		AccessKeyID:     c.AccessKeyID,
		AccessKeySecret: c.AccessKeySecret,
		SecurityToken:   c.SecurityToken,
		Expiration:      c.Expiration.UTC().Format("2006-01-02T15:04:05Z"),
	}
	return answer{StatusCode: http.StatusOK, Status: http.StatusOK, tokenFields: f, Security: c.SecurityToken, SecurityTokenInfo: f}
}

// A failure is the JSON of an error. The empty fields are those of the oldest
// servers, whose clients read them whatever the status.
type failure struct {
	StatusCode   int    `json:"StatusCode"`
	Status       int    `json:"status"`
	ErrorCode    string `json:"ErrorCode"`
	ErrorMessage string `json:"ErrorMessage"`
	RequestID    string `json:"RequestId"`
	tokenFields
	Security string `json:"Security"`
}

// write sends content as JSON.
func write(w http.ResponseWriter, status int, content any) {
	body, err := json.Marshal(content)
	if err != nil {
		panic(fmt.Sprintf("appserver: encode the answer: %v", err)) // strings and numbers only
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails only if the client is gone
}

// fail sends a problem.
func (g *Gate) fail(w http.ResponseWriter, p problem) {
	f := failure{StatusCode: p.status, Status: p.status, ErrorCode: p.code, ErrorMessage: p.message, RequestID: p.requestID}
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.FormatFloat(math.Ceil(p.retryAfter.Seconds()), 'f', 0, 64))
	}
	if p.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	status := p.status
	if p.token && !g.opts.HTTPStatus {
		status = http.StatusOK
	}
	write(w, status, f)
}

// health is the answer of the health endpoint.
type health struct {
	Status string `json:"status"` // ok
	STS    string `json:"sts"`    // ok, unknown, or the code of the last failure
	Uptime string `json:"uptime"`
}

func (h *Handler) serveHealth(w http.ResponseWriter) {
	code := h.tokens.lastCode()
	if code == "" {
		code = "unknown"
	}
	write(w, http.StatusOK, health{Status: "ok", STS: code, Uptime: time.Since(h.started).Round(time.Second).String()})
}
