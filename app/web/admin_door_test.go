package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/securecookie"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/idv/kosmos"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
	"idgate/views"
)

const shopBase = "/s/" + shopHash

// policyForm is the Policy form as the page of the Policy in force would send it, with changes.
func (b *bench) policyForm(change map[string]string) url.Values {
	f := formOf(b.shop(shopHash).Policy, b.shop(shopHash).Currency)
	v := url.Values{"mode": {f.Mode}, "checkout_ial": {f.CheckoutIAL}, "step_up_value": {f.StepUpValue}, "step_up_ial": {f.StepUpIAL},
		"step_up_max_age_days": {f.StepUpMaxAgeDays}, "step_up_selfie": {f.StepUpSelfie}, "evidence_document_ial": {f.EvidenceDocument},
		"evidence_selfie_ial": {f.EvidenceSelfie}, "least_age": {f.LeastAge}, "proof_days": {f.ProofDays}, "guests": {f.Guests}, "name_match": {f.NameMatch}, "address_match": {f.AddressMatch}, "document_grace": {f.DocumentGrace}, "tries": {f.Tries},
		"on_moved": {f.OnMoved}, "cancel_days": {f.CancelDays}, "mails": {f.Mails}, "remind_hours": {f.RemindHours}, "sources_more": {f.SourcesMore}, "keep_days": {f.KeepDays},
		"hold_status": {f.HoldStatus}, "sources": f.Sources, "on_unreachable": {f.OnUnreachable}, "on_provider_down": {f.OnProviderDown},
		"writeback": {f.WriteBack}, "base_version": {strconv.FormatInt(b.shop(shopHash).Policy.Version, 10)}, "do": {views.DoSave}, "reason": {"As agreed"}}
	for k, text := range change {
		v.Set(k, text)
	}
	return v
}

