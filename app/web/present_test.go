package web

import (
	"slices"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/views"
)

func TestMoney(t *testing.T) {
	p := present(&ledger.Shop{Timezone: "UTC"})
	for _, tc := range []struct {
		m            gate.Money
		shown, typed string
	}{
		{gate.Money{Minor: 124900, Currency: "USD"}, "1,249.00 USD", "1249.00"},
		{gate.Money{Minor: 5, Currency: "EUR"}, "0.05 EUR", "0.05"},
		{gate.Money{Minor: 12000, Currency: "JPY"}, "12,000 JPY", "12000"},
		{gate.Money{Minor: 1234567, Currency: "KWD"}, "1,234.567 KWD", "1234.567"},
		{gate.Money{Minor: -150, Currency: "USD"}, "-1.50 USD", "-1.50"},
		{gate.Money{Minor: 9007199254740993, Currency: "USD"}, "90,071,992,547,409.93 USD", "90071992547409.93"}, // more than a float64 holds
		{gate.Money{}, "", "0.00"},
	} {
		if got := p.money(tc.m); got != tc.shown {
			t.Errorf("%v is shown as %q, want %q", tc.m, got, tc.shown)
		}
		if got := plainMoney(tc.m); got != tc.typed {
			t.Errorf("%v is typed as %q, want %q", tc.m, got, tc.typed)
		}
	}
}

func TestWhen(t *testing.T) {
	at := time.Date(2026, 3, 10, 15, 12, 30, 0, time.UTC)
	for _, tc := range []struct {
		zone string
		at   time.Time
		want views.When
	}{
		{"America/Denver", at, views.When{Text: "Tue 10 Mar 2026, 09:12", ISO: "2026-03-10T09:12:30-06:00"}},
		{"UTC", at, views.When{Text: "Tue 10 Mar 2026, 15:12", ISO: "2026-03-10T15:12:30Z"}},
		{"Middle-earth/Shire", at, views.When{Text: "Tue 10 Mar 2026, 15:12", ISO: "2026-03-10T15:12:30Z"}},
		{"", at, views.When{Text: "Tue 10 Mar 2026, 15:12", ISO: "2026-03-10T15:12:30Z"}},
		{"UTC", time.Time{}, views.When{}},
	} {
		if got := present(&ledger.Shop{Timezone: tc.zone}).when(tc.at); got != tc.want {
			t.Errorf("in %q: %+v, want %+v", tc.zone, got, tc.want)
		}
	}
}

func TestCount(t *testing.T) {
	p := present(&ledger.Shop{})
	for _, tc := range []struct {
		n       int64
		atLeast bool
		want    string
	}{{0, false, "0"}, {1204, false, "1,204"}, {10000, false, "10,000"}, {10001, false, "10,000+"}, {7, true, "7+"}} {
		if got := p.count(tc.n, tc.atLeast); got != tc.want {
			t.Errorf("%d, %v: %q, want %q", tc.n, tc.atLeast, got, tc.want)
		}
	}
}

func TestWanted(t *testing.T) {
	p := present(&ledger.Shop{})
	many := make([]string, 30)
	for i := range many {
		many[i] = "7"
	}
	for _, tc := range []struct {
		c             gate.Condition
		o             ledger.Order
		wanted, found string
	}{
		{gate.Condition{Fact: gate.FactValue, Amount: &gate.Money{Minor: 50000, Currency: "USD"}}, ledger.Order{Value: gate.Money{Minor: 124900, Currency: "USD"}}, "500.00 USD or more", "1,249.00 USD"},
		{gate.Condition{Fact: gate.FactSource, Values: []string{"www", "ebay"}}, ledger.Order{Source: "ebay"}, "Storefront (desktop), eBay", "eBay"},
		{gate.Condition{Fact: gate.FactSource, Values: []string{"www"}}, ledger.Order{}, "Storefront (desktop)", ""},
		{gate.Condition{Fact: gate.FactGroup, Values: []string{"guest"}}, ledger.Order{}, "guest", "guest"},
		{gate.Condition{Fact: gate.FactGroup, Values: []string{"2"}}, ledger.Order{CustomerID: 7}, "2", ""},
		{gate.Condition{Fact: gate.FactCountry, Values: []string{"US", "CA"}}, ledger.Order{}, "US, CA", ""},
		{gate.Condition{Fact: gate.FactShipDiff}, ledger.Order{}, "", ""},
		{gate.Condition{Fact: gate.FactProduct, Values: many}, ledger.Order{}, "7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, …", ""},
	} {
		if w, f := p.wanted(tc.c), p.found(tc.c, tc.o); w != tc.wanted || f != tc.found {
			t.Errorf("%+v: wanted %q, found %q; want %q, %q", tc.c, w, f, tc.wanted, tc.found)
		}
	}
	if many[20] != "7" {
		t.Error("the rule's own values were written over")
	}
}

