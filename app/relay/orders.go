package relay

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/ledger"
)

// someOrders evaluates a few of a Shop's orders, within its share of the quota: what is new first, also what a long sweep may find yet, then
// what is only decided again.
func (r *Relay) someOrders(ctx context.Context, hash string) (int, error) {
	n, err := r.someOrdersOf(ctx, hash, false, urgent)
	if n > 0 || err != nil || r.sweepsFirst(hash) {
		return n, err
	}
	return r.someOrdersOf(ctx, hash, true, useful)
}

func (r *Relay) someOrdersOf(ctx context.Context, hash string, again bool, u urgency) (int, error) {
	now := r.Now()
	n, release := r.reserve(hash, u, orderCost)
	defer release()
	if n == 0 {
		return 0, nil
	}
	due, err := r.Ledger.LeaseOrders(ctx, hash, again, now, now.Add(lease), n)
	each(ctx, r.piece, due, laneBatch, func(o ledger.OrderLease) int64 { return o.OrderID }, r.evaluate, func(o ledger.OrderLease, err error) {
		r.Log.Error("evaluating an order", "shop", o.Shop, "order", o.OrderID, "error", err)
	})
	return len(due), err
}

// sameSecond is how long after its date of modification an order may still have changed without a change of that date: dates have whole
// seconds, and so has what we know of BigCommerce's clock.
const sameSecond = 2 * time.Second

// evaluate is the order gate: fetch, decide, and store what follows in one transaction.
func (r *Relay) evaluate(ctx context.Context, l ledger.OrderLease) error {
	s, err := r.Ledger.Shop(l.Shop)
	if errors.Is(err, ledger.ErrUnknownShop) {
		return r.Ledger.PostponeOrder(ctx, l, r.Now(), "the shop is not installed any more") // it may be again
	}
	if err != nil {
		return err
	}
	asked := r.Now().Add(-r.Pace(l.Shop).Skew)
	o, err := r.store(s).Order(ctx, l.OrderID)
	if errors.Is(err, bigcommerce.ErrNotFound) {
		return r.forget(ctx, s, l)
	}
	r.At("order fetched")
	var n ledger.Settlement
	if err == nil {
		n, err = r.settlement(ctx, s, o)
		if !asked.After(o.DateModified.Add(sameSecond)) {
			// It may change once more within the second that its date names: the sweep is to look again.
			n.Order.ModifiedAt = o.DateModified.Add(-time.Second)
		}
	}
	if err != nil {
		// An order is never given up on: stuck work is tried again every ten minutes, and its trouble is shown.
		e := r.judge(ctx, s, err, l.Attempt)
		if e.kind != isLater {
			return r.Ledger.PostponeOrder(ctx, l, r.Now().Add(backoff(max(l.Attempt, 10))), e.remark)
		}
		return r.Ledger.PostponeOrder(ctx, l, r.soon(e.at), e.remark)
	}
	r.At("order decided")
	err = r.Ledger.SettleOrder(ctx, s, l, n, r.Now())
	switch {
	case errors.Is(err, ledger.ErrLeaseLost):
		return nil // the order changed meanwhile and is due again
	case err != nil:
		return fmt.Errorf("settling: %w", err)
	}
	if n.Alarm {
		r.Log.Warn("an order needs a person's eye", "shop", s.Hash, "order", o.ID, "hold", n.Order.Hold, "status", o.StatusID)
	}
	return nil
}

// missingTries is how often in a row BigCommerce must have no such order, over half a minute, until it is believed.
const missingTries = 5

// forget ends what was begun for an order that BigCommerce has no more.
func (r *Relay) forget(ctx context.Context, s *ledger.Shop, l ledger.OrderLease) error {
	if l.Attempt < missingTries {
		return r.Ledger.PostponeOrder(ctx, l, r.retry(l.Attempt), "BigCommerce has no such order; it is asked again")
	}
	if err := r.Ledger.ForgetOrder(ctx, l, "BigCommerce has no such order"); err != nil {
		return err
	}
	o, err := r.Ledger.Order(ctx, s, l.OrderID)
	if err != nil {
		return err
	}
	is := o.Hold
	switch o.Hold {
	case ledger.Holding:
		is = ledger.NotHeld
	case ledger.Releasing, ledger.Cancelling:
		is = ledger.Held
	case ledger.NotHeld, ledger.Held, ledger.Released, ledger.Refused, ledger.Moved, ledger.Leaked, ledger.Cancelled:
		return nil
	}
	return r.Ledger.ConfirmHold(ctx, s.Hash, o.ID, o.Hold, is, o.StatusID, r.Now())
}

