package kosmos

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// The curves a tenant can run on. 1Kosmos's helpers use secp256k1 unless EC_CURVE_NAME says otherwise (since September 2025).
const (
	Secp256k1  = "secp256k1"
	Prime256v1 = "prime256v1"
)

const (
	keySize      = 32 // of a scalar, a coordinate and an AES-256 key
	ivSize       = 16 // not GCM's usual 12
	tagSize      = 16
	maxMessage   = 16 << 20 // base64 characters of one message; a published result is about 0.9 MB
	sec1Unpacked = 0x04     // SEC 1's mark of an uncompressed point, which the wire form leaves out
)

// errMessage says no more than this, so that nobody learns from us how a forged message was wrong.
var errMessage = errors.New("message cannot be decrypted")

// PublicKey is a point on one of the two curves. The zero value is no key.
type PublicKey struct {
	curve string
	xy    [2 * keySize]byte
}

// PrivateKey is a scalar for one of the two curves. The zero value is no key. It prints as a placeholder.
type PrivateKey struct {
	curve  string
	scalar [keySize]byte
}

// ParsePublicKey reads the wire form: base64 (standard alphabet, padded) of X||Y, 64 bytes without SEC 1's leading 0x04.
// It refuses every other length, points that are not on the curve, and unknown curves. The empty curve means Secp256k1.
func ParsePublicKey(curve, b64 string) (PublicKey, error) {
	k := PublicKey{curve: curveOrDefault(curve)}
	raw, err := decodeKey(b64)
	if err != nil || len(raw) != len(k.xy) {
		return PublicKey{}, errors.New("parsing public key: want base64 of 64 bytes")
	}
	copy(k.xy[:], raw)
	switch k.curve {
	case Secp256k1:
		_, err = secp256k1.ParsePubKey(k.sec1())
	case Prime256v1:
		_, err = ecdh.P256().NewPublicKey(k.sec1())
	default:
		err = errCurve(curve)
	}
	if err != nil {
		return PublicKey{}, fmt.Errorf("parsing public key: %w", err)
	}
	return k, nil
}

// ParsePrivateKey reads base64 (standard alphabet, padded) of a big-endian scalar. The vendor's helpers for Go and PHP
// strip leading zeros and the one for Java may add a zero byte, so 1 to 33 bytes are taken and brought to 32. Zero and
// scalars not below the curve's order are refused. The empty curve means Secp256k1.
func ParsePrivateKey(curve, b64 string) (PrivateKey, error) {
	raw, err := decodeKey(b64)
	if err != nil || len(raw) < 1 || len(raw) > keySize+1 || len(raw) == keySize+1 && raw[0] != 0 {
		return PrivateKey{}, errors.New("parsing private key: want base64 of 1 to 33 bytes, the 33rd being a leading zero")
	}
	if len(raw) > keySize {
		raw = raw[1:]
	}
	k := PrivateKey{curve: curveOrDefault(curve)}
	copy(k.scalar[keySize-len(raw):], raw)
	switch k.curve {
	case Secp256k1:
		var n secp256k1.ModNScalar
		if overflow := n.SetBytes(&k.scalar); overflow != 0 || n.IsZero() {
			err = errors.New("scalar out of range")
		}
	case Prime256v1:
		_, err = ecdh.P256().NewPrivateKey(k.scalar[:])
	default:
		err = errCurve(curve)
	}
	if err != nil {
		return PrivateKey{}, fmt.Errorf("parsing private key: %w", err)
	}
	return k, nil
}

// GenerateKey draws a private key from rand. (Go 1.26's ecdh ignores the reader it is given, so it is not used here.)
func GenerateKey(curve string, rand io.Reader) (PrivateKey, error) {
	var raw [keySize]byte
	for range 64 { // a draw is out of range once in 2^32 (P-256) or 2^128; a broken reader must not hang us
		if _, err := io.ReadFull(rand, raw[:]); err != nil {
			return PrivateKey{}, fmt.Errorf("drawing private key: %w", err)
		}
		k, err := ParsePrivateKey(curve, base64.StdEncoding.EncodeToString(raw[:]))
		if err == nil || curveOrDefault(curve) != Secp256k1 && curve != Prime256v1 {
			return k, err
		}
	}
	return PrivateKey{}, errors.New("drawing private key: no scalar in range")
}

