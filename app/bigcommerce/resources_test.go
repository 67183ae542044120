package bigcommerce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	hookJSON   = `{"id":18048287,"client_id":"client-1","store_hash":"abc123","scope":"store/order/created","destination":"https://app.example/webhooks/bigcommerce","headers":{"Idgate-Hook-Secret":"hook-secret"},"is_active":true,"created_at":1580329317,"updated_at":1580329317}`
	scriptJSON = `{"uuid":"` + scriptID + `","name":"idgate","description":"gate","kind":"src","src":"https://app.example/gate.js","load_method":"default","location":"head","visibility":"checkout","consent_category":"essential","channel_id":1,"integrity_hashes":["sha384-abc"],"enabled":true,"auto_uninstall":true,"api_client_id":"client-1","date_created":"2026-07-01T12:00:00Z"}`
	cartJSON   = `{"id":"` + cartID + `","customer_id":11,"channel_id":2,"email":"jane@mail.example","currency":{"code":"usd"},"tax_included":false,"base_amount":130.5,"discount_amount":0,"cart_amount":125.25,"locale":"en-US","version":4,
		"line_items":{
			"physical_items":[{"id":"6e19","product_id":12,"variant_id":358,"sku":"SM","name":"T-Shirt","quantity":5.0,"list_price":20,"sale_price":18.5,"extended_list_price":100,"extended_sale_price":92.5}],
			"digital_items":[{"id":"6e20","product_id":13,"variant_id":null,"sku":"PDF","name":"Book","quantity":1,"list_price":4.25,"sale_price":4.20,"extended_list_price":4.25,"extended_sale_price":4.20}],
			"gift_certificates":[{"id":"6e21","name":"$25","amount":25,"theme":"Birthday","sender":{},"recipient":{}}],
			"custom_items":[{"id":"6e22","sku":"X","name":"Odd","quantity":2,"list_price":1.75,"extended_list_price":3.5}]}}`
)

var (
	wantHook = Hook{
		ID: 18048287, Scope: ScopeOrderCreated, Destination: "https://app.example/webhooks/bigcommerce", Active: true,
		Headers: map[string]string{HookSecretHeader: "hook-secret"},
	}
	wantScript = Script{
		UUID: scriptID, Name: "idgate", Description: "gate", Kind: ScriptKindSrc, Src: "https://app.example/gate.js",
		LoadMethod: ScriptLoadDefault, Location: ScriptLocationHead, Visibility: ScriptOnCheckout, ConsentCategory: ScriptConsentEssential,
		ChannelID: 1, IntegrityHashes: []string{"sha384-abc"}, Enabled: true, AutoUninstall: true,
	}
	wantCart = Cart{
		ID: cartID, CustomerID: 11, ChannelID: 2, Email: "jane@mail.example", Currency: "USD", CartAmount: dec("125.25"), Locale: "en-US", Version: 4,
		Items: []CartItem{
			{ItemPhysical, "6e19", 12, 358, "SM", "T-Shirt", 5, dec("20"), dec("18.5"), dec("92.5")},
			{ItemDigital, "6e20", 13, 0, "PDF", "Book", 1, dec("4.25"), dec("4.20"), dec("4.20")},
			{ItemGiftCertificate, "6e21", 0, 0, "", "$25", 1, dec("25"), dec("25"), dec("25")},
			{ItemCustom, "6e22", 0, 0, "X", "Odd", 2, dec("1.75"), dec("1.75"), dec("3.5")},
		},
	}
	jane = CheckoutAddress{
		FirstName: "Jane", LastName: "Doe", Email: "jane@mail.example", Company: "Acme", Address1: "123 Main", Address2: "Apt 4", City: "Austin",
		StateOrProvince: "Texas", StateOrProvinceCode: "TX", PostalCode: "78751", CountryCode: "US", Phone: "512",
	}
)

