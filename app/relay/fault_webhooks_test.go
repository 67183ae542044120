package relay_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

// looks counts what the gate has asked BigCommerce so far.
type looks struct{ evaluations, writes, all int }

func (f *faulty) looks() looks {
	return looks{f.wire.count(readProducts), f.wire.count("PUT ") + f.wire.count("POST "), f.wire.count("")}
}

func (l looks) since(before looks) looks {
	return looks{l.evaluations - before.evaluations, l.writes - before.writes, l.all - before.all}
}

// send sends what was kept, and expects every try to be taken.
func (f *faulty) send(how sim.Sending) int {
	f.t.Helper()
	sent := f.shop.SendKept(context.Background(), how)
	for _, d := range sent {
		if d.Status != http.StatusOK {
			f.t.Errorf("%s was answered %d %s", d.Scope, d.Status, d.Err)
		}
	}
	return len(sent)
}

// rest steps the loops until nothing is due, without any webhook.
func (f *faulty) rest() {
	f.t.Helper()
	if _, err := f.relay.Settle(context.Background()); err != nil {
		f.t.Fatal(err)
	}
}

// is holds what became of an order against what should have.
func (f *faulty) is(want outcome) {
	f.t.Helper()
	lost, doubled := f.compare(want)
	for _, wrong := range append(lost, doubled...) {
		f.t.Error(wrong)
	}
}

func holdOf(id int64) outcome {
	return outcome{id, 12, ledger.Held, []int{12}, 1, []string{relay.MailLink}}
}

func releaseOf(id int64) outcome {
	return outcome{id, 11, ledger.Released, []int{12, 11}, 2, []string{relay.MailLink, relay.MailReleased}}
}

// TestFaultWebhooksLostForAnHour: the sweep finds every order, whichever way it came or was changed, within one sweep interval.
func TestFaultWebhooksLostForAnHour(t *testing.T) {
	n := seed(t)
	random := rand.New(rand.NewPCG(n, 1))
	f := newFaulty(t)
	f.shop.DropWebhooks(true)
	before := len(f.shop.Deliveries())
	orders, edited := 0, 0
	for range 3600 {
		f.clock.pass(time.Second)
		switch random.IntN(60) {
		case 0, 1:
			f.placeUnsettled()
			orders++
		case 2:
			if _, err := f.shop.PlaceOrder(f.cart(f.product(cheap), 0, f.somebody()), sim.PlaceOptions{}); err != nil {
				t.Fatal(err)
			}
			orders++
		case 3:
			all := f.shop.Orders()
			if o := all[len(all)-1-random.IntN(min(orders+1, 9))]; o.StatusID == 11 {
				b := billing(fmt.Sprintf("other%d@example.com", edited))
				if err := f.shop.SetOrderBilling(o.ID, b, "merchant"); err != nil {
					t.Fatal(err)
				}
				edited++
			}
		}
		f.settle()
	}
	f.step(2*gateTime, time.Second)
	held := 0
	for _, o := range f.shop.Orders() {
		if o.StatusID == 12 {
			held++
		}
	}
	for _, d := range f.shop.Deliveries()[:len(f.shop.Deliveries())-before] {
		if d.Outcome != "dropped" {
			t.Fatalf("a webhook came through: %+v", d)
		}
	}
	if held != orders {
		t.Errorf("%d of %d orders are held", held, orders)
	}
	f.sound(Checks{Within: gateTime})
	t.Logf("%d orders and %d edits in an hour without webhooks; gate time at most %s", orders, edited, f.slowestHold())
}

// TestFaultWebhooksLostWithinASecond: BigCommerce's dates have whole seconds. What is made or changed in the second of a sweep, after it, is
// found by the next one, also where it had been seen in that second before.
func TestFaultWebhooksLostWithinASecond(t *testing.T) {
	f := newFaulty(t)
	f.shop.DropWebhooks(true)
	fraction := 200 * time.Millisecond
	for round := range 5 {
		f.clock.pass(f.s().SweepAt.Sub(f.clock.now()))
		cart := f.cart(f.product(cheap), 0, f.somebody())
		f.verify(cart, "", simkosmos.PassesWithSelfie) // which takes a while
		f.clock.pass(f.s().SweepAt.Sub(f.clock.now()))
		seen := f.placeUnsettled()
		proved, err := f.shop.PlaceOrder(cart, sim.PlaceOptions{})
		if err != nil {
			t.Fatal(err)
		}
		f.rest()
		if f.order(seen).StatusID != 12 || f.ours(proved.ID).DecisionID == "" {
			t.Fatalf("round %d: not swept", round)
		}
		f.clock.pass(fraction)
		after := f.placeUnsettled()
		b := f.order(proved.ID).Billing
		b.LastName = "Byron"
		if err := f.shop.SetOrderBilling(proved.ID, b, "merchant"); err != nil {
			t.Fatal(err)
		}
		f.setStatus(seen, 11)
		f.rest()
		if f.order(after).StatusID != 11 {
			t.Fatalf("round %d: found before it was looked for", round)
		}
		f.clock.pass(gateTime - fraction)
		f.rest()
		f.is(holdOf(after))
		f.is(holdOf(proved.ID))
		if got := f.ours(seen); f.order(seen).StatusID != 12 || got.Hold != ledger.Held || got.Reheld != 1 {
			t.Errorf("order %d, moved off our hold: status %d, %s, held again %d times", seen, f.order(seen).StatusID, got.Hold, got.Reheld)
		}
	}
	f.sound(Checks{Within: gateTime})
}

