package bigcommerce

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

const orderBody = `{
	"id": 218, "customer_id": 11, "status_id": 7, "status": "Awaiting Payment", "is_deleted": false,
	"subtotal_ex_tax": "62.6793", "subtotal_inc_tax": "67.8400", "total_ex_tax": "64.5300", "total_inc_tax": "69.8400",
	"shipping_cost_inc_tax": "12.0000", "handling_cost_inc_tax": "0.0000", "wrapping_cost_inc_tax": "", "discount_amount": "5.0000",
	"coupon_discount": 5, "store_credit_amount": "1.5000", "gift_certificate_amount": null, "refunded_amount": "0.2500",
	"currency_code": "USD", "default_currency_code": "EUR", "store_default_currency_code": "USD",
	"store_default_to_transactional_exchange_rate": "1.2500000000",
	"payment_method": "Cash", "payment_status": "authorized", "order_source": "www", "external_source": null,
	"channel_id": 1, "cart_id": "a8458391-ef68-4fe5-9ec1-442e6a767364", "order_is_digital": true, "items_total": 4,
	"ip_address": "203.0.113.9", "ip_address_v6": "2001:db8::1", "geoip_country_iso2": "AU", "customer_locale": "en-US", "staff_notes": "Send Saturday",
	"billing_address": {"first_name":"Jane","last_name":"Doe","company":"Acme","street_1":"123 Main Street","street_2":"Apt 4","city":"Austin",
		"state":"Texas","zip":"78751","country":"United States","country_iso2":"US","phone":"512","email":"jane@mail.example","form_fields":[]},
	"date_created": "Tue, 05 Mar 2019 21:40:11 +0000", "date_modified": "Mon, 11 Mar 2019 15:17:25 +0100",
	"fees": [{"cost_inc_tax":"2.5000"},{"cost_inc_tax":1}],
	"products": {"url":"https://api.example/orders/218/products","resource":"/orders/218/products"}
}`

func TestOrder(t *testing.T) {
	var got Order
	if err := json.Unmarshal([]byte(orderBody), &got); err != nil {
		t.Fatal(err)
	}
	want := Order{
		ID: 218, CustomerID: 11, StatusID: 7, Status: "Awaiting Payment",
		TotalIncTax: dec("69.8400"), TotalExTax: dec("64.5300"), SubtotalIncTax: dec("67.8400"), SubtotalExTax: dec("62.6793"),
		ShippingCostIncTax: dec("12.0000"), HandlingCostIncTax: dec("0.0000"), DiscountAmount: dec("5.0000"), CouponDiscount: dec("5"),
		StoreCreditAmount: dec("1.5000"), RefundedAmount: dec("0.2500"), FeesIncTax: dec("3.5000"),
		CurrencyCode: "USD", DefaultCurrencyCode: "EUR", StoreDefaultCurrencyCode: "USD", StoreDefaultRate: dec("1.2500000000"),
		PaymentMethod: "Cash", PaymentStatus: "authorized", OrderSource: "www", ChannelID: 1, CartID: cartID, OrderIsDigital: true, ItemsTotal: 4,
		IPAddress: "203.0.113.9", IPAddressV6: "2001:db8::1", GeoIPCountry: "AU", CustomerLocale: "en-US", StaffNotes: "Send Saturday",
		BillingAddress: OrderAddress{
			FirstName: "Jane", LastName: "Doe", Company: "Acme", Street1: "123 Main Street", Street2: "Apt 4", City: "Austin", State: "Texas",
			Zip: "78751", Country: "United States", CountryISO2: "US", Phone: "512", Email: "jane@mail.example",
		},
		DateCreated:  time.Date(2019, 3, 5, 21, 40, 11, 0, time.UTC),
		DateModified: time.Date(2019, 3, 11, 14, 17, 25, 0, time.UTC),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if err := json.Unmarshal([]byte(`{"id":"9","status_id":"0","total_inc_tax":1.5}`), &got); err != nil {
		t.Fatal(err)
	}
	if want := (Order{ID: 9, TotalIncTax: dec("1.5")}); !reflect.DeepEqual(got, want) {
		t.Errorf("decoded over an older order: got %+v, want %+v", got, want)
	}
}

func TestOrderRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"no id":            `{"status_id":1,"total_inc_tax":"1"}`,
		"id 0":             `{"id":0,"status_id":1,"total_inc_tax":"1"}`,
		"no status":        `{"id":1,"total_inc_tax":"1"}`,
		"status null":      `{"id":1,"status_id":null,"total_inc_tax":"1"}`,
		"no total":         `{"id":1,"status_id":1}`,
		"total null":       `{"id":1,"status_id":1,"total_inc_tax":null}`,
		"total empty":      `{"id":1,"status_id":1,"total_inc_tax":""}`,
		"total in words":   `{"id":1,"status_id":1,"total_inc_tax":"NaN"}`,
		"total as object":  `{"id":1,"status_id":1,"total_inc_tax":{}}`,
		"huge exponent":    `{"id":1,"status_id":1,"total_inc_tax":"1e999999999"}`,
		"large exponent":   `{"id":1,"status_id":1,"total_inc_tax":"1e1000"}`,
		"endless digits":   `{"id":1,"status_id":1,"total_inc_tax":` + strings.Repeat("9", 40) + `}`,
		"comma":            `{"id":1,"status_id":1,"total_inc_tax":"1,00"}`,
		"status half":      `{"id":1,"status_id":1.5,"total_inc_tax":"1"}`,
		"date in words":    `{"id":1,"status_id":1,"total_inc_tax":"1","date_created":"today"}`,
		"fees in words":    `{"id":1,"status_id":1,"total_inc_tax":"1","fees":[{"cost_inc_tax":"x"}]}`,
		"address an array": `{"id":1,"status_id":1,"total_inc_tax":"1","billing_address":[1]}`,
	} {
		t.Run(name, func(t *testing.T) {
			var o Order
			if err := json.Unmarshal([]byte(body), &o); err == nil {
				t.Errorf("accepted as %+v", o)
			}
		})
	}
}

