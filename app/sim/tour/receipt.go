package tour

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// decision is what an order's metafield says.
type decision struct {
	Outcome string `json:"outcome"`
	Reasons []struct {
		Code string `json:"code"`
	} `json:"reasons"`
	Policy  int64  `json:"policy_version"`
	Receipt string `json:"receipt"`
}

func readDecision(written string) (decision, error) {
	var d decision
	if err := json.Unmarshal([]byte(written), &d); err != nil {
		return d, fmt.Errorf("reading the decision %s: %w", clip(written), err)
	}
	return d, nil
}

// claims is what a receipt says, once its signature has been verified.
type claims struct {
	kind    string // its typ; "" for the compact receipt of a customer
	keyID   string
	Subject string `json:"sub"`
	Expires int64  `json:"exp"`
	IAL     *int   `json:"ial"`
	Source  string `json:"ial_source"`
	Order   int64  `json:"order"`
	Outcome string `json:"outcome"`
}

// receipt verifies a receipt with nothing but the published keys, as any other program can: the JWT is taken apart by hand.
func (t *tour) receipt(ctx context.Context, token string) (claims, error) {
	p, err := t.newBrowser().open(ctx, at(t.app, "/.well-known/jwks.json"))
	if err != nil {
		return claims{}, err
	}
	return verify(p.body, token, time.Now())
}

// verify checks a token's EdDSA signature against a JWK set and reads its claims.
func verify(jwks []byte, token string, now time.Time) (claims, error) {
	var c claims
	var set struct {
		Keys []struct{ Kty, Crv, Kid, X string }
	}
	if err := json.Unmarshal(jwks, &set); err != nil {
		return c, fmt.Errorf("reading the published keys: %w", err)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, differs("a receipt", "three parts", clip(token))
	}
	var header struct{ Alg, Kid, Typ string }
	if err := decode(parts[0], &header); err != nil {
		return c, fmt.Errorf("reading the header: %w", err)
	}
	if header.Alg != "EdDSA" {
		return c, differs("the receipt's algorithm", "EdDSA", header.Alg)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return c, fmt.Errorf("reading the signature: %w", err)
	}
	for _, k := range set.Keys {
		if k.Kid != header.Kid || k.Kty != "OKP" || k.Crv != "Ed25519" {
			continue
		}
		public, err := base64.RawURLEncoding.DecodeString(k.X)
		if err != nil || len(public) != ed25519.PublicKeySize {
			return c, fmt.Errorf("the published key %s is no Ed25519 key", k.Kid)
		}
		if !ed25519.Verify(public, []byte(parts[0]+"."+parts[1]), signature) {
			return c, errors.New("the receipt's signature does not verify")
		}
		c.kind, c.keyID = header.Typ, header.Kid
		if err := decode(parts[1], &c); err != nil {
			return c, fmt.Errorf("reading the claims: %w", err)
		}
		if c.Expires != 0 && now.Unix() >= c.Expires {
			return c, fmt.Errorf("the receipt expired at %d", c.Expires)
		}
		return c, nil
	}
	return c, differs("the published keys", "a key "+header.Kid, clip(string(jwks)))
}

func decode(part string, v any) error {
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}
