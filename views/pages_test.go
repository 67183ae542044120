package views

import (
	"net/url"

	"github.com/a-h/templ"
)

// page is one state of one page, as the golden files show it.
type page struct {
	name string
	view templ.Component
}

func at(text, iso string) When { return When{Text: text, ISO: iso} }

var (
	monday  = at("Mon 9 Mar 2026, 14:05", "2026-03-09T14:05:00-06:00")
	tuesday = at("Tue 10 Mar 2026, 09:12", "2026-03-10T09:12:00-06:00")
	later   = at("Thu 12 Mar 2026, 09:12", "2026-03-12T09:12:00-06:00")
)

func frame() Frame { return Frame{AssetCSS: "/assets/admin.css", AssetJS: "/assets/admin.js"} }

func layout(mode string) Layout {
	return Layout{
		Frame: frame(), ShopName: "Larkspur & Sons", Base: "/s/abc123", UserEmail: "ada@larkspur.example", Mode: mode,
		SupportURL: "https://support.example/idgate", PrivacyURL: "https://support.example/privacy",
	}
}

func flashed(mode, code, value string) Layout {
	l := layout(mode)
	l.Flash = Flash{Code: code, Value: value}
	return l
}

// refusedToken is the frame around pages of a shop whose token BigCommerce refuses.
func refusedToken() Layout {
	l := layout("enforce")
	l.Suspended = Suspended{Since: monday, Next: tuesday}
	return l
}

// allPages is every state of every page.
func allPages() []page {
	var out []page
	for _, f := range []func() []page{
		overviewPages, policyPages, orderListPages, orderPages, verificationPages, decisionPages, healthPages, settingsPages, callbackPages, verifyPages,
		rulePages, versionPages, whatIfPages, whyPages, staffPages, webhookPages, reviewPages, settingsMorePages,
	} {
		out = append(out, f()...)
	}
	return out
}

func overviewPages() []page {
	var steps []GuideStep
	for i, c := range GuideCodes() {
		steps = append(steps, GuideStep{Code: c, Done: i < 2})
	}
	var all []Attention
	for i, c := range AttentionCodes() {
		all = append(all, Attention{Code: c, Count: itoa(i%3 + 1)})
	}
	none := noFigures("7")
	return []page{
		{"overview-new", Overview(OverviewData{Layout: layout("off"), Checkout: Need{IAL: 2, NameMatch: true}, Figures: none, Guide: steps,
			Attention: []Attention{{Code: "evidence_unmapped"}}})},
		{"overview-calm", Overview(OverviewData{Layout: layout("enforce"), PolicyVersion: "7", Since: monday,
			Checkout: Need{IAL: 2, NameMatch: true, LeastAge: 21}, StepUpValue: "500.00 USD", StepUp: Need{IAL: 2, MaxAgeDays: 30, Selfie: true},
			Figures: someFigures("30"), Recent: entries()[:3]})},
		{"overview-today", Overview(OverviewData{Layout: layout("enforce"), PolicyVersion: "7", Since: monday, Checkout: Need{IAL: 2}, Figures: someFigures("today")})},
		{"overview-week", Overview(OverviewData{Layout: layout("enforce"), PolicyVersion: "7", Since: monday, Checkout: Need{IAL: 2}, Figures: someFigures("7")})},
		{"overview-quarter", Overview(OverviewData{Layout: layout("enforce"), PolicyVersion: "7", Since: monday, Checkout: Need{IAL: 2}, Figures: someFigures("90")})},
		{"overview-suspended", Overview(OverviewData{Layout: refusedToken(), PolicyVersion: "3", Checkout: Need{IAL: 1}, Figures: none, Attention: []Attention{{Code: "token_refused"}}})},
		{"overview-attention", Overview(OverviewData{Layout: layout("shadow"), PolicyVersion: "3", Checkout: Need{IAL: 1},
			Figures: noFigures("7"), Attention: all})},
	}
}

func policyForm() PolicyForm {
	return PolicyForm{
		Mode: "enforce", CheckoutIAL: "2", StepUpValue: "500.00", StepUpIAL: "2", StepUpMaxAgeDays: "30", StepUpSelfie: "on",
		EvidenceDocument: "1", EvidenceSelfie: "2", LeastAge: "21", ProofDays: "365", Guests: "verify", NameMatch: "on", HoldStatus: "12", AddressMatch: "on", DocumentGrace: "30",
		OnMoved: "hold_again", CancelDays: "14", Mails: "on", RemindHours: "24, 48", KeepDays: "730",
		Sources: []string{"www", "checkout_api"}, OnUnreachable: "let_pay", OnProviderDown: "stop", WriteBack: "attributes",
	}
}

