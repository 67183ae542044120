package web

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/views"
)

func TestParseAmount(t *testing.T) {
	for _, tc := range []struct {
		text, currency string
		minor          int64
		code           string
	}{
		{"500", "USD", 50000, ""},
		{"500.", "USD", 50000, ""},
		{"499.99", "USD", 49999, ""},
		{"500 USD", "USD", 50000, ""},
		{"usd 500", "USD", 50000, ""},
		{"500", "JPY", 500, ""},
		{"0", "USD", 0, ""}, // the gate says that it must be above zero
		{"500 EUR", "USD", 0, "other_currency:USD"},
		{"EUR 500", "USD", 0, "other_currency:USD"},
		{"€500", "USD", 0, "other_currency:USD"},
		{"$500", "USD", 0, "other_currency:USD"}, // of twenty dollars
		{"-500", "USD", 0, "negative"},
		{"−500", "USD", 0, "negative"},
		{"-500 EUR", "USD", 0, "other_currency:USD"},
		{"1,250.00", "USD", 0, "not_a_number"},
		{"1'250", "CHF", 0, "not_a_number"},
		{"500,50", "EUR", 0, "not_a_number"},
		{"+5", "USD", 0, "not_a_number"},
		{".5", "USD", 0, "not_a_number"},
		{"5.5.5", "USD", 0, "not_a_number"},
		{"5-1", "USD", 0, "not_a_number"},
		{"1e3", "USD", 0, "not_a_number"},
		{"0x10", "USD", 0, "not_a_number"},
		{"five hundred", "USD", 0, "not_a_number"},
		{"٥٠٠", "USD", 0, "not_a_number"},
		{"500.001", "USD", 0, "too_many_digits:2"},
		{"500.5", "JPY", 0, "too_many_digits:0"},
		{"1234567890123", "USD", 0, "too_large:999999999999"},
		{strings.Repeat("9", 5000), "USD", 0, "too_large:999999999999"},
	} {
		m, code := parseAmount(tc.text, tc.currency)
		want := gate.Money{}
		if tc.code == "" {
			want = gate.Money{Minor: tc.minor, Currency: tc.currency}
		}
		if m != want || code != tc.code {
			t.Errorf("%.40q in %s: %v, %q, want %v, %q", tc.text, tc.currency, m, code, want, tc.code)
		}
	}
	if _, code := parseAmount("500", ""); !strings.Contains(code, " ") {
		t.Errorf("an amount in a shop whose currency is unknown: %q", code)
	}
}

func FuzzParseAmount(f *testing.F) {
	for _, seed := range []string{"500", "500 EUR", "-1", "1,250.00", "€5", "999999999999.99", "٥"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, code := parseAmount(text, "USD")
		switch {
		case code == "" && (m.Minor < 0 || m.Currency != "USD"):
			t.Errorf("%q became %v", text, m)
		case code == "":
			if again, code := parseAmount(plainMoney(m), "USD"); again != m || code != "" {
				t.Errorf("%q became %v, and its own spelling %v, %q", text, m, again, code)
			}
		case views.FieldError(code) == "" || strings.HasPrefix(views.FieldError(code), "This cannot be used"):
			t.Errorf("%q: the code %q has no words", text, code)
		}
	})
}

func policyOf(change func(*gate.Policy)) gate.Policy {
	p := gate.Default("USD")
	p.Version, p.Evidence = 7, gate.Evidence{Document: 1, DocumentSelfie: 2}
	p.StepUp = &gate.StepUp{Over: gate.Money{Minor: 50000, Currency: "USD"}, Require: gate.Requirement{IAL: 2, MaxAge: 30, Selfie: true, NameMatch: true}}
	p.Rules = []gate.Rule{{Name: "Knives", Mode: gate.Enforce, When: []gate.Condition{{Fact: gate.FactCategory, Values: []string{"4"}}}, Require: gate.Requirement{LeastAge: 18}}}
	if change != nil {
		change(&p)
	}
	return p
}

