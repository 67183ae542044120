package relay_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

// What shoppers do.

func (s *storm) orderByAPI() string {
	status := anyOf(s.r, 11, 11, 11, 9, 8, 7, 0, 1, 12, 2, 10)
	source := anyOf(s.r, "external", "manual", "amazon", "ebay", "checkout_api")
	id := s.placeUnsettled(func(a *sim.APIOrder) {
		a.StatusID, a.Source = &status, source
		if cs := s.shop.Customers(); s.r.IntN(3) == 0 && len(cs) > 0 {
			a.CustomerID = anyOf(s.r, cs...).ID
		}
	})
	return fmt.Sprintf("order %d by API from %s in status %d", id, source, status)
}

func (s *storm) someCart() (id string, customer int64) {
	s.t.Helper()
	bill := s.somebody()
	if s.r.IntN(2) == 0 {
		c, err := s.shop.CreateCustomer(sim.Customer{Email: bill.Email, FirstName: "Ada", LastName: "Lovelace", Password: "x"})
		if err != nil {
			s.t.Fatal(err)
		}
		customer = c.ID
	}
	return s.cart(s.product(anyOf(s.r, cheap, cheap, cheap, dear, "whisky", "Barista course")), customer, bill), customer
}

func (s *storm) orderByCart() string {
	cart, _ := s.someCart()
	return s.buy(cart, "")
}

func (s *storm) buy(cart, how string) string {
	s.t.Helper()
	o, err := s.shop.PlaceOrder(cart, sim.PlaceOptions{Source: anyOf(s.r, "www", "iphone"), AuthorizeOnly: s.r.IntN(8) == 0, LeaveIncomplete: s.r.IntN(6) == 0})
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprintf("order %d from a cart%s, in status %d", o.ID, how, o.StatusID)
}

// orderProved is a shopper who tries to prove identity for the cart first; whatever comes of it, the order is placed.
func (s *storm) orderProved() string {
	if !s.up() {
		return ""
	}
	cart, customer := s.someCart()
	token := ""
	if customer != 0 {
		token = s.token(customer)
	}
	how := ", not asked"
	if status, a := s.ask(cart, token, ""); status == http.StatusOK && a.Capability != "" {
		if status, n := s.start(a.Capability); status == http.StatusCreated {
			p := s.person()
			_ = s.tenant.Choose(n.URL, p)
			s.wait(15 * time.Second)
			how = fmt.Sprintf(", after %s", p)
		}
	}
	return s.buy(cart, how)
}

func (s *storm) person() simkosmos.Person {
	return anyOf(s.r, simkosmos.PassesWithSelfie, simkosmos.PassesWithSelfie, simkosmos.PassesWithSelfie, simkosmos.Passes, simkosmos.Fails, simkosmos.OtherName,
		simkosmos.NeedsReview, simkosmos.GivesUp)
}

func (s *storm) beginByLink() string {
	o, ours, ok := s.pick(func(_ sim.Order, ours ledger.Order) bool {
		return len(ours.Link) == 16 && (ours.Hold == ledger.Held || ours.Hold == ledger.Holding)
	})
	if !ok {
		return ""
	}
	status := s.tryLink(o.ID)
	return fmt.Sprintf("the link of order %d (%s) is opened: %d", o.ID, ours.Hold, status)
}

// choosePerson decides a Session that is open, or one that is in review.
func (s *storm) choosePerson() string {
	for _, n := range s.tenant.Sessions() {
		switch n.Phase {
		case simkosmos.Waiting, simkosmos.Opened:
			p := s.person()
			if s.tenant.Choose(n.ID, p) == nil {
				return fmt.Sprintf("session %s: %s", n.ID[:8], p)
			}
		case simkosmos.InReview:
			if s.r.IntN(2) == 0 {
				v := anyOf(s.r, simkosmos.Approve, simkosmos.Refuse)
				_ = s.tenant.Review(n.ID, v)
				return fmt.Sprintf("session %s: the reviewer says %s", n.ID[:8], v)
			}
		case simkosmos.Passed, simkosmos.Failed, simkosmos.Declined, simkosmos.Abandoned, simkosmos.Expired:
		}
	}
	return ""
}

// ringAnything rings the doorbell of a Session, or of none.
func (s *storm) ringAnything() string {
	id := "00000000-0000-7000-8000-000000000000"
	if o, _, ok := s.pick(func(_ sim.Order, ours ledger.Order) bool { return len(ours.Link) == 16 }); ok {
		if n := s.newest(o.ID); n.ID != "" {
			id = n.ID
		}
	}
	_, _ = s.do(http.MethodPost, s.app.URL+"/bc/result", nil, fmt.Appendf(nil, `{"store_hash":%q,"result":{"session_id":%q,"state":"passed"}}`, hash, id))
	return "the doorbell rings"
}

// What the merchant's staff do.

