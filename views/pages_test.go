package views

import "github.com/a-h/templ"

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
		overviewPages, policyPages, orderListPages, orderPages, historyPages, healthPages, settingsPages, callbackPages, verifyPages,
		rulePages, versionPages, whatIfPages, whyPages, staffPages,
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
	none := Counts{"0", "0", "0", "0"}
	return []page{
		{"overview-new", Overview(OverviewData{Layout: layout("off"), Checkout: Need{IAL: 2, NameMatch: true}, Counts: none, Guide: steps,
			Attention: []Attention{{Code: "evidence_unmapped"}}})},
		{"overview-calm", Overview(OverviewData{Layout: layout("enforce"), PolicyVersion: "7", Since: monday,
			Checkout: Need{IAL: 2, NameMatch: true, LeastAge: 21}, StepUpValue: "500.00 USD", StepUp: Need{IAL: 2, MaxAgeDays: 30, Selfie: true},
			Counts: Counts{"1,204", "311", "9", "8"}, Recent: entries()[:3]})},
		{"overview-suspended", Overview(OverviewData{Layout: refusedToken(), PolicyVersion: "3", Checkout: Need{IAL: 1}, Counts: none, Attention: []Attention{{Code: "token_refused"}}})},
		{"overview-attention", Overview(OverviewData{Layout: layout("shadow"), PolicyVersion: "3", Checkout: Need{IAL: 1},
			Counts: Counts{"10,000+", "2,118", "0", "0"}, Attention: all})},
	}
}

func policyForm() PolicyForm {
	return PolicyForm{
		Mode: "enforce", CheckoutIAL: "2", StepUpValue: "500.00", StepUpIAL: "2", StepUpMaxAgeDays: "30", StepUpSelfie: "on",
		EvidenceDocument: "1", EvidenceSelfie: "2", LeastAge: "21", ProofDays: "365", Guests: "verify", NameMatch: "on", HoldStatus: "12",
		OnMoved: "hold_again", CancelDays: "14", Mails: "on", RemindHours: "24, 48", KeepDays: "730",
		Sources: []string{"www", "checkout_api"}, OnUnreachable: "let_pay", OnProviderDown: "stop", WriteBack: "attributes",
		BaseVersion: "7",
	}
}

