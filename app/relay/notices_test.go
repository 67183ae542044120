package relay_test

import (
	"fmt"
	"testing"
	"time"

	"idgate/app/sim"
)

// TestCustomersByTheThousand: when a merchant imports customers, or deletes them, the Notices of that are handled within our half of the
// quota, and an order that comes meanwhile does not wait behind them.
func TestCustomersByTheThousand(t *testing.T) {
	const (
		people   = 1000
		gateTime = 2 * time.Second // two looks
		window   = 31 * time.Second
	)
	for _, c := range []struct {
		name  string
		storm func(w *world, ids []int64)
		asks  bool // BigCommerce is asked about each
	}{
		{"imported", func(*world, []int64) {}, false},
		{"deleted", func(w *world, ids []int64) {
			w.settle()
			w.clock.pass(window)
			for _, id := range ids {
				w.must(w.shop.DeleteCustomer(id))
			}
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.clock.pass(time.Minute)
			w.settle()
			w.clock.pass(window)
			w.shop.SetQuota(150)
			var ids []int64
			for i := range people {
				p, err := w.shop.CreateCustomer(sim.Customer{Email: fmt.Sprintf("p%d@example.com", i), FirstName: "Ada", LastName: "Lovelace", Password: "x"})
				w.must(err)
				ids = append(ids, p.ID)
			}
			before := len(w.shop.QuotaUse())
			c.storm(w, ids)
			placed := w.clock.now()
			o := w.api() // its webhook comes behind all the others
			for w.order(o.ID).StatusID != sim.StatusManualVerification && w.clock.now().Sub(placed) < gateTime {
				w.clock.pass(time.Second)
				w.settle()
			}
			if got := w.order(o.ID); got.StatusID != sim.StatusManualVerification {
				t.Errorf("after %s the order is in status %d: %s", gateTime, got.StatusID, w.ours(o.ID).Trouble)
			}
			windows := 0
			for p, err := w.ledger.Pending(t.Context()); p.Notices > 0 && windows < 2*people; p, err = w.ledger.Pending(t.Context()) {
				w.must(err)
				windows++
				w.clock.pass(window)
				w.settle()
			}
			if p, err := w.ledger.Pending(t.Context()); err != nil || p.Notices != 0 {
				t.Errorf("after %d windows %+v is left: %v", windows, p, err)
			}
			w.clock.pass(window)
			ours := 0
			for _, x := range w.shop.QuotaUse()[before:] {
				ours += x.Ours
				if x.Ours > x.Quota/2 || x.Refused > 0 {
					t.Errorf("%d of %d requests of a window were ours, %d were refused", x.Ours, x.Quota, x.Refused)
				}
			}
			if c.asks != (ours > people) {
				t.Errorf("%d requests for %d people", ours, people)
			}
			w.check()
		})
	}
}