// TestPolicyRoundTrip: a form that is sent back as it was shown changes nothing.
func TestPolicyRoundTrip(t *testing.T) {
	for name, p := range map[string]gate.Policy{
		"default": gate.Default("USD"),
		"full":    policyOf(nil),
		"other": policyOf(func(p *gate.Policy) {
			p.Mode, p.Guests, p.HoldStatus, p.OnUnreachable, p.OnProviderDown = gate.Enforce, gate.GuestsSignIn, 7, gate.Stop, gate.Stop
			p.Sources, p.CustomFieldsV2, p.Checkout.LeastAge, p.Checkout.NameMatch = []string{"www", "made_up_by_bigcommerce"}, true, 21, false
			p.StepUp.Require.NameMatch, p.Checkout.MaxAge, p.Checkout.Selfie = false, 90, true
			p.Checkout.AddressMatch, p.StepUp.Require.AddressMatch, p.DocumentGrace = true, true, 30
			p.OnMoved, p.CancelAfter, p.Mails, p.RemindAfter, p.Keep = gate.Accept, 14, false, []int{1, 24, 2160}, 90
		}),
		"yen": {Mode: gate.Shadow, Currency: "JPY", Checkout: gate.Requirement{IAL: 1}, Evidence: gate.Evidence{Document: 1}, ProofGood: 30, Guests: gate.GuestsPass,
			HoldStatus: 12, OnUnreachable: gate.LetPay, OnProviderDown: gate.LetPay,
			StepUp: &gate.StepUp{Over: gate.Money{Minor: 50000, Currency: "JPY"}, Require: gate.Requirement{IAL: 1}}},
	} {
		got, wrong := readPolicy(formOf(p, p.Currency), p, p.Currency)
		if len(wrong) > 0 || !reflect.DeepEqual(got, p) {
			t.Errorf("%s: %v, refused %v\n got %+v\nwant %+v", name, !reflect.DeepEqual(got, p), wrong, got, p)
		}
	}
}

