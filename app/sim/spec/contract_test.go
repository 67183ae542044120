package spec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"idgate/app/sim"
	"idgate/app/sim/spec"
)

// sharedFiles finds ../shared/openapi beside the repository.
func sharedFiles(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, "..", "shared", "openapi")
	if _, err := os.Stat(dir); err != nil {
		const reason = "BigCommerce's OpenAPI files are not at hand in ../shared/openapi: NOTHING WAS CHECKED AGAINST THEM"
		if os.Getenv("CI") == "true" {
			t.Fatal(reason)
		}
		t.Skip(reason)
	}
	return dir
}

// difference is an answer that differs from the documents on purpose, or where they contradict themselves.
type difference struct{ operation, complaint, reason string }

const (
	cartNull       = "/cart_id: Value is not nullable"
	consentUnknown = "/consent_category: value is not one of the allowed values"
	twoShapes      = "/consignments: input matches more than one oneOf schemas"
)

var known = []difference{
	{"GET /v2/orders 200", cartNull, "an order made by API has no cart: null, so that clients must cope with it"},
	{"GET /v2/orders/{order_id} 200", cartNull, "as in the list"},
	{"PUT /v2/orders/{order_id} 200", cartNull, "as in the list"},
	{"GET /v2/orders 200", twoShapes, "the document's two shapes have no required fields, so every object is both"},
	{"GET /v2/orders/{order_id} 200", twoShapes, "as in the list"},
	{"PUT /v2/orders/{order_id} 200", twoShapes, "as in the list"},
	{"GET /v2/customer_groups 200", "/discount_rules: input matches more than one oneOf schemas", "the document's four shapes all allow the empty list"},
	{"GET /v3/content/scripts 200", consentUnknown, "the document's text says the default is unknown, its list leaves it out"},
	{"POST /v3/content/scripts 200", consentUnknown, "as in the list"},
	{"GET /v2/orders 204", undocumented, "an empty v2 list is 204 without a body"},
	{"PUT /v2/orders/{order_id} 400", undocumented, "the form of an unwritable field is taken from the shipping_addresses operation"},
	{"PUT /v2/customers/{customer_id} 400", undocumented, "as for orders"},
	{"GET /v3/sites/{site_id} 404", undocumented, "no error is documented"},
}

const undocumented = "the status is not documented"

// madeUp are fields of answers that their schema does not mention.
var madeUp = map[string]string{
	"GET /v3/customers/{customerId}/metafields data.owner_client_id":               "POST's schema has it, and so has an order's list",
	"GET /v3/customers/{customerId}/metafields/{metafieldId} data.owner_client_id": "POST's schema has it, and so has an order's",
	"PUT /v2/customers/{customer_id} id":                                           "GET's schema has it",
	"PUT /v2/customers/{customer_id} date_created":                                 "GET's schema has it",
	"PUT /v2/customers/{customer_id} date_modified":                                "GET's schema has it",
	"GET /v3/checkouts/{checkoutId} status":                                        "a 404 has v3's own error shape; the schema lists errors only",
	"GET /v3/checkouts/{checkoutId} title":                                         "as status",
	"GET /v3/checkouts/{checkoutId} type":                                          "as status",
}

// undescribed are paths that no document at hand describes.
var undescribed = []string{"GET /v3/catalog/brands", "GET /v3/catalog/categories", "GET /v3/catalog/products", "GET /v3/catalog/products/81"}

type bench struct {
	t     *testing.T
	book  *spec.Book
	url   string
	token string

	driven     map[string]bool // method and path of every request
	operations map[string]bool // documented operations that were checked
	statuses   map[string]bool // operation and status
	complaints map[difference]bool
	unknown    map[string]bool // method and path that no document describes
	extras     map[string]bool // operation and field that its schema does not mention
}

// call makes one request, checks the answer and returns it.
func (b *bench) call(method, path, body string) (int, any) {
	b.t.Helper()
	req, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", b.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(resp.Body); err != nil {
		b.t.Fatal(err)
	}
	b.check(method, path, resp.StatusCode, buf.Bytes())
	var v any
	_ = json.Unmarshal(buf.Bytes(), &v)
	return resp.StatusCode, v
}