const janeJSON = `{"id":"5f1","first_name":"Jane","last_name":"Doe","email":"jane@mail.example","company":"Acme","address1":"123 Main","address2":"Apt 4",
	"city":"Austin","state_or_province":"Texas","state_or_province_code":"TX","postal_code":"78751","country_code":"US","phone":"512","custom_fields":[]}`

// Each operation: what is sent, to the letter, and what is made of the answer.
func TestOperations(t *testing.T) {
	exactBody := `{"scope":"store/order/created","destination":"https://app.example/webhooks/bigcommerce","is_active":true,"headers":{"Idgate-Hook-Secret":"hook-secret"}}`
	scriptBody := `{"name":"idgate","description":"gate","kind":"src","src":"https://app.example/gate.js","load_method":"default","location":"head","visibility":"checkout","consent_category":"essential","channel_id":1,"integrity_hashes":["sha384-abc"],"enabled":true,"auto_uninstall":true}`
	type s = *Store
	tests := []struct {
		name    string
		call    func(context.Context, s) (any, error)
		request string // method, path and query, body
		status  int
		answer  string
		want    any
	}{
		{"Info", func(ctx context.Context, c s) (any, error) { return c.Info(ctx) }, "GET /v2/store ", 200,
			`{"id":"abc123","store_id":1025646,"account_uuid":"u","name":"Shop","domain":"shop.example","secure_url":"https://shop.example","control_panel_base_url":"https://store-abc123.mybigcommerce.com","status":"live","admin_email":"a@shop.example","order_email":"o@shop.example","country_code":"US","language":"en","currency":"USD","timezone":{"name":"America/Chicago","date_format":{}},"plan_level":"Pro","default_channel_id":1,"default_site_id":1000,"logo":[],"features":{"stencil_enabled":true,"checkout_type":"optimized","multi_storefront_enabled":true,"shopper_consent_tracking_enabled":true,"graphql_storefront_api_enabled":true}}`,
			func() StoreInfo {
				i := StoreInfo{
					Hash: "abc123", StoreID: 1025646, AccountUUID: "u", Name: "Shop", Domain: "shop.example", SecureURL: "https://shop.example",
					ControlPanelURL: "https://store-abc123.mybigcommerce.com", Status: "live", AdminEmail: "a@shop.example", OrderEmail: "o@shop.example",
					CountryCode: "US", Language: "en", Currency: "USD", PlanLevel: "Pro", DefaultChannelID: 1, DefaultSiteID: 1000,
				}
				i.Timezone.Name = "America/Chicago"
				i.Features.StencilEnabled, i.Features.CheckoutType, i.Features.MultiStorefront = true, "optimized", true
				i.Features.ShopperConsent, i.Features.GraphQLEnabled = true, true
				return i
			}()},
		{"Time", func(ctx context.Context, c s) (any, error) { return nil, c.Time(ctx) }, "GET /v2/time ", 200, `{"time":1541169062}`, nil},
		{"Channels", func(ctx context.Context, c s) (any, error) { return c.Channels(ctx) }, "GET /v3/channels?available=true&limit=50&page=1&type%3Ain=storefront ", 200,
			`{"data":[{"id":1,"name":"Main","type":"storefront","platform":"bigcommerce","status":"active","is_enabled":true}],"meta":{}}`,
			[]Channel{{1, "Main", "storefront", "bigcommerce", "active"}}},
		{"Hooks", func(ctx context.Context, c s) (any, error) { return c.Hooks(ctx) }, "GET /v3/hooks?limit=50&page=1 ", 200, `{"data":[` + hookJSON + `],"meta":{}}`, []Hook{wantHook}},
		{"CreateHook", func(ctx context.Context, c s) (any, error) { return c.CreateHook(ctx, wantHook) }, "POST /v3/hooks " + exactBody, 200, `{"data":` + hookJSON + `}`, wantHook},
		{"UpdateHook", func(ctx context.Context, c s) (any, error) { return c.UpdateHook(ctx, 18048287, wantHook) }, "PUT /v3/hooks/18048287 " + exactBody, 200, `{"data":` + hookJSON + `}`, wantHook},
		{"DeleteHook", func(ctx context.Context, c s) (any, error) { return nil, c.DeleteHook(ctx, 18048287) }, "DELETE /v3/hooks/18048287 ", 200, `{"data":` + hookJSON + `}`, nil},
		{"DeleteHook, gone", func(ctx context.Context, c s) (any, error) { return nil, c.DeleteHook(ctx, 18048287) }, "DELETE /v3/hooks/18048287 ", 404, `{"status":404,"title":"not found"}`, nil},
		{"Scripts", func(ctx context.Context, c s) (any, error) { return c.Scripts(ctx) }, "GET /v3/content/scripts?limit=50&page=1 ", 200, `{"data":[` + scriptJSON + `],"meta":{}}`, []Script{wantScript}},
		{"CreateScript", func(ctx context.Context, c s) (any, error) { return c.CreateScript(ctx, wantScript) }, "POST /v3/content/scripts " + scriptBody, 200, `{"data":` + scriptJSON + `}`, wantScript},
		{"UpdateScript", func(ctx context.Context, c s) (any, error) { return c.UpdateScript(ctx, scriptID, wantScript) }, "PUT /v3/content/scripts/" + scriptID + " " + scriptBody, 200, `{"data":` + scriptJSON + `}`, wantScript},
		{"DeleteScript", func(ctx context.Context, c s) (any, error) { return nil, c.DeleteScript(ctx, scriptID) }, "DELETE /v3/content/scripts/" + scriptID + " ", 204, ``, nil},
		{"CustomerAttributes", func(ctx context.Context, c s) (any, error) { return c.CustomerAttributes(ctx) }, "GET /v3/customers/attributes?limit=50&page=1 ", 200,
			`{"data":[{"id":3,"name":"blockid_ial","type":"string","date_created":"x"}],"meta":{}}`, []CustomerAttribute{{3, "blockid_ial", "string"}}},
		{"CreateCustomerAttributes", func(ctx context.Context, c s) (any, error) {
			return c.CreateCustomerAttributes(ctx, []CustomerAttribute{{9, "blockid_ial", "string"}})
		}, `POST /v3/customers/attributes [{"name":"blockid_ial","type":"string"}]`, 200, `{"data":[{"id":3,"name":"blockid_ial","type":"string"}]}`, []CustomerAttribute{{3, "blockid_ial", "string"}}},
		{"AttributeValues", func(ctx context.Context, c s) (any, error) { return c.AttributeValues(ctx, 32) }, "GET /v3/customers/attribute-values?customer_id%3Ain=32&limit=50&page=1 ", 200,
			`{"data":[{"id":5,"attribute_id":3,"attribute_value":"2","customer_id":32}],"meta":{}}`, []AttributeValue{{5, 3, 32, "2"}}},
		{"UpsertAttributeValues", func(ctx context.Context, c s) (any, error) {
			return nil, c.UpsertAttributeValues(ctx, []AttributeValue{{5, 3, 32, "2"}})
		}, `PUT /v3/customers/attribute-values [{"attribute_id":3,"customer_id":32,"value":"2"}]`, 200, `{"data":[]}`, nil},
		{"Customer", func(ctx context.Context, c s) (any, error) { return c.Customer(ctx, 32) }, "GET /v3/customers?id%3Ain=32 ", 200,
			`{"data":[{"id":31},{"id":32,"email":"a@b.example","first_name":"A","last_name":"B","customer_group_id":4,"origin_channel_id":1,"channel_ids":[1,2]}]}`,
			Customer{ID: 32, Email: "a@b.example", FirstName: "A", LastName: "B", CustomerGroupID: 4, OriginChannelID: 1, ChannelIDs: []int64{1, 2}}},
		{"OrderMetafields", func(ctx context.Context, c s) (any, error) { return c.OrderMetafields(ctx, 7, "idgate") }, "GET /v3/orders/7/metafields?limit=50&namespace=idgate&page=1 ", 200,
			`{"data":[{"id":1,"namespace":"idgate","key":"decision","value":"v","permission_set":"read","description":"d","owner_client_id":"client-1","resource_type":"order","resource_id":7}]}`,
			[]Metafield{{1, "idgate", "decision", "v", PermissionRead, "d", "client-1"}}},
		{"CustomerMetafields", func(ctx context.Context, c s) (any, error) { return c.CustomerMetafields(ctx, 32, "") }, "GET /v3/customers/32/metafields?limit=50&page=1 ", 204, ``, []Metafield(nil)},
		{"Order", func(ctx context.Context, c s) (any, error) { o, err := c.Order(ctx, 218); return o.ID, err }, "GET /v2/orders/218?include=fees ", 200, orderBody, int64(218)},
		{"OrderProducts", func(ctx context.Context, c s) (any, error) { return c.OrderProducts(ctx, 218) }, "GET /v2/orders/218/products?limit=50&page=1 ", 200,
			`[{"id":25,"order_id":218,"product_id":20,"variant_id":80,"order_address_id":20,"name":"Towel","sku":"S","type":"physical","brand":"Fog","quantity":2,"price_inc_tax":"54.0000","total_inc_tax":"108.0000"},{"id":26,"product_id":0,"variant_id":null,"quantity":1}]`,
			[]OrderProduct{{25, 20, 80, 20, "Towel", "S", "physical", "Fog", 2, dec("54.0000"), dec("108.0000")}, {ID: 26, Quantity: 1}}},
		{"OrderShippingAddresses", func(ctx context.Context, c s) (any, error) { return c.OrderShippingAddresses(ctx, 218) }, "GET /v2/orders/218/shipping_addresses?limit=50&page=1 ", 200,
			`[{"id":1,"order_id":218,"first_name":"Jane","last_name":"Doe","street_1":"1 St","zip":"78751","country_iso2":"US","shipping_method":"Free Shipping","base_cost":"5.0000"}]`,
			[]OrderShippingAddress{{1, 218, "Free Shipping", OrderAddress{FirstName: "Jane", LastName: "Doe", Street1: "1 St", Zip: "78751", CountryISO2: "US"}}}},
		{"Cart", func(ctx context.Context, c s) (any, error) { return c.Cart(ctx, cartID) }, "GET /v3/carts/" + cartID + " ", 200, `{"data":` + cartJSON + `,"meta":{}}`, wantCart},
		{"Checkout", func(ctx context.Context, c s) (any, error) { return c.Checkout(ctx, cartID) }, "GET /v3/checkouts/" + cartID + " ", 200,
			`{"data":{"id":"` + cartID + `","cart":` + cartJSON + `,"billing_address":` + janeJSON + `,"consignments":[{"id":"c1","address":` + janeJSON + `,"selected_shipping_option":{"id":"o","description":"Courier"},"line_item_ids":["6e19"]}],"order_id":"","subtotal_inc_tax":125.25,"tax_total":4.75,"shipping_cost_total_inc_tax":10,"grand_total":140}}`,
			Checkout{
				ID: cartID, Cart: wantCart, BillingAddress: jane, SubtotalIncTax: dec("125.25"), TaxTotal: dec("4.75"), ShippingTotal: dec("10"), GrandTotal: dec("140"),
				Consignments: []Consignment{{"c1", jane, "Courier", []string{"6e19"}}},
			}},
		{"Checkout, bare", func(ctx context.Context, c s) (any, error) { return c.Checkout(ctx, cartID) }, "GET /v3/checkouts/" + cartID + " ", 200,
			`{"data":{"id":"` + strings.ToUpper(cartID) + `","cart":null,"billing_address":null,"consignments":[],"order_id":252,"grand_total":"1e2"}}`,
			Checkout{ID: strings.ToUpper(cartID), OrderID: "252", GrandTotal: dec("1e2")}},
		{"Products", func(ctx context.Context, c s) (any, error) { return c.Products(ctx, []int64{13, 12, 13}) }, "GET /v3/catalog/products?id%3Ain=12%2C13&include_fields=name%2Ccategories%2Cbrand_id&limit=50&page=1 ", 200,
			`{"data":[{"id":12,"name":"T-Shirt","categories":[23,24],"brand_id":5}],"meta":{}}`, []Product{{12, "T-Shirt", []int64{23, 24}, 5}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			app := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if got := r.Method + " " + strings.TrimPrefix(r.URL.String(), "/stores/abc123") + " " + string(body); got != tt.request {
					t.Errorf("sent %s\nwant %s", got, tt.request)
				}
				answer(tt.status, tt.answer)(w, r)
			})
			got, err := tt.call(t.Context(), app.Store(testHash, testToken))
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, tt.want)
			}
		})
	}
}

