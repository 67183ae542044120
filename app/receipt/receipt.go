// Package receipt signs Decisions and Proofs as JWTs that anybody can verify offline with our published keys.
//
// A Receipt informs others; no door of idgate accepts one as Proof. There are three kinds:
//
//   - a Decision receipt (typ "decision+jwt"): what was answered for one cart or order, on which policy and facts, and why;
//   - a Proof receipt (typ "proof+jwt"): the IAL a person reached, where the IAL comes from, and until when it holds;
//   - a customer receipt (no typ): the same in so few bytes that it fits BigCommerce's customer attribute
//     blockid_vc_token, whose value holds 255 characters.
//
// The kind stands in the signed header, never in the payload alone, so that a receipt of one kind cannot be passed off as
// another. Signing is pure: the clock is passed in, Ed25519 needs no randomness, and the same receipt signed twice is the
// same string; so a repeated write of it changes nothing.
package receipt

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// MaxToken is the greatest length of a receipt in bytes, signed or verified. A customer metafield would hold 65,535.
	MaxToken = 8 << 10
	// MaxCustomerToken is the greatest length of a customer receipt: what a BigCommerce customer attribute value holds
	// (maxLength 255 in customers.v3.yml).
	MaxCustomerToken = 255
	// MaxIAL is the highest identity assurance level of NIST SP 800-63A.
	MaxIAL = 3
)

// A Kind says what a receipt is about.
type Kind string

const (
	KindDecision Kind = "decision"
	KindProof    Kind = "proof"
	KindCustomer Kind = "customer"
)

// typ is the JOSE header that names the kind. The customer receipt has none: the 20 characters are not to be had.
func (k Kind) typ() string {
	switch k {
	case KindDecision:
		return "decision+jwt"
	case KindProof:
		return "proof+jwt"
	case KindCustomer:
		return ""
	}
	return ""
}

// outcomes are the answers a Decision can give.
var outcomes = []string{"allow", "verify", "review", "hold", "refuse"}

// A DecisionReceipt is the answer given for one cart or one order.
type DecisionReceipt struct {
	ID            string   // the Decision's id; jti
	Shop          string   // store hash; sub
	OrderID       int64    // BigCommerce's order id, or 0 for a cart
	CartID        string   // the cart's UUID, or "" for an order
	Outcome       string   // allow, verify, review, hold or refuse
	PolicyVersion int64    // the version it was decided under, from 1
	FactsDigest   []byte   // SHA-256 of the facts it was decided on; a changed order has another
	Reasons       []string // codes, in the order the policy was read
	MadeBy        string   // the rule, the person or the failure choice that made it
}

// A ProofReceipt is what a passed Session established about a person.
type ProofReceipt struct {
	ID         string    // the Proof's id; jti
	Shop       string    // store hash; first part of sub
	CustomerID int64     // second part of sub; 0 for a guest, whose sub is the Shop alone
	IAL        int       // 0 to 3
	IALSource  string    // oidc, ial_endpoint, ial2_workflow or policy
	LiveID     bool      // a live selfie was captured in the passed Session
	ExpiresAt  time.Time // from then on the Proof counts no more; whole seconds
}

// A CustomerReceipt is the compact form of a Proof for the customer attribute. Its sub names the Shop and the customer:
// staff and apps can copy an attribute's value to another customer, and [Claims.Names] then tells.
type CustomerReceipt struct {
	Shop       string
	CustomerID int64
	IAL        int       // 0 to 3
	ExpiresAt  time.Time // whole seconds
}

// A Signer signs with one key under one issuer. The zero Signer signs nothing.
type Signer struct {
	Key    Key
	Issuer string // our public URL; iss of the full receipts
}