func TestSavePolicy(t *testing.T) {
	b := newBench(t)
	b.want(200, b.as(ledger.Manager, shopBase+"/policy", nil), `name="base_version" value="0"`, "No version has been saved yet")
	good := map[string]string{"mode": "enforce", "evidence_selfie_ial": "2", "step_up_value": "500", "step_up_ial": "2", "step_up_max_age_days": "30",
		"step_up_selfie": "on", "least_age": "21", "reason": "Knives & <b>wine</b>"}
	b.wantGo(b.as(ledger.Manager, shopBase+"/policy", b.policyForm(good)), shopBase+"/policy?saved=1")
	p := b.shop(shopHash).Policy
	want := gate.Default("USD")
	want.Version, want.Mode, want.Evidence.DocumentSelfie, want.Checkout.LeastAge = 1, gate.Enforce, 2, 21
	want.StepUp = &gate.StepUp{Over: gate.Money{Minor: 50000, Currency: "USD"}, Require: gate.Requirement{IAL: 2, MaxAge: 30, Selfie: true, NameMatch: true}}
	if got, wanted := fmt.Sprintf("%+v %+v", p, *p.StepUp), fmt.Sprintf("%+v %+v", want, *want.StepUp); stripPointers(got) != stripPointers(wanted) {
		t.Errorf("saved %s\nwant  %s", got, wanted)
	}
	page := b.as(ledger.Manager, shopBase+"/policy?saved=1", nil)
	b.want(200, page, "Saved as version 1.", `value="500.00"`, "manager@abc123.example", "Knives &amp; &lt;b&gt;wine&lt;/b&gt;", "Tue 10 Mar 2026, 09:12")
	b.lacks(page, "<b>wine")
	b.lacks(b.as(ledger.Viewer, shopBase+"/policy?saved=<b>", nil), "Saved as version")
	b.lacks(b.as(ledger.Viewer, shopBase+"/policy", nil), "Save as new version")
	b.want(200, b.as(ledger.Manager, shopBase+"/policy", nil), "Save as new version")

	for _, tc := range []struct {
		name   string
		change map[string]string
		texts  []string
	}{
		{"negative", map[string]string{"step_up_value": "-5"}, []string{`value="-5"`, "Enter a number that is not negative.", `href="#step_up_value"`}},
		{"another currency", map[string]string{"step_up_value": "500 EUR"}, []string{`value="500 EUR"`, "Enter the amount in the shop&#39;s currency, USD."}},
		{"not a number", map[string]string{"least_age": "eighteen", "reason": "kept"}, []string{`value="eighteen"`, "Enter a number, without signs or grouping.", `value="kept"`}},
		{"escaped", map[string]string{"proof_days": `"><script>`}, []string{`&#34;&gt;&lt;script&gt;`}},
	} {
		page := b.as(ledger.Manager, shopBase+"/policy", b.policyForm(tc.change))
		b.want(422, page, append(tc.texts, "Nothing was saved.")...)
		b.lacks(page, `"><script>`)
	}
	if v := b.shop(shopHash).Policy.Version; v != 1 {
		t.Errorf("version %d after refusals, want 1", v)
	}
	b.want(413, b.as(ledger.Manager, shopBase+"/policy", url.Values{"reason": {strings.Repeat("x", maxForm)}}))
	for name, change := range map[string]map[string]string{"from nowhere": {"base_version": "99"}, "no base": {"base_version": ""}, "nothing to do": {"do": "", "least_age": "18"}} {
		if w := b.as(ledger.Manager, shopBase+"/policy", b.policyForm(change)); w.Code != 400 {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

// TestPolicyFirstScreen: the first screen compares in plain words, replays over past orders and asks for a reason, as every form of the
// Policy does; the first version, and the mode alone, are saved without one.
func TestPolicyFirstScreen(t *testing.T) {
	b := newBench(t)
	at := shopBase + "/policy"
	first := b.policyForm(map[string]string{"reason": ""})
	b.wantGo(b.as(ledger.Manager, at, first), at+"?saved=1") // what idgate suggests to start with

	page := b.as(ledger.Manager, at, b.policyForm(map[string]string{"do": views.DoCompare, "least_age": "21", "reason": "New law", "reach": "1000"}))
	b.want(200, page, "What would change", `data-label="What">Least age</td>`, `data-label="Draft">21 years</td>`, "Stricter", `id="least_age" name="least_age" value="21"`, `value="New law"`, `<option value="1000" selected>`,
		`href="#save"`, "Save as new version")
	b.lacks(page, "Nothing was saved")
	b.want(200, b.as(ledger.Manager, at, b.policyForm(map[string]string{"do": views.DoCompare})), "Nothing: the policy in force says the same.")
	if p := b.shop(shopHash).Policy; p.Version != 1 {
		t.Errorf("a comparison saved version %d", p.Version)
	}

	b.wantGo(b.as(ledger.Manager, at, b.policyForm(map[string]string{"do": views.DoWhatIf, "least_age": "21", "reach": "1000"})), at+"/whatif/1")
	x, err := b.s.Ledger.WhatIf(b.Context(), shopHash, 1)
	b.ok(err)
	if x.Draft.Checkout.LeastAge != 21 || x.Wanted != 1000 || b.shop(shopHash).Policy.Version != 1 {
		t.Errorf("what-if over %d orders of %+v", x.Wanted, x.Draft)
	}
	b.want(422, b.as(ledger.Manager, at, b.policyForm(map[string]string{"do": views.DoWhatIf, "least_age": "-1", "reach": "1000"})), "Enter a number that is not negative.")

	for reason, said := range map[string]string{"": "Say why in at least three characters", "x": "Say why in at least three characters", strings.Repeat("é", mostReason+1): "Write at most"} {
		b.want(422, b.as(ledger.Manager, at, b.policyForm(map[string]string{"least_age": "21", "reason": reason})), said, `id="least_age" name="least_age" value="21"`)
	}
	b.want(422, b.as(ledger.Manager, at, b.policyForm(nil)), "Nothing: the policy in force says the same.")
	b.wantGo(b.as(ledger.Manager, at, b.policyForm(map[string]string{"mode": "shadow", "reason": ""})), at+"?saved=2")
	b.want(422, b.as(ledger.Manager, at, b.policyForm(map[string]string{"mode": "off", "least_age": "21", "reason": ""})), "Say why")
	b.wantGo(b.as(ledger.Manager, at, b.policyForm(map[string]string{"least_age": "21", "reason": "New law"})), at+"?saved=3")
	b.want(200, b.as(ledger.Viewer, at, nil), "New law")
	for _, do := range []string{views.DoCompare, views.DoWhatIf} {
		if w := b.as(ledger.Viewer, at, b.policyForm(map[string]string{"do": do, "reach": "100"})); w.Code != 403 {
			t.Errorf("a viewer's %s: %d", do, w.Code)
		}
	}
}

var pointer = regexp.MustCompile(`0x[0-9a-f]+`)

func stripPointers(s string) string { return pointer.ReplaceAllString(s, "") }

// TestPolicyMovedOn: of two tabs the older one is told, keeps its entries, and may then replace what it has seen.
func TestPolicyMovedOn(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	older := b.policyForm(map[string]string{"least_age": "18", "proof_days": "30"})
	b.wantGo(b.as(ledger.Owner, shopBase+"/policy", b.policyForm(map[string]string{"least_age": "21", "reason": "New state law"})), shopBase+"/policy?saved=2")
	page := b.as(ledger.Manager, shopBase+"/policy", older)
	b.want(409, page, "The policy has moved on", "owner@abc123.example", "version 2", "New state law", `name="base_version" value="2"`,
		"What version 2 changed meanwhile", `data-label="In force">21 years</td>`, `data-label="Draft">18 years</td>`, `id="proof_days" name="proof_days" value="30"`)
	if p := b.shop(shopHash).Policy; p.Version != 2 || p.Checkout.LeastAge != 21 {
		t.Errorf("version %d with age %d, want the newer tab's", p.Version, p.Checkout.LeastAge)
	}
	older.Set("base_version", "2")
	b.wantGo(b.as(ledger.Manager, shopBase+"/policy", older), shopBase+"/policy?saved=3")

	// At the same moment: one is saved, the other is told.
	form := b.policyForm(map[string]string{"least_age": "19"})
	codes := map[int]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			w := b.as(ledger.Manager, shopBase+"/policy", form)
			mu.Lock()
			defer mu.Unlock()
			codes[w.Code]++
		})
	}
	wg.Wait()
	if codes[303] != 1 || codes[409] != 7 {
		t.Errorf("answers %v, want one 303 and seven 409", codes)
	}
}