// The card prints this body; only the customer id and the JWT are ours.
func TestCardBody(t *testing.T) {
	const want = `{"custom_fields":[{"name":"blockid_ial","value":"2"},{"name":"blockid_vc_token","value":"eyJ.x.y"},{"name":"blockid_liveid_enrolled","value":"true"}]}`
	app := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != "PUT" || r.URL.String() != "/stores/abc123/v2/customers/32" || string(body) != want {
			t.Errorf("%s %s %s", r.Method, r.URL, body)
		}
		answer(400, `[{"status":400,"message":"The field 'custom_fields' cannot be written to."}]`)(w, r)
	})
	err := app.Store(testHash, testToken).PutCustomerCustomFieldsV2(t.Context(), 32, []CustomField{
		{"blockid_ial", "2"}, {"blockid_vc_token", "eyJ.x.y"}, {"blockid_liveid_enrolled", "true"},
	})
	var e *Error
	if !errors.As(err, &e) || e.Status != 400 || e.Temporary() {
		t.Errorf("err %v", err)
	}
}

func TestAnswersWithoutTheirResource(t *testing.T) {
	for name, body := range map[string]string{"null": `{"data":null}`, "empty": `{}`, "without id": `{"data":{"name":"x"}}`, "another": `{"data":{"id":"` + scriptID + `","grand_total":1}}`} {
		store := serve(t, answer(200, body)).Store(testHash, testToken)
		for call, do := range map[string]func() error{
			"CreateHook":   func() error { _, err := store.CreateHook(t.Context(), wantHook); return err },
			"CreateScript": func() error { _, err := store.CreateScript(t.Context(), wantScript); return err },
			"Cart":         func() error { _, err := store.Cart(t.Context(), cartID); return err },
			"Checkout":     func() error { _, err := store.Checkout(t.Context(), cartID); return err },
		} {
			if err := do(); err == nil {
				t.Errorf("%s accepts %s", call, name)
			}
		}
	}
	if got, err := serve(t, answer(200, `{"data":{"id":"`+cartID+`","grand_total":null}}`)).Store(testHash, testToken).Checkout(t.Context(), cartID); err == nil {
		t.Errorf("a checkout without a total: %+v", got)
	}
	for _, body := range []string{`{"data":[]}`, `{"data":[{"id":33}]}`, ``} {
		_, err := serve(t, answer(200, body)).Store(testHash, testToken).Customer(t.Context(), 32)
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("Customer from %s: %v, want ErrNotFound", body, err)
		}
	}
	_, err := serve(t, answer(500, ``)).Store(testHash, testToken).Customer(t.Context(), 32)
	if err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("Customer from a 500: %v", err)
	}
}