func (s *storm) pay() string {
	o, _, ok := s.pick(func(o sim.Order, _ ledger.Order) bool {
		return !o.Deleted && (o.StatusID <= 1 || o.StatusID == 7 && o.PaymentStatus == "authorized")
	})
	if !ok {
		return ""
	}
	if o.PaymentStatus == "authorized" && s.shop.CapturePayment(o.ID, "merchant") == nil {
		return fmt.Sprintf("the payment of order %d is captured", o.ID)
	}
	s.setStatus(o.ID, 11)
	return fmt.Sprintf("order %d is paid", o.ID)
}

func (s *storm) moveOrder() string {
	o, ours, ok := s.pick(func(o sim.Order, _ ledger.Order) bool { return !o.Deleted && o.StatusID > 1 })
	if !ok {
		return ""
	}
	to := anyOf(s.r, 11, 11, 9, 8, 12, 2, 2, 10, 3, 5, 4)
	s.setStatus(o.ID, to)
	return fmt.Sprintf("order %d (%d, %s) is moved to %d by hand", o.ID, o.StatusID, ours.Hold, to)
}

func (s *storm) editOrder() string {
	o, ours, ok := s.pick(func(o sim.Order, _ ledger.Order) bool {
		return !o.Deleted && slices.Contains([]int{0, 1, 7, 8, 9, 11, 12}, o.StatusID)
	})
	if !ok {
		return ""
	}
	b, what := o.Billing, ""
	s.people++
	var err error
	switch s.r.IntN(5) {
	case 0:
		what, b.Email = "mailbox", fmt.Sprintf("other.%d@example.com", s.people)
		err = s.shop.SetOrderBilling(o.ID, b, "merchant")
	case 1:
		what, b.LastName = "name", fmt.Sprintf("Byron%d", s.people)
		err = s.shop.SetOrderBilling(o.ID, b, "merchant")
	case 2:
		what, b.Street1 = "street", fmt.Sprintf("Elsewhere %d", s.people)
		err = s.shop.SetOrderBilling(o.ID, b, "merchant")
	case 3:
		what = "items"
		err = s.shop.SetOrderItems(o.ID, []sim.APIItem{{ProductID: s.product(cheap), Quantity: 1, Price: sim.Cents(int64(1000 + s.people))}}, "merchant")
	case 4:
		cs := s.shop.Customers()
		if s.turned[o.ID] || len(cs) == 0 {
			return ""
		}
		what, s.turned[o.ID] = "customer", true
		c := anyOf(s.r, cs...).ID
		if o.CustomerID != 0 {
			c = 0
		}
		err = s.shop.SetOrderCustomer(o.ID, c, "merchant")
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprintf("order %d (%d, %s): another %s", o.ID, o.StatusID, ours.Hold, what)
}

func (s *storm) archive() string {
	o, ours, ok := s.pick(func(sim.Order, ledger.Order) bool { return true })
	if !ok {
		return ""
	}
	if o.Deleted {
		if err := s.shop.RestoreOrder(o.ID, "merchant"); err != nil {
			s.t.Fatal(err)
		}
		return fmt.Sprintf("order %d is restored", o.ID)
	}
	if s.r.IntN(3) == 0 {
		if err := s.shop.DeleteOrder(o.ID, "merchant"); err != nil {
			s.t.Fatal(err)
		}
		return fmt.Sprintf("order %d (%d, %s) is deleted", o.ID, o.StatusID, ours.Hold)
	}
	if err := s.shop.ArchiveOrder(o.ID, "merchant"); err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprintf("order %d (%d, %s) is archived", o.ID, o.StatusID, ours.Hold)
}

func (s *storm) personSays() string {
	o, ours, ok := s.pick(func(_ sim.Order, ours ledger.Order) bool {
		return ours.Hold == ledger.Held || ours.Hold == ledger.Holding || ours.Hold == ledger.Refused
	})
	if !ok {
		return ""
	}
	release := s.r.IntN(2) == 0
	d := gate.Decision{Outcome: gate.Refuse, Mode: gate.Enforce, Reasons: []gate.Reason{{Code: gate.RefusedByPerson}}, Rules: []gate.RuleResult{}}
	if release {
		d.Outcome, d.Reasons[0].Code = gate.Allow, gate.ReleasedByPerson
	}
	n := ledger.NewDecision{Facts: gate.Facts{Stage: gate.AtOrder, OrderID: o.ID}, Decision: d, Policy: s.s().Policy.Version, MadeBy: ledger.ByPerson, Person: "rita@example.com", Note: "because"}
	err := s.ledger.Override(context.Background(), s.s(), ours, release, n, s.relay.OverrideMails(ours, release), s.now())
	return fmt.Sprintf("Rita on order %d (%s), release %t: %v", o.ID, ours.Hold, release, err)
}

func (s *storm) keepOrder() string {
	o, _, ok := s.pick(func(_ sim.Order, ours ledger.Order) bool { return ours.Hold == ledger.Held && !ours.CancelAt.IsZero() })
	if !ok {
		return ""
	}
	return fmt.Sprintf("order %d is kept: %v", o.ID, s.ledger.KeepOrder(context.Background(), s.s(), o.ID, s.r.IntN(3) > 0, "called", s.now()))
}

func (s *storm) revoke() string {
	o, ours, ok := s.pick(func(_ sim.Order, ours ledger.Order) bool {
		if ours.DecisionID == "" {
			return false
		}
		d, err := s.ledger.Decision(context.Background(), hash, ours.DecisionID)
		return err == nil && d.ProofID != ""
	})
	if !ok {
		return ""
	}
	d, err := s.ledger.Decision(context.Background(), hash, ours.DecisionID)
	if err != nil {
		s.t.Fatal(err)
	}
	err = s.ledger.RevokeProof(context.Background(), s.s(), d.ProofID, "rita@example.com", "stolen", s.now())
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		s.t.Fatal(err)
	}
	return fmt.Sprintf("the proof of order %d (%d, %s) is revoked: %v", o.ID, o.StatusID, ours.Hold, err)
}

