package relay_test

import (
	"cmp"
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

var manyOrders = flag.Int("manyorders", 10_000, "how many orders TestFaultTenThousandOrders makes; 600 at most under the race detector and with -short")

// spellOf is a part of a long day, and how webhooks come in it.
type spellOf struct {
	name   string
	faults sim.Faults
	drop   bool
	waits  []time.Duration // of the orders that came in it: until held or allowed
}

// TestFaultTenThousandOrders: with webhooks that come, that are all lost, and that come late, twice and in any order, no order of ten
// thousand waits for longer than the gate time.
func TestFaultTenThousandOrders(t *testing.T) {
	n := seed(t)
	random := rand.New(rand.NewPCG(n, 7))
	total := *manyOrders
	if testing.Short() || raceDetector {
		total = min(total, 600)
	}
	f := newFaulty(t, func(p *gate.Policy) { p.Mails = false })
	ada := f.ada()
	f.verify(f.cart(f.product(cheap), ada.ID, sim.BillingOf(ada)), f.token(ada.ID), simkosmos.PassesWithSelfie)
	spells := []*spellOf{
		{name: "webhooks come"},
		{name: "webhooks are lost", drop: true},
		{name: "some come late, twice, or never", faults: sim.Faults{Drop: 0.3, Duplicate: 0.3, Reorder: 0.5, Delay: 0.4, DelayBy: 3 * time.Minute, Resign: 0.2}},
	}
	in, since := map[int64]*spellOf{}, int64(0)
	for part := total/len(spells) + 1; len(in) < total; {
		s := spells[len(in)/part]
		f.shop.DropWebhooks(s.drop)
		f.shop.SetFaults(s.faults)
		for range random.IntN(7) {
			o := f.oneOfMany(random, ada)
			in[o] = s
			since = cmp.Or(since, o)
		}
		f.settle()
		f.clock.pass(time.Second)
	}
	f.shop.DropWebhooks(false)
	f.shop.ClearFaults()
	f.step(2*gateTime, time.Second)
	f.step(10*time.Minute, 10*time.Second) // what is late
	violations := 0
	for id, s := range in {
		waited := f.waited(id, ada)
		s.waits = append(s.waits, waited)
		if waited > gateTime {
			violations++
		}
	}
	for _, s := range spells {
		slices.Sort(s.waits)
		k := len(s.waits)
		t.Logf("%-32s %5d orders: gate time median %s, 99 %% %s, longest %s", s.name, k, s.waits[k/2], s.waits[k*99/100], s.waits[k-1])
	}
	t.Logf("%d orders, %d longer than the gate time of %s; %d API requests", len(in), violations, gateTime, f.wire.count(""))
	if violations > 0 || len(in) < total || spells[0].waits[len(spells[0].waits)-1] != 0 {
		t.Errorf("%d violations among %d orders", violations, len(in))
	}
	f.sound(Checks{Since: since, Within: gateTime})

	f.shop.SetQuota(-1)
	began, same := time.Now(), f.replayed(f.s().Policy, f.s().EnforcedSince)
	if n := same.Tally; n.Recorded.Orders < int64(min(total, 10_000)) || n.Differs.Orders != 0 || n.Shifts[gate.Same].Orders != n.Orders.Orders {
		t.Errorf("a what-if of the policy in force: %d orders, %d of them with a Decision, of which it gives %d otherwise: %v", n.Orders.Orders, n.Recorded.Orders, n.Differs.Orders, n.DifferIDs)
	}
	t.Logf("a what-if of the policy in force gives all %d recorded Decisions again, in %s", same.Tally.Recorded.Orders, time.Since(began).Round(time.Millisecond))
}

// oneOfMany places an order that is to be held, or one of Ada's, who has proved identity.
func (f *faulty) oneOfMany(random *rand.Rand, ada sim.Customer) int64 {
	f.t.Helper()
	return f.placeUnsettled(func(a *sim.APIOrder) {
		switch random.IntN(4) {
		case 0:
			a.CustomerID, a.Billing = ada.ID, sim.BillingOf(ada)
		case 1:
			inStatus(9)(a)
		}
	})
}

// waited is how long an order of oneOfMany waited until it was held, or allowed where it is Ada's.
func (f *faulty) waited(id int64, ada sim.Customer) time.Duration {
	f.t.Helper()
	o := f.order(id)
	last := o.History[len(o.History)-1]
	switch {
	case o.CustomerID != ada.ID && len(o.History) == 2 && last.Actor == sim.AppName && last.To == 12:
		return last.At.Sub(o.Created)
	case o.CustomerID == ada.ID && len(o.History) == 1:
		return f.decisions(id)[0].At.Sub(o.Created)
	}
	f.t.Fatalf("order %d: %+v", id, o.History)
	return 0
}
