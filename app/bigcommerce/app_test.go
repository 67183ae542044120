package bigcommerce

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

const grantBody = `{"access_token":"` + testToken + `","scope":"store_v2_default store_v2_orders",
	"user":{"id":24654,"username":"jo","email":"jo@shop.example"},"owner":{"id":7,"username":"al","email":"al@shop.example"},
	"context":"stores/abc123","account_uuid":"2A0D-X"}`

func TestExchange(t *testing.T) {
	const code = "code-1234567890"
	ask := ExchangeRequest{
		Code: code, Scope: "store_v2_default store_v2_orders", Context: "stores/forged",
		AccountUUID: "2a0d-x", RedirectURI: "https://app.example/auth",
	}
	granted := Grant{
		AccessToken: testToken, StoreHash: "abc123", Scopes: []string{"store_v2_default", "store_v2_orders"},
		User:        User{ID: 24654, Email: "jo@shop.example", Username: "jo"},
		Owner:       User{ID: 7, Email: "al@shop.example", Username: "al"},
		AccountUUID: "2A0D-X",
	}
	tests := []struct {
		name    string
		status  int
		body    string
		want    Grant
		wantErr string
	}{
		{"granted", 200, grantBody, granted, ""},
		{"used code", 400, `{"error":"invalid_grant","error_description":"` + code + ` with ` + testSecret + ` is used"}`, Grant{},
			"exchanging code: POST /oauth2/token: 400 invalid_grant: [redacted] with [redacted] is used"},
		{"no context", 200, strings.Replace(grantBody, "stores/abc123", "", 1), Grant{}, "exchanging code: the answer names no store"},
		{"odd context", 200, strings.Replace(grantBody, "stores/abc123", "stores/abc/../x", 1), Grant{}, "exchanging code: the answer names no store"},
		{"no token", 200, strings.Replace(grantBody, testToken, "", 1), Grant{}, "exchanging code: the answer holds no usable access token"},
		{"header-splitting token", 200, strings.Replace(grantBody, testToken, `a\r\nb`, 1), Grant{}, "exchanging code: the answer holds no usable access token"},
		{"no user", 200, strings.Replace(grantBody, "24654", "0", 1), Grant{}, "exchanging code: the answer names no user"},
		{"another account", 200, strings.Replace(grantBody, "2A0D-X", "ffff", 1), Grant{}, "exchanging code: the callback and the answer name different accounts"},
		{"down", 503, ``, Grant{}, "exchanging code: POST /oauth2/token: 503 Service Unavailable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			app := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				var sent map[string]string
				if err := json.Unmarshal(body, &sent); err != nil {
					t.Errorf("body %s: %v", body, err)
				}
				want := map[string]string{
					"client_id": testID, "client_secret": testSecret, "code": code, "context": "stores/forged",
					"scope": "store_v2_default store_v2_orders", "grant_type": "authorization_code", "redirect_uri": "https://app.example/auth",
				}
				if r.Method != "POST" || r.URL.Path != "/oauth2/token" || r.Header.Get("X-Auth-Token") != "" || !reflect.DeepEqual(sent, want) {
					t.Errorf("%s %s %v", r.Method, r.URL.Path, sent)
				}
				answer(tt.status, tt.body)(w, r)
			})
			got, err := app.Exchange(t.Context(), ask)
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %#v\nwant %#v", got, tt.want)
			}
			text := ""
			if err != nil {
				text = err.Error()
			}
			if text != tt.wantErr {
				t.Errorf("err %q\nwant %q", text, tt.wantErr)
			}
		})
	}
	t.Run("no secret set", func(t *testing.T) {
		if _, err := (&App{ClientID: testID}).Exchange(t.Context(), ask); err == nil {
			t.Error("no error")
		}
	})
	t.Run("temporary is seen through the wrapping", func(t *testing.T) {
		_, err := serve(t, answer(503, "")).Exchange(t.Context(), ask)
		var e *Error
		if !errors.As(err, &e) || !e.Temporary() {
			t.Errorf("err %v", err)
		}
	})
}

func TestMissingScopes(t *testing.T) {
	without := func(drop ...string) (granted []string) {
		granted = []string{"store_v2_default", "users_basic_information"}
	next:
		for _, s := range Scopes {
			for _, d := range drop {
				if s == d {
					continue next
				}
			}
			granted = append(granted, s)
		}
		return granted
	}
	tests := []struct {
		name    string
		granted []string
		want    []string
	}{
		{"all, and defaults besides", without(), []string{}},
		{"none", nil, Scopes},
		{"one missing", without("store_v2_orders"), []string{"store_v2_orders"}},
		{"read-only does not cover modify", append(without("store_v2_orders"), "store_v2_orders_read_only"), []string{"store_v2_orders"}},
		{"modify covers read-only", append(without("store_v2_products_read_only"), "store_v2_products"), []string{}},
		{"the other spelling", append(without("store_checkout_read_only"), "store_checkouts_read_only"), []string{}},
		{"the other spelling, modify", append(without("store_checkout_read_only"), "store_checkouts"), []string{}},
		{"the other spelling of content", append(without("store_content_checkout"), "store_checkout_content"), []string{}},
		{"order is ours", without("store_cart_read_only", "store_v2_customers"), []string{"store_v2_customers", "store_cart_read_only"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := MissingScopes(tt.granted); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if len(Scopes) == 0 || len(MissingScopes(nil)) != len(Scopes) {
		t.Error("asking changed the list")
	}
}

func TestClassOf(t *testing.T) {
	want := map[int]StatusClass{
		0: ClassWatch, 1: ClassWatch,
		7: ClassGate, 8: ClassGate, 9: ClassGate, 11: ClassGate,
		2: ClassGone, 3: ClassGone, 10: ClassGone, 14: ClassGone,
		4: ClassClosed, 5: ClassClosed, 6: ClassClosed, 13: ClassClosed,
		12: ClassHeld,
		-1: ClassUnknown, 15: ClassUnknown,
	}
	for id := -1; id <= 15; id++ {
		if got := ClassOf(id); got != want[id] {
			t.Errorf("ClassOf(%d) = %s, want %s", id, got, want[id])
		}
	}
}