// TestTimeline: causes stand before effects, only what is done is told as done, and every word is one the views know.
func TestTimeline(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 3, 10, 12, 0, s, 0, time.UTC) }
	proof := ledger.Proof{Proof: gate.Proof{ID: "p", IAL: 2, Source: gate.SourcePolicy, Age: -1, Revoked: true}, RevokedAt: at(7), RevokedBy: "ada@example.com", RevokedWhy: "Stolen"}
	allow := gate.Decision{Outcome: gate.Allow, Mode: gate.Enforce, ProofID: "p", Reasons: []gate.Reason{{Code: gate.ProofOK, Detail: "1"}}}
	rec := orderRecord{
		order: ledger.Order{ID: 7, SeenAt: at(1), Hold: ledger.Moved, ModifiedAt: at(9), AlarmedAt: at(8), HeldAt: at(2), Reheld: 1, CalledAt: at(7), ErasedAt: at(20)},
		notices: []ledger.StoredNotice{{ID: 3, Scope: "store/order/statusUpdated", ReceivedAt: at(3), State: "done", Remark: "order 7 is looked at", Deliveries: 1, Detail: ledger.Detail{OldStatus: 11, NewStatus: 12}},
			{ID: 1, Scope: "store/order/created", ReceivedAt: at(1), State: "done", Remark: "order 7 is looked at", Deliveries: 3},
			{ID: 4, Scope: "store/order/statusUpdated", ReceivedAt: at(10), State: "pending", Deliveries: 1, Detail: ledger.Detail{OldStatus: 12, NewStatus: 2}},
			{ID: 5, Scope: "store/cart/converted", ReceivedAt: at(11), State: "stuck", Remark: "it names no order", Deliveries: 1}},
		proofs:    []ledger.Proof{proof},
		sessions:  []ledger.Session{{State: "passed", StartedAt: at(4), ChangedAt: at(5)}},
		decisions: []ledger.Decision{{At: at(5), Decision: allow}, {At: at(1), Decision: gate.Decision{Outcome: gate.Hold, Mode: gate.Enforce}}},
		writebacks: []ledger.StoredWriteback{
			{ID: 21, Kind: ledger.DecisionMetafield, State: "stuck", MadeAt: at(5), DoneAt: at(12), Reason: "422: it is full"},
			{Kind: ledger.CustomerAttributes, State: "done", DoneAt: at(6), Reason: "written"},
			{Kind: ledger.Release, State: "done", DoneAt: at(6), Reason: "released; somebody had moved the order to status 9"},
			{Kind: ledger.Note, State: "dropped", DoneAt: at(13), Reason: "no longer needed"},
			{Kind: ledger.Cancel, State: "done", DoneAt: at(14), Reason: "cancelled"},
			{Kind: ledger.CancelNote, State: "done", DoneAt: at(2), Reason: "noted"},
			{Kind: ledger.Hold, State: "done", DoneAt: at(2), Reason: "on hold"},
			{Kind: ledger.Mail, Ref: "reminder-2#1", State: "done", DoneAt: at(15), Reason: "sent"},
			{ID: 22, Kind: ledger.Mail, Ref: "held_again#2", State: "stuck", DoneAt: at(16), Reason: "The mail was refused"},
			{Kind: ledger.Mail, Ref: "last_call#1", State: "pending", MadeAt: at(17), DueAt: at(18)},
		},
	}
	type line struct{ kind, code, state, outcome, ial, deliveries, notice, writeback string }
	want := []line{
		{kind: "order", code: "seen"}, {kind: "notice", code: "store/order/created", outcome: "order 7 is looked at", deliveries: "3", notice: "1"}, {kind: "decision", code: "hold"},
		{kind: "hold", code: "held"}, {kind: "writeback", code: "cancel_note"},
		{kind: "notice", code: "store/order/statusUpdated", outcome: "Awaiting Fulfillment → Manual Verification Required; order 7 is looked at", notice: "3"},
		{kind: "session", code: "passed"}, {kind: "decision", code: "allow", ial: "1"},
		{kind: "hold", code: "released", outcome: "released; somebody had moved the order to status 9"}, {kind: "writeback", code: "customer_attributes"},
		{kind: "event", code: "revoked"}, {kind: "event", code: "last_call"}, {kind: "order", code: "moved"},
		{kind: "notice", code: "store/order/statusUpdated", state: "pending", outcome: "Manual Verification Required → Shipped"},
		{kind: "notice", code: "store/cart/converted", state: "stuck", outcome: "it names no order", notice: "5"},
		{kind: "writeback", code: "decision_metafield", state: "stuck", outcome: "422: it is full", writeback: "21"},
		{kind: "writeback", code: "note", state: "dropped", outcome: "no longer needed"}, {kind: "hold", code: "cancelled"},
		{kind: "mail", code: "reminder"}, {kind: "mail", code: "held_again", state: "stuck", outcome: "The mail was refused", writeback: "22"},
		{kind: "mail", code: "last_call", state: "pending"}, {kind: "event", code: "erased"},
	}
	p := present(&ledger.Shop{Timezone: "UTC"})
	var got []line
	for _, e := range p.timeline(rec) {
		got = append(got, line{e.Kind, e.Code, e.State, e.Outcome, e.IAL, e.Deliveries, e.Notice, e.Writeback})
		if e.When == (views.When{}) || !slices.Contains(views.EntryKinds(), e.Kind) || e.State != "" && !slices.Contains(views.WorkStates(), e.State) {
			t.Errorf("%+v has no time, or a kind or state without words", e)
		}
		if e.Kind == "mail" && !slices.Contains(views.MailCodes(), e.Code) || e.Kind == "event" && !slices.Contains(views.EventCodes(), e.Code) {
			t.Errorf("%+v has no words", e)
		}
		if e.Code == "revoked" && (e.By != "ada@example.com" || e.Note != "Stolen") {
			t.Errorf("the revocation says %+v", e)
		}
	}
	if !slices.Equal(got, want) {
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Fatalf("line %d\ngot  %+v\nwant %+v", i, got[min(i, len(got)-1)], want[min(i, len(want)-1)])
			}
		}
	}
	rec = orderRecord{order: ledger.Order{SeenAt: at(1), Hold: ledger.Held, HeldAt: at(2), Reheld: 1, AlarmedAt: at(3)}}
	if es := p.timeline(rec); len(es) != 3 || es[1].Code != "held" || es[1].Kind != "hold" || es[2].Code != "held_again" || es[2].Kind != "event" {
		t.Errorf("an order that was in the hold status already, and was held again: %+v", es)
	}
}

