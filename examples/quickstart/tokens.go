package main

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/vodupload/vodupload/upload/osstest"
)

// A tokenServer hands out temporary credentials that the OSS server accepts, in the
// form of Alibaba Cloud's sample app servers.
type tokenServer struct {
	*httptest.Server
	oss *osstest.Server
}

func newTokenServer(oss *osstest.Server) *tokenServer {
	t := &tokenServer{oss: oss}
	t.Server = httptest.NewServer(t)
	return t
}

func (t *tokenServer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	key := osstest.Key{
		AccessKeyID: "STS." + rand.Text(), AccessKeySecret: rand.Text(), SecurityToken: rand.Text(),
		Expires: time.Now().Add(15 * time.Minute),
	}
	t.oss.AddKey(key)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"StatusCode":      http.StatusOK,
		"AccessKeyId":     key.AccessKeyID,
		"AccessKeySecret": key.AccessKeySecret,
		"SecurityToken":   key.SecurityToken,
		"Expiration":      key.Expires.UTC().Format(time.RFC3339),
	})
}
