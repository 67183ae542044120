package receipt

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

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
