package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestShopPages(t *testing.T) {
	b := newBench(t, 1)
	guest, ada := b.shopper(), b.shopper()
	ada.signIn("ada@example.com")
	ada.fill(beans)
	for _, tc := range []struct {
		name   string
		who    *shopper
		path   string
		status int
		has    []string // comma-free marks of the page
	}{
		{"products", guest, "/", 200, []string{"Coffee beans", "$12.00", `id="nav-sign-in"`}},
		{"a category", guest, "/?category=23", 200, []string{"Single malt whisky"}},
		{"product", guest, "/products/81", 200, []string{`id="form-action-addToCart"`, "Copper Kettle"}},
		{"no such product", guest, "/products/4711", 404, []string{"Not found."}},
		{"not a number", guest, "/products/beans", 404, []string{"Not found."}},
		{"empty cart", guest, "/cart.php", 200, []string{"Your cart is empty"}},
		{"cart", ada, "/cart.php", 200, []string{`id="applepayCheckoutButton"`, `id="demo-place-api-order"`, `id="demo-block-script"`, "data-primary-checkout-now-action"}},
		{"cart that pre-renders", ada, "/cart.php?prerender=1", 200, []string{"speculationrules"}},
		{"checkout without a cart", guest, "/checkout", 303, nil},
		{"checkout", ada, "/checkout", 200, []string{`id="checkout-app"`, "data-checkout-id", `id="demo-fill"`}},
		{"checkout with the sample", ada, "/checkout?sample=1", 200, []string{`id="blockid-sample"`, `id="checkout-app"`}},
		{"confirmation", ada, "/checkout/order-confirmation/101", 200, []string{`data-order-id="101"`}},
		{"confirmation of nothing", guest, "/checkout/order-confirmation/x", 404, []string{"no such page"}},
		{"sign in", guest, "/login.php", 200, []string{`id="login-submit"`, "Create an account"}},
		{"register", guest, "/login.php?action=create_account", 200, []string{`id="first_name"`}},
		{"account of a guest", guest, "/account.php", 303, nil},
		{"account", ada, "/account.php", 200, []string{"Hello, Ada", "Order 101"}},
		{"sample", guest, "/pages/blockid-sample", 200, []string{"window.BlockIDVerify.init", "CheckoutService.subscribe", b.app.srv.URL + "/bc/result", "abc123"}},
		{"wallet", guest, "/sf/wallet/paypalcommerce", 200, []string{"wallet:open"}},
		{"no such wallet", guest, "/sf/wallet/barter", 404, nil},
		{"picture", guest, "/sf/product-image/81.svg", 200, []string{"<svg"}},
		{"script", guest, "/sf/assets/checkout.js", 200, []string{"class CheckoutApp"}},
		{"nothing", guest, "/nothing/here", 404, []string{"no such page"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := tc.who.want(tc.status, "GET", tc.path, "")
			for _, mark := range tc.has {
				if !strings.Contains(a.raw, mark) {
					t.Errorf("no %q in the page", mark)
				}
			}
		})
	}
	if a := guest.want(404, "GET", "/api/storefront/nothing", ""); a.at("status") != 404.0 {
		t.Errorf("an unknown API path answers %s", a.raw)
	}
}

func TestMerchantCSP(t *testing.T) {
	b := newBench(t, 1)
	b.s.SetCSP(CSPHeader{Enabled: true, Value: "default-src 'self'"})
	if got := b.shopper().want(200, "GET", "/", "").header.Get("Content-Security-Policy"); got != "default-src 'self'" {
		t.Errorf("Content-Security-Policy %q", got)
	}
}