func TestOrderValue(t *testing.T) {
	tests := []struct {
		name   string
		fields string
		want   string
	}{
		{"plain", `"total_inc_tax":"100","subtotal_inc_tax":"90","shipping_cost_inc_tax":"10"`, "100"},
		{"total before credit", `"total_inc_tax":"100","subtotal_inc_tax":"90","shipping_cost_inc_tax":"10","store_credit_amount":"40"`, "100"},
		{"total after credit", `"total_inc_tax":"60","subtotal_inc_tax":"90","shipping_cost_inc_tax":"10","store_credit_amount":"40"`, "100"},
		{"all by certificate, before", `"total_inc_tax":"100","subtotal_inc_tax":"100","gift_certificate_amount":"100"`, "100"},
		{"all by certificate, after", `"total_inc_tax":"0","subtotal_inc_tax":"100","gift_certificate_amount":"100"`, "100"},
		{"both, after", `"total_inc_tax":"30","subtotal_inc_tax":"100","gift_certificate_amount":"50","store_credit_amount":"20"`, "100"},
		{"both, before", `"total_inc_tax":"100","subtotal_inc_tax":"100","gift_certificate_amount":"50","store_credit_amount":"20"`, "100"},
		{"discounts count", `"total_inc_tax":"80","subtotal_inc_tax":"100","discount_amount":"15","coupon_discount":"5","store_credit_amount":"20"`, "80"},
		{"fees, handling and wrapping count", `"total_inc_tax":"106","subtotal_inc_tax":"100","handling_cost_inc_tax":"1","wrapping_cost_inc_tax":"2","fees":[{"cost_inc_tax":"3"}],"store_credit_amount":"6"`, "106"},
		{"fees tell net from gross", `"total_inc_tax":"60","subtotal_inc_tax":"50","fees":[{"cost_inc_tax":"50"}],"store_credit_amount":"40"`, "100"},
		{"rounding does not tip it", `"total_inc_tax":"99.99","subtotal_inc_tax":"100.0049","store_credit_amount":"10"`, "99.99"},
		{"in doubt, the larger", `"total_inc_tax":"90","subtotal_inc_tax":"100","store_credit_amount":"20"`, "110"},
		{"a total edited down by staff", `"total_inc_tax":"50","subtotal_inc_tax":"100"`, "50"},
		{"negative credit is no credit", `"total_inc_tax":"50","subtotal_inc_tax":"100","store_credit_amount":"-50"`, "50"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var o Order
			if err := json.Unmarshal([]byte(`{"id":1,"status_id":11,"default_currency_code":"usd",`+tt.fields+`}`), &o); err != nil {
				t.Fatal(err)
			}
			if got, currency := o.Value(); !got.Equal(dec(tt.want)) || currency != "USD" {
				t.Errorf("got %s %s, want %s USD", got, currency, tt.want)
			}
		})
	}
}