// slowestHold is the longest time from an order's getting a status of the gate until our hold.
func (f *faulty) slowestHold() time.Duration {
	slowest := time.Duration(0)
	for _, o := range f.shop.Orders() {
		for i, c := range o.History {
			if i > 0 && c.Actor == sim.AppName && c.To == 12 {
				slowest = max(slowest, c.At.Sub(o.History[i-1].At))
			}
		}
	}
	return slowest
}

// TestFaultWebhooksDoubled: a webhook that comes several times, one after the other or all at once, has one effect, and costs what one costs.
func TestFaultWebhooksDoubled(t *testing.T) {
	single := looks{}
	for _, how := range []sim.Sending{{}, {Times: 2}, {Times: 10}, {Times: 10, AtOnce: 10}, {Times: 3, Reversed: true}} {
		t.Run(fmt.Sprintf("%d times, %d at once, reversed %t", how.Times, how.AtOnce, how.Reversed), func(t *testing.T) {
			f := newFaulty(t)
			f.shop.KeepWebhooks(true)
			o, err := f.shop.PlaceOrder(f.cart(f.product(cheap), 0, f.somebody()), sim.PlaceOptions{})
			if err != nil {
				t.Fatal(err)
			}
			before := f.looks()
			how.OrderID = o.ID
			f.send(how)
			f.rest()
			f.is(holdOf(o.ID))
			cost := f.looks().since(before)
			if single == (looks{}) {
				single = cost
			}
			if cost != single {
				t.Errorf("cost %+v, one of each costs %+v", cost, single)
			}
			ns, err := f.ledger.SubjectNotices(context.Background(), hash, strconv.FormatInt(o.ID, 10))
			if err != nil || len(ns) != 2 {
				t.Errorf("%d notices, want created and statusUpdated: %v", len(ns), err)
			}
			for _, n := range ns {
				if n.Deliveries != int64(max(how.Times, 1)) {
					t.Errorf("%s: %d deliveries counted, want %d", n.Scope, n.Deliveries, how.Times)
				}
			}
			f.send(sim.Sending{})
			f.settle()
			f.sound(Checks{Within: 0, Since: o.ID})
		})
	}
}

// TestFaultWebhooksTenAtOnce: ten different webhooks about one order, all at once, are one evaluation.
func TestFaultWebhooksTenAtOnce(t *testing.T) {
	f := newFaulty(t)
	f.shop.KeepWebhooks(true)
	id := f.placeUnsettled()
	for i := range 9 {
		f.clock.pass(time.Second)
		f.setStatus(id, []int{9, 11}[i%2])
	}
	before := f.looks()
	if n := f.send(sim.Sending{OrderID: id, AtOnce: 10}); n != 10 {
		t.Fatalf("%d webhooks", n)
	}
	f.rest()
	if cost := f.looks().since(before); cost.evaluations != 1 {
		t.Errorf("%+v", cost)
	}
	f.is(holdOf(id))
	f.send(sim.Sending{})
	f.settle()
	f.sound(Checks{Since: id, Within: 9 * time.Second})
}

