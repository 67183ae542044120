package sim

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestOrderWrites tells an order's whole story: what was bought, held, noted, released and told by others.
func TestOrderWrites(t *testing.T) {
	b := newBench(t, 1)
	other := b.s.AddAPIAccount("store_v2_orders")
	stranger := "API account " + other.ClientID[:6]
	o := b.buy("COF-250", PlaceOptions{})
	path, fields := fmt.Sprintf("/v2/orders/%d", o.ID), fmt.Sprintf("/v3/orders/%d/metafields", o.ID)
	if got := b.s.OrderWrites(o.ID); len(got) != 1 || got[0].Actor != "checkout" {
		t.Fatalf("after buying: %+v", got)
	}
	at := b.clock.now()
	b.clock.add(time.Minute)
	later := b.clock.now()
	b.want(200, "PUT", path, `{"status_id":12,"staff_notes":"held"}`)
	b.want(200, "PUT", path, `{"status_id":12}`)
	if a := b.apiAs(other.Value, "PUT", path, `{"customer_message":"hello"}`); a.status != 200 {
		t.Fatal(a.raw)
	}
	if err := b.s.SetStaffNotes(o.ID, "held, by us"); err != nil {
		t.Fatal(err)
	}
	if err := b.s.SetOrderStatus(o.ID, 10, "Sam Staff"); err != nil {
		t.Fatal(err)
	}
	meta := b.want(200, "POST", fields, `{"permission_set":"read","namespace":"blockid","key":"decision","value":"one"}`).at("data", "id")
	b.want(200, "PUT", fmt.Sprintf("%s/%v", fields, meta), `{"value":"two"}`)
	b.want(204, "DELETE", fmt.Sprintf("%s/%v", fields, meta), "")
	// None of these is a write.
	b.want(400, "PUT", path, `{"status_id":12,"products":[]}`)
	b.want(200, "GET", path, "")
	b.want(200, "POST", fmt.Sprintf("/v3/customers/%d/metafields", b.s.Customers()[0].ID), `{"permission_set":"read","namespace":"n","key":"k","value":"v"}`)
	b.s.FailNext(FailRule{Fault: ServerError})
	b.want(500, "PUT", path, `{"staff_notes":"lost"}`)
	// This one is, whatever the answer says.
	b.s.FailNext(FailRule{Fault: DoneButError})
	b.want(500, "PUT", path, `{"staff_notes":"done"}`)
	want := []OrderWrite{
		{at, "checkout", FieldStatus, "", 0, "0", "11"},
		{later, AppName, FieldStaffNotes, "", 11, "", "held"},
		{later, AppName, FieldStatus, "", 11, "11", "12"},
		{later, AppName, FieldStatus, "", 12, "12", "12"},
		{later, stranger, FieldMessage, "", 12, "", "hello"},
		{later, "staff", FieldStaffNotes, "", 12, "held", "held, by us"},
		{later, "Sam Staff", FieldStatus, "", 12, "12", "10"},
		{later, AppName, FieldMetafield, "blockid/decision", 10, "", "one"},
		{later, AppName, FieldMetafield, "blockid/decision", 10, "one", "two"},
		{later, AppName, FieldMetafield, "blockid/decision", 10, "two", ""},
		{later, AppName, FieldStaffNotes, "", 10, "held, by us", "done"},
	}
	got := b.s.OrderWrites(o.ID)
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("write %d:\n%+v, want\n%+v", i, got[min(i, len(got)):], want[min(i, len(want)):])
		}
	}
	if n := len(b.s.OrderWrites(101)) + len(b.s.OrderWrites(4711)); n != 0 {
		t.Errorf("%d writes to orders that nobody wrote to", n)
	}
	// The question that tests ask.
	gone := slices.ContainsFunc(got, func(w OrderWrite) bool { return w.Actor == AppName && w.StatusBefore == StatusCompleted })
	watched := slices.ContainsFunc(got, func(w OrderWrite) bool { return w.Actor == AppName && w.StatusBefore == StatusIncomplete })
	if !gone || watched {
		t.Errorf("written by us while completed: %v, while incomplete: %v", gone, watched)
	}
}

