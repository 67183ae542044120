package relay_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

// api places an order that came by no checkout.
func (w *world) api(change ...func(*sim.APIOrder)) sim.Order {
	w.t.Helper()
	a := sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}}
	for _, c := range change {
		c(&a)
	}
	o, err := w.shop.PlaceOrderByAPI(a)
	if err != nil {
		w.t.Fatal(err)
	}
	w.settle()
	return w.order(o.ID)
}

func (w *world) setStatus(id int64, status int) {
	w.t.Helper()
	if err := w.shop.SetOrderStatus(id, status, "merchant"); err != nil {
		w.t.Fatal(err)
	}
}

// checks that nothing is wrong with the world as it is.
func (w *world) check() {
	w.t.Helper()
	var c Checks
	if w.mailbox != nil {
		c.Mails = w.mailbox.Mails()
	}
	for _, wrong := range CheckWorld(w.ledger, w.shop, c) {
		w.t.Error(wrong)
	}
}

// TestLeakGuard: an order that somebody moved off our hold is held once more, or is theirs at once, as the merchant chose.
func TestLeakGuard(t *testing.T) {
	for _, tt := range []struct {
		name   string
		choice gate.MovedChoice
		moves  []int // what somebody sets, one after the other
		status int
		hold   ledger.HoldState
		reheld int
		notes  int // of ours
	}{
		{"held again", gate.HoldAgain, []int{11}, 12, ledger.Held, 1, 2},
		{"the second time it is theirs", gate.HoldAgain, []int{11, 11}, 11, ledger.Moved, 1, 2},
		{"held again from another status", gate.HoldAgain, []int{9}, 12, ledger.Held, 1, 2},
		{"accepted at once", gate.Accept, []int{11}, 11, ledger.Moved, 0, 1},
		{"an old policy accepts", "", []int{11}, 11, ledger.Moved, 0, 1},
		{"shipped is never undone", gate.HoldAgain, []int{2}, 2, ledger.Moved, 0, 1},
		{"cancelled is over", gate.HoldAgain, []int{5}, 5, ledger.NotHeld, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, func(p *gate.Policy) { p.OnMoved = tt.choice })
			o := w.api()
			for _, status := range tt.moves {
				w.clock.pass(2 * time.Second)
				w.setStatus(o.ID, status)
				w.settle()
			}
			got, ours := w.order(o.ID), w.ours(o.ID)
			if got.StatusID != tt.status || ours.Hold != tt.hold || ours.Reheld != tt.reheld {
				t.Errorf("status %d, hold %s, held again %d", got.StatusID, ours.Hold, ours.Reheld)
			}
			if n := strings.Count(got.StaffNotes, "on hold"); n != tt.notes {
				t.Errorf("%d notes, want %d: %s", n, tt.notes, got.StaffNotes)
			}
			if alarmed := !ours.AlarmedAt.IsZero(); alarmed != (tt.reheld > 0 || tt.hold == ledger.Moved) {
				t.Errorf("alarmed: %t", alarmed)
			}
			w.check()
		})
	}
}

// TestHoldThatIsNotOursAnyMore: moved off and put back by somebody, the hold is theirs, and a Proof releases nothing.
func TestHoldThatIsNotOursAnyMore(t *testing.T) {
	w := newWorld(t)
	o := w.api()
	w.clock.pass(2 * time.Second)
	w.setStatus(o.ID, 11)
	w.setStatus(o.ID, 12) // before we look
	w.settle()
	if got := w.ours(o.ID); got.Hold != ledger.Moved || !got.Touched {
		t.Errorf("hold %s, touched %t", got.Hold, got.Touched)
	}
	w.clock.pass(time.Minute)
	w.openLinkAndVerify(w.link(o.ID), simkosmos.PassesWithSelfie)
	if got := w.order(o.ID); got.StatusID != 12 {
		t.Errorf("released to %d although our hold was not the last status written", got.StatusID)
	}
	w.check()
}

// TestMovedOrderThatChangesIsDecidedAgain: whoever moved it on did so for the order as it was.
func TestMovedOrderThatChangesIsDecidedAgain(t *testing.T) {
	w := newWorld(t, func(p *gate.Policy) { p.OnMoved = gate.Accept })
	o := w.api()
	w.clock.pass(2 * time.Second)
	w.setStatus(o.ID, 11)
	w.settle()
	b := billing("ada@example.com")
	b.Street1 = "Elsewhere 5"
	if err := w.shop.SetOrderBilling(o.ID, b, "merchant"); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(2 * time.Minute)
	w.settle()
	if got := w.order(o.ID); got.StatusID != 12 {
		t.Errorf("status %d: an order with another address waits to be shipped", got.StatusID)
	}
	w.check()
}