func TestHookSecretIsNotRepeated(t *testing.T) {
	store := serve(t, answer(422, `{"title":"bad header hook-secret"}`)).Store(testHash, testToken)
	if _, err := store.CreateHook(t.Context(), wantHook); err == nil || strings.Contains(err.Error(), "hook-secret") {
		t.Errorf("err %v", err)
	}
}

func TestBatches(t *testing.T) {
	var sizes []int
	fail := 0
	app := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		n := strings.Count(string(body), `"name"`) + strings.Count(string(body), `"value"`)
		sizes = append(sizes, n)
		if len(sizes) == fail {
			answer(413, ``)(w, r)
			return
		}
		items := make([]string, n)
		for i := range items {
			items[i] = fmt.Sprintf(`{"id":%d}`, i+1)
		}
		answer(200, `{"data":[`+strings.Join(items, ",")+`]}`)(w, r)
	})
	store := app.Store(testHash, testToken)
	values := make([]AttributeValue, 23)
	if err := store.UpsertAttributeValues(t.Context(), values); err != nil || !slices.Equal(sizes, []int{10, 10, 3}) {
		t.Errorf("values in %v, %v", sizes, err)
	}
	sizes, fail = nil, 2
	made, err := store.CreateCustomerAttributes(t.Context(), make([]CustomerAttribute, 23))
	if err == nil || len(made) != 10 || !slices.Equal(sizes, []int{10, 10}) {
		t.Errorf("attributes in %v, %d made, %v", sizes, len(made), err)
	}
	sizes, fail = nil, 0
	if err := store.UpsertAttributeValues(t.Context(), nil); err != nil || len(sizes) != 0 {
		t.Errorf("nothing in %v, %v", sizes, err)
	}
}