func TestReadPolicyRefuses(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*views.PolicyForm)
		wrong  map[string]string
	}{
		{"negative", func(f *views.PolicyForm) {
			f.LeastAge, f.ProofDays, f.StepUpValue, f.StepUpMaxAgeDays = "-1", "-30", "-500", "-2"
		},
			map[string]string{"least_age": "negative", "proof_days": "negative", "step_up_value": "negative", "step_up_max_age_days": "negative"}},
		{"not numbers", func(f *views.PolicyForm) {
			f.LeastAge, f.ProofDays, f.StepUpValue, f.CheckoutIAL = "eighteen", "1e2", "lots", "two"
		},
			map[string]string{"least_age": "not_a_number", "proof_days": "not_a_number", "step_up_value": "not_a_number", "checkout_ial": "not_a_number"}},
		{"not whole", func(f *views.PolicyForm) { f.LeastAge, f.ProofDays = "17.5", "30,5" },
			map[string]string{"least_age": "not_whole", "proof_days": "not_whole"}},
		{"too much grace", func(f *views.PolicyForm) { f.DocumentGrace = "91" },
			map[string]string{"document_grace": "enter whole days from 1 to 90, or nothing to take no document that has expired"}},
		{"grace that is no number", func(f *views.PolicyForm) { f.DocumentGrace = "a month" }, map[string]string{"document_grace": "not_a_number"}},
		{"another currency", func(f *views.PolicyForm) { f.StepUpValue = "500 EUR" }, map[string]string{"step_up_value": "other_currency:USD"}},
		{"missing", func(f *views.PolicyForm) { *f = views.PolicyForm{StepUpValue: "5"} },
			map[string]string{"mode": "unknown_choice", "checkout_ial": "required", "proof_days": "required", "guests": "unknown_choice", "hold_status": "unknown_choice",
				"on_unreachable": "unknown_choice", "on_provider_down": "unknown_choice", "writeback": "unknown_choice", "step_up_ial": "required",
				"on_moved": "unknown_choice", "keep_days": "required"}},
		{"out of range", func(f *views.PolicyForm) {
			f.CheckoutIAL, f.LeastAge, f.ProofDays, f.StepUpIAL = "4", "121", "4000", "9"
		},
			map[string]string{"checkout_ial": "choose a level from 0 to 3", "least_age": "enter whole years from 1 to 120, or nothing",
				"proof_days": "enter whole days from 1 to 3650", "step_up_ial": "choose a level from 0 to 3"}},
		{"too large for us", func(f *views.PolicyForm) { f.ProofDays = "99999999999999999999" }, map[string]string{"proof_days": "too_large:1000000"}},
		{"zero amount", func(f *views.PolicyForm) { f.StepUpValue = "0" }, map[string]string{"step_up_value": "enter an amount above zero, or nothing"}},
		{"step-up below checkout", func(f *views.PolicyForm) { f.StepUpIAL = "1" }, map[string]string{"step_up_ial": "a step-up cannot ask for less than every order does"}},
		{"enforcing what nobody can reach", func(f *views.PolicyForm) { f.Mode, f.EvidenceSelfie, f.EvidenceDocument = "enforce", "", "1" },
			map[string]string{"checkout_ial": "no evidence counts as IAL 2 yet: set the mapping, or ask for IAL 1",
				"step_up_ial": "no evidence counts as IAL 2 yet: set the mapping, or ask for IAL 1"}},
		{"an unreadable mapping blames no other field", func(f *views.PolicyForm) { f.Mode, f.EvidenceSelfie, f.EvidenceDocument = "enforce", "x", "" },
			map[string]string{"evidence_selfie_ial": "not_a_number"}},
		{"evidence the wrong way round", func(f *views.PolicyForm) { f.EvidenceDocument, f.EvidenceSelfie = "2", "1" },
			map[string]string{"evidence_selfie_ial": "a document with a selfie cannot count for less than a document alone"}},
		{"times that are none", func(f *views.PolicyForm) { f.CancelDays, f.RemindHours, f.KeepDays = "-2", "24, soon", "for ever" },
			map[string]string{"cancel_days": "negative", "remind_hours": "not_a_number", "keep_days": "not_a_number"}},
		{"times out of range", func(f *views.PolicyForm) { f.CancelDays, f.RemindHours, f.KeepDays = "1", "0", "29" },
			map[string]string{"cancel_days": "enter whole days from 2 to 90, or nothing to never cancel", "keep_days": "enter whole days from 30 to 3650",
				"remind_hours": "enter at most five numbers of hours from 1 to 2160, the smallest first, or nothing"}},
		{"more reminders than five", func(f *views.PolicyForm) { f.RemindHours = "1 2 3 4 5 6" },
			map[string]string{"remind_hours": "enter at most five numbers of hours from 1 to 2160, the smallest first, or nothing"}},
		{"made-up choice for moved orders", func(f *views.PolicyForm) { f.OnMoved = "ignore" }, map[string]string{"on_moved": "unknown_choice"}},
		{"no name of a source", func(f *views.PolicyForm) { f.SourcesMore = "tiktok, <script>" }, map[string]string{"sources_more": "not_a_source:50"}},
		{"a source of 51 characters", func(f *views.PolicyForm) { f.SourcesMore = strings.Repeat("a", 51) }, map[string]string{"sources_more": "not_a_source:50"}},
		{"more sources than 50", func(f *views.PolicyForm) {
			for i := range 51 {
				f.SourcesMore += " s" + strconv.Itoa(i)
			}
		}, map[string]string{"sources_more": "too_many:50"}},
		{"unknown source", func(f *views.PolicyForm) { f.Sources = []string{"www", "<script>"} }, map[string]string{"sources": "unknown_choice"}},
	} {
		f := formOf(policyOf(nil), "USD")
		tc.change(&f)
		_, wrong := readPolicy(f, policyOf(nil), "USD")
		if !maps.Equal(wrong, tc.wrong) {
			t.Errorf("%s: %v, want %v", tc.name, wrong, tc.wrong)
		}
		for field, code := range wrong {
			if text := views.FieldError(code); strings.HasPrefix(text, "This cannot be used") || views.PolicyFieldWords(field) == "" {
				t.Errorf("%s: %s has no words for %q", tc.name, field, code)
			}
		}
	}
}

