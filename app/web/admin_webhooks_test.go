package web

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"idgate/app/dial"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/views"
)

func loopback(o *relay.Options) { o.Loopback = true }

func endpointValues(address, note string, types ...string) url.Values {
	return url.Values{views.EndpointURLField: {address}, views.EndpointNoteField: {note}, views.EndpointTypesField: types}
}

var whsec = regexp.MustCompile(`whsec_[A-Za-z0-9+/=]+`)

// unescaped is a page with the few characters written out that templates escape and base64 has.
func unescaped(w *httptest.ResponseRecorder) string {
	return strings.NewReplacer("&#43;", "+", "&#34;", `"`).Replace(w.Body.String())
}

// TestWebhooksDoor: a manager adds an endpoint, sees its secret once, tests it, watches what was sent, sends again, replaces the secret, pauses,
// and removes it; each act is written down.
func TestWebhooksDoor(t *testing.T) {
	b := newBench(t, loopback)
	b.enforce(shopHash)
	at := shopBase + "/webhooks"
	b.want(200, b.as(ledger.Viewer, at, nil), "No endpoint yet", "The owner and managers of the shop can add one", "standardwebhooks.com", "&#34;order.released&#34;")
	b.want(200, b.as(ledger.Manager, shopBase+"/settings", nil), `href="`+at+`"`)

	// Refused, with what was typed kept.
	page := b.as(ledger.Manager, at, endpointValues("http://erp.example.com/", strings.Repeat("x", 201), "order.sold"))
	b.want(422, page, "Nothing was saved", "Enter an address that begins with https://.", "Choose one of the choices.", "Write at most 200 characters.", `value="http://erp.example.com/"`)
	b.want(422, b.as(ledger.Manager, at, endpointValues("https://erp.example.com/", "")), "Choose at least one.")

	b.wantGo(b.as(ledger.Manager, at, endpointValues(" https://ERP.example.com ", "Our  <b>ERP</b>", "order.held", "order.released")), at+"/1?endpoint_added=1")
	detail := b.as(ledger.Manager, at+"/1?endpoint_added=1", nil)
	b.want(200, detail, "Endpoint 1 is added.", "https://erp.example.com/", "Our &lt;b&gt;ERP&lt;/b&gt;", "Show the secret, once", "Nothing yet")
	if whsec.MatchString(detail.Body.String()) {
		t.Error("the secret is on the page before it was asked for")
	}
	b.lacks(b.as(ledger.Viewer, at+"/1", nil), "Show the secret", "Remove the endpoint", "<form method=\"post\" action=\""+at)

	// The secret, once.
	shown := b.as(ledger.Manager, at+"/1/secret", url.Values{})
	b.want(200, shown, "This is the only time that it is shown.")
	secret := whsec.FindString(unescaped(shown))
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) != 32 || shown.Header().Get("Cache-Control") != "no-store" || strings.Contains(shown.Header().Get("Location"), "whsec") {
		t.Fatalf("secret %q, %v", secret, err)
	}
	b.wantGo(b.as(ledger.Owner, at+"/1/secret", url.Values{}), at+"/1?endpoint_seen=1")
	for _, path := range []string{"", "/1", "/1/rotate", "/1/remove", "/1?endpoint_seen=1"} {
		if whsec.MatchString(b.as(ledger.Owner, at+path, nil).Body.String()) {
			t.Errorf("%s shows a secret", path)
		}
	}
	if whsec.MatchString(b.as(ledger.Owner, shopBase+"/activity", nil).Body.String()) {
		t.Error("the activity shows a secret")
	}

	// A test event, and a real one.
	var got []*http.Request
	var bodies [][]byte
	answer := http.StatusServiceUnavailable
	erp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got, bodies = append(got, r), append(bodies, body)
		w.WriteHeader(answer)
		_, _ = io.WriteString(w, "Sorry, <b>we</b> are closed")
	}))
	t.Cleanup(erp.Close)
	b.ok(b.s.Ledger.SaveEndpoint(b.Context(), shopHash, 1, ledger.NewEndpoint{URL: erp.URL + "/in", Types: []ledger.EventType{ledger.OrderHeld}}, b.clock()))
	b.wantGo(b.as(ledger.Manager, at+"/1/ping", url.Values{}), at+"/1?endpoint_pinged=1")
	b.settle(ledger.EventBell)
	id := b.hold(shopHash)
	b.settle(ledger.EventBell)
	b.want(200, b.as(ledger.Viewer, at+"/1", nil), "It answered 503; only 2xx counts.", "Waiting", "Failed", "ping", "order.held")
	b.want(200, b.as(ledger.Viewer, at+"/1?log=failed", nil), "ping")
	b.lacks(b.as(ledger.Viewer, at+"/1?log=failed", nil), "/deliveries/2\"")
	b.want(200, b.as(ledger.Viewer, at, nil), "1 waiting", "1 failed")
	one := b.as(ledger.Viewer, at+"/1/deliveries/2", nil)
	b.want(200, one, "order.held", "503", "Sorry, &lt;b&gt;we&lt;/b&gt; are closed", fmt.Sprintf("&#34;order_id&#34;: %d", id), "Event id")
	b.lacks(one, "Send again</button>")
	wh, err := standardwebhooks.NewWebhook(secret)
	b.ok(err)
	if len(got) != 2 || wh.VerifyIgnoringTimestamp(bodies[1], got[1].Header) != nil {
		t.Fatalf("%d came, or they do not verify with the secret that was shown", len(got))
	}
	answer = http.StatusOK
	b.wantGo(b.as(ledger.Manager, at+"/1/resend", url.Values{}), at+"/1?endpoint_resent=1")
	b.settle(ledger.EventBell)
	if len(got) != 3 || got[2].Header.Get("webhook-id") != got[0].Header.Get("webhook-id") {
		t.Fatalf("%d came", len(got))
	}
	b.wait(time.Minute)
	b.settle(ledger.EventBell)
	again := b.forms(b.as(ledger.Manager, at+"/1/deliveries/2", nil), "/webhooks/1/resend")[0]
	b.wantGo(b.as(ledger.Manager, at+"/1/resend", again), at+"/1?endpoint_resent=1")
	b.want(404, b.as(ledger.Manager, at+"/1/resend", again)) // it waits already
	b.settle(ledger.EventBell)
	if len(got) != 5 || got[4].Header.Get("webhook-id") != got[1].Header.Get("webhook-id") {
		t.Fatalf("%d came", len(got))
	}

	// A new secret; both sign.
	b.want(200, b.as(ledger.Manager, at+"/1/rotate", nil), "For 24 hours the present one signs as well", "Make a new secret")
	b.wantGo(b.as(ledger.Manager, at+"/1/rotate", url.Values{}), at+"/1?endpoint_rotated=1")
	b.want(200, b.as(ledger.Manager, at+"/1", nil), "A secret waits for you", "The secret before signs too until", "Stop the old secret now")
	if next := whsec.FindString(unescaped(b.as(ledger.Manager, at+"/1/secret", url.Values{}))); next == "" || next == secret {
		t.Errorf("the new secret is %q", next)
	}
	b.wantGo(b.as(ledger.Manager, at+"/1/ping", url.Values{}), at+"/1?endpoint_pinged=1")
	b.settle(ledger.EventBell)
	if n := len(strings.Fields(got[5].Header.Get("webhook-signature"))); n != 2 || wh.VerifyIgnoringTimestamp(bodies[5], got[5].Header) != nil {
		t.Errorf("%d signatures", n)
	}
	b.want(200, b.as(ledger.Manager, at+"/1/stop", nil), "is signed with the new secret only")
	b.wantGo(b.as(ledger.Manager, at+"/1/stop", url.Values{}), at+"/1?endpoint_stopped=1")
	b.wantGo(b.as(ledger.Manager, at+"/1/stop", url.Values{}), at+"/1?endpoint_as_was=1")

	// Paused, resumed, changed, removed.
	b.wantGo(b.as(ledger.Manager, at+"/1/pause", url.Values{}), at+"/1?endpoint_paused=1")
	b.wantGo(b.as(ledger.Manager, at+"/1/pause", url.Values{}), at+"/1?endpoint_as_was=1")
	b.wantGo(b.as(ledger.Manager, at+"/1/ping", url.Values{}), at+"/1?endpoint_as_was=1")
	b.want(200, b.as(ledger.Manager, at+"/1", nil), "Paused", "Resume it")
	b.wantGo(b.as(ledger.Manager, at+"/1/resume", url.Values{}), at+"/1?endpoint_resumed=1")
	b.want(422, b.as(ledger.Manager, at+"/1", endpointValues("https://10.0.0.1/", "", "order.held")), "This host may not be used")
	b.wantGo(b.as(ledger.Manager, at+"/1", endpointValues("https://wms.example.com:8443/a?b=c", "", "order.held", "order.moved")), at+"/1?endpoint_saved=1")
	b.want(200, b.as(ledger.Viewer, at+"/1", nil), "https://wms.example.com:8443/a?b=c", "order.moved")
	b.want(200, b.as(ledger.Manager, at+"/1/remove", nil), "This cannot be undone", "Remove the endpoint")
	b.wantGo(b.as(ledger.Manager, at+"/1/remove", url.Values{}), at+"?endpoint_removed=1")
	b.want(404, b.as(ledger.Manager, at+"/1", nil))
	b.want(200, b.as(ledger.Viewer, shopBase+"/activity", nil), "Endpoint added", "Endpoint removed", "Secret shown", "Secret replaced", "endpoint 1", "wms.example.com")
	b.lacks(b.as(ledger.Viewer, shopBase+"/activity", nil), "b=c")

	for i := range ledger.MaxEndpoints {
		b.wantGo(b.as(ledger.Manager, at, endpointValues("https://erp.example.com/", "", "order.held")), fmt.Sprintf("%s/%d?endpoint_added=%d", at, i+2, i+2))
	}
	b.want(200, b.as(ledger.Manager, at, nil), "A shop can have 5 endpoints")
	b.want(422, b.as(ledger.Manager, at, endpointValues("https://erp.example.com/", "", "order.held")), "Remove an endpoint first")
}

