package sim

import (
	"fmt"
	"strings"
	"testing"
)

func TestCustomerLists(t *testing.T) {
	b := newBench(t, 1)
	ada := b.s.Customers()[0]
	for query, want := range map[string]int{
		"": 5, fmt.Sprintf("id:in=%d,4711", ada.ID): 1, "email:in=ADA@example.com,grace@example.com": 2, "name:in=alan%20turing": 1, "customer_group_id:in=2": 1, "id:in=4711": 0,
	} {
		if n := len(b.want(200, "GET", "/v3/customers?"+query, "").list("data")); n != want {
			t.Errorf("%q: %d, want %d", query, n, want)
		}
	}
	plain := b.want(200, "GET", fmt.Sprintf("/v3/customers?id:in=%d", ada.ID), "")
	if plain.at("data", 0, "addresses") != nil || plain.at("data", 0, "address_count") != 1.0 {
		t.Errorf("%s", plain.raw)
	}
	full := b.want(200, "GET", fmt.Sprintf("/v3/customers?id:in=%d&include=addresses,attributes", ada.ID), "")
	if full.at("data", 0, "addresses", 0, "state_or_province") != "Texas" || full.at("data", 0, "attributes") == nil {
		t.Errorf("%s", full.raw)
	}
	if n := len(b.want(200, "GET", "/v2/customer_groups", "").list()); n != 2 {
		t.Errorf("%d groups", n)
	}
}

func TestCustomerUpdates(t *testing.T) {
	b := newBench(t, 1)
	ada := b.s.Customers()[0]
	a := b.want(200, "PUT", "/v3/customers", fmt.Sprintf(`[{"id":%d,"customer_group_id":2,"company":"Engines"}]`, ada.ID))
	if a.at("data", 0, "customer_group_id") != 2.0 || a.at("data", 0, "company") != "Engines" || a.at("data", 0, "last_name") != "Lovelace" {
		t.Errorf("%s", a.raw)
	}
	b.want(413, "PUT", "/v3/customers", "["+strings.Repeat(`{"id":31},`, 10)+`{"id":31}]`)
	for _, body := range []string{`[{"id":4711}]`, `[{}]`, fmt.Sprintf(`[{"id":%d,"customer_group_id":9}]`, ada.ID), fmt.Sprintf(`[{"id":%d,"email":"grace@example.com"}]`, ada.ID)} {
		b.want(422, "PUT", "/v3/customers", body)
	}
}

const cardBody = `{"custom_fields":[{"name":"blockid_ial","value":"2"},{"name":"blockid_liveid_enrolled","value":"true"}]}`

func TestV2CustomFields(t *testing.T) {
	b := newBench(t, 1)
	path := fmt.Sprintf("/v2/customers/%d", b.s.Customers()[0].ID)
	a := b.want(400, "PUT", path, cardBody)
	if a.at(0, "status") != 400.0 || !strings.Contains(fmt.Sprint(a.at(0, "message")), "custom_fields") {
		t.Errorf("%s", a.raw)
	}
	b.s.AcceptV2CustomFields(true)
	b.want(200, "PUT", path, cardBody)
	a = b.want(200, "PUT", path, strings.Replace(cardBody, `"2"`, `"3"`, 1))
	if len(a.list("custom_fields")) != 2 || a.at("custom_fields", 0, "value") != "3" {
		t.Errorf("%s", a.raw)
	}
	if got := b.want(200, "GET", path, "").at("custom_fields", 1, "value"); got != "true" {
		t.Errorf("kept %v", got)
	}
	b.want(200, "PUT", path, `{"company":"Engines","customer_group_id":2}`)
	b.want(409, "PUT", path, `{"email":"grace@example.com"}`)
	b.want(400, "PUT", path, `{"addresses":[]}`)
	b.want(400, "PUT", path, `{"company":7}`)
	b.want(404, "PUT", "/v2/customers/4711", `{}`)
}

