package osscallback

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
)

// The example of the OSS documentation (Callback, step 4), which OSS has signed with its
// own key.
func TestVerifiesTheExampleOfTheDocumentation(t *testing.T) {
	const signature = "kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/RaHBovRCE8OkQDjC3uG33esH2txA=="
	key, err := parseKey([]byte(ossKey))
	if err != nil {
		t.Fatal(err)
	}
	sig, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		uri, body string
		want      bool
	}{
		{"/index.php?id=1&index=2", "bucket=yonghu-test", true},
		{"/index%2Ephp?id=1&index=2", "bucket=yonghu-test", true}, // the path is decoded
		{"/index.php?id=1&index=%32", "bucket=yonghu-test", false},
		{"/index.php?index=2&id=1", "bucket=yonghu-test", false},
		{"/index.php", "bucket=yonghu-test", false},
		{"/index.php?", "bucket=yonghu-test", false},
		{"/Index.php?id=1&index=2", "bucket=yonghu-test", false},
		{"/index.php?id=1&index=2", "bucket=yonghu-test\n", false},
		{"/index.php?id=1&index=2", "bucket=yonghu-tes", false},
		{"/index.php?id=1&index=2", "", false},
	} {
		digest, err := digestOf(tt.uri, []byte(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		if got := key.verifies(digest, sig); got != tt.want {
			t.Errorf("%s %q: verified is %t, want %t", tt.uri, tt.body, got, tt.want)
		}
	}
}

// What package crypto/rsa signs is verified, and what it refuses is not.
func TestVerifiesAsCryptoRSA(t *testing.T) {
	digest := md5.Sum([]byte("hello"))
	for _, bits := range []int{1024, 1031, 2048} {
		private, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		key, err := parseKey(pemOf(&private.PublicKey))
		if err != nil {
			t.Fatal(err)
		}
		good, err := rsa.SignPKCS1v15(nil, private, crypto.MD5, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		sha, err := rsa.SignPKCS1v15(nil, private, crypto.SHA1, make([]byte, 20))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := rsa.SignPKCS1v15(nil, private, 0, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		flipped := bytes.Clone(good)
		flipped[len(flipped)-1] ^= 1
		more := new(big.Int).Add(new(big.Int).SetBytes(good), private.N) // the same number, modulo the modulus
		for what, s := range map[string][]byte{
			"good": good, "a bit flipped": flipped, "nothing": nil, "zeros": make([]byte, len(good)), "a byte less": good[1:],
			"a zero before it": append([]byte{0}, good...), "with the modulus added": more.Bytes(), "of SHA-1": sha, "without the digest's name": raw,
		} {
			want := rsa.VerifyPKCS1v15(&private.PublicKey, crypto.MD5, digest[:], s) == nil
			if got := key.verifies(digest, s); got != want || want != (what == "good") {
				t.Errorf("%d bits, %s: verified is %t, crypto/rsa says %t", bits, what, got, want)
			}
		}
	}
}

func TestParseKeyRefuses(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	odd := func(bits uint) *big.Int { // a number of so many bits
		n := new(big.Int).Lsh(big.NewInt(1), bits-1)
		return n.Add(n, big.NewInt(1))
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("secret")})
	for what, tt := range map[string]struct{ in, want string }{
		"nothing":               {"", "no public key in PEM"},
		"a page":                {"<html>", "no public key in PEM"},
		"a private key":         {string(private), "no public key in PEM"},
		"PEM of something else": {string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")})), "PEM that is no public key"},
		"an elliptic curve":     {string(pemOf(&ec.PublicKey)), "want one of RSA"},
		"384 bits":              {string(pemOf(&rsa.PublicKey{N: odd(384), E: 65537})), "384 bits"},
		"511 bits":              {string(pemOf(&rsa.PublicKey{N: odd(511), E: 65537})), "511 bits"},
		"16,384 bits":           {string(pemOf(&rsa.PublicKey{N: odd(16384), E: 65537})), "16384 bits"},
		"an exponent of 1":      {string(pemOf(&rsa.PublicKey{N: odd(1024), E: 1})), "no key of RSA"},
		"an even exponent":      {string(pemOf(&rsa.PublicKey{N: odd(1024), E: 4})), "no key of RSA"},
		"an even modulus":       {string(pemOf(&rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023), E: 65537})), "no key of RSA"},
	} {
		t.Run(what, func(t *testing.T) {
			if _, err := parseKey([]byte(tt.in)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one that says %q", err, tt.want)
			}
		})
	}
}
