package receipt

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

const (
	// algorithm is the only JWS algorithm that is signed or accepted (RFC 8037).
	algorithm = "EdDSA"
	// keyIDLength is the length of a kid in base64url characters. Four (24 bits) tell the few keys of one installation
	// apart and leave room in the customer attribute; NewKey draws again in the rare clash.
	keyIDLength = 4
	// maxJWKS and maxJWKSKeys bound what Verify reads.
	maxJWKS     = 64 << 10
	maxJWKSKeys = 64
)

// A Key signs receipts. Its ID is the beginning of its RFC 7638 thumbprint. Printing a Key shows its ID only.
type Key struct {
	ID      string
	Private ed25519.PrivateKey
}

// A PublicKey verifies receipts: the published half of a current or a retired [Key].
type PublicKey struct {
	ID  string
	Key ed25519.PublicKey
}

// NewKey makes a key from 32 bytes of rand, drawing again while its ID is one of others'.
func NewKey(rand io.Reader, others ...PublicKey) (Key, error) {
	for {
		seed := make([]byte, ed25519.SeedSize)
		if _, err := io.ReadFull(rand, seed); err != nil {
			return Key{}, fmt.Errorf("making receipt key: %w", err)
		}
		key, err := KeyFromSeed(seed)
		if err != nil {
			return Key{}, err
		}
		taken := false
		for _, other := range others {
			taken = taken || other.ID == key.ID
		}
		if !taken {
			return key, nil
		}
	}
}

// KeyFromSeed makes the key again from [Key.Seed]: what is stored, sealed, of a Key.
func KeyFromSeed(seed []byte) (Key, error) {
	if len(seed) != ed25519.SeedSize {
		return Key{}, fmt.Errorf("reading receipt key: a seed has %d bytes, this one has %d", ed25519.SeedSize, len(seed))
	}
	private := ed25519.NewKeyFromSeed(seed)
	return Key{ID: thumbprint(private.Public().(ed25519.PublicKey))[:keyIDLength], Private: private}, nil
}

// Seed returns the 32 secret bytes from which [KeyFromSeed] makes k again.
func (k Key) Seed() []byte { return k.Private.Seed() }

// Public returns the half of k that is published, and kept when k is retired.
func (k Key) Public() PublicKey {
	return PublicKey{ID: k.ID, Key: k.Private.Public().(ed25519.PublicKey)}
}

// Format implements [fmt.Formatter] for every verb, so that no log or error page can show the private half.
func (k Key) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "receipt key %s", k.ID) }

// LogValue implements [slog.LogValuer] to the same end.
func (k Key) LogValue() slog.Value { return slog.StringValue("receipt key " + k.ID) }

func (k Key) check() error {
	switch {
	case len(k.Private) != ed25519.PrivateKeySize:
		return errors.New("no private key: make one with NewKey")
	case k.ID == "":
		return errors.New("the key has no id")
	}
	return nil
}

// thumbprint is the RFC 7638 thumbprint of an Ed25519 key: SHA-256 over its required members in lexical order.
func thumbprint(public ed25519.PublicKey) string {
	x := base64.RawURLEncoding.EncodeToString(public)
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// jwk is one key of a JWK set (RFC 7517, RFC 8037 §2).
type jwk struct {
	Kty string `json:"kty"`
	Crv string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Kid string `json:"kid,omitempty"`
	Use string `json:"use,omitempty"`
	Alg string `json:"alg,omitempty"`
}

// JWKS writes keys as the JWK set that /.well-known/jwks.json serves: the current key, and the retired ones for as long as
// receipts of theirs are about.
func JWKS(keys []PublicKey) ([]byte, error) {
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: make([]jwk, 0, len(keys))}
	seen := map[string]bool{}
	for _, k := range keys {
		switch {
		case k.ID == "":
			return nil, errors.New("writing JWKS: a key has no id")
		case len(k.Key) != ed25519.PublicKeySize:
			return nil, fmt.Errorf("writing JWKS: key %s has %d bytes, an Ed25519 key has %d", k.ID, len(k.Key), ed25519.PublicKeySize)
		case seen[k.ID]:
			return nil, fmt.Errorf("writing JWKS: two keys are named %s: pass the others to NewKey", k.ID)
		}
		seen[k.ID] = true
		set.Keys = append(set.Keys, jwk{Kty: "OKP", Crv: "Ed25519", X: base64.RawURLEncoding.EncodeToString(k.Key),
			Kid: k.ID, Use: "sig", Alg: algorithm})
	}
	return json.Marshal(set)
}

// ParseJWKS reads the Ed25519 signing keys of a JWK set and passes over keys of other types, as RFC 7517 §5 asks.
func ParseJWKS(b []byte) ([]PublicKey, error) {
	if len(b) > maxJWKS {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are read", ErrKeySet, len(b), maxJWKS)
	}
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := json.Unmarshal(b, &set); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeySet, err)
	}
	if len(set.Keys) > maxJWKSKeys {
		return nil, fmt.Errorf("%w: %d keys, at most %d are read", ErrKeySet, len(set.Keys), maxJWKSKeys)
	}
	var keys []PublicKey
	seen := map[string]bool{}
	for _, k := range set.Keys {
		if k.Kty != "OKP" || k.Crv != "Ed25519" || (k.Use != "" && k.Use != "sig") || (k.Alg != "" && k.Alg != algorithm) {
			continue
		}
		public, err := base64.RawURLEncoding.Strict().DecodeString(k.X)
		switch {
		case err != nil || len(public) != ed25519.PublicKeySize:
			return nil, fmt.Errorf("%w: x of key %q is not %d bytes in base64url", ErrKeySet, k.Kid, ed25519.PublicKeySize)
		case k.Kid == "":
			return nil, fmt.Errorf("%w: an Ed25519 key has no kid", ErrKeySet)
		case seen[k.Kid]:
			return nil, fmt.Errorf("%w: two keys are named %q", ErrKeySet, k.Kid)
		}
		seen[k.Kid] = true
		keys = append(keys, PublicKey{ID: k.Kid, Key: public})
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: it has no Ed25519 signing key", ErrKeySet)
	}
	return keys, nil
}