func TestUpsertMetafield(t *testing.T) {
	const own = `{"id":5,"namespace":"blockid","key":"receipt","value":"v1","permission_set":"app_only","owner_client_id":"client-1"}`
	const foreign = `{"id":4,"namespace":"blockid","key":"receipt","value":"x","permission_set":"read","owner_client_id":"client-2"}`
	put := func(resource, value string) string {
		id := ""
		if strings.HasPrefix(resource, "customers") { // the customers' form wants the id in the body too
			id = `"id":5,`
		}
		return "PUT /v3/" + resource + `/metafields/5 {` + id + `"namespace":"blockid","key":"receipt","value":"` + value + `","permission_set":"app_only"}`
	}
	get := func(resource string) string {
		return "GET /v3/" + resource + "/metafields?key=receipt&limit=50&namespace=blockid&page=1 "
	}
	post := func(resource string) string {
		return "POST /v3/" + resource + `/metafields {"namespace":"blockid","key":"receipt","value":"v2","permission_set":"app_only"}`
	}
	order := func(c *Store, m Metafield) (Metafield, error) { return c.UpsertOrderMetafield(t.Context(), 7, m) }
	customer := func(c *Store, m Metafield) (Metafield, error) { return c.UpsertCustomerMetafield(t.Context(), 32, m) }
	tests := []struct {
		name    string
		upsert  func(*Store, Metafield) (Metafield, error)
		value   string
		lists   []string // answers to successive GETs
		conflct bool
		want    []string
		wantErr bool
	}{
		{"new on order", order, "v2", []string{`[]`}, false, []string{get("orders/7"), post("orders/7")}, false},
		{"new on customer", customer, "v2", []string{`[]`}, false, []string{get("customers/32"), post("customers/32")}, false},
		{"changed on order", order, "v2", []string{`[` + own + `]`}, false, []string{get("orders/7"), put("orders/7", "v2")}, false},
		{"changed on customer", customer, "v2", []string{`[` + own + `]`}, false, []string{get("customers/32"), put("customers/32", "v2")}, false},
		{"already so", order, "v1", []string{`[` + own + `]`}, false, []string{get("orders/7")}, false},
		{"another app's is not ours", order, "v2", []string{`[` + foreign + `]`}, false, []string{get("orders/7"), post("orders/7")}, false},
		{"ours among others'", order, "v2", []string{`[` + foreign + `,` + own + `]`}, false, []string{get("orders/7"), put("orders/7", "v2")}, false},
		{"made meanwhile", order, "v2", []string{`[]`, `[` + own + `]`}, true, []string{get("orders/7"), post("orders/7"), get("orders/7"), put("orders/7", "v2")}, false},
		{"refused as made but not there", order, "v2", []string{`[]`, `[]`}, true, []string{get("orders/7"), post("orders/7"), get("orders/7")}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			lists := tt.lists
			app := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = append(got, r.Method+" "+strings.TrimPrefix(r.URL.String(), "/stores/abc123")+" "+string(body))
				switch {
				case r.Method == "GET":
					answer(200, `{"data":`+lists[0]+`}`)(w, r)
					lists = lists[1:]
				case r.Method == "POST" && tt.conflct:
					answer(409, `{"status":409,"title":"exists"}`)(w, r)
				default:
					answer(200, `{"data":`+own+`}`)(w, r)
				}
			})
			m, err := tt.upsert(app.Store(testHash, testToken), Metafield{Namespace: "blockid", Key: "receipt", Value: tt.value, PermissionSet: PermissionAppOnly})
			if !slices.Equal(got, tt.want) {
				t.Errorf("sent\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			if (err != nil) != tt.wantErr || err == nil && m.ID != 5 {
				t.Errorf("got %+v, %v", m, err)
			}
		})
	}
	t.Run("order gone", func(t *testing.T) {
		store := serve(t, answer(404, `{"status":404,"title":"no order"}`)).Store(testHash, testToken)
		if _, err := order(store, Metafield{Namespace: "n", Key: "k", Value: "v"}); !errors.Is(err, ErrNotFound) {
			t.Errorf("err %v", err)
		}
	})
}