func policyPages() []page {
	versions := []PolicyVersion{
		{Number: "7", Who: "ada@larkspur.example", When: tuesday, Note: "Selfie above 500", Mode: "enforce", Current: true},
		{Number: "6", Who: "bo@larkspur.example", When: monday, Mode: "shadow"},
	}
	first := PolicyForm{Mode: "off", CheckoutIAL: "2", StepUpIAL: "2", ProofDays: "365", Guests: "verify", NameMatch: "on", HoldStatus: "12",
		OnMoved: "hold_again", Mails: "on", RemindHours: "24, 48", KeepDays: "730",
		OnUnreachable: "let_pay", OnProviderDown: "let_pay", WriteBack: "attributes"}
	bad := policyForm()
	bad.StepUpValue, bad.LeastAge, bad.ProofDays, bad.Mode, bad.Guests = "-5", "eighteen", "0", "maybe", ""
	bad.DocumentGrace = "91"
	bad.OnMoved, bad.CancelDays, bad.RemindHours, bad.SourcesMore, bad.KeepDays = "", "1", "24, soon", "my shop!?", ""
	moved := policyForm()
	moved.LeastAge = "18"
	saved := Draft{First: true, From: "7"}
	return []page{
		{"policy-first", Policy(PolicyData{Layout: layout("off"), Currency: "USD", Form: first, Draft: Draft{First: true, From: "0"}, Warnings: PolicyWarningCodes()})},
		{"policy-saved", Policy(PolicyData{Layout: flashed("enforce", "saved", "7"), Currency: "USD", Form: policyForm(), Versions: versions, MoreVersions: true, Draft: saved})},
		{"policy-read-only", Policy(PolicyData{Layout: layout("enforce"), Currency: "USD", Form: policyForm(), Versions: versions[:1], Draft: Draft{First: true, From: "7", ReadOnly: true}})},
		{"policy-refused", Policy(PolicyData{Layout: layout("enforce"), Currency: "USD", Form: bad, Versions: versions, Draft: saved, Errors: map[string]string{
			"step_up_value": "negative", "least_age": "not_whole", "proof_days": "enter whole days from 1 to 3650", "mode": "unknown_choice",
			"document_grace": "enter whole days from 1 to 90, or nothing to take no document that has expired",
			"guests":         "unknown_choice", "sources": "unknown_choice", "on_moved": "unknown_choice", "cancel_days": "enter whole days from 2 to 90, or nothing to never cancel",
			"remind_hours": "not_a_number", "sources_more": "not_a_source:50", "keep_days": "required", "rules.0": "give the rule a name of at most 80 characters"}})},
		{"policy-suspended", Policy(PolicyData{Layout: refusedToken(), Currency: "USD", Form: policyForm(), Versions: versions, Draft: Draft{First: true, From: "7", ReadOnly: true}})},
		{"policy-moved-on", Policy(PolicyData{Layout: layout("enforce"), Currency: "USD", Form: moved, Versions: versions,
			Draft: Draft{First: true, From: "8", MovedOn: draftMoved(), Compared: true, Changes: someChanges()[:2]}})},
		{"policy-compared", Policy(PolicyData{Layout: layout("enforce"), Currency: "USD", Form: policyForm(), Versions: versions,
			Draft: Draft{First: true, From: "7", Compared: true, Changes: someChanges(), Reason: "New law", Reach: "1000"}})},
		{"policy-unexplained", Policy(PolicyData{Layout: layout("enforce"), Currency: "USD", Form: policyForm(), Versions: versions,
			Draft: Draft{First: true, From: "7", Compared: true, Changes: someChanges()[:1], ReasonError: "say why in at least three characters, it is kept with the version"}})},
	}
}

func orderRows() []OrderRow {
	return []OrderRow{
		{ID: "1046", Number: "1046", Placed: tuesday, Customer: "Grace Hopper", Value: "1,249.00 USD", StatusID: 12, Outcome: "hold",
			Reasons: []Reason{{"ial_too_low", "1"}, {"selfie_missing", ""}}, Hold: "held"},
		{ID: "1045", Number: "1045", Placed: tuesday, Guest: true, Value: "18.00 USD", StatusID: 2, Outcome: "hold", Reasons: []Reason{{"no_proof", ""}}, Hold: "leaked"},
		{ID: "1044", Number: "1044", Placed: monday, Customer: "Alan Turing", Guest: true, Value: "89.90 USD", StatusID: 11, Outcome: "allow",
			Reasons: []Reason{{"proof_ok", ""}}, Hold: "released"},
		{ID: "1043", Number: "1043", Placed: monday, Customer: "Katherine Johnson", Value: "12,000 JPY", StatusID: 9, Outcome: "allow",
			Reasons: []Reason{{"exempt", "Staff orders"}}, Hold: "none", Shadow: true},
		{ID: "1042", Number: "1042", Placed: monday, Customer: "Annie Easley", Value: "40.00 USD", StatusID: 11, Hold: "seen"},
		{ID: "1041", Number: "1041", Placed: monday, Guest: true, Value: "9.00 USD", StatusID: 10, Outcome: "hold", Reasons: []Reason{{"no_proof", ""}}, Hold: "leaked",
			Digital: true, Erased: true},
	}
}