// Public returns the key's public half.
func (k PrivateKey) Public() (PublicKey, error) {
	p := PublicKey{curve: k.curve}
	switch k.curve {
	case Secp256k1:
		copy(p.xy[:], secp256k1.PrivKeyFromBytes(k.scalar[:]).PubKey().SerializeUncompressed()[1:])
		return p, nil
	case Prime256v1:
		priv, err := ecdh.P256().NewPrivateKey(k.scalar[:])
		if err != nil {
			return PublicKey{}, fmt.Errorf("deriving public key: %w", err)
		}
		copy(p.xy[:], priv.PublicKey().Bytes()[1:])
		return p, nil
	}
	return PublicKey{}, errCurve(k.curve)
}

// Base64 returns the key's wire form.
func (k PublicKey) Base64() string { return base64.StdEncoding.EncodeToString(k.xy[:]) }

// String keeps private keys out of logs.
func (k PrivateKey) String() string { return "private key on " + k.curve }

// GoString keeps private keys out of logs.
func (k PrivateKey) GoString() string { return k.String() }

// SharedKey returns the AES-256 key of the two parties: the X coordinate of the ECDH point as it is, left-padded to 32
// bytes, without a hash or KDF. The keys must be on one curve.
func SharedKey(priv PrivateKey, pub PublicKey) ([keySize]byte, error) {
	var x [keySize]byte
	if priv.curve != pub.curve {
		return x, errors.New("deriving shared key: keys are on different curves")
	}
	switch priv.curve {
	case Secp256k1:
		point, err := secp256k1.ParsePubKey(pub.sec1())
		if err != nil {
			return x, fmt.Errorf("deriving shared key: %w", err)
		}
		copy(x[:], secp256k1.GenerateSharedSecret(secp256k1.PrivKeyFromBytes(priv.scalar[:]), point))
		return x, nil
	case Prime256v1:
		point, err := ecdh.P256().NewPublicKey(pub.sec1())
		if err != nil {
			return x, fmt.Errorf("deriving shared key: %w", err)
		}
		own, err := ecdh.P256().NewPrivateKey(priv.scalar[:])
		if err != nil {
			return x, fmt.Errorf("deriving shared key: %w", err)
		}
		raw, err := own.ECDH(point)
		if err != nil {
			return x, fmt.Errorf("deriving shared key: %w", err)
		}
		copy(x[:], raw)
		return x, nil
	}
	return x, errCurve(priv.curve)
}

// Encrypt seals plaintext with AES-256-GCM under an IV of 16 bytes read from rand and no additional data. It returns
// base64 (standard alphabet, padded) of IV || ciphertext || tag. rand must be crypto/rand.Reader outside tests: an IV
// used twice under one key gives both messages away.
func Encrypt(key [keySize]byte, rand io.Reader, plaintext []byte) (string, error) {
	gcm, err := newGCM(key)
	if err != nil {
		return "", err
	}
	buf := make([]byte, ivSize, ivSize+len(plaintext)+tagSize)
	if _, err := io.ReadFull(rand, buf); err != nil {
		return "", fmt.Errorf("drawing IV: %w", err)
	}
	return base64.StdEncoding.EncodeToString(gcm.Seal(buf, buf, plaintext, nil)), nil
}

// Decrypt opens what Encrypt, or a helper of the vendor, sealed. Messages over 16 MB are refused unread. The plaintext is
// the caller's alone and may be cleared after use. All failures look the same.
func Decrypt(key [keySize]byte, b64 string) ([]byte, error) {
	if len(b64) > maxMessage {
		return nil, errMessage
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(b64)
	if err != nil || len(raw) < ivSize+tagSize {
		return nil, errMessage
	}
	gcm, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(raw[ivSize:ivSize], raw[:ivSize], raw[ivSize:], nil)
	if err != nil {
		return nil, errMessage
	}
	return plain, nil
}

func newGCM(key [keySize]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("preparing cipher: %w", err)
	}
	gcm, err := cipher.NewGCMWithNonceSize(block, ivSize)
	if err != nil {
		return nil, fmt.Errorf("preparing cipher: %w", err)
	}
	return gcm, nil
}

func (k PublicKey) sec1() []byte {
	return append([]byte{sec1Unpacked}, k.xy[:]...)
}

// decodeKey bounds the text before it is decoded: no key has more than 65 bytes.
func decodeKey(b64 string) ([]byte, error) {
	if len(b64) > base64.StdEncoding.EncodedLen(2*keySize+1) {
		return nil, errors.New("too long")
	}
	return base64.StdEncoding.Strict().DecodeString(b64)
}

func curveOrDefault(curve string) string {
	if curve == "" {
		return Secp256k1
	}
	return curve
}

func errCurve(curve string) error {
	return fmt.Errorf("curve %q: want %s or %s", curve, Secp256k1, Prime256v1)
}
