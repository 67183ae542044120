package relay_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
	"idgate/app/sim/mailbox"
)

// team says who of the shop's staff is mailed what.
func (w *world) team(n ledger.StaffMails) {
	w.t.Helper()
	_, err := w.ledger.ChangeSettings(context.Background(), hash, ledger.SettingsChange{To: func(was ledger.Settings) (ledger.Settings, string, error) {
		was.Staff = n
		return was, "the team", nil
	}}, w.now())
	w.must(err)
}

// rests lets time pass and all that is due be done.
func (w *world) rests(d time.Duration) {
	w.t.Helper()
	w.clock.pass(d)
	w.settle()
}

// staff lists the mails to staff that have come since the last asking.
func (w *world) staff(seen *int) (out []mailbox.Mail) {
	for _, m := range w.mailbox.Mails() {
		if m.Number > *seen && strings.HasSuffix(m.To, "@team.example") {
			out = append(out, m)
		}
		*seen = max(*seen, m.Number)
	}
	return out
}

// subjects are the mails' subjects, without the shop's name.
func subjects(mails []mailbox.Mail) (out []string) {
	for _, m := range mails {
		out = append(out, strings.TrimPrefix(m.Subject, "Test Shop: "))
	}
	slices.Sort(out)
	return out
}

var everyAlarm = ledger.StaffMails{To: []string{"a@team.example"}, Alarms: ledger.AlarmKinds()}

// noShopper fails when a mail to staff names a shopper, or carries a link that does anything by itself.
func (w *world) noShopper(mails []mailbox.Mail) {
	w.t.Helper()
	for _, m := range mails {
		for _, text := range []string{m.Subject, m.Text, m.HTML} {
			if strings.Contains(text, "@example.com") || strings.Contains(text, "Lovelace") || strings.Contains(text, "Ada") || strings.Contains(text, "/v/") {
				w.t.Errorf("a mail to staff says too much: %s", text)
			}
		}
		for _, l := range m.Links {
			if !strings.HasPrefix(l, w.app.URL+"/s/"+hash+"/") {
				w.t.Errorf("a mail to staff leads to %s", l)
			}
		}
		if !strings.HasSuffix(strings.TrimSpace(m.Text), "/s/"+hash+"/settings/mails") || !strings.Contains(m.HTML, "/s/"+hash+"/settings/mails") {
			w.t.Errorf("%q does not say where to switch it off", m.Subject)
		}
		if m.FromName != "Test Shop" {
			w.t.Errorf("%q comes from %q", m.Subject, m.FromName)
		}
	}
}

