package receipt

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
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

// forge signs any header and payload with any method and key: what an attacker, or another program of ours, may write.
func forge(t testing.TB, method jwt.SigningMethod, key any, header map[string]any, payload string) string {
	t.Helper()
	h, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString(h) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	sig, err := method.Sign(text, key)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func TestAttacks(t *testing.T) {
	s, stranger := testSigner(t), testKey(t, 66)
	set := testSet(t, s.Key)
	now := issued.Add(time.Hour)
	public := []byte(s.Key.Public().Key)
	good := must(s.SignCustomer(customerReceipt(), issued))(t)
	proof := must(s.SignProof(proofReceipt(), issued))(t)
	decision := must(s.SignDecision(decisionReceipt(), issued))(t)
	compact := `{"sub":"abc123/42","exp":1803902400,"iat":1772366400,"ial":3}`
	kid := s.Key.ID
	part := func(token string, i int) string { return strings.Split(token, ".")[i] }
	join := func(parts ...string) string { return strings.Join(parts, ".") }
	b64 := base64.RawURLEncoding.EncodeToString
	signed := func(header map[string]any, payload string) string {
		return forge(t, jwt.SigningMethodEdDSA, s.Key.Private, header, payload)
	}
	h := func(kv ...string) map[string]any {
		m := map[string]any{"alg": "EdDSA", "kid": kid}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i]] = kv[i+1]
		}
		return m
	}
	last := good[:len(good)-1] + string(good[len(good)-1]+1) // A to B: the same 64 bytes to a lenient decoder

	for _, tt := range []struct {
		name, token string
		now         time.Time
		want        error
	}{
		{"alg none", forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, h("alg", "none"), compact), now, ErrAlgorithm},
		{"alg none, signature kept", join(b64([]byte(`{"alg":"none","kid":"`+kid+`"}`)), part(good, 1), part(good, 2)), now, ErrAlgorithm},
		{"alg NoNe", join(b64([]byte(`{"alg":"NoNe","kid":"`+kid+`"}`)), part(good, 1), ""), now, ErrAlgorithm},
		{"HS256 with the public key as the secret", forge(t, jwt.SigningMethodHS256, public, h("alg", "HS256"), compact), now, ErrAlgorithm},
		{"HS256 with the JWKS as the secret", forge(t, jwt.SigningMethodHS256, set, h("alg", "HS256"), compact), now, ErrAlgorithm},
		{"no alg", join(b64([]byte(`{"kid":"`+kid+`"}`)), part(good, 1), part(good, 2)), now, ErrAlgorithm},
		{"alg twice", join(b64([]byte(`{"alg":"none","kid":"`+kid+`","alg":"EdDSA"}`)), part(good, 1), part(good, 2)), now, ErrSignature},
		{"a stranger's key under our kid", forge(t, jwt.SigningMethodEdDSA, stranger.Private, h(), compact), now, ErrSignature},
		{"a stranger's key and kid", forge(t, jwt.SigningMethodEdDSA, stranger.Private, h("kid", stranger.ID), compact), now, ErrUnknownKey},
		{"the key brought along", forge(t, jwt.SigningMethodEdDSA, stranger.Private, h("jwk", "x"), compact), now, ErrMalformed},
		{"crit", signed(h("crit", "x"), compact), now, ErrMalformed},
		{"no kid", signed(h("kid", ""), compact), now, ErrMalformed},
		{"kid of the wrong case", signed(h("kid", swapCase(kid)), compact), now, ErrUnknownKey},
		{"payload altered", join(part(good, 0), b64([]byte(compact)), part(good, 2)), now, ErrSignature},
		{"header altered", join(b64([]byte(`{"alg":"EdDSA","kid":"`+kid+`" }`)), part(good, 1), part(good, 2)), now, ErrSignature},
		{"signature altered", flip(good), now, ErrSignature},
		{"signature's spare bits altered", last, now, ErrMalformed},
		{"signature of another receipt", join(part(good, 0), part(good, 1), part(proof, 2)), now, ErrSignature},
		{"signature gone", join(part(good, 0), part(good, 1), ""), now, ErrSignature},
		{"proof under a customer receipt's header", join(part(good, 0), part(proof, 1), part(proof, 2)), now, ErrSignature},
		{"customer receipt under a proof's header", join(part(proof, 0), part(good, 1), part(good, 2)), now, ErrSignature},
		{"decision under a proof's header", join(part(proof, 0), part(decision, 1), part(decision, 2)), now, ErrSignature},
		{"decision's claims signed as a proof", signed(h("typ", "proof+jwt"), payloadOf(t, decision)), now, ErrKind},
		{"proof's claims signed as a decision", signed(h("typ", "decision+jwt"), payloadOf(t, proof)), now, ErrKind},
		{"proof's claims signed as a customer receipt", signed(h(), payloadOf(t, proof)), now, ErrKind},
		{"customer's claims signed as a proof", signed(h("typ", "proof+jwt"), compact), now, ErrKind},
		{"our key used for another typ", signed(h("typ", "JWT"), compact), now, ErrKind},
		{"empty typ", signed(h("typ", ""), compact), now, ErrKind},
		{"no claims", signed(h(), `{}`), now, ErrKind},
		{"no iat", signed(h(), `{"sub":"abc123/42","exp":1803902400,"ial":3}`), now, ErrKind},
		{"no exp", signed(h(), `{"sub":"abc123/42","iat":1772366400,"ial":3}`), now, ErrKind},
		{"IAL as text", signed(h(), `{"sub":"abc123/42","exp":1803902400,"iat":1772366400,"ial":"3"}`), now, ErrMalformed},
		{"IAL 9", signed(h(), `{"sub":"abc123/42","exp":1803902400,"iat":1772366400,"ial":9}`), now, ErrKind},
		{"sub with a leading zero", signed(h(), `{"sub":"abc123/042","exp":1803902400,"iat":1772366400,"ial":3}`), now, ErrKind},
		{"sub of three parts", signed(h(), `{"sub":"abc123/4/2","exp":1803902400,"iat":1772366400,"ial":3}`), now, ErrKind},
		{"an audience", signed(h(), `{"sub":"abc123/42","aud":"x","exp":1803902400,"iat":1772366400,"ial":3}`), now, ErrKind},
		{"expired to the second", good, expires, ErrExpired},
		{"proof expired", proof, expires.Add(time.Hour), ErrExpired},
		{"from the future", good, issued.Add(-2 * time.Minute), ErrFuture},
		{"empty", "", now, ErrMalformed},
		{"two parts", join(part(good, 0), part(good, 1)), now, ErrMalformed},
		{"four parts", good + ".x", now, ErrMalformed},
		{"padded", good + "=", now, ErrMalformed},
		{"a space before", " " + good, now, ErrMalformed},
		{"header not JSON", join(b64([]byte(`alg`)), part(good, 1), part(good, 2)), now, ErrMalformed},
		{"header with more behind it", join(b64([]byte(`{"alg":"EdDSA","kid":"`+kid+`"}{}`)), part(good, 1), part(good, 2)), now, ErrMalformed},
		{"too long", good + strings.Repeat("A", MaxToken), now, ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Verify(set, tt.token, tt.now)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if !reflect.DeepEqual(c, Claims{}) {
				t.Errorf("claims of a refused receipt: %+v", c)
			}
		})
	}
	for _, at := range []time.Time{issued.Add(-time.Minute), expires.Add(-time.Second)} {
		if _, err := Verify(set, good, at); err != nil {
			t.Errorf("the untouched receipt at %s: %v", at, err)
		}
	}
	if _, err := Verify(set, decision, expires.AddDate(50, 0, 0)); err != nil {
		t.Errorf("a decision does not expire: %v", err)
	}
}

