package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// shopper is a browser on the bench's shop: a cookie jar, and no redirects followed.
type shopper struct {
	t      *testing.T
	base   string
	client *http.Client
}

func (b *bench) shopper() *shopper {
	b.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s := &shopper{t: b.t, base: b.store.URL, client: &http.Client{Jar: jar, CheckRedirect: stay, Timeout: 5 * time.Second}}
	s.do("GET", "/", "")
	return s
}

// do sends a request; a body that starts with { or [ is JSON, any other a form.
func (s *shopper) do(method, path, body string) apiAnswer {
	s.t.Helper()
	req, err := http.NewRequest(method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		kind := "application/x-www-form-urlencoded"
		if body[0] == '{' || body[0] == '[' {
			kind = "application/json"
		}
		req.Header.Set("Content-Type", kind)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := apiAnswer{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &a.body)
	return a
}

func (s *shopper) want(status int, method, path, body string) apiAnswer {
	s.t.Helper()
	a := s.do(method, path, body)
	if a.status != status {
		s.t.Fatalf("%s %s: %d, want %d\n%s", method, path, a.status, status, a.raw)
	}
	return a
}

// fill puts one piece of each product in the cart and returns the cart's id.
func (s *shopper) fill(products ...int64) string {
	s.t.Helper()
	var lines []string
	for _, id := range products {
		lines = append(lines, fmt.Sprintf(`{"productId":%d,"quantity":1}`, id))
	}
	a := s.want(200, "POST", "/api/storefront/carts", `{"lineItems":[`+strings.Join(lines, ",")+`]}`)
	return a.at("id").(string)
}

func (s *shopper) signIn(email string) {
	s.t.Helper()
	s.want(200, "POST", "/internalapi/v1/checkout/customer", fmt.Sprintf(`{"email":%q,"password":%q}`, email, DemoPassword))
}

const somewhere = `"firstName":"Pat","lastName":"Doe","address1":"1 Long Road","city":"Reno","stateOrProvinceCode":"NV","countryCode":"US","postalCode":"89501","phone":"17755550100"`

// address gives the checkout all it needs to be ordered.
func (s *shopper) address(cart string, ships bool) {
	s.t.Helper()
	base := "/api/storefront/checkouts/" + cart
	if ships {
		a := s.want(200, "POST", base+"/consignments", `[{"address":{`+somewhere+`},"lineItems":[]}]`)
		s.want(200, "PUT", fmt.Sprint(base, "/consignments/", a.at("consignments", 0, "id")), `{"shippingOptionId":"flat-5"}`)
	}
	s.want(200, "POST", base+"/billing-address", `{`+somewhere+`,"email":"pat@example.net"}`)
}

func orderCall(cart, method string) string {
	return fmt.Sprintf(`{"cartId":%q,"payment":{"name":%q}}`, cart, method)
}

const (
	beans = int64(81) // ships
	video = int64(88) // digital
)

func TestShopperSessions(t *testing.T) {
	b := newBench(t, 1)
	ann, bob := b.shopper(), b.shopper()
	cart := ann.fill(beans)
	u, _ := url.Parse(b.store.URL)
	before := ann.client.Jar.Cookies(u)[0]
	if before.Name != sessionCookie || len(before.Value) != 32 {
		t.Errorf("cookie %q of %d characters", before.Name, len(before.Value))
	}
	if got := ann.do("GET", "/api/storefront/carts", "").at(0, "id"); got != cart {
		t.Errorf("her own cart: %v, want %s", got, cart)
	}
	if got := bob.want(200, "GET", "/api/storefront/carts", "").list(); len(got) != 0 {
		t.Errorf("a stranger's list of carts: %v", got)
	}
	for _, tc := range []struct{ method, path, body string }{
		{"GET", "/api/storefront/carts/" + cart, ""},
		{"DELETE", "/api/storefront/carts/" + cart, ""},
		{"GET", "/api/storefront/checkout/" + cart, ""},
		{"GET", "/api/storefront/checkouts/" + cart, ""},
		{"GET", "/api/storefront/checkout-settings?checkoutId=" + cart, ""},
		{"POST", "/api/storefront/carts/" + cart + "/items", `{"lineItems":[{"productId":81,"quantity":1}]}`},
		{"POST", "/api/storefront/checkouts/" + cart + "/billing-address", `{"email":"x@y.example"}`},
		{"POST", "/internalapi/v1/checkout/order", orderCall(cart, "bankdeposit")},
	} {
		bob.want(404, tc.method, tc.path, tc.body)
	}

	ann.signIn("ada@example.com")
	after := ann.client.Jar.Cookies(u)[0]
	if after.Value == before.Value {
		t.Error("the cookie of before the sign-in is still in use")
	}
	old := b.shopper()
	old.client.Jar.SetCookies(u, []*http.Cookie{before})
	if got := old.do("GET", "/api/storefront/carts", "").list(); len(got) != 0 {
		t.Errorf("the cookie of before the sign-in opens %v", got)
	}
	a := ann.want(200, "GET", "/api/storefront/checkout/"+cart+"?include=customer,customer.customerGroup", "")
	if a.at("customer", "email") != "ada@example.com" || a.at("customer", "isGuest") != false || a.at("customer", "customerGroup", "name") != "Members" {
		t.Errorf("customer %v", a.at("customer"))
	}
	ann.address(cart, true)
	ann.want(200, "DELETE", "/internalapi/v1/checkout/customer", "")
	a = ann.want(200, "GET", "/api/storefront/checkout/"+cart, "")
	if a.at("customer", "isGuest") != true || a.at("billingAddress") != nil || len(a.list("consignments")) != 0 {
		t.Errorf("after signing out: customer %v, billing %v, consignments %v", a.at("customer"), a.at("billingAddress"), a.at("consignments"))
	}
	ann.want(404, "POST", "/internalapi/v1/checkout/customer", `{"email":"ada@example.com","password":"wrong"}`)
}

func TestSessionBelongsToOneShop(t *testing.T) {
	b := newBench(t, 1)
	other := b.w.AddShop(ShopOptions{Hash: "other", Host: "other.localhost"})
	s := b.shopper()
	s.fill(beans)
	req, err := http.NewRequest("GET", b.store.URL+"/api/storefront/carts", nil)
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(b.store.URL)
	req.Host = other.Host
	req.AddCookie(s.client.Jar.Cookies(u)[0])
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, _ := io.ReadAll(resp.Body); string(body) != "[]" {
		t.Errorf("another shop knows the cookie: %s", body)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	b := newBench(t, 1)
	f := &storefront{w: b.w, sessions: map[string]*shopperSession{}}
	nobody := discard{http.Header{}}
	first := &shopperSession{shop: b.s}
	f.rename(nobody, first)
	for range maxSessions {
		b.clock.add(time.Millisecond)
		f.rename(nobody, &shopperSession{shop: b.s})
	}
	if len(f.sessions) != maxSessions || f.sessions[first.token] != nil {
		t.Errorf("%d sessions, the first one there: %v", len(f.sessions), f.sessions[first.token] != nil)
	}
}

type discard struct{ h http.Header }

func (d discard) Header() http.Header       { return d.h }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

func TestOrderOnce(t *testing.T) {
	b := newBench(t, 1)
	for _, tc := range []struct {
		name, method   string
		product        int64
		before, status int // after the order call, after finalising
		answer         string
	}{
		{"card, ships", "testgateway", beans, StatusIncomplete, StatusAwaitingFulfillment, "AWAITING_FULFILLMENT"},
		{"card, digital", "testgateway", video, StatusIncomplete, StatusCompleted, "COMPLETED"},
		{"offline", "bankdeposit", beans, StatusAwaitingPayment, StatusAwaitingPayment, "AWAITING_PAYMENT"},
		{"wallet", "applepay", video, StatusIncomplete, StatusCompleted, "COMPLETED"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := b.shopper()
			cart := s.fill(tc.product)
			s.address(cart, tc.product == beans)
			had := len(b.s.Orders())
			a := s.want(200, "POST", "/internalapi/v1/checkout/order", orderCall(cart, tc.method))
			id := int64(a.at("data", "order", "orderId").(float64))
			if o, _ := b.s.Order(id); o.StatusID != tc.before || o.CartID != cart || o.Billing.Email != "pat@example.net" || o.Source != "www" {
				t.Errorf("after the order call: status %d, cart %s, email %s, source %s", o.StatusID, o.CartID, o.Billing.Email, o.Source)
			}
			finalize := fmt.Sprint("/internalapi/v1/checkout/order/", id)
			if tc.before == StatusIncomplete {
				again := s.want(200, "POST", "/internalapi/v1/checkout/order", orderCall(cart, tc.method))
				if got := int64(again.at("data", "order", "orderId").(float64)); got != id {
					t.Errorf("the order call again makes %d, want %d", got, id)
				}
			}
			s.want(200, "POST", finalize, "")
			s.want(200, "PUT", finalize, "")
			o, _ := b.s.Order(id)
			if o.StatusID != tc.status || len(o.History) > 2 {
				t.Errorf("status %d, want %d; history %v", o.StatusID, tc.status, o.History)
			}
			s.want(404, "POST", "/internalapi/v1/checkout/order", orderCall(cart, tc.method))
			if got := len(b.s.Orders()) - had; got != 1 {
				t.Errorf("%d orders", got)
			}
			if got := s.want(200, "GET", "/api/storefront/carts", "").list(); len(got) != 0 {
				t.Errorf("the bought cart is still there: %v", got)
			}
			if got := s.want(200, "GET", fmt.Sprint("/api/storefront/orders/", id), "").at("status"); got != tc.answer {
				t.Errorf("the order reads %v, want %s", got, tc.answer)
			}
			if err := b.s.SetOrderStatus(id, StatusManualVerification, "test"); err != nil {
				t.Fatal(err)
			}
			s.want(200, "POST", finalize, "")
			if o, _ := b.s.Order(id); o.StatusID != StatusManualVerification {
				t.Errorf("a late finalising undid the hold: %d", o.StatusID)
			}
			b.shopper().want(404, "GET", fmt.Sprint("/api/storefront/orders/", id), "")
			b.shopper().want(404, "POST", finalize, "")
		})
	}
}

func TestOrderOnceInAHurry(t *testing.T) {
	b := newBench(t, 1)
	s := b.shopper()
	cart := s.fill(video)
	s.address(cart, false)
	had := len(b.s.Orders())
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			a := s.do("POST", "/internalapi/v1/checkout/order", orderCall(cart, "testgateway"))
			if a.status == http.StatusOK {
				s.do("POST", fmt.Sprint("/internalapi/v1/checkout/order/", a.at("data", "order", "orderId")), "")
			}
		})
	}
	wg.Wait()
	orders := b.s.Orders()[had:]
	if len(orders) != 1 || orders[0].StatusID != StatusCompleted || len(orders[0].History) != 2 {
		t.Errorf("%d orders: %+v", len(orders), orders)
	}
}