// TestStaffAlarms: each kind of alarm is mailed once, to each mailbox, and no other kind with it.
func TestStaffAlarms(t *testing.T) {
	ten := 10
	hold := func(w *world) int64 {
		o := w.api()
		w.rests(2 * time.Second)
		return o.ID
	}
	for name, c := range map[string]struct {
		kind ledger.AlarmKind
		do   func(w *world) (order int64)
		want string // %d: the order
	}{
		"a leak": {ledger.OrderAlarm, func(w *world) int64 {
			return w.api(func(a *sim.APIOrder) { a.StatusID = &ten }).ID
		}, "Order %d left without proof"},
		"moved": {ledger.OrderAlarm, func(w *world) int64 {
			w.policy(func(p *gate.Policy) { p.OnMoved = gate.Accept })
			id := hold(w)
			w.setStatus(id, 11)
			return id
		}, "Order %d was moved off our hold by hand"},
		"held again": {ledger.OrderAlarm, func(w *world) int64 {
			id := hold(w)
			w.setStatus(id, 11)
			return id
		}, "Order %d was moved off our hold by hand, and was held again"},
		"a stuck mail": {ledger.TroubleAlarm, func(w *world) int64 {
			w.mailbox.Refuse("ada@example.com", 550)
			return hold(w)
		}, "Order %d: “Mail” is stuck"},
		"a webhook that names nothing": {ledger.TroubleAlarm, func(w *world) int64 {
			_, err := w.ledger.RecordNotice(context.Background(), ledger.NewNotice{Shop: hash, EventAt: w.now(), Hash: "h", Scope: "store/order/created", Subject: "none"}, w.now())
			w.must(err)
			return 0
		}, "A webhook of BigCommerce's could not be handled"},
		"a refused token": {ledger.TroubleAlarm, func(w *world) int64 {
			w.must(w.ledger.SuspendShop(context.Background(), w.s(), w.now(), w.now().Add(time.Hour)))
			return 0
		}, "BigCommerce refuses our token: install the app again"},
		"a permission": {ledger.TroubleAlarm, func(w *world) int64 {
			report := []byte(`{"missing_scopes":["store_v2_orders"]}`)
			for range 2 { // known the second time
				w.must(w.ledger.RecordInstallation(context.Background(), hash, report, w.now(), w.now().Add(240*time.Hour)))
			}
			return 0
		}, "The permission store_v2_orders is missing"},
		"review": {ledger.ReviewAlarm, func(w *world) int64 {
			id := hold(w)
			w.openLinkAndVerify(w.link(id), simkosmos.NeedsReview)
			return id
		}, "Order %d waits for review: in review at 1Kosmos"},
	} {
		t.Run(name, func(t *testing.T) {
			w, seen := newWorld(t), 0
			w.team(ledger.StaffMails{To: []string{"a@team.example", "b@team.example"}, Alarms: []ledger.AlarmKind{c.kind}})
			id := c.do(w)
			w.settle()
			if got := w.staff(&seen); len(got) != 0 {
				t.Errorf("at once: %q", subjects(got))
			}
			w.rests(31 * time.Second)
			w.rests(31 * time.Second)
			want := c.want
			if id != 0 {
				want = fmt.Sprintf(c.want, id)
			}
			got := w.staff(&seen)
			if s := subjects(got); !slices.Equal(s, []string{want, want}) || got[0].To == got[1].To {
				t.Errorf("%q, want %q twice", s, want)
			}
			w.noShopper(got)
			for range 4 {
				w.rests(15 * time.Minute)
			}
			if got := w.staff(&seen); len(got) != 0 {
				t.Errorf("once more: %q", subjects(got))
			}
			if name != "a refused token" {
				w.check()
			}
		})
		t.Run(name+", and nobody wants it", func(t *testing.T) {
			w, seen := newWorld(t), 0
			n := everyAlarm
			n.Alarms = slices.DeleteFunc(ledger.AlarmKinds(), func(k ledger.AlarmKind) bool { return k == c.kind })
			w.team(n)
			c.do(w)
			for range 3 {
				w.rests(time.Minute)
			}
			for _, m := range w.staff(&seen) {
				if s := subjects([]mailbox.Mail{m})[0]; strings.HasPrefix(s, strings.SplitN(c.want, "%d", 2)[0]) && strings.HasSuffix(s, c.want[strings.LastIndex(c.want, " "):]) {
					t.Errorf("mailed %q", s)
				}
			}
		})
	}
}

