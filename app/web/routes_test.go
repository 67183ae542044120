package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"idgate/app/ledger"
	"idgate/views"
)

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
	noReason, noPolicy := url.Values{"reason": {""}}, url.Values{"mode": {"maybe"}}

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
		{"/orders?filter=nonsense", nil, viewer, 400},
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
		{"/history", nil, viewer, 200},
		{"/history?kind=session", nil, viewer, 200},
		{"/history?kind=decision", nil, viewer, 200},
		{"/history?kind=order", nil, viewer, 200},
		{"/history?kind=nonsense", nil, viewer, 400},
		{"/history?before=1.x", nil, viewer, 400},
		{"/health", nil, viewer, 200},
		{"/health/retry", url.Values{views.WritebackField: {"1"}}, manager, 404}, // it is not stuck
		{"/health/retry", url.Values{views.WritebackField: {"1' OR 1=1"}}, manager, 404},
		{"/health/retry", url.Values{}, manager, 404},
		{"/settings", nil, viewer, 200},
		{"/settings", url.Values{"dns": {"https://evil.example/"}}, owner, 422},
	} {
		t.Run(method(tc.form)+" "+tc.path, func(t *testing.T) {
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

// TestCrossSiteForms: no other site's page can post a form with a merchant's cookie.
func TestCrossSiteForms(t *testing.T) {
	b := newBench(t)
	for _, path := range []string{"/policy", "/health/repair", "/health/retry", "/settings", "/logout", "/orders/1/release", "/orders/1/refuse"} {
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