func TestProductsInChunks(t *testing.T) {
	var asked []int
	app := serve(t, func(w http.ResponseWriter, r *http.Request) {
		ids := strings.Split(r.URL.Query().Get("id:in"), ",")
		asked = append(asked, len(ids))
		for i, id := range ids {
			ids[i] = `{"id":` + id + `}`
		}
		answer(200, `{"data":[`+strings.Join(ids, ",")+`],"meta":{"pagination":{"total_pages":1}}}`)(w, r)
	})
	ids := make([]int64, 120)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	got, err := app.Store(testHash, testToken).Products(t.Context(), ids)
	if err != nil || len(got) != 120 || !slices.Equal(asked, []int{50, 50, 20}) {
		t.Errorf("%d products, asked %v, %v", len(got), asked, err)
	}
	if got, err := app.Store(testHash, testToken).Products(t.Context(), nil); err != nil || got != nil || len(asked) != 3 {
		t.Errorf("none: %v, %v", got, err)
	}
}

func TestOrigins(t *testing.T) {
	site := func(url string, more ...string) Site {
		app := serve(t, answer(200, `{"data":[{"id":1000,"channel_id":1,"url":`+strconv.Quote(url)+`,"urls":[`+strings.Join(more, ",")+`],"is_checkout_url_customized":true}]}`))
		got, err := app.Store(testHash, testToken).Sites(t.Context())
		if err != nil || len(got) != 1 || got[0].ID != 1000 || got[0].ChannelID != 1 || !got[0].CheckoutURLCustomized {
			t.Fatalf("got %+v, %v", got, err)
		}
		return got[0]
	}
	tests := []struct {
		name string
		site Site
		want []string
	}{
		{"one", site("https://Shop.example/"), []string{"https://shop.example"}},
		{"several, with a sub-folder and repetition", site("https://shop.example/us", `{"url":"https://shop.example","type":"primary"}`, `{"url":"https://pay.shop.example:443/checkout","type":"checkout"}`, `{"url":"http://shop.example:80","type":"canonical"}`),
			[]string{"https://shop.example", "https://pay.shop.example", "http://shop.example"}},
		{"port kept", site("http://store.localhost:8081"), []string{"http://store.localhost:8081"}},
		{"not web addresses", site("javascript:alert(1)", `{"url":"//x"}`, `{"url":"shop.example"}`, `{"url":"%zz"}`), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.site.Origins(); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