// TestStaffAlarmsTogether: what happens at once is told in one mail, and what comes after it in another a quarter of an hour later.
func TestStaffAlarmsTogether(t *testing.T) {
	w, seen, ten := newWorld(t), 0, 10
	w.team(everyAlarm)
	leaks := func(n int) {
		for range n {
			w.api(func(a *sim.APIOrder) { a.StatusID = &ten })
			w.rests(time.Second)
		}
	}
	leaks(10)
	w.rests(30 * time.Second)
	got := w.staff(&seen)
	if s := subjects(got); !slices.Equal(s, []string{"10 orders left our hold, or left without proof"}) {
		t.Fatalf("%q", s)
	}
	if m := got[0]; strings.Count(m.Text, "left without proof, Mon 4 May 2026") != 10 || len(m.Links) != 12 { // ten orders, the button, the settings
		t.Errorf("%d links: %s", len(m.Links), m.Text)
	}
	w.noShopper(got)
	leaks(3)
	w.rests(14 * time.Minute)
	if got := w.staff(&seen); len(got) != 0 {
		t.Errorf("within a quarter of an hour: %q", subjects(got))
	}
	w.rests(time.Minute)
	if s := subjects(w.staff(&seen)); !slices.Equal(s, []string{"3 orders left our hold, or left without proof"}) {
		t.Errorf("%q", s)
	}
	// A clock that is set back makes nothing wait, and tells nothing twice.
	leaks(1)
	w.clock.pass(-24 * time.Hour)
	w.must(w.relay.CheckClock(context.Background()))
	w.settle()
	w.rests(time.Minute)
	if s := w.staff(&seen); len(s) != 1 {
		t.Errorf("after the clock was set back: %q", subjects(s))
	}
	w.clock.pass(48 * time.Hour)
	w.settle()
	if s := subjects(w.staff(&seen)); len(s) != 0 {
		t.Errorf("told twice: %q", s)
	}
}

// TestStaffBudget: that the verifications are used up is told once a day, when a shopper is turned away.
func TestStaffBudget(t *testing.T) {
	w, seen := newWorld(t), 0
	w.settings(ledger.Settings{SessionsPerDay: 1, Staff: ledger.StaffMails{To: []string{"a@team.example"}, Alarms: []ledger.AlarmKind{ledger.BudgetAlarm}}})
	start := func() {
		a := w.decide(w.guest("guest@example.com"), nil)
		w.post("sessions", a.Capability, map[string]any{})
	}
	told := func(want int) {
		t.Helper()
		w.rests(time.Minute)
		if s := subjects(w.staff(&seen)); len(s) != want || want > 0 && s[0] != "No more verifications can begin" {
			t.Errorf("%q, want %d", s, want)
		}
	}
	start()
	told(0)
	start()
	told(1)
	for range 5 {
		w.rests(time.Hour)
		start()
	}
	told(0)
	w.rests(20 * time.Hour)
	start()
	start()
	told(1)
}

