package ledger

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"
)

// waiting is a ledger in which something of every kind waits for later, and something of every kind is under a lease, by a clock that
// shows now.
func (r *rig) waiting() {
	r.Helper()
	ctx := r.Context()
	later := r.now.Add(time.Minute)
	for i := range 2 {
		_, err := r.l.RecordNotice(ctx, r.notice(shopHash, 1+i), r.now)
		r.ok(err)
	}
	notices, err := r.l.LeaseNotices(ctx, shopHash, r.now, later, 9)
	r.ok(err)
	r.ok(r.l.PostponeNotice(ctx, notices[0], later, "later"))
	r.known(11, 1, 2)
	r.ok(r.l.PostponeOrder(ctx, r.evaluated(1), later, "later"))
	r.evaluated(2)
	r.owe(Hold, 1, "d")
	r.ok(r.l.PostponeWriteback(ctx, r.owed(0), later, "later"))
	r.owe(Hold, 2, "d")
	r.owed(0)
	first := r.session(r.cart("c1", 0, ""))
	r.ok(r.l.PostponeSession(ctx, r.polled(), later, "later"))
	r.ok(r.l.WakeSession(ctx, shopHash, first.ID, r.now))
	r.ok(r.l.PostponeSession(ctx, r.polled(), later, "later"))
	r.session(r.cart("c2", 0, ""))
	r.polled()
	r.ok(r.l.AdvanceSweep(ctx, shopHash, r.now, later))
	r.ok(r.l.RecordInstallation(ctx, shopHash, json.RawMessage("{}"), r.now, r.now.Add(24*time.Hour)))
	r.install("other9")
	r.ok(r.l.SuspendShop(ctx, r.row("other9"), r.now, r.now.Add(time.Hour)))
	r.ok(r.l.SuspectShop(ctx, shopHash, r.now))
}

// TestResumeAfterClockSetBack: the clock was a day ahead for a while. What was to come in a minute does not come in a day.
func TestResumeAfterClockSetBack(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	const day = 24 * time.Hour
	r.now = start.Add(day)
	r.waiting()
	ahead := r.now
	r.now = start
	for _, b := range []Bell{NoticeBell, OrderBell, SessionBell, WritebackBell, ShopBell} {
		select { // heard before
		case <-r.l.Ring(b):
		default:
		}
		due, err := r.l.Due(ctx, b, r.now)
		r.ok(err)
		if len(due) != 0 {
			t.Fatalf("%s: due already are %v", b, due)
		}
	}
	later, leased := fmt.Sprint(millis(ahead.Add(time.Minute))), fmt.Sprint(millis(ahead.Add(lease)))
	session := func(cart string) string {
		return "sessions " + r.value("SELECT id FROM sessions WHERE cart_id = ?", cart)
	}
	then := fmt.Sprint(millis(ahead))
	r.changes(func() error { return r.l.Resume(ctx, r.now) }, slices.Concat(
		on("notices 1", "due_at: "+later+" -> "+r.at()), on("notices 2", "due_at: "+later+" -> "+r.at()),
		on("orders abc123/1", "due_at: "+later+" -> "+r.at()), on("orders abc123/2", "due_at: "+leased+" -> "+r.at()),
		on("writebacks 1", "due_at: "+later+" -> "+r.at()), on("writebacks 2", "due_at: "+leased+" -> "+r.at()),
		on(session("c1"), "poll_at: "+later+" -> "+r.at(), "woken_at: "+then+" -> "+r.at()),
		on(session("c2"), "poll_at: "+leased+" -> "+r.at(), "leased_until: "+leased+" -> 0"),
		on("shops abc123", "sweep_at: "+later+" -> "+r.at(), "suspected_at: "+then+" -> "+r.at()),
		on("shops other9", "sweep_at: "+then+" -> "+r.at(), fmt.Sprintf("probe_at: %d -> %s", millis(ahead.Add(time.Hour)), r.at())))...)
	for _, b := range []Bell{NoticeBell, OrderBell, SessionBell, WritebackBell, ShopBell} {
		<-r.l.Ring(b)
	}
	if s := r.shop(); !s.SweepAt.Equal(r.now) {
		t.Errorf("in memory: sweeps at %v", s.SweepAt)
	}
	if s := r.l.Suspended(); len(s) != 1 || !s[0].ProbeAt.Equal(r.now) {
		t.Errorf("suspended: %+v", s)
	}
	r.changes(func() error { return r.l.Resume(ctx, r.now) }) // once is enough
}

