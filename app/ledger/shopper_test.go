package ledger

import (
	"context"
	"fmt"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/queries"
)

// shopper is somebody who leaves rows in every table.
type shopper struct {
	shop     string
	id       int64 // as a customer
	mailbox  string
	cart     string
	order    int64
	lastName string
}

var (
	ada   = shopper{shopHash, 700700701, "ada@example.com", "cart of ada", 118, "Lovelace"}
	bob   = shopper{shopHash, 800800801, "bob@example.com", "cart of bob", 218, "Babbage"}
	adas2 = shopper{"other9", 700700701, "ada@example.com", "cart of ada", 118, "Lovelace"} // the same ids in another Shop
)

// underWay is what of a shopper was being worked on.
type underWay struct {
	session   Session
	order     OrderLease
	stale     Order
	notice    Notice
	writeback Writeback
}

func (p shopper) at(r *rig) *Shop {
	r.Helper()
	s, err := r.l.Shop(p.shop)
	r.ok(err)
	return s
}

func (p shopper) facts(s *Shop, cart string, order int64) gate.Facts {
	f := gate.Facts{Stage: gate.AtCheckout, CartID: cart, OrderID: order, Buyer: gate.Buyer{CustomerID: p.id, Mailbox: s.MailboxHash(p.mailbox), Name: gate.Name{Given: "A", Family: p.lastName}}}
	if order != 0 {
		f.Stage = gate.AtOrder
	}
	return f
}

func (p shopper) decision(s *Shop, cart string, order int64) NewDecision {
	return NewDecision{Facts: p.facts(s, cart, order), MadeBy: ByRule, Policy: 1,
		Decision: gate.Decision{Outcome: gate.Hold, Mode: gate.Enforce, Reasons: []gate.Reason{{Code: gate.NoProof}}, Rules: []gate.RuleResult{}}}
}

// starts begins a Session with a Capability that a cart or an order has.
func (p shopper) starts(r *rig, c *Capability) Session {
	r.Helper()
	s := p.at(r)
	r.ok(r.l.do(context.Background(), func(ctx context.Context, t *tx) error { return addCapability(ctx, t, c, r.now) }))
	n := Session{ID: NewSessionID(r.now), Provider: "1kosmos", CaptureURL: "https://capture.example/link of " + p.lastName, State: idv.StateCreated, Policy: 1,
		Deadline: r.now.Add(time.Hour), PollAt: r.now}
	n.Ref = "ref " + n.ID
	r.ok(r.l.StartSession(context.Background(), s, *c, n, r.now))
	due, err := r.l.LeaseSessions(context.Background(), p.shop, r.now, r.now.Add(lease), 9)
	r.ok(err)
	if len(due) != 1 {
		r.Fatalf("%d sessions due", len(due))
	}
	r.wait(time.Millisecond)
	return due[0]
}

func (p shopper) passes(r *rig, c *Capability) {
	r.Helper()
	n := p.starts(r, c)
	proof := r.ada()
	proof.Person.Family = p.lastName
	moved, err := r.l.MoveSession(context.Background(), p.at(r), n, Move{State: idv.StatePassed, Deadline: n.Deadline, Proof: &proof}, r.now)
	r.ok(err)
	if !moved {
		r.Fatal("not moved")
	}
}

// capability is one that a shopper's browser or mailbox holds.
func (p shopper) capability(r *rig, cart string, order, customer int64, mailbox string) *Capability {
	r.Helper()
	c := &Capability{Shop: p.shop, Purpose: ForCart, CartID: cart, OrderID: order, CustomerID: customer, Mailbox: p.at(r).MailboxHash(mailbox), ExpiresAt: r.now.Add(time.Hour)}
	if order != 0 {
		c.Purpose, c.CartID = ForMail, ""
	}
	return c
}

// noticed stores a Notice about a shopper and leases it.
func (p shopper) noticed(r *rig, n int, scope string) Notice {
	r.Helper()
	_, err := r.l.RecordNotice(context.Background(), NewNotice{Shop: p.shop, EventAt: r.now, Hash: fmt.Sprint("hash ", n), Scope: scope, Subject: fmt.Sprint(p.id)}, r.now)
	r.ok(err)
	due, err := r.l.LeaseNotices(context.Background(), p.shop, r.now, r.now.Add(lease), 1)
	r.ok(err)
	if len(due) != 1 {
		r.Fatalf("%d notices due", len(due))
	}
	return due[0]
}

