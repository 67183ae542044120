package receipt

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// skew is how far ahead of the reader's clock a receipt may be issued.
const skew = time.Minute

// What can be wrong with a receipt. Each error of [Verify] wraps one of these; each text names the remedy.
var (
	ErrMalformed  = errors.New("not a receipt: copy the whole value, three parts with two dots between them")
	ErrAlgorithm  = errors.New("not signed with EdDSA, the only algorithm accepted: do not trust it")
	ErrUnknownKey = errors.New("signed with a key that the key set does not hold: fetch /.well-known/jwks.json of its issuer again")
	ErrSignature  = errors.New("the signature does not verify: the receipt was altered or is not ours; do not trust it")
	ErrKind       = errors.New("not a receipt of a kind known here: do not trust it, or use a newer idgate")
	ErrExpired    = errors.New("the receipt has expired: the person must verify again")
	ErrFuture     = errors.New("the receipt was issued in the future: set this machine's clock")
	ErrKeySet     = errors.New("the key set is not usable: pass the body of /.well-known/jwks.json")
	ErrCopied     = errors.New("the receipt names somebody else: it was copied, do not trust it")
)

// Claims is what a verified receipt says. Exactly one of Decision, Proof and Customer is set, as Kind tells.
type Claims struct {
	Kind      Kind
	KeyID     string
	Issuer    string    // "" for a customer receipt
	IssuedAt  time.Time // UTC, whole seconds
	ExpiresAt time.Time // zero for a Decision: it is history and does not expire

	Decision *DecisionReceipt
	Proof    *ProofReceipt
	Customer *CustomerReceipt
}

// Names errs with [ErrCopied] unless c is about this customer of this Shop. Whoever reads a receipt off a customer's record
// must ask, because a record's values can be copied.
func (c Claims) Names(shop string, customerID int64) error {
	var gotShop string
	var gotCustomer int64
	switch c.Kind {
	case KindProof:
		gotShop, gotCustomer = c.Proof.Shop, c.Proof.CustomerID
	case KindCustomer:
		gotShop, gotCustomer = c.Customer.Shop, c.Customer.CustomerID
	case KindDecision:
		return fmt.Errorf("%w (a decision names no customer)", ErrKind)
	default:
		return ErrKind
	}
	if gotShop != shop || gotCustomer != customerID || customerID <= 0 {
		return fmt.Errorf("%w (it names customer %d of shop %s)", ErrCopied, gotCustomer, gotShop)
	}
	return nil
}

// Verify checks token against the key set jwks at time now, without any network, and returns what it says. The claims are
// zero when it errs.
func Verify(jwks []byte, token string, now time.Time) (Claims, error) {
	keys, err := ParseJWKS(jwks)
	if err != nil {
		return Claims{}, fmt.Errorf("verifying receipt: %w", err)
	}
	return VerifyWith(keys, token, now)
}

// VerifyWith is [Verify] with keys that were read before.
func VerifyWith(keys []PublicKey, token string, now time.Time) (Claims, error) {
	c, err := verify(keys, token, now)
	if err != nil {
		return Claims{}, fmt.Errorf("verifying receipt: %w", err)
	}
	return c, nil
}

