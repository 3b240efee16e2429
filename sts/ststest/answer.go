package ststest

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
)

// success is the answer's content. Its Arn and ID follow the examples of the STS
// documentation.
type success struct {
	XMLName         xml.Name `json:"-"`
	RequestID       string   `json:"RequestId" xml:"RequestId"`
	AssumedRoleUser struct {
		Arn           string
		AssumedRoleID string `json:"AssumedRoleId" xml:"AssumedRoleId"`
	}
	Credentials struct {
		AccessKeyID     string `json:"AccessKeyId" xml:"AccessKeyId"`
		AccessKeySecret string
		SecurityToken   string
		Expiration      string
	}
	SourceIdentity string     `json:",omitempty" xml:",omitempty"`
	OIDCTokenInfo  *oidcToken `json:",omitempty" xml:",omitempty"`
}

// newSuccess returns the answer to a call with the given parameters.
func newSuccess(c Credential, params map[string]string) success {
	var a success
	a.XMLName.Local = params["Action"] + "Response"
	a.SourceIdentity = c.SourceIdentity
	if params["Action"] == assumeRoleWithOIDC {
		if claims, err := readClaims(params["OIDCToken"]); err == nil {
			a.OIDCTokenInfo = &claims
		}
	}
	a.RequestID = newRequestID()
	a.AssumedRoleUser.Arn = c.RoleARN + "/" + c.Session
	a.AssumedRoleUser.AssumedRoleID = roleID + ":" + c.Session
	a.Credentials.AccessKeyID = c.AccessKeyID
	a.Credentials.AccessKeySecret = c.AccessKeySecret
	a.Credentials.SecurityToken = c.SecurityToken
	a.Credentials.Expiration = c.Expires.UTC().Format("2006-01-02T15:04:05Z")
	return a
}

type failure struct {
	XMLName   xml.Name `json:"-" xml:"Error"`
	RequestID string   `json:"RequestId" xml:"RequestId"`
	HostID    string   `json:"HostId" xml:"HostId"`
	Code      string
	Message   string
	Recommend string
}

func newFailure(e *apiError, host string) failure {
	return failure{RequestID: newRequestID(), HostID: host, Code: e.code, Message: e.message,
		Recommend: "https://api.aliyun.com/troubleshoot?q=" + e.code + "&product=Sts"}
}

// respond writes JSON, or XML where the call does not ask for JSON: that is the
// default of the real service.
func respond(w http.ResponseWriter, format string, status int, content any) {
	var (
		body []byte
		err  error
		kind string
	)
	if strings.EqualFold(format, "JSON") {
		body, err = json.Marshal(content)
		kind = "application/json; charset=utf-8"
	} else {
		body, err = xml.Marshal(content)
		body = append([]byte(xml.Header), body...)
		kind = "text/xml; charset=utf-8"
	}
	if err != nil {
		panic(fmt.Sprintf("ststest: encode the answer: %v", err))
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails only if the client is gone
}

// newRequestID looks like the request IDs of RPC services: 36 characters.
func newRequestID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails, by its documentation
	h := strings.ToUpper(hex.EncodeToString(b))
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}
