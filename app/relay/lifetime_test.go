package relay_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

// member signs a customer in, verifies for a cart and orders from it.
func (w *world) member(p simkosmos.Person) (customer sim.Customer, order sim.Order) {
	w.t.Helper()
	customer = w.shop.Customers()[0]
	b := billing(customer.Email)
	cart := w.cart(w.product(cheap), customer.ID, b)
	w.verify(cart, w.token(customer.ID), p)
	return customer, w.place(cart)
}

// TestRevokedProof: what rested on it and has not shipped is held again; what was written to the customer is taken back.
func TestRevokedProof(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	customer, first := w.member(simkosmos.PassesWithSelfie)
	w.clock.pass(time.Minute)
	shipped := w.place(w.cart(w.product(cheap), customer.ID, billing(customer.Email)))
	w.setStatus(shipped.ID, 2)
	w.settle()
	if w.order(first.ID).StatusID != 11 || w.shop.CustomerAttributes(customer.ID)["blockid_ial"] != "2" {
		t.Fatalf("before: status %d, attributes %v", w.order(first.ID).StatusID, w.shop.CustomerAttributes(customer.ID))
	}
	ds, err := w.ledger.OrderDecisions(ctx, hash, first.ID)
	if err != nil || ds[0].ProofID == "" {
		t.Fatal(ds, err)
	}
	w.clock.pass(time.Minute)
	if err := w.ledger.RevokeProof(ctx, w.s(), ds[0].ProofID, "rita@example.com", "the card was reported as stolen", w.clock.now()); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if got := w.order(first.ID); got.StatusID != 12 || !strings.Contains(got.StaffNotes, "proof revoked") {
		t.Errorf("status %d, notes %q", got.StatusID, got.StaffNotes)
	}
	if got := w.ours(shipped.ID); got.Hold != ledger.NotHeld || w.order(shipped.ID).StatusID != 2 {
		t.Errorf("the shipped order: hold %s, status %d", got.Hold, w.order(shipped.ID).StatusID)
	}
	if a := w.shop.CustomerAttributes(customer.ID); a["blockid_ial"] != "0" || a["blockid_liveid_enrolled"] != "false" {
		t.Errorf("attributes after: %v", a)
	}
	w.check()
	if err := w.ledger.RevokeProof(ctx, w.s(), ds[0].ProofID, "rita@example.com", "again", w.clock.now()); err != ledger.ErrNotFound {
		t.Errorf("revoking twice: %v", err)
	}
	// A new Proof makes all well again.
	w.openLinkAndVerify(w.link(first.ID), simkosmos.PassesWithSelfie)
	if got := w.order(first.ID); got.StatusID != 11 {
		t.Errorf("after a new proof: status %d", got.StatusID)
	}
	w.check()
}

// TestCustomerDeleted: the person is erased once BigCommerce has them no more, and not because a webhook says so.
func TestCustomerDeleted(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	customer, order := w.member(simkosmos.PassesWithSelfie)
	w.shop.Emit("store/customer/deleted", map[string]any{"type": "customer", "id": customer.ID})
	w.settle()
	if got := w.ours(order.ID); got.Buyer.Mailbox != customer.Email {
		t.Fatalf("a webhook alone erased: %+v", got.Buyer)
	}
	w.clock.pass(time.Minute)
	if err := w.shop.DeleteCustomer(customer.ID); err != nil {
		t.Fatal(err)
	}
	w.settle()
	ours := w.ours(order.ID)
	if ours.Buyer != (ledger.Buyer{}) || ours.CustomerID != 0 || ours.ErasedAt.IsZero() {
		t.Errorf("after: %+v", ours)
	}
	if ps, err := w.ledger.ProofsFor(ctx, w.s(), gate.Facts{Buyer: gate.Buyer{CustomerID: customer.ID, Mailbox: w.s().MailboxHash(customer.Email)}, CartID: order.CartID, OrderID: order.ID}); err != nil || len(ps) != 0 {
		t.Errorf("proofs: %v, %v", ps, err)
	}
	// The order is not held because its Proof is gone, and nobody is stored again when it is looked at.
	w.clock.pass(time.Minute)
	w.setStatus(order.ID, 9)
	w.settle()
	if got := w.order(order.ID); got.StatusID != 9 || w.ours(order.ID).Buyer != (ledger.Buyer{}) {
		t.Errorf("status %d, buyer %+v", got.StatusID, w.ours(order.ID).Buyer)
	}
	w.check()
}

// TestPolicyIsAppliedToWhatWaits: a stricter version holds orders that an older one let through; the epoch stays.
func TestPolicyIsAppliedToWhatWaits(t *testing.T) {
	mild := func(p *gate.Policy) { p.Checkout.IAL = 0; p.StepUp = nil }
	w := newWorld(t, mild)
	waiting, shipped, epoch := w.api(), w.api(), w.s().EnforcedSince
	w.setStatus(shipped.ID, 2)
	w.settle()
	w.clock.pass(time.Hour)
	w.policy()
	w.settle()
	if got := w.order(waiting.ID); got.StatusID != 12 {
		t.Errorf("the waiting order: status %d", got.StatusID)
	}
	if got := w.ours(shipped.ID); got.Hold != ledger.NotHeld {
		t.Errorf("the shipped order: %s", got.Hold)
	}
	if !w.s().EnforcedSince.Equal(epoch) {
		t.Errorf("the epoch moved from %s to %s", epoch, w.s().EnforcedSince)
	}
	w.check()
	// A milder one explains, and lets nothing go by itself.
	w.clock.pass(time.Hour)
	w.policy(mild)
	w.settle()
	if got := w.order(waiting.ID); got.StatusID != 12 {
		t.Errorf("after a milder policy: status %d", got.StatusID)
	}
}