// TestStaffMailTrouble: a mailbox that refuses shows where the merchant looks, the others are mailed, and nothing is mailed twice.
func TestStaffMailTrouble(t *testing.T) {
	leak := func(w *world) {
		ten := 10
		w.api(func(a *sim.APIOrder) { a.StatusID = &ten })
	}
	mails := func(w *world) map[string]ledger.StoredWriteback {
		ws, err := w.ledger.OrderWritebacks(context.Background(), hash, 0)
		w.must(err)
		out := map[string]ledger.StoredWriteback{}
		for _, x := range ws {
			n, ok := ledger.ParseStaffRef(x.Ref)
			to, _ := w.s().StaffMailbox(n)
			if !ok || x.Kind != ledger.Mail {
				w.t.Errorf("%+v", x)
			}
			out[to] = x
		}
		return out
	}
	two := ledger.StaffMails{To: []string{"a@team.example", "b@team.example"}, Alarms: ledger.AlarmKinds()}
	t.Run("refused for good", func(t *testing.T) {
		w, seen := newWorld(t), 0
		w.team(two)
		w.mailbox.Refuse("a@team.example", 550)
		leak(w)
		w.rests(time.Minute)
		w.rests(time.Hour) // that it is stuck is no alarm
		x := mails(w)
		if a := x["a@team.example"]; a.State != "stuck" || a.Handed || !strings.Contains(a.Reason, "Correct the mailbox under Settings, Mails to your team.") {
			t.Errorf("%+v", a)
		}
		if got := w.staff(&seen); len(got) != 1 || got[0].To != "b@team.example" || x["b@team.example"].State != "done" || len(x) != 2 {
			t.Errorf("%q, %+v", subjects(got), x)
		}
		w.mailbox.Refuse("a@team.example", 0)
		w.must(w.ledger.RetryWriteback(context.Background(), hash, x["a@team.example"].ID, w.now()))
		w.settle()
		if got := w.staff(&seen); len(got) != 1 || got[0].To != "a@team.example" {
			t.Errorf("%q", subjects(got))
		}
		w.check()
	})
	t.Run("down, and then taken out", func(t *testing.T) {
		w, seen := newWorld(t), 0
		w.team(two)
		w.mailbox.SetDown(true)
		leak(w)
		w.rests(time.Minute)
		two := two
		two.To = two.To[:1]
		w.team(two)
		w.mailbox.SetDown(false)
		w.rests(20 * time.Minute)
		if got := w.staff(&seen); len(got) != 1 || got[0].To != "a@team.example" {
			t.Errorf("%q", subjects(got))
		}
		if x := mails(w)[""]; x.State != "dropped" || !strings.Contains(x.Reason, "taken out") {
			t.Errorf("%+v", x)
		}
	})
	t.Run("no answer after it was handed over", func(t *testing.T) {
		w, seen := newWorld(t), 0
		w.team(everyAlarm)
		leak(w)
		w.rests(20 * time.Second)
		w.mailbox.CutAfterData(1)
		w.rests(20 * time.Second)
		w.rests(time.Hour)
		if x := mails(w)["a@team.example"]; x.State != "stuck" || !x.Handed || len(w.staff(&seen)) != 1 {
			t.Errorf("%+v", x)
		}
	})
	t.Run("dying between the alarm, the mail that is owed, and its sending", func(t *testing.T) {
		w, seen := newWorld(t), 0
		w.team(everyAlarm)
		leak(w)
		w.clock.pass(time.Minute)
		for range 3 { // owed, and whoever owed it did nothing more
			_, err := w.ledger.MailAlarms(context.Background(), w.s(), w.now())
			w.must(err)
		}
		_, err := w.ledger.LeaseStaffMails(context.Background(), hash, w.now(), w.now().Add(2*time.Minute), 9)
		w.must(err)
		w.settle()
		if n := len(w.staff(&seen)); n != 0 {
			t.Errorf("%d mails of a leased one", n)
		}
		w.rests(3 * time.Minute)
		w.rests(20 * time.Minute)
		if n := len(w.staff(&seen)); n != 1 {
			t.Errorf("%d mails", n)
		}
		w.check()
	})
}

// TestStaffOfOthers: nobody else's settings count, and who has left is told of nothing.
func TestStaffOfOthers(t *testing.T) {
	ten := 10
	leak := func(w *world) { w.api(func(a *sim.APIOrder) { a.StatusID = &ten }) }
	t.Run("another shop's", func(t *testing.T) {
		w, seen := newWorld(t), 0
		w.must(w.ledger.InstallShop(context.Background(), ledger.Install{StoreHash: "othershop", Token: "t", OwnerID: 1}, w.now()))
		_, err := w.ledger.ChangeSettings(context.Background(), "othershop", allSettings(ledger.Settings{Staff: everyAlarm}), w.now())
		w.must(err)
		leak(w)
		w.rests(time.Minute)
		for _, m := range w.staff(&seen) {
			if strings.Contains(m.Text, "Order ") {
				t.Errorf("another shop's staff were told: %s", m.Text)
			}
		}
	})
	t.Run("uninstalled", func(t *testing.T) {
		w, seen := newWorld(t), 0
		n := everyAlarm
		n.Digest = ledger.Daily
		w.team(n)
		leak(w)
		w.must(w.ledger.UninstallShop(context.Background(), w.s(), w.now()))
		for range 3 {
			w.rests(24 * time.Hour)
		}
		if got := w.staff(&seen); len(got) != 0 {
			t.Errorf("%q", subjects(got))
		}
		if due, err := w.ledger.DueStaff(context.Background(), w.now()); len(due) != 0 || err != nil {
			t.Errorf("due: %q, %v", due, err)
		}
	})
	t.Run("the one mailbox of the alarms is told no more", func(t *testing.T) {
		w, seen := newWorld(t), 0
		w.settings(ledger.Settings{AlarmTo: "one@team.example", Staff: everyAlarm})
		leak(w)
		w.rests(time.Minute)
		if got := w.staff(&seen); len(got) != 1 || got[0].To != "a@team.example" {
			t.Errorf("%q", subjects(got))
		}
	})
}