// TestReadPolicyKeeps: what the form does not show is kept, and amounts of rules are held to the Shop's present currency.
func TestReadPolicyKeeps(t *testing.T) {
	p := policyOf(func(p *gate.Policy) {
		p.Rules = append(p.Rules, gate.Rule{Name: "Dear", Mode: gate.Shadow, When: []gate.Condition{{Fact: gate.FactValue, Amount: &gate.Money{Minor: 1, Currency: "USD"}}}, Require: gate.Requirement{IAL: 1}})
	})
	f := formOf(p, "USD")
	got, wrong := readPolicy(f, p, "EUR")
	if !reflect.DeepEqual(got.Rules, p.Rules) || got.Currency != "EUR" {
		t.Errorf("rules %v in %s", got.Rules, got.Currency)
	}
	if len(wrong) != 1 || wrong["rules.1"] == "" {
		t.Errorf("refused %v, want rules.1 alone", wrong)
	}
	f.StepUpValue = ""
	if got, wrong = readPolicy(f, policyOf(nil), "USD"); got.StepUp != nil || len(wrong) > 0 {
		t.Errorf("an emptied step-up: %+v, %v", got.StepUp, wrong)
	}
	f = formOf(policyOf(nil), "USD")
	f.Sources = []string{"www", "www", "ebay"}
	if got, _ = readPolicy(f, policyOf(nil), "USD"); !slices.Equal(got.Sources, []string{"www", "ebay"}) {
		t.Errorf("sources %v", got.Sources)
	}
	f.SourcesMore = " TikTok,ebay; my-erp.v2\n"
	if got, wrong = readPolicy(f, policyOf(nil), "USD"); !slices.Equal(got.Sources, []string{"www", "ebay", "TikTok", "my-erp.v2"}) || len(wrong) > 0 {
		t.Errorf("sources %v, refused %v", got.Sources, wrong)
	}
	f.RemindHours, f.CancelDays = "48; 24,24 12", ""
	if got, wrong = readPolicy(f, policyOf(func(p *gate.Policy) { p.CancelAfter = 14 }), "USD"); !slices.Equal(got.RemindAfter, []int{12, 24, 48}) || got.CancelAfter != 0 || len(wrong) > 0 {
		t.Errorf("reminders %v, cancelled after %d, refused %v", got.RemindAfter, got.CancelAfter, wrong)
	}
	f.RemindHours = ""
	if got, _ = readPolicy(f, policyOf(nil), "USD"); got.RemindAfter != nil {
		t.Errorf("reminders %v, want none", got.RemindAfter)
	}
}

func TestPolicyWarnings(t *testing.T) {
	for _, tc := range []struct {
		name   string
		tenant bool
		mail   bool
		change func(*gate.Policy)
		want   []string
	}{
		{"well, and off", true, true, nil, nil},
		{"well, and on", true, true, func(p *gate.Policy) { p.Mode = gate.Shadow }, []string{"digital_orders"}},
		{"no tenant", false, true, nil, []string{"provider_unset"}},
		{"unmapped", true, true, func(p *gate.Policy) { p.Evidence = gate.Evidence{} }, []string{"evidence_unmapped"}},
		{"a rule nobody can meet", true, true, func(p *gate.Policy) { p.Rules[0].Require.IAL = 3 }, []string{"level_unreachable"}},
		{"such a rule, off", true, true, func(p *gate.Policy) { p.Rules[0].Require.IAL, p.Rules[0].Mode = 3, gate.Off }, nil},
		{"nothing asked, nothing mapped", true, true, func(p *gate.Policy) { p.Checkout.IAL, p.StepUp, p.Evidence = 0, nil, gate.Evidence{} }, nil},
		{"mails without a server, off", true, false, nil, nil},
		{"mails without a server", true, false, func(p *gate.Policy) { p.Mode = gate.Enforce }, []string{"no_mail_server", "digital_orders"}},
		{"no mails", true, false, func(p *gate.Policy) { p.Mode, p.Mails = gate.Enforce, false }, []string{"digital_orders"}},
		{"cancelled and told", true, true, func(p *gate.Policy) { p.Mode, p.CancelAfter = gate.Enforce, 7 }, []string{"digital_orders"}},
		{"cancelled without a server", true, false, func(p *gate.Policy) { p.Mode, p.CancelAfter = gate.Enforce, 7 }, []string{"cancel_silent", "digital_orders"}},
		{"cancelled without mails", true, true, func(p *gate.Policy) { p.Mode, p.CancelAfter, p.Mails = gate.Enforce, 7, false }, []string{"cancel_silent", "digital_orders"}},
	} {
		got := policyWarnings(policyOf(tc.change), tc.tenant, tc.mail)
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
		for _, code := range got {
			if !slices.Contains(views.PolicyWarningCodes(), code) {
				t.Errorf("%s: the views have no words for %s", tc.name, code)
			}
		}
	}
}

