package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/ledger"
)

// someOrders evaluates a few of a Shop's orders, within its share of the quota.
func (r *Relay) someOrders(ctx context.Context, hash string) (int, error) {
	now := r.Now()
	n, release := r.reserve(hash, urgent, orderCost)
	defer release()
	if n == 0 {
		return 0, nil
	}
	due, err := r.Ledger.LeaseOrders(ctx, hash, now, now.Add(lease), n)
	each(ctx, due, r.evaluate, func(o ledger.OrderLease, err error) {
		r.Log.Error("evaluating an order", "shop", o.Shop, "order", o.OrderID, "error", err)
	})
	return len(due), err
}

// evaluate is the order gate: fetch, decide, and store what follows in one transaction.
func (r *Relay) evaluate(ctx context.Context, l ledger.OrderLease) error {
	s, err := r.Ledger.Shop(l.Shop)
	if errors.Is(err, ledger.ErrUnknownShop) {
		return r.Ledger.ForgetOrder(ctx, l, "the shop is not installed any more")
	}
	if err != nil {
		return err
	}
	o, err := r.store(s).Order(ctx, l.OrderID)
	if errors.Is(err, bigcommerce.ErrNotFound) {
		return r.Ledger.ForgetOrder(ctx, l, "BigCommerce has no such order")
	}
	r.At("order fetched")
	var n ledger.Settlement
	if err == nil {
		n, err = r.settlement(ctx, s, o)
	}
	if err != nil {
		// An order is never given up on: stuck work is tried again every ten minutes, and its trouble is shown.
		e := r.judge(ctx, s, err, l.Attempt)
		if e.kind != isLater {
			e.at = r.Now().Add(backoff(max(l.Attempt, 10)))
		}
		return r.Ledger.PostponeOrder(ctx, l, e.at, e.remark)
	}
	r.At("order decided")
	err = r.Ledger.SettleOrder(ctx, s, l, n, r.Now())
	switch {
	case errors.Is(err, ledger.ErrLeaseLost):
		return nil // the order changed meanwhile and is due again
	case err != nil:
		return fmt.Errorf("settling: %w", err)
	}
	if n.Order.Hold == ledger.Leaked {
		r.Log.Warn("an order has gone out unproven", "shop", s.Hash, "order", o.ID, "status", o.StatusID)
	}
	return nil
}

// settlement decides one order as BigCommerce has it now.
func (r *Relay) settlement(ctx context.Context, s *ledger.Shop, o bigcommerce.Order) (ledger.Settlement, error) {
	known, err := r.Ledger.Order(ctx, s, o.ID)
	if err != nil {
		return ledger.Settlement{}, err
	}
	amount, code := o.Value()
	n := ledger.Settlement{Order: known}
	n.Order.StatusID, n.Order.CustomerID, n.Order.CartID, n.Order.Source = o.StatusID, o.CustomerID, o.CartID, o.OrderSource
	n.Order.Mailbox = s.MailboxHash(o.BillingAddress.Email)
	n.Order.Buyer = ledger.Buyer{Name: strings.TrimSpace(o.BillingAddress.FirstName + " " + o.BillingAddress.LastName), Mailbox: o.BillingAddress.Email}
	n.Order.Value, n.Order.PlacedAt, n.Order.ModifiedAt = money(amount, code), o.DateCreated, o.DateModified

	class := bigcommerce.ClassOf(o.StatusID)
	if class == bigcommerce.ClassWatch || class == bigcommerce.ClassClosed || o.IsDeleted {
		n.Order.Hold = ledger.NotHeld
		n.Drop = []ledger.WritebackKind{ledger.Hold, ledger.Release}
		return n, nil
	}
	d, f, err := r.decideOrder(ctx, s, o, known)
	if err != nil {
		return n, err
	}
	standing, err := r.standing(ctx, s, known, f)
	if err != nil {
		return n, err
	}
	if known.PersonSays != "" && !sameFacts(s, known, f) {
		n.Order.PersonSays = "" // a person's word was about another order than this has become
	}
	if standing == nil || !sameAnswer(*standing, d, s.Policy.Version) || !sameFacts(s, known, f) {
		n.Decision = &ledger.NewDecision{Facts: f, Decision: d, Policy: s.Policy.Version, MadeBy: ledger.ByRule}
	}
	if n.Order.PersonSays != "" {
		n.Decision = nil
	}
	next := transition(known, n.Order.PersonSays, o.StatusID, s.Policy.HoldStatus, d)
	n.Order.Hold, n.Owe, n.Drop = next.hold, next.owe, next.drop
	n.Order.FormerStatus, n.Order.HoldStatus = next.former, next.status
	if next.hold == ledger.Held && known.HeldAt.IsZero() {
		n.Order.HeldAt = r.Now()
	}
	if n.Decision != nil && d.Binds() {
		n.Owe = append(n.Owe, ledger.DecisionMetafield)
	}
	if len(n.Order.Link) == 0 && (next.hold == ledger.Holding || next.hold == ledger.Held) {
		n.Grant = &ledger.Capability{Shop: s.Hash, Purpose: ledger.ForMail, OrderID: o.ID, Mailbox: n.Order.Mailbox, ExpiresAt: r.Now().Add(mailCapabilityGood)}
	}
	return n, nil
}