func orderListPages() []page {
	list := func(name, mode, filter string, change func(*OrdersData)) page {
		d := OrdersData{Layout: layout(mode), Filter: filter, Narrowed: Narrowed{Query: url.Values{}}}
		if filter != "all" {
			d.Query.Set("filter", filter)
		}
		if change != nil {
			change(&d)
		}
		return page{"orders-" + name, Orders(d)}
	}
	return []page{
		list("new", "enforce", "all", nil),
		list("off", "off", "all", nil),
		list("list", "enforce", "all", func(d *OrdersData) {
			d.Rows, d.Older, d.Export, d.Channels = orderRows(), "1773155552123.1041", true, []Option{{"1", "Larkspur storefront"}, {"7", "Headless app"}}
		}),
		list("suspended", "enforce", "all", func(d *OrdersData) { d.Layout, d.Rows, d.Export = refusedToken(), orderRows()[:2], true }),
		list("moved-none", "enforce", "moved", func(d *OrdersData) { d.Export = true }),
		list("cancelled-none", "enforce", "cancelled", nil),
		list("far", "shadow", "all", func(d *OrdersData) { d.Query.Set("source", "ebay"); d.Older, d.Far = "1773155552123.90210", true }),
		list("far-some", "shadow", "all", func(d *OrdersData) {
			d.Query.Set("source", "ebay")
			d.Rows, d.Older, d.Far = orderRows()[:1], "1773155552123.90210", true
		}),
		list("held-older", "enforce", "held", func(d *OrdersData) {
			d.Rows, d.Older, d.Newer, d.Paged = orderRows()[:1], "1773155552123.1030", "1773155552123.1046", true
			d.Query.Set("from", "2026-03-01")
			d.Query.Set("outcome", "hold")
		}),
		list("held-none", "enforce", "held", nil),
		list("refused-none", "enforce", "refused", nil),
		list("released-none", "enforce", "released", nil),
		list("leaks-none", "enforce", "leaks", nil),
		list("allowed-none", "enforce", "allowed", nil),
		list("exempt-none", "enforce", "exempt", nil),
		list("end", "enforce", "allowed", func(d *OrdersData) { d.Paged, d.Newer = true, "1773155552123.1030" }),
		list("search-none", "enforce", "all", func(d *OrdersData) { d.Query.Set("q", "99999") }),
		list("none-match", "enforce", "all", func(d *OrdersData) { d.Query.Set("source", "ebay") }),
		list("refused-form", "enforce", "held", func(d *OrdersData) {
			d.Query, d.Search = url.Values{"from": {"soon"}, "to": {"2026-02-30"}, "outcome": {"maybe"}, "filter": {"held"}}, "<b>ten</b>"
			d.Errors = map[string]string{"q": "not_searchable", "from": "not_a_date", "to": "before_from", "outcome": "unknown_choice"}
		}),
	}
}

// noFigures are those of a range in which nothing happened.
func noFigures(code string) FiguresData {
	return FiguresData{Range: code, From: "2026-03-04", To: "2026-03-10", Shown: "0", Started: "0", Passed: "0", Failed: "0", Abandoned: "0"}
}

// someFigures are those of a range in which much happened, and now and then nothing.
func someFigures(code string) FiguresData {
	n := map[string]int{"today": 24, "7": 7, "30": 30, "90": 90}[code]
	head := "Day"
	if code == "today" {
		head = "Hour"
	}
	d := FiguresData{Range: code, From: "2026-03-04", To: "2026-03-10", Shown: "1,204", Started: "388", Passed: "311", Failed: "41", Abandoned: "36",
		Ended: Chart{ID: "chart-ended", Title: "How verifications ended", Head: head, Stacked: true, Desc: "Verifications that passed, failed or were given up, a day.",
			Series: []Series{{"Passed", "good"}, {"Failed", "bad"}, {"Given up", "none"}}},
		Values: Chart{ID: "chart-money", Title: "Held and released, USD", Head: head, Digits: 2, Desc: "What the orders are worth that were held and released, a day, in USD.",
			Series: []Series{{"Held", "bad"}, {"Released", "good"}}},
		Money: []MoneyData{{Currency: "USD", Held: "12,480.00 USD", HeldOrders: "9", Released: "11,231.00 USD", ReleasedOrders: "8"},
			{Currency: "JPY", Held: "12,000 JPY", HeldOrders: "1", Released: "0 JPY", ReleasedOrders: "0", Other: true}},
		Median: "1 min 48 s", P90: "6 min 5 s", TimesOf: "311 that passed"}
	for i := range n {
		passed, failed, gone := int64(i*37%23), int64(i*11%7), int64(i*5%6)
		if i%9 == 4 {
			passed, failed, gone = 0, 0, 0
		}
		label := itoa(i%28+1) + " Mar"
		if code == "today" {
			label = itoa(i) + ":00"
		}
		d.Ended.Points = append(d.Ended.Points, Point{Label: label, Long: label, Values: []int64{passed, failed, gone}, Texts: []string{itoa(int(passed)), itoa(int(failed)), itoa(int(gone))}})
		held, let := failed*12_345, passed*4_321
		d.Values.Points = append(d.Values.Points, Point{Label: label, Long: label, Values: []int64{held, let}, Texts: []string{itoa(int(held/100)) + ".00 USD", itoa(int(let/100)) + ".00 USD"}})
	}
	return d
}

func verificationRows() []VerificationRow {
	return []VerificationRow{
		{ID: "0195d6a3-0f6b-7c3a-9c1e-2b7d5e9f0a11", Started: tuesday, State: "passed", Took: "1 min 48 s", IAL: "2", Source: "policy", Order: "1046", Customer: "Grace Hopper", Value: "1,249.00 USD"},
		{ID: "0195d6a3-0f6b-7c3a-9c1e-2b7d5e9f0a12", Started: tuesday, State: "passed", Late: true, Took: "1 d 3 h", Order: "1045", Value: "18.00 USD"},
		{ID: "0195d6a3-0f6b-7c3a-9c1e-2b7d5e9f0a13", Started: tuesday, State: "failed", Reason: "expired_document", Took: "42 s", Customer: "Customer 7"},
		{ID: "0195d6a3-0f6b-7c3a-9c1e-2b7d5e9f0a14", Started: monday, State: "processing"},
		{ID: "0195d6a3-0f6b-7c3a-9c1e-2b7d5e9f0a15", Started: monday, State: "passed", Took: "3 min", IAL: "3", Source: "oidc", Revoked: true, Order: "1044", Customer: "Alan Turing", Value: "89.90 USD"},
		{ID: "0195d6a3-0f6b-7c3a-9c1e-2b7d5e9f0a16", Started: monday, State: "abandoned", Took: "15 min 2 s"},
	}
}

