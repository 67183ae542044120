package sim

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func ids(a apiAnswer) []int64 {
	var out []int64
	for i := range a.list() {
		id, _ := a.at(i, "id").(float64)
		out = append(out, int64(id))
	}
	return out
}

func TestOrderLists(t *testing.T) {
	b := newBench(t, 1) // seeded orders are 101 to 109
	b.clock.add(time.Hour)
	o := b.buy("COF-250", PlaceOptions{})
	if o.ID != 110 {
		t.Fatalf("the new order is %d", o.ID)
	}
	ada := b.s.Customers()[0].ID
	since := url.QueryEscape(b.clock.now().Format(time.RFC1123Z))
	for _, tc := range []struct {
		query string
		want  []int64
	}{
		{"min_id=108", []int64{108, 109, 110}},
		{"max_id=102", []int64{101, 102}},
		{"status_id=11", []int64{110}},
		{"status_id=4", []int64{104}},
		{"cart_id=" + o.CartID, []int64{110}},
		{"customer_id=" + fmt.Sprint(ada), []int64{101, 106}},
		{"email=NIKOLA@example.net", []int64{104, 109, 110}},
		{"min_date_modified=" + since, []int64{110}},
		{"min_date_modified=" + url.QueryEscape(b.clock.now().Format(time.RFC3339)), []int64{110}},
		{"min_date_created=" + since, []int64{110}},
		{"min_date_modified=" + url.QueryEscape(b.clock.now().Add(time.Second).Format(time.RFC3339)), nil},
		{"sort=id:desc&limit=2", []int64{110, 109}},
		{"sort=date_modified:asc&limit=3&page=4", []int64{110}},
		{"sort=date_modified:asc&limit=3&page=5", nil},
		{"is_deleted=true", nil},
	} {
		status := 200
		if tc.want == nil {
			status = 204
		}
		a := b.want(status, "GET", "/v2/orders?"+tc.query, "")
		if got := ids(a); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.query, got, tc.want)
		}
		if status == 204 && a.raw != "" {
			t.Errorf("%s: 204 with a body %q", tc.query, a.raw)
		}
	}
	for _, bad := range []string{"min_id=x", "sort=nonsense", "sort=id:up", "min_date_modified=yesterday"} {
		b.want(400, "GET", "/v2/orders?"+bad, "")
	}
	if got := b.want(200, "GET", "/v2/orders/count", "").at("count"); got != 10.0 {
		t.Errorf("count %v", got)
	}
}

func TestOrderShape(t *testing.T) {
	b := newBench(t, 1)
	o := b.buy("COF-250", PlaceOptions{IP: "203.0.113.9"})
	a := b.want(200, "GET", fmt.Sprintf("/v2/orders/%d", o.ID), "")
	for k, want := range map[string]any{
		"status_id": 11.0, "status": "Awaiting Fulfillment", "customer_id": 0.0, "cart_id": o.CartID, "total_inc_tax": "17.0000", "subtotal_inc_tax": "12.0000",
		"currency_code": "USD", "default_currency_code": "USD", "order_source": "www", "payment_status": "captured", "order_is_digital": false,
		"ip_address": "203.0.113.9", "date_created": "Fri, 25 Sep 2026 10:00:00 +0000", "items_total": 1.0, "staff_notes": "",
	} {
		if a.at(k) != want {
			t.Errorf("%s is %v, want %v", k, a.at(k), want)
		}
	}
	p := b.want(200, "GET", fmt.Sprintf("/v2/orders/%d/products", o.ID), "")
	if p.at(0, "name") != "Coffee beans" || p.at(0, "price_inc_tax") != "12.0000" || p.at(0, "type") != "physical" {
		t.Errorf("products %s", p.raw)
	}
	s := b.want(200, "GET", fmt.Sprintf("/v2/orders/%d/shipping_addresses", o.ID), "")
	if s.at(0, "city") != "Denver" || s.at(0, "shipping_method") != "Flat rate" {
		t.Errorf("addresses %s", s.raw)
	}
	digital := b.buy("VID-01", PlaceOptions{})
	if digital.StatusID != StatusCompleted {
		t.Errorf("a digital order ends at %d, want 10", digital.StatusID)
	}
	b.want(204, "GET", fmt.Sprintf("/v2/orders/%d/shipping_addresses", digital.ID), "")
	if n := len(b.want(200, "GET", "/v2/order_statuses", "").list()); n != 15 {
		t.Errorf("%d statuses, want 15", n)
	}
	b.want(404, "GET", "/v2/order_statuses/15", "")
}