// settlement decides one order as BigCommerce has it now.
func (r *Relay) settlement(ctx context.Context, s *ledger.Shop, o bigcommerce.Order) (ledger.Settlement, error) {
	known, err := r.Ledger.Order(ctx, s, o.ID)
	if err != nil {
		return ledger.Settlement{}, err
	}
	n := ledger.Settlement{Order: snapshot(s, known, o)}
	class := bigcommerce.ClassOf(o.StatusID)
	if class == bigcommerce.ClassWatch || class == bigcommerce.ClassClosed || o.IsDeleted {
		n.Order.Hold = ledger.NotHeld
		if o.StatusID == bigcommerce.StatusCancelled && (known.Hold == ledger.Cancelling || known.Hold == ledger.Cancelled) {
			n.Order.Hold = ledger.Cancelled
		}
		n.Order.Touched, n.Order.CancelAt, n.Order.CalledAt, n.Order.WakeAt = false, time.Time{}, time.Time{}, time.Time{}
		n.Drop = []ledger.WritebackKind{ledger.Hold, ledger.Release, ledger.Cancel}
		reviews(known, gate.Decision{}, &n)
		return n, nil
	}
	standing, err := r.standing(ctx, s, known)
	if err != nil {
		return n, err
	}
	if class == bigcommerce.ClassGone && bigcommerce.ClassOf(known.StatusID) == bigcommerce.ClassGone && standing != nil &&
		(standing.Outcome == gate.Allow || known.Hold == ledger.Moved || known.Hold == ledger.Released) {
		reviews(known, standing.Decision, &n)
		return n, nil // what has left was settled when it left; a refund a year later changes nothing about that
	}
	d, err := r.answer(ctx, s, o, &known, standing, &n)
	if err != nil {
		return n, err
	}
	proving, err := r.proving(ctx, s, known)
	if err != nil {
		return n, err
	}
	r.holdOrRelease(s, known, o, d, proving, &n)
	reviews(known, d, &n)
	return n, r.missingScript(ctx, s, o, known, n)
}

// snapshot is the order as BigCommerce has it, with what we know besides.
func snapshot(s *ledger.Shop, known ledger.Order, o bigcommerce.Order) ledger.Order {
	amount, code := o.Value()
	n := known
	n.StatusID, n.CustomerID, n.CartID, n.Source, n.Digital = o.StatusID, o.CustomerID, o.CartID, o.OrderSource, o.OrderIsDigital
	n.Mailbox = s.MailboxHash(o.BillingAddress.Email)
	n.Buyer = ledger.Buyer{Name: strings.TrimSpace(o.BillingAddress.FirstName + " " + o.BillingAddress.LastName), Mailbox: o.BillingAddress.Email, Locale: o.CustomerLocale,
		Channel: o.ChannelID}
	n.Value, n.PlacedAt, n.ModifiedAt = money(amount, code), o.DateCreated, o.DateModified
	n.Channel, n.ShopValue = o.ChannelID, gate.Money{}
	if v, ok := o.ValueIn(s.Currency); ok {
		n.ShopValue = money(v, s.Currency)
	}
	return n
}