func TestParseReason(t *testing.T) {
	for _, tc := range []struct{ text, reason, code string }{
		{"Called her; it is fine", "Called her; it is fine", ""},
		{"  two\r\nlines\tand a tab ", "two lines and a tab", ""},
		{"Ünï", "Ünï", ""},
		{"", "", "reason_required"},
		{" \n ", "", "reason_required"},
		{"ok", "ok", "reason_required"},
		{strings.Repeat("é", 500), strings.Repeat("é", 500), ""},
		{strings.Repeat("é", 501), strings.Repeat("é", 501), "too_long:500"},
		{"bell\a here", "bell\a here", "write it without control characters"},
		{"escape \x1b[31m", "escape \x1b[31m", "write it without control characters"},
		{"turned \u202eround", "turned \u202eround", "write it without control characters"},
		{"isolated \u2066text", "isolated \u2066text", "write it without control characters"},
		{"not UTF-8 \xff", "not UTF-8 \xff", "write it without control characters"},
		{"zero \x00 byte", "zero \x00 byte", "write it without control characters"},
	} {
		if reason, code := parseReason(tc.text); reason != tc.reason || code != tc.code {
			t.Errorf("%.30q: %.30q, %q, want %q", tc.text, reason, code, tc.code)
		}
	}
}

func TestCursor(t *testing.T) {
	c := ledger.Cursor{Before: time.UnixMilli(1773155552123), ID: "0195d6a3-0f6b-7c3a-9c1e-2b7d5e9f0a11"}
	if got, err := parseCursor(cursorText(c)); err != nil || got != c {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", ".", "1", "1.", "1.x", "x.0195d6a3-0f6b-7c3a-9c1e-2b7d5e9f0a11", "-1.0195d6a3-0f6b-7c3a-9c1e-2b7d5e9f0a11",
		"01.0195d6a3-0f6b-7c3a-9c1e-2b7d5e9f0a11", "1.0195D6A3-0F6B-7C3A-9C1E-2B7D5E9F0A11", "1.{0195d6a3-0f6b-7c3a-9c1e-2b7d5e9f0a11}",
		"1.0195d6a30f6b7c3a9c1e2b7d5e9f0a11", "99999999999999999999.0195d6a3-0f6b-7c3a-9c1e-2b7d5e9f0a11"} {
		if got, err := parseCursor(bad); err == nil {
			t.Errorf("%q became %v", bad, got)
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	f.Add("1773155552123.0195d6a3-0f6b-7c3a-9c1e-2b7d5e9f0a11")
	f.Add("1.x")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := parseCursor(text); err == nil && cursorText(c) != text {
			t.Errorf("%q reads as %v, which is written %q", text, c, cursorText(c))
		}
	})
}

func TestHoldCode(t *testing.T) {
	for _, tc := range []struct {
		order ledger.Order
		want  string
	}{
		{ledger.Order{Hold: ledger.NotHeld, StatusID: 12}, "seen"},
		{ledger.Order{Hold: ledger.NotHeld, DecisionID: "d", StatusID: 11}, "none"},
		{ledger.Order{Hold: ledger.NotHeld, DecisionID: "d", StatusID: 12}, "not_ours"},
		{ledger.Order{Hold: ledger.Held, DecisionID: "d", StatusID: 12}, "held"},
		{ledger.Order{Hold: ledger.Holding, DecisionID: "d"}, "holding"},
		{ledger.Order{Hold: ledger.Releasing, DecisionID: "d"}, "releasing"},
		{ledger.Order{Hold: ledger.Released, DecisionID: "d"}, "released"},
		{ledger.Order{Hold: ledger.Refused, DecisionID: "d", StatusID: 12}, "refused"},
		{ledger.Order{Hold: ledger.Moved, DecisionID: "d"}, "moved"},
		{ledger.Order{Hold: ledger.Leaked, DecisionID: "d"}, "leaked"},
		{ledger.Order{Hold: ledger.Held, DecisionID: "d", StatusID: 12, HoldStatus: 12, Reheld: 1}, "held_again"},
		{ledger.Order{Hold: ledger.Released, DecisionID: "d", Reheld: 1}, "released"},
		{ledger.Order{Hold: ledger.Moved, DecisionID: "d", StatusID: 12, HoldStatus: 12, Touched: true}, "moved_back"},
		{ledger.Order{Hold: ledger.Moved, DecisionID: "d", StatusID: 2, HoldStatus: 12, Touched: true}, "moved"},
		{ledger.Order{Hold: ledger.Cancelling, DecisionID: "d", StatusID: 12}, "cancelling"},
		{ledger.Order{Hold: ledger.Cancelled, DecisionID: "d", StatusID: 5}, "cancelled"},
	} {
		got := holdCode(tc.order)
		if got != tc.want || !slices.Contains(views.HoldStates(), got) {
			t.Errorf("%+v: %q, want %q, one of the views' words", tc.order, got, tc.want)
		}
	}
}

