package ststest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/sts"
)

// A CredentialsURI is a service that answers GET with credentials, as
// ALIBABA_CLOUD_CREDENTIALS_URI names one.
type CredentialsURI struct {
	// URL is the service's address, of the form http://127.0.0.1:PORT.
	URL string

	fake
}

// NewCredentialsURI starts a service on a port of the loopback interface. Issuer makes
// its credentials, which are of [DefaultRole] and live for an hour, knows them by
// [Server.Lookup], and has its clock. The caller must call Close at the end.
func NewCredentialsURI(issuer *Server) *CredentialsURI {
	c := &CredentialsURI{}
	c.URL = c.serve(issuer, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		c.hand(w, faultOf(r), grant{role: Role{ARN: DefaultRole}, session: "uri", duration: time.Hour})
	})
	return c
}

// Format writes the service's address, whatever the verb.
func (c *CredentialsURI) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "ststest.CredentialsURI(%s)", c.URL)
}

// ProcessOutput returns what a program for [sts.NewProcess] prints to hand out c. It has
// the secrets in it.
func ProcessOutput(c sts.Credentials) string {
	answer := map[string]string{"mode": "AK", "access_key_id": c.AccessKeyID, "access_key_secret": c.AccessKeySecret}
	if c.Temporary() {
		answer["mode"], answer["sts_token"] = "StsToken", c.SecurityToken
	}
	if !c.Expiration.IsZero() {
		answer["expiration"] = c.Expiration.UTC().Format(stamp)
	}
	text, _ := json.Marshal(answer) // never fails: all of it is text
	return string(text)
}