func verificationPages() []page {
	list := func(name, mode string, change func(*VerificationsData)) page {
		d := VerificationsData{Layout: layout(mode), Narrowed: Narrowed{Query: url.Values{}}}
		if change != nil {
			change(&d)
		}
		return page{"verifications-" + name, Verifications(d)}
	}
	one := func(name string, change func(*VerificationData)) page {
		d := VerificationData{Layout: layout("enforce"), VerificationRow: verificationRows()[0], Asked: Need{IAL: 2, Selfie: true, NameMatch: true}, PolicyVersion: "7", Decided: monday,
			Outcome: "verify", Reasons: []Reason{{"ial_too_low", "1"}, {"selfie_missing", ""}}, CartID: "6e7c2f5a-8f0d-4a3b-9c1e-2b7d5e9f0a11", Deadline: later, Ended: tuesday,
			Timeline: []Entry{{Kind: "decision", Code: "verify", When: monday, Reasons: []Reason{{"no_proof", ""}}, PolicyVersion: "7"}, {Kind: "session", Code: "created", When: tuesday},
				{Kind: "session", Code: "started", When: tuesday}, {Kind: "session", Code: "processing", When: tuesday}, {Kind: "session", Code: "passed", When: tuesday, IAL: "2", IALSource: "policy"},
				{Kind: "decision", Code: "allow", When: tuesday, OrderID: "1046", OrderNumber: "1046", Reasons: []Reason{{"proof_ok", ""}}}},
			Proof:     &ProofData{ID: "p1", Used: true, IAL: "2", Source: "policy", Document: "checked", Selfie: true, Age: "41", At: tuesday, Until: later, CanRevoke: true},
			ProofGood: true, Served: []Served{{"1046", "Grace Hopper", "1,249.00 USD", "released", "allow"}, {"1051", "Grace Hopper", "12.00 USD", "none", "allow"}},
			ReceiptURL: "/s/abc123/verifications/0195d6a3-0f6b-7c3a-9c1e-2b7d5e9f0a11/receipt", JWKSURL: "https://idgate.example/.well-known/jwks.json",
			VerifyCommand: "idgate receipt verify -jwks jwks.json < receipt.jwt"}
		change(&d)
		return page{"verification-" + name, Verification(d)}
	}
	return []page{
		list("new", "enforce", nil), list("off", "off", nil), list("shadow", "shadow", nil),
		list("list", "enforce", func(d *VerificationsData) { d.Rows, d.Older, d.Export = verificationRows(), "1773155552123.x", true }),
		list("narrowed", "enforce", func(d *VerificationsData) {
			d.Query = url.Values{SealedSearch: {"AZq3-x"}, "state": {"passed"}, "ial": {"2"}, "source": {"policy"}, "channel": {"7"}, "from": {"2026-03-01"}, "to": {"2026-03-10"}}
			d.Search, d.Channels = "g…@hopper.example", []Option{{"1", "Larkspur & Sons"}, {"7", "Larkspur Deutschland"}}
			d.Rows, d.Older, d.Newer, d.Paged, d.Far = verificationRows()[:1], "1773155552123.x", "1773155552124.y", true, true
		}),
		list("none-found", "enforce", func(d *VerificationsData) { d.Query.Set(SealedSearch, "AZq3-x"); d.Search = "n…@example.com" }),
		list("none-match", "enforce", func(d *VerificationsData) { d.Query.Set("state", "late") }),
		list("end", "enforce", func(d *VerificationsData) { d.Paged, d.Newer = true, "1773155552124.y" }),
		list("far", "enforce", func(d *VerificationsData) { d.Query.Set("state", "review"); d.Older, d.Far = "1773155552123.x", true }),
		list("suspended", "enforce", func(d *VerificationsData) { d.Layout, d.Rows = refusedToken(), verificationRows()[:2] }),
		list("refused", "enforce", func(d *VerificationsData) {
			d.Query, d.Search = url.Values{"state": {"odd"}, "from": {"2026-13-01"}, "to": {"x"}}, "who?"
			d.Errors = map[string]string{"q": "not_searchable", "state": "unknown_choice", "from": "not_a_date", "to": "not_a_date"}
		}),
		one("passed", func(*VerificationData) {}),
		one("revoked", func(d *VerificationData) {
			d.Layout = flashed("enforce", "proof_revoked", "1")
			d.Proof = &ProofData{ID: "p1", IAL: "2", Source: "oidc", Document: "none", At: tuesday, Until: later, Revoked: true, RevokedAt: later, RevokedBy: "ada@larkspur.example", RevokedWhy: "The document was stolen"}
			d.ProofGood, d.Served, d.ReceiptURL = false, nil, ""
			d.Timeline = append(d.Timeline, Entry{Kind: "event", Code: "revoked", When: later, By: "ada@larkspur.example", Note: "The document was stolen"})
		}),
		one("revocation-refused", func(d *VerificationData) { d.Proof.Revoke = ReasonForm{Reason: "no", Error: "reason_required"} }),
		one("expired", func(d *VerificationData) { d.ProofGood, d.Proof.CanRevoke = false, false }),
		one("late", func(d *VerificationData) {
			d.VerificationRow, d.Proof, d.Served, d.ForOrder, d.CartID = verificationRows()[1], nil, nil, true, ""
		}),
		one("failed", func(d *VerificationData) {
			d.VerificationRow, d.Proof, d.Served, d.Reasons, d.Decided = verificationRows()[2], nil, nil, nil, When{}
		}),
		one("under-way", func(d *VerificationData) {
			d.VerificationRow, d.Proof, d.Served, d.Ended = verificationRows()[3], nil, nil, When{}
			d.Trouble = "dial tcp: connection refused"
			d.Timeline = d.Timeline[:3]
		}),
	}
}