// TestMovedWhileNothingIsAsked: moving an order off our hold overrides nothing while the Policy asks nothing of it. Once it asks again, the
// order that still waits is held.
func TestMovedWhileNothingIsAsked(t *testing.T) {
	for _, choice := range []gate.MovedChoice{gate.HoldAgain, gate.Accept} {
		w := newWorld(t, func(p *gate.Policy) { p.OnMoved = choice })
		o := w.api()
		asked := gate.Requirement{}
		w.policy(func(p *gate.Policy) { asked, p.Checkout = p.Checkout, gate.Requirement{} })
		w.settle()
		if got := w.ours(o.ID); got.Hold != ledger.Held || w.order(o.ID).StatusID != 12 {
			t.Fatalf("a milder policy made it %s", got.Hold)
		}
		w.clock.pass(2 * time.Second)
		w.setStatus(o.ID, 11)
		w.settle()
		if got := w.ours(o.ID); got.Hold != ledger.NotHeld || !got.AlarmedAt.IsZero() {
			t.Errorf("moved: %s, alarmed at %s", got.Hold, got.AlarmedAt)
		}
		w.check()
		w.policy(func(p *gate.Policy) { p.Checkout = asked })
		w.settle()
		if got := w.ours(o.ID); got.Hold != ledger.Held || got.Holds != 2 || got.Reheld != 0 || w.order(o.ID).StatusID != 12 {
			t.Errorf("asked again: %s, %d holds, %d of them again, status %d", got.Hold, got.Holds, got.Reheld, w.order(o.ID).StatusID)
		}
		w.check()
	}
}

// TestStagedCancel: announced when the hold begins, called for the last time a day before, undoable until the deadline.
func TestStagedCancel(t *testing.T) {
	day := 24 * time.Hour
	cancelling := func(p *gate.Policy) { p.CancelAfter = 3 }
	step := func(w *world, d time.Duration) {
		w.clock.pass(d)
		w.settle()
		w.clock.pass(time.Minute)
		w.settle()
	}
	t.Run("to the end", func(t *testing.T) {
		w := newWorld(t, cancelling)
		o := w.api()
		if n := w.order(o.ID).StaffNotes; !strings.Contains(n, "will be cancelled on 2026-") {
			t.Errorf("not announced: %s", n)
		}
		step(w, 2*day)
		if got := w.ours(o.ID); got.CalledAt.IsZero() || got.Hold != ledger.Held {
			t.Errorf("no last call a day before: %+v", got)
		}
		step(w, day)
		if got := w.order(o.ID); got.StatusID != 5 || w.ours(o.ID).Hold != ledger.Cancelled || strings.Count(got.StaffNotes, "idgate: cancelled") != 1 {
			t.Errorf("status %d, hold %s, notes %s", got.StatusID, w.ours(o.ID).Hold, got.StaffNotes)
		}
		w.check()
	})
	t.Run("a machine that slept for a month gives the last day all the same", func(t *testing.T) {
		w := newWorld(t, cancelling)
		o := w.api()
		step(w, 30*day)
		if got := w.ours(o.ID); got.Hold != ledger.Held || got.CancelAt.Sub(w.clock.now()) < 23*time.Hour {
			t.Errorf("hold %s, to be cancelled in %s", got.Hold, got.CancelAt.Sub(w.clock.now()))
		}
		step(w, day)
		if got := w.order(o.ID); got.StatusID != 5 {
			t.Errorf("status %d", got.StatusID)
		}
		w.check()
	})
	t.Run("kept", func(t *testing.T) {
		w := newWorld(t, cancelling)
		o := w.api()
		step(w, 2*day)
		if err := w.ledger.KeepOrder(context.Background(), w.s(), o.ID, true, "called", w.clock.now()); err != nil {
			t.Fatal(err)
		}
		step(w, 10*day)
		if got := w.order(o.ID); got.StatusID != 12 || w.ours(o.ID).Hold != ledger.Held {
			t.Errorf("status %d, hold %s", got.StatusID, w.ours(o.ID).Hold)
		}
		w.check()
	})
	t.Run("proved in time", func(t *testing.T) {
		w := newWorld(t, cancelling)
		o := w.api()
		step(w, 2*day)
		w.openLinkAndVerify(w.link(o.ID), simkosmos.PassesWithSelfie)
		step(w, 10*day)
		if got := w.order(o.ID); got.StatusID != 11 || w.ours(o.ID).Hold != ledger.Released {
			t.Errorf("status %d, hold %s", got.StatusID, w.ours(o.ID).Hold)
		}
		w.check()
	})
	t.Run("the policy no longer cancels", func(t *testing.T) {
		w := newWorld(t, cancelling)
		o := w.api()
		step(w, 2*day)
		w.policy(func(p *gate.Policy) { p.CancelAfter = 0 })
		step(w, 10*day)
		if got := w.order(o.ID); got.StatusID != 12 {
			t.Errorf("status %d", got.StatusID)
		}
		w.check()
	})
	t.Run("somebody is proving just then", func(t *testing.T) {
		w := newWorld(t, cancelling)
		o := w.api()
		step(w, 2*day)
		w.clock.pass(day - 10*time.Minute)
		url, _ := w.openLink(w.link(o.ID))
		step(w, 12*time.Minute)
		if got := w.order(o.ID); got.StatusID != 12 {
			t.Errorf("cancelled under the shopper's hands: status %d", got.StatusID)
		}
		w.choose(url, simkosmos.PassesWithSelfie)
		step(w, time.Minute)
		if got := w.order(o.ID); got.StatusID != 11 {
			t.Errorf("status %d", got.StatusID)
		}
		w.check()
	})
}
