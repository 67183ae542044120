package relay_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

const day = 24 * time.Hour

// clocked is a world whose product has a clock that jumps. The platform's goes on as ever.
type clocked struct {
	*faulty
	jumps []time.Time // by the platform's clock
	since int64       // the first order of the test
}

func newClocked(t *testing.T, change ...func(*gate.Policy)) *clocked {
	t.Helper()
	c := &clocked{faulty: newFaulty(t, change...)}
	orders := c.shop.Orders()
	c.since = orders[len(orders)-1].ID + 1
	c.tick(time.Second)
	return c
}

// jump sets the product's clock so far ahead of the platform's.
func (c *clocked) jump(ahead time.Duration) {
	c.ahead.Store(int64(ahead))
	c.jumps = append(c.jumps, c.clock.now())
}

// tick lets time pass second by second. Each second the clock is looked at, as the running product does.
func (c *clocked) tick(total time.Duration) {
	c.t.Helper()
	for range total / time.Second {
		c.clock.pass(time.Second)
		if err := c.relay.CheckClock(context.Background()); err != nil {
			c.t.Fatal(err)
		}
		c.settle()
	}
}

// trade lets time pass, with an order now and then, whichever way.
func (c *clocked) trade(total time.Duration) {
	c.t.Helper()
	for i := range int(total / (20 * time.Second)) {
		if i%2 == 0 {
			c.placeUnsettled()
		} else if _, err := c.shop.PlaceOrder(c.cart(c.product(cheap), 0, c.somebody()), sim.PlaceOptions{}); err != nil {
			c.t.Fatal(err)
		}
		c.tick(20 * time.Second)
	}
}

// inTime looks at every order of the test: held within the gate time of its coming, or of the last jump before that, but for a second in
// which the clock is looked at.
func (c *clocked) inTime() {
	c.t.Helper()
	n := 0
	for _, o := range c.shop.Orders() {
		if o.ID < c.since || o.StatusID != 12 {
			continue
		}
		n++
		held := o.History[len(o.History)-1].At
		from := o.Created
		for _, j := range c.jumps {
			if j.After(from) && !j.After(held) && j.Sub(from) <= gateTime {
				from = j
			}
		}
		if waited := held.Sub(from); waited > gateTime+time.Second {
			c.t.Errorf("order %d, made at %s, was held %s later; jumps at %v", o.ID, o.Created.Format(time.TimeOnly), waited, c.jumps)
		}
		c.is(holdOf(o.ID))
	}
	if n == 0 {
		c.t.Error("nothing was held")
	}
	c.sound(Checks{Since: c.since})
}

// TestFaultClockJumps: the product's clock jumps a day either way, at any moment of an order's life, with and without webhooks, stays wrong
// for a while and is put right. Each order is held within one sweep interval all the same, and once.
func TestFaultClockJumps(t *testing.T) {
	moments := []struct {
		name      string
		operation string // the jump comes with the nth request of it
		nth       int
	}{
		{"before the order", "", 0}, {"before it is read", readOrder, 1}, {"while it is read", readProducts, 1}, {"before the hold", readOrder, 2},
		{"with the hold", writeOrder, 1}, {"before the hold is read back", readOrder, 3}, {"with a sweep", listOrders, 1},
	}
	var all tally
	t.Run("jumps", func(t *testing.T) {
		for _, ahead := range []time.Duration{day, -day, 3 * time.Second, -3 * time.Second} {
			for _, m := range moments {
				for _, webhooks := range []bool{true, false} {
					t.Run(fmt.Sprintf("%s, %s, webhooks %t", ahead, m.name, webhooks), func(t *testing.T) {
						t.Parallel()
						c := newClocked(t)
						c.shop.DropWebhooks(!webhooks)
						c.jumpAt(ahead, m.operation, m.nth)
						c.trade(3 * time.Minute)
						if len(c.jumps) != 1 {
							t.Fatalf("%d jumps", len(c.jumps))
						}
						c.jump(0)
						c.trade(3 * time.Minute)
						c.tick(gateTime)
						c.inTime()
						all.add(fmt.Sprintf("the clock jumps by %s", ahead), endured{met: len(c.jumps)})
					})
				}
			}
		}
	})
	all.log(t)
}

// jumpAt makes the clock jump with the nth request of an operation from now on; at once where there is none.
func (c *clocked) jumpAt(ahead time.Duration, operation string, nth int) {
	if operation == "" {
		c.jump(ahead)
		return
	}
	var seen atomic.Int64 // some requests are made at the same time
	c.wire.watch(func(o string) {
		if o != operation {
			return
		}
		if seen.Add(1) == int64(nth) {
			c.jump(ahead)
		}
	})
}