// TestStaffEdits makes every edit that the merchant's staff can, and looks at what the API, the events
// and the record say of it.
func TestStaffEdits(t *testing.T) {
	b := newBench(t, 1)
	b.hookUp("store/order/*")
	ada, grace := b.s.Customers()[0], b.s.Customers()[1]
	moved := Address{FirstName: "Ada", LastName: "Byron", Street1: "1 New Street", City: "London", CountryCode: "GB", Country: "United Kingdom", Zip: "W1", Email: "byron@example.com"}
	made := must[Order](t)(b.s.PlaceOrderByAPI(APIOrder{CustomerID: ada.ID, Billing: BillingOf(ada), Items: []APIItem{{ProductID: 81, Quantity: 2}}}))
	path := fmt.Sprintf("/v2/orders/%d", made.ID)
	updated := fmt.Sprintf(`store/order/updated {"id":%d,"type":"order"}`, made.ID)
	b.deliver()
	for _, tc := range []struct {
		name     string
		edit     func() error
		field    string
		from, to string
		at       string // where the API shows it, …
		path     []any
		want     any // … and as what
	}{
		{"billing", func() error { return b.s.SetOrderBilling(made.ID, moved, "Sam Staff") }, FieldBilling,
			"Ada Lovelace, 12 St James's Square, Austin, US, ada@example.com", "Ada Byron, 1 New Street, London, GB, byron@example.com",
			path, []any{"billing_address", "email"}, "byron@example.com"},
		{"shipping", func() error { return b.s.SetOrderShipping(made.ID, moved, "Sam Staff") }, FieldShipping,
			"Ada Lovelace, 12 St James's Square, Austin, US, ada@example.com", "Ada Byron, 1 New Street, London, GB, byron@example.com",
			path + "/shipping_addresses", []any{0, "city"}, "London"},
		{"items", func() error {
			return b.s.SetOrderItems(made.ID, []APIItem{{ProductID: 81, Quantity: 1}, {ProductID: 82, Quantity: 3, Price: Cents(50000)}}, "Sam Staff")
		}, FieldItems, "2 COF-250 at 12.0000", "1 COF-250 at 12.0000, 3 MUG-01 at 500.0000", path, []any{"total_inc_tax"}, "1512.0000"},
		{"another account", func() error { return b.s.SetOrderCustomer(made.ID, grace.ID, "Sam Staff") }, FieldCustomer,
			number(ada.ID), number(grace.ID), path, []any{"customer_id"}, float64(grace.ID)},
		{"account to guest", func() error { return b.s.SetOrderCustomer(made.ID, 0, "Sam Staff") }, FieldCustomer,
			number(grace.ID), "0", path, []any{"customer_id"}, 0.0},
		{"guest to account", func() error { return b.s.SetOrderCustomer(made.ID, ada.ID, "Sam Staff") }, FieldCustomer,
			"0", number(ada.ID), path, []any{"customer_id"}, float64(ada.ID)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b.clock.add(time.Minute)
			if err := tc.edit(); err != nil {
				t.Fatal(err)
			}
			a := b.want(200, "GET", tc.at, "")
			if got := a.at(tc.path...); got != tc.want {
				t.Errorf("%v is %v, want %v", tc.path, got, tc.want)
			}
			o := b.want(200, "GET", path, "")
			if o.at("date_modified") != rfc2822(b.clock.now()) || o.at("date_created") == o.at("date_modified") || o.at("status_id") != 11.0 {
				t.Errorf("date_modified %v, status %v", o.at("date_modified"), o.at("status_id"))
			}
			if got := b.deliver(); !slices.Equal(got, []string{updated}) {
				t.Errorf("events %q", got)
			}
			ws := b.s.OrderWrites(made.ID)
			want := OrderWrite{b.clock.now(), "Sam Staff", tc.field, "", 11, tc.from, tc.to}
			if got := ws[len(ws)-1]; got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
	products := b.want(200, "GET", path+"/products", "")
	if len(products.list()) != 2 || products.at(0, "id") == products.at(1, "id") || products.at(1, "price_inc_tax") != "500.0000" {
		t.Errorf("%s", products.raw)
	}
	if o := must[Order](t)(b.s.Order(made.ID)); len(o.History) != 1 {
		t.Errorf("an edit moved the status: %+v", o.History)
	}
}

func TestRefusedEdits(t *testing.T) {
	b := newBench(t, 1)
	b.hookUp("store/order/*")
	download := b.buy("VID-01", PlaceOptions{})
	b.deliver()
	wrote := len(b.s.OrderWrites(download.ID))
	some := []APIItem{{ProductID: 81, Quantity: 1}}
	for name, err := range map[string]error{
		"billing of nothing":    b.s.SetOrderBilling(4711, Address{}, "x"),
		"shipping of nothing":   b.s.SetOrderShipping(4711, Address{}, "x"),
		"items of nothing":      b.s.SetOrderItems(4711, some, "x"),
		"customer of nothing":   b.s.SetOrderCustomer(4711, 0, "x"),
		"capturing nothing":     b.s.CapturePayment(4711, "x"),
		"archiving nothing":     b.s.ArchiveOrder(4711, "x"),
		"restoring nothing":     b.s.RestoreOrder(4711, "x"),
		"deleting nothing":      b.s.DeleteOrder(4711, "x"),
		"renewing nothing":      second(b.s.RenewOrder(4711)),
		"a status of nothing":   b.s.SetOrderStatus(4711, 11, "x"),
		"shipping a download":   b.s.SetOrderShipping(download.ID, Address{}, "x"),
		"unknown product":       b.s.SetOrderItems(download.ID, []APIItem{{ProductID: 4711, Quantity: 1}}, "x"),
		"no items":              b.s.SetOrderItems(download.ID, nil, "x"),
		"unknown customer":      b.s.SetOrderCustomer(download.ID, 4711, "x"),
		"capturing twice":       b.s.CapturePayment(download.ID, "x"),
		"restoring what is not": b.s.RestoreOrder(download.ID, "x"),
		"renewing a guest's":    second(b.s.RenewOrder(download.ID)),
		"a status that is none": b.s.SetOrderStatus(download.ID, 15, "x"),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if got := b.deliver(); len(got) != 0 || len(b.s.OrderWrites(download.ID)) != wrote {
		t.Errorf("a refused edit fired %q or was recorded", got)
	}
}

func TestArchivedOrders(t *testing.T) {
	b := newBench(t, 1)
	b.hookUp("store/order/*")
	b.clock.add(time.Minute)
	if err := b.s.ArchiveOrder(101, "Dana Desk"); err != nil {
		t.Fatal(err)
	}
	if got := b.deliver(); !slices.Equal(got, []string{`store/order/archived {"id":101,"type":"order"}`}) {
		t.Errorf("archiving: %q", got)
	}
	if err := b.s.ArchiveOrder(101, "Dana Desk"); err == nil {
		t.Error("archived twice")
	}
	a := b.want(200, "GET", "/v2/orders/101", "")
	if a.at("is_deleted") != true || a.at("date_modified") != rfc2822(b.clock.now()) {
		t.Errorf("%s", a.raw)
	}
	if got := b.listing("sort=date_modified:asc"); slices.Contains(got, 101) || len(got) != 8 {
		t.Errorf("listed: %v", got)
	}
	if got := b.listing("is_deleted=true"); !slices.Equal(got, []int64{101}) {
		t.Errorf("the deleted: %v", got)
	}
	if got := b.want(200, "GET", "/v2/orders/count", "").at("count"); got != 8.0 {
		t.Errorf("count %v", got)
	}
	if err := b.s.RestoreOrder(101, "Dana Desk"); err != nil {
		t.Fatal(err)
	}
	if got := b.deliver(); !slices.Equal(got, []string{`store/order/updated {"id":101,"type":"order"}`}) {
		t.Errorf("restoring: %q", got)
	}
	if got := b.listing("sort=date_modified:asc"); len(got) != 9 || got[8] != 101 {
		t.Errorf("restored: %v", got)
	}
	b.want(200, "POST", "/v3/orders/102/metafields", `{"permission_set":"read","namespace":"n","key":"k","value":"v"}`)
	if err := b.s.DeleteOrder(102, "Dana Desk"); err != nil {
		t.Fatal(err)
	}
	b.want(404, "GET", "/v2/orders/102", "")
	b.want(404, "PUT", "/v2/orders/102", `{"status_id":12}`)
	b.want(404, "GET", "/v3/orders/102/metafields", "")
	if got := append(b.listing("is_deleted=true"), b.listing("")...); slices.Contains(got, 102) || len(b.s.Metafields("order", 102)) != 0 {
		t.Errorf("an order that is gone is listed: %v", got)
	}
	b.deliver() // the metafield's
	if _, err := b.s.Order(102); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	ws := b.s.OrderWrites(102)
	if last := ws[len(ws)-1]; last.Field != FieldDeleted || last.From != "false" || last.To != "gone" || last.Actor != "Dana Desk" || last.StatusBefore != StatusShipped {
		t.Errorf("%+v", last)
	}
	want := []OrderWrite{
		{b.clock.now(), "Dana Desk", FieldDeleted, "", StatusShipped, "false", "true"},
		{b.clock.now(), "Dana Desk", FieldDeleted, "", StatusShipped, "true", "false"},
	}
	if got := b.s.OrderWrites(101); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}

// TestWhereOrdersEnd is how the platform files an order by how it was paid and what is in it.
func TestWhereOrdersEnd(t *testing.T) {
	b := newBench(t, 1)
	b.hookUp("store/order/statusUpdated")
	pickup := StatusAwaitingPickup
	for _, tc := range []struct {
		name      string
		sku       string
		authorize bool
		wish      *int
		status    int
		payment   string
		captured  int // where CapturePayment leads; -1: it is refused
	}{
		{"paid", "COF-250", false, nil, 11, "captured", -1},
		{"paid download", "VID-01", false, nil, 10, "captured", -1},
		{"authorised", "COF-250", true, nil, 7, "authorized", 11},
		{"authorised download", "VID-01", true, nil, 7, "authorized", 10},
		{"authorised, filed elsewhere", "COF-250", true, &pickup, 8, "authorized", 8},
		{"filed elsewhere", "VID-01", false, &pickup, 8, "captured", -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			product := b.productID(tc.sku)
			orders := map[string]Order{
				"bought":  b.buy(tc.sku, PlaceOptions{AuthorizeOnly: tc.authorize, StatusID: tc.wish}),
				"by api":  must[Order](t)(b.s.PlaceOrderByAPI(APIOrder{Items: []APIItem{{ProductID: product, Quantity: 1}}, AuthorizeOnly: tc.authorize, StatusID: tc.wish})),
				"by hand": must[Order](t)(b.s.PlaceOrderByAPI(APIOrder{Source: "manual", Items: []APIItem{{ProductID: product, Quantity: 1}}, AuthorizeOnly: tc.authorize, StatusID: tc.wish})),
			}
			for how, o := range orders {
				if o.StatusID != tc.status || o.PaymentStatus != tc.payment {
					t.Errorf("%s: %d %q, want %d %q", how, o.StatusID, o.PaymentStatus, tc.status, tc.payment)
				}
				b.deliver()
				err := b.s.CapturePayment(o.ID, "Sam Staff")
				if (err != nil) != (tc.captured < 0) {
					t.Errorf("%s: capturing: %v", how, err)
				}
				if err != nil {
					continue
				}
				now := must[Order](t)(b.s.Order(o.ID))
				if fired := len(b.deliver()) > 0; now.StatusID != tc.captured || now.PaymentStatus != "captured" || fired != (tc.captured != tc.status) {
					t.Errorf("%s, captured: %d %q, fired %v", how, now.StatusID, now.PaymentStatus, fired)
				}
			}
		})
	}
	o := b.buy("COF-250", PlaceOptions{AuthorizeOnly: true, LeaveIncomplete: true})
	if o.StatusID != StatusIncomplete || o.PaymentStatus != "" {
		t.Errorf("unfinished: %d %q", o.StatusID, o.PaymentStatus)
	}
}

func (b *bench) productID(sku string) int64 {
	b.t.Helper()
	ps := b.s.Products()
	i := slices.IndexFunc(ps, func(p Product) bool { return p.SKU == sku })
	if i < 0 {
		b.t.Fatalf("no product %s", sku)
	}
	return ps[i].ID
}

func TestOrderSources(t *testing.T) {
	b := newBench(t, 1)
	ada := b.s.Customers()[0]
	for _, tc := range []struct {
		in                                     APIOrder
		source, external, externalID, orderID  any
		ebay, method, currency, rate, customer any
	}{
		{APIOrder{}, "external", "another-app", nil, "", "0", "Manual", "USD", "1.0000000000", 0.0},
		{APIOrder{Source: "manual", PaymentMethod: "Cash"}, "manual", nil, nil, "", "0", "Cash", "USD", "1.0000000000", 0.0},
		{APIOrder{Source: "checkout_api", CustomerID: ada.ID}, "checkout_api", nil, nil, "", "0", "Manual", "USD", "1.0000000000", float64(ada.ID)},
		{APIOrder{Source: "external", ExternalSource: "M-MIG"}, "external", "M-MIG", nil, "", "0", "Manual", "USD", "1.0000000000", 0.0},
		{APIOrder{Source: "amazon", ExternalID: "111-22"}, "amazon", nil, "111-22", "111-22", "0", "Manual", "USD", "1.0000000000", 0.0},
		{APIOrder{Source: "ebay", ExternalID: "33"}, "ebay", nil, nil, "", "33", "Manual", "USD", "1.0000000000", 0.0},
		{APIOrder{Currency: "EUR", ExchangeRate: "0.9000000000"}, "external", "another-app", nil, "", "0", "Manual", "EUR", "0.9000000000", 0.0},
	} {
		tc.in.Items = []APIItem{{ProductID: 81, Quantity: 1}}
		o := must[Order](t)(b.s.PlaceOrderByAPI(tc.in))
		a := b.want(200, "GET", fmt.Sprintf("/v2/orders/%d", o.ID), "")
		for k, want := range map[string]any{
			"order_source": tc.source, "external_source": tc.external, "external_id": tc.externalID, "external_order_id": tc.orderID, "ebay_order_id": tc.ebay,
			"payment_method": tc.method, "default_currency_code": tc.currency, "store_default_to_transactional_exchange_rate": tc.rate, "customer_id": tc.customer, "cart_id": nil,
		} {
			if a.at(k) != want {
				t.Errorf("%s: %s is %v, want %v", tc.in.Source, k, a.at(k), want)
			}
		}
	}
}

func TestRenewal(t *testing.T) {
	b := newBench(t, 1)
	b.hookUp("store/order/*")
	ada := b.s.Customers()[0]
	elsewhere := Address{FirstName: "Ada", LastName: "Lovelace", City: "Houston", CountryCode: "US"}
	first := must[Order](t)(b.s.PlaceOrderByAPI(APIOrder{
		CustomerID: ada.ID, Billing: BillingOf(ada), Shipping: &elsewhere, Items: []APIItem{{ProductID: 81, Quantity: 2, Price: Cents(900)}}, Source: "www", PaymentMethod: "Card",
	}))
	b.deliver()
	b.clock.add(30 * 24 * time.Hour)
	o := must[Order](t)(b.s.RenewOrder(first.ID))
	a := b.want(200, "GET", fmt.Sprintf("/v2/orders/%d", o.ID), "")
	for k, want := range map[string]any{
		"cart_id": nil, "customer_id": float64(ada.ID), "order_source": "external", "external_source": "subscriptions", "status_id": 11.0,
		"total_inc_tax": "18.0000", "payment_method": "Card", "date_created": rfc2822(b.clock.now()),
	} {
		if a.at(k) != want {
			t.Errorf("%s is %v, want %v", k, a.at(k), want)
		}
	}
	if got := b.deliver(); !slices.Equal(got, []string{fmt.Sprintf(`store/order/created {"id":%d,"type":"order"}`, o.ID)}) {
		t.Errorf("events %q", got)
	}
	if o.Shipping[0].City != "Houston" || o.Billing.Email != ada.Email || o.ID == first.ID {
		t.Errorf("%+v", o)
	}
}
