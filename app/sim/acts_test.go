package sim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDeletedAttribute(t *testing.T) {
	b := newBench(t, 1)
	ada := b.s.Customers()[0].ID
	b.want(200, "POST", "/v3/customers/attributes", `[{"name":"kept","type":"string"},{"name":"lost","type":"string"}]`)
	value := func(attribute int) string {
		return fmt.Sprintf(`[{"attribute_id":%d,"customer_id":%d,"value":"2"}]`, attribute, ada)
	}
	b.want(200, "PUT", "/v3/customers/attribute-values", value(1))
	b.want(200, "PUT", "/v3/customers/attribute-values", value(2))
	if err := b.s.DeleteAttribute("lost"); err != nil {
		t.Fatal(err)
	}
	if a := b.want(422, "PUT", "/v3/customers/attribute-values", value(2)); a.at("errors", "attribute_id") != "attribute not found" {
		t.Errorf("%s", a.raw)
	}
	b.want(422, "PUT", "/v3/customers/attribute-values", strings.TrimSuffix(value(1), "]")+","+strings.TrimPrefix(value(2), "[")) // all or nothing
	if got := b.s.CustomerAttributes(ada); len(got) != 1 || got["kept"] != "2" {
		t.Errorf("values %v", got)
	}
	if got := b.s.Attributes(); len(got) != 1 || got[0].Name != "kept" {
		t.Errorf("definitions %+v", got)
	}
	if n := len(b.want(200, "GET", "/v3/customers/attribute-values", "").list("data")); n != 1 {
		t.Errorf("%d values are listed", n)
	}
	if again := b.want(200, "POST", "/v3/customers/attributes", `[{"name":"lost","type":"string"}]`).at("data", 0, "id"); again != 3.0 {
		t.Errorf("defined again as %v, want a new id", again)
	}
	if err := b.s.DeleteAttribute("never"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func TestShrunkScopes(t *testing.T) {
	b := newBench(t, 1)
	account := b.s.AddAPIAccount("store_v2_orders", "store_v2_customers")
	full := b.s.Installation().Scopes
	if err := b.s.SetTokenScopes(b.token.Value, "store_v2_orders_read_only"); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		token, method, path, body string
		status                    int
	}{
		{b.token.Value, "GET", "/v2/orders/101", "", 200},
		{b.token.Value, "PUT", "/v2/orders/101", `{"status_id":12}`, 403},
		{b.token.Value, "GET", "/v3/customers", "", 403},
		{b.token.Value, "GET", "/v3/hooks", "", 200}, // needs no scope
		{account.Value, "GET", "/v3/customers", "", 200},
	} {
		if a := b.apiAs(tc.token, tc.method, tc.path, tc.body); a.status != tc.status {
			t.Errorf("%s %s: %d, want %d", tc.method, tc.path, a.status, tc.status)
		}
	}
	if got := b.s.Installation().Scopes; !slices.Equal(got, []string{"store_v2_orders_read_only"}) {
		t.Errorf("installed with %v", got)
	}
	if err := errors.Join(b.s.SetTokenScopes(account.Value), b.s.SetTokenScopes(b.token.Value, full...)); err != nil {
		t.Fatal(err)
	}
	b.want(200, "GET", "/v3/customers", "")
	if a := b.apiAs(account.Value, "GET", "/v3/customers", ""); a.status != 403 {
		t.Errorf("the account without scopes: %d", a.status)
	}
	if err := b.s.SetTokenScopes("nonsense"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func TestPlatformDeletesAHook(t *testing.T) {
	b := newBench(t, 1)
	id := b.hookUp("store/order/created")
	b.buy("COF-250", PlaceOptions{})
	if err := b.s.DeleteHook(id); err != nil {
		t.Fatal(err)
	}
	b.want(404, "GET", fmt.Sprintf("/v3/hooks/%d", id), "")
	if got := b.deliver(); len(got) != 0 || len(b.s.Hooks()) != 0 {
		t.Errorf("%q", got)
	}
	if err := b.s.DeleteHook(id); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func TestChangedScript(t *testing.T) {
	b := newBench(t, 1)
	const sri = "sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC"
	uuid, _ := b.want(200, "POST", "/v3/content/scripts", `{"name":"gate","src":"https://a.example/x.js","visibility":"checkout","location":"head","integrity_hashes":["`+sri+`"]}`).at("data", "uuid").(string)
	path := "/v3/content/scripts/" + uuid
	before := b.s.Scripts()[0]
	b.clock.add(time.Minute)
	for _, tc := range []struct {
		edit func(*Script)
		key  string
		want any
	}{
		{func(sc *Script) { sc.Src = "https://evil.example/x.js" }, "src", "https://evil.example/x.js"},
		{func(sc *Script) { sc.IntegrityHashes[0] = "sha384-AAAA" }, "integrity_hashes", "[sha384-AAAA]"},
		{func(sc *Script) { sc.IntegrityHashes = nil }, "integrity_hashes", "[]"},
		{func(sc *Script) { sc.Enabled = false }, "enabled", false},
		{func(sc *Script) { sc.UUID, sc.ClientID = "stolen", "stolen" }, "uuid", uuid},
	} {
		if err := b.s.UpdateScript(uuid, tc.edit); err != nil {
			t.Fatal(err)
		}
		a := b.want(200, "GET", path, "")
		if got := a.at("data", tc.key); got != tc.want && fmt.Sprint(got) != tc.want {
			t.Errorf("%s is %v, want %v", tc.key, got, tc.want)
		}
		if a.at("data", "date_modified") != stamp(b.clock.now()) || a.at("data", "date_created") != stamp(before.Created) {
			t.Errorf("%s", a.raw)
		}
	}
	if before.IntegrityHashes[0] != sri {
		t.Error("a list that was handed out before changed with it")
	}
	if n := len(b.s.ScriptsFor(1, "checkout", "head")); n != 0 {
		t.Errorf("the page still carries %d", n)
	}
	if err := b.s.DeleteScript(uuid); err != nil {
		t.Fatal(err)
	}
	if err := b.s.UpdateScript(uuid, func(*Script) {}); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// TestDeletedCustomersOrders plays both things that the platform may do with the orders of an account
// that was deleted.
func TestDeletedCustomersOrders(t *testing.T) {
	for _, keep := range []bool{false, true} {
		b := newBench(t, 1)
		b.hookUp("store/customer/deleted")
		b.hookUp("store/order/*")
		ada := b.s.Customers()[0]
		b.s.KeepCustomerInOrders(keep)
		b.clock.add(time.Hour)
		if err := b.s.DeleteCustomer(ada.ID); err != nil {
			t.Fatal(err)
		}
		if got := b.deliver(); !slices.Equal(got, []string{fmt.Sprintf(`store/customer/deleted {"id":%d,"type":"customer"}`, ada.ID)}) {
			t.Errorf("events %q", got)
		}
		want := 0.0
		if keep {
			want = float64(ada.ID)
		}
		for _, id := range []int{101, 106} { // hers
			a := b.want(200, "GET", fmt.Sprintf("/v2/orders/%d", id), "")
			if a.at("customer_id") != want || a.at("billing_address", "email") != ada.Email || a.at("date_modified") == rfc2822(b.clock.now()) {
				t.Errorf("order %d: %v %v", id, a.at("customer_id"), a.at("date_modified"))
			}
		}
		if a := b.want(200, "GET", "/v2/orders/102", ""); a.at("customer_id") == 0.0 {
			t.Error("another account's order lost its customer")
		}
		if n := len(b.want(200, "GET", fmt.Sprintf("/v3/customers?id:in=%d", ada.ID), "").list("data")); n != 0 {
			t.Errorf("%d accounts are left", n)
		}
		if _, err := b.s.PlaceOrderByAPI(APIOrder{CustomerID: ada.ID, Items: []APIItem{{ProductID: 81, Quantity: 1}}}); !errors.Is(err, ErrNotFound) {
			t.Errorf("a deleted account orders: %v", err)
		}
	}
}