// wire is the payload of all three kinds; a kind's absent claims are left out.
type wire struct {
	jwt.RegisteredClaims
	IAL     *int     `json:"ial,omitempty"`
	Source  string   `json:"ial_source,omitempty"`
	LiveID  *bool    `json:"liveid,omitempty"`
	Order   int64    `json:"order,omitempty"`
	Cart    string   `json:"cart,omitempty"`
	Outcome string   `json:"outcome,omitempty"`
	Policy  int64    `json:"policy,omitempty"`
	Facts   string   `json:"facts,omitempty"` // base64url without padding
	Reasons []string `json:"reasons,omitempty"`
	By      string   `json:"by,omitempty"`
}

// SignDecision signs r as issued at now. It errs when r lacks what a reader needs, or would be longer than [MaxToken].
func (s Signer) SignDecision(r DecisionReceipt, now time.Time) (string, error) {
	w, err := s.full(r.ID, now)
	if err != nil {
		return "", fmt.Errorf("signing decision receipt: %w", err)
	}
	w.Subject = r.Shop
	w.Order, w.Cart, w.Outcome, w.Policy = r.OrderID, r.CartID, r.Outcome, r.PolicyVersion
	w.Facts = base64.RawURLEncoding.EncodeToString(r.FactsDigest)
	w.Reasons, w.By = r.Reasons, r.MadeBy
	if err := w.checkDecision(); err != nil {
		return "", fmt.Errorf("signing decision receipt %s: %w", r.ID, err)
	}
	return s.sign(KindDecision, w)
}

// SignProof signs r as issued at now.
func (s Signer) SignProof(r ProofReceipt, now time.Time) (string, error) {
	w, err := s.full(r.ID, now)
	if err != nil {
		return "", fmt.Errorf("signing proof receipt: %w", err)
	}
	w.Subject = r.Shop
	if r.CustomerID != 0 {
		w.Subject = customerSubject(r.Shop, r.CustomerID)
	}
	w.IAL, w.Source, w.LiveID, w.ExpiresAt = &r.IAL, r.IALSource, &r.LiveID, jwt.NewNumericDate(r.ExpiresAt)
	if err := w.checkProof(); err != nil {
		return "", fmt.Errorf("signing proof receipt %s: %w", r.ID, err)
	}
	return s.sign(KindProof, w)
}

// SignCustomer signs r as issued at now, in at most [MaxCustomerToken] characters.
func (s Signer) SignCustomer(r CustomerReceipt, now time.Time) (string, error) {
	w := wire{IAL: &r.IAL}
	w.Subject = customerSubject(r.Shop, r.CustomerID)
	w.IssuedAt, w.ExpiresAt = jwt.NewNumericDate(now), jwt.NewNumericDate(r.ExpiresAt)
	if err := w.checkCustomer(); err != nil {
		return "", fmt.Errorf("signing customer receipt: %w", err)
	}
	return s.sign(KindCustomer, w)
}

func (s Signer) full(id string, now time.Time) (wire, error) {
	var w wire
	if s.Issuer == "" {
		return w, errors.New("no issuer: set it to the app's public URL")
	}
	w.Issuer, w.ID, w.IssuedAt = s.Issuer, id, jwt.NewNumericDate(now)
	return w, nil
}

func (s Signer) sign(kind Kind, w wire) (string, error) {
	if err := s.Key.check(); err != nil {
		return "", fmt.Errorf("signing %s receipt: %w", kind, err)
	}
	t := &jwt.Token{Method: jwt.SigningMethodEdDSA, Claims: w, Header: map[string]any{"alg": algorithm, "kid": s.Key.ID}}
	if typ := kind.typ(); typ != "" {
		t.Header["typ"] = typ
	}
	token, err := t.SignedString(s.Key.Private)
	if err != nil {
		return "", fmt.Errorf("signing %s receipt: %w", kind, err)
	}
	limit := MaxToken
	if kind == KindCustomer {
		limit = MaxCustomerToken
	}
	if len(token) > limit {
		return "", fmt.Errorf("signing %s receipt: %d characters, at most %d fit where it is written", kind, len(token), limit)
	}
	return token, nil
}