func TestHealthDoor(t *testing.T) {
	b := newBench(t)
	b.want(200, b.as(ledger.Viewer, shopBase+"/health", nil), "have not been compared", "Not set")
	b.wantGo(b.as(ledger.Manager, shopBase+"/health/repair", url.Values{}), shopBase+"/health?repairing=1")
	rep, err := relay.ReadInstallation(b.shop(shopHash))
	b.ok(err)
	if len(rep.Hooks) != len(wantedHooks) || len(rep.Attributes) != len(wantedAttributes) {
		t.Errorf("the relay made %v and %v, the page expects %v and %v", rep.Hooks, rep.Attributes, wantedHooks, wantedAttributes)
	}
	page := b.as(ledger.Viewer, shopBase+"/health", nil)
	b.want(200, page, "store/order/created", "0123456789abcdef", "blockid_vc_token", "store_v2_orders", "Granted")
	b.lacks(page, "Failing", "Missing<", "Late<", "Changed by")

	b.ok(b.world.Shop(shopHash).DeleteScript(b.world.Shop(shopHash).Scripts()[0].UUID))
	b.wantGo(b.as(ledger.Manager, shopBase+"/health/repair", url.Values{}), shopBase+"/health?repairing=1")
	if n := len(b.world.Shop(shopHash).Scripts()); n != 1 {
		t.Errorf("%d scripts after the repair, want 1", n)
	}
	b.world.Shop(shopHash).FailNext(sim.FailRule{Fault: sim.ServerError, Path: "/v3/hooks", Times: 9})
	b.wantGo(b.as(ledger.Manager, shopBase+"/health/repair", url.Values{}), shopBase+"/health?repairing=1")
	b.want(200, b.as(ledger.Viewer, shopBase+"/health", nil), "Failing")
	b.want(200, b.as(ledger.Viewer, shopBase+"/overview", nil), "8 webhooks are missing or switched off")
	b.want(429, b.as(ledger.Manager, shopBase+"/health/repair", url.Values{}))
	b.want(200, b.send(b.cookies[otherHash+" viewer"], "/s/"+otherHash+"/health", nil), "have not been compared")
	b.wait(10 * time.Minute)
	b.want(200, b.as(ledger.Viewer, shopBase+"/overview", nil), "The sweep for missed orders is late")
}

