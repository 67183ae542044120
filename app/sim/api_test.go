package sim

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestGuards(t *testing.T) {
	b := newBench(t, 1)
	poor := b.s.AddAPIAccount("store_v2_information_read_only")
	for _, tc := range []struct {
		name, token, method, path, body, kind string
		status                                int
		v2                                    bool
	}{
		{"no token, v3", "", "GET", "/v3/customers", "", "", 401, false},
		{"wrong token, v2", "nonsense", "GET", "/v2/orders", "", "", 401, true},
		{"scope missing, v3", poor.Value, "GET", "/v3/customers", "", "", 403, false},
		{"scope missing, v2", poor.Value, "GET", "/v2/orders", "", "", 403, true},
		{"read-only scope writes", poor.Value, "PUT", "/v3/settings/storefront/security", "{}", "application/json", 403, false},
		{"no such path, v3", b.token.Value, "GET", "/v3/nothing", "", "", 404, false},
		{"no such order, v2", b.token.Value, "GET", "/v2/orders/4711", "", "", 404, true},
		{"not a number", b.token.Value, "GET", "/v2/orders/x", "", "", 404, true},
		{"form body", b.token.Value, "PUT", "/v3/customers", "a=b", "application/x-www-form-urlencoded", 415, false},
		{"not JSON, v3", b.token.Value, "PUT", "/v3/customers", "{", "application/json", 400, false},
		{"not JSON, v2", b.token.Value, "PUT", "/v2/orders/101", "{", "application/json", 400, true},
		{"wrong type", b.token.Value, "POST", "/v3/hooks", `{"scope":7}`, "application/json", 422, false},
		{"too large", b.token.Value, "PUT", "/v3/customers", strings.Repeat(" ", maxAPIBody+1), "application/json", 413, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req, err := http.NewRequest(tc.method, b.store.URL+"/stores/abc123"+tc.path, strings.NewReader(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Auth-Token", tc.token)
			if tc.kind != "" {
				req.Header.Set("Content-Type", tc.kind)
			}
			resp, err := b.store.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			first := make([]byte, 1)
			_, _ = resp.Body.Read(first)
			if resp.StatusCode != tc.status || (first[0] == '[') != tc.v2 {
				t.Errorf("%d starting %q, want %d and v2 form %v", resp.StatusCode, first, tc.status, tc.v2)
			}
		})
	}
	b.s = &Shop{Hash: "nowhere1"}
	if a := b.api("GET", "/v2/time", ""); a.status != 404 {
		t.Errorf("an unknown store: %d, want 404", a.status)
	}
}

func TestQuota(t *testing.T) {
	b := newBench(t, 1)
	b.s.SetQuota(3)
	b.clock.add(time.Minute)
	for left := 2; left >= 0; left-- {
		a := b.want(200, "GET", "/v2/time", "")
		if got := a.header.Get("X-Rate-Limit-Requests-Left"); got != fmt.Sprint(left) {
			t.Errorf("left %q, want %d", got, left)
		}
		if q, w := a.header.Get("X-Rate-Limit-Requests-Quota"), a.header.Get("X-Rate-Limit-Time-Window-Ms"); q != "3" || w != "30000" {
			t.Errorf("quota %q, window %q", q, w)
		}
	}
	b.clock.add(10 * time.Second)
	a := b.want(429, "GET", "/v2/time", "")
	if got := a.header.Get("X-Retry-After"); got != "20" {
		t.Errorf("X-Retry-After %q, want 20", got)
	}
	if got := a.header.Get("X-Rate-Limit-Time-Reset-Ms"); got != "20000" {
		t.Errorf("reset %q, want 20000", got)
	}
	b.clock.add(20 * time.Second)
	b.want(200, "GET", "/v2/time", "")
}

func TestListPages(t *testing.T) {
	b := newBench(t, 1)
	for _, tc := range []struct {
		query             string
		n                 int
		page, pages, next string
	}{
		{"", 8, "1", "1", ""},
		{"?limit=3", 3, "1", "3", "?page=2&limit=3"},
		{"?limit=3&page=3", 2, "3", "3", ""},
		{"?limit=3&page=9", 0, "9", "3", ""},
		{"?limit=9999", 8, "1", "1", ""},
		{"?page=-1&limit=x", 8, "1", "1", ""},
	} {
		a := b.want(200, "GET", "/v3/catalog/products"+tc.query, "")
		p := func(k string) string { return fmt.Sprint(a.at("meta", "pagination", k)) }
		next, _ := a.at("meta", "pagination", "links", "next").(string)
		if len(a.list("data")) != tc.n || p("current_page") != tc.page || p("total_pages") != tc.pages || p("total") != "8" || next != tc.next {
			t.Errorf("%q: %d items, page %s of %s, total %s, next %q", tc.query, len(a.list("data")), p("current_page"), p("total_pages"), p("total"), next)
		}
	}
}

func TestShopInformation(t *testing.T) {
	b := newBench(t, 1)
	a := b.want(200, "GET", "/v2/store", "")
	for k, want := range map[string]any{"id": "abc123", "store_id": float64(b.s.StoreID), "currency": "USD", "default_channel_id": float64(1)} {
		if a.at(k) != want {
			t.Errorf("%s is %v, want %v", k, a.at(k), want)
		}
	}
	if got := b.want(200, "GET", "/v2/time", "").at("time"); got != float64(b.clock.now().Unix()) {
		t.Errorf("time %v", got)
	}
	b.s.AddChannel(Channel{Name: "Till", Type: "pos", Platform: "custom", Status: "connected"})
	b.s.AddChannel(Channel{Name: "Old shop", Type: "storefront", Platform: "bigcommerce", Status: "terminated"})
	if n := len(b.want(200, "GET", "/v3/channels", "").list("data")); n != 3 {
		t.Errorf("%d channels, want 3", n)
	}
	if n := len(b.want(200, "GET", "/v3/channels?type:in=storefront&available=true", "").list("data")); n != 1 {
		t.Errorf("%d available storefronts, want 1", n)
	}
	if got := b.want(200, "GET", "/v3/channels/1/site", "").at("data", "url"); got != b.s.BaseURL {
		t.Errorf("the site's url is %v, want %s", got, b.s.BaseURL)
	}
	b.s.SetCSP(CSPHeader{Enabled: true, Value: "default-src 'self'"})
	if got := b.want(200, "GET", "/v3/settings/storefront/security", "").at("data", "csp_header", "header_value"); got != "default-src 'self'" {
		t.Errorf("CSP %v", got)
	}
}

func TestSecondShop(t *testing.T) {
	b := newBench(t, 1)
	second := b.w.AddShop(ShopOptions{Hash: "zzz999", Name: "Second", Host: "second.localhost", MoreChannels: []string{"third.localhost"}})
	for host, want := range map[string]*Shop{
		"second.localhost:99": second, "THIRD.localhost": second, "localhost": b.s, "127.0.0.1:80": b.s, "store.localhost": b.s, "[::1]:80": b.s,
	} {
		if got := b.w.ShopForHost(host); got != want {
			t.Errorf("%s is shop %s", host, got.Hash)
		}
	}
	if b.w.Shop("zzz999") != second || b.w.Shop("none") != nil || len(b.w.Shops()) != 2 {
		t.Error("shops are not found by hash")
	}
	if len(second.Channels()) != 2 || len(second.Sites()) != 2 {
		t.Errorf("channels %v sites %v", second.Channels(), second.Sites())
	}
	a := b.apiAs(b.token.Value, "GET", "/v2/time", "")
	if a.status != 200 {
		t.Fatal(a.status)
	}
	b.s = second // the first shop's token is nothing here
	if a := b.api("GET", "/v2/time", ""); a.status != 401 {
		t.Errorf("another shop's token: %d, want 401", a.status)
	}
}

func TestCartsAndCheckouts(t *testing.T) {
	b := newBench(t, 1)
	c := b.fill("COF-250")
	a := b.want(200, "GET", "/v3/carts/"+c.ID, "")
	if a.at("data", "cart_amount") != 12.0 || a.at("data", "email") != "nikola@example.net" || len(a.list("data", "line_items", "physical_items")) != 1 {
		t.Errorf("cart %s", a.raw)
	}
	a = b.want(200, "GET", "/v3/checkouts/"+c.ID, "")
	if a.at("data", "grand_total") != 17.0 || a.at("data", "billing_address", "last_name") != "Guest" || a.at("data", "order_id") != nil {
		t.Errorf("checkout %s", a.raw)
	}
	if got := a.at("data", "consignments", 0, "selected_shipping_option", "cost"); got != 5.0 {
		t.Errorf("shipping %v, want 5", got)
	}
	o := must[Order](t)(b.s.PlaceOrder(c.ID, PlaceOptions{}))
	b.want(404, "GET", "/v3/carts/"+c.ID, "")
	if got := b.want(200, "GET", "/v3/checkouts/"+c.ID, "").at("data", "order_id"); got != fmt.Sprint(o.ID) {
		t.Errorf("order_id %v, want %d", got, o.ID)
	}
	b.want(404, "GET", "/v3/checkouts/00000000-0000-4000-8000-000000000000", "")
}

func TestCatalog(t *testing.T) {
	b := newBench(t, 1)
	var whisky Product
	for _, p := range b.s.Products() {
		if p.SKU == "WHI-12" {
			whisky = p
		}
	}
	a := b.want(200, "GET", fmt.Sprintf("/v3/catalog/products?id:in=%d,4711&include_fields=categories,name", whisky.ID), "")
	only, _ := a.at("data", 0).(map[string]any)
	if len(a.list("data")) != 1 || len(only) != 3 || only["name"] != "Single malt whisky" {
		t.Errorf("%s", a.raw)
	}
	category := a.at("data", 0, "categories", 0)
	a = b.want(200, "GET", fmt.Sprintf("/v3/catalog/categories?id:in=%v", category), "")
	if a.at("data", 0, "name") != "Alcohol" {
		t.Errorf("%s", a.raw)
	}
	if got := b.want(200, "GET", fmt.Sprintf("/v3/catalog/products/%d", whisky.ID), "").at("data", "price"); got != 59.0 {
		t.Errorf("price %v", got)
	}
	if n := len(b.want(200, "GET", "/v3/catalog/brands", "").list("data")); n != 5 {
		t.Errorf("%d brands", n)
	}
}

// FuzzAPI sends any body to any route: no answer is a 5xx and nothing panics.
func FuzzAPI(f *testing.F) {
	w := New(Options{ClientID: testClientID, ClientSecret: testSecret, AppURL: "http://app.localhost:1", StoreURL: "http://store.localhost:2", Seed: 3})
	s := w.AddShop(ShopOptions{Hash: "abc123", RequestsPerWindow: -1})
	if err := SeedDemo(s); err != nil {
		f.Fatal(err)
	}
	var scopes []string
	for _, rt := range apiRoutes() {
		scopes = append(scopes, rt.scopes...)
	}
	account := s.AddAPIAccount(scopes...)
	h := w.apiHandler()
	routes := apiRoutes()
	for i := range routes {
		f.Add(i, "101", "limit=2&page=1&id:in=31", `[{"id":31,"attribute_id":1,"customer_id":31,"value":"2","name":"x","type":"string"}]`)
		f.Add(i, "31", "min_date_modified=2026-01-02&sort=date_modified:desc", `{"scope":"store/order/*","destination":"https://a.example","headers":{"a":"b"},"name":"n","src":"https://a.example/x.js"}`)
	}
	f.Fuzz(func(t *testing.T, i int, id, query, body string) {
		rt := routes[int(uint(i)%uint(len(routes)))]
		path := pathWildcard.ReplaceAllString(rt.path, strings.ReplaceAll(urlEscape(id), "$", ""))
		req, err := http.NewRequest(rt.method, "http://store.localhost:2/stores/abc123"+path+"?"+urlEscapeQuery(query), strings.NewReader(body))
		if err != nil {
			t.Skip()
		}
		req.Header.Set("X-Auth-Token", account.Value)
		req.Header.Set("Content-Type", "application/json")
		rw := &statusOnly{header: http.Header{}}
		h.ServeHTTP(rw, req)
		if rw.status >= 500 {
			t.Errorf("%s %s %s: %d", rt.method, req.URL, body, rw.status)
		}
	})
}

var pathWildcard = regexp.MustCompile(`\{[a-z]+\}`)

func urlEscape(s string) string { return url.PathEscape(s) }

func urlEscapeQuery(s string) string {
	q, err := url.ParseQuery(s)
	if err != nil {
		return ""
	}
	return q.Encode()
}

// statusOnly is a ResponseWriter that keeps the status.
type statusOnly struct {
	header http.Header
	status int
}

func (s *statusOnly) Header() http.Header         { return s.header }
func (s *statusOnly) WriteHeader(code int)        { s.status = code }
func (s *statusOnly) Write(p []byte) (int, error) { return len(p), nil }