// save saves a version of the Policy as the Policy page does.
func (s *storm) save(change func(*gate.Policy)) {
	s.t.Helper()
	sh := s.s()
	p := sh.Policy
	change(&p)
	if ps := p.Problems(); len(ps) > 0 {
		s.t.Fatal(ps)
	}
	if _, err := s.relay.SavePolicy(context.Background(), sh, ledger.PolicyChange{Base: p.Version, Policy: p, Author: "owner@example.com", Note: "storm"}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *storm) savePolicy() string {
	if !s.up() {
		return ""
	}
	what := ""
	s.save(func(p *gate.Policy) {
		switch s.r.IntN(4) {
		case 0:
			p.Sources = anyOf(s.r, nil, []string{"www", "iphone"}, []string{"www", "external", "amazon"})
			what = fmt.Sprintf("sources %v", p.Sources)
		case 1:
			p.Guests = anyOf(s.r, gate.GuestsVerify, gate.GuestsSignIn, gate.GuestsPass)
			what = "guests: " + string(p.Guests)
		case 2:
			p.Checkout.IAL = anyOf[gate.IAL](s.r, 0, 1, 2)
			what = fmt.Sprintf("IAL %d", p.Checkout.IAL)
		case 3:
			p.OnProviderDown = anyOf(s.r, gate.LetPay, gate.Stop)
			what = "provider down: " + string(p.OnProviderDown)
		}
	})
	return "a policy: " + what
}

func (s *storm) changeMode() string {
	if !s.up() {
		return ""
	}
	mode := gate.Enforce
	if s.s().Policy.Mode == gate.Enforce && s.r.IntN(4) == 0 {
		mode = anyOf(s.r, gate.Off, gate.Shadow)
	}
	s.save(func(p *gate.Policy) { p.Mode = mode })
	return "a policy: mode " + string(mode)
}

// deleteCustomer deletes an account. The webhook that tells of it comes at once: nothing else would tell.
func (s *storm) deleteCustomer() string {
	cs := s.shop.Customers()
	told := slices.ContainsFunc(s.shop.Hooks(), func(h sim.Hook) bool { return h.Scope == bigcommerce.ScopeCustomerDeleted && h.Active })
	if len(cs) == 0 || !s.up() || s.s().State != ledger.Installed || !told {
		return ""
	}
	faults, dropped := s.shop.Faults(), s.shop.WebhooksDropped()
	s.shop.SetFaults(sim.Faults{})
	s.shop.DropWebhooks(false)
	s.shop.KeepWebhooks(false)
	c := anyOf(s.r, cs...)
	if err := s.shop.DeleteCustomer(c.ID); err != nil {
		s.t.Fatal(err)
	}
	s.platform.Deliver(context.Background())
	s.shop.SetFaults(faults)
	s.shop.DropWebhooks(dropped)
	s.shop.KeepWebhooks(s.late)
	return fmt.Sprintf("customer %d is deleted", c.ID)
}

// vandalise takes a part of the installation away.
func (s *storm) vandalise() string {
	hooks, scripts := s.shop.Hooks(), s.shop.Scripts()
	var err error
	what := ""
	switch n := s.r.IntN(4); {
	case n == 0 && len(hooks) > 0:
		h := anyOf(s.r, hooks...)
		what, err = "the webhook "+h.Scope+" is switched off", s.shop.DeactivateHook(h.ID)
	case n == 1 && len(hooks) > 0:
		h := anyOf(s.r, hooks...)
		what, err = "the webhook "+h.Scope+" is deleted", s.shop.DeleteHook(h.ID)
	case n == 2 && len(scripts) > 0:
		what, err = "the script is deleted", s.shop.DeleteScript(scripts[0].UUID)
	case n == 3 && len(s.shop.Attributes()) > 0:
		a := anyOf(s.r, s.shop.Attributes()...)
		what, err = "the attribute "+a.Name+" is deleted", s.shop.DeleteAttribute(a.Name)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return what
}

func (s *storm) replay() string {
	if !s.up() {
		return ""
	}
	n, err := s.ledger.ReplayNotices(context.Background(), hash, s.now().Add(-10*time.Minute), s.now())
	return fmt.Sprintf("the notices of ten minutes are replayed: %d, %v", n, err)
}