func entries() []Entry {
	return []Entry{
		{Kind: "order", Code: "released", When: tuesday, OrderID: "1046", OrderNumber: "1046", Customer: "Grace Hopper", Value: "1,249.00 USD",
			By: "ada@larkspur.example", Note: "Called her; it is fine"},
		{Kind: "decision", Code: "allow", When: tuesday, OrderID: "1044", OrderNumber: "1044", Customer: "Alan Turing", Value: "89.90 USD",
			Reasons: []Reason{{"proof_ok", ""}}, IAL: "2", IALSource: "policy", PolicyVersion: "7"},
		{Kind: "session", Code: "failed", When: tuesday, Customer: "Grace Hopper", SessionReason: "expired_document"},
		{Kind: "session", Code: "passed", When: monday, Customer: "Alan Turing", IAL: "2", IALSource: "oidc"},
		{Kind: "decision", Code: "verify", When: monday, Reasons: []Reason{{"no_proof", ""}}, Value: "18.00 USD", Shadow: true, PolicyVersion: "6"},
		{Kind: "order", Code: "held", When: monday, OrderID: "1046", OrderNumber: "1046", Customer: "Grace Hopper", Value: "1,249.00 USD",
			Reasons: []Reason{{"ial_too_low", "1"}, {"selfie_missing", ""}}},
	}
}

func heldOrder() OrderData {
	return OrderData{
		Layout: layout("enforce"), ID: "1046", Number: "1046", Placed: monday, Customer: "Grace Hopper", Mailbox: "grace@hopper.example",
		Value: "1,149.00 EUR", ShopValue: "1,249.00 USD", StatusID: 12, Channel: "Larkspur storefront", Source: "checkout_api", PaymentMethod: "Test Gateway",
		CartID: "6e7c2f5a-8f0d-4a3b-9c1e-2b7d5e9f0a11", ControlPanelURL: "https://store-abc123.mybigcommerce.com/manage/orders/1046",
		Outcome: "hold", Would: "refuse", Reasons: []Reason{{"ial_too_low", "1"}, {"selfie_missing", ""}, {"proof_too_old", "30"}},
		Need: Need{IAL: 2, MaxAgeDays: 30, Selfie: true, NameMatch: true}, DecidedAt: monday, MadeBy: "rule", PolicyVersion: "7", FactsDigest: "b5bb9d8014a0f9b1",
		Hold: "held", HeldSince: monday, HoldStatus: 12, FormerStatus: 11,
		Proofs: []ProofData{{ID: "p1", Used: true, IAL: "1", Source: "policy", Document: "Passport, US", Age: "41", At: monday, Until: later, CanRevoke: true}},
		Rules: []RuleData{
			{Name: "Staff orders", Mode: "enforce", Exempt: true, Verdict: "no", Conditions: []ConditionData{{Fact: "group", Wanted: "Staff", Found: "Retail", Verdict: "no"}}},
			{Name: "checkout", Mode: "enforce", Verdict: "yes", Need: Need{IAL: 1, NameMatch: true}},
			{Name: "step_up", Mode: "enforce", Verdict: "yes", Need: Need{IAL: 2, MaxAgeDays: 30, Selfie: true},
				Conditions: []ConditionData{{Fact: "value", Wanted: "500.00 USD or more", Found: "1,249.00 USD", Verdict: "yes"}}},
			{Name: "Knives", Mode: "shadow", Verdict: "unknown", Need: Need{LeastAge: 18},
				Conditions: []ConditionData{{Fact: "category", Wanted: "Knives", Verdict: "unknown"}, {Fact: "ship_differ", Not: true, Verdict: "yes"}, {Fact: "country", Not: true, Wanted: "US", Found: "GB", Verdict: "yes"}}},
		},
		VerifyURL: "https://idgate.example/v/mail.3q2-7w.Zm9vYmFyYmF6", VerifyExpires: later, CanRelease: true, CanRefuse: true, CanRepeat: true,
		Timeline: []Entry{
			{Kind: "notice", Code: "store/order/created", When: monday, Outcome: "order 1046 is looked at", Deliveries: "3", Notice: "71"},
			{Kind: "decision", Code: "hold", When: monday, Reasons: []Reason{{"ial_too_low", "1"}}, PolicyVersion: "7"},
			{Kind: "hold", Code: "held", When: monday},
			{Kind: "writeback", Code: "note", When: monday},
			{Kind: "mail", Code: "link", When: monday},
			{Kind: "mail", Code: "reminder", When: tuesday, State: "stuck", Outcome: "The mail was refused: no such mailbox.", Writeback: "9"},
			{Kind: "writeback", Code: "decision_metafield", When: tuesday, State: "pending", Outcome: "BigCommerce answered 503"},
			{Kind: "writeback", Code: "release", When: tuesday, State: "dropped", Outcome: "no longer needed"},
			{Kind: "notice", Code: "store/order/statusUpdated", When: tuesday, State: "pending"},
			{Kind: "notice", Code: "store/order/statusUpdated", When: tuesday, State: "stuck", Outcome: "it names no order", Notice: "72"},
			{Kind: "session", Code: "abandoned", When: tuesday},
		},
		Receipts: []ReceiptData{
			{Kind: "decision", When: monday, KID: "k1", JWT: "eyJhbGciOiJFZERTQSIsImtpZCI6ImsxIn0.eyJzdWIiOiIxMDQ2In0.c2lnbmF0dXJl"},
			{Kind: "proof", When: monday, KID: "k1", JWT: "eyJhbGciOiJFZERTQSIsImtpZCI6ImsxIn0.eyJzdWIiOiI3In0.c2lnbmF0dXJl"},
		},
		JWKSURL: "https://idgate.example/.well-known/jwks.json", VerifyCommand: "idgate receipt verify -jwks jwks.json < receipt.jwt",
	}
}

