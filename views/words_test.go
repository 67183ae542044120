package views

import (
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The codes that the rest of idgate gives, written out: a table here that loses one fails, whoever forgot it.
var (
	wantReasons = strings.Fields(`no_proof proof_expired proof_revoked proof_too_old ial_too_low selfie_missing age_too_low age_unknown
		name_differs first_name_differs last_name_differs name_unknown address_differs address_unknown proof_of_other_customer proof_of_other_cart mailbox_unproved
		mailbox_differs guest_must_sign_in guest_exempt proof_ok nothing_required exempt allow_listed policy_off source_not_covered before_enforcement
		blocked in_review released_by_person requested_by_person request_withdrawn undone_by_person refused_by_person provider_down cart_changed status_not_gated evidence_unmapped`)
	wantOutcomes       = strings.Fields("allow verify review hold refuse")
	wantModes          = strings.Fields("off shadow enforce")
	wantSessions       = strings.Fields("created started processing review passed failed declined expired abandoned error")
	wantFacts          = strings.Fields(`value currency product category brand country state postcode ship_differ group first_order payment ship_method channel source`)
	wantVerdicts       = strings.Fields("yes no unknown")
	wantSources        = strings.Fields("policy oidc ial_endpoint ial2_workflow")
	wantHolds          = strings.Fields("seen none holding held held_again releasing released refused leaked moved moved_back not_ours cancelling cancelled")
	wantMails          = strings.Fields("link reminder last_call released cancelled leaked moved held_again endpoint_off team_orders team_review team_trouble team_budget team_digest")
	wantRoles          = strings.Fields("owner manager reviewer viewer")
	wantHands          = strings.Fields("rule person failure")
	wantWritebacks     = strings.Fields("hold release cancel note cancel_note mail decision_metafield customer_attributes customer_fields_v2 proof_metafield")
	wantSessionReasons = strings.Fields(`expired_document unreadable_expiry no_document wrong_document not_a_document unsupported_document
		retries_exhausted no_selfie not_verified late`)
	wantHooks = strings.Fields(`store/customer/created store/customer/updated store/customer/deleted store/order/created store/order/statusUpdated
		store/cart/converted store/app/uninstalled store/hook/deliveryException`)
)

func TestEveryCodeHasWords(t *testing.T) {
	tables := []struct {
		name  string
		want  []string // nil: whatever the table has
		have  []string
		words func(string) Words
	}{
		{"reason", wantReasons, ReasonCodes(), func(c string) Words { return ReasonWords(Reason{Code: c}) }},
		{"outcome", wantOutcomes, OutcomeCodes(), OutcomeWords},
		{"mode", wantModes, ModeCodes(), ModeWords},
		{"session", wantSessions, SessionStates(), SessionWords},
		{"verdict", wantVerdicts, VerdictCodes(), VerdictWords},
		{"IAL source", wantSources, IALSources(), IALSourceWords},
		{"hold", wantHolds, HoldStates(), HoldWords},
		{"notice", nil, NoticeCodes(), NoticeWords},
		{"write-back", wantWritebacks, WritebackKinds(), WritebackWords},
		{"mail", wantMails, MailCodes(), MailWords},
		{"event", nil, EventCodes(), EventWords},
		{"state of work", strings.Fields("pending done stuck dropped"), WorkStates(), WorkWords},
		{"role", wantRoles, RoleCodes(), RoleWords},
		{"hand", wantHands, MadeByCodes(), MadeByWords},
		{"stuck", nil, StuckCodes(), StuckWords},
		{"endpoint", strings.Fields("on paused gone failing"), EndpointStates(), EndpointWords},
		{"delivery", strings.Fields("pending trying done failed dropped"), DeliveryStates(), DeliveryWords},
	}
	for _, table := range tables {
		if table.want != nil && !slices.Equal(table.have, slices.Sorted(slices.Values(table.want))) {
			t.Errorf("%s: words for\n%q, want\n%q", table.name, table.have, table.want)
		}
		for _, code := range table.have {
			w := table.words(code)
			if w.Short == "" || !sentence(w.Sentence) && w.Sentence != "" || w.Sentence == "" {
				t.Errorf("%s %s: %+v", table.name, code, w)
			}
			if w.Next != "" && !sentence(w.Next) {
				t.Errorf("%s %s: what to do is no sentence: %q", table.name, code, w.Next)
			}
		}
	}
	if got := slices.Sorted(maps.Keys(standings)); !slices.Equal(got, HoldStates()) {
		t.Errorf("standings with words: %q, holds: %q", got, HoldStates())
	}
	for code, w := range standings {
		if !sentence(w.Sentence) && !strings.HasPrefix(w.Sentence, "idgate ") || w.Next != "" && !sentence(w.Next) && !strings.HasPrefix(w.Next, "“") || w.Tone == "" {
			t.Errorf("standing %s: %+v", code, w)
		}
	}
	for _, c := range wantHooks {
		if !slices.Contains(NoticeCodes(), c) {
			t.Errorf("no words for the webhook %s", c)
		}
	}
	if got := FactNames(); !slices.Equal(got, slices.Sorted(slices.Values(wantFacts))) {
		t.Errorf("facts with words: %q", got)
	}
	if got := RuleNames(); !slices.Equal(got, []string{"checkout", "requested", "step_up"}) {
		t.Errorf("rules with words: %q", got)
	}
}

func sentence(s string) bool { return strings.HasSuffix(s, ".") && upperFirst(s) == s }

func TestReasons(t *testing.T) {
	tones := []string{"ok", "warn", "bad", "info", "quiet"}
	for code, r := range reasons {
		if !slices.Contains(tones, r.tone) {
			t.Errorf("%s: tone %q", code, r.tone)
		}
		if passing := r.tone == "ok" || r.tone == "quiet"; passing != (r.next == "") && code != "refused_by_person" {
			t.Errorf("%s: tone %s, but what to do is %q", code, r.tone, r.next)
		}
		if r.detailed != "" && !strings.Contains(r.detailed, "{detail}") {
			t.Errorf("%s: the detailed sentence takes no detail", code)
		}
		if got := ReasonWords(Reason{code, "XYZ"}).Sentence; r.detailed != "" && !strings.Contains(got, "XYZ") || strings.Contains(got, "{") {
			t.Errorf("%s with a detail: %q", code, got)
		}
	}
}

func TestOrderStatuses(t *testing.T) {
	want := []string{"Incomplete", "Pending", "Shipped", "Partially Shipped", "Refunded", "Cancelled", "Declined", "Awaiting Payment", "Awaiting Pickup",
		"Awaiting Shipment", "Completed", "Awaiting Fulfillment", "Manual Verification Required", "Disputed", "Partially Refunded"}
	for id, name := range want {
		if got := OrderStatusWords(id).Short; got != name {
			t.Errorf("status %d is %q, want %q", id, got, name)
		}
	}
	for _, id := range []int{-1, 15, 1 << 40} {
		if got := OrderStatusWords(id).Short; got != "Unknown status" {
			t.Errorf("status %d is %q", id, got)
		}
	}
}

// TestUnknownCodes: a code nobody has words for yet still reads as something.
func TestUnknownCodes(t *testing.T) {
	for _, f := range []func(string) Words{OutcomeWords, SessionWords, HoldWords, NoticeWords, WritebackWords, StatusWords, SourceWords, FactWords, RoleWords, MadeByWords,
		func(c string) Words { return ReasonWords(Reason{Code: c}) }, func(c string) Words { return Entry{Kind: "new", Code: c}.words() }} {
		if got := f("brand_new").Short; got != "Brand new" {
			t.Errorf("an unknown code reads as %q", got)
		}
		if got := f("").Short; got == "" {
			t.Error("an empty code reads as nothing")
		}
	}
	if got := ErrorText("brand_new"); got != ErrorText("internal") {
		t.Errorf("an unknown error reads as %q", got)
	}
}

func TestErrorWords(t *testing.T) {
	for code, w := range pageErrors {
		if w.title == "" || strings.HasSuffix(w.title, ".") || !sentence(w.what) || !sentence(w.next) {
			t.Errorf("%s: %+v", code, w)
		}
	}
	for code, text := range fieldErrors {
		if !sentence(text) {
			t.Errorf("%s: %q", code, text)
		}
	}
	for _, c := range []struct{ code, want string }{
		{"", ""},
		{"required", "Fill this in."},
		{"too_large:120", "Enter 120 or less."},
		{"other_currency:USD", "Enter the amount in the shop's currency, USD."},
		{"choose a level from 0 to 3", "Choose a level from 0 to 3."},
		{" ends already. ", "Ends already."},
		{"odd:7", "This cannot be used (odd)."},
	} {
		if got := FieldError(c.code); got != c.want {
			t.Errorf("FieldError(%q) = %q, want %q", c.code, got, c.want)
		}
	}
}

// TestSingular: one of a thing is not told as if it were many, on no page and in no sentence.
func TestSingular(t *testing.T) {
	many := regexp.MustCompile(`(?:^|[^0-9.,:/-])1 (?:more )?(?:orders|days|years|hours|minutes|lines|entries|proofs|notices|webhooks|mails|mailboxes|customers|verifications|characters|digits|letters|tries|events|texts|rules)\b`)
	for _, p := range allPages() {
		if at := many.FindString(render(t, p.view)); at != "" {
			t.Errorf("%s says %q", p.name, at)
		}
	}
	for _, c := range []struct{ got, want string }{
		{ReasonWords(Reason{Code: "proof_too_old", Detail: "1"}).Sentence, "An order like this needs a proof no older than 1 day."},
		{ReasonWords(Reason{Code: "proof_too_old", Detail: "21"}).Sentence, "An order like this needs a proof no older than 21 days."},
		{NeedWords(NeedData{What: "fresh", Amount: "1"}), "The proof is at most 1 day old."},
		{NeedWords(NeedData{What: "least_age", Amount: "1"}), "The person is 1 year or older."},
		{NeedWords(NeedData{What: "least_age", Amount: "21"}), "The person is 21 years or older."},
		{FieldError("too_long:1"), "Write at most 1 character."},
		{FieldError("too_many_digits:1"), "Enter at most 1 digit after the point."},
		{FieldError("too_many_digits:0"), "Enter a whole amount, without a point."},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestSessionReasons(t *testing.T) {
	for _, code := range wantSessionReasons {
		if _, ok := sessionReasons[code]; !ok {
			t.Errorf("no words for %s", code)
		}
	}
	for code, text := range sessionReasons {
		if !sentence(text) {
			t.Errorf("%s: %q", code, text)
		}
	}
	for _, state := range SessionStates() {
		over := !slices.Contains([]string{"created", "started", "processing", "review", "passed"}, state)
		if got := sessionEnd(state, ""); (got != "") != over {
			t.Errorf("%s without a reason reads as %q", state, got)
		}
	}
	for _, c := range []struct{ state, code, want string }{
		{"failed", "expired_document", "The document has expired."},
		{"failed", "never_heard_of", "The document could not be verified."},
		{"passed", "last_name_differs", "The last name on the document is not the one on the order."},
		{"passed", "address_differs", "The address on the document is none of the order's addresses."},
		{"passed", "never_heard_of", ""},
		{"expired", "late", "The verification was finished after its time had run out."},
	} {
		if got := sessionEnd(c.state, c.code); got != c.want {
			t.Errorf("%s/%s: %q, want %q", c.state, c.code, got, c.want)
		}
	}
}

// TestForms: every field of a form is read back, and every name on the page is one that is read.
func TestForms(t *testing.T) {
	everything := url.Values{}
	for _, f := range slices.Concat(PolicyFields(), TenantFields(), BrandingFields(), CheckoutFields()) {
		everything.Set(f, " value of "+f+" ")
	}
	parsedBranding := ParseBrandingForm(everything)
	parsedBranding.Logo = "value of a path" // not the form's to say
	for _, form := range []any{ParsePolicyForm(everything), ParseTenantForm(everything), parsedBranding, ParseCheckoutForm(everything)} {
		v := reflect.ValueOf(form)
		seen := map[string]bool{}
		for i := range v.NumField() {
			got := v.Field(i)
			text := strings.Trim(strings.Join(strings.Fields(got.String()), " "), " ")
			if got.Kind() == reflect.Slice {
				text = strings.TrimSpace(got.Index(0).String())
			}
			if !strings.HasPrefix(text, "value of ") || seen[text] {
				t.Errorf("%s.%s is %q", v.Type(), v.Type().Field(i).Name, text)
			}
			seen[text] = true
		}
	}
	for name, want := range map[string][]string{"policy-saved": append(PolicyFields(), "base_version", "reason", "reach", "do"), "settings-own": append(TenantFields(), DisconnectField, AlarmField, SettingsBase, SignBackField),
		"branding-saved": append(BrandingFields(), SettingsBase, "what", "preview_lang", "preview"), "checkout-saved": append(CheckoutFields(), SettingsBase)} {
		i := slices.IndexFunc(allPages(), func(p page) bool { return p.name == name })
		var names []string
		for _, g := range tags(render(t, allPages()[i].view)) {
			if n, ok := g.attrs["name"]; ok && g.name != "meta" && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
		slices.Sort(names)
		if want = slices.Sorted(slices.Values(want)); !slices.Equal(names, want) {
			t.Errorf("%s has the fields %q, want %q", name, names, want)
		}
	}
}

func TestFlash(t *testing.T) {
	cases := []struct{ query, want string }{
		{"saved=7", "Saved as version 7."},
		{"settings=1", "Saved."},
		{"released=1042", "Order 1042 is being released. Its status changes within seconds."},
		{"retried=1", "1 write-back will be tried again within seconds."},
		{"retried=3", "3 write-backs will be tried again within seconds."},
		{"handled=1", "1 notice is handled again within seconds. What is right already stays as it is."},
		{"replayed=0", "0 notices are handled again now. What is right already stays as it is."},
		{"replayed=1", "1 notice is handled again now. What is right already stays as it is."},
		{"saved=", ""},
		{"saved=<b>", ""},
		{"saved=1234567890123456789", ""},
		{"saved=-1", ""},
		{"praised=7", ""},
	}
	for _, c := range cases {
		q, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		f := ParseFlash(q)
		if f.text() != c.want {
			t.Errorf("%s reads as %q, want %q", c.query, f.text(), c.want)
		}
		if f.Code != "" && f.Query() != c.query {
			t.Errorf("%s goes back as %s", c.query, f.Query())
		}
	}
	for _, code := range FlashCodes() {
		if f := (Flash{code, "1"}); !sentence(f.text()) || f.tone() == "" {
			t.Errorf("%s reads as %q", code, f.text())
		}
	}
}

func FuzzParseFlash(f *testing.F) {
	f.Add("saved", "7")
	f.Add("released", "<script>")
	f.Fuzz(func(t *testing.T, key, value string) {
		flash := ParseFlash(url.Values{key: {value}})
		if flash.Code == "" {
			return
		}
		if flash.Code != key || flash.Value != value || len(value) > maxFlashDigits || strings.Trim(value, "0123456789") != "" {
			t.Errorf("%q=%q gave %+v", key, value, flash)
		}
	})
}

func TestLinks(t *testing.T) {
	n := Narrowed{Query: url.Values{"filter": {"held"}, "q": {"10 4&2"}, "empty": {""}}, Older: "c=1", Newer: "d", Paged: true}
	newest, newer, older := n.pages("/s/abc123/orders")
	if newest != "/s/abc123/orders?filter=held&q=10+4%262" || newer != "/s/abc123/orders?after=d&filter=held&q=10+4%262" || older != "/s/abc123/orders?before=c%3D1&filter=held&q=10+4%262" {
		t.Errorf("orders at %s, %s and %s", newest, newer, older)
	}
	if newest, newer, older = (Narrowed{}).pages("/x"); newest+newer+older != "" {
		t.Errorf("the only page leads to %s, %s and %s", newest, newer, older)
	}
	if got := (Narrowed{Query: url.Values{"filter": {"held"}}}).filtered() || (Narrowed{Query: url.Values{"q": {""}}}).filtered(); got {
		t.Error("a tab is no filter")
	}
	if got := orderTabs(OrdersData{Layout: layout("off"), Narrowed: n})[0].url; got != "/s/abc123/orders?q=10+4%262" {
		t.Errorf("all orders at %s", got)
	}
	h := DecisionsData{Layout: layout("off"), Stage: "order", Older: "9", Paged: true}
	if h.older() != "/s/abc123/verifications/decisions?stage=order&before=9" || h.newest() != "/s/abc123/verifications/decisions?stage=order" {
		t.Errorf("decisions at %s and %s", h.older(), h.newest())
	}
}

func TestNeed(t *testing.T) {
	cases := []struct {
		need Need
		want string
	}{
		{Need{}, "nothing"},
		{Need{NameMatch: true}, "nothing"}, // there is no name without a document
		{Need{AddressMatch: true}, "nothing"},
		{Need{IAL: 2, AddressMatch: true}, "IAL 2, an address of the order"},
		{Need{IAL: 2}, "IAL 2"},
		{Need{IAL: 2, MaxAgeDays: 1, Selfie: true, LeastAge: 21, NameMatch: true}, "IAL 2, a proof no older than 1 day, a live selfie, an age of at least 21, the name on the order"},
	}
	for _, c := range cases {
		if got := needText(c.need); got != c.want {
			t.Errorf("%+v reads as %q, want %q", c.need, got, c.want)
		}
	}
}
