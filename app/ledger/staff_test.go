package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"idgate/queries"
)

// team says who is mailed what.
func (r *rig) team(n StaffMails) {
	r.Helper()
	_, err := r.l.ChangeSettings(context.Background(), shopHash, SettingsChange{To: func(was Settings) (Settings, string, error) {
		was.Staff = n
		return was, "team", nil
	}}, r.now)
	r.ok(err)
}

// rings raises an alarm, and what goes with it in its transaction.
func (r *rig) rings(kind AlarmKind, cause string, with error) error {
	r.Helper()
	return r.l.do(context.Background(), func(ctx context.Context, t *tx) error {
		if err := t.alarm(ctx, shopHash, kind, cause, "leaked", 118, r.now); err != nil {
			return err
		}
		return with
	})
}

// owedStaff are the mails to staff that are owed: kind and mailbox.
func (r *rig) owedStaff() (out []string) {
	r.Helper()
	ws, err := r.l.OrderWritebacks(context.Background(), shopHash, 0)
	r.ok(err)
	for _, w := range ws {
		n, ok := ParseStaffRef(w.Ref)
		to, named := r.shop().StaffMailbox(n)
		if !ok || w.Kind != Mail || strings.Contains(w.Ref, "@") {
			r.Errorf("%+v", w)
		}
		if !named {
			to = "nobody"
		}
		out = append(out, n.Kind+" "+to)
	}
	slices.Sort(out)
	return out
}

// TestStaffAlarm: an alarm is stored with its cause or not at all, once, and only where somebody wants it.
func TestStaffAlarm(t *testing.T) {
	r := newRig(t)
	count := func(want string) { t.Helper(); r.want(want, "SELECT count(*) FROM staff_alarms") }
	r.ok(r.rings(OrderAlarm, "a", nil))
	count("0") // nobody is named
	r.team(StaffMails{To: []string{"a@shop.example", "b@shop.example"}, Alarms: []AlarmKind{OrderAlarm}})
	r.ok(r.rings(ReviewAlarm, "a", nil))
	count("0") // not of this kind
	failed := errors.New("failed")
	r.is(r.rings(OrderAlarm, "a", failed), failed)
	count("0")
	r.ok(r.rings(OrderAlarm, "a", nil))
	r.ok(r.rings(OrderAlarm, "a", nil))
	count("1")
	mail := func() (int, error) { return r.l.MailAlarms(t.Context(), r.shop(), r.now) }
	mails := func(want int) {
		t.Helper()
		if n, err := mail(); n != want || err != nil {
			t.Errorf("%d, %v; want %d", n, err, want)
		}
	}
	due := func(want ...string) {
		t.Helper()
		if got, err := r.l.DueStaff(t.Context(), r.now); !slices.Equal(got, want) || err != nil {
			t.Errorf("due %q, %v; want %q", got, err, want)
		}
	}
	due()
	mails(0) // it waits for others
	r.wait(alarmGather)
	due(shopHash)
	mails(1)
	mails(0)
	due(shopHash) // the mails themselves
	if got := r.owedStaff(); !slices.Equal(got, []string{"orders a@shop.example", "orders b@shop.example"}) {
		t.Errorf("%q", got)
	}
	r.ok(r.rings(OrderAlarm, "a", nil)) // the same again, that was told
	count("1")
	r.ok(r.rings(OrderAlarm, "b", nil))
	r.wait(alarmEvery - alarmGather)
	r.exec("UPDATE writebacks SET state = 'done', due_at = 0")
	r.wait(alarmGather - time.Millisecond)
	due()
	mails(0)
	r.wait(time.Millisecond)
	due(shopHash)
	mails(1)
	if got := r.owedStaff(); len(got) != 4 {
		t.Errorf("%q", got)
	}
	// Whoever is taken out is owed nothing; where nobody is left, what waits goes.
	r.ok(r.rings(OrderAlarm, "c", nil))
	r.team(StaffMails{})
	if got := r.owedStaff(); !slices.Equal(got, []string{"orders nobody", "orders nobody", "orders nobody", "orders nobody"}) {
		t.Errorf("%q", got)
	}
	mails(1)
	count("2")
	if got := r.owedStaff(); len(got) != 4 {
		t.Errorf("%q", got)
	}
	// What was told is kept for a while.
	forget(r, t.Context(), r.now.Add(keepTraffic-time.Hour))
	count("2")
	forget(r, t.Context(), r.now.Add(keepTraffic+time.Hour))
	count("0")
}

