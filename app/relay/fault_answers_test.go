package relay_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

// The operations that the order gate needs.
const (
	readOrder     = "GET /v2/orders/{id}"
	writeOrder    = "PUT /v2/orders/{id}"
	readProducts  = "GET /v2/orders/{id}/products"
	readAddresses = "GET /v2/orders/{id}/shipping_addresses"
	listOrders    = "GET /v2/orders"
	orderFields   = "/v3/orders/{id}/metafields"
	customerField = "/v3/customers/{id}/metafields"
	attributes    = "/v3/customers/attribute-values"
	readCheckout  = "GET /v3/checkouts/{id}"
	readCustomers = "GET /v3/customers"
)

// scene is one thing that the product does, and the operation at which BigCommerce misbehaves meanwhile.
type scene struct {
	name      string
	operation string
	skip      int  // so many of it go well
	unhurried bool // it informs; no order waits for it
	policy    func(*gate.Policy)
	// play brings the world to where it is to happen, calls begin, and makes it happen. right says what is missing and what was done twice;
	// again, if there is one, is what somebody outside tries from time to time.
	play func(f *faulty, begin func()) (right func() (lost, doubled []string), again func())
}

// held is an order that comes by no checkout: it is to be held, once.
func held(f *faulty, begin func()) (func() ([]string, []string), func()) {
	begin()
	o := f.api()
	return func() ([]string, []string) {
		return f.compare(outcome{o.ID, 12, ledger.Held, []int{12}, 1, []string{relay.MailLink}})
	}, nil
}

// released is an order on hold whose buyer proves identity.
func released(f *faulty, begin func()) (func() ([]string, []string), func()) {
	o := f.api()
	capture, _ := f.openLink(f.link(o.ID))
	begin()
	f.choose(capture, simkosmos.PassesWithSelfie)
	return func() ([]string, []string) {
		return f.compare(outcome{o.ID, 11, ledger.Released, []int{12, 11}, 2, []string{relay.MailLink, relay.MailReleased}})
	}, nil
}

// cancelled is an order that nobody proved in time.
func cancelled(f *faulty, begin func()) (func() ([]string, []string), func()) {
	o := f.api()
	f.step(48*time.Hour+2*time.Minute, 24*time.Hour+time.Minute) // the last call
	f.clock.pass(f.ours(o.ID).CancelAt.Sub(f.clock.now()))
	begin()
	f.step(2*time.Minute, time.Minute)
	return func() ([]string, []string) {
		return f.compare(outcome{o.ID, 5, ledger.Cancelled, []int{12, 5}, 3, []string{relay.MailLink, relay.MailLastCall, relay.MailCancelled}})
	}, nil
}

// noted is an order that waits where it is, in the merchant's own hold status: it only gets a note.
func noted(f *faulty, begin func()) (func() ([]string, []string), func()) {
	begin()
	o := f.api(func(a *sim.APIOrder) { a.AuthorizeOnly = true })
	return func() ([]string, []string) {
		return f.compare(outcome{o.ID, 7, ledger.Held, nil, 1, []string{relay.MailLink}})
	}, nil
}

// informed is held, or released, and its metafield.
func informed(f *faulty, of func(*faulty, func()) (func() ([]string, []string), func()), want string) func(func()) (func() ([]string, []string), func()) {
	return func(begin func()) (func() ([]string, []string), func()) {
		right, _ := of(f, begin)
		orders := f.shop.Orders()
		id := orders[len(orders)-1].ID
		return func() (lost, doubled []string) {
			lost, doubled = right()
			switch fields := f.shop.Metafields("order", id); {
			case len(fields) == 0 || !strings.Contains(fields[0].Value, `"outcome":"`+want+`"`):
				lost = append(lost, fmt.Sprintf("order %d has no metafield that says %s", id, want))
			case len(fields) > 1:
				doubled = append(doubled, fmt.Sprintf("order %d has %d metafields", id, len(fields)))
			}
			return lost, doubled
		}, nil
	}
}

