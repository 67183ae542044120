package web

import (
	"bytes"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/views"
)

func testKeyring(t testing.TB) ledger.Keyring {
	t.Helper()
	k, err := ledger.ParseKeyring(ledger.GenerateOperatorKey(rand.Reader))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestTicket(t *testing.T) {
	k, now := testKeyring(t), time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	text, err := MakeTicket(k, "shop1", "operator", now)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readTicket(k, text, now.Add(9*time.Minute))
	if err != nil || got.Shop != "shop1" || got.Email != "operator" || got.ID == "" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := readTicket(k, text, now.Add(11*time.Minute)); err == nil {
		t.Error("an old ticket opens the door")
	}
	if _, err := readTicket(testKeyring(t), text, now); err == nil {
		t.Error("another operator's ticket opens the door")
	}
}

func FuzzReadTicket(f *testing.F) {
	k, now := testKeyring(f), time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	good, err := MakeTicket(k, "shop1", "operator", now)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("")
	f.Add("a.b.c")
	f.Add(good + ".")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := readTicket(k, text, now); err == nil && text != good {
			t.Fatalf("%q opens the door: %+v", text, got)
		}
	})
}

// FuzzReadBody: whatever is posted is read or refused with a client's error, never more.
func FuzzReadBody(f *testing.F) {
	f.Add([]byte(`{"shop":"a","cart_id":"b","channel":1}`))
	f.Add([]byte(`{"shop":7}`))
	f.Add([]byte(`[[[[`))
	f.Add(bytes.Repeat([]byte("x"), maxStorefront+1))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Body = http.MaxBytesReader(httptest.NewRecorder(), r.Body, maxStorefront)
		var b askBody
		if err := readBody(r, &b); err != nil {
			if p := classify(err); p.status < 400 || p.status >= 500 {
				t.Fatalf("%q gives %d", body, p.status)
			}
		}
	})
}

// FuzzNotice: whatever BigCommerce's parser lets through makes a Notice with a key.
func FuzzNotice(f *testing.F) {
	f.Add([]byte(`{"scope":"store/order/created","store_id":"1","data":{"type":"order","id":7},"hash":"ab","created_at":1,"producer":"stores/abc"}`))
	f.Add([]byte(`{"scope":"store/cart/converted","data":{"type":"cart","id":"c","orderId":"9"},"producer":"stores/abc","created_at":-5}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		h, err := bigcommerce.ParseWebhook(body)
		if err != nil {
			return
		}
		if n := notice("abc", h, body); n.Hash == "" || n.EventAt.UnixMilli() == 0 {
			t.Fatalf("a notice without a key: %+v", n)
		}
	})
}

// FuzzPolicyForm: whatever is typed becomes a Policy that can be stored, or problems beside fields.
func FuzzPolicyForm(f *testing.F) {
	f.Add("mode=enforce&checkout_ial=2&step_up_value=500.00&step_up_ial=2&proof_days=365&guests=verify&hold_status=12&on_unreachable=let_pay&on_provider_down=stop&writeback=attributes")
	f.Add("mode=enforce&checkout_ial=0&proof_days=30&guests=pass&hold_status=7&on_unreachable=stop&on_provider_down=stop&writeback=attributes&on_moved=hold_again&cancel_days=14&mails=on&remind_hours=48,24;1&keep_days=90&sources=www&sources_more=tiktok, my-erp")
	f.Add("mode=off&checkout_ial=-1&step_up_value=1,000&least_age=1e9&proof_days=99999999999999999999")
	f.Fuzz(func(t *testing.T, query string) {
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		p, problems := readPolicy(views.ParsePolicyForm(v), gate.Default("USD"), "USD")
		if len(problems) == 0 && len(p.Problems()) != 0 {
			t.Fatalf("accepted, but %v", p.Problems())
		}
	})
}

func TestPublicPathHidesSecrets(t *testing.T) {
	for path, want := range map[string]string{"/v/mail.secret": "/v/…", "/login/secret": "/login/…", "/login/": "/login/…", "/v/start": "/v/start", "/s/abc123/orders/7": "/s/abc123/orders/7"} {
		if got := publicPath(httptest.NewRequest(http.MethodGet, path, nil)); got != want {
			t.Errorf("%s is logged as %s", path, got)
		}
	}
}

// TestFirstRole: the owner is BigCommerce's; whoever installs the app can set it up, and whoever merely opens it looks on.
func TestFirstRole(t *testing.T) {
	for _, c := range []struct {
		user, owner int64
		others      ledger.Role
		want        ledger.Role
	}{{5, 5, ledger.Viewer, ledger.Owner}, {6, 5, ledger.Viewer, ledger.Viewer}, {6, 5, ledger.Manager, ledger.Manager}, {0, 0, ledger.Viewer, ledger.Viewer}} {
		if got := roleOf(c.user, c.owner, c.others); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestDeepLink(t *testing.T) {
	for in, want := range map[string]string{
		"/": "/overview", "": "/overview", "/orders/106": "/orders/106", "/orders/106/idv?x=1": "/orders/106", "/policy": "/policy",
		"//evil.example": "/overview", "/orders/../x": "/overview", "/orders/1e5": "/overview", "https://evil.example/orders/1": "/overview",
	} {
		if got := deepLink(in); got != want {
			t.Errorf("deepLink(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestQRCodeIsOnePath(t *testing.T) {
	svg, err := qrSVG("https://tenant.example.net/idproofing/session/7c9e6679-7425-40de-944b-e07fc1f90ae7")
	if err != nil || !strings.HasPrefix(svg, "<svg ") || strings.Count(svg, "<path") != 1 || len(svg) > 40_000 {
		t.Errorf("%d bytes, %v", len(svg), err)
	}
}

func TestAddressBelievesOnlyTrustedProxies(t *testing.T) {
	s := &Server{}
	s.Proxies = append(s.Proxies, netip.MustParsePrefix("10.0.0.0/8"))
	for _, c := range []struct{ remote, forwarded, want, whole string }{
		{"203.0.113.9:1", "198.51.100.1", "203.0.113.9", "203.0.113.9"},
		{"10.0.0.1:1", "198.51.100.1", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:1", "192.0.2.66, 198.51.100.1, 10.2.3.4", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:1", "nonsense", "10.0.0.1", "10.0.0.1"},
		{"10.0.0.1:1", "", "10.0.0.1", "10.0.0.1"},
		{"[2001:db8:1:2:3:4:5:6]:1", "", "2001:db8:1:2::/64", "2001:db8:1:2:3:4:5:6"},
		{"[2001:db8:1:2:3:4:5:6]:1", "198.51.100.1", "2001:db8:1:2::/64", "2001:db8:1:2:3:4:5:6"},
		{"10.0.0.1:1", "192.0.2.66, 2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1:2:3:4:5:6"},
		{"[::ffff:203.0.113.9]:1", "", "203.0.113.9", "203.0.113.9"},
		{"@", "198.51.100.1", "@", "invalid IP"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := s.address(r); got != c.want {
			t.Errorf("%s via %q: %s, want %s", c.remote, c.forwarded, got, c.want)
		}
		if got := s.client(r).String(); got != c.whole {
			t.Errorf("%s via %q: the whole address is %s, want %s", c.remote, c.forwarded, got, c.whole)
		}
	}
}
