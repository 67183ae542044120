package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"idgate/app/ledger"
	"idgate/views"
)

// adminRoute is a route of the control panel, as routes.go has it.
var adminRoute = regexp.MustCompile(`m\.Handle\("((?:GET|POST) /s/\{shop\}/[^"]*)"`)

// adminRoutes reads the control panel's routes; false in those that no table of roles has tried yet.
var adminRoutes = sync.OnceValues(func() (*http.ServeMux, map[string]bool) {
	source, err := os.ReadFile("routes.go")
	if err != nil {
		panic(err)
	}
	m, tried := http.NewServeMux(), map[string]bool{}
	for _, route := range adminRoute.FindAllStringSubmatch(string(source), -1) {
		m.Handle(route[1], http.NotFoundHandler())
		tried[route[1]] = false
	}
	return m, tried
})

// tryRoute notes that a table of roles tries a route.
func tryRoute(method, path string) {
	m, tried := adminRoutes()
	if _, route := m.Handler(httptest.NewRequest(method, path, nil)); route != "" {
		tried[route] = true
	}
}

// UntriedRoutes is what no table of roles has tried, once all tests have run.
func UntriedRoutes() (out []string) {
	_, tried := adminRoutes()
	for route, done := range tried {
		if !done {
			out = append(out, route)
		}
	}
	slices.Sort(out)
	return out
}