// attributed is a member who proves identity: it is to stand on the customer's record.
func attributed(f *faulty, begin func()) (func() ([]string, []string), func()) {
	c, err := f.shop.CreateCustomer(sim.Customer{Email: fmt.Sprintf("ada%d@example.com", len(f.shop.Customers())), FirstName: "Ada", LastName: "Lovelace", Password: "x"})
	if err != nil {
		f.t.Fatal(err)
	}
	cart := f.cart(f.product(cheap), c.ID, billing(c.Email))
	_, a := f.ask(cart, f.token(c.ID), "")
	_, n := f.start(a.Capability)
	begin()
	f.choose(n.URL, simkosmos.PassesWithSelfie)
	return func() (lost, doubled []string) {
		if got := f.shop.CustomerAttributes(c.ID); got["blockid_ial"] != "2" || got["blockid_vc_token"] == "" || got["blockid_verified_at"] == "" {
			lost = append(lost, fmt.Sprintf("attributes of customer %d: %v", c.ID, got))
		}
		switch fields := f.shop.Metafields("customer", c.ID); {
		case len(fields) == 0:
			lost = append(lost, fmt.Sprintf("customer %d has no metafield", c.ID))
		case len(fields) > 1:
			doubled = append(doubled, fmt.Sprintf("customer %d has %d metafields", c.ID, len(fields)))
		}
		return lost, doubled
	}, nil
}

// swept is an order of which no webhook tells.
func swept(f *faulty, begin func()) (func() ([]string, []string), func()) {
	f.shop.DropWebhooks(true)
	right, _ := held(f, begin)
	return right, nil
}

// asked is a shopper at the checkout, who asks until there is an answer, verifies and buys: nothing is held.
func asked(f *faulty, begin func()) (func() ([]string, []string), func()) {
	begin()
	cart := f.cart(f.product(cheap), 0, f.somebody())
	id := int64(0)
	again := func() {
		if id != 0 {
			return
		}
		status, a := f.ask(cart, "", "")
		if status != http.StatusOK {
			if status != http.StatusServiceUnavailable || a.Decision != "" {
				f.t.Errorf("the page was answered %d %+v", status, a)
			}
			return
		}
		_, n := f.start(a.Capability)
		f.choose(n.URL, simkosmos.PassesWithSelfie)
		id = f.place(cart).ID
	}
	again()
	return bought(f, &id), again
}

// proved is a shopper whose cart cannot be read just when the proof comes.
func proved(f *faulty, begin func()) (func() ([]string, []string), func()) {
	cart := f.cart(f.product(cheap), 0, f.somebody())
	_, a := f.ask(cart, "", "")
	_, n := f.start(a.Capability)
	begin()
	f.choose(n.URL, simkosmos.PassesWithSelfie)
	if got := f.session(n.ID, a.Capability); got.State != "passed" {
		f.t.Errorf("the session is %s", got.State)
	}
	id := f.place(cart).ID
	return bought(f, &id), nil
}

func bought(f *faulty, id *int64) func() ([]string, []string) {
	return func() ([]string, []string) {
		if *id == 0 {
			return []string{"the shopper has not been answered yet"}, nil
		}
		return f.compare(outcome{*id, 11, ledger.NotHeld, nil, 0, nil})
	}
}

// forgotten is a customer whom the merchant has deleted: what is known of the person goes.
func forgotten(f *faulty, begin func()) (func() ([]string, []string), func()) {
	c, err := f.shop.CreateCustomer(sim.Customer{Email: fmt.Sprintf("gone%d@example.com", len(f.shop.Deliveries())), FirstName: "Ada", LastName: "Lovelace", Password: "x"})
	if err != nil {
		f.t.Fatal(err)
	}
	cart := f.cart(f.product(cheap), c.ID, billing(c.Email))
	f.verify(cart, f.token(c.ID), simkosmos.PassesWithSelfie)
	begin()
	if err := f.shop.DeleteCustomer(c.ID); err != nil {
		f.t.Fatal(err)
	}
	f.settle()
	return func() (lost, doubled []string) {
		ps, err := f.ledger.ProofsFor(context.Background(), f.s(), gate.Facts{Buyer: gate.Buyer{CustomerID: c.ID}, CartID: cart})
		if err != nil || len(ps) > 0 {
			lost = append(lost, fmt.Sprintf("the proofs of customer %d are still there: %+v, %v", c.ID, ps, err))
		}
		return lost, nil
	}, nil
}