func TestCartForms(t *testing.T) {
	b := newBench(t, 1)
	s := b.shopper()
	s.want(303, "POST", "/cart.php", "action=add&product_id=81&qty=2")
	s.want(303, "POST", "/cart.php", "action=add&product_id=88")
	cart := s.want(200, "GET", "/api/storefront/carts", "")
	item := fmt.Sprint(cart.at(0, "lineItems", "physicalItems", 0, "id"))
	if cart.at(0, "cartAmount") != 53.0 || cart.at(0, "version") != 3.0 {
		t.Errorf("cart of %v, version %v", cart.at(0, "cartAmount"), cart.at(0, "version"))
	}
	s.want(303, "POST", "/cart.php", "action=update&item="+item+"&qty=5")
	if got := s.do("GET", "/api/storefront/carts", "").at(0, "cartAmount"); got != 89.0 {
		t.Errorf("after changing the quantity: %v", got)
	}
	s.want(422, "POST", "/cart.php", "action=update&item="+item+"&qty=101")
	s.want(404, "POST", "/cart.php", "action=add&product_id=4711")
	s.want(400, "POST", "/cart.php", "action=steal")
	s.want(413, "POST", "/cart.php", "action=add&x="+strings.Repeat("x", maxStorefrontBody))
	s.want(303, "POST", "/cart.php", "action=update&item="+item+"&qty=0")
	other := fmt.Sprint(s.do("GET", "/api/storefront/carts", "").at(0, "lineItems", "digitalItems", 0, "id"))
	s.want(303, "POST", "/cart.php", "action=update&item="+other+"&qty=0")
	if got := s.do("GET", "/api/storefront/carts", "").list(); len(got) != 0 {
		t.Errorf("an emptied cart is still there: %v", got)
	}
}

func TestAccounts(t *testing.T) {
	b := newBench(t, 1)
	s := b.shopper()
	s.fill(beans)
	const good = "first_name=Rosa&last_name=Park&login_email=rosa@example.org&login_pass=good"
	for _, tc := range []struct {
		name, path, form string
		status           int
		says             string
	}{
		{"wrong password", "/login.php?action=check_login", "login_email=ada@example.com&login_pass=no", 422, "incorrect"},
		{"no such account", "/login.php?action=check_login", "login_email=nobody@example.com&login_pass=demo", 422, "incorrect"},
		{"no name", "/login.php?action=create_account", "login_email=a@b.example&login_pass=good", 422, "first and last name"},
		{"short password", "/login.php?action=create_account", "first_name=a&last_name=b&login_email=a@b.example&login_pass=abc", 422, "at least 4"},
		{"taken", "/login.php?action=create_account", "first_name=a&last_name=b&login_email=ADA@example.com&login_pass=good", 409, "already an account"},
		{"not an address", "/login.php?action=create_account", "first_name=a&last_name=b&login_email=nobody&login_pass=good", 422, "want an address"},
		{"registers", "/login.php?action=create_account", good + "&then=/checkout", 303, ""},
		{"and is signed in", "/login.php?action=check_login", "login_email=rosa@example.org&login_pass=good", 303, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if a := s.want(tc.status, "POST", tc.path, tc.form); !strings.Contains(a.raw, tc.says) {
				t.Errorf("the page does not say %q", tc.says)
			}
		})
	}
	if got := s.do("GET", "/api/storefront/carts", "").at(0, "email"); got != "rosa@example.org" {
		t.Errorf("the cart's e-mail is %v", got)
	}
	s.want(303, "GET", "/login.php?action=logout", "")
	s.want(404, "GET", "/customer/current.jwt?app_client_id="+testClientID, "")

	s.want(204, "POST", "/api/storefront/customer", `{"firstName":"Ida","lastName":"Wells","email":"ida@example.org","password":"good"}`)
	s.want(200, "GET", "/customer/current.jwt?app_client_id="+testClientID, "")
	s.want(409, "POST", "/api/storefront/customers", `{"firstName":"Ida","lastName":"Wells","email":"ida@example.org","password":"good"}`)
	if got := b.s.Customers(); len(got) != 7 {
		t.Errorf("%d accounts, want the seed's 5 and 2 new ones", len(got))
	}
}