func payloadOf(t testing.TB, token string) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// flip changes one character in the middle of the signature.
func flip(token string) string {
	b := []byte(token)
	i := len(b) - 40
	if b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}

func swapCase(s string) string {
	if up := strings.ToUpper(s); up != s {
		return up
	}
	return strings.ToLower(s)
}

// TestCopiedToAnother: an attribute's value copied to another customer, or to the same number in another shop, still
// verifies as a signature; it is its sub that tells.
func TestCopiedToAnother(t *testing.T) {
	s := testSigner(t)
	set := testSet(t, s.Key)
	guest := proofReceipt()
	guest.CustomerID = 0
	for _, tt := range []struct {
		name, token string
		shop        string
		customer    int64
		want        error
	}{
		{"own", must(s.SignCustomer(customerReceipt(), issued))(t), "abc123", 42, nil},
		{"another customer", must(s.SignCustomer(customerReceipt(), issued))(t), "abc123", 43, ErrCopied},
		{"another shop", must(s.SignCustomer(customerReceipt(), issued))(t), "abc124", 42, ErrCopied},
		{"full, own", must(s.SignProof(proofReceipt(), issued))(t), "abc123", 42, nil},
		{"full, another customer", must(s.SignProof(proofReceipt(), issued))(t), "abc123", 43, ErrCopied},
		{"a guest's, at no customer", must(s.SignProof(guest, issued))(t), "abc123", 0, ErrCopied},
		{"a decision", must(s.SignDecision(decisionReceipt(), issued))(t), "abc123", 42, ErrKind},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Verify(set, tt.token, issued)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Names(tt.shop, tt.customer); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	if err := (Claims{}).Names("abc123", 42); !errors.Is(err, ErrKind) {
		t.Errorf("no claims: %v", err)
	}
}

// TestRFC8037 is Appendix A of RFC 8037: key, public JWK, thumbprint and signature.
func TestRFC8037(t *testing.T) {
	const (
		d          = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
		x          = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
		thumb      = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
		signing    = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
		wantSigned = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
	)
	seed, err := base64.RawURLEncoding.DecodeString(d)
	if err != nil {
		t.Fatal(err)
	}
	key, err := KeyFromSeed(seed)
	if err != nil {
		t.Fatal(err)
	}
	if got := thumbprint(key.Public().Key); got != thumb || key.ID != thumb[:keyIDLength] {
		t.Errorf("thumbprint %s, id %s; want %s", got, key.ID, thumb)
	}
	sig, err := jwt.SigningMethodEdDSA.Sign(signing, key.Private)
	if err != nil || base64.RawURLEncoding.EncodeToString(sig) != wantSigned {
		t.Errorf("signature %s, %v", base64.RawURLEncoding.EncodeToString(sig), err)
	}
	want := `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"` + x + `","kid":"kPrK","use":"sig","alg":"EdDSA"}]}`
	if got := string(testSet(t, key)); got != want {
		t.Errorf("JWKS %s\nwant %s", got, want)
	}
	// The RFC's own public JWK has neither kid, use nor alg; with a kid it is a key set of ours.
	if keys, err := ParseJWKS([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"` + x + `","kid":"kPrK"}]}`)); err != nil ||
		len(keys) != 1 || !bytes.Equal(keys[0].Key, key.Public().Key) {
		t.Errorf("reading it: %v, %v", keys, err)
	}
}

func TestKeys(t *testing.T) {
	first := bytes.Repeat([]byte{1}, 32)
	taken := testKey(t, 1).Public()
	key, err := NewKey(bytes.NewReader(append(first, bytes.Repeat([]byte{2}, 32)...)), taken)
	if err != nil || key.ID != testKey(t, 2).ID {
		t.Errorf("a taken id: %v, %v", key, err)
	}
	if _, err := NewKey(bytes.NewReader(first[:31])); err == nil {
		t.Error("a key of 31 random bytes")
	}
	if _, err := KeyFromSeed(first[:31]); err == nil {
		t.Error("a key from 31 bytes")
	}
	again, err := KeyFromSeed(key.Seed())
	if err != nil || !again.Private.Equal(key.Private) || again.ID != key.ID {
		t.Errorf("from its seed: %v, %v", again, err)
	}

	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", key)
	secrets := []string{fmt.Sprintf("%x", key.Seed()), fmt.Sprint([]byte(key.Private[:4]))[1:8], base64.StdEncoding.EncodeToString(key.Seed())}
	for _, shown := range []string{fmt.Sprintf("%v %+v %#v %s %x %d %q", key, key, key, key, key, key, key), log.String()} {
		for _, secret := range secrets {
			if strings.Contains(shown, secret) {
				t.Errorf("%q shows the private half", shown)
			}
		}
		if !strings.Contains(shown, key.ID) {
			t.Errorf("%q does not show the id", shown)
		}
	}
}

func TestKeySets(t *testing.T) {
	good := testKey(t, 1).Public()
	for _, tt := range []struct {
		name string
		keys []PublicKey
	}{
		{"no id", []PublicKey{{Key: good.Key}}},
		{"a short key", []PublicKey{{ID: "a", Key: good.Key[:31]}}},
		{"one id twice", []PublicKey{good, good}},
	} {
		if set, err := JWKS(tt.keys); err == nil {
			t.Errorf("%s: wrote %s", tt.name, set)
		}
	}
	if set, err := JWKS(nil); err != nil || string(set) != `{"keys":[]}` {
		t.Errorf("no keys: %s, %v", set, err)
	}

	x := base64.RawURLEncoding.EncodeToString(good.Key)
	ours := `{"kty":"OKP","crv":"Ed25519","x":"` + x + `","kid":"a"}`
	for _, tt := range []struct {
		name, set string
		want      int // keys; 0 is an error
	}{
		{"ours", `{"keys":[` + ours + `]}`, 1},
		{"among others", `{"keys":[{"kty":"RSA","n":"x","e":"AQAB"},{"kty":"OKP","crv":"X25519","x":"` + x + `"},` + ours + `]}`, 1},
		{"for encryption", `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"` + x + `","kid":"a","use":"enc"}]}`, 0},
		{"for another alg", `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"` + x + `","kid":"a","alg":"HS256"}]}`, 0},
		{"a symmetric key", `{"keys":[{"kty":"oct","k":"` + x + `","kid":"a"}]}`, 0},
		{"no kid", `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"` + x + `"}]}`, 0},
		{"a short x", `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA","kid":"a"}]}`, 0},
		{"one kid twice", `{"keys":[` + ours + `,` + ours + `]}`, 0},
		{"empty", `{"keys":[]}`, 0},
		{"null", `null`, 0},
		{"not JSON", `-----BEGIN PUBLIC KEY-----`, 0},
		{"too many", `{"keys":[` + strings.Repeat(`{},`, maxJWKSKeys) + ours + `]}`, 0},
		{"too long", `{"keys":[` + ours + `]}` + strings.Repeat(" ", maxJWKS), 0},
	} {
		keys, err := ParseJWKS([]byte(tt.set))
		if len(keys) != tt.want || (err == nil) != (tt.want > 0) || (err != nil && !errors.Is(err, ErrKeySet)) {
			t.Errorf("%s: %d keys, %v; want %d", tt.name, len(keys), err, tt.want)
		}
	}
}