func TestOrderUpdates(t *testing.T) {
	b := newBench(t, 1)
	o := b.buy("COF-250", PlaceOptions{})
	path := fmt.Sprintf("/v2/orders/%d", o.ID)
	a := b.want(200, "PUT", path, `{"status_id":12,"staff_notes":"held"}`)
	if a.at("status_id") != 12.0 || a.at("staff_notes") != "held" || a.at("payment_status") != "captured" {
		t.Errorf("%s", a.raw)
	}
	b.want(200, "PUT", path, `{"customer_message":"hello"}`)
	now := must[Order](t)(b.s.Order(o.ID))
	if now.StatusID != 12 || now.StaffNotes != "held" || now.Message != "hello" {
		t.Errorf("after a partial update: %+v", now)
	}
	last := now.History[len(now.History)-1]
	if last.From != 11 || last.To != 12 || last.Actor != AppName {
		t.Errorf("history ends with %+v", last)
	}
	for _, body := range []string{`{"products":[]}`, `{"fees":[]}`, `{"item_total":3}`, `{"status_id":99}`, `{"status_id":"x"}`, `{"staff_notes":"` + strings.Repeat("x", 65536) + `"}`} {
		a := b.want(400, "PUT", path, body)
		if msg, _ := a.at(0, "message").(string); !strings.HasPrefix(msg, "The field '") {
			t.Errorf("%.30s: %s", body, a.raw)
		}
	}
	if again := must[Order](t)(b.s.Order(o.ID)); again.StatusID != 12 || again.StaffNotes != "held" {
		t.Error("a refused update changed the order")
	}
}

func TestPlacingIsOnce(t *testing.T) {
	b := newBench(t, 1)
	c := b.fill("COF-250")
	must[Order](t)(b.s.PlaceOrder(c.ID, PlaceOptions{}))
	before := len(b.s.Orders())
	if _, err := b.s.PlaceOrder(c.ID, PlaceOptions{}); !errors.Is(err, ErrConverted) {
		t.Errorf("the second try: %v", err)
	}
	if _, err := b.s.AddToCart(c.ID, 81, 1); !errors.Is(err, ErrConverted) {
		t.Errorf("adding to a bought cart: %v", err)
	}
	if len(b.s.Orders()) != before {
		t.Error("an order was made twice")
	}
}