// TestFaultClockWithASession: a Session that is under way when the clock jumps ends late or goes on, and gives no verdict of its own; when
// the clock is right again another one comes to its end.
func TestFaultClockWithASession(t *testing.T) {
	for _, ahead := range []time.Duration{day, -day} {
		for _, back := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, put right before the proof %t", ahead, back), func(t *testing.T) {
				c := newClocked(t)
				id := c.api().ID
				n := c.begin(id)
				c.tick(10 * time.Second)
				c.jump(ahead)
				c.tick(10 * time.Second)
				if back {
					c.jump(0)
				}
				c.play(n, simkosmos.PassesWithSelfie)
				c.tick(2 * time.Minute)
				got := c.newest(id)
				// 1Kosmos takes no request whose time is more than a minute from its own.
				if want := map[bool]idv.State{true: idv.StateExpired, false: idv.StateCreated}[ahead > 0]; !back && got.State != want {
					t.Errorf("while the clock is wrong: %s, want %s", got.State, want)
				}
				c.jump(0)
				c.tick(2 * time.Minute)
				if c.newest(id).State == idv.StateExpired {
					c.is(holdOf(id))
					c.play(c.begin(id), simkosmos.PassesWithSelfie)
					c.tick(time.Minute)
				}
				c.is(releaseOf(id))
				c.sound(Checks{Since: c.since})
			})
		}
	}
}

// TestFaultClockWithALeaseLost: work whose holder died is found again although the clock was set back behind its lease.
func TestFaultClockWithALeaseLost(t *testing.T) {
	for _, ahead := range []time.Duration{day, -day} {
		t.Run(ahead.String(), func(t *testing.T) {
			ctx := context.Background()
			c := newClocked(t)
			c.shop.DropWebhooks(true)
			id := c.placeUnsettled()
			c.clock.pass(sweepEvery)
			if _, err := c.relay.Step(ctx, ledger.ShopBell); err != nil {
				t.Fatal(err)
			}
			if ls, err := c.ledger.LeaseOrders(ctx, hash, false, c.now(), c.now().Add(2*time.Minute), 3); err != nil || len(ls) != 1 {
				t.Fatal(ls, err)
			}
			c.jump(ahead)
			c.tick(2 * time.Second)
			c.is(holdOf(id))
			c.sound(Checks{Since: c.since})
		})
	}
}

// TestFaultClockAndCancellation: whatever the clock does, nobody's order is cancelled sooner than it was announced.
func TestFaultClockAndCancellation(t *testing.T) {
	for _, ahead := range []time.Duration{day, -day, 30 * day} {
		t.Run(ahead.String(), func(t *testing.T) {
			c := newClocked(t, func(p *gate.Policy) { p.CancelAfter = 3 })
			id := c.api().ID
			c.step(2*day+2*time.Minute, day+time.Minute)
			called := c.clock.now()
			if c.ours(id).CalledAt.IsZero() {
				t.Fatal("no last call")
			}
			c.jump(ahead)
			for c.clock.now().Sub(called) < day-time.Hour {
				c.clock.pass(time.Hour)
				c.tick(time.Second)
				if o := c.order(id); o.StatusID != 12 {
					t.Fatalf("status %d, %s after the last call", o.StatusID, c.clock.now().Sub(called))
				}
			}
			c.jump(0)
			c.tick(time.Second)
			c.step(3*day, time.Hour)
			c.is(outcome{id, 5, ledger.Cancelled, []int{12, 5}, 3, []string{relay.MailLink, relay.MailLastCall, relay.MailCancelled}})
			c.sound(Checks{Since: c.since})
		})
	}
}

// TestFaultClockAtInstallationAndEnforcement: enforcement begins by the clock that dates the orders, whatever ours says, when the app is
// installed, when enforcement begins, or afterwards.
func TestFaultClockAtInstallationAndEnforcement(t *testing.T) {
	for _, ahead := range []time.Duration{day, -day} {
		for _, from := range []string{"installation", "enforcement", "enforcement, which BigCommerce answers with 500", "installation to enforcement"} {
			for _, webhooks := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s, %s, webhooks %t", ahead, from, webhooks), func(t *testing.T) {
					c := &clocked{faulty: newFaultyWith(t, func(w *world) {
						if strings.HasPrefix(from, "installation") {
							w.ahead.Store(int64(ahead))
						}
					}, func(p *gate.Policy) { p.Mode = gate.Shadow })}
					c.shop.DropWebhooks(!webhooks)
					early := c.placeUnsettled()
					c.tick(2 * time.Minute)
					switch from {
					case "enforcement, which BigCommerce answers with 500": // also such an answer tells its time
						c.wire.meet(meeting{operation: "GET /v2/time", fault: sim.ServerError})
						c.jump(ahead)
					case "enforcement":
						c.jump(ahead)
					case "installation to enforcement":
						c.jump(0)
					}
					c.enforce()
					if met, _ := c.wire.met(); met == 0 && strings.HasSuffix(from, "500") {
						t.Error("BigCommerce was not asked for its time")
					}
					if off := c.s().EnforcedSince.Sub(c.clock.now()); off.Abs() > 2*time.Second {
						t.Errorf("enforced since %s from now", off)
					}
					c.tick(2 * time.Second)
					c.since = early + 1
					c.trade(3 * time.Minute)
					c.jump(0)
					c.trade(3 * time.Minute)
					c.tick(gateTime)
					if o := c.order(early); o.StatusID != 11 {
						t.Errorf("an order from before is in status %d", o.StatusID)
					}
					c.inTime()
				})
			}
		}
	}
}

// enforce switches enforcement on as a merchant does.
func (c *clocked) enforce() {
	c.t.Helper()
	s := c.s()
	p := s.Policy
	p.Mode = gate.Enforce
	if _, err := c.relay.SavePolicy(context.Background(), s, ledger.PolicyChange{Base: p.Version, Policy: p, Author: "owner@example.com", Note: "now"}); err != nil {
		c.t.Fatal(err)
	}
}