func verify(keys []PublicKey, token string, now time.Time) (Claims, error) {
	kind, key, err := readHeader(keys, token)
	if err != nil {
		return Claims{}, err
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{algorithm}), jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return now }))
	var w wire
	if _, err := parser.ParseWithClaims(token, &w, func(*jwt.Token) (any, error) { return key.Key, nil }); err != nil {
		switch {
		case errors.Is(err, jwt.ErrTokenSignatureInvalid):
			return Claims{}, ErrSignature
		case errors.Is(err, jwt.ErrTokenExpired):
			return Claims{}, fmt.Errorf("%w (on %s)", ErrExpired, w.ExpiresAt.UTC().Format(time.RFC3339))
		default:
			return Claims{}, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	return w.claims(kind, key.ID, now)
}

// readHeader takes the kind and the key from the header, before the payload is looked at. It knows alg, kid and typ only:
// a header that brings its own key (jwk, jku, x5u) or extensions (crit) is refused for having them.
func readHeader(keys []PublicKey, token string) (Kind, PublicKey, error) {
	var none PublicKey
	if len(token) > MaxToken {
		return "", none, fmt.Errorf("%w: %d bytes, at most %d are read", ErrMalformed, len(token), MaxToken)
	}
	first, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(first)
	if err != nil {
		return "", none, fmt.Errorf("%w: its header is not base64url", ErrMalformed)
	}
	var header struct {
		Alg string  `json:"alg"`
		Kid string  `json:"kid"`
		Typ *string `json:"typ"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&header); err != nil {
		return "", none, fmt.Errorf("%w: its header: %w", ErrMalformed, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return "", none, fmt.Errorf("%w: its header goes on after its end", ErrMalformed)
	}
	if header.Alg != algorithm {
		return "", none, fmt.Errorf("%w (alg is %.16q)", ErrAlgorithm, header.Alg)
	}
	kind := KindCustomer
	if header.Typ != nil {
		switch *header.Typ {
		case KindDecision.typ():
			kind = KindDecision
		case KindProof.typ():
			kind = KindProof
		default:
			return "", none, fmt.Errorf("%w (typ is %.32q)", ErrKind, *header.Typ)
		}
	}
	if header.Kid == "" {
		return "", none, fmt.Errorf("%w: its header has no kid", ErrMalformed)
	}
	for _, key := range keys {
		if key.ID == header.Kid {
			return kind, key, nil
		}
	}
	return "", none, fmt.Errorf("%w (kid is %.16q)", ErrUnknownKey, header.Kid)
}

// claims turns a payload whose signature has verified into Claims. What it refuses here was signed with our key and is
// nevertheless no receipt: another use of the key, or a version of ours that this one does not know.
func (w *wire) claims(kind Kind, keyID string, now time.Time) (Claims, error) {
	c := Claims{Kind: kind, KeyID: keyID, Issuer: w.Issuer}
	shop, customer, _ := strings.Cut(w.Subject, "/")
	customerID, _ := strconv.ParseInt(customer, 10, 64) // checked below
	var err error
	switch kind {
	case KindDecision:
		if err = w.checkDecision(); err != nil {
			break
		}
		var digest []byte
		digest, err = base64.RawURLEncoding.Strict().DecodeString(w.Facts)
		c.Decision = &DecisionReceipt{ID: w.ID, Shop: shop, OrderID: w.Order, CartID: w.Cart, Outcome: w.Outcome,
			PolicyVersion: w.Policy, FactsDigest: digest, Reasons: w.Reasons, MadeBy: w.By}
	case KindProof:
		if err = w.checkProof(); err != nil {
			break
		}
		c.ExpiresAt = w.ExpiresAt.UTC()
		c.Proof = &ProofReceipt{ID: w.ID, Shop: shop, CustomerID: customerID, IAL: *w.IAL, IALSource: w.Source,
			LiveID: *w.LiveID, ExpiresAt: c.ExpiresAt}
	case KindCustomer:
		if err = w.checkCustomer(); err != nil {
			break
		}
		c.ExpiresAt = w.ExpiresAt.UTC()
		c.Customer = &CustomerReceipt{Shop: shop, CustomerID: customerID, IAL: *w.IAL, ExpiresAt: c.ExpiresAt}
	}
	if err != nil {
		return Claims{}, fmt.Errorf("%w (%s: %w)", ErrKind, kind, err)
	}
	c.IssuedAt = w.IssuedAt.UTC()
	if c.IssuedAt.After(now.Add(skew)) {
		return Claims{}, fmt.Errorf("%w (issued %s)", ErrFuture, c.IssuedAt.Format(time.RFC3339))
	}
	return c, nil
}