// TestRetry: a change that BigCommerce refuses waits for somebody, who makes it due again.
func TestRetry(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	id := b.buy(shopHash)
	order := fmt.Sprintf("%s/orders/%d", shopBase, id)
	token := b.shop(shopHash).Token
	b.ok(b.world.Shop(shopHash).SetTokenScopes(token, "store_v2_orders_read_only", "store_v2_information_read_only"))
	b.settle(ledger.WritebackBell)
	stuck, err := b.s.Ledger.StuckWritebacks(b.Context(), shopHash)
	b.ok(err)
	if len(stuck) != 2 || stuck[0].Kind != ledger.Hold {
		t.Fatalf("stuck: %+v, want the hold and the metafield", stuck)
	}
	b.want(200, b.as(ledger.Viewer, shopBase+"/health", nil), fmt.Sprintf(`<a href="%s">Order %d</a>`, order, id), "a permission (scope) is missing")
	b.lacks(b.as(ledger.Viewer, shopBase+"/health", nil), "Try again")
	b.want(200, b.as(ledger.Viewer, shopBase+"/overview", nil), "2 changes or mails are stuck")
	b.want(200, b.as(ledger.Viewer, order, nil), "is stuck and needs a person", "Stuck")
	b.lacks(b.as(ledger.Viewer, order, nil), "Try again")
	other := b.cookies[otherHash+" owner"]
	forms := b.forms(b.as(ledger.Reviewer, shopBase+"/health", nil), "/health/retry")
	onOrder := b.forms(b.as(ledger.Reviewer, order, nil), fmt.Sprintf("/orders/%d/retry", id))
	if len(forms) != 2 || len(onOrder) != 2 {
		t.Fatalf("%d and %d forms to try again with, want 2 each", len(forms), len(onOrder))
	}
	b.want(404, b.send(other, "/s/"+otherHash+"/health/retry", forms[0]))
	b.ok(b.world.Shop(shopHash).SetTokenScopes(token, sim.DefaultScopes...))
	b.wantGo(b.as(ledger.Reviewer, order+"/retry", onOrder[0]), order+"?retried=1")
	b.want(404, b.as(ledger.Reviewer, shopBase+"/health/retry", onOrder[0])) // it waits already
	rest := forms[0]
	if rest.Get(views.WritebackField) == onOrder[0].Get(views.WritebackField) {
		rest = forms[1]
	}
	b.wantGo(b.as(ledger.Reviewer, shopBase+"/health/retry", rest), shopBase+"/health?retried=1")
	b.settle(ledger.WritebackBell)
	b.want(404, b.as(ledger.Reviewer, shopBase+"/health/retry", forms[0]))
	if o, err := b.world.Shop(shopHash).Order(id); err != nil || o.StatusID != 12 {
		t.Errorf("status %d (%v) after the retry, want 12", o.StatusID, err)
	}
	b.lacks(b.as(ledger.Viewer, shopBase+"/health", nil), `id="stuck"`)
}

