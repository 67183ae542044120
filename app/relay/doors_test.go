package relay_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"idgate/app/ledger"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

const secret = "a secret of the client"

// claims are those of a good signed_payload_jwt for the user.
func (w *world) claims(user int64) map[string]any {
	owner := w.shop.Users()[0]
	now := w.clock.now().Unix()
	return map[string]any{"aud": "client", "iss": "bc", "iat": now, "nbf": now - 5, "exp": now + 86400, "jti": rand.Text(), "sub": "stores/" + hash, "url": "/",
		"user": map[string]any{"id": user, "email": "u@example.com", "locale": "en-US"}, "owner": map[string]any{"id": owner.ID, "email": owner.Email}}
}

func but(c map[string]any, key string, v any) map[string]any {
	c = maps.Clone(c)
	c[key] = v
	return c
}

func TestForgedCallbacksChangeNothing(t *testing.T) {
	w := newWorld(t)
	owner, staff := w.shop.Users()[0].ID, w.shop.Users()[1].ID
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signed := func(method jwt.SigningMethod, key any, c map[string]any) string {
		s, err := jwt.NewWithClaims(method, jwt.MapClaims(c)).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	good := w.claims(owner)
	past := w.clock.now().Add(-2 * time.Hour).Unix()
	customer := map[string]any{"customer": map[string]any{"id": 1, "email": "ada@example.com", "group_id": "0"}, "iss": "bc/apps", "sub": hash, "aud": "client",
		"iat": w.clock.now().Unix(), "exp": w.clock.now().Unix() + 900, "operation": "current_customer", "store_hash": hash, "version": 1}
	for name, token := range map[string]string{
		"alg none":            signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good),
		"RS256":               signed(jwt.SigningMethodRS256, key, good),
		"HS512":               signed(jwt.SigningMethodHS512, []byte(secret), good),
		"another secret":      sim.SignJWT(good, "not the secret"),
		"expired":             sim.SignJWT(but(good, "exp", past), secret),
		"not yet good":        sim.SignJWT(but(good, "nbf", w.clock.now().Add(time.Hour).Unix()), secret),
		"wrong audience":      sim.SignJWT(but(good, "aud", "other"), secret),
		"wrong issuer":        sim.SignJWT(but(good, "iss", "bc/apps"), secret),
		"wrong subject":       sim.SignJWT(but(good, "sub", hash), secret),
		"a customer's token":  sim.SignJWT(customer, secret),
		"no expiry":           sim.SignJWT(but(good, "exp", nil), secret),
		"nothing":             "",
		"garbage":             "a.b.c",
		"far too long":        strings.Repeat("a", 20000),
		"another shop's name": sim.SignJWT(but(good, "sub", "stores/../x"), secret),
	} {
		for _, door := range []string{"/load", "/uninstall", "/remove_user"} {
			status, body := w.get(w.app.URL+door+"?signed_payload_jwt="+url.QueryEscape(token), nil)
			if status != http.StatusUnauthorized && status != http.StatusForbidden {
				t.Errorf("%s at %s: %d", name, door, status)
			}
			if token != "" && len(token) < 5000 && strings.Contains(string(body), token) {
				t.Errorf("%s at %s: the page repeats the token", name, door)
			}
		}
	}
	// A member of staff's good token at /uninstall, and the owner's while BigCommerce still accepts ours.
	for _, user := range []int64{staff, owner} {
		if status, _ := w.get(w.app.URL+"/uninstall?signed_payload_jwt="+url.QueryEscape(sim.SignJWT(w.claims(user), secret)), nil); status != http.StatusForbidden {
			t.Errorf("user %d at /uninstall: %d", user, status)
		}
	}
	if w.s().State != ledger.Installed {
		t.Fatalf("the shop is %s", w.s().State)
	}
	// A good one once, and not twice.
	once := url.QueryEscape(sim.SignJWT(w.claims(staff), secret))
	if status, _ := w.get(w.app.URL+"/load?signed_payload_jwt="+once, nil); status != http.StatusSeeOther {
		t.Errorf("a good load: %d", status)
	}
	if status, _ := w.get(w.app.URL+"/load?signed_payload_jwt="+once, nil); status != http.StatusUnauthorized {
		t.Errorf("a replayed load: %d", status)
	}
}

