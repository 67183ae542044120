package relay_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

// TestFaultFloodOfProofs: however many customers prove identity at once, BigCommerce is written at most three attributes at a time.
func TestFaultFloodOfProofs(t *testing.T) {
	const people = 12
	m := newMarket(t, 1, time.Minute)
	s := m.shops[0]
	s.SetLatency(50 * time.Millisecond)
	var ids []int64
	for i := range people {
		c, err := s.CreateCustomer(sim.Customer{Email: fmt.Sprintf("ada%d@example.com", i), FirstName: "Ada", LastName: "Lovelace", Password: "x"})
		m.ok(err)
		ids = append(ids, c.ID)
		m.pass(3 * time.Second) // the door lets in a few from one address at a time
		m.proves(s, c)
	}
	m.until("everybody's attributes", time.Minute, func() bool {
		for _, id := range ids {
			if s.CustomerAttributes(id)["blockid_ial"] != "2" {
				return false
			}
		}
		return true
	})
	if most := s.MostAttributeWritesAtOnce(); most < 2 || most > 3 {
		t.Errorf("%d writes of attributes at once", most)
	}
}

// proves has a customer start to prove identity at the checkout, and pass.
func (m *market) proves(s *sim.Shop, c sim.Customer) {
	m.Helper()
	cart := s.NewCart(s.Channels()[0].ID, c.ID)
	b := billing(c.Email)
	for _, err := range []error{second(s.AddToCart(cart.ID, s.Products()[0].ID, 1)), second(s.SetCheckoutBilling(cart.ID, b)), second(s.SetCheckoutShipping(cart.ID, b, s.ShippingOptions()[0].ID))} {
		m.ok(err)
	}
	now := m.now().Unix()
	token := sim.SignJWT(map[string]any{"customer": map[string]any{"id": c.ID, "email": c.Email, "group_id": "0"}, "iss": "bc/apps", "sub": s.Hash, "aud": "client",
		"iat": now, "exp": now + 900, "version": 1, "application_id": "client", "store_hash": s.Hash, "operation": "current_customer"}, secret)
	var a answer
	var n session
	m.post("/storefront/v1/decisions", nil, map[string]any{"shop": s.Hash, "cart_id": cart.ID, "customer_jwt": token}, &a)
	m.post("/storefront/v1/sessions", http.Header{"Idgate-Capability": {a.Capability}}, map[string]any{}, &n)
	m.ok(m.tenant.Choose(n.URL, simkosmos.PassesWithSelfie))
}

// TestQuotaIsShared: whatever happens in a Shop and whatever its plan, of no window of its quota do we use more than our half, as
// BigCommerce counts; and what is urgent is done in the end.
func TestQuotaIsShared(t *testing.T) {
	n := crashSeed(t)
	draw := rand.New(rand.NewPCG(n, 3))
	w := newFaulty(t).world
	plans := []int{60, 150, 450}
	w.clock.pass(time.Minute)
	w.shop.SetQuota(plans[0])
	steps := 120
	if os.Getenv("CI") == "true" && !raceDetector {
		steps = 500
	}
	var orders []int64
	for range steps {
		switch draw.IntN(12) {
		case 0:
			w.policy(func(p *gate.Policy) { p.Checkout.LeastAge = 16 + draw.IntN(6) }) // all that waits is decided again
		case 1:
			if err := w.ledger.ReconcileSoon(t.Context(), hash, w.clock.now()); err != nil {
				t.Fatal(err)
			}
		case 2:
			w.clock.pass(31 * time.Second) // another plan begins with a window
			w.shop.SetQuota(plans[draw.IntN(len(plans))])
		case 3:
			w.others(1 + draw.IntN(30))
		case 4:
			w.clock.pass(time.Duration(draw.IntN(5*60_000)) * time.Millisecond)
		case 5, 6, 7, 8:
			for range 1 + draw.IntN(12) {
				o, err := w.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}})
				if err != nil {
					t.Fatal(err)
				}
				orders = append(orders, o.ID)
			}
		}
		w.settle()
		w.clock.pass(time.Duration(draw.IntN(20_000)) * time.Millisecond)
	}
	held := func(id int64) bool { return w.order(id).StatusID == sim.StatusManualVerification }
	for range 40 * len(orders) {
		if p, err := w.ledger.Pending(t.Context()); err == nil && p == (ledger.Pending{}) {
			break
		}
		w.clock.pass(10 * time.Second)
		w.settle()
	}
	w.clock.pass(31 * time.Second)
	windows, full := w.shop.QuotaUse(), 0
	for _, x := range windows {
		if x.Quota < 0 {
			continue
		}
		// Other apps that take more than their half may leave us less than ours.
		if x.Ours > x.Quota/2 || x.Refused > 0 && x.Others <= x.Quota/2 {
			t.Errorf("%d of %d requests of a window were ours, %d were refused beside %d of others", x.Ours, x.Quota, x.Refused, x.Others)
		}
		if x.Ours > x.Quota*4/10 {
			full++
		}
	}
	for _, id := range orders {
		if !held(id) {
			t.Errorf("order %d is in status %d: %s", id, w.order(id).StatusID, w.ours(id).Trouble)
		}
	}
	if full == 0 {
		t.Error("the quota was never scarce")
	}
	t.Logf("%d orders in %d windows, of which %d were used to more than 40 %%; urgent work waited %s for its quota in all", len(orders), len(windows), full, w.relay.Pace(hash).Waited)
}

// others is the traffic of the Shop's other apps.
func (w *world) others(requests int) {
	w.t.Helper()
	token := w.shop.AddAPIAccount("store_v2_orders").Value
	for range requests {
		w.get(w.store.URL+"/stores/"+hash+"/v2/orders/1", http.Header{"X-Auth-Token": {token}})
	}
}
