package relay_test

import (
	"fmt"
	"testing"
	"time"

	"idgate/app/sim"
)

// gateCase is a shop whose orders are timed, from their placing until BigCommerce shows them on hold.
type gateCase struct {
	plan     string
	quota    int // API requests in 30 s
	webhooks bool
	burst    bool // thirty orders at once; else one every few seconds

	shop   *sim.Shop
	its    []placed
	waited time.Duration // for the quota, until the last one was held
}

func (c *gateCase) String() string {
	webhooks, load := "webhooks", "an_order_every_8_s"
	if !c.webhooks {
		webhooks = "no_webhooks"
	}
	if c.burst {
		load = "30_orders_at_once"
	}
	return fmt.Sprintf("%s/%s/%s", c.plan, webhooks, load)
}

// gateCases: the plans are BigCommerce's (docs: api-rate-limits): Standard and Plus have 150 requests in 30 s, Pro has 450; the quota of
// Enterprise is by contract.
func gateCases() (out []*gateCase) {
	for _, plan := range []gateCase{{plan: "Standard_150", quota: 150}, {plan: "Pro_450", quota: 450}, {plan: "Enterprise_10000", quota: 10_000}} {
		for _, webhooks := range []bool{true, false} {
			for _, burst := range []bool{false, true} {
				c := plan
				c.webhooks, c.burst = webhooks, burst
				out = append(out, &c)
			}
		}
	}
	return out
}

// BenchmarkGateTime tells the gate time by the clock on the wall: an API that takes 300 ms for every answer, sweeps every 60 s as by
// default. Each case is a shop of its own; they run side by side, for some three minutes. wait-s is how long urgent work has waited for
// the quota until the last order was held: it is part of the times before it.
func BenchmarkGateTime(b *testing.B) {
	const (
		latency = 300 * time.Millisecond
		pause   = 8 * time.Second
		orders  = 15
	)
	cases := gateCases()
	m := newMarket(b, len(cases), time.Minute)
	m.until("the first sweeps", time.Minute, m.rested)
	m.pass(31 * time.Second)
	for i, c := range cases {
		c.shop = m.shops[i]
		c.shop.SetQuota(c.quota)
		c.shop.SetLatency(latency)
		c.shop.DropWebhooks(!c.webhooks)
	}
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for n := range orders {
		for _, c := range cases {
			switch {
			case !c.burst:
				c.its = append(c.its, placed{c.shop, m.order(c.shop).ID})
			case n == 1:
				for range 30 {
					c.its = append(c.its, placed{c.shop, m.order(c.shop).ID})
				}
			}
		}
		<-ticker.C // the load is one over time
	}
	m.until("the holds", 10*time.Minute, func() bool {
		open := 0
		for _, c := range cases {
			if _, left := m.waits(c.its); left > 0 {
				c.waited = m.relay.Pace(c.shop.Hash).Waited
				open++
			}
		}
		return open == 0
	})
	for _, c := range cases {
		b.Run(c.String(), func(b *testing.B) {
			waits, _ := m.waits(c.its)
			f := figuresOf(waits)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(f.p50.Seconds(), "p50-s")
			b.ReportMetric(f.p99.Seconds(), "p99-s")
			b.ReportMetric(f.most.Seconds(), "max-s")
			b.ReportMetric(c.waited.Seconds(), "wait-s")
			b.ReportMetric(float64(len(waits)), "orders")
		})
	}
}
