package vodtest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"
)

// ticket issues a key for the object of a media, and returns what an answer says of
// it.
func (s *Server) ticket(m *Media) map[string]string {
	k := Key{
		AccessKeyID:     "STS.NV" + rand.Text()[:20],
		AccessKeySecret: rand.Text(),
		SecurityToken:   "CAIS" + rand.Text() + rand.Text() + rand.Text(),
		Expires:         s.opts.Now().Add(s.opts.AuthLife).UTC(),
		Policy:          policy(m.Bucket, m.Object),
	}
	s.opts.AddKey(k)
	address := map[string]string{"Endpoint": m.Endpoint, "Bucket": m.Bucket, "FileName": m.Object}
	if path.Ext(m.Object) == ".m3u8" {
		address["ObjectPrefix"] = path.Dir(m.Object) + "/"
	}
	return map[string]string{
		"UploadAddress": encode(address),
		"UploadAuth": encode(map[string]string{
			"AccessKeyId": k.AccessKeyID, "AccessKeySecret": k.AccessKeySecret, "SecurityToken": k.SecurityToken,
			"Expiration":    strconv.Itoa(int(s.opts.AuthLife / time.Second)),
			"ExpireUTCTime": k.Expires.Format(time.RFC3339Nano), "Region": s.opts.Region,
		}),
	}
}

// policy lets its bearer send one object, in parts, and nothing else.
func policy(bucket, object string) string {
	return fmt.Sprintf(`{"Version":"1","Statement":[{"Effect":"Allow","Action":["oss:PutObject","oss:ListParts","oss:AbortMultipartUpload"],`+
		`"Resource":["acs:oss:*:*:%s/%s"]}]}`, bucket, object)
}

func encode(v map[string]string) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // of strings: never
	}
	return base64.StdEncoding.EncodeToString(text)
}

// newHex returns n random bytes as hexadecimal digits.
func newHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, by its documentation
	return hex.EncodeToString(b)
}

// newRequestID looks like the request IDs of RPC services: 36 characters.
func newRequestID() string {
	h := strings.ToUpper(newHex(16))
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}