// TestResumeReconciliation: a reconciliation is never further away than a day.
func TestResumeReconciliation(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	for _, tt := range []struct{ next, want time.Duration }{{time.Hour, time.Hour}, {24 * time.Hour, 24 * time.Hour}, {25 * time.Hour, 24 * time.Hour}, {-time.Hour, -time.Hour}} {
		r.ok(r.l.RecordInstallation(ctx, shopHash, json.RawMessage("{}"), r.now, r.now.Add(tt.next)))
		r.ok(r.l.Resume(ctx, r.now))
		if s := r.shop(); !s.ReconcileAt.Equal(r.now.Add(tt.want)) {
			t.Errorf("%v: in %v, want %v", tt.next, s.ReconcileAt.Sub(r.now), tt.want)
		}
	}
}

// TestResumeTakesLeases: whoever lives on after the clock was set back and holds a lease has lost it, or ends it before anybody else has one.
func TestResumeTakesLeases(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	_, err := r.l.RecordNotice(ctx, r.notice(shopHash, 1), r.now)
	r.ok(err)
	ns, err := r.l.LeaseNotices(ctx, shopHash, r.now, r.now.Add(lease), 9)
	r.ok(err)
	o := r.evaluated(7)
	r.session(r.cart("c1", 0, ""))
	n := r.polled()
	r.owe(Hold, 7, "d")
	w := r.owed(0)
	r.wait(-time.Hour)
	r.ok(r.l.Resume(ctx, r.now))
	second, third := r.polled(), r.owed(0)
	again := r.leased(7)
	r.changes(func() error { return r.l.FinishNotice(ctx, ns[0], "late", []int64{9}, r.now) })
	r.changes(func() error { return r.l.PostponeSession(ctx, n, r.now, "late") })
	r.changes(func() error { return r.l.FinishWriteback(ctx, w, "late", r.now) })
	r.changes(func() error {
		r.is(r.l.SettleOrder(ctx, r.shop(), o, Settlement{Order: r.order(7)}, r.now), ErrLeaseLost)
		return nil
	})
	r.ok(r.l.PostponeSession(ctx, second, r.now.Add(time.Second), ""))
	r.ok(r.l.FinishWriteback(ctx, third, "done", r.now))
	r.ok(r.l.SettleOrder(ctx, r.shop(), again, Settlement{Order: r.order(7)}, r.now))
}