func TestTrouble(t *testing.T) {
	w := func(kind ledger.WritebackKind, state, reason string) ledger.StoredWriteback {
		return ledger.StoredWriteback{Kind: kind, State: state, Reason: reason}
	}
	for _, tc := range []struct {
		name  string
		order string
		owed  []ledger.StoredWriteback
		why   string
		stuck bool
	}{
		{"none", "", []ledger.StoredWriteback{w(ledger.Hold, "done", "on hold"), w(ledger.Note, "dropped", "no longer needed"), w(ledger.Cancel, "pending", "")}, "", false},
		{"the order's own", "BigCommerce is down", []ledger.StoredWriteback{w(ledger.Hold, "stuck", "403")}, "BigCommerce is down", false},
		{"stuck before pending", "", []ledger.StoredWriteback{w(ledger.Hold, "pending", "503"), w(ledger.Mail, "stuck", "refused")}, "refused", true},
		{"what moves it before what tells of it", "", []ledger.StoredWriteback{w(ledger.Mail, "pending", "has still to come true"), w(ledger.Cancel, "pending", "500")}, "500", false},
		{"a stuck release before a stuck mail", "", []ledger.StoredWriteback{w(ledger.Mail, "stuck", "refused"), w(ledger.Release, "stuck", "403")}, "403", true},
		{"what only tells", "", []ledger.StoredWriteback{w(ledger.DecisionMetafield, "pending", "503")}, "503", false},
	} {
		if why, stuck := trouble(orderRecord{order: ledger.Order{Trouble: tc.order}, writebacks: tc.owed}); why != tc.why || stuck != tc.stuck {
			t.Errorf("%s: %q, stuck %v, want %q, %v", tc.name, why, stuck, tc.why, tc.stuck)
		}
	}
}

