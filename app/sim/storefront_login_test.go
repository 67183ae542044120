package sim

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// loginToken is a Customer Login token as an app makes it, with a change.
func (b *bench) loginToken(customer int64, id string, change map[string]any) string {
	claims := map[string]any{"iss": testClientID, "iat": b.clock.now().Unix(), "jti": id, "operation": "customer_login", "store_hash": b.s.Hash,
		"customer_id": customer, "redirect_to": "/checkout", "request_ip": "127.0.0.1"}
	for name, v := range change {
		if claims[name] = v; v == nil {
			delete(claims, name)
		}
	}
	return SignJWT(claims, testSecret)
}

func TestCustomerLogin(t *testing.T) {
	b := newBench(t, 1)
	ada := b.s.Customers()[0]
	signedIn := func(s *shopper) bool { return s.do("GET", "/account.php", "").status == http.StatusOK }
	s := b.shopper()
	token := b.loginToken(ada.ID, "one", nil)
	a := s.do("GET", "/login/token/"+token, "")
	if a.status != http.StatusFound || a.header.Get("Location") != "/checkout" || !signedIn(s) {
		t.Fatalf("%d to %q, signed in %v: %s", a.status, a.header.Get("Location"), signedIn(s), a.raw)
	}
	if a := b.shopper().do("GET", "/login/token/"+token, ""); a.status != http.StatusForbidden {
		t.Errorf("the same token again: %d", a.status)
	}
	plain := b.shopper()
	if a := plain.do("GET", "/login/token/"+b.loginToken(ada.ID, "two", map[string]any{"redirect_to": nil, "request_ip": nil}), ""); a.header.Get("Location") != "/account.php" || !signedIn(plain) {
		t.Errorf("without what is optional: %d to %q", a.status, a.header.Get("Location"))
	}
	now := b.clock.now()
	for i, c := range []struct {
		name   string
		change map[string]any
		secret string
	}{
		{"31 s old", map[string]any{"iat": now.Add(-31 * time.Second).Unix()}, testSecret},
		{"from the future", map[string]any{"iat": now.Add(31 * time.Second).Unix()}, testSecret},
		{"another operation", map[string]any{"operation": "current_customer"}, testSecret},
		{"another store", map[string]any{"store_hash": "othershop"}, testSecret},
		{"another client", map[string]any{"iss": "somebody"}, testSecret},
		{"another address", map[string]any{"request_ip": "192.0.2.7"}, testSecret},
		{"another channel", map[string]any{"channel_id": 99}, testSecret},
		{"no id", map[string]any{"jti": ""}, testSecret},
		{"nobody's account", map[string]any{"customer_id": 999999}, testSecret},
		{"another site", map[string]any{"redirect_to": "//evil.example"}, testSecret},
		{"another secret", nil, "another secret"},
	} {
		s := b.shopper()
		change := map[string]any{"jti": fmt.Sprint("bad", i)}
		for name, v := range c.change {
			change[name] = v
		}
		token := b.loginToken(ada.ID, "", change)
		if c.secret != testSecret {
			token = token[:len(token)-6] + "AAAAAA"
		}
		if a := s.do("GET", "/login/token/"+token, ""); a.status != http.StatusForbidden || !strings.Contains(a.raw, "not successful") || signedIn(s) {
			t.Errorf("%s: %d", c.name, a.status)
		}
	}
	if err := b.s.SetTokenScopes(b.token.Value, "store_v2_customers"); err != nil {
		t.Fatal(err)
	}
	if a := b.shopper().do("GET", "/login/token/"+b.loginToken(ada.ID, "three", nil), ""); a.status != http.StatusForbidden {
		t.Errorf("without the scope: %d", a.status)
	}
}