// TestStaffAlarmsOf: a mail tells of its own alarms, of the first 50 by name, and is called by what it tells.
func TestStaffAlarmsOf(t *testing.T) {
	r := newRig(t)
	r.team(StaffMails{To: []string{"a@shop.example"}, Alarms: []AlarmKind{OrderAlarm}})
	for i := range alarmNamed + 3 {
		r.ok(r.rings(OrderAlarm, fmt.Sprint("c", i), nil))
	}
	r.wait(alarmGather)
	name := func() string {
		_, err := r.l.MailAlarms(t.Context(), r.shop(), r.now)
		r.ok(err)
		ws, err := r.l.OrderWritebacks(t.Context(), shopHash, 0)
		r.ok(err)
		if len(ws) != 1 {
			t.Fatalf("%+v", ws)
		}
		n, _ := ParseStaffRef(ws[0].Ref)
		return n.Mail
	}
	first := name()
	some, all, err := r.l.AlarmsOf(t.Context(), shopHash, first)
	r.ok(err)
	if len(some) != alarmNamed || all != alarmNamed+3 || some[0] != (StaffAlarm{"leaked", 118, start}) {
		t.Errorf("%d of %d: %+v", len(some), all, some[:1])
	}
	if some, all, err := r.l.AlarmsOf(t.Context(), "other9", first); len(some) != 0 || all != 0 || err != nil {
		t.Errorf("another shop's: %+v, %d, %v", some, all, err)
	}
	// A ledger that lost it owes the same mail under the same name.
	r.exec("DELETE FROM writebacks")
	r.exec("UPDATE staff_alarms SET mail = '', mailed_at = 0")
	r.wait(alarmEvery)
	if again := name(); again != first {
		t.Errorf("%s, then %s", first, again)
	}
}

// TestStaffUninstalled: what waits goes with the app, and whoever installs it again is told of nothing that was.
func TestStaffUninstalled(t *testing.T) {
	r := newRig(t)
	r.team(StaffMails{To: []string{"a@shop.example"}, Alarms: AlarmKinds(), Digest: Daily})
	r.ok(r.rings(OrderAlarm, "a", nil))
	r.ok(r.l.UninstallShop(t.Context(), r.row(shopHash), r.now))
	r.want("0", "SELECT count(*) FROM staff_alarms")
	r.ok(r.rings(OrderAlarm, "b", nil))
	r.want("0", "SELECT count(*) FROM staff_alarms")
	r.wait(48 * time.Hour)
	if due, err := r.l.DueStaff(t.Context(), r.now); len(due) != 0 || err != nil {
		t.Errorf("due %q, %v", due, err)
	}
}