// TestRoutesRoles holds every admin route to who may use it, and to telling nobody what another Shop has.
func TestRoutesRoles(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	b.enforce(otherHash)
	held := strconv.FormatInt(b.hold(shopHash), 10)
	for range 3 { // the other Shop's numbers go further, so that its last one is unknown here
		b.hold(otherHash)
	}
	foreign := strconv.FormatInt(b.hold(otherHash), 10)
	theirs := strconv.FormatInt(b.notice(otherHash, "store/order/created", foreign), 10) // handled, and another Shop's
	b.settle(ledger.NoticeBell)
	b.prove(shopHash, 7, "00000000-0000-4000-8000-000000000001", ledger.Person{Given: "Ada"})
	b.prove(otherHash, 7, "00000000-0000-4000-8000-000000000002", ledger.Person{Given: "Bo"})
	ours, foreignSession := b.newestSession(shopHash), b.newestSession(otherHash)
	theirSearch, err := b.shop(otherHash).SealSearch("ada@example.com")
	b.ok(err)
	noReason, noPolicy := url.Values{"reason": {""}}, url.Values{"mode": {"maybe"}, "base_version": {strconv.FormatInt(b.shop(shopHash).Policy.Version, 10)}}

	const viewer, reviewer, manager, owner = ledger.Viewer, ledger.Reviewer, ledger.Manager, ledger.Owner
	for _, tc := range []struct {
		path  string
		form  url.Values // nil: GET
		least ledger.Role
		want  int // for those who may
	}{
		{"/", nil, viewer, 303},
		{"/overview", nil, viewer, 200},
		{"/policy", nil, viewer, 200},
		{"/policy", noPolicy, manager, 422},
		{"/orders", nil, viewer, 200},
		{"/orders?filter=held", nil, viewer, 200},
		{"/orders?filter=leaks", nil, viewer, 200},
		{"/orders?filter=allowed", nil, viewer, 200},
		{"/orders?filter=moved", nil, viewer, 200},
		{"/orders?filter=cancelled", nil, viewer, 200},
		{"/orders?filter=nonsense", nil, viewer, 400},
		{"/orders.csv", nil, reviewer, 200},
		{"/orders.csv?filter=held", nil, reviewer, 200},
		{"/orders.csv?filter=leaks", nil, reviewer, 200},
		{"/orders.csv?filter=moved", nil, reviewer, 200},
		{"/orders.csv?filter=cancelled", nil, reviewer, 200},
		{"/orders.csv?filter=allowed", nil, reviewer, 200},
		{"/orders.csv?filter=nonsense", nil, reviewer, 400},
		{"/orders?before=-1", nil, viewer, 400},
		{"/orders?q=" + held, nil, viewer, 303},
		{"/orders?q=" + foreign, nil, viewer, 200},
		{"/orders?q=ten", nil, viewer, 422},
		{"/orders/" + held, nil, viewer, 200},
		{"/orders/" + foreign, nil, viewer, 404},
		{"/orders/0" + held, nil, viewer, 404},
		{"/orders/-1", nil, viewer, 404},
		{"/orders/0", nil, viewer, 404},
		{"/orders/%2e%2e", nil, viewer, 404},
		{"/orders/9223372036854775808", nil, viewer, 404},
		{"/orders/" + held + "/release", noReason, reviewer, 422},
		{"/orders/" + foreign + "/release", noReason, reviewer, 404},
		{"/orders/x/release", noReason, reviewer, 404},
		{"/orders/" + held + "/refuse", noReason, reviewer, 422},
		{"/orders/" + foreign + "/refuse", noReason, reviewer, 404},
		{"/orders/" + held + "/keep", noReason, reviewer, 409}, // the policy cancels nothing
		{"/orders/" + foreign + "/keep", noReason, reviewer, 404},
		{"/orders/" + held + "/unkeep", noReason, reviewer, 409},
		{"/orders/" + foreign + "/unkeep", noReason, reviewer, 404},
		{"/orders/" + held + "/revoke", url.Values{views.ProofField: {"none"}}, manager, 404},
		{"/orders/" + foreign + "/revoke", url.Values{views.ProofField: {"none"}}, manager, 404},
		{"/orders/" + held + "/replay", url.Values{views.NoticeField: {"1"}}, reviewer, 404},
		{"/orders/" + foreign + "/replay", url.Values{views.NoticeField: {theirs}}, reviewer, 404},
		{"/orders/" + held + "/replay", url.Values{views.NoticeField: {theirs}}, reviewer, 404},
		{"/orders/" + held + "/retry", url.Values{views.WritebackField: {"1"}}, reviewer, 404}, // it is not stuck
		{"/orders/" + foreign + "/retry", url.Values{views.WritebackField: {"1"}}, reviewer, 404},
		{"/overview?range=today", nil, viewer, 200},
		{"/overview?range=90", nil, viewer, 200},
		{"/overview?range=365", nil, viewer, 400},
		{"/orders?filter=refused&outcome=refuse&source=www&from=2026-03-01&to=2026-03-10", nil, viewer, 200},
		{"/orders?filter=released", nil, viewer, 200},
		{"/orders?filter=exempt", nil, viewer, 200},
		{"/orders?q=ada%40example.com", nil, viewer, 303}, // to an address that does not name the mailbox
		{"/orders", url.Values{"q": {"ada@example.com"}}, viewer, 303},
		{"/orders", url.Values{"q": {"who is"}}, viewer, 422},
		{"/orders?who=" + theirSearch, nil, viewer, 422},
		{"/orders.csv?who=" + theirSearch, nil, reviewer, 422},
		{"/orders.csv?q=ada%40example.com", nil, reviewer, 422},
		{"/orders?channel=999", nil, viewer, 422},
		{"/orders?outcome=maybe", nil, viewer, 422},
		{"/orders?from=yesterday", nil, viewer, 422},
		{"/orders?after=1.x", nil, viewer, 400},
		{"/orders?before=1.7", nil, viewer, 200},
		{"/orders.csv?outcome=hold&from=2026-03-01", nil, reviewer, 200},
		{"/orders.csv?from=yesterday", nil, reviewer, 422},
		{"/verifications", nil, viewer, 200},
		{"/verifications?state=passed&ial=2&source=policy&from=2026-03-01&to=2026-03-10&q=7", nil, viewer, 200},
		{"/verifications?state=odd", nil, viewer, 422},
		{"/verifications?q=who", nil, viewer, 422},
		{"/verifications?q=ada%40example.com", nil, viewer, 303},
		{"/verifications", url.Values{"q": {"ada@example.com"}}, viewer, 303},
		{"/verifications", url.Values{"q": {"ada@"}}, viewer, 422},
		{"/verifications?who=" + theirSearch, nil, viewer, 422},
		{"/verifications.csv?who=" + theirSearch, nil, reviewer, 422},
		{"/verifications.csv?q=ada%40example.com", nil, reviewer, 422},
		{"/verifications?before=1.x", nil, viewer, 400},
		{"/verifications?q=" + ours, nil, viewer, 303},
		{"/verifications?q=" + foreignSession, nil, viewer, 200},
		{"/verifications.csv", nil, reviewer, 200},
		{"/verifications.csv?state=failed", nil, reviewer, 200},
		{"/verifications.csv?state=odd", nil, reviewer, 422},
		{"/verifications/decisions", nil, viewer, 200},
		{"/verifications/decisions?stage=order", nil, viewer, 200},
		{"/verifications/decisions?stage=cart", nil, viewer, 400},
		{"/verifications/decisions?before=1.x", nil, viewer, 400},
		{"/verifications/" + ours, nil, viewer, 200},
		{"/verifications/" + foreignSession, nil, viewer, 404},
		{"/verifications/" + strings.ToUpper(ours), nil, viewer, 404},
		{"/verifications/none", nil, viewer, 404},
		{"/verifications/" + ours + "/receipt", nil, viewer, 200},
		{"/verifications/" + foreignSession + "/receipt", nil, viewer, 404},
		{"/verifications/" + ours + "/revoke", url.Values{views.ProofField: {"none"}}, manager, 404},
		{"/verifications/" + foreignSession + "/revoke", url.Values{views.ProofField: {"none"}}, manager, 404},
		{"/history", nil, viewer, 303},
		{"/history?kind=order", nil, viewer, 303},
		{"/health", nil, viewer, 200},
		{"/health/retry", url.Values{views.WritebackField: {"1"}}, reviewer, 404}, // it is not stuck
		{"/health/retry", url.Values{views.WritebackField: {"1' OR 1=1"}}, reviewer, 404},
		{"/health/retry", url.Values{}, reviewer, 404},
		{"/health/notice", url.Values{views.NoticeField: {theirs}}, reviewer, 404},
		{"/health/notice", url.Values{views.NoticeField: {"-1"}}, reviewer, 404},
		{"/health/notice", url.Values{}, reviewer, 404},
		{"/health/replay", url.Values{views.SinceField: {"soon"}}, manager, 422},
		{"/health/replay", url.Values{}, manager, 422},
		{"/settings", nil, viewer, 200},
		{"/settings", url.Values{"dns": {"https://evil.example/"}}, owner, 422},
		{"/settings/alarms", url.Values{views.AlarmField: {"not a mailbox"}}, manager, 422},
		{"/settings/sign-back", url.Values{}, owner, 303},
		{"/health/repair", url.Values{}, manager, 303},
		{"/logout", url.Values{}, viewer, 303}, // the last: nobody is signed in after it
	} {
		t.Run(method(tc.form)+" "+tc.path, func(t *testing.T) {
			tryRoute(method(tc.form), "/s/"+shopHash+tc.path)
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
			if got := b.as(ledger.Owner, "/s/nowhere"+tc.path, tc.form); got.Code != http.StatusUnauthorized {
				t.Errorf("an unknown shop: %d, want 401 as for any other", got.Code)
			}
		})
	}
}

