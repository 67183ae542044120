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
	proof := ledger.Proof{Proof: gate.Proof{ID: "p", IAL: 2, Source: gate.SourcePolicy, Age: -1}}
	allow := gate.Decision{Outcome: gate.Allow, Mode: gate.Enforce, ProofID: "p", Reasons: []gate.Reason{{Code: gate.ProofOK, Detail: "1"}}}
	rec := orderRecord{
		order:     ledger.Order{ID: 7, SeenAt: at(1), Hold: ledger.Moved, ModifiedAt: at(9), HeldAt: at(2)},
		proof:     &proof,
		notices:   []ledger.StoredNotice{{Scope: "store/order/statusUpdated", ReceivedAt: at(3), Detail: ledger.Detail{OldStatus: 11, NewStatus: 12}}, {Scope: "store/order/created", ReceivedAt: at(1)}},
		sessions:  []ledger.Session{{State: "passed", StartedAt: at(4), ChangedAt: at(5)}},
		decisions: []ledger.Decision{{At: at(5), Decision: allow}, {At: at(1), Decision: gate.Decision{Outcome: gate.Hold, Mode: gate.Enforce}}},
		writebacks: []ledger.StoredWriteback{
			{Kind: ledger.Release, State: "done", DoneAt: at(6), Reason: "released; somebody had moved the order to status 9"},
			{Kind: ledger.DecisionMetafield, State: "stuck", Reason: "422: it is full"},
			{Kind: ledger.CustomerAttributes, State: "done", DoneAt: at(6), Reason: "written"},
			{Kind: ledger.Note, State: "dropped"},
			{Kind: ledger.Hold, State: "done", DoneAt: at(2), Reason: "on hold"},
		},
	}
	type line struct{ kind, code, note, ial string }
	want := []line{
		{"order", "seen", "", ""}, {"notice", "store/order/created", "", ""}, {"decision", "hold", "", ""}, {"hold", "held", "", ""},
		{"notice", "store/order/statusUpdated", "Awaiting Fulfillment → Manual Verification Required", ""}, {"session", "passed", "", ""},
		{"decision", "allow", "", "1"}, {"hold", "released", "released; somebody had moved the order to status 9", ""},
		{"writeback", "customer_attributes", "", ""}, {"order", "moved", "", ""},
	}
	p := present(&ledger.Shop{Timezone: "UTC"})
	var got []line
	for _, e := range p.timeline(rec) {
		got = append(got, line{e.Kind, e.Code, e.Note, e.IAL})
		if e.When == (views.When{}) || !slices.Contains(views.EntryKinds(), e.Kind) {
			t.Errorf("%+v has no time, or a kind without words", e)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if s := trouble(rec); s != "422: it is full" {
		t.Errorf("trouble %q", s)
	}
	rec.order.Trouble = "BigCommerce is down"
	if s := trouble(rec); s != "BigCommerce is down" {
		t.Errorf("trouble %q", s)
	}
	rec = orderRecord{order: ledger.Order{SeenAt: at(1), Hold: ledger.Held, HeldAt: at(2)}}
	if es := p.timeline(rec); len(es) != 2 || es[1].Code != "held" || es[1].Kind != "hold" {
		t.Errorf("an order that was in the hold status already: %+v", es)
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