// TestSuspendShop: a Shop whose token is refused is not worked for until it is accepted again, or a new one came; since when, and when to
// ask again, is remembered.
func TestSuspendShop(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.install("other9")
	r.exec("UPDATE shops SET sweep_at = 1, reconcile_at = 2")
	probe := r.now.Add(time.Hour)
	r.changes(func() error { return r.l.SuspendShop(ctx, r.row(shopHash), r.now, probe) },
		on("shops abc123", "state: installed -> suspended", "suspended_at: 0 -> "+r.at(), fmt.Sprintf("probe_at: 0 -> %d", millis(probe)))...)
	suspended := r.now
	if len(r.l.Shops()) != 1 || len(r.l.Suspended()) != 1 {
		t.Errorf("worked for %v, suspended %v", r.l.Shops(), r.l.Suspended())
	}
	r.wait(time.Hour)
	r.changes(func() error { return r.l.SuspendShop(ctx, r.row(shopHash), r.now, r.now.Add(time.Hour)) }) // it is since before
	r.changes(func() error { return r.l.ProbeShopAt(ctx, r.row(shopHash), r.now.Add(2*time.Hour)) },
		on("shops abc123", fmt.Sprintf("probe_at: %d -> %d", millis(probe), millis(r.now.Add(2*time.Hour))))...)
	if s := r.l.Suspended()[0]; s.Hash != shopHash || !s.SuspendedAt.Equal(suspended) || !s.ProbeAt.Equal(r.now.Add(2*time.Hour)) || s.Token == "" {
		t.Errorf("suspended: %+v", *s)
	}
	r.changes(func() error { return r.l.ProbeShopAt(ctx, r.row("other9"), r.now) }) // it is not suspended
	r.changes(func() error { return r.l.ResumeShop(ctx, r.row("other9"), r.now) })
	r.changes(func() error { return r.l.ResumeShop(ctx, r.row(shopHash), r.now) },
		on("shops abc123", "state: suspended -> installed", fmt.Sprintf("suspended_at: %d -> 0", millis(suspended)), fmt.Sprintf("probe_at: %d -> 0", millis(r.now.Add(2*time.Hour))),
			"sweep_at: 1 -> "+r.at(), "reconcile_at: 2 -> "+r.at())...)
	for _, b := range []Bell{NoticeBell, OrderBell, WritebackBell, ShopBell} {
		<-r.l.Ring(b)
	}
	if s := r.shop(); s.State != Installed || !s.SuspendedAt.IsZero() || !s.ProbeAt.IsZero() || !s.SweepAt.Equal(r.now) || !s.ReconcileAt.Equal(r.now) || len(r.l.Suspended()) != 0 {
		t.Errorf("resumed: %+v", *s)
	}
	// A new token ends it as well.
	r.ok(r.l.SuspendShop(ctx, r.row(shopHash), r.now, probe))
	r.install(shopHash)
	if s := r.shop(); s.State != Installed || !s.SuspendedAt.IsZero() || !s.ProbeAt.IsZero() {
		t.Errorf("installed again: %+v", *s)
	}
	// One that has gone is neither suspended nor resumed.
	r.ok(r.l.UninstallShop(ctx, r.row(shopHash), r.now))
	r.changes(func() error { return r.l.SuspendShop(ctx, r.row(shopHash), r.now, probe) })
	r.changes(func() error { return r.l.ResumeShop(ctx, r.row(shopHash), r.now) })
}

// TestAnswersToAFormerToken: what BigCommerce said of a token says nothing of a Shop that has a newer one, whatever came of it meanwhile.
func TestAnswersToAFormerToken(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	former := r.shop()
	said := func(change func() error) {
		t.Helper()
		r.changes(func() error {
			r.is(change(), ErrReplaced)
			return nil
		})
	}
	all := func() {
		t.Helper()
		said(func() error { return r.l.SuspendShop(ctx, former, r.now, r.now.Add(time.Hour)) })
		said(func() error { return r.l.ProbeShopAt(ctx, former, r.now.Add(time.Hour)) })
		said(func() error { return r.l.ResumeShop(ctx, former, r.now) })
		said(func() error { return r.l.UninstallShop(ctx, former, r.now) })
	}
	r.install(shopHash)
	if got := r.shop().Grants; got != former.Grants+1 {
		t.Errorf("grant %d after %d", got, former.Grants)
	}
	all()
	if s := r.shop(); s.State != Installed || s.Token == "" || s.HookSecret == "" {
		t.Errorf("installed again: %+v", *s)
	}
	r.ok(r.l.SuspendShop(ctx, r.shop(), r.now, r.now.Add(time.Minute)))
	all()
	r.ok(r.l.UninstallShop(ctx, r.shop(), r.now))
	all()
}