func TestLocalPath(t *testing.T) {
	for in, want := range map[string]string{
		"/checkout": "/checkout", "/checkout?sample=1": "/checkout?sample=1", "": "/account.php", "//evil.example": "/account.php", "https://evil.example/": "/account.php",
		`/\evil.example`: "/account.php", "javascript:alert(1)": "/account.php", "checkout": "/account.php", "/%zz": "/account.php",
	} {
		if got := localPath(in); got != want {
			t.Errorf("localPath(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestAddressRequest(t *testing.T) {
	for _, tc := range []struct {
		name    string
		in      addressRequest
		state   string
		code    string
		country string
		ok      bool
	}{
		{"state by code", addressRequest{CountryCode: "us", StateOrProvinceCode: "TX"}, "Texas", "TX", "United States", true},
		{"state by name", addressRequest{CountryCode: "CA", StateOrProvince: "quebec"}, "Quebec", "QC", "Canada", true},
		{"a country without states", addressRequest{CountryCode: "FR", StateOrProvince: "Bretagne"}, "Bretagne", "", "France", true},
		{"no country", addressRequest{Email: "a@b.example"}, "", "", "", true},
		{"unknown country", addressRequest{CountryCode: "ZZ"}, "", "", "", false},
		{"too long", addressRequest{CountryCode: "US", City: strings.Repeat("x", maxField+1)}, "", "", "", false},
	} {
		got, err := tc.in.address()
		if (err == nil) != tc.ok || got.State != tc.state || got.StateCode != tc.code || got.Country != tc.country {
			t.Errorf("%s: %+v, %v", tc.name, got, err)
		}
	}
}

func TestDemoToolbar(t *testing.T) {
	b := newBench(t, 1)
	s := b.shopper()
	s.want(409, "POST", "/sf/demo/place-api-order", "{}")
	cart := s.fill(beans)
	s.want(200, "POST", "/api/storefront/checkouts/"+cart+"/billing-address", `{"email":"pat@example.net"}`)
	a := s.want(200, "POST", "/sf/demo/place-api-order", "{}")
	o, err := b.s.Order(int64(a.at("order_id").(float64)))
	if err != nil {
		t.Fatal(err)
	}
	if o.Source != "checkout_api" || o.CartID != cart || o.Billing.Email != "pat@example.net" || o.StatusID != StatusAwaitingFulfillment || o.CustomerID != 0 {
		t.Errorf("order %+v", o)
	}
	s.want(409, "POST", "/sf/demo/place-api-order", "{}")
	s.want(200, "GET", fmt.Sprint("/api/storefront/orders/", o.ID), "")

	s.signIn("grace@example.com")
	s.fill(beans)
	a = s.want(200, "POST", "/sf/demo/place-api-order", "{}")
	if o, _ = b.s.Order(int64(a.at("order_id").(float64))); o.CustomerID != 32 || o.Billing.LastName != "Hopper" {
		t.Errorf("a member's order is of customer %d, %s", o.CustomerID, o.Billing.LastName)
	}
	for _, blocked := range []bool{true, false} {
		s.want(200, "POST", "/sf/demo/block-script", fmt.Sprintf(`{"blocked":%v}`, blocked))
		if b.s.ScriptsBlocked() != blocked {
			t.Errorf("blocked is not %v", blocked)
		}
	}
}

func TestVersionConflicts(t *testing.T) {
	b := newBench(t, 1)
	s := b.shopper()
	cart := s.fill(beans)
	for _, tc := range []struct{ method, path, body string }{
		{"POST", "/api/storefront/carts/" + cart + "/items", `{"version":1,"lineItems":[{"productId":81,"quantity":1}]}`},
		{"POST", "/api/storefront/checkouts/" + cart + "/billing-address", `{"version":1,"email":"pat@example.net"}`},
		{"POST", "/api/storefront/checkouts/" + cart + "/consignments", `[{"version":1,"address":{"countryCode":"US"}}]`},
		{"PUT", "/api/storefront/checkout/" + cart, `{"version":1,"customerMessage":"hello"}`},
	} {
		s.want(409, tc.method, tc.path, tc.body)
		s.want(200, tc.method, tc.path, strings.Replace(tc.body, `"version":1,`, "", 1))
	}
}

func TestAsRefusal(t *testing.T) {
	for _, tc := range []struct {
		err    error
		status int
	}{
		{fmt.Errorf("x: %w", ErrNotFound), 404}, {fmt.Errorf("x: %w", ErrConverted), 409}, {fmt.Errorf("x: %w", ErrTaken), 409},
		{errors.New("quantity 0: want 1 to 100"), 422}, {fmt.Errorf("x: %w", refuse(418, "t", "d")), 418},
	} {
		if got := asRefusal(tc.err); got.Status != tc.status {
			t.Errorf("%v is %d, want %d", tc.err, got.Status, tc.status)
		}
	}
}

// visitor calls a handler directly and keeps its cookies.
type visitor struct {
	t       *testing.T
	handler http.Handler
	cookies map[string]*http.Cookie
}

func newVisitor(t *testing.T, h http.Handler) *visitor {
	return &visitor{t: t, handler: h, cookies: map[string]*http.Cookie{}}
}

func (v *visitor) send(method, path, body string) apiAnswer {
	v.t.Helper()
	r := httptest.NewRequest(method, "http://store.localhost"+path, strings.NewReader(body))
	kind := "application/json"
	if strings.HasSuffix(strings.SplitN(path, "?", 2)[0], ".php") {
		kind = "application/x-www-form-urlencoded"
	}
	r.Header.Set("Content-Type", kind)
	for _, c := range v.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	v.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		v.cookies[c.Name] = c
	}
	a := apiAnswer{status: w.Code, header: w.Header(), raw: w.Body.String()}
	_ = json.Unmarshal(w.Body.Bytes(), &a.body)
	return a
}

// FuzzStorefrontWrites sends any body to every path that reads one: never a panic, never a 5xx.
func FuzzStorefrontWrites(f *testing.F) {
	paths := []struct{ method, path string }{
		{"POST", "/api/storefront/carts"}, {"POST", "/api/storefront/carts/CART/items"}, {"PUT", "/api/storefront/carts/CART/items/ITEM"},
		{"DELETE", "/api/storefront/carts/CART/items/none"}, {"POST", "/api/storefront/carts/CART/currency"}, {"PUT", "/api/storefront/checkout/CART"},
		{"POST", "/api/storefront/checkouts/CART/billing-address"}, {"POST", "/api/storefront/checkouts/CART/consignments"},
		{"POST", "/internalapi/v1/checkout/order"}, {"POST", "/internalapi/v1/checkout/customer"}, {"POST", "/api/storefront/customer"},
		{"POST", "/sf/demo/block-script"}, {"POST", "/cart.php"}, {"POST", "/login.php"},
	}
	f.Add(0, `{"lineItems":[{"productId":81,"quantity":1}]}`)
	f.Add(2, `{"lineItem":{"quantity":-1},"version":null}`)
	f.Add(6, `{"countryCode":"US","email":7}`)
	f.Add(7, `[{"address":{"countryCode":"US"},"shippingOptionId":"flat-5"}]`)
	f.Add(8, `{"cartId":null,"payment":{"name":"testgateway"}}`)
	f.Add(12, "action=update&item=%zz&qty=1e9")
	w := New(Options{StoreURL: "http://store.localhost:1", AppURL: "http://app.localhost:2"})
	s := w.AddShop(ShopOptions{Hash: "abc123"})
	if err := SeedDemo(s); err != nil {
		f.Fatal(err)
	}
	handler := w.storefrontHandler()
	f.Fuzz(func(t *testing.T, which int, body string) {
		target := paths[uint(which)%uint(len(paths))]
		v := newVisitor(t, handler)
		a := v.send("POST", "/api/storefront/carts", `{"lineItems":[{"productId":81,"quantity":1}]}`)
		cart, item := fmt.Sprint(a.at("id")), fmt.Sprint(a.at("lineItems", "physicalItems", 0, "id"))
		path := strings.NewReplacer("CART", cart, "ITEM", item).Replace(target.path)
		if a := v.send(target.method, path, body); a.status >= http.StatusInternalServerError {
			t.Errorf("%s %s: %d\n%s", target.method, target.path, a.status, a.raw)
		}
	})
}