// answer is what the order is answered now, and puts into n what of that is news. known is changed where what happened to the order ends
// what was said of it before.
func (r *Relay) answer(ctx context.Context, s *ledger.Shop, o bigcommerce.Order, known *ledger.Order, standing *ledger.Decision, n *ledger.Settlement) (gate.Decision, error) {
	if !known.ErasedAt.IsZero() && standing != nil {
		return standing.Decision, nil // who bought it is forgotten: nothing could be decided anew
	}
	f, err := r.orderFacts(ctx, s, o)
	if err != nil {
		return gate.Decision{}, err
	}
	q, err := r.request(ctx, s.Hash, o.ID)
	if err != nil {
		return gate.Decision{}, err
	}
	if bigcommerce.ClassOf(o.StatusID) != bigcommerce.ClassGone || known.Hold.Ours() {
		f.Requested = demanded(q) // of what left before anybody asked, nothing can be demanded
	}
	same := sameFacts(s, *known, f)
	d, err := r.decideOrder(ctx, s, *known, f, same && (standing == nil || answersRequest(standing, q)), standing)
	if err != nil {
		return gate.Decision{}, err
	}
	if !same {
		// A person's word was about another order than this has become, and so was whatever somebody did by hand.
		n.Order.PersonSays, n.Order.Kept = "", false
		if known.Hold == ledger.Moved && len(known.FactsDigest) > 0 {
			known.Hold = ledger.NotHeld
		}
	}
	if n.Order.PersonSays == "" && (standing == nil || !same || !sameAnswer(*standing, d, s.Policy.Version)) {
		n.Decision = &ledger.NewDecision{Facts: f, Decision: d, Policy: s.Policy.Version, MadeBy: ledger.ByRule}
	}
	withdrawn(q, *known, standing, f, d, s.Policy.Version, n)
	if err := r.orderWord(ctx, s, *known, standing, f, d, n); err != nil {
		return d, err
	}
	if mark := holdMark(s, o); known.Hold == ledger.NotHeld && standing == nil && mark >= 0 && o.StatusID == s.Policy.HoldStatus {
		// The ledger has lost that we put it there, with the last moments before it was restored. The note tells, and only we can make one.
		known.Hold, known.FormerStatus, known.HoldStatus, known.Holds = ledger.Held, mark, o.StatusID, 1
		// With it the ledger lost the link that was mailed: the buyer needs one that works.
		n.Mails = append(n.Mails, mailRef(MailReminder+"-again", known.Holds))
	}
	return d, nil
}

// holdMark is the status that our latest hold replaced, as the order's staff notes prove it, or -1. Marks of announcements stand for nothing.
func holdMark(s *ledger.Shop, o bigcommerce.Order) int {
	marks := strings.Split(o.StaffNotes, noteMark)
	for i := len(marks) - 1; i > 0; i-- {
		mark, _, _ := strings.Cut(marks[i], "]")
		if strings.HasPrefix(mark, cancelMark) {
			continue
		}
		_, from, _ := strings.Cut(mark, " ") // after the Decision's id and the hold's number
		status, _, _ := strings.Cut(strings.TrimPrefix(from, "from "), " ")
		former, err := strconv.Atoi(status)
		if err != nil || subtle.ConstantTimeCompare([]byte(from), []byte(s.HoldMark(o.ID, former))) != 1 {
			return -1
		}
		return former
	}
	return -1
}

// holdOrRelease puts into n where the order goes with our Hold, and what is owed for that.
func (r *Relay) holdOrRelease(s *ledger.Shop, known ledger.Order, o bigcommerce.Order, d gate.Decision, proving bool, n *ledger.Settlement) {
	now := r.Now()
	next := transition(known, n.Order.PersonSays, o.StatusID, s.Policy, d)
	n.Order.Hold, n.Owe, n.Drop = next.hold, next.owe, next.drop
	n.Order.FormerStatus, n.Order.HoldStatus, n.Order.Reheld, n.Order.Holds, n.Order.Touched = next.former, next.status, next.reheld, known.Holds, next.touched
	if next.begins {
		n.Order.Holds, n.Order.HeldAt = known.Holds+1, time.Time{}
	}
	if next.hold == ledger.Held && n.Order.HeldAt.IsZero() {
		n.Order.HeldAt = now
	}
	if n.Decision != nil && d.Binds() {
		n.Owe = append(n.Owe, ledger.DecisionMetafield)
	}
	if len(n.Order.Link) == 0 && known.ErasedAt.IsZero() && (next.hold == ledger.Holding || next.hold == ledger.Held) {
		n.Grant = &ledger.Capability{Shop: s.Hash, Purpose: ledger.ForMail, OrderID: o.ID, Mailbox: n.Order.Mailbox, Channel: o.ChannelID, ExpiresAt: now.Add(mailCapabilityGood)}
	}
	if n.Alarm = next.alarm && next.hold != known.Hold; n.Alarm {
		n.Order.AlarmedAt = now
	}
	plan(s.Policy, known, d, proving, r.shopNow(s.Hash), n)
	r.owedMails(s, known, n)
}