// shops has a shopper do everything that leaves a trace: prove identity signed in and as a guest, before and after ordering, by cart and by
// mailed link; be held; be told of by webhooks; and have more of all that under way.
func (p shopper) shops(r *rig) underWay {
	r.Helper()
	ctx := context.Background()
	s := p.at(r)
	p.passes(r, p.capability(r, p.cart, 0, p.id, p.mailbox))       // signed in
	p.passes(r, p.capability(r, p.cart, 0, 0, ""))                 // in the cart that becomes the order, before signing in
	p.passes(r, p.capability(r, "guest "+p.cart, 0, 0, p.mailbox)) // as a guest, in another cart
	p.passes(r, p.capability(r, "", p.order, 0, "old "+p.mailbox)) // by a link to the order, under a mailbox it had before
	p.starts(r, p.capability(r, "later "+p.cart, 0, 0, p.mailbox)) // under way, as a guest
	p.starts(r, p.capability(r, "", p.order, 0, p.mailbox))        // under way, by a link
	way := underWay{session: p.starts(r, p.capability(r, "new "+p.cart, 0, p.id, p.mailbox))}
	r.ok(r.l.do(ctx, func(ctx context.Context, t *tx) error {
		return addCapability(ctx, t, &Capability{Shop: p.shop, Purpose: ForConfirm, CustomerID: p.id, ExpiresAt: r.now}, r.now)
	}))
	for _, kind := range []AskedKind{AskedLink, AskedCode} {
		c := p.capability(r, "asking "+p.cart, 0, p.id, p.mailbox)
		r.ok(r.l.do(ctx, func(ctx context.Context, t *tx) error { return addCapability(ctx, t, c, r.now) }))
		_, err := r.l.AskMail(ctx, s, kind, *c, r.now.Add(time.Hour), r.now)
		r.ok(err)
	}
	r.ok(r.l.ShowMailbox(ctx, s, Shown{Mailbox: s.MailboxHash(p.mailbox), CustomerID: p.id, Way: ByCode}, r.now))
	r.ok(r.l.ShowMailbox(ctx, s, Shown{Mailbox: s.MailboxHash(p.mailbox), CartID: "guest " + p.cart, Way: ByLink}, r.now))
	r.ok(r.l.List(ctx, s, []Listed{{CustomerID: p.id, List: gate.OnAllowList, Note: "known to us"}, {Mailbox: p.mailbox, List: gate.OnAllowList, Note: "known to us"}}, r.now))
	for _, d := range []NewDecision{p.decision(s, p.cart, 0), p.decision(s, "new "+p.cart, 0)} {
		_, err := r.l.RecordCartDecision(ctx, s, d, nil, r.now)
		r.ok(err)
	}
	settle := func(id int64, o Order) {
		l := p.evaluates(r, id)
		o.ID, o.CustomerID, o.CartID, o.Mailbox, o.Buyer = id, p.id, p.cart, s.MailboxHash(p.mailbox), Buyer{Name: "A " + p.lastName, Mailbox: p.mailbox}
		d := p.decision(s, p.cart, id)
		r.ok(r.l.SettleOrder(ctx, s, l, Settlement{Order: o, Decision: &d, Grant: p.capability(r, "", id, 0, p.mailbox), Mails: []string{"link#1"}, Owe: []WritebackKind{DecisionMetafield}}, r.now))
	}
	settle(p.order, Order{StatusID: 12, Hold: Held, FormerStatus: 11, HoldStatus: 12})
	settle(p.order+1, Order{StatusID: 10, Hold: Released, FormerStatus: 11, HoldStatus: 12})
	r.ok(r.l.do(ctx, func(ctx context.Context, t *tx) error {
		if err := t.addReview(ctx, p.shop, Review{Kind: TriesSpent, Subject: fmt.Sprint(p.order), OrderID: p.order}, r.now); err != nil {
			return err
		}
		return t.AddRequest(ctx, queries.AddRequestParams{StoreHash: p.shop, OrderID: p.order, Require: "{}", Hold: 1, Person: "staff", Note: "why", Now: millis(r.now)})
	}))
	r.ok(r.l.do(ctx, func(ctx context.Context, t *tx) error { // and somebody has begun to erase them
		return t.saveErasure(ctx, &erasure{hash: p.shop, customerID: p.id, guest: []byte{}, mailboxes: [][]byte{unhex(s.MailboxHash(p.mailbox))}, beganAt: r.now})
	}))
	way.order = p.evaluates(r, p.order)
	o, err := r.l.Order(ctx, s, p.order)
	r.ok(err)
	way.stale = o
	r.ok(r.l.FinishNotice(ctx, p.noticed(r, 1, "store/customer/created"), "noted", nil, r.now))
	r.ok(r.l.StickNotice(ctx, p.noticed(r, 2, "store/customer/updated"), "why", r.now))
	p.noticed(r, 3, "store/customer/deleted")
	way.notice = p.noticed(r, 4, "store/customer/deleted")
	due, err := r.l.LeaseWritebacks(ctx, p.shop, 1, r.now, r.now.Add(lease), 9)
	r.ok(err)
	for _, w := range due {
		if w.Kind == CustomerAttributes {
			way.writeback = w
		}
	}
	if way.writeback.ID == 0 {
		r.Fatal("nothing is owed to the customer's record")
	}
	return way
}

func (p shopper) evaluates(r *rig, id int64) OrderLease {
	r.Helper()
	r.ok(r.l.DueOrder(context.Background(), p.shop, id, r.now))
	due, err := r.l.LeaseOrders(context.Background(), p.shop, false, r.now, r.now.Add(lease), 1)
	r.ok(err)
	if len(due) != 1 || due[0].OrderID != id {
		r.Fatalf("due %v, want %d", due, id)
	}
	return due[0]
}

// shopping is a ledger in which Ada, Bob, and Ada in another Shop have done everything. Enforced, so that customers' records are written.
func shopping(t *testing.T) (*rig, underWay) {
	t.Helper()
	r := newRig(t)
	r.install("other9")
	for _, hash := range []string{shopHash, "other9"} {
		p := gate.Default("EUR")
		p.Mode, p.CustomFieldsV2 = gate.Enforce, true
		_, err := r.l.SavePolicy(t.Context(), hash, PolicyChange{Policy: p, Author: "staff", Since: r.now}, r.now)
		r.ok(err)
	}
	for _, hash := range []string{shopHash, "other9"} {
		_, err := r.l.AddEndpoint(t.Context(), shopper{shop: hash}.at(r), NewEndpoint{URL: "https://erp.example/", Host: "erp.example", Types: EventTypes()}, r.now)
		r.ok(err)
	}
	way := ada.shops(r)
	bob.shops(r)
	adas2.shops(r)
	r.wait(time.Minute)
	return r, way
}
