package relay_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"idgate/app/ledger"
	"idgate/app/sim"
)

// placed is an order whose hold is waited for.
type placed struct {
	shop *sim.Shop
	id   int64
}

// TestFaultFlood: of fifty shops one sends thousands of webhooks and orders, while BigCommerce is slow. The others' orders are held before
// that one's, whether a small plan slows it down or nothing does; and nobody's plan is used for more than our share.
func TestFaultFlood(t *testing.T) {
	const (
		shops   = 50
		flood   = 1500 // orders
		each    = 2    // orders of every other shop
		latency = 30 * time.Millisecond
		plan    = 150 // requests in 30 s
	)
	m := newMarket(t, shops, time.Minute)
	m.until("the first sweeps", time.Minute, func() bool { return m.rested() })
	others, flooding := m.shops[1:], m.shops[0]
	for _, s := range m.shops {
		s.SetQuota(plan)
		s.SetLatency(latency)
	}
	t.Logf("%-34s %s", "49 shops, nobody floods:", figuresOf(m.holds(others, each, 2*time.Minute)))
	var its []placed // orders of the flood
	for _, tt := range []struct {
		name  string
		quota int
	}{{"flooded by a small plan's shop:", plan}, {"flooded by a shop without a limit:", -1}} {
		m.pass(31 * time.Second) // nobody has used anything of the next window
		flooding.SetQuota(tt.quota)
		for range flood {
			o := m.order(flooding)
			its = append(its, placed{flooding, o.ID})
			flooding.Emit("store/order/statusUpdated", map[string]any{"type": "order", "id": o.ID, "status": map[string]any{"previous_status_id": 11, "new_status_id": 11}})
		}
		figures := figuresOf(m.holds(others, each, 5*time.Minute))
		// Nobody has looked at the clock: what is left of the flood tells who came first.
		waits, left := m.waits(its)
		if left == 0 {
			t.Errorf("%s all of the flood was worked off before the others", tt.name)
		}
		t.Logf("%-34s %s; of the flood %d orders were held by then (%s) and %d were not", tt.name, figures, len(waits), figuresOf(waits), left)
		for range 3 { // windows in which the flood uses all that it may
			if tt.quota < 0 {
				break
			}
			m.until("the flooding shop's share is used up", time.Minute, func() bool { return !m.relay.Pace(flooding.Hash).WaitingSince.IsZero() })
			m.pass(31 * time.Second)
		}
	}
	m.shares(plan)
	t.Logf("urgent work of the flooding shop has waited %s for its quota", m.relay.Pace(flooding.Hash).Waited.Round(time.Second))
}

// rested tells whether nothing waits to be done.
func (m *market) rested() bool {
	p, err := m.ledger.Pending(context.Background())
	return err == nil && p == ledger.Pending{}
}

// holds places orders in the shops, and returns how long each waited to be held.
func (m *market) holds(shops []*sim.Shop, each int, within time.Duration) []time.Duration {
	m.Helper()
	var its []placed
	for range each {
		for _, s := range shops {
			its = append(its, placed{s, m.order(s).ID})
		}
	}
	var waits []time.Duration
	m.until("the holds", within, func() bool {
		var left int
		waits, left = m.waits(its)
		return left == 0
	})
	return waits
}

// waits are how long those orders waited that are held, and how many are not.
func (m *market) waits(its []placed) (waits []time.Duration, left int) {
	for _, p := range its {
		if d, ok := heldAfter(p.shop, p.id); ok {
			waits = append(waits, d)
		} else {
			left++
		}
	}
	return waits, left
}

// shares looks at what was used of the shops' plans in each window: half at most, of that 70 % for what informs others, and 40 % for
// housekeeping, so that holds come first.
func (m *market) shares(plan int) {
	m.Helper()
	m.pass(31 * time.Second) // the running windows are over
	calls, most := m.seen(), 0
	for _, s := range m.shops {
		for _, w := range s.QuotaUse() {
			if w.Quota != plan {
				continue // it had no limit
			}
			most = max(most, w.Ours)
			if w.Ours > plan/2 || w.Refused > 0 {
				m.Errorf("%s: %d of %d requests in a window were ours, and %d were refused", s.Hash, w.Ours, w.Quota, w.Refused)
			}
			inform, sweeps := 0, 0
			for _, c := range calls {
				if c.shop != s.Hash || c.at.Before(w.Start) || !c.at.Before(w.Start.Add(30*time.Second)) {
					continue
				}
				if strings.HasSuffix(c.operation, "/metafields") {
					inform++
				} else if c.operation == "sweep" {
					sweeps++
				}
			}
			if inform > plan/2*7/10 || sweeps > plan/2*4/10 {
				m.Errorf("%s: %d requests of a window were metafields, and %d sweeps", s.Hash, inform, sweeps)
			}
		}
	}
	if most < plan/2*8/10 {
		m.Errorf("the most that was used of a share of %d is %d: nothing was scarce", plan/2, most)
	}
	m.Logf("of %d requests in 30 s we used %d at most", plan, most)
}