// decideOrder decides on the order's own figures. How old a Proof may be is measured at the moment the order was first allowed:
// an order does not go bad by waiting to be shipped. Anything else that changed counts as of now.
func (r *Relay) decideOrder(ctx context.Context, s *ledger.Shop, o bigcommerce.Order, known ledger.Order) (gate.Decision, gate.Facts, error) {
	f, err := r.orderFacts(ctx, s, o)
	if err != nil {
		return gate.Decision{}, f, err
	}
	if f.InReview, err = r.inReview(ctx, s, known); err != nil {
		return gate.Decision{}, f, err
	}
	proofs, err := r.Ledger.ProofsFor(ctx, s, f)
	if err != nil {
		return gate.Decision{}, f, err
	}
	at := r.Now()
	if known.DecisionID != "" && sameFacts(s, known, f) {
		last, err := r.Ledger.Decision(ctx, s.Hash, known.DecisionID)
		if err != nil {
			return gate.Decision{}, f, err
		}
		if last.Outcome == gate.Allow && last.ProofID != "" && last.Policy == s.Policy.Version {
			at = last.At
		}
	}
	return gate.Decide(s.Policy, f, proofs, at), f, nil
}

func (r *Relay) inReview(ctx context.Context, s *ledger.Shop, known ledger.Order) (bool, error) {
	ns, err := r.Ledger.SubjectSessions(ctx, s.Hash, known.ID, known.CartID)
	return slices.ContainsFunc(ns, func(n ledger.Session) bool { return n.State == "review" }), err
}

// standing is the Decision that the order has now, or nil.
func (r *Relay) standing(ctx context.Context, s *ledger.Shop, known ledger.Order, f gate.Facts) (*ledger.Decision, error) {
	if known.DecisionID == "" {
		return nil, nil
	}
	d, err := r.Ledger.Decision(ctx, s.Hash, known.DecisionID)
	return &d, err
}

func sameFacts(s *ledger.Shop, known ledger.Order, f gate.Facts) bool {
	return len(known.FactsDigest) > 0 && bytes.Equal(known.FactsDigest, s.FactsDigest(f.Canonical()))
}

// sameAnswer tells an echo from news: the same answer, for the same reasons, under the same version, needs no second record.
func sameAnswer(old ledger.Decision, d gate.Decision, version int64) bool {
	return old.MadeBy == ledger.ByRule && old.Outcome == d.Outcome && old.Mode == d.Mode && old.ProofID == d.ProofID && old.Policy == version &&
		slices.Equal(old.Reasons, d.Reasons)
}

