package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"idgate/app/ledger"
)

// TestRoutesRolesOfPages is TestRoutesRoles for the Policy's further pages, the lists, the team and the activity.
func TestRoutesRolesOfPages(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	b.enforce(otherHash)
	b.saveRule(wineForm(), "for the routes")
	for _, hash := range []string{shopHash, otherHash} { // the other Shop's numbers go further
		for range map[string]int{shopHash: 1, otherHash: 2}[hash] {
			_, err := b.s.Ledger.BeginWhatIf(b.Context(), b.shop(hash), b.shop(hash).Policy, 10, time.Time{}, b.clock())
			b.ok(err)
		}
	}
	wine, nothing := url.QueryEscape(wineForm().Name), url.Values{"base_version": {"2"}, "do": {"compare"}}
	const viewer, manager, owner = ledger.Viewer, ledger.Manager, ledger.Owner
	for _, tc := range []struct {
		path  string
		form  url.Values // nil: GET
		least ledger.Role
		want  int // for those who may
	}{
		{"/policy/rules", nil, viewer, 200},
		{"/policy/rules/edit", nil, viewer, 200},
		{"/policy/rules/edit?rule=" + wine, nil, viewer, 200},
		{"/policy/rules/edit?rule=Theirs", nil, viewer, 404},
		{"/policy/rules/edit", nothing, manager, 422},
		{"/policy/rules/remove?rule=" + wine, nil, manager, 200},
		{"/policy/rules/remove", nothing, manager, 200},
		{"/policy/rules/move?rule=" + wine + "&to=up", nil, manager, 200},
		{"/policy/rules/move", nothing, manager, 200},
		{"/policy/templates", nil, viewer, 200},
		{"/policy/templates/alcohol_us", nil, viewer, 200},
		{"/policy/templates/alcohol_us", nothing, manager, 200},
		{"/policy/templates/nothing", nothing, manager, 404},
		{"/policy/versions", nil, viewer, 200},
		{"/policy/versions/1", nil, viewer, 200},
		{"/policy/versions/1", nothing, manager, 200},
		{"/policy/versions/7", nothing, manager, 404},
		{"/policy/whatif", nil, viewer, 200},
		{"/policy/whatif", url.Values{"version": {"x"}}, manager, 422},
		{"/policy/whatif/1", nil, viewer, 200},
		{"/policy/whatif/2", nil, viewer, 404},
		{"/policy/whatif/1/cancel", url.Values{}, manager, 303},
		{"/policy/whatif/2/cancel", url.Values{}, manager, 404},
		{"/policy/whatif/1/save", nil, manager, 200},
		{"/policy/whatif/1/save", nothing, manager, 200},
		{"/policy/whatif/2/save", nothing, manager, 404},
		{"/lists", nil, viewer, 200},
		{"/lists?list=blocked", nil, viewer, 200},
		{"/lists/add", url.Values{"list": {"allowed"}}, manager, 422},
		{"/lists/remove", url.Values{"list": {"allowed"}, "customer": {"7"}}, manager, 303},
		{"/lists/import", url.Values{"list": {"allowed"}}, manager, 400}, // not as a browser sends it
		{"/activity", nil, viewer, 200},
		{"/activity.jsonl", nil, manager, 200},
		{"/settings/branding", nil, viewer, 200},
		{"/settings/branding?channel=1", nil, viewer, 200},
		{"/settings/branding?channel=77", nil, viewer, 404},
		{"/settings/branding?channel=x", nil, viewer, 404},
		{"/settings/branding", url.Values{"accent": {"red"}}, manager, 422},
		{"/settings/branding?channel=77", url.Values{}, manager, 404},
		{"/settings/texts", nil, viewer, 200},
		{"/settings/texts?lang=ar&group=mails&channel=1", nil, viewer, 200},
		{"/settings/texts?lang=tlh", nil, viewer, 404},
		{"/settings/texts?group=others", nil, viewer, 404},
		{"/settings/texts", url.Values{"t.dialog.title": {"{x}"}}, manager, 422},
		{"/settings/texts?lang=xx", url.Values{}, manager, 404},
		{"/settings/texts/reset?lang=de", nil, manager, 200},
		{"/settings/texts/reset?lang=de&channel=77", url.Values{}, manager, 404},
		{"/settings/texts/reset?lang=de", url.Values{}, manager, 303},
		{"/settings/preview?what=dialog", nil, viewer, 200},
		{"/settings/preview?what=nothing", nil, viewer, 404},
		{"/settings/preview?channel=77&what=page", nil, viewer, 404},
		{"/settings/preview", url.Values{"what": {"mail-link"}}, viewer, 200},
		{"/settings/checkout", nil, viewer, 200},
		{"/settings/checkout", url.Values{"sessions_per_day": {"many"}}, manager, 422},
		{"/settings/mails", nil, viewer, 200},
		{"/settings/mails", url.Values{"to": {"nobody"}}, manager, 422},
		{"/settings/data", nil, viewer, 200},
		{"/settings/guide", url.Values{"guide": {"burn"}}, manager, 400},
		{"/team", nil, viewer, 200},
		{"/team", url.Values{"user": {"4"}, "role": {"king"}}, owner, 422},
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
	if n := strconv.FormatInt(b.shop(shopHash).Policy.Version, 10); n != "2" {
		t.Errorf("version %s: something was saved", n)
	}
}
