package bigcommerce

import (
	"net/netip"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestSignCustomerLogin(t *testing.T) {
	a := &App{ClientID: "client", ClientSecret: "a secret of the client"}
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	good := CustomerLogin{StoreHash: "abc123", CustomerID: 7, RedirectTo: "/checkout", RequestIP: netip.MustParseAddr("192.0.2.9"), IssuedAt: now}
	ids := map[any]bool{}
	for range 3 {
		token, err := a.SignCustomerLogin(good)
		if err != nil {
			t.Fatal(err)
		}
		claims := jwt.MapClaims{}
		read, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return []byte(a.ClientSecret), nil }, jwt.WithoutClaimsValidation(), jwt.WithValidMethods([]string{"HS256"}))
		if err != nil || read.Header["typ"] != "JWT" {
			t.Fatalf("%v, %v", err, read)
		}
		ids[claims["jti"]] = true
		for name, want := range map[string]any{"iss": "client", "iat": float64(now.Unix()), "operation": "customer_login", "store_hash": "abc123",
			"customer_id": 7.0, "redirect_to": "/checkout", "request_ip": "192.0.2.9"} {
			if claims[name] != want {
				t.Errorf("%s is %v, want %v", name, claims[name], want)
			}
		}
		if len(claims) != 8 {
			t.Errorf("%d claims: %v", len(claims), claims)
		}
	}
	if len(ids) != 3 || ids[""] || ids[nil] {
		t.Errorf("ids %v", ids)
	}
	for name, change := range map[string]func(*CustomerLogin){
		"no customer":      func(c *CustomerLogin) { c.CustomerID = 0 },
		"a bad hash":       func(c *CustomerLogin) { c.StoreHash = "ABC/.." },
		"no address":       func(c *CustomerLogin) { c.RequestIP = netip.Addr{} },
		"a zone":           func(c *CustomerLogin) { c.RequestIP = netip.MustParseAddr("fe80::1%eth0") },
		"IPv4 in IPv6":     func(c *CustomerLogin) { c.RequestIP = netip.MustParseAddr("::ffff:192.0.2.9") },
		"any address":      func(c *CustomerLogin) { c.RequestIP = netip.MustParseAddr("::") },
		"another site":     func(c *CustomerLogin) { c.RedirectTo = "https://evil.example/" },
		"a scheme's way":   func(c *CustomerLogin) { c.RedirectTo = "//evil.example/" },
		"a backslash":      func(c *CustomerLogin) { c.RedirectTo = `/\evil.example/` },
		"nowhere":          func(c *CustomerLogin) { c.RedirectTo = "" },
		"a relative place": func(c *CustomerLogin) { c.RedirectTo = "checkout" },
	} {
		c := good
		change(&c)
		if token, err := a.SignCustomerLogin(c); err == nil || token != "" {
			t.Errorf("%s: %q", name, token)
		}
	}
	six := good
	six.RequestIP = netip.MustParseAddr("2001:0db8:0001:0002:0003:0000:0000:0006")
	token, err := a.SignCustomerLogin(six)
	claims := jwt.MapClaims{}
	if _, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return []byte(a.ClientSecret), nil }, jwt.WithoutClaimsValidation()); err != nil {
		t.Fatal(err)
	}
	if err != nil || claims["request_ip"] != "2001:db8:1:2:3::6" {
		t.Errorf("by IPv6: %v, %v", claims["request_ip"], err)
	}
	if _, err := (&App{ClientID: "client"}).SignCustomerLogin(good); err == nil {
		t.Error("signed without a secret")
	}
}