// TestRefusedTokenIsTriedAgain: a token that is good again goes on; one that is refused for a day was an uninstallation.
func TestRefusedTokenIsTriedAgain(t *testing.T) {
	t.Run("good again", func(t *testing.T) {
		w := newWorld(t)
		until := w.clock.now().Add(90 * time.Minute)
		w.http.Transport = transport(func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.Path, "/stores/") && w.clock.now().Before(until) {
				return &http.Response{StatusCode: http.StatusUnauthorized, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
			}
			return http.DefaultTransport.RoundTrip(r)
		})
		w.api()
		if s := w.s(); s.State != ledger.Suspended || !s.SuspendedAt.Equal(w.clock.now()) {
			t.Fatalf("%s since %s", s.State, s.SuspendedAt)
		}
		w.clock.pass(time.Hour + time.Minute)
		w.settle()
		if s := w.s(); s.State != ledger.Suspended {
			t.Fatal("resumed while it is refused")
		}
		w.clock.pass(time.Hour + time.Minute)
		w.settle()
		w.clock.pass(10 * time.Minute)
		w.settle()
		if s := w.s(); s.State != ledger.Installed || !s.SuspendedAt.IsZero() {
			t.Errorf("%s since %s", s.State, s.SuspendedAt)
		}
		w.check()
	})
	t.Run("for a day", func(t *testing.T) {
		w := newWorld(t)
		w.shop.RevokeToken()
		w.api()
		for range 26 {
			w.clock.pass(time.Hour + time.Minute)
			w.settle()
		}
		if _, err := w.ledger.Shop(hash); err != ledger.ErrUnknownShop {
			t.Errorf("the shop is still there: %v", err)
		}
		w.install()
		w.clock.pass(time.Minute)
		w.settle()
		if w.s().Policy.Mode != gate.Enforce {
			t.Error("a re-installation has lost the policy")
		}
		w.check()
	})
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// TestEnforcementBeginsByTheShopsClock: a clock of ours that is a day ahead lets nothing through.
func TestEnforcementBeginsByTheShopsClock(t *testing.T) {
	w := newWorld(t, func(p *gate.Policy) { p.Mode = gate.Off })
	w.ahead.Store(int64(24 * time.Hour))
	p := w.s().Policy
	p.Mode = gate.Enforce
	if _, err := w.relay.SavePolicy(context.Background(), w.s(), ledger.PolicyChange{Base: p.Version, Policy: p, Author: "owner@example.com"}); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(2 * time.Second)
	if o := w.api(); o.StatusID != 12 {
		t.Errorf("status %d", o.StatusID)
	}
	w.ahead.Store(0)
	if err := w.relay.CheckClock(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(2 * time.Second)
	if o := w.api(); o.StatusID != 12 {
		t.Errorf("after the clock was put right: status %d", o.StatusID)
	}
	w.check()
}

// TestRevokedWhileItIsReleased: at every moment of a release's being written its Proof may be revoked: the order ends on our hold, and nobody
// in the shop is said to have moved it.
func TestRevokedWhileItIsReleased(t *testing.T) {
	ctx := context.Background()
	for _, at := range []string{"writeback claimed", "before the order is written", "after the order is written"} {
		for _, moved := range []gate.MovedChoice{gate.Accept, gate.HoldAgain} {
			t.Run(at+", "+string(moved), func(t *testing.T) {
				w := newWorld(t, func(p *gate.Policy) { p.OnMoved = moved })
				id := w.api().ID
				w.stands(id, 12, ledger.Held)
				var once sync.Once
				revoked := false
				w.relay.At = func(step string) {
					if step != at || w.ours(id).Hold != ledger.Releasing {
						return
					}
					once.Do(func() {
						w.must(w.ledger.RevokeProof(ctx, w.s(), w.decision(id).ProofID, "rita@example.com", "stolen", w.now()))
						_, err := w.relay.Step(ctx, ledger.OrderBell)
						w.must(err)
						revoked = true
					})
				}
				w.openLinkAndVerify(w.link(id), simkosmos.PassesWithSelfie)
				for range 3 {
					w.settle()
					w.clock.pass(time.Minute)
				}
				w.settle()
				if !revoked {
					t.Fatal("nothing was revoked in time")
				}
				w.stands(id, 12, ledger.Held)
				if o := w.ours(id); o.Touched || o.Reheld != 0 {
					t.Errorf("somebody is said to have moved it: %+v", o)
				}
				w.check()
			})
		}
	}
}
