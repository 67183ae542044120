package bigcommerce

import (
	"encoding/base64"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	hookBody = `{"scope":"store/order/created","store_id":"1025646","data":{"type":"order","id":250},` +
		`"hash":"dd70c0976e06b67aaf671e73f49dcb79230ebf9d","created_at":1561479335,"producer":"stores/abc123"}`
	hookID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
	// hookSignature was computed apart from the library: HMAC-SHA256 over "id.1782907200.body" with the raw secret.
	hookSignature = "v1,1cwaYpLyOgY9HcuFACfelIyDEQaKmGYUt+FvU00mzaU="
)

// libSign signs as BigCommerce's document shows: base64 of the client secret into the official library.
func libSign(t testing.TB, secret, id string, at time.Time, body string) string {
	t.Helper()
	hook, err := standardwebhooks.NewWebhook(base64.StdEncoding.EncodeToString([]byte(secret)))
	if err != nil {
		t.Fatal(err)
	}
	signature, err := hook.Sign(id, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

func TestVerifyWebhookSignature(t *testing.T) {
	if got := libSign(t, testSecret, hookID, testNow, hookBody); got != hookSignature {
		t.Fatalf("the library signs %s, want %s", got, hookSignature)
	}
	long := time.Now().AddDate(-3, 0, 0)
	later := time.Now().AddDate(3, 0, 0)
	other := libSign(t, "another", hookID, testNow, hookBody)
	tests := []struct {
		name                     string
		id, timestamp, signature string
		body                     string
		present                  bool
		reason                   string
	}{
		{"good", hookID, "1782907200", hookSignature, hookBody, true, ""},
		{"age alone never refuses", hookID, itoa(long.Unix()), libSign(t, testSecret, hookID, long, hookBody), hookBody, true, ""},
		{"nor does the future", hookID, itoa(later.Unix()), libSign(t, testSecret, hookID, later, hookBody), hookBody, true, ""},
		{"second of two", hookID, "1782907200", other + " " + hookSignature, hookBody, true, ""},
		{"first of three", hookID, "1782907200", hookSignature + " v1a,xyz garbage", hookBody, true, ""},
		{"empty body", hookID, "1782907200", libSign(t, testSecret, hookID, testNow, ""), "", true, ""},
		{"none", "", "", "", hookBody, false, ""},
		{"no id", "", "1782907200", hookSignature, hookBody, true, "incomplete headers"},
		{"no timestamp", hookID, "", hookSignature, hookBody, true, "incomplete headers"},
		{"no signature", hookID, "1782907200", "", hookBody, true, "incomplete headers"},
		{"timestamp in words", hookID, "yesterday", hookSignature, hookBody, true, "malformed timestamp"},
		{"another timestamp", hookID, "1782907201", hookSignature, hookBody, true, "no signature matches"},
		{"another id", hookID + "x", "1782907200", hookSignature, hookBody, true, "no signature matches"},
		{"body changed", hookID, "1782907200", hookSignature, strings.Replace(hookBody, "250", "251", 1), true, "no signature matches"},
		{"another key", hookID, "1782907200", other, hookBody, true, "no signature matches"},
		{"two wrong ones", hookID, "1782907200", other + " " + other, hookBody, true, "no signature matches"},
		{"another version", hookID, "1782907200", strings.Replace(hookSignature, "v1,", "v2,", 1), hookBody, true, "no signature matches"},
		{"no version", hookID, "1782907200", strings.TrimPrefix(hookSignature, "v1,"), hookBody, true, "no signature matches"},
		{"cut short", hookID, "1782907200", hookSignature[:20], hookBody, true, "no signature matches"},
		{"empty signature", hookID, "1782907200", "v1,", hookBody, true, "no signature matches"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			for name, v := range map[string]string{"webhook-id": tt.id, "webhook-timestamp": tt.timestamp, "webhook-signature": tt.signature} {
				if v != "" {
					h.Set(name, v)
				}
			}
			present, err := testApp().VerifyWebhookSignature(h, []byte(tt.body))
			want := ""
			if tt.reason != "" {
				want = "webhook signature refused: " + tt.reason
			}
			got := ""
			if err != nil {
				got = err.Error()
			}
			if present != tt.present || got != want || errors.Is(err, ErrBadSignature) != (want != "") {
				t.Errorf("present %t, err %q; want %t, %q", present, got, tt.present, want)
			}
		})
	}
	t.Run("no secret is set", func(t *testing.T) {
		h := http.Header{"Webhook-Id": {hookID}, "Webhook-Timestamp": {"1782907200"}, "Webhook-Signature": {libSign(t, "", hookID, testNow, hookBody)}}
		if present, err := (&App{ClientID: testID}).VerifyWebhookSignature(h, []byte(hookBody)); !present || !errors.Is(err, ErrBadSignature) {
			t.Errorf("present %t, err %v", present, err)
		}
	})
}

func TestParseWebhook(t *testing.T) {
	at := time.Unix(1561479335, 0).UTC()
	event := func(scope, data string) string {
		return `{"scope":"` + scope + `","store_id":"1025646","data":` + data + `,"hash":"dd70c0","created_at":1561479335,"producer":"stores/abc123"}`
	}
	tests := []struct {
		name, body string
		want       WebhookData
	}{
		{"order created", event(ScopeOrderCreated, `{"type":"order","id":250}`), WebhookData{Type: "order", ID: "250", OrderID: 250}},
		{"order id as text", event(ScopeOrderCreated, `{"type":"order","id":"250"}`), WebhookData{Type: "order", ID: "250", OrderID: 250}},
		{"status updated", event(ScopeOrderStatusUpdated, `{"type":"order","id":250,"status":{"previous_status_id":0,"new_status_id":11}}`),
			WebhookData{Type: "order", ID: "250", OrderID: 250, Status: &StatusChange{0, 11}}},
		{"status updated without status", event(ScopeOrderStatusUpdated, `{"type":"order","id":250}`), WebhookData{Type: "order", ID: "250", OrderID: 250}},
		{"cart converted", event(ScopeCartConverted, `{"type":"cart","id":"A8458391-EF68-4FE5-9EC1-442E6A767364","orderId":252}`),
			WebhookData{Type: "cart", ID: "A8458391-EF68-4FE5-9EC1-442E6A767364", OrderID: 252, CartID: cartID}},
		{"cart line item", event("store/cart/lineItem/created", `{"type":"cart_line_item","id":"x-1","cartId":"`+cartID+`"}`),
			WebhookData{Type: "cart_line_item", ID: "x-1", CartID: cartID}},
		{"customer created", event(ScopeCustomerCreated, `{"type":"customer","id":32}`), WebhookData{Type: "customer", ID: "32", CustomerID: 32}},
		{"customer address", event("store/customer/address/updated", `{"type":"customer","id":60,"address":{"customer_id":32}}`),
			WebhookData{Type: "customer", ID: "60", CustomerID: 32}},
		{"customer address without customer", event("store/customer/address/updated", `{"type":"customer","id":60}`), WebhookData{Type: "customer", ID: "60"}},
		{"transaction", event("store/order/transaction/created", `{"type":"transaction","order_id":"250","transaction_id":"2","transaction_status":"ok"}`),
			WebhookData{Type: "transaction", OrderID: 250}},
		{"order metafield", event("store/order/metafield/created", `{"metafield_id":"9","resource_id":"270","type":"metafield"}`), WebhookData{Type: "metafield", OrderID: 270}},
		{"uninstalled", event(ScopeAppUninstalled, `{"type":"store"}`), WebhookData{Type: "store"}},
		{"delivery exception", event(ScopeDeliveryException, `{"type":"webhook","id":"17","code":90002}`), WebhookData{Type: "webhook", ID: "17"}},
		{"no data", event(ScopeAppUninstalled, `null`), WebhookData{}},
		{"negative ids", event(ScopeOrderCreated, `{"type":"order","id":-5}`), WebhookData{Type: "order", ID: "-5"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseWebhook([]byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			want := Webhook{Scope: got.Scope, StoreID: "1025646", StoreHash: "abc123", Hash: "dd70c0", CreatedAt: at, Data: tt.want}
			if !reflect.DeepEqual(got, want) || !strings.Contains(tt.body, `"`+got.Scope+`"`) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
	lenient, err := ParseWebhook([]byte(`{"scope":"store/order/created","store_id":1025646,"created_at":"1561479335","producer":"stores/abc123"}`))
	if want := (Webhook{Scope: ScopeOrderCreated, StoreID: "1025646", StoreHash: "abc123", CreatedAt: at}); err != nil || !reflect.DeepEqual(lenient, want) {
		t.Errorf("numbers and text swapped: %+v, %v", lenient, err)
	}
}

func TestParseWebhookRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ body, reason string }{
		"empty":              {``, "unexpected end of JSON input"},
		"not JSON":           {`<html>`, "invalid character"},
		"an array":           {`[]`, "cannot unmarshal array"},
		"no scope":           {`{"producer":"stores/abc123"}`, "scope is malformed"},
		"odd scope":          {`{"scope":"store/../x y","producer":"stores/abc123"}`, "scope is malformed"},
		"no producer":        {`{"scope":"store/order/created"}`, "producer"},
		"odd producer":       {`{"scope":"store/order/created","producer":"stores/ABC"}`, "producer"},
		"odd hash":           {`{"scope":"store/order/created","producer":"stores/abc123","hash":"a b"}`, "hash is malformed"},
		"endless hash":       {`{"scope":"store/order/created","producer":"stores/abc123","hash":"` + strings.Repeat("a", 129) + `"}`, "hash is malformed"},
		"odd store id":       {`{"scope":"store/order/created","producer":"stores/abc123","store_id":"1/2"}`, "store_id is malformed"},
		"odd id":             {`{"scope":"store/order/created","producer":"stores/abc123","data":{"id":"1/2"}}`, "data.id is malformed"},
		"id of another kind": {`{"scope":"store/order/created","producer":"stores/abc123","data":{"id":{"x":1}}}`, "something else"},
		"order id in words":  {`{"scope":"store/order/created","producer":"stores/abc123","data":{"order_id":"secret words"}}`, "cannot unmarshal"},
		"far past":           {`{"scope":"store/order/created","producer":"stores/abc123","created_at":-1}`, "created_at"},
		"far future":         {`{"scope":"store/order/created","producer":"stores/abc123","created_at":1e3}`, "cannot unmarshal"},
		"two documents":      {hookBody + hookBody, "after top-level value"},
		"too large":          {strings.Repeat(" ", MaxWebhook+1), "larger than"},
		"too deep":           {strings.Repeat(`[`, MaxWebhook), "exceeded max depth"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseWebhook([]byte(tt.body))
			if err == nil || !strings.Contains(err.Error(), tt.reason) || !reflect.DeepEqual(got, Webhook{}) {
				t.Errorf("got %+v, %v; want %q", got, err, tt.reason)
			}
			if err != nil && strings.Contains(err.Error(), "secret words") {
				t.Errorf("%q repeats the body", err)
			}
		})
	}
}

func FuzzParseWebhook(f *testing.F) {
	f.Add([]byte(hookBody))
	f.Add([]byte(`{"scope":"store/cart/converted","store_id":1,"data":{"type":"cart","id":"` + cartID + `","orderId":"252"},"created_at":"1","producer":"stores/a"}`))
	f.Add([]byte(`{"scope":"store/order/statusUpdated","data":{"type":"order","id":1,"status":{"previous_status_id":"0","new_status_id":11}},"producer":"stores/a"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		w, err := ParseWebhook(body)
		if err != nil {
			if !reflect.DeepEqual(w, Webhook{}) || len(err.Error()) > 300 {
				t.Errorf("%+v with %v", w, err)
			}
			return
		}
		if !ValidStoreHash(w.StoreHash) || w.Data.OrderID < 0 || w.Data.CustomerID < 0 || len(w.Hash) > 128 || len(w.Data.ID) > 64 ||
			w.Data.CartID != "" && !uuidForm.MatchString(w.Data.CartID) || strings.ContainsAny(w.Scope+w.Data.ID, " \n'\"") {
			t.Errorf("unfit: %+v", w)
		}
	})
}