// TestWebhooksLogPages: the log by keyset pages, each delivery on one page, and nothing of another endpoint's.
func TestWebhooksLogPages(t *testing.T) {
	b := newBench(t, loopback)
	erp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }))
	t.Cleanup(erp.Close)
	var ids []int64
	for range 2 {
		id, err := b.s.Ledger.AddEndpoint(b.Context(), b.shop(shopHash), ledger.NewEndpoint{URL: erp.URL, Types: ledger.EventTypes()}, b.clock())
		b.ok(err)
		ids = append(ids, id)
	}
	const most = 2*pageLength + 3
	for i := range most {
		b.ok(b.s.Ledger.TestEndpoint(b.Context(), shopHash, ids[i%20/19], b.clock()))
		b.settle(ledger.EventBell)
	}
	link := regexp.MustCompile(`/deliveries/(\d+)`)
	for _, filter := range []string{"", "log=failed&"} {
		var seen []string
		for before := ""; ; {
			page := b.as(ledger.Viewer, fmt.Sprintf("%s/webhooks/1?%sbefore=%s", shopBase, filter, before), nil)
			b.want(200, page)
			found := link.FindAllStringSubmatch(page.Body.String(), -1)
			for _, f := range found {
				seen = append(seen, f[1])
			}
			if !strings.Contains(page.Body.String(), `rel="next"`) {
				break
			}
			before = found[len(found)-1][1]
		}
		n := 0
		for i := range most {
			if i%20/19 == 0 {
				n++
			}
		}
		if len(seen) != n || len(slices.Compact(slices.Clone(seen))) != n {
			t.Errorf("%q: %d of %d deliveries are listed", filter, len(seen), n)
		}
	}
	b.want(400, b.as(ledger.Viewer, shopBase+"/webhooks/1?before=x", nil))
	b.want(400, b.as(ledger.Viewer, shopBase+"/webhooks/1?log=x", nil))
	for range 20 {
		if w := b.as(ledger.Manager, shopBase+"/webhooks/1/ping", url.Values{}); w.Code == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("test events without an end")
}