func TestPlacingNeedsACompleteCheckout(t *testing.T) {
	b := newBench(t, 1)
	c := b.s.NewCart(1, 0)
	place := func(want string) {
		t.Helper()
		if _, err := b.s.PlaceOrder(c.ID, PlaceOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	place("empty")
	must[Cart](t)(b.s.AddToCart(c.ID, 81, 2))
	place("billing address")
	must[Cart](t)(b.s.SetCheckoutBilling(c.ID, Address{FirstName: "A", LastName: "B", Email: "a@example.com"}))
	place("shipping option")
	must[Cart](t)(b.s.SetCheckoutShipping(c.ID, Address{}, ""))
	place("shipping option")
	if _, err := b.s.SetCheckoutShipping(c.ID, Address{}, "rocket"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown option: %v", err)
	}
	must[Cart](t)(b.s.SetCheckoutShipping(c.ID, Address{}, "express-15"))
	o := must[Order](t)(b.s.PlaceOrder(c.ID, PlaceOptions{LeaveIncomplete: true}))
	if o.StatusID != StatusIncomplete || o.PaymentStatus != "" || o.Total() != Cents(3900) {
		t.Errorf("%d %q %s", o.StatusID, o.PaymentStatus, o.Total())
	}
}

func TestAPIOrders(t *testing.T) {
	b := newBench(t, 1)
	pending := StatusPending
	ada := b.s.Customers()[0]
	o := must[Order](t)(b.s.PlaceOrderByAPI(APIOrder{CustomerID: ada.ID, Billing: BillingOf(ada), Items: []APIItem{{ProductID: 81, Quantity: 3}}, StatusID: &pending, Currency: "EUR", ExchangeRate: "0.9000000000"}))
	a := b.want(200, "GET", fmt.Sprintf("/v2/orders/%d", o.ID), "")
	for k, want := range map[string]any{
		"status_id": 1.0, "cart_id": nil, "order_source": "external", "external_source": "another-app", "default_currency_code": "EUR",
		"store_default_currency_code": "USD", "store_default_to_transactional_exchange_rate": "0.9000000000", "payment_status": "",
	} {
		if a.at(k) != want {
			t.Errorf("%s is %v, want %v", k, a.at(k), want)
		}
	}
	impossible := 99
	for name, in := range map[string]APIOrder{
		"no items":         {},
		"unknown product":  {Items: []APIItem{{ProductID: 4711, Quantity: 1}}},
		"no quantity":      {Items: []APIItem{{ProductID: 81, Quantity: 0}}},
		"unknown customer": {CustomerID: 4711, Items: []APIItem{{ProductID: 81, Quantity: 1}}},
		"unknown status":   {Items: []APIItem{{ProductID: 81, Quantity: 1}}, StatusID: &impossible},
	} {
		if _, err := b.s.PlaceOrderByAPI(in); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestCartEdits(t *testing.T) {
	b := newBench(t, 1)
	ada := b.s.Customers()[0]
	c := b.s.NewCart(1, 0)
	c = must[Cart](t)(b.s.AddToCart(c.ID, 81, 2))
	c = must[Cart](t)(b.s.AddToCart(c.ID, 81, 1))
	if len(c.Items) != 1 || c.Items[0].Quantity != 3 || c.Version != 3 {
		t.Errorf("%+v", c)
	}
	c = must[Cart](t)(b.s.SetCartCustomer(c.ID, ada.ID))
	if c.Email != ada.Email {
		t.Errorf("e-mail %q", c.Email)
	}
	c = must[Cart](t)(b.s.SetCartCustomer(c.ID, 0))
	c = must[Cart](t)(b.s.SetCartEmail(c.ID, "guest@example.net"))
	if c.CustomerID != 0 || c.Email != "guest@example.net" {
		t.Errorf("%+v", c)
	}
	c = must[Cart](t)(b.s.SetCartQuantity(c.ID, c.Items[0].ID, 0))
	if len(c.Items) != 0 {
		t.Error("the line is still there")
	}
	for name, err := range map[string]error{
		"unknown cart":    second(b.s.AddToCart("nope", 81, 1)),
		"unknown product": second(b.s.AddToCart(c.ID, 4711, 1)),
		"huge quantity":   second(b.s.AddToCart(c.ID, 81, 101)),
		"unknown line":    second(b.s.SetCartQuantity(c.ID, "nope", 1)),
		"no address":      second(b.s.SetCartEmail(c.ID, "nope")),
		"unknown account": second(b.s.SetCartCustomer(c.ID, 4711)),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if again := must[Cart](t)(b.s.Cart(c.ID)); again.Version != c.Version {
		t.Error("a refused edit changed the cart")
	}
}

func second[T any](_ T, err error) error { return err }

func FuzzParseAPITime(f *testing.F) {
	f.Add("Fri, 25 Sep 2026 10:00:00 +0000")
	f.Add("2026-09-25T10:00:00Z")
	f.Add("2026-09-25")
	f.Fuzz(func(t *testing.T, raw string) {
		if at, ok := parseAPITime(raw); !ok && !at.IsZero() {
			t.Errorf("%q is refused and yet %v", raw, at)
		}
	})
}

func FuzzParseMoney(f *testing.F) {
	f.Add("12.00")
	f.Add("-0.0001")
	f.Fuzz(func(t *testing.T, raw string) {
		m, err := ParseMoney(raw)
		if err != nil {
			return
		}
		if back, err := ParseMoney(m.String()); err != nil || back != m {
			t.Errorf("%q is %s, and that is %s (%v)", raw, m, back, err)
		}
	})
}

func TestMoney(t *testing.T) {
	for raw, want := range map[string]string{"12": "12.0000", "12.5": "12.5000", "0.01": "0.0100", "-3.2": "-3.2000", "-0.5": "-0.5000"} {
		m, err := ParseMoney(raw)
		if err != nil || m.String() != want {
			t.Errorf("%s: %s %v", raw, m, err)
		}
	}
	for _, bad := range []string{"", "x", "1.23456", "1,2", "--1", "+1", ".5", "1.-2", "1e3", "9999999999999"} {
		if m, err := ParseMoney(bad); err == nil {
			t.Errorf("%q is %s", bad, m)
		}
	}
	for m, want := range map[Money]string{Cents(1200): "12", Cents(1250): "12.5", Cents(-5): "-0.05", 0: "0"} {
		if got, _ := m.MarshalJSON(); string(got) != want {
			t.Errorf("%s as JSON: %s, want %s", m, got, want)
		}
	}
	if got := Cents(89900).Short(); got != "899.00" {
		t.Error(got)
	}
}