// missingScript looks at the installation when an order came from a storefront's cart that no script had asked about.
func (r *Relay) missingScript(ctx context.Context, s *ledger.Shop, o bigcommerce.Order, known ledger.Order, n ledger.Settlement) error {
	if n.Order.Hold != ledger.Holding || known.Hold == ledger.Holding || o.CartID == "" || o.OrderSource != "www" {
		return nil
	}
	ds, err := r.Ledger.CartDecisions(ctx, s.Hash, o.CartID)
	if err != nil || len(ds) > 0 {
		return err
	}
	return r.Ledger.SuspectShop(ctx, s.Hash, r.Now())
}

// decideOrder decides on the order's own figures. An order does not go bad by waiting to be shipped: as long as it, the Policy and the
// Proof's standing are what they were, the Decision that allowed it stands. Anything else counts as of now.
func (r *Relay) decideOrder(ctx context.Context, s *ledger.Shop, known ledger.Order, f gate.Facts, same bool, standing *ledger.Decision) (gate.Decision, error) {
	if same && standing != nil && standing.Outcome == gate.Allow && standing.ProofID != "" && standing.Policy == s.Policy.Version {
		p, err := r.Ledger.Proof(ctx, s, standing.ProofID)
		if errors.Is(err, ledger.ErrNotFound) || err == nil && !p.Revoked {
			return standing.Decision, nil
		}
		if err != nil {
			return gate.Decision{}, err
		}
	}
	var err error
	if f.InReview, err = r.inReview(ctx, s, known); err != nil {
		return gate.Decision{}, err
	}
	proofs, err := r.Ledger.ProofsFor(ctx, s, f)
	if err != nil {
		return gate.Decision{}, err
	}
	return gate.Decide(s.Policy, f, proofs, r.Now()), nil
}

func (r *Relay) inReview(ctx context.Context, s *ledger.Shop, known ledger.Order) (bool, error) {
	ns, err := r.Ledger.SubjectSessions(ctx, s.Hash, known.ID, known.CartID)
	return slices.ContainsFunc(ns, func(n ledger.Session) bool { return n.State == "review" }), err
}

// proving reports whether somebody is proving identity just now for an order whose cancellation is due.
func (r *Relay) proving(ctx context.Context, s *ledger.Shop, known ledger.Order) (bool, error) {
	if known.CancelAt.IsZero() || r.shopNow(s.Hash).Before(known.CancelAt) {
		return false, nil
	}
	ns, err := r.Ledger.SubjectSessions(ctx, s.Hash, known.ID, known.CartID)
	return slices.ContainsFunc(ns, func(n ledger.Session) bool { return !n.State.Final() }), err
}

// standing is the Decision that the order has now, or nil.
func (r *Relay) standing(ctx context.Context, s *ledger.Shop, known ledger.Order) (*ledger.Decision, error) {
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
		old.Requirement == d.Requirement && slices.Equal(old.Reasons, d.Reasons)
}

// step is where an order goes with our Hold, and what is owed for it.
type step struct {
	hold      ledger.HoldState
	former    int  // the status our hold replaces
	status    int  // the status our hold writes
	begins    bool // our hold begins here, for the first time or again
	reheld    int  // how often it began again because somebody had moved the order on
	touched   bool
	alarm     bool // a person in the Shop should know
	owe, drop []ledger.WritebackKind
}