// TestFaultWebhooksEchoes: what comes back of our own writes ends after one look, and so does the sweep's finding of it.
func TestFaultWebhooksEchoes(t *testing.T) {
	f := newFaulty(t, func(p *gate.Policy) { p.CancelAfter = 3 })
	f.shop.KeepWebhooks(true)
	echo := func(what string, webhooks, announcements int) {
		t.Helper()
		before := f.looks()
		if n := f.send(sim.Sending{}); n != webhooks {
			t.Errorf("%s: %d webhooks, want %d", what, n, webhooks)
		}
		f.rest()
		cost := f.looks().since(before)
		if cost.writes != announcements || cost.evaluations > 1 || cost.all > 3+2*announcements || len(f.shop.Kept()) != 0 {
			t.Errorf("%s: its echo cost %+v, and %d more came", what, cost, len(f.shop.Kept()))
		}
		// The sweep may find it once more, within the second that its date names; after that it finds nothing.
		f.clock.pass(sweepEvery)
		f.rest()
		before = f.looks()
		for range 10 {
			f.clock.pass(sweepEvery)
			f.rest()
		}
		if cost := f.looks().since(before); cost != (looks{all: 10}) {
			t.Errorf("%s: ten sweeps afterwards cost %+v, want one list each", what, cost)
		}
	}
	id := f.placeUnsettled()
	f.send(sim.Sending{})
	f.rest()
	echo("the hold", 1, 1) // the look also announces the cancellation
	capture, _ := f.openLink(f.link(id))
	if err := f.tenant.Choose(capture, simkosmos.PassesWithSelfie); err != nil {
		t.Fatal(err)
	}
	f.clock.pass(5 * time.Second)
	f.rest()
	echo("the release", 1, 0)
	f.is(outcome{id, 11, ledger.Released, []int{12, 11}, 3, []string{relay.MailLink, relay.MailReleased}})
	lost := f.placeUnsettled()
	f.send(sim.Sending{})
	f.rest()
	echo("the second hold", 1, 1)
	for range 2 {
		f.clock.pass(f.ours(lost).WakeAt.Sub(f.clock.now()))
		f.rest()
	}
	echo("the cancellation", 1, 0)
	f.is(outcome{lost, 5, ledger.Cancelled, []int{12, 5}, 3, []string{relay.MailLink, relay.MailLastCall, relay.MailCancelled}})
	f.sound(Checks{Since: id})
}

// end is what became of an order on hold.
type end struct {
	name string
	do   func(f *faulty, id int64)
	want func(id int64) outcome
}

func ends() []end {
	return []end{
		{"held", func(*faulty, int64) {}, holdOf},
		{"released", func(f *faulty, id int64) {
			capture, _ := f.openLink(f.link(id))
			if err := f.tenant.Choose(capture, simkosmos.PassesWithSelfie); err != nil {
				f.t.Fatal(err)
			}
			f.clock.pass(5 * time.Second)
			f.rest()
		}, releaseOf},
		{"released and shipped", func(f *faulty, id int64) {
			f.override(id, true)
			f.rest()
			f.setStatus(id, 2)
		}, func(id int64) outcome {
			return outcome{id, 2, ledger.Released, []int{12, 11}, 2, []string{relay.MailLink, relay.MailReleased}}
		}},
		{"moved by hand", func(f *faulty, id int64) { f.setStatus(id, 11) }, func(id int64) outcome {
			return outcome{id, 11, ledger.Moved, []int{12}, 1, []string{relay.MailLink}}
		}},
		{"shipped by hand", func(f *faulty, id int64) { f.setStatus(id, 2) }, func(id int64) outcome {
			return outcome{id, 2, ledger.Moved, []int{12}, 1, []string{relay.MailLink}}
		}},
		{"cancelled by the shop", func(f *faulty, id int64) { f.setStatus(id, 5) }, func(id int64) outcome {
			return outcome{id, 5, ledger.NotHeld, []int{12}, 1, []string{relay.MailLink}}
		}},
		{"archived", func(f *faulty, id int64) {
			if err := f.shop.ArchiveOrder(id, "merchant"); err != nil {
				f.t.Fatal(err)
			}
		}, func(id int64) outcome { return outcome{id, 12, ledger.NotHeld, []int{12}, 1, []string{relay.MailLink}} }},
	}
}

// TestFaultWebhooksLate: webhooks that come in any order, hours late, or signed long ago, after whatever became of the order meanwhile,
// change nothing any more.
func TestFaultWebhooksLate(t *testing.T) {
	sendings := map[string]sim.Sending{
		"in order": {}, "reversed": {Reversed: true}, "all at once": {AtOnce: 20}, "three times each, reversed": {Times: 3, Reversed: true},
		"signed two days ago": {SignedAt: time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)},
	}
	for _, e := range ends() {
		for name, how := range sendings {
			t.Run(e.name+", "+name, func(t *testing.T) {
				f := newFaulty(t, func(p *gate.Policy) { p.OnMoved = gate.Accept })
				f.shop.KeepWebhooks(true)
				o, err := f.shop.PlaceOrder(f.cart(f.product(cheap), 0, f.somebody()), sim.PlaceOptions{})
				if err != nil {
					t.Fatal(err)
				}
				f.clock.pass(sweepEvery)
				f.rest()
				f.is(holdOf(o.ID))
				f.clock.pass(time.Minute)
				e.do(f, o.ID)
				f.clock.pass(time.Minute)
				f.rest() // the sweep sees it
				f.clock.pass(5 * time.Hour)
				f.rest()
				writes := f.looks().writes
				f.send(how)
				f.rest()
				f.is(e.want(o.ID))
				if n := f.looks().writes - writes; n != 0 {
					t.Errorf("%d writes for webhooks of long ago", n)
				}
				f.shop.KeepWebhooks(false)
				f.settle()
				f.sound(Checks{Since: o.ID, Within: gateTime})
			})
		}
	}
}

