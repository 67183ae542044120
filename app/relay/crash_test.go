package relay_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/sim"
)

var (
	kills    = flag.Int("kills", 10, "how often TestCrashAtAnyStep kills the process; CI does 200 at least, a long run 2000")
	killSeed = flag.Uint64("killseed", 0, "seed of the crash tests' choices; 0 draws one and prints it")
)

// crashSeed is the seed of a crash test's choices, printed so that it can be run again.
func crashSeed(t *testing.T) uint64 {
	t.Helper()
	n := *killSeed
	if n == 0 {
		n = uint64(time.Now().UnixNano())
	}
	t.Logf("re-run with -run '^%s$' -killseed=%d -kills=%d", t.Name(), n, *kills)
	return n
}

// atRandom stands for no step: the process dies at some instant.
const atRandom = "at a random instant"

// crashSteps are the steps after which the process dies, and how often the step is passed before, at most.
var crashSteps = map[string]int{
	"before commit": 40, "after commit": 40, "order fetched": 4, "order decided": 4, "writeback claimed": 12, "before the order is written": 3,
	"after the order is written": 3, "writeback confirmed": 12, "session asked about": 1, "before the mail is sent": 2, "after the mail is sent": 2,
	"before the event is posted": 4, "after the event is posted": 4, atRandom: 0,
}

// TestCrashAtAnyStep kills the product between any two steps and at random instants, while people buy, prove, delete, and change their
// minds; starts it again, and holds the world against the invariant every few deaths.
func TestCrashAtAnyStep(t *testing.T) {
	k := newMortal(t, crashSeed(t))
	want := *kills
	if os.Getenv("CI") == "true" {
		want = max(want, 200)
	}
	steps := slices.Sorted(maps.Keys(crashSteps))
	died, missed := map[string]int{}, map[string]int{}
	began, dying := time.Now(), time.Duration(0)
	for n := 0; n < want; {
		batch := min(25, want-n)
		for range batch {
			step, at := steps[k.rand.IntN(len(steps))], time.Now()
			if k.dieOnce(step) {
				died[step]++
			} else {
				missed[step]++ // there was too little to do
			}
			dying += time.Since(at)
		}
		n += batch
		if k.rand.IntN(5) == 0 {
			k.pass(31 * 24 * time.Hour) // what is over is forgotten
		}
		k.converge()
		orders := k.shop.Orders()
		c := Checks{Within: 365 * 24 * time.Hour, Forgot: k.now().Add(-keepDays * 24 * time.Hour)}
		if n < want { // the last time, all are looked at
			c.Since = orders[max(0, len(orders)-200)].ID
		}
		k.sound(fmt.Sprintf("%d deaths", n), c)
	}
	for _, step := range steps {
		if want >= 200 && died[step] == 0 {
			t.Errorf("nothing died at %q", step)
		}
		t.Logf("%-28s %4d deaths, and %d that came before there was enough to do", step, died[step], missed[step])
	}
	t.Logf("%d orders, %d mails, %s in all, %s per death, %s of it for the death itself", len(k.shop.Orders()), len(k.taken),
		time.Since(began).Round(time.Second), (time.Since(began) / time.Duration(want)).Round(time.Millisecond), (dying / time.Duration(want)).Round(time.Millisecond))
}

// dieOnce runs the product under load until it dies, and reports whether it died where it should: there may be too little to do for the step
// to be reached often enough, and then it is killed all the same.
func (k *mortal) dieOnce(step string) bool {
	k.Helper()
	k.pass(time.Duration(3+k.rand.IntN(180)) * time.Second)
	if k.rand.IntN(4) == 0 {
		k.pass(time.Duration(k.rand.IntN(6*60)) * time.Minute)
	}
	k.before()
	shopper, acts, limit := k.shopper(), k.acts(), 5*time.Second
	if step == atRandom {
		limit = time.Duration(k.rand.IntN(1200)) * time.Millisecond
	}
	k.start(func(c *childConfig) {
		c.Acts = acts
		if step != atRandom {
			c.DieAt, c.DieAfter = step, k.rand.IntN(crashSteps[step]+1)
		}
	})
	during := make(chan error, 1)
	go func() { during <- shopper() }()
	died := k.outlives(limit, during)
	k.kill()
	k.ok(<-during)
	return died || step == atRandom
}

// outlives waits until the product has died, or has nothing to do any more, or its time has come, and reports whether it had died.
func (k *mortal) outlives(limit time.Duration, during chan error) bool {
	k.Helper()
	end := time.NewTimer(limit)
	defer end.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-k.exited:
			k.exited <- err
			return true
		case <-end.C:
			return false
		case <-tick.C:
		}
		if len(during) == 1 {
			if s, up := k.look(); up && k.idle(s) {
				return false
			}
		}
	}
}

