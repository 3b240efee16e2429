package osscallback

import (
	"encoding/base64"
	"fmt"
	"strings"
)

const (
	keyHost = "gosspublic.alicdn.com" // OSS documentation, Callback

	// documentedKey is the one key that OSS is known to use.
	documentedKey = "callback_pub_key_v1.pem"

	maxKeyURL = 256 // bytes
)

// keyPath reads the header X-Oss-Pub-Key-Url and returns the path of the key on OSS's
// host. The beginning of the URL is compared byte by byte, as the documentation says: so
// no other spelling of the host, port, user or anything else that a parser of URLs might
// take for the host gets through.
func keyPath(header string) (string, error) {
	if base64.StdEncoding.DecodedLen(len(header)) > maxKeyURL+2 {
		return "", fmt.Errorf("the key's URL has more than %d bytes", maxKeyURL)
	}
	text, err := base64.StdEncoding.Strict().DecodeString(header)
	if err != nil {
		return "", fmt.Errorf("the key's URL is not base64: got %d characters", len(header))
	}
	path, http := strings.CutPrefix(string(text), "http://"+keyHost+"/")
	if !http {
		var https bool
		if path, https = strings.CutPrefix(string(text), "https://"+keyHost+"/"); !https {
			return "", fmt.Errorf("the key is not at %s: got %q", keyHost, text)
		}
	}
	if path == "" || path[0] == '/' || strings.ContainsFunc(path, strange) || strings.Contains(path, "..") || strings.Contains(path, "//") {
		return "", fmt.Errorf("the key's URL is not one of a file at %s: got %q", keyHost, text)
	}
	return path, nil
}

// strange reports whether a character needs no place in the path of a key. Without query
// and escapes, one key has one URL, so that nobody can fill the cache with it.
func strange(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("._-/", c)
}