func policyPages() []page {
	versions := []PolicyVersion{
		{Number: "7", Who: "ada@larkspur.example", When: tuesday, Note: "Selfie above 500", Mode: "enforce", Current: true},
		{Number: "6", Who: "bo@larkspur.example", When: monday, Mode: "shadow"},
	}
	first := PolicyForm{Mode: "off", CheckoutIAL: "2", StepUpIAL: "2", ProofDays: "365", Guests: "verify", NameMatch: "on", HoldStatus: "12",
		OnMoved: "hold_again", Mails: "on", RemindHours: "24, 48", KeepDays: "730",
		OnUnreachable: "let_pay", OnProviderDown: "let_pay", WriteBack: "attributes", BaseVersion: "0"}
	bad := policyForm()
	bad.StepUpValue, bad.LeastAge, bad.ProofDays, bad.Mode, bad.Guests = "-5", "eighteen", "0", "maybe", ""
	bad.OnMoved, bad.CancelDays, bad.RemindHours, bad.SourcesMore, bad.KeepDays = "", "1", "24, soon", "my shop!?", ""
	moved := policyForm()
	moved.LeastAge, moved.BaseVersion = "18", "8"
	return []page{
		{"policy-first", Policy(PolicyData{Layout: layout("off"), Currency: "USD", Form: first, Warnings: PolicyWarningCodes()})},
		{"policy-saved", Policy(PolicyData{Layout: flashed("enforce", "saved", "7"), Currency: "USD", Form: policyForm(), Versions: versions, MoreVersions: true})},
		{"policy-read-only", Policy(PolicyData{Layout: layout("enforce"), Currency: "USD", Form: policyForm(), Versions: versions[:1], ReadOnly: true})},
		{"policy-refused", Policy(PolicyData{Layout: layout("enforce"), Currency: "USD", Form: bad, Versions: versions, Errors: map[string]string{
			"step_up_value": "negative", "least_age": "not_whole", "proof_days": "enter whole days from 1 to 3650", "mode": "unknown_choice",
			"guests": "unknown_choice", "sources": "unknown_choice", "on_moved": "unknown_choice", "cancel_days": "enter whole days from 2 to 90, or nothing to never cancel",
			"remind_hours": "not_a_number", "sources_more": "not_a_source:50", "keep_days": "required", "rules.0": "give the rule a name of at most 80 characters"}})},
		{"policy-suspended", Policy(PolicyData{Layout: refusedToken(), Currency: "USD", Form: policyForm(), Versions: versions, ReadOnly: true})},
		{"policy-moved-on", Policy(PolicyData{Layout: layout("enforce"), Currency: "USD", Form: moved, Versions: versions, MovedOn: &MovedOn{
			Version: "8", Who: "bo@larkspur.example", When: tuesday, Note: "New state law",
			Changes: []FieldChange{{"least_age", "21", "18"}, {"step_up_value", "500.00", "–"}}}})},
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
	return []page{
		{"orders-new", Orders(OrdersData{Layout: layout("enforce"), Filter: "all"})},
		{"orders-off", Orders(OrdersData{Layout: layout("off"), Filter: "all"})},
		{"orders-list", Orders(OrdersData{Layout: layout("enforce"), Filter: "all", Rows: orderRows(), Older: "1041", Export: true})},
		{"orders-suspended", Orders(OrdersData{Layout: refusedToken(), Filter: "all", Rows: orderRows()[:2], Export: true})},
		{"orders-moved-none", Orders(OrdersData{Layout: layout("enforce"), Filter: "moved", Export: true})},
		{"orders-cancelled-none", Orders(OrdersData{Layout: layout("enforce"), Filter: "cancelled"})},
		{"orders-allowed-far", Orders(OrdersData{Layout: layout("shadow"), Filter: "allowed", Older: "90210"})},
		{"orders-held-older", Orders(OrdersData{Layout: layout("enforce"), Filter: "held", Rows: orderRows()[:1], Older: "1030", Paged: true})},
		{"orders-held-none", Orders(OrdersData{Layout: layout("enforce"), Filter: "held"})},
		{"orders-leaks-none", Orders(OrdersData{Layout: layout("enforce"), Filter: "leaks"})},
		{"orders-allowed-none", Orders(OrdersData{Layout: layout("enforce"), Filter: "allowed"})},
		{"orders-end", Orders(OrdersData{Layout: layout("enforce"), Filter: "allowed", Paged: true})},
		{"orders-search-none", Orders(OrdersData{Layout: layout("enforce"), Filter: "all", Query: "99999"})},
		{"orders-search-bad", Orders(OrdersData{Layout: layout("enforce"), Filter: "held", Query: "<b>ten</b>", QueryError: "not_an_order"})},
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

func historyPages() []page {
	return []page{
		{"history-new", History(HistoryData{Layout: layout("shadow"), Kind: "all"})},
		{"history-off", History(HistoryData{Layout: layout("off"), Kind: "all"})},
		{"history-list", History(HistoryData{Layout: layout("enforce"), Kind: "all", Entries: entries(), Older: "1041"})},
		{"history-sessions", History(HistoryData{Layout: layout("enforce"), Kind: "session", Entries: entries()[2:4], Paged: true, Older: "900"})},
		{"history-kind-none", History(HistoryData{Layout: layout("enforce"), Kind: "session"})},
		{"history-end", History(HistoryData{Layout: layout("enforce"), Kind: "order", Paged: true})},
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
		Queue:      QueueData{Notices: "18", Writebacks: "3", Oldest: monday},
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
	return []page{
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
		{"opening", Opening(OpeningData{Frame: frame(), BCSDK: "https://cdn.example/bc-sdk.js", NextURL: "/s/abc123/overview", Bearer: "sealed"})},
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
