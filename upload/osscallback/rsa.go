package osscallback

import (
	"bytes"
	"crypto/md5"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
)

// The sizes of keys that are taken, in bits. OSS's own has the smallest; in one that is
// much larger than any in use, a signature takes long to verify.
const (
	minKeyBits = 512
	maxKeyBits = 8192
)

// A publicKey verifies signatures. Package crypto/rsa would do for keys from 1,024 bits
// on, and refuses smaller ones: OSS's has 512. Nothing that is secret goes through here,
// so the time that it takes may depend on the values.
type publicKey struct {
	modulus  *big.Int
	exponent *big.Int
	size     int // of the modulus, and so of signatures, in bytes
}

// parseKey reads a public key as the OSS documentation has it: PEM, "PUBLIC KEY".
func parseKey(text []byte) (*publicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, fmt.Errorf("got %d bytes that are no public key in PEM", len(text))
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, errors.New("got PEM that is no public key")
	}
	k, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("got a key of type %T, want one of RSA", parsed)
	}
	if bits := k.N.BitLen(); bits < minKeyBits || bits > maxKeyBits {
		return nil, fmt.Errorf("got a key of %d bits, want %d to %d", bits, minKeyBits, maxKeyBits)
	}
	if k.N.Bit(0) == 0 || k.E < 3 || k.E%2 == 0 {
		return nil, errors.New("got numbers that are no key of RSA")
	}
	return &publicKey{modulus: k.N, exponent: big.NewInt(int64(k.E)), size: k.Size()}, nil
}

// md5Prefix comes before an MD5 in what PKCS #1 v1.5 signs (RFC 8017, section 9.2).
var md5Prefix = []byte{0x30, 0x20, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05, 0x00, 0x04, 0x10}

// verifies reports whether signature is that of the digest: PKCS #1 v1.5 (RFC 8017,
// section 8.2.2). What must have been signed is made and compared; what was signed is not
// read, since readers of it could be deceived.
func (k *publicKey) verifies(digest [md5.Size]byte, signature []byte) bool {
	s := new(big.Int).SetBytes(signature)
	if len(signature) != k.size || s.Cmp(k.modulus) >= 0 {
		return false
	}
	signed := s.Exp(s, k.exponent, k.modulus).FillBytes(make([]byte, k.size))
	want := bytes.Repeat([]byte{0xff}, k.size)
	want[0], want[1] = 0, 1
	end := want[k.size-len(md5Prefix)-md5.Size-1:]
	end[0] = 0
	copy(end[1:], md5Prefix)
	copy(end[1+len(md5Prefix):], digest[:])
	return bytes.Equal(signed, want)
}
