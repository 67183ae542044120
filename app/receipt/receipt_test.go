package receipt

import (
	"bytes"
	"crypto/ed25519"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

var (
	issued  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	expires = issued.AddDate(1, 0, 0)
)

// testKey is the key whose seed is n in every byte.
func testKey(t testing.TB, n byte) Key {
	t.Helper()
	key, err := KeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func testSigner(t testing.TB) Signer {
	return Signer{Key: testKey(t, 1), Issuer: "https://idgate.example"}
}

func testSet(t testing.TB, keys ...Key) []byte {
	t.Helper()
	var public []PublicKey
	for _, k := range keys {
		public = append(public, k.Public())
	}
	set, err := JWKS(public)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func decisionReceipt() DecisionReceipt {
	return DecisionReceipt{ID: "dec_1", Shop: "abc123", OrderID: 118, Outcome: "hold", PolicyVersion: 7,
		FactsDigest: bytes.Repeat([]byte{9}, 32), Reasons: []string{"step_up_value", "no_proof"}, MadeBy: "rule step-up"}
}

func proofReceipt() ProofReceipt {
	return ProofReceipt{ID: "prf_1", Shop: "abc123", CustomerID: 42, IAL: 2, IALSource: "policy", LiveID: true, ExpiresAt: expires}
}

func customerReceipt() CustomerReceipt {
	return CustomerReceipt{Shop: "abc123", CustomerID: 42, IAL: 2, ExpiresAt: expires}
}

// must(s.SignProof(…))(t) is the receipt.
func must(token string, err error) func(testing.TB) string {
	return func(t testing.TB) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
}

func TestRoundTrip(t *testing.T) {
	s := testSigner(t)
	retired := testKey(t, 2)
	set := testSet(t, s.Key, retired)
	cart := decisionReceipt()
	cart.OrderID, cart.CartID, cart.Reasons = 0, "0f8fad5b-d9cb-469f-a165-70867728950e", nil
	guest := proofReceipt()
	guest.CustomerID, guest.IAL, guest.LiveID = 0, 0, false
	decision, proof, customer := decisionReceipt(), proofReceipt(), customerReceipt()
	old := Signer{Key: retired, Issuer: s.Issuer}

	for _, tt := range []struct {
		name string
		sign func() (string, error)
		want Claims
	}{
		{"decision on an order", func() (string, error) { return s.SignDecision(decision, issued) },
			Claims{Kind: KindDecision, KeyID: s.Key.ID, Issuer: s.Issuer, IssuedAt: issued, Decision: &decision}},
		{"decision on a cart", func() (string, error) { return s.SignDecision(cart, issued) },
			Claims{Kind: KindDecision, KeyID: s.Key.ID, Issuer: s.Issuer, IssuedAt: issued, Decision: &cart}},
		{"proof of a customer", func() (string, error) { return s.SignProof(proof, issued) },
			Claims{Kind: KindProof, KeyID: s.Key.ID, Issuer: s.Issuer, IssuedAt: issued, ExpiresAt: expires, Proof: &proof}},
		{"proof of a guest, IAL 0", func() (string, error) { return s.SignProof(guest, issued) },
			Claims{Kind: KindProof, KeyID: s.Key.ID, Issuer: s.Issuer, IssuedAt: issued, ExpiresAt: expires, Proof: &guest}},
		{"customer", func() (string, error) { return s.SignCustomer(customer, issued) },
			Claims{Kind: KindCustomer, KeyID: s.Key.ID, IssuedAt: issued, ExpiresAt: expires, Customer: &customer}},
		{"customer, by a retired key", func() (string, error) { return old.SignCustomer(customer, issued) },
			Claims{Kind: KindCustomer, KeyID: retired.ID, IssuedAt: issued, ExpiresAt: expires, Customer: &customer}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			token, err := tt.sign()
			again, _ := tt.sign()
			if err != nil || token != again {
				t.Fatalf("signing twice: %v\n%s\n%s", err, token, again)
			}
			got, err := Verify(set, token, issued.Add(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// TestCustomerReceiptFits holds the promise of the attribute's 255 characters at the longest ids that can be.
func TestCustomerReceiptFits(t *testing.T) {
	s := testSigner(t)
	for _, tt := range []struct {
		shop     string
		customer int64
		expires  time.Time
		want     int
	}{
		{"abc123", 42, expires, 208},
		{"abcdefghijklmnop", math.MaxInt64, expires, 244},
		{"abcdefghijklmnop", math.MaxInt64, time.Unix(99_999_999_999, 0).UTC(), 245}, // an exp of eleven digits
	} {
		r := CustomerReceipt{Shop: tt.shop, CustomerID: tt.customer, IAL: 3, ExpiresAt: tt.expires}
		token := must(s.SignCustomer(r, issued))(t)
		if len(token) != tt.want || len(token) > 255 {
			t.Errorf("%s/%d: %d characters, want %d, at most 255", tt.shop, tt.customer, len(token), tt.want)
		}
		c, err := Verify(testSet(t, s.Key), token, issued)
		if err != nil || *c.Customer != r {
			t.Errorf("%s/%d: %+v, %v", tt.shop, tt.customer, c.Customer, err)
		}
	}
}

func TestRefusedToSign(t *testing.T) {
	s := testSigner(t)
	decision := func(change func(*DecisionReceipt)) func() (string, error) {
		r := decisionReceipt()
		change(&r)
		return func() (string, error) { return s.SignDecision(r, issued) }
	}
	proof := func(change func(*ProofReceipt)) func() (string, error) {
		r := proofReceipt()
		change(&r)
		return func() (string, error) { return s.SignProof(r, issued) }
	}
	customer := func(change func(*CustomerReceipt)) func() (string, error) {
		r := customerReceipt()
		change(&r)
		return func() (string, error) { return s.SignCustomer(r, issued) }
	}
	for _, tt := range []struct {
		name, says string
		sign       func() (string, error)
	}{
		{"no decision id", "no decision id", decision(func(r *DecisionReceipt) { r.ID = "" })},
		{"no shop", "not a store hash", decision(func(r *DecisionReceipt) { r.Shop = "" })},
		{"shop with a slash", "not a store hash", decision(func(r *DecisionReceipt) { r.Shop = "abc/42" })},
		{"order and cart", "one order or one cart", decision(func(r *DecisionReceipt) { r.CartID = "c" })},
		{"neither", "one order or one cart", decision(func(r *DecisionReceipt) { r.OrderID = 0 })},
		{"negative order", "negative", decision(func(r *DecisionReceipt) { r.OrderID = -1 })},
		{"unknown outcome", "none of allow", decision(func(r *DecisionReceipt) { r.Outcome = "maybe" })},
		{"no policy", "count from 1", decision(func(r *DecisionReceipt) { r.PolicyVersion = 0 })},
		{"no digest", "no facts digest", decision(func(r *DecisionReceipt) { r.FactsDigest = nil })},
		{"nobody", "nobody made it", decision(func(r *DecisionReceipt) { r.MadeBy = "" })},
		{"too long", "at most 8192", decision(func(r *DecisionReceipt) { r.Reasons = []string{strings.Repeat("x", MaxToken)} })},
		{"no proof id", "no proof id", proof(func(r *ProofReceipt) { r.ID = "" })},
		{"negative customer", "names neither", proof(func(r *ProofReceipt) { r.CustomerID = -1 })},
		{"no source", "no IAL source", proof(func(r *ProofReceipt) { r.IALSource = "" })},
		{"IAL 4", "from 0 to 3", proof(func(r *ProofReceipt) { r.IAL = 4 })},
		{"IAL -1", "from 0 to 3", proof(func(r *ProofReceipt) { r.IAL = -1 })},
		{"expired when issued", "expires before", proof(func(r *ProofReceipt) { r.ExpiresAt = issued })},
		{"no expiry", "expires before", proof(func(r *ProofReceipt) { r.ExpiresAt = time.Time{} })},
		{"no customer", "not shop/customer", customer(func(r *CustomerReceipt) { r.CustomerID = 0 })},
		{"store hash of 17", "not shop/customer", customer(func(r *CustomerReceipt) { r.Shop = "abcdefghijklmnopq" })},
		{"customer IAL 4", "from 0 to 3", customer(func(r *CustomerReceipt) { r.IAL = 4 })},
		{"no issuer", "public URL", func() (string, error) {
			return Signer{Key: s.Key}.SignProof(proofReceipt(), issued)
		}},
		{"no key", "NewKey", func() (string, error) {
			return Signer{Issuer: s.Issuer}.SignCustomer(customerReceipt(), issued)
		}},
		{"kid too long for the attribute", "at most 255", func() (string, error) {
			key := Key{ID: strings.Repeat("k", 60), Private: s.Key.Private}
			return Signer{Key: key}.SignCustomer(customerReceipt(), issued)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			token, err := tt.sign()
			if token != "" || err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("token %q, error %v; want an error saying %q", token, err, tt.says)
			}
		})
	}
}