// step is where an order goes with our Hold, and what is owed for it.
type step struct {
	hold      ledger.HoldState
	former    int // the status our hold replaces
	status    int // the status our hold writes
	owe, drop []ledger.WritebackKind
}

// transition is the whole table of holding and releasing. It is pure.
//
// An order leaves our hold only by a Proof or a named person's word: a policy that has become milder explains itself on the Orders
// page and releases nothing by itself. A status that somebody in the Shop wrote over our hold is theirs.
func transition(o ledger.Order, personSays string, status, holdStatus int, d gate.Decision) step {
	stay := step{hold: o.Hold, former: o.FormerStatus, status: o.HoldStatus}
	class := bigcommerce.ClassOf(status)
	onHold := o.HoldStatus >= 0 && status == o.HoldStatus
	ours := o.Hold == ledger.Holding || o.Hold == ledger.Held || o.Hold == ledger.Releasing || o.Hold == ledger.Refused
	hold := d.Binds() && d.Outcome != gate.Allow
	release := d.Outcome == gate.Allow && (d.ProofID != "" || !d.Binds() && o.Hold == ledger.Holding)
	switch personSays {
	case "release":
		hold, release = false, true
	case "refuse":
		hold, release = true, false
	}
	to := func(h ledger.HoldState) step { stay.hold = h; return stay }

	if class == bigcommerce.ClassGone {
		switch {
		case o.Hold == ledger.Released, o.Hold == ledger.Releasing, !hold && o.Hold != ledger.Held && o.Hold != ledger.Refused:
			return to(settled(o.Hold))
		case o.Hold == ledger.Held, o.Hold == ledger.Refused, o.Hold == ledger.Moved:
			return to(ledger.Moved)
		}
		stay.drop = []ledger.WritebackKind{ledger.Hold}
		return to(ledger.Leaked)
	}
	switch {
	case ours && release && onHold:
		stay.owe, stay.drop = []ledger.WritebackKind{ledger.Release}, []ledger.WritebackKind{ledger.Hold}
		return to(ledger.Releasing)
	case ours && release && o.Hold == ledger.Holding:
		// The hold may or may not have been written: the release looks.
		stay.owe, stay.drop = []ledger.WritebackKind{ledger.Release}, []ledger.WritebackKind{ledger.Hold}
		return to(ledger.Releasing)
	case ours && release:
		return to(ledger.Released)
	case o.Hold == ledger.Holding && onHold && personSays == "refuse":
		return to(ledger.Refused)
	case o.Hold == ledger.Holding && onHold:
		return to(ledger.Held)
	case o.Hold == ledger.Releasing && onHold && hold:
		stay.drop = []ledger.WritebackKind{ledger.Release}
		return to(ledger.Held)
	case (o.Hold == ledger.Held || o.Hold == ledger.Refused) && !onHold:
		return to(ledger.Moved)
	case !hold, ours && o.Hold != ledger.Releasing, o.Hold == ledger.Moved, class != bigcommerce.ClassGate:
		if !ours && !hold && o.Hold == ledger.Leaked {
			return to(ledger.NotHeld)
		}
		return stay
	}
	begin := step{hold: ledger.Holding, former: status, status: holdStatus, owe: []ledger.WritebackKind{ledger.Hold}, drop: []ledger.WritebackKind{ledger.Release}}
	if status == holdStatus {
		begin.hold, begin.owe = ledger.Held, []ledger.WritebackKind{ledger.Note} // it waits where it is
	}
	return begin
}

// settled is what becomes of a hold state when an allowed order is gone.
func settled(h ledger.HoldState) ledger.HoldState {
	if h == ledger.Releasing || h == ledger.Released {
		return ledger.Released
	}
	if h == ledger.Moved {
		return ledger.Moved
	}
	return ledger.NotHeld
}