func (b *bench) check(method, path string, status int, answer []byte) {
	b.t.Helper()
	bare, _, _ := strings.Cut(path, "?")
	b.driven[method+" "+bare] = true
	op := b.book.Find(method, bare)
	if op == nil {
		b.unknown[method+" "+bare] = true
		return
	}
	key := fmt.Sprintf("%s %d", op.Name, status)
	b.operations[op.Name], b.statuses[key] = true, true
	for _, field := range op.Extras(status, answer) {
		b.extras[op.Name+" "+field] = true
	}
	err := op.CheckResponse(status, answer)
	for _, c := range complaintsOf(err) {
		b.complaints[difference{operation: key, complaint: c}] = true
	}
}

var oneComplaint = regexp.MustCompile(`Error at "([^"]+)": ([^|{\[]*)`)

// complaintsOf names where and what, without the schema's text and the indexes of lists.
func complaintsOf(err error) []string {
	if err == nil {
		return nil
	}
	if errors.Is(err, spec.ErrUndocumented) {
		return []string{undocumented}
	}
	var out []string
	text := strings.ReplaceAll(strings.Join(strings.Fields(err.Error()), " "), "doesn't match schema due to:", "|")
	for _, m := range oneComplaint.FindAllStringSubmatch(text, -1) {
		what, _, _ := strings.Cut(m[2], " Schema:")
		if what == "" {
			continue // its parts follow
		}
		out = append(out, listIndex.ReplaceAllString(m[1], "")+": "+strings.TrimSpace(what))
	}
	if out == nil {
		return []string{err.Error()}
	}
	return out
}

var listIndex = regexp.MustCompile(`^/[0-9]+`)

// ok is a call that must succeed.
func (b *bench) ok(method, path, body string) any {
	b.t.Helper()
	status, v := b.call(method, path, body)
	if status < 200 || status > 299 {
		b.t.Fatalf("%s %s: %d %v", method, path, status, v)
	}
	return v
}

// at walks objects by name and lists by number.
func at(v any, path ...any) any {
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				return nil
			}
			v = l[s]
		}
	}
	return v
}

func newBench(t *testing.T, book *spec.Book) (*bench, *sim.Shop) {
	t.Helper()
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	w := sim.New(sim.Options{ClientID: "client", ClientSecret: "secret", AppURL: "https://app.example", StoreURL: srv.URL, Seed: 1})
	s := w.AddShop(sim.ShopOptions{Hash: "abc123", RequestsPerWindow: -1})
	if err := sim.SeedDemo(s); err != nil {
		t.Fatal(err)
	}
	mux.Handle("/", w.StoreHandler())
	account := s.AddAPIAccount(append(slices.Clone(sim.DefaultScopes), "store_v2_information")...)
	b := &bench{
		t: t, book: book, url: srv.URL + "/stores/abc123", token: account.Value,
		driven: map[string]bool{}, operations: map[string]bool{}, statuses: map[string]bool{}, complaints: map[difference]bool{}, unknown: map[string]bool{}, extras: map[string]bool{},
	}
	return b, s
}