func (w *wire) checkDecision() error {
	switch {
	case w.ID == "":
		return errors.New("no decision id")
	case !isShop(w.Subject):
		return fmt.Errorf("shop %q is not a store hash", w.Subject)
	case (w.Order != 0) == (w.Cart != ""):
		return errors.New("a decision is about one order or one cart")
	case w.Order < 0:
		return fmt.Errorf("order id %d is negative", w.Order)
	case !slices.Contains(outcomes, w.Outcome):
		return fmt.Errorf("outcome %q is none of %s", w.Outcome, strings.Join(outcomes, ", "))
	case w.Policy < 1:
		return fmt.Errorf("policy version %d: versions count from 1", w.Policy)
	case w.Facts == "":
		return errors.New("no facts digest")
	case w.By == "":
		return errors.New("nobody made it")
	case w.IAL != nil || w.LiveID != nil || w.Source != "" || w.ExpiresAt != nil:
		return errors.New("claims of a proof in a decision")
	}
	return w.checkIssued(true)
}

func (w *wire) checkProof() error {
	shop, customer, has := strings.Cut(w.Subject, "/")
	switch {
	case w.ID == "":
		return errors.New("no proof id")
	case !isShop(shop), has && !isCustomer(customer):
		return fmt.Errorf("subject %q names neither a shop nor one of its customers", w.Subject)
	case w.Source == "":
		return errors.New("no IAL source")
	case w.LiveID == nil:
		return errors.New("no LiveID claim")
	case w.hasDecision():
		return errors.New("claims of a decision in a proof")
	}
	if err := w.checkIssued(true); err != nil {
		return err
	}
	return w.checkIAL()
}

func (w *wire) checkCustomer() error {
	shop, customer, _ := strings.Cut(w.Subject, "/")
	switch {
	case !isShop(shop), !isCustomer(customer):
		return fmt.Errorf("subject %q is not shop/customer", w.Subject)
	case w.ID != "" || w.Source != "" || w.LiveID != nil || w.hasDecision():
		return errors.New("claims that a customer receipt does not have")
	}
	if err := w.checkIssued(false); err != nil {
		return err
	}
	return w.checkIAL()
}

func (w *wire) checkIssued(full bool) error {
	switch {
	case w.IssuedAt == nil:
		return errors.New("no time of issue")
	case full && w.Issuer == "", !full && w.Issuer != "":
		return fmt.Errorf("issuer %q: a full receipt has one, a customer receipt none", w.Issuer)
	case len(w.Audience) > 0 || w.NotBefore != nil:
		return errors.New("aud and nbf are not ours")
	}
	return nil
}

// checkIAL comes after checkIssued, which makes sure of IssuedAt.
func (w *wire) checkIAL() error {
	switch {
	case w.IAL == nil || *w.IAL < 0 || *w.IAL > MaxIAL:
		return fmt.Errorf("an IAL is a whole number from 0 to %d", MaxIAL)
	case w.ExpiresAt == nil || !w.ExpiresAt.After(w.IssuedAt.Time):
		return errors.New("it expires before it is issued")
	}
	return nil
}

func (w *wire) hasDecision() bool {
	return w.Order != 0 || w.Cart != "" || w.Outcome != "" || w.Policy != 0 || w.Facts != "" || len(w.Reasons) > 0 || w.By != ""
}

func customerSubject(shop string, customerID int64) string {
	return shop + "/" + strconv.FormatInt(customerID, 10)
}

// isShop reports whether s can be a store hash: letters and digits, at most 16 (those seen have 10). What is longer would
// not fit the customer attribute.
func isShop(s string) bool {
	if len(s) == 0 || len(s) > 16 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// isCustomer reports whether s is a customer id as FormatInt writes it, so that one customer has one sub.
func isCustomer(s string) bool {
	id, err := strconv.ParseInt(s, 10, 64)
	return err == nil && id > 0 && strconv.FormatInt(id, 10) == s
}