// recent is an order of the last ones, or 0.
func (k *mortal) recent() int64 {
	orders := k.shop.Orders()
	orders = slices.DeleteFunc(orders[max(0, len(orders)-20):], func(o sim.Order) bool { return o.ID < k.since })
	if len(orders) == 0 {
		return 0
	}
	return orders[k.rand.IntN(len(orders))].ID
}

// before is what happens in the Shop while the product is down: orders, and what a merchant does to them.
func (k *mortal) before() {
	k.Helper()
	for range 1 + k.rand.IntN(2) {
		_, err := k.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: k.shop.Products()[0].ID, Quantity: 1}}})
		k.ok(err)
	}
	if id := k.recent(); id != 0 && k.rand.IntN(4) == 0 {
		statuses := []int{bigcommerce.StatusAwaitingFulfillment, bigcommerce.StatusManualVerification, sim.StatusShipped, bigcommerce.StatusCancelled}
		k.ok(k.shop.SetOrderStatus(id, statuses[k.rand.IntN(len(statuses))], "merchant"))
	}
	if customers := k.customers(); len(customers) > 0 && k.rand.IntN(8) == 0 {
		k.ok(k.shop.DeleteCustomer(customers[k.rand.IntN(len(customers))].ID))
	}
}

// customers are those that this test has made.
func (k *mortal) customers() []sim.Customer {
	return slices.DeleteFunc(k.shop.Customers(), func(c sim.Customer) bool { return !strings.HasSuffix(c.Email, "@crash.example.com") })
}

// shopper is what somebody will do with the product while it lives: prove identity at the checkout and order, or open a mailed link.
func (k *mortal) shopper() func() error {
	k.Helper()
	nobody := func() error { return nil }
	switch k.rand.IntN(4) {
	case 0:
		return nobody
	case 1:
		mails := k.box.Mails()
		for _, m := range slices.Backward(mails[max(0, len(mails)-3):]) {
			if len(m.Links) > 0 {
				return func() error { k.openMail(m.Links[0]); return nil }
			}
		}
		return nobody
	}
	b, customer, token := billing("guest@example.com"), int64(0), ""
	if k.rand.IntN(2) == 0 {
		c, err := k.shop.CreateCustomer(sim.Customer{Email: fmt.Sprintf("ada%d@crash.example.com", k.rand.Uint64()), FirstName: "Ada", LastName: "Lovelace", Password: "x"})
		k.ok(err)
		b, customer, token = billing(c.Email), c.ID, k.customerToken(c)
	}
	cart := k.cart(customer, b)
	return func() error {
		k.verify(cart, token)
		_, err := k.shop.PlaceOrder(cart, sim.PlaceOptions{})
		return err
	}
}

// cart fills a cart. customer 0 is a guest.
func (k *mortal) cart(customer int64, b sim.Address) string {
	k.Helper()
	c := k.shop.NewCart(k.shop.Channels()[0].ID, customer)
	for _, err := range []error{second(k.shop.AddToCart(c.ID, k.shop.Products()[0].ID, 1)), second(k.shop.SetCheckoutBilling(c.ID, b)),
		second(k.shop.SetCheckoutShipping(c.ID, b, k.shop.ShippingOptions()[0].ID))} {
		k.ok(err)
	}
	return c.ID
}

func second[T any](_ T, err error) error { return err }

// customerToken is a Current Customer JWT.
func (k *mortal) customerToken(c sim.Customer) string {
	now := k.now().Unix()
	return sim.SignJWT(map[string]any{"customer": map[string]any{"id": c.ID, "email": c.Email, "group_id": "0"}, "iss": "bc/apps", "sub": hash, "aud": "client",
		"iat": now, "exp": now + 900, "version": 1, "application_id": "client", "store_hash": hash, "operation": "current_customer"}, secret)
}

// acts is what the Shop's staff do in the product during the next life.
func (k *mortal) acts() []childAct {
	switch k.rand.IntN(12) {
	case 0:
		return []childAct{{Do: "policy"}} // asks for nothing
	case 1, 2:
		return []childAct{{Do: "policy", IAL: 2}}
	case 3:
		return []childAct{{Do: "forget"}}
	case 4:
		return []childAct{{Do: "replay"}}
	case 5, 6:
		if id := k.recent(); id != 0 {
			return []childAct{{Do: []string{"release", "refuse", "keep"}[k.rand.IntN(3)], Order: id}}
		}
	}
	return nil
}