func TestOrderValueIn(t *testing.T) {
	tests := []struct {
		name  string
		order Order
		shop  string
		want  string
		ok    bool
	}{
		{"same currency", Order{DefaultCurrencyCode: "USD"}, "USD", "100", true},
		{"display currency is another", Order{DefaultCurrencyCode: "USD", CurrencyCode: "EUR"}, "usd", "100", true},
		{"only display currency said", Order{CurrencyCode: "USD"}, "USD", "100", true},
		{"converted", Order{DefaultCurrencyCode: "EUR", StoreDefaultCurrencyCode: "USD", StoreDefaultRate: dec("0.8")}, "USD", "125", true},
		{"converted, endless fraction", Order{DefaultCurrencyCode: "EUR", StoreDefaultCurrencyCode: "USD", StoreDefaultRate: dec("3")}, "USD", "33.3333333333", true},
		{"no rate", Order{DefaultCurrencyCode: "EUR", StoreDefaultCurrencyCode: "USD"}, "USD", "0", false},
		{"negative rate", Order{DefaultCurrencyCode: "EUR", StoreDefaultCurrencyCode: "USD", StoreDefaultRate: dec("-1")}, "USD", "0", false},
		{"rate to another currency", Order{DefaultCurrencyCode: "EUR", StoreDefaultCurrencyCode: "GBP", StoreDefaultRate: dec("2")}, "USD", "0", false},
		{"no currency", Order{}, "USD", "0", false},
		{"no shop currency", Order{DefaultCurrencyCode: "USD"}, "", "0", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.order.TotalIncTax = dec("100")
			if got, ok := tt.order.ValueIn(tt.shop); ok != tt.ok || !got.Equal(dec(tt.want)) {
				t.Errorf("got %s, %t; want %s, %t", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func FuzzOrder(f *testing.F) {
	f.Add([]byte(orderBody))
	f.Add([]byte(`{"id":1,"status_id":0,"total_inc_tax":"1e99","store_credit_amount":1e-99,"subtotal_inc_tax":"-1"}`))
	f.Add([]byte(`{"id":1,"status_id":0,"total_inc_tax":"1","default_currency_code":"EUR","store_default_currency_code":"USD","store_default_to_transactional_exchange_rate":"1e-99"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var o Order
		if json.Unmarshal(body, &o) != nil || string(body) == "null" {
			return
		}
		if o.ID <= 0 {
			t.Errorf("order %d", o.ID)
		}
		value, _ := o.Value()
		if value.LessThan(o.TotalIncTax) {
			t.Errorf("value %s below total %s", value, o.TotalIncTax)
		}
		_, _ = o.ValueIn("USD")
	})
}

func TestOrdersQuery(t *testing.T) {
	zero, guest := 0, int64(0)
	base := "include=fees&limit=50&page=1"
	for name, tt := range map[string]struct {
		filter OrderFilter
		want   string
	}{
		"none":      {OrderFilter{}, base},
		"negatives": {OrderFilter{Page: -1, Limit: -1, MinID: -1}, base},
		"all": {
			OrderFilter{
				MinDateModified: time.Date(2026, 7, 1, 14, 0, 0, 0, time.FixedZone("CEST", 7200)), MinID: 100, StatusID: &zero,
				CartID: cartID, CustomerID: &guest, Sort: SortDateModified, Page: 3, Limit: 20, MaxDateModified: time.Date(2026, 7, 1, 14, 0, 1, 0, time.FixedZone("CEST", 7200)),
			},
			"cart_id=" + cartID + "&customer_id=0&include=fees&limit=20&max_date_modified=2026-07-01T12%3A00%3A01%2B00%3A00&min_date_modified=2026-07-01T12%3A00%3A00%2B00%3A00&min_id=100&page=3&sort=date_modified%3Aasc&status_id=0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			app := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.RawQuery != tt.want {
					t.Errorf("query %s\nwant  %s", r.URL.RawQuery, tt.want)
				}
				answer(200, "["+orderBody+"]")(w, r)
			})
			got, err := app.Store(testHash, testToken).Orders(t.Context(), tt.filter)
			if err != nil || len(got) != 1 || got[0].ID != 218 {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	app := serve(t, answer(204, ""))
	if got, err := app.Store(testHash, testToken).Orders(t.Context(), OrderFilter{}); err != nil || len(got) != 0 {
		t.Errorf("204: got %+v, %v", got, err)
	}
}

func TestUpdateOrderSendsOnlyWhatChanges(t *testing.T) {
	held, notes := StatusManualVerification, "a <b> & c\n"
	for name, tt := range map[string]struct {
		update OrderUpdate
		want   string
	}{
		"status": {OrderUpdate{StatusID: &held}, `{"status_id":12}`},
		"notes":  {OrderUpdate{StaffNotes: &notes}, `{"staff_notes":"a <b> & c\n"}`},
		"both":   {OrderUpdate{StatusID: &held, StaffNotes: &notes}, `{"status_id":12,"staff_notes":"a <b> & c\n"}`},
	} {
		t.Run(name, func(t *testing.T) {
			app := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if r.Method != "PUT" || r.URL.String() != "/stores/abc123/v2/orders/218" || string(body) != tt.want {
					t.Errorf("%s %s %s, want %s", r.Method, r.URL, body, tt.want)
				}
				answer(200, orderBody)(w, r)
			})
			if got, err := app.Store(testHash, testToken).UpdateOrder(t.Context(), 218, tt.update); err != nil || got.StatusID != 7 {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}