// TestDigestDue: a digest is due at 08:00 by the Shop's clock, and once.
func TestDigestDue(t *testing.T) {
	for _, c := range []struct {
		n         DigestInterval
		zone, now string
		due       string // in UTC
	}{
		{Daily, "UTC", "2026-05-04T07:59:59Z", "2026-05-03T08:00:00Z"},
		{Daily, "UTC", "2026-05-04T08:00:00Z", "2026-05-04T08:00:00Z"},
		{Daily, "Nowhere/Here", "2026-05-04T08:00:00Z", "2026-05-04T08:00:00Z"}, // counts as UTC
		{Daily, "Europe/Berlin", "2026-10-25T06:59:59Z", "2026-10-24T06:00:00Z"},
		{Daily, "Europe/Berlin", "2026-10-25T07:00:00Z", "2026-10-25T07:00:00Z"}, // winter time has begun
		{Daily, "America/New_York", "2027-03-14T12:00:00Z", "2027-03-14T12:00:00Z"},
		{Daily, "Pacific/Kiritimati", "2026-12-31T18:00:00Z", "2026-12-31T18:00:00Z"}, // there it is 2027
		{Weekly, "UTC", "2026-05-04T07:59:59Z", "2026-04-27T08:00:00Z"},               // a Monday
		{Weekly, "UTC", "2026-05-04T08:00:00Z", "2026-05-04T08:00:00Z"},
		{Weekly, "UTC", "2026-05-10T23:59:59Z", "2026-05-04T08:00:00Z"}, // a Sunday
		{Weekly, "Europe/Berlin", "2026-10-26T06:59:00Z", "2026-10-19T06:00:00Z"},
		{Weekly, "Europe/Berlin", "2026-10-26T07:00:00Z", "2026-10-26T07:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		s := &Shop{Timezone: c.zone, Settings: Settings{Staff: StaffMails{To: []string{"a@shop.example"}, Digest: c.n}}}
		due, ok := s.DigestDue(now)
		if got := due.UTC().Format(time.RFC3339); got != c.due || !ok {
			t.Errorf("%s in %s at %s: %s, %t; want %s", c.n, c.zone, c.now, got, ok, c.due)
		}
		for at, want := range map[time.Time]bool{due: false, due.Add(-time.Second): true, now.Add(farAhead): false, now.Add(farAhead + time.Second): true} {
			s.DigestTo = at
			if _, ok := s.DigestDue(now); ok != want {
				t.Errorf("%s in %s at %s, settled to %s: %t", c.n, c.zone, c.now, at, ok)
			}
		}
		s.DigestTo = time.Time{}
		s.State = Uninstalled
		if _, ok := s.DigestDue(now); ok {
			t.Error("due in a shop that is uninstalled")
		}
	}
}

// TestSettleDigest: a digest is settled once, owed once for its day whatever was settled meanwhile, and not before it was wanted.
func TestSettleDigest(t *testing.T) {
	r := newRig(t)
	settle := func(s *Shop, due time.Time, happened bool, want int) {
		t.Helper()
		r.ok(r.l.SettleDigest(t.Context(), s, due, happened, r.now))
		if got := r.owedStaff(); len(got) != want {
			t.Errorf("%q, want %d", got, want)
		}
	}
	before := r.shop()
	r.team(StaffMails{To: []string{"a@shop.example"}, Digest: Daily})
	last := Daily.lastDigest(r.now, time.UTC)
	if _, ok := r.shop().DigestDue(r.now); ok || !r.shop().DigestTo.Equal(last) {
		t.Errorf("due at once: settled to %s", r.shop().DigestTo)
	}
	next := last.AddDate(0, 0, 1)
	settle(before, next, true, 0) // it was off when that was read
	settle(r.shop(), next, true, 1)
	settle(r.shop(), next, true, 1)
	settle(r.shop(), next.AddDate(0, 0, 1), false, 1)
	settle(r.shop(), next, true, 1) // the clock was set back
	settle(r.shop(), next.AddDate(0, 0, 2), true, 2)
	// Another interval begins with its own next.
	r.team(StaffMails{To: []string{"a@shop.example"}, Digest: Weekly})
	if s := r.shop(); !s.DigestTo.Equal(Weekly.lastDigest(r.now, time.UTC)) {
		t.Errorf("settled to %s", s.DigestTo)
	}
	to := r.shop().DigestTo
	r.exec("UPDATE shops SET digest_to = 5")
	r.team(StaffMails{To: []string{"a@shop.example", "b@shop.example"}, Digest: Weekly}) // another mailbox makes no difference
	r.want("5", "SELECT digest_to FROM shops WHERE store_hash = ?", shopHash)
	r.team(StaffMails{To: nil, Digest: Weekly})
	r.team(StaffMails{To: []string{"b@shop.example"}, Digest: Weekly}) // nobody was mailed meanwhile
	r.want(fmt.Sprint(millis(to)), "SELECT digest_to FROM shops WHERE store_hash = ?", shopHash)
}

// TestDigestOf: what a mail's ref names is read back, and nothing else is.
func TestDigestOf(t *testing.T) {
	r := newRig(t)
	r.ok(r.l.DescribeShop(t.Context(), shopHash, Description{Timezone: "America/Sao_Paulo", Currency: "BRL"}))
	d, err := r.l.DigestOf(t.Context(), r.shop(), "weekly.2018-11-05") // the clock was put forward on the Sunday's midnight
	r.ok(err)
	if d.Interval != Weekly || d.From.Format(time.RFC3339) != "2018-10-29T00:00:00-03:00" || d.To.Format(time.RFC3339) != "2018-11-05T00:00:00-02:00" || d.Happened() {
		t.Errorf("%+v", d)
	}
	if d, err = r.l.DigestOf(t.Context(), r.shop(), "daily.2018-11-05"); err != nil || d.From.Format(time.RFC3339) != "2018-11-04T01:00:00-02:00" {
		t.Errorf("%+v, %v", d, err)
	}
	for _, which := range []string{"", "daily", "daily.", "daily.5 May", "hourly.2018-11-05", ".2018-11-05"} {
		_, err := r.l.DigestOf(t.Context(), r.shop(), which)
		r.is(err, ErrNotFound)
	}
	r.exec("INSERT INTO figures (store_hash, quarter, shown) VALUES (?, ?, 1)", shopHash, quarterOf(d.From))
	r.exec("INSERT INTO writebacks (store_hash, key, kind, subject, urgency, state, due_at, made_at, done_at) VALUES (?, 'k', 'cancel', 1, 0, 'done', 0, 1, ?)", shopHash, millis(d.From)-1)
	d, err = r.l.Digest(t.Context(), r.shop(), Daily, d.To.Add(8*time.Hour))
	if !d.Happened() || d.Is != (Figures{Shown: 1}) || d.IsCancelled != 0 || d.WasCancelled != 1 || err != nil {
		t.Errorf("%+v, %v", d, err)
	}
	if !(Digest{IsCancelled: 1}).Happened() || !(Digest{Money: []MoneyReport{{Spans: []MoneyFigures{{}, {Held: 1}}}}}).Happened() || (Digest{WasCancelled: 1, Money: []MoneyReport{{Spans: []MoneyFigures{{Held: 1}, {}}}}}).Happened() {
		t.Error("what happened, and what had before")
	}
}

// TestStaffRef reads refs of mails.
func TestStaffRef(t *testing.T) {
	for ref, want := range map[string]StaffRef{
		"team_orders-0a1b#c2d3": {"orders", "0a1b", "c2d3"}, "team_digest-daily.2026-05-04#c2d3": {"digest", "daily.2026-05-04", "c2d3"}, "team_": {},
	} {
		if got, ok := ParseStaffRef(ref); got != want || !ok {
			t.Errorf("%s: %+v, %t", ref, got, ok)
		}
	}
	for _, ref := range []string{"link#1", "endpoint_off-3#5", "leaked#1", ""} {
		if got, ok := ParseStaffRef(ref); ok || got != (StaffRef{}) {
			t.Errorf("%s: %+v", ref, got)
		}
	}
}

// TestStaffMissingScopes: a permission is told of when it is found missing, not each day anew, and again once it was there meanwhile.
func TestStaffMissingScopes(t *testing.T) {
	r := newRig(t)
	r.team(StaffMails{To: []string{"a@shop.example"}, Alarms: []AlarmKind{TroubleAlarm}})
	found := func(report, want string) {
		t.Helper()
		r.wait(time.Hour)
		r.ok(r.l.RecordInstallation(t.Context(), shopHash, []byte(report), r.now, r.now.Add(24*time.Hour)))
		r.want(want, "SELECT coalesce(group_concat(what, ' '), '') FROM (SELECT what FROM staff_alarms ORDER BY id)")
	}
	found(`{}`, "")
	found(`{"missing_scopes":["a","b"]}`, "scope:a scope:b")
	found(`{"missing_scopes":["b"]}`, "scope:a scope:b")
	found(`{"missing_scopes":["a","b"]}`, "scope:a scope:b scope:a")
	if err := r.l.RecordInstallation(t.Context(), shopHash, []byte(`{`), r.now, r.now); err == nil {
		t.Error("a report that cannot be read was stored")
	}
	p := queries.StaffAlarmsSinceParams{StoreHash: shopHash, Kind: string(TroubleAlarm), Since: millis(start), Now: millis(r.now)}
	if is, err := r.l.read.StaffAlarmsSince(t.Context(), p); !is || err != nil {
		t.Error(is, err)
	}
}
