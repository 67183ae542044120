package kosmos

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
)

// curve is y² = x³ + ax + b over the integers mod p, with base point g of order n. The arithmetic is the schoolbook's:
// slow, not constant in time, and by nobody that the client under test relies on. It guards nothing but play data.
type curve struct {
	a, b, p, n *big.Int
	g          point
}

// point is affine; a nil x is the point at infinity.
type point struct{ x, y *big.Int }

func curveNamed(name string) (*curve, error) {
	hex := func(s string) *big.Int {
		n, _ := new(big.Int).SetString(s, 16)
		return n
	}
	switch name {
	case "", "secp256k1": // SEC 2, 2.4.1
		return &curve{
			p: hex("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F"),
			a: big.NewInt(0), b: big.NewInt(7),
			n: hex("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141"),
			g: point{hex("79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798"),
				hex("483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8")},
		}, nil
	case "prime256v1": // SEC 2, 2.4.2
		return &curve{
			p: hex("FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF"),
			a: big.NewInt(-3), b: hex("5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B"),
			n: hex("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"),
			g: point{hex("6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"),
				hex("4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5")},
		}, nil
	}
	return nil, fmt.Errorf("curve %q: want secp256k1 or prime256v1", name)
}

func (c *curve) contains(q point) bool {
	if q.x.Cmp(c.p) >= 0 || q.y.Cmp(c.p) >= 0 {
		return false
	}
	right := new(big.Int).Exp(q.x, big.NewInt(3), nil)
	right.Add(right, new(big.Int).Mul(c.a, q.x)).Add(right, c.b)
	right.Sub(right, new(big.Int).Mul(q.y, q.y))
	return right.Mod(right, c.p).Sign() == 0
}

func (c *curve) add(q, r point) point {
	if q.x == nil {
		return r
	}
	if r.x == nil {
		return q
	}
	over, under := new(big.Int), new(big.Int)
	if q.x.Cmp(r.x) == 0 {
		if new(big.Int).Mod(new(big.Int).Add(q.y, r.y), c.p).Sign() == 0 {
			return point{}
		}
		over.Mul(q.x, q.x).Mul(over, big.NewInt(3)).Add(over, c.a)
		under.Lsh(q.y, 1)
	} else {
		over.Sub(r.y, q.y)
		under.Sub(r.x, q.x)
	}
	under.Mod(under, c.p)
	slope := over.Mul(over, under.ModInverse(under, c.p))
	x := new(big.Int).Mul(slope, slope)
	x.Sub(x, q.x).Sub(x, r.x).Mod(x, c.p)
	y := new(big.Int).Sub(q.x, x)
	y.Mul(y, slope).Sub(y, q.y).Mod(y, c.p)
	return point{x, y}
}

func (c *curve) times(k *big.Int, q point) point {
	var sum point
	for i := k.BitLen() - 1; i >= 0; i-- {
		sum = c.add(sum, sum)
		if k.Bit(i) == 1 {
			sum = c.add(sum, q)
		}
	}
	return sum
}

// pair is a service's key pair. The private half has no way out of this package.
type pair struct {
	curve   *curve
	private *big.Int
	public  string
}

func (c *curve) newPair() (pair, error) {
	d, err := rand.Int(rand.Reader, new(big.Int).Sub(c.n, big.NewInt(1)))
	if err != nil {
		return pair{}, fmt.Errorf("drawing a service key: %w", err)
	}
	d.Add(d, big.NewInt(1))
	q := c.times(d, c.g)
	wire := make([]byte, 64)
	q.x.FillBytes(wire[:32])
	q.y.FillBytes(wire[32:])
	return pair{c, d, base64.StdEncoding.EncodeToString(wire)}, nil
}

// shared is the AES key between the pair and a caller's public key in wire form: X||Y, 64 bytes.
func (k pair) shared(public string) ([]byte, error) {
	wire, err := base64.StdEncoding.DecodeString(public)
	if err != nil || len(wire) != 64 {
		return nil, errors.New("publickey is not base64 of 64 bytes")
	}
	q := point{new(big.Int).SetBytes(wire[:32]), new(big.Int).SetBytes(wire[32:])}
	if !k.curve.contains(q) {
		return nil, errors.New("publickey is not on the curve")
	}
	return k.curve.times(k.private, q).x.FillBytes(make([]byte, 32)), nil
}

func aead(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithNonceSize(block, 16)
}

// seal returns base64 of IV(16) || ciphertext || tag(16).
func seal(key, plain []byte) (string, error) {
	gcm, err := aead(key)
	if err != nil {
		return "", err
	}
	iv := make([]byte, 16)
	rand.Read(iv) // never fails
	return base64.StdEncoding.EncodeToString(append(iv, gcm.Seal(nil, iv, plain, nil)...)), nil
}

func open(key []byte, message string) ([]byte, error) {
	gcm, err := aead(key)
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(message)
	if err != nil || len(raw) < 32 {
		return nil, errors.New("message is not base64 of at least 32 bytes")
	}
	return gcm.Open(nil, raw[:16], raw[16:], nil)
}