func TestAsOrder(t *testing.T) {
	decision := func(change func(*ledger.Decision)) ledger.Decision {
		d := ledger.Decision{ID: "d", Stage: gate.AtOrder, MadeBy: ledger.ByRule, Decision: gate.Decision{Outcome: gate.Hold, Mode: gate.Enforce}}
		change(&d)
		return d
	}
	for _, tc := range []struct {
		name       string
		d          ledger.Decision
		o          ledger.Order
		kind, code string
	}{
		{"a hold", decision(func(d *ledger.Decision) {}), ledger.Order{DecisionID: "later", Hold: ledger.Released}, "order", "held"},
		{"in shadow", decision(func(d *ledger.Decision) { d.Mode = gate.Shadow }), ledger.Order{DecisionID: "d"}, "decision", "hold"},
		{"a cart", decision(func(d *ledger.Decision) { d.Stage, d.Outcome = gate.AtCheckout, gate.Verify }), ledger.Order{}, "decision", "verify"},
		{"found gone", decision(func(d *ledger.Decision) {}), ledger.Order{DecisionID: "d", Hold: ledger.Leaked}, "order", "leaked"},
		{"moved by hand", decision(func(d *ledger.Decision) {}), ledger.Order{DecisionID: "d", Hold: ledger.Moved}, "order", "moved"},
		{"cancelled in the end", decision(func(d *ledger.Decision) {}), ledger.Order{DecisionID: "d", Hold: ledger.Cancelled}, "order", "cancelled"},
		{"refused", decision(func(d *ledger.Decision) { d.Outcome, d.MadeBy = gate.Refuse, ledger.ByPerson }), ledger.Order{DecisionID: "d", Hold: ledger.Refused}, "order", "refused"},
		{"released by a person", decision(func(d *ledger.Decision) { d.Outcome, d.MadeBy = gate.Allow, ledger.ByPerson }), ledger.Order{DecisionID: "later"}, "order", "released"},
		{"released by a proof", decision(func(d *ledger.Decision) { d.Outcome = gate.Allow }), ledger.Order{DecisionID: "d", Hold: ledger.Released}, "order", "released"},
		{"being released", decision(func(d *ledger.Decision) { d.Outcome = gate.Allow }), ledger.Order{DecisionID: "d", Hold: ledger.Releasing}, "order", "releasing"},
		{"never held", decision(func(d *ledger.Decision) { d.Outcome = gate.Allow }), ledger.Order{DecisionID: "d", Hold: ledger.NotHeld}, "decision", "allow"},
		{"erased since", decision(func(d *ledger.Decision) { d.Outcome = gate.Allow }), ledger.Order{}, "decision", "allow"},
	} {
		e := asOrder(present(&ledger.Shop{}).decided(tc.d), tc.d, tc.o)
		if e.Kind != tc.kind || e.Code != tc.code {
			t.Errorf("%s: %s %s, want %s %s", tc.name, e.Kind, e.Code, tc.kind, tc.code)
		}
	}
}

// TestSingularFigures: one of a thing is told as one.
func TestSingularFigures(t *testing.T) {
	p := present(&ledger.Shop{Timezone: "America/Denver"})
	since := time.Date(2026, 3, 10, 6, 0, 0, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{quantity(gate.Change{Area: "checkout", Field: "least_age"}, 1), "1 year"},
		{quantity(gate.Change{Area: "checkout", Field: "least_age"}, 21), "21 years"},
		{days("proof_days", 1), "1 day"},
		{days("proof_days", 2), "2 days"},
		{guideProgress([]views.GuideStep{{Done: true}, {}}), "1 of 2 steps is done"},
		{guideProgress([]views.GuideStep{{}, {}}), "0 of 2 steps are done"},
		{p.reach(ledger.WhatIf{Wanted: 1}), "the last order"},
		{p.reach(ledger.WhatIf{Wanted: 1000}), "the last 1,000 orders"},
		{p.moment(since), "Tue 10 Mar 2026, 00:00 (America/Denver)"},
		{ledger.Erased{Proofs: 1, Mails: 1, Shown: 1, Listed: 1}.String(), "1 proof, 1 mail asked for, 1 mailbox shown, 1 list entry"},
		{ledger.Erased{Proofs: 2, Orders: 1, Shown: 3}.String(), "2 proofs, 1 order, 3 mailboxes shown"},
		{ledger.Erased{}.String(), "nothing was found"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
