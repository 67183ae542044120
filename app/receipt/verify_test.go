package receipt

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

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