// TestSuspectShop: what we should have been told and were not makes the installation due, once an hour, and never later than it was.
func TestSuspectShop(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.ok(r.l.RecordInstallation(ctx, shopHash, json.RawMessage("{}"), r.now, r.now.Add(24*time.Hour)))
	<-r.l.Ring(ShopBell)
	next := fmt.Sprint(millis(r.now.Add(24 * time.Hour)))
	r.changes(func() error { return r.l.SuspectShop(ctx, shopHash, r.now) }, on("shops abc123", "suspected_at: 0 -> "+r.at(), "reconcile_at: "+next+" -> "+r.at())...)
	<-r.l.Ring(ShopBell)
	if s := r.shop(); !s.ReconcileAt.Equal(r.now) {
		t.Errorf("in memory: %v", s.ReconcileAt)
	}
	was := r.at()
	r.exec("UPDATE shops SET reconcile_at = ?", millis(r.now.Add(24*time.Hour)))
	r.wait(time.Hour - time.Millisecond)
	r.changes(func() error { return r.l.SuspectShop(ctx, shopHash, r.now) })
	select {
	case <-r.l.Ring(ShopBell):
		t.Error("rung for nothing")
	default:
	}
	r.wait(time.Millisecond)
	r.changes(func() error { return r.l.SuspectShop(ctx, shopHash, r.now) }, on("shops abc123", "suspected_at: "+was+" -> "+r.at(), "reconcile_at: "+next+" -> "+r.at())...)
	was = r.at()
	r.exec("UPDATE shops SET reconcile_at = 5")
	r.wait(time.Hour)
	r.changes(func() error { return r.l.SuspectShop(ctx, shopHash, r.now) }, on("shops abc123", "suspected_at: "+was+" -> "+r.at())...)
	r.changes(func() error { return r.l.SuspectShop(ctx, "nobody", r.now) })
}

// TestSettings: a Shop's settings are replaced whole, and found again.
func TestSettings(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.install("other9")
	want := Settings{}
	look := func() {
		t.Helper()
		if s := r.shop(); !reflect.DeepEqual(s.Settings, want) {
			t.Errorf("%+v, want %+v", s.Settings, want)
		}
	}
	look()
	want = Settings{AlarmTo: "staff@shop.example", Texts: map[string]map[string]string{"en": {"k": "v"}}, Documents: []string{"passport"}, SessionsPerDay: 7,
		ScriptOnAllPages: true, ConfirmationScript: true, InlineLock: true, Branding: Branding{Name: "Shop"}, Channels: map[int64]Look{7: {Branding: Branding{Accent: "#005f73"}}}, GuideSkipped: true, SignBack: true,
		Staff: StaffMails{To: []string{"a@shop.example"}, Alarms: []AlarmKind{OrderAlarm}, Digest: Weekly}}
	for i := range reflect.ValueOf(want).NumField() {
		if reflect.ValueOf(want).Field(i).IsZero() {
			t.Errorf("%s is not tried", reflect.TypeFor[Settings]().Field(i).Name)
		}
	}
	monday := time.Date(2026, 3, 9, 8, 0, 0, 0, time.UTC) // the digest's last hour, of a week and without one of a day
	const stored = `{"alarm_to":"staff@shop.example","texts":{"en":{"k":"v"}},"documents":["passport"],"sessions_per_day":7,"script_on_all_pages":true,"confirmation_script":true,"inline_lock":true,"branding":{"name":"Shop"},"channels":{"7":{"branding":{"accent":"#005f73"}}},"guide_skipped":true,"sign_back":true,"staff":{"to":["a@shop.example"],"alarms":["orders"],"digest":"weekly"}}`
	r.changes(func() error { return r.set(ctx, want) }, on("shops abc123", fmt.Sprintf("digest_to: 0 -> %d", millis(monday)), "settings: {} -> "+stored)...)
	look()
	r.ok(r.l.Close())
	r.open()
	look()
	want = Settings{}
	r.changes(func() error { return r.set(ctx, want) }, on("shops abc123", fmt.Sprintf("digest_to: %d -> %d", millis(monday), millis(monday.AddDate(0, 0, 1))), "settings: "+stored+" -> {}")...)
	look()
	// What cannot be read keeps the Shop from being opened, rather than be taken for nothing.
	r.exec("UPDATE shops SET settings = '{'")
	r.ok(r.l.Close())
	if _, err := Open(ctx, options(r.path, r.log)); err == nil {
		t.Error("opened with settings that cannot be read")
	}
}
