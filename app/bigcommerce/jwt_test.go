package bigcommerce

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func testApp() *App {
	return &App{ClientID: testID, ClientSecret: testSecret, Now: func() time.Time { return testNow }}
}

func loadJWT() jwt.MapClaims {
	return jwt.MapClaims{
		"aud": testID, "iss": "bc", "iat": testNow.Unix(), "nbf": testNow.Unix() - 5, "exp": testNow.Unix() + 86400,
		"jti": "b1d3a2f0-0000-4000-8000-000000000001", "sub": "stores/abc123",
		"user":  map[string]any{"id": 9128, "email": "jo@shop.example", "locale": "de-DE"},
		"owner": map[string]any{"id": 7, "email": "al@shop.example"},
		"url":   "/orders/106?tab=id", "channel_id": nil,
	}
}

func customerJWT() jwt.MapClaims {
	return jwt.MapClaims{
		"customer": map[string]any{"id": 4927, "email": "ann@mail.example", "group_id": "6"},
		"iss":      "bc/apps", "sub": "abc123", "iat": testNow.Unix(), "exp": testNow.Unix() + 900, "version": 1,
		"aud": testID, "application_id": testID, "store_hash": "abc123", "operation": "current_customer",
	}
}

func sign(t testing.TB, method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	t.Helper()
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// with returns the claims with pairs of name and value changed; a value of drop removes the claim.
type drop struct{}

func with(claims jwt.MapClaims, pairs ...any) jwt.MapClaims {
	claims = maps.Clone(claims)
	for i := 0; i < len(pairs); i += 2 {
		if _, gone := pairs[i+1].(drop); gone {
			delete(claims, pairs[i].(string))
			continue
		}
		claims[pairs[i].(string)] = pairs[i+1]
	}
	return claims
}

func TestVerifyLoad(t *testing.T) {
	channel := int64(3)
	good := LoadClaims{
		StoreHash: "abc123", User: User{ID: 9128, Email: "jo@shop.example", Locale: "de-DE"}, Owner: User{ID: 7, Email: "al@shop.example"},
		URL: "/orders/106?tab=id", JTI: "b1d3a2f0-0000-4000-8000-000000000001", ExpiresAt: testNow.Add(24 * time.Hour).Local(),
	}
	inChannel, atRoot := good, good
	inChannel.ChannelID = &channel
	atRoot.URL = "/"
	for name, tt := range map[string]struct {
		claims jwt.MapClaims
		want   LoadClaims
	}{
		"as documented":     {loadJWT(), good},
		"audience as array": {with(loadJWT(), "aud", []string{testID}), good},
		"channel":           {with(loadJWT(), "channel_id", 3), inChannel},
		"no deep link":      {with(loadJWT(), "url", drop{}), atRoot},
		"hostile deep link": {with(loadJWT(), "url", "//evil.example/"), atRoot},
		"clocks a bit off":  {with(loadJWT(), "iat", testNow.Unix()+50, "nbf", testNow.Unix()+50), good},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := testApp().VerifyLoad(sign(t, jwt.SigningMethodHS256, []byte(testSecret), tt.claims))
			if err != nil {
				t.Fatal(err)
			}
			if !got.ExpiresAt.Equal(tt.want.ExpiresAt) {
				t.Errorf("expires %v", got.ExpiresAt)
			}
			got.ExpiresAt = tt.want.ExpiresAt
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestVerifyCurrentCustomer(t *testing.T) {
	for name, tt := range map[string]struct {
		claims jwt.MapClaims
		want   CurrentCustomer
	}{
		"as documented": {customerJWT(), CurrentCustomer{4927, "ann@mail.example", 6}},
		"no group":      {with(customerJWT(), "customer", map[string]any{"id": "4927", "email": "ann@mail.example", "group_id": nil}), CurrentCustomer{4927, "ann@mail.example", 0}},
		"bare":          {with(customerJWT(), "application_id", drop{}, "store_hash", drop{}, "version", drop{}), CurrentCustomer{4927, "ann@mail.example", 6}},
		"last second":   {with(customerJWT(), "iat", testNow.Unix()-959, "exp", testNow.Unix()-59), CurrentCustomer{4927, "ann@mail.example", 6}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := testApp().VerifyCurrentCustomer(sign(t, jwt.SigningMethodHS256, []byte(testSecret), tt.claims), "abc123")
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

// Every attack on either kind of token; each is refused with its own reason and none is quoted.
func TestTokenAttacks(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	hs256 := func(c jwt.MapClaims) string { return sign(t, jwt.SigningMethodHS256, []byte(testSecret), c) }
	unsigned := func(c jwt.MapClaims) string {
		return sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, c)
	}
	relabel := func(token, header string) string { // keep payload and signature
		_, rest, _ := strings.Cut(token, ".")
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + rest
	}
	now := testNow.Unix()

	load, customer := loadJWT(), customerJWT()
	type attack struct{ name, token, reason string }
	shared := func(c jwt.MapClaims) []attack {
		good := hs256(c)
		return []attack{
			{"empty", "", "malformed"},
			{"words", "not a token", "malformed"},
			{"two parts", "a.b", "malformed"},
			{"four parts", good + ".x", "malformed"},
			{"alg none", unsigned(c), "wrong algorithm or signature"},
			{"alg none, capitals", relabel(good, `{"alg":"NONE","typ":"JWT"}`), "unverifiable"},
			{"alg none, signature dropped", good[:strings.LastIndex(good, ".")+1], "wrong algorithm or signature"},
			{"no alg", relabel(good, `{"typ":"JWT"}`), "unverifiable"},
			{"RS256", sign(t, jwt.SigningMethodRS256, rsaKey, c), "wrong algorithm or signature"},
			{"HS384", sign(t, jwt.SigningMethodHS384, []byte(testSecret), c), "wrong algorithm or signature"},
			{"HS512", sign(t, jwt.SigningMethodHS512, []byte(testSecret), c), "wrong algorithm or signature"},
			{"HS512 relabelled", relabel(sign(t, jwt.SigningMethodHS512, []byte(testSecret), c), `{"alg":"HS256","typ":"JWT"}`), "wrong algorithm or signature"},
			{"another key", sign(t, jwt.SigningMethodHS256, []byte("another"), c), "wrong algorithm or signature"},
			{"an empty key", sign(t, jwt.SigningMethodHS256, []byte(""), c), "wrong algorithm or signature"},
			{"payload changed", swapPayload(good, hs256(with(c, "iat", now-1))), "wrong algorithm or signature"},
			{"wrong audience", hs256(with(c, "aud", "somebody")), "wrong audience"},
			{"empty audience", hs256(with(c, "aud", "")), "a required claim is missing"},
			{"no audience", hs256(with(c, "aud", drop{})), "a required claim is missing"},
			{"no issuer", hs256(with(c, "iss", drop{})), "a required claim is missing"},
			{"wrong issuer", hs256(with(c, "iss", "BC")), "wrong issuer"},
			{"expired", hs256(with(c, "exp", now-61)), "expired"},
			{"no exp", hs256(with(c, "exp", drop{})), "a required claim is missing"},
			{"exp in words", hs256(with(c, "exp", "tomorrow")), "malformed"},
			{"nbf in the future", hs256(with(c, "nbf", now+61)), "not valid yet"},
			{"iat in the future", hs256(with(c, "iat", now+61)), "issued in the future"},
			{"too long", hs256(with(c, "pad", strings.Repeat("x", maxToken))), "longer than 8 kB"},
		}
	}
	loads := append(shared(load),
		attack{"customer token", hs256(customer), "wrong issuer"},
		attack{"customer token in load's clothes", hs256(with(customer, "iss", "bc", "sub", "stores/abc123", "jti", "x", "user", map[string]any{"id": 1})), "a token for another operation"},
		attack{"no subject", hs256(with(load, "sub", drop{})), "the subject is no store"},
		attack{"bare subject", hs256(with(load, "sub", "abc123")), "the subject is no store"},
		attack{"path in subject", hs256(with(load, "sub", "stores/abc123/../x")), "the subject is no store"},
		attack{"capitals in subject", hs256(with(load, "sub", "stores/ABC123")), "the subject is no store"},
		attack{"line feed in subject", hs256(with(load, "sub", "stores/abc123\n")), "the subject is no store"},
		attack{"two audiences", hs256(with(load, "aud", []string{testID, "somebody"})), "more than one audience"},
		attack{"no user", hs256(with(load, "user", drop{})), "no user"},
		attack{"user 0", hs256(with(load, "user", map[string]any{"id": 0})), "no user"},
		attack{"user in words", hs256(with(load, "user", map[string]any{"id": "root"})), "malformed"},
		attack{"no jti", hs256(with(load, "jti", drop{})), "no usable jti"},
		attack{"endless jti", hs256(with(load, "jti", strings.Repeat("j", 129))), "no usable jti"},
	)
	customers := append(shared(customer),
		attack{"load token", hs256(load), "wrong issuer"},
		attack{"load token in customer's clothes", hs256(with(load, "iss", "bc/apps", "sub", "abc123")), "a token for another operation"},
		attack{"no operation", hs256(with(customer, "operation", drop{})), "a token for another operation"},
		attack{"customer login", hs256(with(customer, "operation", "customer_login")), "a token for another operation"},
		attack{"another shop", hs256(with(customer, "sub", "zzz999", "store_hash", "zzz999")), "a token of another store"},
		attack{"another shop in store_hash", hs256(with(customer, "store_hash", "zzz999")), "a token of another store"},
		attack{"subject as in load", hs256(with(customer, "sub", "stores/abc123")), "a token of another store"},
		attack{"no subject", hs256(with(customer, "sub", drop{})), "a token of another store"},
		attack{"another app", hs256(with(customer, "application_id", "somebody")), "a token for another app"},
		attack{"two audiences", hs256(with(customer, "aud", []string{testID, "somebody"})), "a token for another app"},
		attack{"version 2", hs256(with(customer, "version", 2)), "an unknown version"},
		attack{"no customer", hs256(with(customer, "customer", drop{})), "no customer"},
		attack{"customer 0", hs256(with(customer, "customer", map[string]any{"id": 0})), "no customer"},
		attack{"customer -1", hs256(with(customer, "customer", map[string]any{"id": -1})), "no customer"},
	)
	check := func(t *testing.T, err error, a attack) {
		t.Helper()
		if want := "token refused: " + a.reason; !errors.Is(err, ErrBadToken) || err.Error() != want {
			t.Errorf("err = %v, want %q", err, want)
		}
	}
	for _, a := range loads {
		t.Run("load/"+a.name, func(t *testing.T) {
			got, err := testApp().VerifyLoad(a.token)
			check(t, err, a)
			if !reflect.DeepEqual(got, LoadClaims{}) {
				t.Errorf("claims %+v", got)
			}
		})
	}
	for _, a := range customers {
		t.Run("customer/"+a.name, func(t *testing.T) {
			got, err := testApp().VerifyCurrentCustomer(a.token, "abc123")
			check(t, err, a)
			if got != (CurrentCustomer{}) {
				t.Errorf("customer %+v", got)
			}
		})
	}
	t.Run("no secret is set", func(t *testing.T) {
		app := &App{ClientID: testID, Now: testApp().Now}
		_, err := app.VerifyLoad(sign(t, jwt.SigningMethodHS256, []byte(""), load))
		check(t, err, attack{reason: "client id or client secret is not set"})
		_, err = app.VerifyCurrentCustomer(sign(t, jwt.SigningMethodHS256, []byte(""), customer), "abc123")
		check(t, err, attack{reason: "client id or client secret is not set"})
		_, err = app.VerifyLegacyPayload(legacy("", legacyJSON(0)))
		check(t, err, attack{reason: "client id or client secret is not set"})
	})
	t.Run("asked about a malformed shop", func(t *testing.T) {
		_, err := testApp().VerifyCurrentCustomer(hs256(with(customer, "sub", "", "store_hash", "")), "")
		check(t, err, attack{reason: "asked about a malformed store hash"})
	})
}

// swapPayload puts b's payload between a's header and signature.
func swapPayload(a, b string) string {
	pa, pb := strings.Split(a, "."), strings.Split(b, ".")
	return pa[0] + "." + pb[1] + "." + pa[2]
}

func legacy(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return base64.StdEncoding.EncodeToString([]byte(body)) + "." +
		base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(mac.Sum(nil))))
}

// legacyJSON is a payload of the given age.
func legacyJSON(age time.Duration) string {
	return fmt.Sprintf(`{"user":{"id":9128,"email":"jo@shop.example"},"owner":{"id":7,"email":"al@shop.example"},`+
		`"context":"stores/abc123","store_hash":"abc123","timestamp":%.4f}`, float64(testNow.Add(-age).UnixMilli())/1000)
}

func TestVerifyLegacyPayload(t *testing.T) {
	body := legacyJSON(time.Minute)
	rawMAC := hmac.New(sha256.New, []byte(testSecret))
	rawMAC.Write([]byte(body))
	tests := []struct {
		name, payload, reason string
	}{
		{"as BigCommerce's Python client builds it", legacy(testSecret, body), ""},
		{"nearly five minutes old", legacy(testSecret, legacyJSON(299*time.Second)), ""},
		{"from a clock ahead", legacy(testSecret, legacyJSON(-30*time.Second)), ""},
		{"more than five minutes old", legacy(testSecret, legacyJSON(301*time.Second)), "expired"},
		{"from the future", legacy(testSecret, legacyJSON(-2*time.Minute)), "issued in the future"},
		{"another key", legacy("another", body), "wrong signature"},
		{"raw signature", base64.StdEncoding.EncodeToString([]byte(body)) + "." + base64.StdEncoding.EncodeToString(rawMAC.Sum(nil)), "wrong signature"},
		{"no signature", base64.StdEncoding.EncodeToString([]byte(body)) + ".", "wrong signature"},
		{"no dot", "abc", "malformed"},
		{"not base64", "?.?", "malformed"},
		{"empty", "", "malformed"},
		{"not JSON", legacy(testSecret, "x"), "the payload is not what was expected"},
		{"no timestamp", legacy(testSecret, `{"user":{"id":1},"store_hash":"abc123"}`), "no usable timestamp"},
		{"timestamp in milliseconds", legacy(testSecret, fmt.Sprintf(`{"user":{"id":1},"store_hash":"abc123","timestamp":%d}`, testNow.UnixMilli())), "no usable timestamp"},
		{"no store", legacy(testSecret, strings.Replace(body, `"store_hash":"abc123"`, `"store_hash":""`, 1)), "no store"},
		{"two stores", legacy(testSecret, strings.Replace(body, `"store_hash":"abc123"`, `"store_hash":"zzz"`, 1)), "no store"},
		{"no user", legacy(testSecret, strings.Replace(body, "9128", "0", 1)), "no user"},
		{"too long", strings.Repeat("A", maxToken+1), "longer than 8 kB"},
		{"a JWT", sign(t, jwt.SigningMethodHS256, []byte(testSecret), loadJWT()), "malformed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := testApp().VerifyLegacyPayload(tt.payload)
			if tt.reason != "" {
				if want := "token refused: " + tt.reason; !errors.Is(err, ErrBadToken) || err.Error() != want || !reflect.DeepEqual(got, LoadClaims{}) {
					t.Errorf("got %+v, %v; want %q", got, err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.StoreHash != "abc123" || got.User.ID != 9128 || got.Owner.ID != 7 || got.URL != "/" ||
				!strings.HasPrefix(got.JTI, "legacy:") || got.ExpiresAt.Before(testNow) || got.ExpiresAt.After(testNow.Add(6*time.Minute)) {
				t.Errorf("got %+v", got)
			}
		})
	}
	a, _ := testApp().VerifyLegacyPayload(legacy(testSecret, body))
	b, _ := testApp().VerifyLegacyPayload(legacy(testSecret, legacyJSON(2*time.Minute)))
	if a.JTI == b.JTI {
		t.Error("two payloads share a JTI")
	}
}

func TestLocalURL(t *testing.T) {
	for in, want := range map[string]string{
		"/":                             "/",
		"/orders/106?x=1&y=%2F":         "/orders/106?x=1&y=%2F",
		"/a%20b":                        "/a%20b",
		"/a#frag":                       "/a",
		"":                              "/",
		"orders":                        "/",
		"https://evil.example/":         "/",
		"//evil.example":                "/",
		"//evil.example/orders":         "/",
		"/\\evil.example":               "/",
		"/%5cevil.example":              "/",
		"/%2f/evil.example":             "/",
		"/%2fevil.example":              "/",
		"/a//b":                         "/",
		"/a/../b":                       "/",
		"/%2e%2e/b":                     "/",
		"javascript:alert(1)":           "/",
		"/a\nLocation: x":               "/",
		"/a b":                          "/",
		"/%zz":                          "/",
		"\t//evil.example":              "/",
		"/" + strings.Repeat("a", 2048): "/",
	} {
		if got := localURL(in); got != want {
			t.Errorf("localURL(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzVerifyLoad(f *testing.F) {
	good := sign(f, jwt.SigningMethodHS256, []byte(testSecret), loadJWT())
	f.Add(good, "/orders/1")
	f.Add(sign(f, jwt.SigningMethodHS256, []byte(testSecret), customerJWT()), "//evil.example")
	f.Add(sign(f, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, loadJWT()), "/\\x")
	f.Add(legacy(testSecret, legacyJSON(0)), "/%2e%2e/")
	f.Add("a.b.c", "")
	app := testApp()
	f.Fuzz(func(t *testing.T, token, link string) {
		// Whatever is not the one good token, give or take the unused bits of its last base64 digit, is refused.
		if _, err := app.VerifyLoad(token); err == nil && token[:min(len(token), len(good)-1)] != good[:len(good)-1] {
			t.Errorf("accepted %q", token)
		}
		if _, err := app.VerifyCurrentCustomer(token, testHash); err == nil && !strings.HasPrefix(token, "eyJ") {
			t.Errorf("accepted as customer %q", token)
		}
		_, _ = app.VerifyLegacyPayload(token)
		if got := localURL(link); !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n") {
			t.Errorf("localURL(%q) = %q", link, got)
		}
	})
}