// mended is an installation from which somebody deleted a webhook and the script.
func mended(f *faulty, begin func()) (func() ([]string, []string), func()) {
	hooks := f.shop.Hooks()
	i := slices.IndexFunc(hooks, func(h sim.Hook) bool { return h.Scope == "store/order/created" })
	if err := f.shop.DeleteHook(hooks[i].ID); err != nil {
		f.t.Fatal(err)
	}
	if err := f.shop.DeleteScript(f.shop.Scripts()[0].UUID); err != nil {
		f.t.Fatal(err)
	}
	if err := f.shop.DeleteAttribute("blockid_liveid_enrolled"); err != nil {
		f.t.Fatal(err)
	}
	begin()
	if err := f.ledger.ReconcileSoon(context.Background(), hash, f.now()); err != nil {
		f.t.Fatal(err)
	}
	f.settle()
	return func() (lost, doubled []string) {
		for what, n := range map[string][2]int{"webhooks": {len(f.shop.Hooks()), 8}, "scripts": {len(f.shop.Scripts()), 1}, "attributes": {len(f.shop.Attributes()), 5}} {
			if n[0] < n[1] {
				lost = append(lost, fmt.Sprintf("%d %s, want %d", n[0], what, n[1]))
			} else if n[0] > n[1] {
				doubled = append(doubled, fmt.Sprintf("%d %s, want %d", n[0], what, n[1]))
			}
		}
		return lost, doubled
	}, nil
}

func scenes() []scene {
	cancels := func(p *gate.Policy) { p.CancelAfter = 3 }
	inSeven := func(p *gate.Policy) { p.HoldStatus = 7 }
	field := func(of func(*faulty, func()) (func() ([]string, []string), func()), want string) func(*faulty, func()) (func() ([]string, []string), func()) {
		return func(f *faulty, begin func()) (func() ([]string, []string), func()) {
			return informed(f, of, want)(begin)
		}
	}
	return []scene{
		{name: "reading an order to decide it", operation: readOrder, play: held},
		{name: "reading its products", operation: readProducts, play: held},
		{name: "reading its addresses", operation: readAddresses, play: held},
		{name: "reading it before the hold", operation: readOrder, skip: 1, play: held},
		{name: "holding it", operation: writeOrder, play: held},
		{name: "reading the hold back", operation: readOrder, skip: 2, play: held},
		{name: "deciding it after the proof", operation: readOrder, play: released},
		{name: "releasing it", operation: writeOrder, play: released},
		{name: "reading the release back", operation: readOrder, skip: 2, play: released},
		{name: "cancelling it", operation: writeOrder, unhurried: true, policy: cancels, play: cancelled},
		{name: "noting on it", operation: writeOrder, unhurried: true, policy: inSeven, play: noted},
		{name: "looking for its metafield", operation: "GET " + orderFields, unhurried: true, play: field(held, "hold")},
		{name: "making its metafield", operation: "POST " + orderFields, unhurried: true, play: field(held, "hold")},
		{name: "changing its metafield", operation: "PUT " + orderFields + "/{id}", unhurried: true, play: field(released, "allow")},
		{name: "reading attribute values", operation: "GET " + attributes, unhurried: true, play: attributed},
		{name: "writing attribute values", operation: "PUT " + attributes, unhurried: true, play: attributed},
		{name: "making a customer's metafield", operation: "POST " + customerField, unhurried: true, play: attributed},
		{name: "sweeping", operation: listOrders, play: swept},
		{name: "reading a cart that a page asks about", operation: readCheckout, play: asked},
		{name: "reading a cart that was proved for", operation: readCheckout, play: proved},
		{name: "asking for a deleted customer", operation: readCustomers, unhurried: true, play: forgotten},
		{name: "listing webhooks", operation: "GET /v3/hooks", unhurried: true, play: mended},
		{name: "making a webhook", operation: "POST /v3/hooks", unhurried: true, play: mended},
		{name: "making a script", operation: "POST /v3/content/scripts", unhurried: true, play: mended},
		{name: "making an attribute", operation: "POST /v3/customers/attributes", unhurried: true, play: mended},
	}
}

// answerFaults are BigCommerce's ways to misbehave.
func answerFaults() []sim.Fault {
	return []sim.Fault{sim.ServerError, sim.DoneButError, sim.DoneButTimeout, sim.TooMany, sim.TooManyBare, sim.LegacyLimit, sim.Unavailable, sim.Cut, sim.Slow}
}

// spell is for how long a fault lasts.
type spell struct {
	name  string
	times int // 0: as often as the operation is tried
	lasts time.Duration
}

