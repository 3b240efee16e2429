package osstest

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// Where OSS has the key that it signs callbacks with (OSS documentation, Callback).
const (
	callbackKeyHost = "gosspublic.alicdn.com"
	callbackKeyPath = "/callback_pub_key_v1.pem"
)

// A callbackKey signs callbacks. It has 512 bits, as that of OSS: package crypto/rsa
// neither makes such a key nor uses it, and clients that do use it show that here.
type callbackKey struct {
	once     sync.Once
	modulus  *big.Int
	secret   *big.Int // the exponent
	pemBytes []byte   // of the public half
}

const (
	callbackKeyBits  = 512
	callbackExponent = 65537
)

// make makes the key, when it is needed for the first time.
func (k *callbackKey) make() {
	k.once.Do(func() {
		one, e := big.NewInt(1), big.NewInt(callbackExponent)
		for k.secret == nil {
			p, q := prime(callbackKeyBits/2), prime(callbackKeyBits/2)
			phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
			k.modulus = new(big.Int).Mul(p, q)
			if p.Cmp(q) != 0 && k.modulus.BitLen() == callbackKeyBits {
				k.secret = new(big.Int).ModInverse(e, phi) // nil if e divides phi
			}
		}
		der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: k.modulus, E: callbackExponent})
		if err != nil {
			panic(err) // of a key of RSA: never
		}
		k.pemBytes = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	})
}

func prime(bits int) *big.Int {
	p, err := rand.Prime(rand.Reader, bits)
	if err != nil {
		panic(err) // package crypto/rand never fails, by its documentation
	}
	return p
}

// md5Prefix comes before an MD5 in what PKCS #1 v1.5 signs (RFC 8017, section 9.2, note 1).
const md5Prefix = "\x30\x20\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00\x04\x10"

// sign returns the signature of a callback to u: over the decoded path, the query as it
// is, a line break and the body.
func (k *callbackKey) sign(u *url.URL, body []byte) []byte {
	k.make()
	path := u.Path
	if path == "" {
		path = "/"
	}
	if u.RawQuery != "" || u.ForceQuery {
		path += "?" + u.RawQuery
	}
	sum := md5.Sum(append([]byte(path+"\n"), body...))
	const size = callbackKeyBits / 8
	end := "\x00" + md5Prefix + string(sum[:])
	text := "\x00\x01" + strings.Repeat("\xff", size-2-len(end)) + end
	s := new(big.Int).SetBytes([]byte(text))
	return s.Exp(s, k.secret, k.modulus).FillBytes(make([]byte, size))
}

type callbackKeys struct{ key *callbackKey }

// RoundTrip answers a request for the key.
func (t *callbackKeys) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	status, body := http.StatusNotFound, []byte("there is no such file\n")
	if r.Method == http.MethodGet && r.URL.Host == callbackKeyHost && r.URL.Path == callbackKeyPath {
		t.key.make()
		status, body = http.StatusOK, t.key.pemBytes
	}
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"application/octet-stream"}, "Content-Length": {strconv.Itoa(len(body))}},
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)), Request: r,
	}, nil
}
