package sim

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestCurrentCustomerJWT(t *testing.T) {
	b := newBench(t, 1)
	private := b.s.AddAPIAccount("store_v2_customers")
	guest, ada := b.shopper(), b.shopper()
	ada.signIn("ada@example.com")
	for _, tc := range []struct {
		name   string
		who    *shopper
		id     string
		secret string
		status int
	}{
		{"guest", guest, testClientID, "", 404},
		{"member", ada, testClientID, testSecret, 200},
		{"member, a merchant's own API account", ada, private.ClientID, private.Secret, 200},
		{"member, unknown app", ada, "nobody", "", 404},
		{"member, no app", ada, "", "", 404},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := tc.who.want(tc.status, "GET", "/customer/current.jwt?app_client_id="+tc.id, "")
			if tc.status != http.StatusOK {
				return
			}
			if kind := a.header.Get("Content-Type"); !strings.HasPrefix(kind, "text/plain") {
				t.Errorf("Content-Type %q", kind)
			}
			claims := jwt.MapClaims{}
			_, err := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithTimeFunc(b.clock.now)).ParseWithClaims(a.raw, claims, func(*jwt.Token) (any, error) { return []byte(tc.secret), nil })
			if err != nil {
				t.Fatal(err)
			}
			customer, _ := claims["customer"].(map[string]any)
			want := map[string]any{
				"iss": "bc/apps", "sub": "abc123", "aud": tc.id, "application_id": tc.id, "store_hash": "abc123", "operation": "current_customer", "version": 1.0,
				"iat": float64(b.clock.now().Unix()), "exp": float64(b.clock.now().Add(15 * time.Minute).Unix()),
			}
			for k, v := range want {
				if claims[k] != v {
					t.Errorf("%s is %v, want %v", k, claims[k], v)
				}
			}
			if customer["id"] != 31.0 || customer["email"] != "ada@example.com" || customer["group_id"] != "1" {
				t.Errorf("customer %v", customer)
			}
		})
	}
}

func TestInsertedScripts(t *testing.T) {
	b := newBench(t, 1)
	add := func(s Script) {
		s.ChannelID, s.Enabled, s.UUID = 1, true, s.Name
		b.s.set(func() { b.s.scripts = append(b.s.scripts, &s) })
	}
	add(Script{Name: "gate", Kind: "src", Src: "https://app.example/gate.js?a=1&b=2", Location: "head", LoadMethod: "default", Visibility: "all_pages", ConsentCategory: "essential", IntegrityHashes: []string{"sha384-one", "sha384-two"}})
	add(Script{Name: "late", Kind: "src", Src: "https://app.example/late.js", Location: "footer", LoadMethod: "defer", Visibility: "checkout"})
	add(Script{Name: "inline", Kind: "script_tag", HTML: `<script>window.inline = 1 < 2;</script>`, Location: "head", Visibility: "storefront"})
	add(Script{Name: "thanks", Kind: "script_tag", HTML: `<script>window.thanks = 1</script>`, Location: "footer", Visibility: "order_confirmation"})
	gate := `<script src="https://app.example/gate.js?a=1&amp;b=2" integrity="sha384-one sha384-two" crossorigin="anonymous" data-script-uuid="gate" data-consent-category="essential"></script>`
	late := `<script src="https://app.example/late.js" data-script-uuid="late" data-consent-category="" defer></script>`
	s := b.shopper()
	s.fill(beans)
	for _, tc := range []struct {
		path  string
		wants []string // by name
	}{
		{"/", []string{gate, "window.inline = 1 < 2"}},
		{"/cart.php", []string{gate, "window.inline = 1 < 2"}},
		{"/checkout", []string{gate, late}},
		{"/checkout/order-confirmation/101", []string{gate, "window.thanks"}},
	} {
		page := s.want(200, "GET", tc.path, "").raw
		head, body, _ := strings.Cut(page, "</head>")
		for _, script := range []string{gate, late, "window.inline = 1 < 2", "window.thanks"} {
			if got, want := strings.Contains(page, script), slices.Contains(tc.wants, script); got != want {
				t.Errorf("%s: %s there: %v, want %v", tc.path, script, got, want)
			}
		}
		if !strings.Contains(head, gate) || strings.Contains(head, late) || strings.Contains(body, gate) {
			t.Errorf("%s: a script is at the wrong place", tc.path)
		}
		b.s.BlockScripts(true)
		if page := s.want(200, "GET", tc.path, "").raw; strings.Contains(page, "app.example/gate.js") {
			t.Errorf("%s: blocked, and there", tc.path)
		}
		b.s.BlockScripts(false)
	}
}
