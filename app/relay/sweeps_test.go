package relay_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"idgate/app/ledger"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

// backlog makes orders that nobody tells of, so many in each second, and lets a minute pass. They are cancelled ones: looking at one costs a
// single call.
func (f *faulty) backlog(orders, inASecond int) []int64 {
	f.t.Helper()
	f.shop.DropWebhooks(true)
	f.clock.pass(10 * time.Second)
	ids := make([]int64, orders)
	cancelled := 5
	for i := range ids {
		if i > 0 && i%inASecond == 0 {
			f.clock.pass(time.Second)
		}
		ids[i] = f.placeUnsettled(func(o *sim.APIOrder) { o.StatusID = &cancelled })
	}
	f.clock.pass(time.Minute)
	return ids
}

// unknown counts those orders that the ledger does not have.
func (f *faulty) unknown(ids []int64) (n int) {
	f.t.Helper()
	for _, id := range ids {
		if _, err := f.ledger.Order(context.Background(), f.s(), id); err != nil {
			n++
		}
	}
	return n
}

// pages counts the pages of orders that were asked for.
func (f *faulty) pages() int { return f.wire.count(listOrders) - f.wire.count(listOrders+"/") }

// TestSweepOfABacklogIsPaced: a sweep that finds very many orders goes on page by page within the share of housekeeping, window after window,
// while what is urgent has its own, and comes to its end.
func TestSweepOfABacklogIsPaced(t *testing.T) {
	const (
		plan   = 150               // requests in 30 s
		share  = plan / 2 * 4 / 10 // of housekeeping
		orders = 1500              // more pages of them than that
	)
	f := newFaulty(t)
	ids := f.backlog(orders, 10)
	f.shop.SetQuota(plan)
	lists, windows, progressed := f.pages(), 0, f.s().SweptTo
	due := f.s().SweepAt
	for ; f.unknown(ids[len(ids)-1:]) > 0; windows++ {
		if windows == orders/50 {
			t.Fatalf("%d orders are not known after %d windows", f.unknown(ids), windows)
		}
		looked := f.wire.count(readOrder)
		f.rest()
		n := f.pages() - lists
		if n > share {
			t.Fatalf("%d pages in one window of which housekeeping may use %d calls", n, share)
		}
		if s := f.s(); n == 0 || !s.SweptTo.After(progressed) {
			t.Fatalf("window %d: %d pages, from %s to %s", windows, n, progressed, s.SweptTo)
		} else if f.unknown(ids[len(ids)-1:]) > 0 && !s.SweepAt.Equal(due) {
			t.Errorf("not at its end, and due at %s instead of %s", s.SweepAt, due)
		}
		if f.wire.count(readOrder) == looked {
			t.Errorf("window %d: no order was looked at", windows)
		}
		progressed, lists = f.s().SweptTo, f.pages()
		f.clock.pass(31 * time.Second)
	}
	if windows < 3 {
		t.Errorf("%d windows: nothing was scarce", windows)
	}
	if n := f.unknown(ids); n > 0 {
		t.Errorf("%d orders were passed over", n)
	}
	for _, x := range f.shop.QuotaUse() {
		if x.Quota == plan && (x.Ours > plan/2 || x.Refused > 0) {
			t.Errorf("%d requests of a window were ours, and %d were refused", x.Ours, x.Refused)
		}
	}
}

// thirdPage ends a context as soon as its third page of orders is asked for, and that request with it.
type thirdPage struct {
	next http.RoundTripper

	mu    sync.Mutex
	pages int
	end   context.CancelFunc
}

func (c *thirdPage) begin(end context.CancelFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pages, c.end = 0, end
}