// TestRoutesSuspended: while BigCommerce refuses the token every page opens and says why, everybody only looks, and nothing that is posted is
// done; whoever is signed in can still sign out and take the list of orders on hold away.
func TestRoutesSuspended(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	id := strconv.FormatInt(b.hold(shopHash), 10)
	b.ok(b.s.Ledger.SuspendShop(b.Context(), b.shop(shopHash), b.clock(), b.clock().Add(time.Hour)))
	for _, path := range []string{"/overview", "/policy", "/orders", "/orders?filter=held", "/orders/" + id, "/verifications", "/verifications/decisions", "/health", "/settings", "/settings/branding", "/settings/texts", "/settings/checkout", "/settings/mails", "/settings/data"} {
		page := b.as(ledger.Owner, shopBase+path, nil)
		b.want(200, page, "BigCommerce refuses our token since", "Tue 10 Mar 2026, 09:12", "Tue 10 Mar 2026, 10:12", "install idgate again")
		for _, form := range postForm.FindAllStringSubmatch(page.Body.String(), -1) {
			if form[1] != shopBase+"/logout" && form[1] != shopBase+"/policy" && form[1] != shopBase+"/settings/checkout" && form[1] != shopBase+"/settings/mails" {
				t.Errorf("%s still has a form to %s", path, form[1])
			}
		}
		b.lacks(page, "Save as new version", "/v/mail.")
	}
	b.want(200, b.as(ledger.Owner, shopBase+"/overview", nil), "BigCommerce no longer accepts our token")
	b.want(200, b.as(ledger.Owner, shopBase+"/health", nil), "Refused since", "1 order is on hold")
	export := b.as(ledger.Reviewer, shopBase+"/orders.csv?filter=held", nil)
	b.want(200, export, id)
	for path, form := range map[string]url.Values{
		"/policy": b.policyForm(nil), "/orders/" + id + "/release": {"reason": {"It is fine"}}, "/orders/" + id + "/refuse": {"reason": {"It is not"}},
		"/orders/" + id + "/keep": {"reason": {"It is fine"}}, "/orders/" + id + "/unkeep": {"reason": {"It is fine"}}, "/orders/" + id + "/revoke": {"reason": {"It is fine"}},
		"/orders/" + id + "/replay": {}, "/orders/" + id + "/retry": {}, "/health/repair": {}, "/health/retry": {}, "/health/notice": {}, "/health/replay": {},
		"/settings": {}, "/settings/alarms": {views.AlarmField: {"a@example.com"}}, "/settings/branding": {}, "/settings/texts": {}, "/settings/texts/reset": {},
		"/settings/checkout": {}, "/settings/mails": {"to": {"a@example.com"}, "digest": {"daily"}}, "/settings/guide": {"guide": {"skip"}}, "/settings/sign-back": {views.SignBackField: {"on"}},
	} {
		b.want(409, b.as(ledger.Owner, shopBase+path, form), "Nothing can be changed just now", "Install idgate again")
		b.want(403, b.as(ledger.Viewer, shopBase+path, form))
	}
	if o, err := b.s.Ledger.Order(b.Context(), b.shop(shopHash), mustID(t, id)); err != nil || o.Hold != ledger.Held || b.shop(shopHash).Policy.Version != 1 || b.shop(shopHash).Settings.AlarmTo != "" {
		t.Errorf("something was done: %+v, %v", o, err)
	}
	b.wantGo(b.as(ledger.Owner, shopBase+"/logout", url.Values{}), "/")
	b.ok(b.s.Ledger.ResumeShop(b.Context(), b.shop(shopHash), b.clock()))
	b.lacks(b.as(ledger.Manager, shopBase+"/overview", nil), "refuses our token")
	b.wantGo(b.as(ledger.Manager, shopBase+"/orders/"+id+"/release", url.Values{"reason": {"It is fine"}}), shopBase+"/orders/"+id+"?released="+id)
}