// digests is a world whose staff get a digest, in a shop of a zone; it begins at a time by that zone's clock.
func digests(t *testing.T, n ledger.DigestInterval, zone, begin string) (w *world, seen *int) {
	t.Helper()
	at, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	w, seen = newWorld(t, func(p *gate.Policy) { p.Mails = false }), new(int)
	w.shop.SetTimezone(zone)
	from, err := time.ParseInLocation("2006-01-02 15:04", begin, at)
	w.must(err)
	w.clock.pass(from.Sub(w.now()))
	w.settle()
	if w.s().Timezone != zone {
		w.must(w.ledger.ReconcileSoon(context.Background(), hash, w.now()))
		w.settle()
	}
	if w.s().Timezone != zone {
		t.Fatalf("the shop is in %s", w.s().Timezone)
	}
	w.team(ledger.StaffMails{To: []string{"a@team.example"}, Digest: n})
	return w, seen
}

// byHours lets hours pass, and lists when digests came, by the shop's clock, with their subjects.
func (w *world) byHours(hours int, seen *int, each func(at time.Time)) (out []string) {
	w.t.Helper()
	zone, err := time.LoadLocation(w.s().Timezone)
	w.must(err)
	for range 2 * hours {
		w.rests(30 * time.Minute)
		each(w.now().In(zone))
		w.settle()
		for _, m := range w.staff(seen) {
			out = append(out, w.now().In(zone).Format("Mon 02 15:04 ")+strings.TrimPrefix(m.Subject, "Test Shop: What idgate did "))
		}
	}
	return out
}

// noonOrder is an order on hold each day at noon.
func (w *world) noonOrder(at time.Time) {
	if at.Hour() == 12 && at.Minute() == 0 {
		w.api()
	}
}