func TestOrderRefusals(t *testing.T) {
	b := newBench(t, 1)
	for _, tc := range []struct {
		name    string
		prepare func(*shopper) string // returns the order call's body
		status  int
		kind    string
	}{
		{"no cart", func(*shopper) string { return orderCall("00000000-0000-4000-8000-000000000000", "testgateway") }, 404, statusesPage},
		{"no addresses", func(s *shopper) string { return orderCall(s.fill(beans), "testgateway") }, 400, "missing_shipping_method"},
		{"no billing address", func(s *shopper) string { return orderCall(s.fill(video), "testgateway") }, 400, statusesPage},
		{"a guest's e-mail only", func(s *shopper) string {
			cart := s.fill(video)
			s.want(200, "POST", "/api/storefront/checkouts/"+cart+"/billing-address", `{"email":"pat@example.net"}`)
			return orderCall(cart, "testgateway")
		}, 400, statusesPage},
		{"shipping address incomplete", func(s *shopper) string {
			cart := s.fill(beans)
			s.want(200, "POST", "/api/storefront/checkouts/"+cart+"/consignments", `[{"address":{"countryCode":"US"},"shippingOptionId":"flat-5"}]`)
			return orderCall(cart, "testgateway")
		}, 400, "invalid_shipping_address"},
		{"unknown method", func(s *shopper) string { return orderCall(s.fill(video), "barter") }, 400, statusesPage},
		{"no method", func(s *shopper) string { return fmt.Sprintf(`{"cartId":%q}`, s.fill(video)) }, 400, statusesPage},
		{"not JSON", func(*shopper) string { return "{" }, 400, statusesPage},
		{"too large", func(*shopper) string { return "{" + strings.Repeat(" ", maxStorefrontBody) }, 413, statusesPage},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := b.shopper()
			had := len(b.s.Orders())
			a := s.want(tc.status, "POST", "/internalapi/v1/checkout/order", tc.prepare(s))
			if a.at("type") != tc.kind || a.at("status") != float64(tc.status) || a.at("title") == "" {
				t.Errorf("answer %s, want type %s", a.raw, tc.kind)
			}
			if len(b.s.Orders()) != had {
				t.Error("an order was made")
			}
		})
	}
}

func TestNoCORS(t *testing.T) {
	b := newBench(t, 1)
	s := b.shopper()
	cart := s.fill(beans)
	for _, path := range []string{
		"/api/storefront/carts", "/api/storefront/checkout/" + cart, "/api/storefront/checkout-settings", "/api/storefront/form-fields", "/api/storefront/payments",
		"/internalapi/v1/store/countries", "/internalapi/v1/checkout/order", "/customer/current.jwt?app_client_id=" + testClientID, "/sf/demo/place-api-order", "/",
	} {
		for _, method := range []string{"GET", "POST", "OPTIONS"} {
			req, err := http.NewRequest(method, b.store.URL+path, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Origin", b.app.srv.URL)
			req.Header.Set("Access-Control-Request-Method", "POST")
			req.Header.Set("Access-Control-Request-Headers", "content-type")
			resp, err := s.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			for name := range resp.Header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s %s answers %s: %s", method, path, name, resp.Header.Get(name))
				}
			}
			if method == "OPTIONS" && resp.StatusCode < 400 {
				t.Errorf("OPTIONS %s: %d", path, resp.StatusCode)
			}
		}
	}
}