// simulatedTenants is 1Kosmos for a bench: the simulator answers for one host and its community, and nobody for any other.
func simulatedTenants(t *testing.T, host, community string) func(*relay.Options) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	address := server.Listener.Addr().String()
	server.Config.Handler = simkosmos.New(simkosmos.Options{BaseURL: "http://" + address, Community: community, LicenseKey: "lic-0451", DVCID: "dvc-0451", Now: time.Now}).Handler()
	server.Start()
	t.Cleanup(server.Close)
	return func(o *relay.Options) {
		o.Provider = func(shop *ledger.Shop) (idv.Provider, error) {
			var n kosmosTenant
			if err := json.Unmarshal(shop.Kosmos, &n); err != nil {
				return nil, err
			}
			dns := "127.0.0.1:1"
			if n.DNS == host {
				dns = address
			}
			return kosmos.New(kosmos.Tenant{DNS: dns, Community: n.Community, LicenseKey: n.LicenseKey, DVCID: n.DVCID, Curve: n.Curve}, kosmos.Options{Loopback: true})
		}
	}
}

func TestSettingsDoor(t *testing.T) {
	b := newBench(t, simulatedTenants(t, "larkspur.1kosmos.net", "default"))
	form := func(change map[string]string) url.Values {
		v := url.Values{"dns": {"Larkspur.1kosmos.net"}, "community": {"default"}, "license_key": {"lic-0451"}, "dvc_id": {"dvc-0451"}, "curve": {"secp256k1"}}
		for k, text := range change {
			v.Set(k, text)
		}
		return v
	}
	b.want(200, b.as(ledger.Viewer, shopBase+"/settings", nil), "Not connected", "owner@abc123.example", "Reviewer")
	b.lacks(b.as(ledger.Viewer, shopBase+"/settings", nil), "@other9.example")
	bad := b.as(ledger.Owner, shopBase+"/settings", form(map[string]string{"dns": "localhost:8080"}))
	b.want(422, bad, `value="localhost:8080"`, "Nothing was saved.")
	b.lacks(bad, "0451")
	if b.shop(shopHash).Kosmos != nil {
		t.Error("a refused tenant was stored")
	}
	for name, tc := range map[string]struct{ field, entered, said string }{
		"another host":      {"dns", "elsewhere.1kosmos.net", "This host did not answer as 1Kosmos does."},
		"another community": {"community", "unheard of", "1Kosmos knows no such tenant or community under this host."},
	} {
		refused := b.as(ledger.Owner, shopBase+"/settings", form(map[string]string{tc.field: tc.entered}))
		b.want(422, refused, tc.said, "Nothing was saved.", `value="`+tc.entered+`"`)
		b.lacks(refused, "0451")
		if b.shop(shopHash).Kosmos != nil {
			t.Errorf("%s: a tenant that was not found was stored", name)
		}
	}
	b.wantGo(b.as(ledger.Owner, shopBase+"/settings", form(nil)), shopBase+"/settings?connected=1")
	b.want(200, b.as(ledger.Owner, shopBase+"/settings?connected=1", nil), "The licence key and the dvcID were not tried")
	stored := func() (got kosmosTenant) {
		b.ok(json.Unmarshal(b.shop(shopHash).Kosmos, &got))
		return got
	}
	if got, want := stored(), (kosmosTenant{"larkspur.1kosmos.net", "default", "lic-0451", "dvc-0451", "secp256k1"}); got != want {
		t.Errorf("stored %#v, want %#v", got, want)
	}
	page := b.as(ledger.Owner, shopBase+"/settings", nil)
	b.want(200, page, "larkspur.1kosmos.net", "This shop&#39;s own")
	b.lacks(page, "0451")
	b.want(422, b.as(ledger.Owner, shopBase+"/settings", form(map[string]string{"dns": "evil.example", "license_key": "", "dvc_id": ""})),
		"a key is only ever used with the host it was entered for", "evil.example")
	b.wantGo(b.as(ledger.Owner, shopBase+"/settings", form(map[string]string{"curve": "prime256v1", "license_key": "", "dvc_id": ""})), shopBase+"/settings?connected=1")
	if got, want := stored(), (kosmosTenant{"larkspur.1kosmos.net", "default", "lic-0451", "dvc-0451", "prime256v1"}); got != want {
		t.Errorf("stored %#v, want %#v", got, want)
	}
	b.want(200, b.as(ledger.Viewer, shopBase+"/health", nil), "larkspur.1kosmos.net", "this shop")
	b.lacks(b.as(ledger.Manager, shopBase+"/settings", nil), `<form method="post" action="`+shopBase+`/settings"`)
	forms := b.forms(b.as(ledger.Owner, shopBase+"/settings", nil), "/settings")
	b.wantGo(b.as(ledger.Owner, shopBase+"/settings", forms[len(forms)-1]), shopBase+"/settings?disconnected=1")
	b.want(200, b.as(ledger.Owner, shopBase+"/settings?disconnected=1", nil), `class="message tone-warn" role="status"`, "Nobody can verify until a tenant is entered.")
	b.s.Tenant = "operator.1kosmos.net"
	b.wantGo(b.as(ledger.Owner, shopBase+"/settings", forms[len(forms)-1]), shopBase+"/settings?reverted=1")
	if b.shop(shopHash).Kosmos != nil {
		t.Error("the tenant is still there")
	}
}

