package relay_test

import (
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/sim"
)

// BenchmarkWhatIf replays 10,000 past orders through a draft. The API answers at once: what is measured is our own part.
func BenchmarkWhatIf(b *testing.B) {
	w := newWorld(b, func(p *gate.Policy) { p.Mode = gate.Shadow })
	const orders = 10_000
	for range orders {
		if _, err := w.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}}); err != nil {
			b.Fatal(err)
		}
	}
	draft := w.s().Policy
	draft.Mode, draft.Checkout.LeastAge = gate.Enforce, 21
	b.ResetTimer()
	for range b.N {
		if x := w.replayed(draft, time.Time{}); x.Seen < orders {
			b.Fatalf("%d orders", x.Seen)
		}
	}
	b.ReportMetric(orders*float64(b.N)/b.Elapsed().Seconds(), "orders/s")
}