// transition is the whole table of holding and releasing. It is pure.
//
// An order leaves our hold only by a Proof or a named person's word: a policy that has become milder explains itself on the Orders
// page and releases nothing by itself. A status that somebody in the Shop wrote over our hold is theirs, at once or after one more hold,
// as the Policy chose.
func transition(o ledger.Order, personSays string, status int, p gate.Policy, d gate.Decision) step {
	stay := step{hold: o.Hold, former: o.FormerStatus, status: o.HoldStatus, reheld: o.Reheld, touched: o.Touched}
	class := bigcommerce.ClassOf(status)
	onHold := o.HoldStatus >= 0 && status == o.HoldStatus
	hold := d.Binds() && d.Outcome != gate.Allow
	release := d.Outcome == gate.Allow && (d.ProofID != "" || !d.Binds() && o.Hold == ledger.Holding)
	switch personSays {
	case "release":
		hold, release = false, true
	case "refuse":
		hold, release = true, false
	}
	to := func(h ledger.HoldState) step { stay.hold = h; return stay }
	alarm := func(h ledger.HoldState) step { stay.alarm = true; return to(h) }
	begin := func(reheld int) step {
		n := step{hold: ledger.Holding, former: status, status: p.HoldStatus, begins: true, reheld: reheld, alarm: reheld > 0,
			owe: []ledger.WritebackKind{ledger.Hold}, drop: []ledger.WritebackKind{ledger.Release, ledger.Cancel}}
		if status == p.HoldStatus {
			n.hold, n.owe = ledger.Held, []ledger.WritebackKind{ledger.Note} // it waits where it is
		}
		return n
	}

	if class == bigcommerce.ClassGone {
		switch {
		case !hold && o.Hold != ledger.Held && o.Hold != ledger.Refused && o.Hold != ledger.Cancelling:
			return to(settled(o.Hold))
		case o.Hold == ledger.Held, o.Hold == ledger.Refused, o.Hold == ledger.Moved, o.Hold == ledger.Cancelling, o.Hold == ledger.Releasing:
			stay.drop = []ledger.WritebackKind{ledger.Cancel}
			return alarm(ledger.Moved)
		}
		stay.drop = []ledger.WritebackKind{ledger.Hold}
		return alarm(ledger.Leaked)
	}
	settledHold := o.Hold == ledger.Held || o.Hold == ledger.Refused || o.Hold == ledger.Cancelling
	switch {
	case settledHold && onHold && o.Touched:
		// Somebody moved it off our hold and put it back: it is on theirs now.
		stay.drop = []ledger.WritebackKind{ledger.Release, ledger.Cancel}
		return alarm(ledger.Moved)
	case o.Hold.Ours() && release && (onHold || o.Hold == ledger.Holding):
		// A hold that is being written may or may not have been: the release looks.
		stay.owe, stay.drop = []ledger.WritebackKind{ledger.Release}, []ledger.WritebackKind{ledger.Hold, ledger.Cancel}
		return to(ledger.Releasing)
	case o.Hold.Ours() && release:
		stay.drop = []ledger.WritebackKind{ledger.Cancel}
		return to(ledger.Released)
	case o.Hold == ledger.Holding && onHold && personSays == "refuse":
		return to(ledger.Refused)
	case o.Hold == ledger.Holding && onHold:
		return to(ledger.Held)
	case o.Hold == ledger.Releasing && onHold && hold:
		// A release that is being written may or may not have been: the hold looks. It is another one, so that what the release said of the
		// order's status is not taken for somebody's hand.
		stay.begins, stay.owe, stay.drop = true, []ledger.WritebackKind{ledger.Hold}, []ledger.WritebackKind{ledger.Release}
		return to(ledger.Holding)
	case settledHold && !onHold && hold && class == bigcommerce.ClassGate && p.OnMoved == gate.HoldAgain && o.Reheld == 0:
		return begin(1)
	case settledHold && !onHold && !hold:
		// Nothing is asked of it any more, so that moving it on overrides nothing; what may be asked later is asked of it, too.
		stay.drop = []ledger.WritebackKind{ledger.Cancel}
		return to(ledger.NotHeld)
	case settledHold && !onHold:
		stay.drop = []ledger.WritebackKind{ledger.Cancel}
		return alarm(ledger.Moved)
	case o.Hold == ledger.Cancelling && !hold:
		stay.drop = []ledger.WritebackKind{ledger.Cancel}
		return to(ledger.Held)
	case !hold, o.Hold.Ours() && o.Hold != ledger.Releasing, o.Hold == ledger.Moved, class != bigcommerce.ClassGate:
		if !o.Hold.Ours() && !hold && o.Hold == ledger.Leaked {
			return to(ledger.NotHeld)
		}
		return stay
	}
	return begin(o.Reheld)
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
