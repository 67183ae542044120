package relay_test

import (
	"context"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

// replayed runs a what-if to its end, at the pace that the quota allows.
func (w *world) replayed(draft gate.Policy, since time.Time) ledger.WhatIf {
	w.t.Helper()
	ctx := context.Background()
	id, err := w.ledger.BeginWhatIf(ledger.WithActor(ctx, "rita@example.com"), w.s(), draft, 10_000, since, w.now())
	if err != nil {
		w.t.Fatal(err)
	}
	for range 1000 {
		w.settle()
		x, err := w.ledger.WhatIf(ctx, hash, id)
		if err != nil {
			w.t.Fatal(err)
		}
		if x.State == "done" {
			return x
		}
		w.clock.pass(10 * time.Second)
	}
	w.t.Fatal("the what-if does not end")
	return ledger.WhatIf{}
}

// TestWhatIf: a draft is replayed over past orders without a trace in the shop, and the Policy in force gives what was recorded.
func TestWhatIf(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	customer, _ := w.member(simkosmos.PassesWithSelfie)
	for range 3 {
		w.clock.pass(time.Minute)
		w.api()
	}
	w.clock.pass(time.Minute)
	w.place(w.cart(w.product(dear), customer.ID, sim.BillingOf(customer)))
	w.clock.pass(time.Hour)
	w.settle()
	writes := 0
	for _, o := range w.shop.Orders() {
		writes += len(w.shop.OrderWrites(o.ID))
	}
	placed := w.s().EnforcedSince

	same := w.replayed(w.s().Policy, placed)
	if n := same.Tally; same.Seen != 5 || n.Orders.Orders != 5 || n.Recorded.Orders != 5 || n.Differs.Orders != 0 || len(n.DifferIDs) != 0 || n.Shifts[gate.Same].Orders != 5 {
		t.Errorf("the policy in force over itself: %+v", n)
	}
	mild := w.s().Policy
	mild.Checkout.IAL = 0
	milder := w.replayed(mild, placed)
	if n := milder.Tally; n.Shifts[gate.NewlyExempt].Orders != 4 || n.Draft.Gated.Orders != 1 || n.InForce.Gated.Orders != 5 {
		t.Errorf("only the step-up left: %+v", n.Shifts)
	}
	strict := w.s().Policy
	strict.Rules = []gate.Rule{{Name: "grown up", Mode: gate.Enforce, Require: gate.Requirement{IAL: 2, LeastAge: 99}}}
	stricter := w.replayed(strict, placed)
	if n := stricter.Tally; n.Shifts[gate.NewlyHeld].Orders != 2 || n.Draft.Rules["grown up"].Counted.Orders != 5 || n.Draft.Verifications() != 4 {
		t.Errorf("nobody is old enough: %+v, %d verifications", n.Shifts, n.Draft.Verifications())
	}
	held, err := w.ledger.WhatIfOrders(ctx, hash, stricter.ID, gate.NewlyHeld, 0, 10)
	if err != nil || len(held) != 2 || held[0].Before != gate.Allow || held[0].After != gate.Hold || held[0].Reasons[0].Code != gate.AgeTooLow || held[0].OrderID < held[1].OrderID {
		t.Errorf("%+v, %v", held, err)
	}
	all := w.replayed(mild, time.Time{})
	if all.Seen <= 5 {
		t.Errorf("orders from before the enforcement are left out: %d", all.Seen)
	}
	after := 0
	for _, o := range w.shop.Orders() {
		after += len(w.shop.OrderWrites(o.ID))
	}
	if after != writes {
		t.Errorf("%d writes to the shop's orders", after-writes)
	}
	if len(w.s().Policy.Rules) != 0 {
		t.Error("the draft has become the policy")
	}
	w.check()
}

// TestWhatIfComparesAddresses: a draft that compares addresses has the shipping addresses fetched, which nothing else asks for.
func TestWhatIfComparesAddresses(t *testing.T) {
	w := newWorld(t)
	_, proved := w.member(simkosmos.PassesWithSelfie)
	b := w.order(proved.ID).Billing
	b.Street1, b.Zip = "5 Tower Road", "80202"
	if err := w.shop.SetOrderBilling(proved.ID, b, "staff"); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(time.Hour)
	w.settle()
	draft := w.s().Policy
	draft.Checkout.AddressMatch = true
	if n := w.replayed(draft, w.s().EnforcedSince).Tally; n.Orders.Orders != 1 || n.Shifts[gate.Same].Orders != 1 {
		t.Errorf("shipped to the address on the document: %+v", n.Shifts)
	}
	to := w.order(proved.ID).Shipping[0]
	to.Street1, to.Zip = b.Street1, b.Zip
	if err := w.shop.SetOrderShipping(proved.ID, to, "staff"); err != nil {
		t.Fatal(err)
	}
	if n := w.replayed(draft, w.s().EnforcedSince).Tally; n.Orders.Orders != 1 || n.Shifts[gate.NewlyHeld].Orders != 1 {
		t.Errorf("shipped elsewhere: %+v", n.Shifts)
	}
}

// TestWhatIfIsCancelled, and goes on after BigCommerce was out of reach.
func TestWhatIfIsCancelled(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.shop.Outage(sim.Unavailable, w.clock.now().Add(10*time.Minute))
	id, err := w.ledger.BeginWhatIf(ctx, w.s(), w.s().Policy, 100, time.Time{}, w.now())
	if err != nil {
		t.Fatal(err)
	}
	w.clock.pass(time.Minute)
	w.settle()
	x, err := w.ledger.WhatIf(ctx, hash, id)
	if err != nil || x.State != "running" || x.Trouble == "" {
		t.Errorf("%s, trouble %q, %v", x.State, x.Trouble, err)
	}
	if err := w.ledger.CancelWhatIf(ctx, hash, id, w.now()); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(time.Hour)
	w.settle()
	if x, err = w.ledger.WhatIf(ctx, hash, id); err != nil || x.State != "cancelled" || x.Seen != 0 {
		t.Errorf("%s, %d orders, %v", x.State, x.Seen, err)
	}
	if err := w.ledger.CancelWhatIf(ctx, hash, id, w.now()); err != ledger.ErrNotFound {
		t.Errorf("cancelled twice: %v", err)
	}
}