func orderPages() []page {
	noReason := heldOrder()
	noReason.Release = ReasonForm{Error: "reason_required"}
	tooLong := heldOrder()
	tooLong.Refuse = ReasonForm{Reason: "Because </textarea><script>alert(1)</script>", Error: "too_long:500"}
	released := heldOrder()
	released.Layout = flashed("enforce", "released", "1046")
	released.Outcome, released.Would, released.Reasons = "allow", "", []Reason{{"released_by_person", "ada@larkspur.example"}}
	released.MadeBy, released.DecidedBy, released.Hold, released.StatusID = "person", "ada@larkspur.example", "released", 11
	released.CanRelease, released.CanRefuse, released.VerifyURL = false, false, ""
	leak := heldOrder()
	leak.Hold, leak.StatusID, leak.Reasons, leak.Proofs, leak.CanRelease, leak.CanRefuse = "leaked", 2, []Reason{{"no_proof", ""}}, nil, false, false
	leak.Digital = true
	leak.Customer, leak.Guest, leak.Receipts = "", true, nil
	leak.Trouble, leak.Stuck = "the mail was refused: no such mailbox.", true
	shadow := heldOrder()
	shadow.Layout, shadow.Shadow, shadow.Hold, shadow.StatusID = layout("shadow"), true, "none", 11
	shadow.CanRelease, shadow.CanRefuse = false, false
	shadow.Proofs = []ProofData{{ID: "p1", Used: true, IAL: "2", Source: "oidc", Selfie: true, At: monday, Until: later, Revoked: true, RevokedAt: tuesday,
		RevokedBy: "ada@larkspur.example", RevokedWhy: "The document was stolen"}, {ID: "p2", IAL: "2", Source: "policy", At: monday, Until: later}}
	seen := OrderData{Layout: layout("enforce"), ID: "1042", Number: "1042", Placed: monday, Guest: true, Customer: "Annie Easley", Value: "40.00 USD", StatusID: 1, Hold: "seen"}
	out := []page{
		{"order-held", Order(heldOrder())},
		{"order-release-refused", Order(noReason)},
		{"order-refusal-refused", Order(tooLong)},
		{"order-released", Order(released)},
		{"order-leak", Order(leak)},
		{"order-shadow", Order(shadow)},
		{"order-seen", Order(seen)},
	}
	return append(out, orderStandings()...)
}

// orderStandings are the other ways in which an order can stand with our hold.
func orderStandings() (out []page) {
	add := func(name string, change func(*OrderData)) {
		d := heldOrder()
		d.Timeline, d.Rules, d.Receipts, d.Proofs = d.Timeline[:3], nil, nil, nil
		change(&d)
		out = append(out, page{"order-" + name, Order(d)})
	}
	for _, hold := range []string{"none", "not_ours", "releasing", "moved", "moved_back", "cancelled"} {
		add(hold, func(d *OrderData) { d.Hold, d.CanRelease, d.CanRefuse, d.VerifyURL = hold, false, false, "" })
	}
	add("holding", func(d *OrderData) { d.Hold, d.HeldSince = "holding", When{} })
	add("refused", func(d *OrderData) { d.Hold, d.Outcome, d.CanRefuse = "refused", "refuse", false })
	add("held-again", func(d *OrderData) {
		d.Hold = "held_again"
		d.Timeline = append(d.Timeline, Entry{Kind: "event", Code: "held_again", When: tuesday}, Entry{Kind: "mail", Code: "held_again", When: tuesday})
	})
	add("cancel-announced", func(d *OrderData) { d.CancelAt, d.CallAt, d.CanKeep, d.Silent = later, tuesday, true, true })
	add("cancel-called", func(d *OrderData) {
		d.CancelAt, d.CalledAt, d.CanKeep, d.Keep = later, tuesday, true, ReasonForm{Error: "reason_required"}
		d.Timeline = append(d.Timeline, Entry{Kind: "event", Code: "last_call", When: tuesday}, Entry{Kind: "mail", Code: "last_call", When: tuesday})
	})
	add("cancelling", func(d *OrderData) {
		d.Trouble = "PUT /v2/orders/1046: 500 Internal Server Error"
		d.Hold, d.CancelAt, d.CalledAt, d.CanKeep = "cancelling", tuesday, monday, true
	})
	add("kept", func(d *OrderData) { d.Layout, d.Kept, d.CanUnkeep = flashed("enforce", "kept", "1046"), true, true })
	add("erased", func(d *OrderData) {
		d.Erased, d.Customer, d.Mailbox, d.Guest, d.VerifyURL = tuesday, "", "", true, ""
		d.Timeline = append(d.Timeline, Entry{Kind: "event", Code: "erased", When: tuesday})
	})
	add("revocation-refused", func(d *OrderData) {
		d.Proofs = []ProofData{{ID: "p1", IAL: "2", Source: "policy", At: monday, Until: later, CanRevoke: true, Revoke: ReasonForm{Reason: "no", Error: "reason_required"}}}
	})
	add("revoked", func(d *OrderData) {
		d.Layout = flashed("enforce", "revoked", "1046")
		d.Timeline = append(d.Timeline, Entry{Kind: "event", Code: "revoked", When: tuesday, By: "ada@larkspur.example", Note: "The document was stolen"})
	})
	add("suspended", func(d *OrderData) {
		d.Layout, d.CanRelease, d.CanRefuse, d.CanRepeat, d.VerifyURL = refusedToken(), false, false, false, ""
	})
	add("viewed", func(d *OrderData) { d.CanRelease, d.CanRefuse, d.CanRepeat, d.VerifyURL = false, false, false, "" })
	return out
}