// TestStaffDigest: a digest comes at 08:00 by the shop's clock, whatever that is put to; about the day or the week before; and none comes when
// nothing happened.
func TestStaffDigest(t *testing.T) {
	never := func(time.Time) {}
	t.Run("daily, over the end of summer time", func(t *testing.T) {
		w, seen := digests(t, ledger.Daily, "Europe/Berlin", "2026-10-24 07:00")
		got := w.byHours(74, seen, w.noonOrder) // one of the days has 25
		want := []string{"Sun 25 08:00 on Saturday 24 October 2026", "Mon 26 08:00 on Sunday 25 October 2026", "Tue 27 08:00 on Monday 26 October 2026"}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		w.noShopper(w.mailbox.Mails())
	})
	t.Run("daily, over its beginning", func(t *testing.T) {
		w, seen := digests(t, ledger.Daily, "America/New_York", "2027-03-13 08:00")
		got := w.byHours(48, seen, w.noonOrder)
		want := []string{"Sun 14 08:00 on Saturday 13 March 2027", "Mon 15 08:00 on Sunday 14 March 2027"}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
	t.Run("weekly", func(t *testing.T) {
		w, seen := digests(t, ledger.Weekly, "Asia/Kolkata", "2026-06-03 10:00") // a Wednesday
		got := w.byHours(24*13, seen, w.noonOrder)
		want := []string{"Mon 08 08:00 from 1 June to 7 June 2026", "Mon 15 08:00 from 8 June to 14 June 2026"}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
	t.Run("nothing happened", func(t *testing.T) {
		w, seen := digests(t, ledger.Daily, "Europe/Berlin", "2026-06-03 10:00")
		if got := w.byHours(72, seen, never); len(got) != 0 {
			t.Errorf("%q", got)
		}
		if due, err := w.ledger.DueStaff(context.Background(), w.now()); len(due) != 0 || err != nil {
			t.Errorf("still due: %q, %v", due, err)
		}
		// What happens after 08:00 is the next one's.
		w.api()
		if got := w.byHours(24, seen, never); !slices.Equal(got, []string{"Sun 07 08:00 on Saturday 6 June 2026"}) {
			t.Errorf("%q", got)
		}
	})
	t.Run("nobody, or off", func(t *testing.T) {
		w, seen := digests(t, ledger.NoDigest, "Europe/Berlin", "2026-06-03 10:00")
		if got := w.byHours(48, seen, w.noonOrder); len(got) != 0 {
			t.Errorf("%q", got)
		}
		w.team(ledger.StaffMails{Digest: ledger.Daily})
		if got := w.byHours(48, seen, w.noonOrder); len(got) != 0 {
			t.Errorf("%q", got)
		}
		// Switched on, it begins with the next: what was before is told by none.
		w.team(ledger.StaffMails{To: []string{"a@team.example"}, Digest: ledger.Daily})
		if got := w.byHours(24, seen, w.noonOrder); !slices.Equal(got, []string{"Mon 08 08:00 on Sunday 7 June 2026"}) {
			t.Errorf("%q", got)
		}
	})
}

// TestStaffDigestOnce: a period's digest comes once, whatever the clock does and whenever the process dies.
func TestStaffDigestOnce(t *testing.T) {
	start := func(t *testing.T) (*world, *int) {
		w, seen := digests(t, ledger.Daily, "Europe/Berlin", "2026-06-03 12:00")
		w.api()
		if got := w.byHours(21, seen, w.noonOrder); len(got) != 1 {
			t.Fatalf("%q", got)
		}
		return w, seen // Thursday, 09:00
	}
	clockPut := func(w *world, d time.Duration) {
		w.t.Helper()
		w.clock.pass(d)
		w.must(w.relay.CheckClock(context.Background()))
		w.settle()
	}
	t.Run("a day back", func(t *testing.T) {
		w, seen := start(t)
		clockPut(w, -24*time.Hour)
		if got := w.byHours(24, seen, func(time.Time) {}); len(got) != 0 {
			t.Errorf("again: %q", got)
		}
		if got := w.byHours(48, seen, w.noonOrder); !slices.Equal(got, []string{"Fri 05 08:00 on Thursday 4 June 2026", "Sat 06 08:00 on Friday 5 June 2026"}) {
			t.Errorf("%q", got)
		}
	})
	t.Run("a day ahead, and back", func(t *testing.T) {
		w, seen := start(t)
		w.api()
		clockPut(w, 24*time.Hour)
		if got := subjects(w.staff(seen)); !slices.Equal(got, []string{"What idgate did on Thursday 4 June 2026"}) {
			t.Errorf("%q", got)
		}
		clockPut(w, -24*time.Hour)
		if got := w.byHours(24, seen, w.noonOrder); len(got) != 0 { // Thursday was told
			t.Errorf("%q", got)
		}
		if got := w.byHours(24, seen, w.noonOrder); !slices.Equal(got, []string{"Sat 06 08:00 on Friday 5 June 2026"}) {
			t.Errorf("%q", got)
		}
	})
	t.Run("a year ahead, and back", func(t *testing.T) {
		w, seen := start(t)
		clockPut(w, 365*24*time.Hour)
		clockPut(w, -365*24*time.Hour)
		if got := w.byHours(48, seen, w.noonOrder); !slices.Equal(got, []string{"Fri 05 08:00 on Thursday 4 June 2026", "Sat 06 08:00 on Friday 5 June 2026"}) {
			t.Errorf("%q", got)
		}
	})
	t.Run("dying before it is settled, and before it is sent", func(t *testing.T) {
		w, seen := digests(t, ledger.Daily, "Europe/Berlin", "2026-06-03 12:00")
		w.api()
		w.clock.pass(20 * time.Hour)
		s := w.s()
		due, ok := s.DigestDue(w.now())
		if !ok {
			t.Fatal("none is due")
		}
		for range 3 { // owed by three who knew nothing of each other
			w.must(w.ledger.SettleDigest(context.Background(), s, due, true, w.now()))
		}
		w.settle()
		w.rests(3 * time.Hour)
		if got := subjects(w.staff(seen)); !slices.Equal(got, []string{"What idgate did on Wednesday 3 June 2026"}) {
			t.Errorf("%q", got)
		}
	})
	t.Run("another zone", func(t *testing.T) {
		w, seen := start(t)
		w.shop.SetTimezone("America/New_York")
		w.must(w.ledger.ReconcileSoon(context.Background(), hash, w.now()))
		w.settle()
		if got := w.byHours(20, seen, w.noonOrder); len(got) != 0 { // that day has had its digest
			t.Errorf("%q", got)
		}
	})
}

// TestStaffDigestSays: what it says is what happened, beside what happened before.
func TestStaffDigestSays(t *testing.T) {
	w, seen := digests(t, ledger.Daily, "Europe/Berlin", "2026-06-03 12:00")
	w.policy(func(p *gate.Policy) { p.Mails, p.CancelAfter = false, 2 })
	w.api()
	w.byHours(24, seen, func(time.Time) {}) // Thursday noon
	first, second, third := w.api(), w.api(), w.api()
	w.rests(10 * time.Second)
	w.openLinkAndVerify(w.link(first.ID), simkosmos.PassesWithSelfie)
	w.openLinkAndVerify(w.link(second.ID), simkosmos.Fails)
	w.mailbox.Refuse("ada@example.com", 550)
	w.rests(time.Minute)
	w.stands(first.ID, 11, ledger.Released)
	w.stands(third.ID, 12, ledger.Held)
	w.byHours(19, new(int), func(time.Time) {}) // Friday
	w.byHours(1, seen, func(time.Time) {})
	all := w.mailbox.Mails()
	i := slices.IndexFunc(all, func(m mailbox.Mail) bool { return strings.HasSuffix(m.Subject, "on Thursday 4 June 2026") })
	if i < 0 {
		t.Fatalf("%+v", all)
	}
	m := all[i]
	for _, want := range []string{"What idgate did on Thursday 4 June 2026", "Verifications begun: 2 (the day before: 0)", "Passed: 1 (the day before: 0)", "Failed: 1 (the day before: 0)", "Given up: 0 (the day before: 0)",
		"Checks shown: 3 (the day before: 1)", "Orders held: 3 (the day before: 1)", "Orders released: 1 (the day before: 0)", "Orders cancelled: 0 (the day before: 0)", "Money held: ", "Money released: ", " USD",
		"What needs attention now", "orders on hold wait for a proof or a person", w.app.URL + "/s/" + hash + "/orders?filter=held", "Open the overview: " + w.app.URL + "/s/" + hash + "/overview",
		"Times are those of Europe/Berlin."} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("it does not say %q: %s", want, m.Text)
		}
	}
	if !strings.Contains(m.HTML, "<th scope=\"row\"") || !strings.Contains(m.HTML, "Verifications begun") {
		t.Errorf("%s", m.HTML)
	}
	w.noShopper(all[i : i+1])
	// An order that is cancelled unproven is counted on the day it is.
	w.byHours(24*4, seen, func(time.Time) {})
	all = w.mailbox.Mails()
	if !slices.ContainsFunc(all, func(m mailbox.Mail) bool {
		return strings.Contains(m.Text, "Orders cancelled: 2 (the day before: ")
	}) {
		t.Errorf("no digest says what was cancelled: %q", subjects(all))
	}
}