func TestAttention(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	shop := func(change func(*ledger.Shop)) *ledger.Shop {
		s := &ledger.Shop{State: ledger.Installed, SweepAt: now, Policy: policyOf(func(p *gate.Policy) { p.Mode = gate.Enforce })}
		if change != nil {
			change(s)
		}
		return s
	}
	for _, tc := range []struct {
		name string
		in   standing
		want []views.Attention
	}{
		{"calm", standing{shop: shop(nil), tenant: true}, nil},
		{"off, and not set up", standing{shop: shop(func(s *ledger.Shop) { s.Policy = gate.Default("USD") })}, nil},
		{"on, and not set up", standing{shop: shop(func(s *ledger.Shop) { s.Policy.Evidence = gate.Evidence{} })},
			[]views.Attention{{Code: "provider_unset"}, {Code: "evidence_unmapped"}}},
		{"orders", standing{shop: shop(nil), tenant: true, stuck: ledger.Stuck{Writebacks: 2, Notices: 6}, found: ledger.Found{Leaked: 3, Moved: 7},
			counts: ledger.Counts{LatePass: 4, Reviews: 5,
				Holds: map[ledger.HoldState]int64{ledger.Held: 10_000, ledger.Holding: 1, ledger.Refused: 1, ledger.Releasing: 1, ledger.Cancelling: 1}}},
			[]views.Attention{{Code: "leaks", Count: "3"}, {Code: "moved", Count: "7"}, {Code: "held", Count: "10,000+"}, {Code: "late_pass", Count: "4"}, {Code: "reviews", Count: "5"},
				{Code: "stuck", Count: "2"}, {Code: "stuck_notices", Count: "6"}}},
		{"the clock, the quota, the replica", standing{shop: shop(nil), tenant: true, pace: relay.Pace{Skew: -6 * time.Minute, WaitingSince: now.Add(-time.Minute)},
			replica: ledger.ReplicaStatus{Configured: true, Replicating: true, LastSync: now.Add(-3 * time.Minute)}},
			[]views.Attention{{Code: "clock", Detail: "6 minutes behind BigCommerce's"}, {Code: "quota_waiting", Detail: "since Tue 10 Mar 2026, 11:59"}, {Code: "replica_late", Detail: "by 3 minutes"}}},
		{"not worth a word", standing{shop: shop(func(s *ledger.Shop) { s.Policy.CancelAfter, s.Policy.Mails = 7, false }), tenant: true,
			pace: relay.Pace{Skew: 5 * time.Minute, WaitingSince: now.Add(-59 * time.Second)}, replica: ledger.ReplicaStatus{Configured: true, Replicating: true, LastSync: now.Add(-30 * time.Second)}}, nil},
		{"the installation", standing{shop: shop(func(s *ledger.Shop) { s.State, s.SweepAt = ledger.Suspended, now.Add(-6*time.Minute) }), tenant: true,
			provider: views.ProviderData{Status: "error", Said: "no route to host"}, replica: ledger.ReplicaStatus{Configured: true, LastError: "denied"},
			parts: parts{missingScopes: []string{"a"}, hooks: []views.HookRow{{Status: "missing"}, {Status: "ok"}}, scripts: []views.ScriptRow{{Status: "changed"}, {Status: "unknown"}}}},
			[]views.Attention{{Code: "token_refused"}, {Code: "provider_down", Detail: "no route to host"}, {Code: "hook_broken", Count: "1"}, {Code: "script_broken", Count: "1"},
				{Code: "scope_missing", Count: "1"}, {Code: "replica_late"}}},
		{"the sweep", standing{shop: shop(func(s *ledger.Shop) { s.SweepAt = now.Add(-6 * time.Minute) }), tenant: true}, []views.Attention{{Code: "sweep_late"}}},
	} {
		tc.in.now = now
		got := attention(tc.in, present(tc.in.shop))
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s:\n got %v\nwant %v", tc.name, got, tc.want)
		}
		for _, a := range got {
			if !slices.Contains(views.AttentionCodes(), a.Code) {
				t.Errorf("%s: the views have no words for %s", tc.name, a.Code)
			}
		}
	}
}
