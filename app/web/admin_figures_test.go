package web

import (
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/views"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestDays: a day begins at its first moment, whatever the clock does then, and the next one follows it.
func TestDays(t *testing.T) {
	for _, tt := range []struct{ zone, at, start, next string }{
		{"UTC", "2026-03-10T15:12:00Z", "2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z"},
		{"America/Denver", "2026-03-08T12:00:00-06:00", "2026-03-08T00:00:00-07:00", "2026-03-09T00:00:00-06:00"}, // 23 hours
		{"America/Denver", "2026-11-01T23:59:59-07:00", "2026-11-01T00:00:00-06:00", "2026-11-02T00:00:00-07:00"}, // 25 hours
		{"Asia/Kathmandu", "2026-03-10T00:00:00+05:45", "2026-03-10T00:00:00+05:45", "2026-03-11T00:00:00+05:45"}, // on a quarter of an hour
		{"Africa/Cairo", "2026-04-24T12:00:00+03:00", "2026-04-24T01:00:00+03:00", "2026-04-25T00:00:00+03:00"},   // no midnight: put forward then
		{"America/Havana", "2026-11-01T12:00:00-05:00", "2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00"}, // midnight comes twice
		{"Australia/Lord_Howe", "2026-04-05T12:00:00+10:30", "2026-04-05T00:00:00+11:00", "2026-04-06T00:00:00+10:30"},
		{"Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00"}, // a day that never was
	} {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		at = at.In(zone(t, tt.zone))
		if got := startOfDay(at).Format(time.RFC3339); got != tt.start {
			t.Errorf("%s in %s: the day begins at %s, want %s", tt.at, tt.zone, got, tt.start)
		}
		if got := nextDay(at).Format(time.RFC3339); got != tt.next {
			t.Errorf("%s in %s: the next day begins at %s, want %s", tt.at, tt.zone, got, tt.next)
		}
		if !nextDay(at).After(at) {
			t.Errorf("%s in %s: the next day is not later", tt.at, tt.zone)
		}
	}
}

func TestMomentsOf(t *testing.T) {
	now := time.Date(2026, 3, 10, 15, 12, 0, 0, time.UTC)
	for _, tt := range []struct {
		code, zone  string
		now         time.Time
		n           int
		first, last string
	}{
		{"today", "UTC", now, 25, "2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z"},
		{"today", "America/Denver", now, 25, "2026-03-10T00:00:00-06:00", "2026-03-11T00:00:00-06:00"},
		{"today", "America/Denver", time.Date(2026, 3, 8, 15, 0, 0, 0, time.UTC), 24, "2026-03-08T00:00:00-07:00", "2026-03-09T00:00:00-06:00"},
		{"today", "America/Denver", time.Date(2026, 11, 1, 15, 0, 0, 0, time.UTC), 26, "2026-11-01T00:00:00-06:00", "2026-11-02T00:00:00-07:00"},
		{"today", "Asia/Kolkata", now, 25, "2026-03-10T00:00:00+05:30", "2026-03-11T00:00:00+05:30"},
		{"7", "America/Denver", now, 8, "2026-03-04T00:00:00-07:00", "2026-03-11T00:00:00-06:00"},
		{"30", "UTC", now, 31, "2026-02-09T00:00:00Z", "2026-03-11T00:00:00Z"},
		{"90", "Asia/Kathmandu", now, 91, "2025-12-11T00:00:00+05:45", "2026-03-11T00:00:00+05:45"},
	} {
		got, ok := momentsOf(tt.code, tt.now, zone(t, tt.zone))
		if !ok || len(got) != tt.n || got[0].Format(time.RFC3339) != tt.first || got[len(got)-1].Format(time.RFC3339) != tt.last {
			t.Errorf("%s in %s: %d from %s to %s, want %d from %s to %s", tt.code, tt.zone, len(got), got[0].Format(time.RFC3339), got[len(got)-1].Format(time.RFC3339), tt.n, tt.first, tt.last)
		}
		for i, at := range got {
			if i > 0 && !at.After(got[i-1]) || at.UnixMilli()%(15*60*1000) != 0 {
				t.Errorf("%s in %s: %s is out of order, or begins no quarter of an hour", tt.code, tt.zone, at)
			}
		}
	}
	for _, bad := range []string{"", "8", "365", "Today", "07"} {
		if _, ok := momentsOf(bad, now, time.UTC); ok {
			t.Errorf("%q is a range", bad)
		}
	}
	for _, code := range views.OverviewRanges() {
		if _, ok := momentsOf(code, now, time.UTC); !ok {
			t.Errorf("%s is no range", code)
		}
	}
}

func TestTook(t *testing.T) {
	for d, want := range map[time.Duration]string{-time.Second: "0 s", 0: "0 s", 400 * time.Millisecond: "0 s", 42 * time.Second: "42 s", 59*time.Second + 600*time.Millisecond: "1 min",
		time.Minute: "1 min", 200 * time.Second: "3 min 20 s", time.Hour: "1 h", 65 * time.Minute: "1 h 5 min", 24 * time.Hour: "1 d", 51 * time.Hour: "2 d 3 h"} {
		if got := took(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

// TestFiguresOf: the Shop's own currency comes first and is drawn, others stand apart; figures are whole, and times say of what.
func TestFiguresOf(t *testing.T) {
	p := present(&ledger.Shop{Currency: "USD", Timezone: "America/Denver"})
	moments, _ := momentsOf("7", time.Date(2026, 3, 10, 15, 12, 0, 0, time.UTC), p.zone)
	rep := ledger.Report{Spans: make([]ledger.Figures, 7), Total: ledger.Figures{Shown: 12345, Started: 20, Passed: 7, Failed: 5, Abandoned: 3},
		Times: ledger.PassTimes{Passes: 5000, More: true, Median: 108 * time.Second, P90: 365 * time.Second},
		Money: []ledger.MoneyReport{{Currency: "USD", Spans: make([]ledger.MoneyFigures, 7), Total: ledger.MoneyFigures{Held: 2, HeldMinor: 124_900, Released: 1, ReleasedMinor: 5}},
			{Currency: "JPY", Spans: make([]ledger.MoneyFigures, 7), Total: ledger.MoneyFigures{Held: 1, HeldMinor: 12_000}}}}
	rep.Spans[2] = ledger.Figures{Passed: 7, Failed: 5, Abandoned: 3}
	rep.Money[0].Spans[6] = ledger.MoneyFigures{Held: 2, HeldMinor: 124_900, Released: 1, ReleasedMinor: 5}
	d := p.figuresOf("7", moments, rep)
	if d.From != "2026-03-04" || d.To != "2026-03-10" || d.Shown != "12,345" || d.Started != "20" || d.Passed != "7" || d.Failed != "5" || d.Abandoned != "3" ||
		d.Median != "1 min 48 s" || d.P90 != "6 min 5 s" || d.TimesOf != "the newest 5,000 that passed" {
		t.Errorf("%+v", d)
	}
	want := []views.MoneyData{{Currency: "USD", Held: "1,249.00 USD", Released: "0.05 USD", HeldOrders: "2", ReleasedOrders: "1"},
		{Currency: "JPY", Held: "12,000 JPY", Released: "0 JPY", HeldOrders: "1", ReleasedOrders: "0", Other: true}}
	if len(d.Money) != 2 || d.Money[0] != want[0] || d.Money[1] != want[1] {
		t.Errorf("money %+v", d.Money)
	}
	pt := d.Ended.Points[2]
	if len(d.Ended.Points) != 7 || pt.Label != "Fri 6" || pt.Long != "Fri 6 Mar 2026" || strings.Join(pt.Texts, " ") != "7 5 3" || pt.Values[0] != 7 || pt.Values[2] != 3 {
		t.Errorf("%+v", pt)
	}
	if m := d.Values.Points[6]; d.Values.Digits != 2 || m.Values[0] != 124_900 || m.Texts[1] != "0.05 USD" || m.Long != "Tue 10 Mar 2026" {
		t.Errorf("%+v", m)
	}
	today, _ := momentsOf("today", time.Date(2026, 3, 10, 15, 12, 0, 0, time.UTC), p.zone)
	rep.Times = ledger.PassTimes{Passes: 1, Median: time.Second, P90: time.Second}
	rep.Spans, rep.Money = make([]ledger.Figures, 24), nil
	if d = p.figuresOf("today", today, rep); d.Ended.Points[23].Long != "23:00 – 00:00" || d.Ended.Head != "Hour" || d.TimesOf != "the one that passed" || d.From != "2026-03-10" || d.To != "2026-03-10" {
		t.Errorf("%+v", d)
	}
}

// TestOverviewFigures: what happens in a Shop stands on its overview, in the day that it happened in by the Shop's clock.
func TestOverviewFigures(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	b.prove(shopHash, 7, "00000000-0000-4000-8000-000000000001", ledger.Person{Given: "Ada"})
	b.try(idv.StateFailed, 90*time.Second)
	b.try(idv.StateExpired, time.Minute)
	id := b.hold(shopHash)
	worth := present(b.shop(shopHash)).money(b.order(shopHash, id).Value)
	count := func(code string) []string {
		page := b.as(ledger.Viewer, shopBase+"/overview?range="+code, nil)
		b.want(200, page)
		var out []string
		for _, part := range strings.Split(page.Body.String(), `<div class="count">`)[1:] {
			_, after, _ := strings.Cut(part, "<strong>")
			value, _, _ := strings.Cut(after, "</strong>")
			out = append(out, value)
		}
		return out
	}
	// Shown: the carts of three Sessions, and the order that was held without any.
	if got := strings.Join(count("today"), " | "); got != "4 | 3 | 1 | 1 | 1 | 0 s | 0 s" {
		t.Errorf("today: %s", got)
	}
	page := b.as(ledger.Viewer, shopBase+"/overview?range=today", nil)
	b.want(200, page, "<title id=\"chart-ended-title\">How verifications ended</title>", "The same figures as a table", worth, "09:00 – 10:00", "of the one that passed",
		shopBase+"/verifications?state=passed&amp;from=2026-03-10&amp;to=2026-03-10")
	b.days(1)
	if got := strings.Join(count("today"), " | "); got != "0 | 0 | 0 | 0 | 0" {
		t.Errorf("the next day: %s", got)
	}
	b.want(200, b.as(ledger.Viewer, shopBase+"/overview?range=today", nil), "Nobody passed in this time.", "No order was held or released in this time.")
	if got := strings.Join(count("7"), " | "); got != "4 | 3 | 1 | 1 | 1 | 0 s | 0 s" {
		t.Errorf("of seven days: %s", got)
	}
	b.want(200, b.as(ledger.Viewer, shopBase+"/overview", nil), "Last 7 days", worth)
	b.signInAll(otherHash)
	other := b.send(b.cookies[otherHash+" owner"], "/s/"+otherHash+"/overview?range=90", nil)
	b.want(200, other, "Nobody passed in this time.")
}

// try begins a verification for a cart of its own, and ends it.
func (b *bench) try(state idv.State, after time.Duration) string {
	b.Helper()
	shop, l := b.shop(shopHash), b.s.Ledger
	id := ledger.NewSessionID(b.clock())
	cart := "cart of " + id
	c := ledger.Capability{Shop: shopHash, Purpose: ledger.ForCart, CartID: cart, Mailbox: shop.MailboxHash("ada@example.com"), Channel: 1, ExpiresAt: b.clock().Add(time.Hour)}
	d := ledger.NewDecision{Facts: gate.Facts{Stage: gate.AtCheckout, CartID: cart}, Policy: shop.Policy.Version, MadeBy: ledger.ByRule,
		Decision: gate.Decision{Outcome: gate.Verify, Mode: gate.Enforce, Reasons: []gate.Reason{{Code: gate.NoProof}}}}
	_, err := l.RecordCartDecision(b.Context(), shop, d, &c, b.clock())
	b.ok(err)
	b.ok(l.StartSession(b.Context(), shop, c, ledger.Session{ID: id, Provider: "1kosmos", Ref: cart, CaptureURL: "https://capture.example/" + cart, Requirement: gate.Requirement{IAL: 2},
		Policy: shop.Policy.Version, Deadline: b.clock().Add(time.Hour), PollAt: b.clock()}, b.clock()))
	if state == "" {
		return id
	}
	b.wait(after)
	ns, err := l.LeaseSessions(b.Context(), shopHash, b.clock(), b.clock().Add(time.Minute), 1)
	b.ok(err)
	m := ledger.Move{State: state, Reason: "expired_document"}
	if !state.Final() {
		m.PollAt, m.Deadline = b.clock().Add(time.Hour), b.clock().Add(time.Hour)
	}
	moved, err := l.MoveSession(b.Context(), shop, ns[0], m, b.clock())
	if err != nil || !moved || ns[0].ID != id {
		b.Fatalf("session %s did not move: %v", id, err)
	}
	return id
}
