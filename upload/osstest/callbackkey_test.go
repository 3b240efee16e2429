package osstest

import (
	"context"
	"crypto"
	"crypto/md5"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
)

// publicCallbackKey is the key that a transport has where the header says.
func publicCallbackKey(t *testing.T, keys http.RoundTripper, header string) *rsa.PublicKey {
	t.Helper()
	address, err := base64.StdEncoding.DecodeString(header)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: keys}).Get(string(address))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	block, _ := pem.Decode(text)
	if err != nil || block == nil {
		t.Fatalf("got %d %q, %v", resp.StatusCode, text, err)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PublicKey)
}

func TestCallbackIsSigned(t *testing.T) {
	s, c := newTestServer(t, nil)
	for uri, signed := range map[string]string{
		"": "/", "/hook": "/hook", "/st%C3%B6red?a=%31&b": "/störed?a=%31&b", "/?": "/?",
	} {
		there := newCallbackServer(t, answerWith(200, `{}`))
		c.good("PUT", "/media/k", "abc", "x-oss-callback", encodedCallback(there.URL+uri, "o=${object}&s=${size}", ""))
		call := <-there.calls
		key := publicCallbackKey(t, s.CallbackKeys(), call.header.Get("X-Oss-Pub-Key-Url"))
		signature, err := base64.StdEncoding.DecodeString(call.header.Get("Authorization"))
		if err != nil {
			t.Fatal(err)
		}
		sum := md5.Sum([]byte(signed + "\no=k&s=3"))
		got := new(big.Int).Exp(new(big.Int).SetBytes(signature), big.NewInt(int64(key.E)), key.N).Bytes()
		if !strings.HasSuffix(string(got), string(sum[:])) || len(got) != 63 || key.N.BitLen() != 512 {
			t.Errorf("%q: the signature says %x, want the MD5 %x at its end", uri, got, sum)
		}
		// As with OSS's own key, package crypto/rsa has its opinion about that.
		if err := rsa.VerifyPKCS1v15(key, crypto.MD5, sum[:], signature); err == nil || !strings.Contains(err.Error(), "512-bit") {
			t.Errorf("%q: crypto/rsa says %v", uri, err)
		}
	}
}

func TestCallbackKeysHasNothingElse(t *testing.T) {
	s, _ := newTestServer(t, nil)
	client := &http.Client{Transport: s.CallbackKeys()}
	for _, address := range []string{
		"https://evil.example/callback_pub_key_v1.pem", "https://gosspublic.alicdn.com/other.pem", "https://gosspublic.alicdn.com:8443/callback_pub_key_v1.pem",
	} {
		resp, err := client.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", address, resp.StatusCode)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://gosspublic.alicdn.com/callback_pub_key_v1.pem", nil)
	if _, err := client.Do(r); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want that of the context", err)
	}
}