// TestWebhooksOverview: an endpoint that fails for an hour wants attention, and one that was switched off even more.
func TestWebhooksOverview(t *testing.T) {
	b := newBench(t, loopback)
	b.enforce(shopHash)
	answer := http.StatusInternalServerError
	erp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(answer) }))
	t.Cleanup(erp.Close)
	_, err := b.s.Ledger.AddEndpoint(b.Context(), b.shop(shopHash), ledger.NewEndpoint{URL: erp.URL, Types: ledger.EventTypes()}, b.clock())
	b.ok(err)
	b.hold(shopHash)
	b.settle(ledger.EventBell)
	b.lacks(b.as(ledger.Viewer, shopBase+"/overview", nil), "endpoint")
	b.wait(time.Hour)
	b.want(200, b.as(ledger.Viewer, shopBase+"/overview", nil), "1 webhook endpoint of yours does not take events")
	b.want(200, b.as(ledger.Viewer, shopBase+"/webhooks/1", nil), "Failing since")
	answer = http.StatusGone
	b.settle(ledger.EventBell)
	b.want(200, b.as(ledger.Viewer, shopBase+"/overview", nil), "1 webhook endpoint of yours was switched off", shopBase+"/webhooks")
	b.want(200, b.as(ledger.Viewer, shopBase+"/webhooks/1", nil), "Switched off: gone", "It answered 410 Gone")
	b.want(200, b.as(ledger.Viewer, shopBase+"/activity", nil), "Endpoint switched off", "idgate")
	b.wantGo(b.as(ledger.Manager, shopBase+"/webhooks/1/resume", url.Values{}), shopBase+"/webhooks/1?endpoint_resumed=1")
	b.lacks(b.as(ledger.Viewer, shopBase+"/overview", nil), "endpoint of yours")
}