// TestFaultWebhooksOfADeletedOrder: nobody answers for it any more, and nothing of it is left to do.
func TestFaultWebhooksOfADeletedOrder(t *testing.T) {
	for _, moment := range []string{"before we looked", "while it is held", "after it was held"} {
		t.Run(moment, func(t *testing.T) {
			f := newFaulty(t)
			f.shop.KeepWebhooks(true)
			id := f.placeUnsettled()
			remove := func() {
				if err := f.shop.DeleteOrder(id, "merchant"); err != nil {
					t.Fatal(err)
				}
			}
			switch moment {
			case "before we looked":
				remove()
			case "while it is held":
				f.clock.pass(sweepEvery)
				for _, b := range []ledger.Bell{ledger.ShopBell, ledger.OrderBell} {
					if _, err := f.relay.Step(context.Background(), b); err != nil {
						t.Fatal(err)
					}
				}
				if f.ours(id).Hold != ledger.Holding {
					t.Fatalf("hold %s", f.ours(id).Hold)
				}
				remove()
			case "after it was held":
				f.clock.pass(sweepEvery)
				f.rest()
				remove()
			}
			f.rest()
			f.clock.pass(time.Hour)
			f.send(sim.Sending{Reversed: true})
			f.shop.KeepWebhooks(false)
			f.step(time.Hour, time.Minute)
			f.sound(Checks{Within: gateTime})
			if stuck, err := f.ledger.StuckWritebacks(context.Background(), hash); err != nil || len(stuck) != 0 {
				t.Errorf("stuck writebacks %+v, %v", stuck, err)
			}
			if n := len(f.shop.OrderWrites(id)); moment != "after it was held" && n != 1 {
				t.Errorf("%d writes, want the deletion alone", n)
			}
		})
	}
}

// TestFaultWebhooksForged: a webhook without the shop's secret is refused, stored by nobody, and makes nobody look.
func TestFaultWebhooksForged(t *testing.T) {
	f := newFaulty(t)
	id := f.api().ID
	f.rest()
	f.clock.pass(2 * time.Second)
	before, known := f.looks(), len(f.notices(id))
	for i, scope := range []string{bigcommerce.ScopeOrderCreated, bigcommerce.ScopeOrderStatusUpdated, bigcommerce.ScopeCustomerDeleted, bigcommerce.ScopeAppUninstalled, bigcommerce.ScopeDeliveryException} {
		body := fmt.Appendf(nil, `{"scope":%q,"store_id":"1","data":{"type":"order","id":%d,"status":{"previous_status_id":12,"new_status_id":11}},"hash":"%040d","created_at":%d,"producer":"stores/%s"}`,
			scope, id, i, f.clock.now().Unix(), hash)
		for _, secret := range []string{"", "guess", f.s().HookSecret[1:], f.s().HookSecret + "x"} {
			path := relay.HookPath
			if scope == bigcommerce.ScopeDeliveryException {
				path = relay.ExceptionPath
			}
			if status, _ := f.do(http.MethodPost, f.app.URL+path, http.Header{bigcommerce.HookSecretHeader: {secret}}, body); status != http.StatusUnauthorized {
				t.Errorf("%s with the secret %q: %d", scope, secret, status)
			}
		}
	}
	f.rest()
	if cost := f.looks().since(before); cost != (looks{}) || len(f.notices(id)) != known {
		t.Errorf("it cost %+v, and there are %d notices, not %d", cost, len(f.notices(id)), known)
	}
	if got := f.ours(id); got.Hold != ledger.Held || got.Touched {
		t.Errorf("hold %s, touched %t", got.Hold, got.Touched)
	}
	f.sound(Checks{Within: gateTime})
}

func (f *faulty) notices(order int64) []ledger.StoredNotice {
	f.t.Helper()
	ns, err := f.ledger.SubjectNotices(context.Background(), hash, strconv.FormatInt(order, 10))
	if err != nil {
		f.t.Fatal(err)
	}
	return ns
}