func decisionPages() []page {
	return []page{
		{"decisions-new", Decisions(DecisionsData{Layout: layout("shadow"), Stage: "all"})},
		{"decisions-off", Decisions(DecisionsData{Layout: layout("off"), Stage: "all"})},
		{"decisions-list", Decisions(DecisionsData{Layout: layout("enforce"), Stage: "all", Entries: entries(), Older: "1041"})},
		{"decisions-carts", Decisions(DecisionsData{Layout: layout("enforce"), Stage: "checkout", Entries: entries()[4:5], Paged: true, Older: "900"})},
		{"decisions-stage-none", Decisions(DecisionsData{Layout: layout("enforce"), Stage: "checkout"})},
		{"decisions-end", Decisions(DecisionsData{Layout: layout("enforce"), Stage: "order", Paged: true})},
	}
}

func healthPages() []page {
	well := HealthData{
		Layout: layout("enforce"), CheckedAt: tuesday,
		Hooks:      []HookRow{{"store/order/created", "ok", tuesday}, {"store/order/statusUpdated", "ok", tuesday}, {"store/customer/deleted", "ok", When{}}},
		Scripts:    []ScriptRow{{Channel: "Larkspur storefront", Status: "ok", Hash: "9f86d081884c7d65"}},
		Attributes: []AttributeRow{{"blockid_ial", "ok"}, {"blockid_vc_token", "ok"}},
		Scopes:     []ScopeRow{{"store_v2_orders", true}, {"store_v2_customers", true}},
		Sweep:      SweepData{Status: "ok", Last: tuesday, Found: "0"},
		Queue:      QueueData{Notices: "0", Writebacks: "0"},
		Provider:   ProviderData{Status: "ok", DNS: "larkspur.1kosmos.net", Community: "default", Own: true, Discovered: tuesday},
		Replica:    ReplicaData{Status: "ok", Target: "s3://backups/idgate", Synced: tuesday},
		Quota:      QuotaData{Window: "30 seconds", Limit: "150", Share: "75", Used: "12", Left: "131", Waited: "not at all"},
		Clock:      ClockData{Status: "ok"}, Replay: ReplayForm{Since: "2026-03-09T09:12", Zone: "America/Denver"}, OnHold: "0",
		Export: true, CanRepair: true, CanRepeat: true, CanReplay: true,
	}
	ill := HealthData{Problems: []string{"webhooks: POST /v3/hooks: 403 a permission is missing"},
		Layout: flashed("enforce", "repairing", "1"), CheckedAt: monday,
		Hooks: []HookRow{{"store/order/created", "inactive", monday}, {"store/order/statusUpdated", "missing", When{}}, {"store/cart/converted", "pending", When{}}},
		Scripts: []ScriptRow{{Channel: "Larkspur storefront", Status: "changed", Hash: "9f86d081884c7d65", Note: "The checkout page has no submit button the script knows"},
			{Channel: "Headless app", Status: "foreign"}},
		Attributes: []AttributeRow{{"blockid_ial", "ok"}, {"blockid_vc_token", "missing"}},
		Scopes:     []ScopeRow{{"store_v2_orders", true}, {"store_v2_products_read_only", false}},
		Sweep:      SweepData{Status: "late", Last: monday, Found: "4"},
		Queue:      QueueData{Notices: "18", Writebacks: "3", Oldest: monday, Returned: "2"},
		Provider:   ProviderData{Status: "error", DNS: "verify.example", Community: "default", Discovered: monday, Said: "dial tcp: connection refused"},
		Replica:    ReplicaData{Status: "error", Target: "s3://backups/idgate", Synced: monday, Said: "access denied", Behind: "19 hours"},
		Quota:      QuotaData{Window: "30 seconds", Limit: "150", Share: "75", Used: "75", Left: "0", Waited: "4 minutes", Waiting: monday, Blocked: tuesday},
		Clock:      ClockData{Status: "error", Differ: "7 minutes ahead of BigCommerce's"}, Replay: ReplayForm{Since: "yesterday", Zone: "America/Denver", Error: "not_a_time"},
		OnHold: "3", Export: true, CanRepair: true, CanRepeat: true, CanReplay: true,
		Notices: []NoticeRow{{ID: "7", Scope: "store/order/created", Subject: "1046", Said: "it names no order", Received: monday},
			{ID: "8", Scope: "store/customer/deleted", Subject: "", Said: "BigCommerce says a permission (scope) is missing.", Received: monday, Deliveries: "4"}},
	}
	for i, c := range append(StuckCodes(), "") {
		said := ""
		if i == 0 || c == "" {
			said = "422: type is invalid"
		}
		ill.Stuck = append(ill.Stuck, StuckRow{ID: itoa(i + 1), Kind: WritebackKinds()[i%len(WritebackKinds())], Subject: "Order 104" + itoa(i), Order: "104" + itoa(i), Code: c, Said: said, Attempts: itoa(i + 1), Since: monday})
	}
	ill.Stuck = append(ill.Stuck, StuckRow{ID: "98", Kind: "mail", Mail: "reminder", Subject: "Order 1046", Order: "1046", Said: "The mail was refused: no such mailbox.", Attempts: "1", Since: monday},
		StuckRow{ID: "99", Kind: "customer_attributes", Subject: "Customer 7", Said: "422: type is invalid", Attempts: "1", Since: monday})
	fresh := HealthData{Layout: layout("off"), Sweep: SweepData{Status: "unknown"}, Provider: ProviderData{Status: "unset"}, Replica: ReplicaData{Status: "off"},
		Queue: QueueData{Notices: "0", Writebacks: "0"}, Scopes: []ScopeRow{{"store_v2_orders", true}},
		Quota: QuotaData{Window: "30 seconds", Limit: "150", Share: "75", Used: "0", Left: "150", Waited: "not at all"}, Clock: ClockData{Status: "ok"}, OnHold: "0"}
	refused := well
	refused.Layout, refused.CanRepair, refused.CanRepeat, refused.CanReplay, refused.OnHold = refusedToken(), false, false, false, "1"
	viewed := ill
	viewed.Layout, viewed.Stuck, viewed.Notices = layout("enforce"), ill.Stuck[:1], ill.Notices[:1]
	viewed.Export, viewed.CanRepair, viewed.CanRepeat, viewed.CanReplay = false, false, false, false
	well.CSP = []Directive{{"script-src", "https://idgate.larkspur.example", "The script itself; script-src-elem, where there is one."},
		{"connect-src", "https://idgate.larkspur.example", "Its questions, and news of a verification."}, {"img-src", "data:", "The QR code."}}
	ill.CSP = well.CSP
	for i, code := range ReportCodes() {
		ill.Reports = append(ill.Reports, ReportRow{"Larkspur EU", code, []string{"once", "12 times or more"}[i%2], monday})
	}
	return []page{{"health-well", Health(well)}, {"health-ill", Health(ill)}, {"health-fresh", Health(fresh)}, {"health-suspended", Health(refused)}, {"health-viewed", Health(viewed)}}
}