// TestRoutesRolesOfWebhooks is TestRoutesRoles for the outbound webhooks.
func TestRoutesRolesOfWebhooks(t *testing.T) {
	b := newBench(t, loopback)
	for hash, n := range map[string]int{shopHash: 2, otherHash: 3} { // the other Shop's numbers go further
		for range n {
			_, err := b.s.Ledger.AddEndpoint(b.Context(), b.shop(hash), ledger.NewEndpoint{URL: "https://erp.example.com/", Types: ledger.EventTypes()}, b.clock())
			b.ok(err)
		}
	}
	b.ok(b.s.Ledger.TestEndpoint(b.Context(), shopHash, 1, b.clock()))  // delivery 1
	b.ok(b.s.Ledger.TestEndpoint(b.Context(), shopHash, 2, b.clock()))  // delivery 2
	b.ok(b.s.Ledger.TestEndpoint(b.Context(), otherHash, 3, b.clock())) // delivery 3
	none := url.Values{}
	const viewer, manager = ledger.Viewer, ledger.Manager
	for _, tc := range []struct {
		path  string
		form  url.Values // nil: GET
		least ledger.Role
		want  int // for those who may
	}{
		{"/webhooks", nil, viewer, 200},
		{"/webhooks", none, manager, 422},
		{"/webhooks/1", nil, viewer, 200},
		{"/webhooks/3", nil, viewer, 404},
		{"/webhooks/0", nil, viewer, 404},
		{"/webhooks/-1", nil, viewer, 404},
		{"/webhooks/01", nil, viewer, 404},
		{"/webhooks/x", nil, viewer, 404},
		{"/webhooks/9223372036854775808", nil, viewer, 404},
		{"/webhooks/1", none, manager, 422},
		{"/webhooks/3", none, manager, 404},
		{"/webhooks/3/secret", none, manager, 404},
		{"/webhooks/1/ping", none, manager, 303},
		{"/webhooks/3/ping", none, manager, 404},
		{"/webhooks/1/pause", none, manager, 303},
		{"/webhooks/3/pause", none, manager, 404},
		{"/webhooks/1/resume", none, manager, 303},
		{"/webhooks/3/resume", none, manager, 404},
		{"/webhooks/1/rotate", nil, manager, 200},
		{"/webhooks/3/rotate", nil, manager, 404},
		{"/webhooks/1/rotate", none, manager, 303},
		{"/webhooks/3/rotate", none, manager, 404},
		{"/webhooks/1/stop", nil, manager, 200},
		{"/webhooks/3/stop", nil, manager, 404},
		{"/webhooks/1/stop", none, manager, 303},
		{"/webhooks/3/stop", none, manager, 404},
		{"/webhooks/1/remove", nil, manager, 200},
		{"/webhooks/3/remove", nil, manager, 404},
		{"/webhooks/3/remove", none, manager, 404},
		{"/webhooks/1/deliveries/1", nil, viewer, 200},
		{"/webhooks/1/deliveries/2", nil, viewer, 404}, // another endpoint's
		{"/webhooks/1/deliveries/3", nil, viewer, 404}, // another Shop's
		{"/webhooks/3/deliveries/3", nil, viewer, 404},
		{"/webhooks/1/deliveries/x", nil, viewer, 404},
		{"/webhooks/1/resend", url.Values{views.DeliveryField: {"3"}}, manager, 404},
		{"/webhooks/1/resend", url.Values{views.DeliveryField: {"2"}}, manager, 404},
		{"/webhooks/1/resend", url.Values{views.DeliveryField: {"x"}}, manager, 404},
		{"/webhooks/1/resend", none, manager, 303},
		{"/webhooks/3/resend", none, manager, 404},
	} {
		t.Run(method(tc.form)+" "+tc.path, func(t *testing.T) {
			tryRoute(method(tc.form), "/s/"+shopHash+tc.path)
			b.wait(time.Minute) // for the limit of test events
			for role, r := range rank {
				want := tc.want
				if r < rank[tc.least] {
					want = http.StatusForbidden
				}
				if got := b.as(role, "/s/"+shopHash+tc.path, tc.form); got.Code != want {
					t.Errorf("%s: %d, want %d: %s", role, got.Code, want, brief(got.Body.String()))
				}
			}
			for name, cookie := range map[string]string{
				"nobody":                          "",
				"another shop's owner":            b.cookies[otherHash+" owner"],
				"another shop's owner, disguised": strings.Replace(b.cookies[otherHash+" owner"], otherHash, shopHash, 1),
				"forged":                          cookieName(shopHash) + "=bG9naW4=",
			} {
				if got := b.send(cookie, "/s/"+shopHash+tc.path, tc.form); got.Code != http.StatusUnauthorized {
					t.Errorf("%s: %d, want 401", name, got.Code)
				}
			}
			if tc.form == nil {
				return
			}
			r, err := http.NewRequest("POST", "/s/"+shopHash+tc.path, strings.NewReader(tc.form.Encode()))
			b.ok(err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Cookie", b.cookies[shopHash+" owner"])
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			if w := b.do(r); w.Code != http.StatusForbidden {
				t.Errorf("from another site: %d, want 403", w.Code)
			}
		})
	}
	es, err := b.s.Ledger.Endpoints(b.Context(), b.shop(otherHash))
	b.ok(err)
	if len(es) != 3 || slices.ContainsFunc(es, func(e ledger.Endpoint) bool { return e.Rotations != 0 || e.State != ledger.EndpointOn || !e.Unseen }) {
		t.Errorf("the other shop's endpoints: %+v", es)
	}

	// While BigCommerce refuses our token everybody only looks.
	b.ok(b.s.Ledger.SuspendShop(b.Context(), b.shop(shopHash), b.clock(), b.clock().Add(time.Hour)))
	for _, path := range []string{"/webhooks", "/webhooks/1", "/webhooks/1/deliveries/1"} {
		page := b.as(ledger.Owner, shopBase+path, nil)
		b.want(200, page, "BigCommerce refuses our token since")
		b.lacks(page, `action="`+shopBase+`/webhooks`)
	}
	for _, act := range []string{"", "/1", "/1/secret", "/1/ping", "/1/pause", "/1/resume", "/1/rotate", "/1/stop", "/1/remove", "/1/resend"} {
		b.want(409, b.as(ledger.Owner, shopBase+"/webhooks"+act, none))
	}
}

// TestAbuseOutboundURL: what may be typed as an address to post to, and what not.
func TestAbuseOutboundURL(t *testing.T) {
	long := "https://erp.example.com/" + strings.Repeat("x", maxEndpointURL)
	for _, tc := range []struct {
		text       string
		want       string // "" where it is refused
		code       string
		onLoopback string // what a demo takes it for; "" where that refuses it as well
	}{
		{"https://erp.example.com", "https://erp.example.com/", "", "https://erp.example.com/"},
		{"https://ERP.Example.com:443/In?a=b&c=d", "https://erp.example.com/In?a=b&c=d", "", "https://erp.example.com/In?a=b&c=d"},
		{"HTTPS://erp.example.com./x", "https://erp.example.com/x", "", "https://erp.example.com/x"},
		{"https://erp.example.com:1024/", "https://erp.example.com:1024/", "", "https://erp.example.com:1024/"},
		{"https://erp.example.com:65535/", "https://erp.example.com:65535/", "", "https://erp.example.com:65535/"},
		{"https://bücher.example/", "https://xn--bcher-kva.example/", "", "https://xn--bcher-kva.example/"},
		{"", "", "required", ""},
		{long, "", "too_long:500", ""},
		{"erp.example.com", "", "not_a_url", ""},
		{"//erp.example.com/", "", "not_a_url", ""},
		{"/in", "", "not_a_url", ""},
		{"https:erp.example.com", "", "not_a_url", ""},
		{"https://", "", "not_a_url", ""},
		{"https:///in", "", "not_a_url", ""},
		{"https://erp.example.com/#fragment", "", "not_a_url", ""},
		{"https://erp.example.com\\@evil.example/", "", "not_a_url", ""},
		{"https://erp.example.com/\r\nHost: evil.example", "", "not_a_url", ""},
		{"https://erp.example.com/a b", "", "not_a_url", ""},
		{"https://erp.example.com/\u202ex", "", "not_a_url", ""},
		{"https://user@erp.example.com/", "", "not_a_url", ""},
		{"https://user:secret@erp.example.com/", "", "not_a_url", ""},
		{"https://@erp.example.com/", "", "not_a_url", ""},
		{"https://erp.example.com:/", "", "not_a_url", ""},
		{"https://erp_.example.com/", "", "not_a_url", ""},
		{"https://erp..example.com/", "", "not_a_url", ""},
		{"https://%65rp.example.com/", "", "not_a_url", ""},
		{"https://erp/", "", "not_a_url", ""},
		{"http://erp.example.com/", "", "not_https", ""},
		{"ftp://erp.example.com/", "", "not_https", ""},
		{"gopher://127.0.0.1:6379/_x", "", "not_https", ""},
		{"file:///etc/passwd", "", "not_a_url", ""},
		{"javascript:alert(1)", "", "not_a_url", ""},
		{"https://erp.example.com:80/", "", "port_refused", ""},
		{"https://erp.example.com:22/", "", "port_refused", ""},
		{"https://erp.example.com:25/", "", "port_refused", ""},
		{"https://erp.example.com:1023/", "", "port_refused", ""},
		{"https://erp.example.com:0/", "", "port_refused", ""},
		{"https://erp.example.com:0443/", "", "port_refused", ""},
		{"https://erp.example.com:65536/", "", "port_refused", ""},
		{"https://127.0.0.1/", "", "host_refused", ""},
		{"https://127.1/", "", "host_refused", ""},
		{"https://2130706433/", "", "not_a_url", ""},
		{"https://0x7f000001/", "", "not_a_url", ""},
		{"https://0x7f.0.0.1/", "", "host_refused", ""},
		{"https://0177.0.0.1/", "", "host_refused", ""},
		{"https://[::1]/", "", "host_refused", ""},
		{"https://[::ffff:127.0.0.1]/", "", "host_refused", ""},
		{"https://[fe80::1%25eth0]/", "", "host_refused", ""},
		{"https://[fd00::1]:8443/", "", "host_refused", ""},
		{"https://0.0.0.0/", "", "host_refused", ""},
		{"https://10.0.0.1/", "", "host_refused", ""},
		{"https://172.16.0.1/", "", "host_refused", ""},
		{"https://192.168.1.1/", "", "host_refused", ""},
		{"https://100.64.0.1/", "", "host_refused", ""},
		{"https://169.254.169.254/latest/meta-data/", "", "host_refused", ""},
		{"https://224.0.0.1/", "", "host_refused", ""},
		{"https://8.8.8.8/", "", "host_refused", ""}, // no address at all: names have certificates, and an owner
		{"https://１２７.0.0.1/", "", "host_refused", ""},
		{"https://127。0。0。1/", "", "host_refused", ""},
		{"https://localhost/", "", "host_refused", ""},
		{"https://erp.localhost/", "", "host_refused", ""},
		{"https://metadata.google.internal/", "", "host_refused", ""},
		{"https://printer.local/", "", "host_refused", ""},
		{"http://localhost:9000", "", "not_https", "http://localhost:9000/"},
		{"http://erp.localhost:9000/in", "", "not_https", "http://erp.localhost:9000/in"},
		{"http://127.0.0.1:9000/in", "", "not_https", "http://127.0.0.1:9000/in"},
		{"http://127.0.0.1:80/in", "", "not_https", ""},
		{"http://127.0.0.2:9000/in", "", "not_https", ""},
		{"http://localhost.evil.example:9000/in", "", "not_https", ""},
	} {
		got, host, code := parseEndpointURL(tc.text, false)
		if got != tc.want || code != tc.code || (got == "") != (host == "") {
			t.Errorf("%q: %q, host %q, %q; want %q, %q", tc.text, got, host, code, tc.want, tc.code)
		}
		if got, _, _ := parseEndpointURL(tc.text, true); got != tc.onLoopback {
			t.Errorf("%q on loopback: %q, want %q", tc.text, got, tc.onLoopback)
		}
	}
}

func FuzzEndpointURL(f *testing.F) {
	for _, s := range []string{"https://erp.example.com/in?a=b", "https://user@x.example", "http://127.0.0.1:9000/", "https://[::1]/", "https://0x7f.1/", "https://x.example:1/", "https://ＬＯＣＡＬＨＯＳＴ/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, host, code := parseEndpointURL(text, false)
		if (got == "") == (code == "") {
			t.Fatalf("%q: %q and %q", text, got, code)
		}
		if code != "" {
			return
		}
		again, sameHost, code := parseEndpointURL(got, false)
		if again != got || sameHost != host || code != "" {
			t.Fatalf("%q becomes %q and then %q, %q", text, got, again, code)
		}
		u, err := url.Parse(got)
		if err != nil || u.Scheme != "https" || u.User != nil || u.Fragment != "" || u.Hostname() != host || dial.LoopbackName(host) || !strings.Contains(host, ".") {
			t.Fatalf("%q is taken for %q: %v", text, got, err)
		}
		if port := u.Port(); port != "" {
			if n, err := strconv.Atoi(port); err != nil || n < 1024 {
				t.Fatalf("%q is taken with port %s", text, port)
			}
		}
	})
}