// TestFaultAnswers: however BigCommerce answers at each operation, once, five times or for an hour, all is right soon after it has stopped,
// and nothing was done twice.
func TestFaultAnswers(t *testing.T) {
	answers(t, scenes(), answerFaults(), []spell{{"once", 1, 0}, {"five times", 5, 0}, {"for an hour", 0, time.Hour}})
}

// TestFaultAnswersWithoutTheOrder: an order of which BigCommerce says for a moment that it is not there, or says nothing, is held and
// released all the same.
func TestFaultAnswersWithoutTheOrder(t *testing.T) {
	var of []scene
	for _, s := range scenes() {
		if (s.operation == readOrder || s.operation == writeOrder) && !s.unhurried {
			of = append(of, s)
		}
	}
	answers(t, of, []sim.Fault{missing, emptied}, []spell{{"once", 1, 0}, {"four times", 4, 0}})
}

func answers(t *testing.T, scenes []scene, faults []sim.Fault, spells []spell) {
	var byFault, byScene tally
	t.Run("scenes", func(t *testing.T) {
		for i, s := range scenes {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				f := newFaulty(t, func(p *gate.Policy) {
					if s.policy != nil {
						s.policy(p)
					}
				})
				for j, fault := range faults {
					for _, spell := range spells {
						if raceDetector && spell.times != 1 && (i+j)%6 != 0 {
							continue // the detector takes its time: of the longer spells a sixth for each scene and fault; all without it
						}
						e := f.endure(s, fault, spell)
						byFault.add(faultName(fault), e)
						byScene.add(s.name, e)
						if len(e.lost)+len(e.doubled) > 0 || t.Failed() {
							t.Fatalf("%s %s: lost %v, doubled %v, right %s after it ended, met %d times", faultName(fault), spell.name, e.lost, e.doubled, e.took, e.met)
						}
					}
				}
			})
		}
	})
	byFault.log(t)
	byScene.log(t)
}

// endured is what came of a fault.
type endured struct {
	met           int
	lost, doubled []string
	took          time.Duration // from the fault's end until all was right
}

// endure plays a scene while one operation fails, and waits until it is over and the world at rest.
func (f *faulty) endure(s scene, fault sim.Fault, spell spell) endured {
	f.t.Helper()
	f.shop.SetFaults(sim.Faults{SlowFor: 5 * time.Millisecond})
	orders := f.shop.Orders()
	since, began, waited := orders[len(orders)-1].ID+1, f.clock.now(), f.relay.Pace(hash).Waited
	right, again := s.play(f, func() {
		began = f.clock.now()
		m := meeting{operation: s.operation, fault: fault, skip: s.skip, times: spell.times}
		if spell.lasts > 0 {
			m.until = began.Add(spell.lasts)
		}
		f.wire.meet(m)
	})
	wrong := func() bool { lost, _ := right(); return len(lost) > 0 }
	next := func(d time.Duration) {
		f.clock.pass(d)
		if again != nil {
			again()
		}
		f.settle()
	}
	f.settle()
	for limit := began.Add(2 * time.Hour); !f.wire.over(f.clock.now()) && (spell.lasts > 0 || wrong()) && f.clock.now().Before(limit); {
		if spell.lasts > 0 {
			next(time.Minute)
		} else {
			next(time.Second)
		}
	}
	met, ended := f.wire.met()
	if spell.lasts > 0 {
		ended = began.Add(spell.lasts)
	}
	if met == 0 {
		f.t.Errorf("%s: no request met %s", s.name, faultName(fault))
	}
	f.wire.meet(meeting{})
	rightAt := f.clock.now()
	for limit := rightAt.Add(15 * time.Minute); wrong() && rightAt.Before(limit); rightAt = f.clock.now() {
		next(time.Second)
	}
	e := endured{met: met, took: max(rightAt.Sub(ended), 0)}
	waited = f.relay.Pace(hash).Waited - waited
	if !s.unhurried && e.took > gateTime+waited {
		f.t.Errorf("%s, %s: right only %s after it ended, of which %s waiting for the quota", s.name, faultName(fault), e.took, waited)
	}
	f.shop.DropWebhooks(false)
	f.step(12*time.Minute, 2*time.Minute)
	e.lost, e.doubled = right()
	f.sound(Checks{Since: since, Within: ended.Sub(began) + gateTime + waited})
	return e
}