func settingsPages() []page {
	users := []UserRow{{Email: "ada@larkspur.example", Role: "owner", You: true, LastSeen: tuesday}, {Email: "bo@larkspur.example", Role: "manager", LastSeen: monday}}
	own := SettingsData{Layout: flashed("enforce", "connected", "1"), Tenant: TenantForm{DNS: "larkspur.1kosmos.net", Community: "default", Curve: "secp256k1"},
		LicenseKeySet: true, DVCIDSet: true, Own: true, OperatorTenant: true, CustomFields: true, StoreHash: "abc123", Users: users,
		Alarms: AlarmForm{To: "orders@larkspur.example"}, CanAlarm: true, SignBack: true}
	alone := own
	alone.Layout, alone.OperatorTenant, alone.NoLoginScope = layout("enforce"), false, true
	refused := own
	refused.Layout = layout("enforce")
	refused.Tenant.DNS = "https://evil.example/path"
	refused.Errors = map[string]string{"dns": "not_a_host", "license_key": "enter_again", "dvc_id": "required", "curve": "unknown_choice"}
	staff := own
	staff.Layout, staff.ReadOnly, staff.CanAlarm, staff.Alarms = layout("enforce"), true, false, AlarmForm{}
	alarm := own
	alarm.Layout, alarm.Alarms, alarm.NoMailServer, alarm.ReadOnly = layout("enforce"), AlarmForm{To: "the whole team", Error: "not_a_mailbox"}, true, true
	stopped := own
	stopped.Layout, stopped.ReadOnly, stopped.CanAlarm = refusedToken(), true, false
	team := own
	team.Layout, team.Alarms = layout("enforce"), AlarmForm{Team: 3}
	return []page{
		{"settings-team", Settings(team)},
		{"settings-alarm-refused", Settings(alarm)},
		{"settings-suspended", Settings(stopped)},
		{"settings-read-only", Settings(staff)},
		{"settings-unset", Settings(SettingsData{Layout: layout("off"), StoreHash: "abc123"})},
		{"settings-operator", Settings(SettingsData{Layout: layout("off"), OperatorTenant: true, StoreHash: "abc123", Users: users[:1]})},
		{"settings-own", Settings(own)},
		{"settings-own-alone", Settings(alone)},
		{"settings-refused", Settings(refused)},
	}
}

func callbackPages() []page {
	out := []page{
		{"installed", Installed(InstalledData{Frame: frame(), ShopName: "Larkspur & Sons", UserEmail: "ada@larkspur.example", NextURL: "/s/abc123/overview", PrivacyURL: "https://support.example/privacy"})},
		{"opening", Opening(OpeningData{Frame: frame(), NextURL: "#main", Bearer: "sealed"})},
		{"installed-again", Installed(InstalledData{Frame: frame(), ShopName: "Larkspur & Sons", Again: true, NextURL: "/s/abc123/overview",
			MissingScopes: []string{"store_v2_products_read_only"}, SupportURL: "https://support.example/idgate"})},
		{"uninstalled", Uninstalled(UninstalledData{Frame: frame(), ShopName: "Larkspur & Sons"})},
		{"uninstalled-held", Uninstalled(UninstalledData{Frame: frame(), ShopName: "Larkspur & Sons", KeptUntil: later, HeldOrders: "3", ExportURL: "/s/abc123/held.csv"})},
		{"error-unheard-of", ErrorPage(ErrorData{Frame: frame(), Code: "no_such_code", Ref: "r-7f3a"})},
	}
	for _, c := range ErrorCodes() {
		out = append(out, page{"error-" + c, ErrorPage(ErrorData{Frame: frame(), Code: c, BackURL: "/s/abc123/overview"})})
	}
	return out
}

// qrSVG stands in for a QR code: it fills the place and can be scanned by nobody.
const qrSVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 21 21"><path d="M0 0h7v7H0zM14 0h7v7h-7zM0 14h7v7H0zM9 9h3v3H9zM14 14h3v3h-3z"/></svg>`