func TestAttributes(t *testing.T) {
	b := newBench(t, 1)
	ada := b.s.Customers()[0].ID
	a := b.want(200, "POST", "/v3/customers/attributes", `[{"name":"blockid_ial","type":"number"},{"name":"blockid_vc_token","type":"string"}]`)
	ial, _ := a.at("data", 0, "id").(float64)
	if n := len(b.want(200, "GET", "/v3/customers/attributes?name=blockid_ial", "").list("data")); n != 1 {
		t.Errorf("%d by name", n)
	}
	for _, body := range []string{`[]`, `[{"name":"blockid_ial","type":"number"}]`, `[{"name":"","type":"string"}]`, `[{"name":"x","type":"float"}]`, `[{"name":"x","type":"string"},{"name":"x","type":"string"}]`} {
		b.want(422, "POST", "/v3/customers/attributes", body)
	}
	value := func(v string) string {
		return fmt.Sprintf(`[{"attribute_id":%v,"customer_id":%d,"value":%q}]`, ial, ada, v)
	}
	a = b.want(200, "PUT", "/v3/customers/attribute-values", value("2"))
	if a.at("data", 0, "attribute_value") != "2" || a.at("data", 0, "value") != nil {
		t.Errorf("%s", a.raw)
	}
	first := a.at("data", 0, "id")
	if again := b.want(200, "PUT", "/v3/customers/attribute-values", value("3")); again.at("data", 0, "id") != first {
		t.Error("an upsert made a second value")
	}
	if got := b.s.CustomerAttributes(ada)["blockid_ial"]; got != "3" {
		t.Errorf("kept %q", got)
	}
	b.want(200, "PUT", "/v3/customers/attribute-values", value(strings.Repeat("é", 255)))
	b.want(422, "PUT", "/v3/customers/attribute-values", value(strings.Repeat("x", 256)))
	b.want(422, "PUT", "/v3/customers/attribute-values", fmt.Sprintf(`[{"attribute_id":99,"customer_id":%d,"value":"2"}]`, ada))
	b.want(422, "PUT", "/v3/customers/attribute-values", fmt.Sprintf(`[{"attribute_id":%v,"customer_id":4711,"value":"2"}]`, ial))
	b.want(422, "PUT", "/v3/customers/attribute-values", fmt.Sprintf(`[{"attribute_id":%v,"customer_id":%d}]`, ial, ada))
	b.want(413, "PUT", "/v3/customers/attribute-values", "["+strings.Repeat(`{"value":"2"},`, 10)+`{"value":"2"}]`)
	if n := len(b.want(200, "GET", fmt.Sprintf("/v3/customers/attribute-values?customer_id:in=%d", ada), "").list("data")); n != 1 {
		t.Errorf("%d values", n)
	}
	b.want(204, "DELETE", fmt.Sprintf("/v3/customers/attribute-values?id:in=%v", first), "")
	b.want(422, "DELETE", "/v3/customers/attribute-values", "")
	if n := len(b.s.CustomerAttributes(ada)); n != 0 {
		t.Errorf("%d values are left", n)
	}
}

func TestAttributeValueLists(t *testing.T) {
	b := newBench(t, 1)
	ada, grace := b.s.Customers()[0].ID, b.s.Customers()[1].ID
	b.want(200, "POST", "/v3/customers/attributes", `[{"name":"x","type":"string"},{"name":"y","type":"string"}]`)
	for i, pair := range [][2]int64{{2, grace}, {1, ada}, {1, grace}, {2, ada}} {
		b.want(200, "PUT", "/v3/customers/attribute-values", fmt.Sprintf(`[{"attribute_id":%d,"customer_id":%d,"value":"v%d"}]`, pair[0], pair[1], i+1))
	}
	for query, want := range map[string]string{
		"": "v1 v2 v3 v4", fmt.Sprintf("customer_id:in=%d", ada): "v2 v4", "attribute_id:in=1": "v2 v3", "name=y": "v1 v4",
		fmt.Sprintf("customer_id:in=%d&attribute_id:in=2", grace): "v1", "customer_id:in=4711": "",
	} {
		a := b.want(200, "GET", "/v3/customers/attribute-values?"+query, "")
		var got []string
		for i := range a.list("data") {
			got = append(got, fmt.Sprint(a.at("data", i, "attribute_value")))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %s", query, got, want)
		}
	}
}

func TestAttributeLimit(t *testing.T) {
	b := newBench(t, 1)
	for i := range 5 {
		var parts []string
		for k := range 10 {
			parts = append(parts, fmt.Sprintf(`{"name":"a%d","type":"string"}`, i*10+k))
		}
		b.want(200, "POST", "/v3/customers/attributes", "["+strings.Join(parts, ",")+"]")
	}
	b.want(422, "POST", "/v3/customers/attributes", `[{"name":"one-more","type":"string"}]`)
}