func FuzzVerify(f *testing.F) {
	s := testSigner(f)
	f.Add(must(s.SignCustomer(customerReceipt(), issued))(f))
	f.Add(must(s.SignProof(proofReceipt(), issued))(f))
	f.Add(must(s.SignDecision(decisionReceipt(), issued))(f))
	f.Add(forge(f, jwt.SigningMethodEdDSA, s.Key.Private, map[string]any{"alg": "EdDSA", "kid": s.Key.ID}, `{"sub":"a/1","iat":1e300,"exp":1e301,"ial":1}`))
	f.Add("..")
	set := testSet(f, s.Key)
	signedHere := map[string]bool{}
	for _, token := range []string{must(s.SignCustomer(customerReceipt(), issued))(f), must(s.SignProof(proofReceipt(), issued))(f),
		must(s.SignDecision(decisionReceipt(), issued))(f)} {
		signedHere[token] = true
	}
	f.Fuzz(func(t *testing.T, token string) {
		c, err := Verify(set, token, issued)
		if (err == nil) != signedHere[token] {
			t.Errorf("%q: %+v, %v", token, c, err)
		}
	})
}

// FuzzPayload signs any payload with our own key, so that what lies behind the signature check is reached as well.
func FuzzPayload(f *testing.F) {
	s := testSigner(f)
	set := testSet(f, s.Key)
	for _, token := range []string{must(s.SignCustomer(customerReceipt(), issued))(f), must(s.SignProof(proofReceipt(), issued))(f),
		must(s.SignDecision(decisionReceipt(), issued))(f)} {
		f.Add(payloadOf(f, token), "decision+jwt")
		f.Add(payloadOf(f, token), "proof+jwt")
		f.Add(payloadOf(f, token), "")
	}
	f.Add(`{"sub":"a/1","iat":-1e18,"exp":1e300,"ial":1}`, "")
	f.Fuzz(func(t *testing.T, payload, typ string) {
		header := map[string]any{"alg": "EdDSA", "kid": s.Key.ID}
		if typ != "" {
			header["typ"] = typ
		}
		c, err := Verify(set, forge(t, jwt.SigningMethodEdDSA, s.Key.Private, header, payload), issued)
		if err != nil {
			if !reflect.DeepEqual(c, Claims{}) {
				t.Errorf("claims beside an error: %+v", c)
			}
			return
		}
		set := 0
		for _, is := range []bool{c.Decision != nil, c.Proof != nil, c.Customer != nil} {
			if is {
				set++
			}
		}
		if set != 1 || c.Kind.typ() != typ {
			t.Errorf("%s as %q: %+v", payload, typ, c)
		}
	})
}

func FuzzParseJWKS(f *testing.F) {
	f.Add(testSet(f, testKey(f, 1), testKey(f, 2)))
	f.Add([]byte(`{"keys":[{"kty":"RSA"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		keys, err := ParseJWKS(b)
		if err != nil {
			return
		}
		if again, err := JWKS(keys); err != nil {
			t.Errorf("read, but not written: %v", err)
		} else if _, err := ParseJWKS(again); err != nil {
			t.Errorf("written, but not read: %v", err)
		}
	})
}
