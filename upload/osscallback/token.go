package osscallback

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// TokenVar is the name of the variable that has the token.
const TokenVar = "x:token"

// minSecret keeps secrets out that could be guessed, in bytes.
const minSecret = 16

// Token returns a token for the callback of one object, which counts until a time, to the
// second. Who has it can have the callback of that object come until then, and nothing
// else. A secret has 16 random bytes or more; with less the token is empty, and refused.
func Token(secret []byte, bucket, object string, until time.Time) string {
	if len(secret) < minSecret {
		return ""
	}
	expiry := binary.BigEndian.AppendUint64(nil, uint64(max(0, until.Unix())))
	return base64.RawURLEncoding.EncodeToString(append(expiry, tokenSum(secret, bucket, object, expiry)...))
}

// TokenVars returns a function for upload.Callback.VarsOf: the token of each object, for
// life from when its upload starts. That includes the time that the upload takes; OSS
// limits none, so rather a day too many than an hour too few.
func TokenVars(secret []byte, life time.Duration) func(bucket, object string) map[string]string {
	return func(bucket, object string) map[string]string {
		return map[string]string{TokenVar: Token(secret, bucket, object, time.Now().Add(life))}
	}
}

// tokenSum is what vouches for a token.
func tokenSum(secret []byte, bucket, object string, expiry []byte) []byte {
	h := hmac.New(sha256.New, secret)
	for _, part := range [][]byte{[]byte("osscallback token 1"), []byte(bucket), []byte(object), expiry} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part)))) // so that no part runs into the next
		h.Write(part)
	}
	return h.Sum(nil)
}

// checkToken returns why the event's token does not count at the time now.
func checkToken(secrets [][]byte, e *Event, now time.Time) error {
	text := e.Fields[TokenVar]
	switch {
	case text == "":
		return fmt.Errorf("the body has no %s; give the callback VarsOf or Vars, and its body ${%s}", TokenVar, TokenVar)
	case e.Bucket == "" || e.Object == "":
		return errors.New("the body lacks bucket or object, which a token is for")
	}
	token, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(token) != 8+sha256.Size {
		return fmt.Errorf("got %d characters that are no token", len(text))
	}
	expiry, sum := token[:8], token[8:]
	valid := false
	for _, secret := range secrets {
		valid = hmac.Equal(sum, tokenSum(secret, e.Bucket, e.Object, expiry)) || valid
	}
	if !valid {
		return fmt.Errorf("it is not one for %s/%q with this secret", e.Bucket, e.Object)
	}
	if until := binary.BigEndian.Uint64(expiry); uint64(max(0, now.Unix())) > until {
		return fmt.Errorf("it counted until %v", time.Unix(int64(until), 0).UTC().Format(time.RFC3339))
	}
	return nil
}