func TestCustomersLife(t *testing.T) {
	b := newBench(t, 1)
	if _, err := b.s.SignIn("ada@example.com", DemoPassword); err != nil {
		t.Error(err)
	}
	for _, pair := range [][2]string{{"ada@example.com", "wrong"}, {"nobody@example.com", DemoPassword}} {
		if _, err := b.s.SignIn(pair[0], pair[1]); err == nil {
			t.Errorf("%v signs in", pair)
		}
	}
	if _, err := b.s.CreateCustomer(Customer{Email: "ADA@example.com"}); err == nil {
		t.Error("an address was taken twice")
	}
	c := must[Customer](t)(b.s.CreateCustomer(Customer{Email: "new@example.com", FirstName: "New", LastName: "Person", Password: "x"}))
	b.want(200, "POST", fmt.Sprintf("/v3/customers/%d/metafields", c.ID), `{"permission_set":"app_only","namespace":"blockid","key":"receipt","value":"x"}`)
	if err := b.s.UpdateCustomer(c.ID, func(c *Customer) { c.Email = "grace@example.com" }); err == nil {
		t.Error("an address was changed to a taken one")
	}
	if err := b.s.UpdateCustomer(c.ID, func(c *Customer) { c.Notes = "kind" }); err != nil {
		t.Error(err)
	}
	if err := b.s.DeleteCustomer(c.ID); err != nil {
		t.Fatal(err)
	}
	if n := len(b.s.Metafields("customer", c.ID)); n != 0 {
		t.Errorf("%d metafields outlive the customer", n)
	}
	if err := b.s.DeleteCustomer(c.ID); err == nil {
		t.Error("deleted twice")
	}
}

func TestMetafields(t *testing.T) {
	b := newBench(t, 1)
	other := b.s.AddAPIAccount("store_v2_orders", "store_v2_customers")
	for _, base := range []string{fmt.Sprintf("/v3/customers/%d/metafields", b.s.Customers()[0].ID), "/v3/orders/101/metafields"} {
		body := `{"permission_set":"%s","namespace":"blockid","key":"%s","value":"one","description":"d"}`
		b.want(200, "POST", base, fmt.Sprintf(body, "app_only", "secret"))
		b.want(200, "POST", base, fmt.Sprintf(body, "read", "open"))
		b.want(409, "POST", base, fmt.Sprintf(body, "read", "open"))
		if a := b.apiAs(other.Value, "POST", base, fmt.Sprintf(body, "read", "open")); a.status != 200 {
			t.Errorf("another client's same key: %d", a.status)
		}
		for _, bad := range []string{fmt.Sprintf(body, "everyone", "x"), fmt.Sprintf(body, "read", ""), fmt.Sprintf(body, "read", strings.Repeat("k", 65)), `{}`} {
			b.want(422, "POST", base, bad)
		}
		a := b.want(200, "GET", base+"?namespace=blockid&key=secret", "")
		if len(a.list("data")) != 1 || a.at("data", 0, "owner_client_id") != testClientID {
			t.Errorf("%s", a.raw)
		}
		id := fmt.Sprint(a.at("data", 0, "id"))
		if n := len(b.apiAs(other.Value, "GET", base, "").list("data")); n != 2 {
			t.Errorf("another client sees %d, want its own and the open one", n)
		}
		if a := b.apiAs(other.Value, "PUT", base+"/"+id, `{"value":"two"}`); a.status != 404 {
			t.Errorf("another client changes app_only: %d", a.status)
		}
		open := fmt.Sprint(b.want(200, "GET", base+"?key=open", "").at("data", 0, "id"))
		if a := b.apiAs(other.Value, "PUT", base+"/"+open, `{"value":"two"}`); a.status != 403 {
			t.Errorf("another client changes read: %d", a.status)
		}
		b.want(200, "PUT", base+"/"+id, `{"value":"two"}`)
		if got := b.want(200, "GET", base+"/"+id, "").at("data", "value"); got != "two" {
			t.Errorf("value %v", got)
		}
		b.want(409, "PUT", base+"/"+id, `{"key":"open"}`)
		b.want(204, "DELETE", base+"/"+id, "")
		b.want(404, "GET", base+"/"+id, "")
	}
	b.want(404, "POST", "/v3/orders/4711/metafields", `{}`)
	b.want(404, "GET", "/v3/customers/4711/metafields", "")
}