// RoundTrip is http.RoundTripper's.
func (c *thirdPage) RoundTrip(r *http.Request) (*http.Response, error) {
	if operation, _ := operationOf(r); operation != listOrders {
		return c.next.RoundTrip(r)
	}
	c.mu.Lock()
	c.pages++
	third, end := c.pages == 3 && c.end != nil, c.end
	c.mu.Unlock()
	if !third {
		return c.next.RoundTrip(r)
	}
	end()
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestSweepCutOffGoesOn: a sweep whose time is up after two pages, each time, goes on where it was, and waits for the next one's time.
func TestSweepCutOffGoesOn(t *testing.T) {
	f := newFaultyWith(t, func(w *world) { w.drainFor = time.Nanosecond })
	cut := &thirdPage{next: f.wire.next}
	f.wire.next = cut
	const pages = 12
	ids := f.backlog(pages*50, 25)
	rounds := 0
	for ; f.unknown(ids[len(ids)-1:]) > 0; rounds++ {
		if rounds == pages {
			t.Fatalf("%d orders are not known after %d rounds; swept to %s", f.unknown(ids), rounds, f.s().SweptTo)
		}
		ctx, end := context.WithCancel(t.Context())
		cut.begin(end)
		before := f.s().SweptTo
		for {
			if n, err := f.relay.Step(ctx, ledger.ShopBell); err != nil || n == 0 {
				break
			}
		}
		end()
		s := f.s()
		if !s.SweptTo.After(before) {
			t.Fatalf("round %d: swept from %s to %s", rounds, before, s.SweptTo)
		}
		if want := f.clock.now().Add(sweepEvery); !s.SweepAt.Equal(want) {
			t.Errorf("round %d: due again at %s, want %s", rounds, s.SweepAt, want)
		}
		f.clock.pass(sweepEvery)
	}
	if n := f.unknown(ids); n > 0 || rounds < 3 {
		t.Errorf("%d orders were passed over in %d rounds", n, rounds)
	}
}

// TestSweepOfACrowdedSecond: of however many orders of one second, none is passed over, although some change between the pages; and the
// second is not read for ever.
func TestSweepOfACrowdedSecond(t *testing.T) {
	f := newFaulty(t)
	f.shop.DropWebhooks(true)
	f.clock.pass(10 * time.Second)
	ids := make([]int64, 120)
	for i := range ids {
		ids[i] = f.placeUnsettled()
	}
	f.clock.pass(sweepEvery)
	asked := 0
	f.wire.watch(func(operation string) {
		if operation != listOrders {
			return
		}
		asked++
		if asked != 3 && asked != 4 {
			return
		}
		for i := range 5 {
			id := ids[(asked-3)*5+i]
			b := f.order(id).Billing
			b.Phone = "5550100"
			if err := f.shop.SetOrderBilling(id, b, "merchant"); err != nil {
				f.t.Error(err)
			}
		}
	})
	f.rest()
	f.step(2*gateTime, 10*time.Second)
	if asked < 4 {
		t.Fatalf("%d pages: nothing changed between them", asked)
	}
	for _, id := range ids {
		if o := f.order(id); o.StatusID != sim.StatusManualVerification {
			t.Errorf("order %d is in status %d", id, o.StatusID)
		}
	}
	asked = 4 // nothing changes any more
	f.step(2*gateTime, gateTime)
	if n := asked - 4; n > 6 {
		t.Errorf("two sweeps of what is known took %d pages", n)
	}
}

// TestSweepOfTheRunningSecond: while a crowded second still runs, its orders change without a change of their date. It is read again once it is
// over.
func TestSweepOfTheRunningSecond(t *testing.T) {
	f := newFaulty(t)
	f.shop.DropWebhooks(true)
	f.clock.pass(f.s().SweepAt.Sub(f.clock.now()))
	ids := make([]int64, 60)
	for i := range ids {
		ids[i] = f.placeUnsettled()
	}
	if _, err := f.relay.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		f.setStatus(id, 11) // off our hold, in the same second
	}
	late := f.placeUnsettled()
	f.clock.pass(gateTime)
	f.rest()
	f.is(holdOf(late))
	for _, id := range ids {
		if o := f.order(id); o.StatusID != sim.StatusManualVerification || f.ours(id).Reheld != 1 {
			t.Errorf("order %d is in status %d, held again %d times", id, o.StatusID, f.ours(id).Reheld)
		}
	}
}

// TestBulkChangeLetsNewOrdersPass: a merchant marks hundreds of proved orders as shipped, on the smallest plan. An order without a proof that
// comes then is on hold within a window of the quota, whether webhooks tell of all that or the sweep finds it; and the hundreds
// are looked at in the end.
func TestBulkChangeLetsNewOrdersPass(t *testing.T) {
	const (
		plan   = 150 // requests in 30 s
		orders = 500
	)
	f := newFaulty(t)
	ada := f.ada()
	f.verify(f.cart(f.product(cheap), ada.ID, sim.BillingOf(ada)), f.token(ada.ID), simkosmos.PassesWithSelfie)
	ids := make([]int64, orders)
	for i := range ids {
		if i%10 == 0 {
			f.clock.pass(time.Second)
		}
		ids[i] = f.placeUnsettled(func(o *sim.APIOrder) { o.CustomerID, o.Billing = ada.ID, sim.BillingOf(ada) })
	}
	f.settle()
	for _, id := range ids {
		if o := f.ours(id); o.Answer != "allow" || o.Hold != ledger.NotHeld {
			t.Fatalf("order %d is not proved: %+v", id, o)
		}
	}
	f.clock.pass(sweepEvery)
	f.settle()
	f.shop.SetQuota(plan)
	seen := func(status int, ids []int64) (n int) {
		for _, id := range ids {
			if f.ours(id).StatusID == status {
				n++
			}
		}
		return n
	}
	f.clock.pass(31 * time.Second)
	for _, tt := range []struct {
		webhooks bool
		change   []int64 // what is marked as shipped
		within   time.Duration
	}{{true, ids[:orders/2], 30 * time.Second}, {false, ids[orders/2:], gateTime + 30*time.Second}} {
		f.shop.DropWebhooks(!tt.webhooks)
		for _, id := range tt.change {
			f.setStatus(id, sim.StatusShipped)
		}
		if tt.webhooks {
			f.settle()
			if n := seen(sim.StatusShipped, tt.change); n == 0 || n > plan/2 {
				t.Errorf("%d of %d were looked at in the first window", n, len(tt.change))
			}
		}
		f.clock.pass(5 * time.Second)
		fresh, at := f.placeUnsettled(), f.clock.now()
		f.settle()
		for f.order(fresh).StatusID != sim.StatusManualVerification {
			if f.clock.now().Sub(at) > tt.within {
				t.Fatalf("webhooks %t: still in status %d; %d of the others were looked at", tt.webhooks, f.order(fresh).StatusID, seen(sim.StatusShipped, tt.change))
			}
			f.clock.pass(time.Second)
			f.settle()
		}
		if n := seen(sim.StatusShipped, tt.change); n == len(tt.change) {
			t.Errorf("webhooks %t: nothing was scarce", tt.webhooks)
		}
		for range 60 {
			f.clock.pass(31 * time.Second)
			f.settle()
		}
		if n := seen(sim.StatusShipped, tt.change); n != len(tt.change) {
			t.Errorf("webhooks %t: %d of %d were looked at in the end", tt.webhooks, n, len(tt.change))
		}
	}
}