// TestAnswersAgainstDocuments drives every operation of the simulator, good and bad, and compares
// each answer with the published schema of its operation and status.
func TestAnswersAgainstDocuments(t *testing.T) {
	book, err := spec.Load(sharedFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	b, s := newBench(t, book)
	driveStore(b)
	driveOrders(b)
	driveCustomers(b, s)
	driveContent(b)
	driveCheckout(b, s)
	b.report()
}

func driveStore(b *bench) {
	for _, path := range []string{
		"/v2/store", "/v2/time", "/v3/channels?type:in=storefront&available=true", "/v3/channels/1", "/v3/channels/1/site", "/v3/sites", "/v3/sites/1001",
		"/v3/settings/storefront/security", "/v3/catalog/products?include_fields=name", "/v3/catalog/products/81", "/v3/catalog/categories", "/v3/catalog/brands",
	} {
		b.ok("GET", path, "")
	}
	b.ok("PUT", "/v3/settings/storefront/security", `{"csp_header":{"enabled":true,"header_value":"default-src 'self'"}}`)
	b.call("GET", "/v3/channels/7", "")
	b.call("GET", "/v3/sites/7", "")
}

func driveOrders(b *bench) {
	b.ok("GET", "/v2/orders?limit=3&sort=date_modified:desc", "")
	b.call("GET", "/v2/orders?min_id=9999", "")
	b.ok("GET", "/v2/orders/count", "")
	b.ok("GET", "/v2/orders/101", "")
	b.call("GET", "/v2/orders/9999", "")
	b.ok("PUT", "/v2/orders/101", `{"status_id":12,"staff_notes":"held"}`)
	b.call("PUT", "/v2/orders/101", `{"item_total":1}`)
	b.ok("GET", "/v2/orders/101/products", "")
	b.ok("GET", "/v2/orders/101/shipping_addresses", "")
	b.ok("GET", "/v2/order_statuses", "")
	b.ok("GET", "/v2/order_statuses/11", "")
	b.metafields("/v3/orders/101/metafields")
}

func (b *bench) metafields(base string) {
	good := `{"permission_set":"app_only","namespace":"blockid","key":"decision","value":"{}","description":"d"}`
	b.ok("POST", base, good)
	b.call("POST", base, good)
	b.call("POST", base, `{}`)
	list := b.ok("GET", base, "")
	one := fmt.Sprintf("%s/%v", base, at(list, "data", 0, "id"))
	b.ok("GET", one, "")
	b.ok("PUT", one, `{"permission_set":"read","namespace":"blockid","key":"decision","value":"two"}`)
	b.ok("DELETE", one, "")
	b.call("GET", one, "")
	b.call("PUT", one, `{}`)
	b.call("DELETE", one, "")
}

func driveCustomers(b *bench, s *sim.Shop) {
	ada := s.Customers()[0].ID
	b.ok("GET", fmt.Sprintf("/v2/customers/%d", ada), "")
	b.ok("PUT", fmt.Sprintf("/v2/customers/%d", ada), `{"company":"Engines"}`)
	b.call("PUT", fmt.Sprintf("/v2/customers/%d", ada), `{"custom_fields":[{"name":"blockid_ial","value":"2"}]}`)
	b.ok("GET", "/v2/customer_groups", "")
	b.ok("PUT", "/v3/customers", fmt.Sprintf(`[{"id":%d,"customer_group_id":2}]`, ada))
	b.call("PUT", "/v3/customers", `[{"id":9999}]`)
	made := b.ok("POST", "/v3/customers/attributes", `[{"name":"blockid_ial","type":"number"}]`)
	b.call("POST", "/v3/customers/attributes", `[{"name":"blockid_ial","type":"number"}]`)
	b.ok("GET", "/v3/customers/attributes?name=blockid_ial", "")
	id := at(made, "data", 0, "id")
	values := b.ok("PUT", "/v3/customers/attribute-values", fmt.Sprintf(`[{"attribute_id":%v,"customer_id":%d,"value":"2"}]`, id, ada))
	b.call("PUT", "/v3/customers/attribute-values", fmt.Sprintf(`[{"attribute_id":%v,"customer_id":%d,"value":%q}]`, id, ada, strings.Repeat("x", 256)))
	b.ok("GET", fmt.Sprintf("/v3/customers/attribute-values?customer_id:in=%d", ada), "")
	b.ok("GET", fmt.Sprintf("/v3/customers?id:in=%d&include=addresses,attributes,storecredit,formfields", ada), "")
	b.ok("DELETE", fmt.Sprintf("/v3/customers/attribute-values?id:in=%v", at(values, "data", 0, "id")), "")
	b.metafields(fmt.Sprintf("/v3/customers/%d/metafields", ada))
}

func driveContent(b *bench) {
	script := b.ok("POST", "/v3/content/scripts", `{"name":"gate","kind":"src","src":"https://app.example/gate.js","location":"head","load_method":"default","visibility":"all_pages","consent_category":"essential","auto_uninstall":true,"channel_id":1,"integrity_hashes":["sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC"]}`)
	uuid := fmt.Sprint("/v3/content/scripts/", at(script, "data", "uuid"))
	b.call("POST", "/v3/content/scripts", `{"name":"gate"}`)
	b.ok("GET", "/v3/content/scripts?channel_id:in=1", "")
	b.ok("GET", uuid, "")
	b.ok("PUT", uuid, `{"name":"gate two"}`)
	b.call("PUT", uuid, `{"location":"attic"}`)
	b.ok("DELETE", uuid, "")
	b.call("DELETE", uuid, "")
	b.ok("POST", "/v3/content/scripts", `{"name":"no consent","html":"<script></script>"}`)
	b.ok("GET", "/v3/content/scripts", "")

	made := b.ok("POST", "/v3/hooks", `{"scope":"store/order/created","destination":"https://app.example/hooks","is_active":true,"headers":{"a":"b"}}`)
	hook := fmt.Sprintf("/v3/hooks/%.0f", at(made, "data", "id"))
	b.call("POST", "/v3/hooks", `{"scope":"nonsense","destination":"https://app.example/hooks"}`)
	b.ok("GET", "/v3/hooks?scope=store/order/created", "")
	b.ok("GET", hook, "")
	b.ok("PUT", hook, `{"is_active":false}`)
	b.ok("GET", "/v3/hooks/admin", "")
	b.ok("PUT", "/v3/hooks/admin", `{"emails":["ops@example.com"]}`)
	b.call("PUT", "/v3/hooks/admin", `{"emails":["nobody"]}`)
	b.ok("DELETE", hook, "")
	b.call("GET", hook, "")
}

func driveCheckout(b *bench, s *sim.Shop) {
	c := s.NewCart(1, s.Customers()[0].ID)
	for _, p := range s.Products() {
		if _, err := s.AddToCart(c.ID, p.ID, 1); err != nil {
			b.t.Fatal(err)
		}
	}
	b.ok("GET", "/v3/checkouts/"+c.ID, "")
	a := sim.BillingOf(s.Customers()[0])
	if _, err := s.SetCheckoutBilling(c.ID, a); err != nil {
		b.t.Fatal(err)
	}
	if _, err := s.SetCheckoutShipping(c.ID, a, "flat-5"); err != nil {
		b.t.Fatal(err)
	}
	b.ok("GET", "/v3/carts/"+c.ID, "")
	b.ok("GET", "/v3/checkouts/"+c.ID, "")
	o, err := s.PlaceOrder(c.ID, sim.PlaceOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	b.ok("GET", "/v3/checkouts/"+c.ID, "")
	b.call("GET", "/v3/carts/"+c.ID, "")
	b.call("GET", "/v3/checkouts/"+url.PathEscape("00000000-0000-4000-8000-000000000000"), "")
	b.ok("GET", fmt.Sprintf("/v2/orders/%d", o.ID), "")
}

// report holds the differences to the table, in both directions, and prints it.
func (b *bench) report() {
	b.t.Helper()
	expected := map[difference]bool{}
	for _, k := range known {
		expected[difference{operation: k.operation, complaint: k.complaint}] = true
		if !b.complaints[difference{operation: k.operation, complaint: k.complaint}] {
			b.t.Errorf("no longer different, drop it from the table: %s %s", k.operation, k.complaint)
		}
	}
	for d := range b.complaints {
		if !expected[d] {
			b.t.Errorf("%s: %s", d.operation, d.complaint)
		}
	}
	for _, e := range sorted(b.extras) {
		if madeUp[e] == "" {
			b.t.Errorf("the schema does not mention this field: %s", e)
		}
	}
	if got := sorted(b.unknown); !slices.Equal(got, undescribed) {
		b.t.Errorf("without a document: %v, want %v", got, undescribed)
	}
	for _, op := range sim.Operations() {
		if !b.wasDriven(op) {
			b.t.Errorf("%s was not driven", op)
		}
	}
	b.t.Logf("%d of the simulator's %d operations are documented; %d pairs of operation and status were checked", len(b.operations), len(sim.Operations()), len(b.statuses))
	for _, k := range known {
		b.t.Logf("differs: %-38s %-58s because %s", k.operation, k.complaint, k.reason)
	}
	for _, e := range sorted(madeUp) {
		if !b.extras[e] {
			b.t.Errorf("no longer an extra field, drop it from the table: %s", e)
		}
		b.t.Logf("extra field: %s, because %s", e, madeUp[e])
	}
	b.t.Logf("no document at hand: %s", strings.Join(undescribed, ", "))
}

var wildcard = regexp.MustCompile(`\\\{[a-z]+\\\}`)

func (b *bench) wasDriven(op string) bool {
	pattern := regexp.MustCompile("^" + wildcard.ReplaceAllString(regexp.QuoteMeta(op), "[^/]+") + "$")
	for d := range b.driven {
		if pattern.MatchString(d) {
			return true
		}
	}
	return false
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