// newestSession is the id of a Shop's newest Session.
func (b *bench) newestSession(hash string) string {
	b.Helper()
	ns, err := b.s.Ledger.SessionsPage(b.Context(), hash, ledger.Cursor{}, 1)
	b.ok(err)
	return ns[0].ID
}

func mustID(t *testing.T, text string) int64 {
	t.Helper()
	id, err := parseID(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestCrossSiteForms: no other site's page can post a form with a merchant's cookie.
func TestCrossSiteForms(t *testing.T) {
	b := newBench(t)
	for _, path := range []string{"/policy", "/health/repair", "/health/retry", "/settings", "/logout", "/orders/1/release", "/orders/1/refuse",
		"/orders/1/keep", "/orders/1/unkeep", "/orders/1/revoke", "/orders/1/replay", "/orders/1/retry", "/health/notice", "/health/replay", "/settings/alarms", "/settings/branding", "/settings/texts", "/settings/texts/reset",
		"/settings/preview", "/settings/checkout", "/settings/mails", "/settings/guide", "/settings/sign-back"} {
		r, err := http.NewRequest("POST", "/s/"+shopHash+path, strings.NewReader(""))
		b.ok(err)
		r.Header.Set("Cookie", b.cookies[shopHash+" owner"])
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w := b.do(r)
		if w.Code != http.StatusForbidden {
			t.Errorf("%s from another site: %d, want 403", path, w.Code)
		}
	}
}

func method(form url.Values) string {
	if form == nil {
		return "GET"
	}
	return "POST"
}