func TestLogout(t *testing.T) {
	b := newBench(t)
	w := b.as(ledger.Owner, shopBase+"/logout", url.Values{})
	b.wantGo(w, "/")
	c := w.Result().Cookies()
	if len(c) != 1 || c[0].Name != cookieName(shopHash) || c[0].MaxAge >= 0 || !c[0].Secure || !c[0].HttpOnly {
		t.Errorf("cookies %v, want the login's, expired", c)
	}
	b.want(http.StatusUnauthorized, b.as(ledger.Owner, shopBase+"/overview", nil))
	b.want(200, b.as(ledger.Viewer, shopBase+"/overview", nil))
}

// TestBearer: in a frame, where a browser may refuse cookies, the page that BigCommerce opens hands over the Login as a bearer token; it is
// the same Login, of that Shop only, and ends with it.
func TestBearer(t *testing.T) {
	b := newBench(t)
	load := func(dest string) *httptest.ResponseRecorder {
		theirs := b.world.Shop(shopHash)
		u, err := theirs.LoadURL(theirs.Users()[0].ID, "/")
		b.ok(err)
		r := httptest.NewRequest("GET", u, nil)
		r.Header.Set("Sec-Fetch-Dest", dest)
		return b.do(r)
	}
	b.wantGo(load("document"), shopBase+"/overview")
	w := load("iframe")
	b.want(200, w, `href="`+shopBase+`/overview"`)
	m := regexp.MustCompile(`data-bearer="([^"]+)"`).FindStringSubmatch(w.Body.String())
	if m == nil || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("no token, or one that is kept: %v %s", w.Header(), w.Body)
	}
	ask := func(method, path, authorization string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		r.Header.Set("Authorization", authorization)
		return b.do(r)
	}
	b.want(200, ask("GET", shopBase+"/overview", "Bearer "+m[1]))
	values := map[any]any{}
	b.ok(securecookie.DecodeMulti(cookieName(shopHash), m[1], &values, b.s.cookies.Codecs...))
	id, _ := values["login"].(string)
	for name, w := range map[string]*httptest.ResponseRecorder{
		"another shop":   ask("GET", "/s/"+otherHash+"/overview", "Bearer "+m[1]),
		"cut":            ask("GET", shopBase+"/overview", "Bearer "+m[1][:len(m[1])-4]),
		"empty":          ask("GET", shopBase+"/overview", "Bearer "),
		"another scheme": ask("GET", shopBase+"/overview", "Basic "+m[1]),
		"the login's id": ask("GET", shopBase+"/overview", "Bearer "+id),
		"in the address": ask("GET", shopBase+"/overview?bearer="+m[1], ""),
		"a wrong one wins": func() *httptest.ResponseRecorder {
			r := httptest.NewRequest("GET", shopBase+"/overview", nil)
			r.Header.Set("Cookie", b.cookies[shopHash+" owner"])
			r.Header.Set("Authorization", "Bearer x")
			return b.do(r)
		}(),
	} {
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	b.wantGo(ask("POST", shopBase+"/logout", "Bearer "+m[1]), "/")
	b.want(http.StatusUnauthorized, ask("GET", shopBase+"/overview", "Bearer "+m[1]))
}