func TestUninstallByTheOwnerOnceTheTokenIsDead(t *testing.T) {
	w := newWorld(t)
	if err := w.shop.Uninstall(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if _, err := w.ledger.Shop(hash); err == nil {
		t.Fatal("still installed")
	}
	if status, _ := w.get(w.app.URL+"/load?signed_payload_jwt="+url.QueryEscape(sim.SignJWT(w.claims(w.shop.Users()[0].ID), secret)), nil); status != http.StatusNotFound {
		t.Errorf("load after uninstall: %d", status)
	}
	w.install()
	if w.s().Policy.Version == 0 {
		t.Error("a re-install lost the policy")
	}
}

func TestRemovedUserIsOut(t *testing.T) {
	w := newWorld(t)
	staff := w.shop.Users()[1].ID
	cookie := w.load(staff)
	if status, _ := w.get(w.app.URL+"/s/"+hash+"/overview", cookie); status != http.StatusOK {
		t.Fatalf("overview: %d", status)
	}
	if err := w.shop.RemoveUser(context.Background(), staff); err != nil {
		t.Fatal(err)
	}
	if status, _ := w.get(w.app.URL+"/s/"+hash+"/overview", cookie); status != http.StatusUnauthorized {
		t.Errorf("after removal: %d", status)
	}
	owner := w.shop.Users()[0].ID
	if status, _ := w.get(w.app.URL+"/remove_user?signed_payload_jwt="+url.QueryEscape(sim.SignJWT(w.claims(owner), secret)), nil); status != http.StatusForbidden {
		t.Errorf("removing the owner: %d", status)
	}
}

// load signs in as a user and returns the cookie header. It checks the cookie's attributes: without each of them it would not live in a cross-site iframe.
func (w *world) load(user int64) http.Header {
	w.t.Helper()
	r, err := http.NewRequest(http.MethodGet, w.app.URL+"/load?signed_payload_jwt="+url.QueryEscape(sim.SignJWT(w.claims(user), secret)), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := w.http.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	line := resp.Header.Get("Set-Cookie")
	for _, part := range []string{"__Host-idgate-" + hash + "=", "Path=/", "HttpOnly", "Secure", "SameSite=None", "Partitioned"} {
		if !strings.Contains(line, part) {
			w.t.Errorf("the cookie lacks %s: %s", part, line)
		}
	}
	if strings.Contains(line, "Domain=") {
		w.t.Errorf("a __Host- cookie with a domain: %s", line)
	}
	name, _, _ := strings.Cut(line, ";")
	return http.Header{"Cookie": {name}}
}

func TestWebhookDoor(t *testing.T) {
	w := newWorld(t)
	door := w.app.URL + "/webhooks/bigcommerce"
	body := func(producer string, order int) []byte {
		return fmt.Appendf(nil, `{"scope":"store/order/created","store_id":"1","data":{"type":"order","id":%d},"hash":"%040d","created_at":%d,"producer":"stores/%s"}`,
			order, order, w.clock.now().Unix(), producer)
	}
	with := func(h ...string) http.Header {
		out := http.Header{"Idgate-Hook-Secret": {w.s().HookSecret}}
		for i := 0; i < len(h); i += 2 {
			out.Set(h[i], h[i+1])
		}
		return out
	}
	signature := func(key string, at time.Time, b []byte) http.Header {
		ts := fmt.Sprint(at.Unix())
		return with("webhook-id", "msg_1", "webhook-timestamp", ts, "webhook-signature", sim.SignWebhook(key, "msg_1", ts, b))
	}
	for _, c := range []struct {
		name   string
		header http.Header
		body   []byte
		want   int
	}{
		{"no secret", http.Header{}, body(hash, 1), 401},
		{"wrong secret", with("Idgate-Hook-Secret", "guess"), body(hash, 1), 401},
		{"empty secret", with("Idgate-Hook-Secret", ""), body(hash, 1), 401},
		{"a signature that does not verify", signature("other", w.clock.now(), body(hash, 1)), body(hash, 1), 401},
		{"a signature of another body", signature(secret, w.clock.now(), body(hash, 2)), body(hash, 1), 401},
		{"good, unsigned", with(), body(hash, 1), 200},
		{"the same again", with(), body(hash, 1), 200},
		{"good, signed", signature(secret, w.clock.now(), body(hash, 3)), body(hash, 3), 200},
		{"good, signed two days ago", signature(secret, w.clock.now().Add(-48*time.Hour), body(hash, 4)), body(hash, 4), 200},
		{"an unknown shop", http.Header{}, body("nobody1", 1), 200},
		{"too large", with(), []byte(`{"x":"` + strings.Repeat("a", 70<<10) + `"}`), 413},
		{"not JSON", with(), []byte("hello"), 400},
		{"deep nesting", with(), []byte(strings.Repeat("[", 20000)), 400},
		{"wrong types", with(), []byte(`{"scope":7,"producer":[]}`), 400},
		{"nothing", with(), nil, 400},
	} {
		if status, b := w.do(http.MethodPost, door, c.header, c.body); status != c.want {
			t.Errorf("%s: %d %s, want %d", c.name, status, b, c.want)
		}
	}
	ns, err := w.ledger.SubjectNotices(context.Background(), hash, "1")
	if err != nil || len(ns) != 1 || ns[0].Deliveries != 2 {
		t.Errorf("notices of order 1: %+v, %v", ns, err)
	}
}

func TestStorefrontDoor(t *testing.T) {
	w := newWorld(t)
	ada := w.ada()
	cart, other := w.cart(w.product(cheap), ada.ID, sim.BillingOf(ada)), w.cart(w.product(cheap), 0, billing("guest@example.com"))
	post := func(origin, body string) (int, answer) {
		h := http.Header{}
		if origin != "" {
			h.Set("Origin", origin)
		}
		status, b := w.do(http.MethodPost, w.app.URL+"/storefront/v1/decisions", h, []byte(body))
		var a answer
		if err := json.Unmarshal(b, &a); err != nil {
			t.Fatalf("%d %s", status, b)
		}
		return status, a
	}
	ask := func(shop, cart, token string) string {
		b, _ := json.Marshal(map[string]any{"shop": shop, "cart_id": cart, "customer_jwt": token})
		return string(b)
	}
	for _, c := range []struct {
		name, origin, body string
		want               int
		field              string
	}{
		{"a foreign origin", "https://evil.example", ask(hash, cart, ""), 403, ""},
		{"the null origin", "null", ask(hash, cart, ""), 403, ""},
		{"an unknown shop", w.origin(), ask("nobody1", cart, ""), 404, "shop"},
		{"no cart", w.origin(), ask(hash, "", ""), 400, "cart_id"},
		{"a path for a cart", w.origin(), ask(hash, "../../v2/orders/1", ""), 400, "cart_id"},
		{"an unknown cart", w.origin(), ask(hash, "00000000-0000-4000-8000-000000000000", ""), 404, "cart_id"},
		{"not JSON", w.origin(), "cart_id=1", 400, ""},
		{"wrong types", w.origin(), `{"shop":"testshop","cart_id":7}`, 400, "cart_id"},
		{"deep nesting", w.origin(), strings.Repeat(`{"shop":`, 1500), 400, ""},
		{"too large", w.origin(), `{"shop":"` + strings.Repeat("x", 20<<10) + `"}`, 413, ""},
		{"a load token as customer", w.origin(), ask(hash, cart, sim.SignJWT(w.claims(1), secret)), 401, "customer_jwt"},
		{"another shop's customer", w.origin(), ask(hash, cart, w.token(ada.ID, func(c map[string]any) { c["sub"], c["store_hash"] = "othershop", "othershop" })), 401, "customer_jwt"},
		{"another operation", w.origin(), ask(hash, cart, w.token(ada.ID, func(c map[string]any) { c["operation"] = "customer_login" })), 401, "customer_jwt"},
		{"expired", w.origin(), ask(hash, cart, w.token(ada.ID, func(c map[string]any) { c["exp"] = w.clock.now().Unix() - 3600 })), 401, "customer_jwt"},
	} {
		if status, a := post(c.origin, c.body); status != c.want || a.Error.Field != c.field || a.Error.Code == "" {
			t.Errorf("%s: %d %+v, want %d naming %q", c.name, status, a.Error, c.want, c.field)
		}
	}
	w.capabilities(cart, other)
}

// capabilities tries every Capability where it does not belong.
func (w *world) capabilities(cart, other string) {
	t := w.t
	_, mine := w.ask(cart, w.token(w.ada().ID), "")
	_, theirs := w.ask(other, "", "")
	_, n := w.start(mine.Capability)
	mail := w.app.URL + "/v/"
	raw, _ := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(mine.Capability, "cart."))
	raw[3] ^= 1
	for name, capability := range map[string]string{
		"none": "", "garbage": "cart.AAAA", "another purpose": "mail." + strings.TrimPrefix(mine.Capability, "cart."), "one bit changed": "cart." + base64.RawURLEncoding.EncodeToString(raw),
		"another cart's": theirs.Capability,
	} {
		status, b := w.get(w.app.URL+"/storefront/v1/sessions/"+n.ID, http.Header{"Origin": {w.origin()}, "Idgate-Capability": {capability}})
		if status != http.StatusForbidden {
			t.Errorf("reading with %s: %d %s", name, status, b)
		}
	}
	if status, _ := w.get(mail+mine.Capability, nil); status != http.StatusForbidden {
		t.Errorf("a cart capability opens the hosted page: %d", status)
	}
	if status, _ := w.get(w.app.URL+"/storefront/v1/sessions/"+n.ID, http.Header{"Origin": {"https://evil.example"}, "Idgate-Capability": {mine.Capability}}); status != http.StatusForbidden {
		t.Errorf("a foreign origin with a stolen capability: %d", status)
	}
	// Asking for another's cart with one's own capability gives a fresh one, which sees nobody's session.
	_, again := w.ask(other, "", mine.Capability)
	if again.Capability == mine.Capability || again.Session != nil {
		t.Errorf("a capability of one cart was taken for another: %+v", again)
	}
	// Knowing the cart's id is not enough to see the session either.
	if _, guess := w.ask(cart, "", ""); guess.Session != nil || guess.Capability == mine.Capability {
		t.Errorf("a cart id showed a session: %+v", guess)
	}
	w.clock.pass(3 * time.Hour)
	if status, _ := w.start(mine.Capability); status != http.StatusGone {
		t.Errorf("after its deadline: %d", status)
	}
}

func TestTriesAreBounded(t *testing.T) {
	w := newWorld(t)
	cart := w.cart(w.product(cheap), 0, billing("guest@example.com"))
	for i := range 6 {
		_, a := w.ask(cart, "", "")
		status, n := w.start(a.Capability)
		if i == 5 {
			if status != http.StatusTooManyRequests {
				t.Errorf("try %d: %d", i+1, status)
			}
			return
		}
		if status != http.StatusCreated {
			t.Fatalf("try %d: %d", i+1, status)
		}
		w.choose(n.URL, simkosmos.Fails)
	}
}
