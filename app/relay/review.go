package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
)

// What a person of the Shop may do about an order or a cart. Each verb is refused with ledger.ErrMoved when somebody was quicker.

// Bounds of what a person does.
const (
	askedAgainAfter = time.Hour // an order's buyer again, at the earliest after the last time
	mostAskedAgain  = 10        // times, per order

	unsayWaits = 10 * time.Second // for BigCommerce, which only explains: a person waits
)

// Errors of what a person asks for.
var (
	ErrMovedOn   = errors.New("BigCommerce shows that the order has moved on")
	ErrIsOrder   = errors.New("the cart has become an order")
	ErrNotAsking = errors.New("the policy does not enforce, so nobody is asked and nothing is held")
)

// reviews puts into n what waits for a person as the order stands now. known is the order as it was before.
func reviews(known ledger.Order, d gate.Decision, n *ledger.Settlement) {
	o := n.Order
	n.StillWait = nil
	switch o.Hold {
	case ledger.Holding, ledger.Held, ledger.Cancelling:
		if o.PersonSays != "" {
			return
		}
		n.StillWait = []ledger.ReviewKind{ledger.InReview, ledger.LatePass, ledger.TriesSpent}
		if noWay(d) {
			n.Wait, n.StillWait = ledger.NoWay, append(n.StillWait, ledger.NoWay)
		}
	case ledger.Leaked, ledger.Moved:
		kind := ledger.WasLeaked
		if o.Hold == ledger.Moved {
			kind = ledger.WasMoved
		}
		n.StillWait = []ledger.ReviewKind{kind}
		if o.Hold != known.Hold {
			n.Wait = kind
		}
	case ledger.NotHeld:
		if bigcommerce.ClassOf(o.StatusID) != bigcommerce.ClassClosed && d.Outcome != gate.Allow {
			n.StillWait = []ledger.ReviewKind{ledger.InReview, ledger.LatePass}
		}
	case ledger.Releasing, ledger.Released, ledger.Refused, ledger.Cancelled:
	}
}

// noWay reports whether no Proof would let the order go: it waits for a person, and for nothing else.
func noWay(d gate.Decision) bool {
	return d.Binds() && slices.ContainsFunc(d.Reasons, func(r gate.Reason) bool { return r.Code == gate.Blocked || r.Code == gate.GuestMustSignIn })
}

// request is the check that a person demands of an order, or nil.
func (r *Relay) request(ctx context.Context, hash string, orderID int64) (*ledger.Request, error) {
	q, err := r.Ledger.Request(ctx, hash, orderID)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, nil
	}
	return &q, err
}

// demanded is a request as the gate takes it; nil when it was taken back.
func demanded(q *ledger.Request) *gate.Requested {
	if q == nil || q.WithdrawnBy != "" {
		return nil
	}
	return &gate.Requested{Require: q.Require, Hold: q.Hold, By: q.By}
}

// answersRequest reports whether a Decision was made on what is demanded now.
func answersRequest(standing *ledger.Decision, q *ledger.Request) bool {
	if demanded(q) == nil {
		return !standing.Requested()
	}
	return standing.Requested() && !standing.At.Before(q.At)
}

// withdrawn lets an order go that was on hold for a request only which a named person has taken back: that is their word. Where the Policy
// itself holds it, it stays.
func withdrawn(q *ledger.Request, known ledger.Order, standing *ledger.Decision, f gate.Facts, d gate.Decision, version int64, n *ledger.Settlement) {
	if q == nil || q.WithdrawnBy == "" {
		return
	}
	n.EndRequest = true
	onHold := known.Hold == ledger.Holding || known.Hold == ledger.Held
	if !onHold || standing == nil || !standing.Requested() || d.Outcome != gate.Allow || d.ProofID != "" {
		return
	}
	d.Reasons = append([]gate.Reason{{Code: gate.RequestWithdrawn, Detail: q.WithdrawnBy}}, d.Reasons...)
	n.Order.PersonSays = "release"
	n.Decision = &ledger.NewDecision{Facts: f, Decision: d, Policy: version, MadeBy: ledger.ByPerson, Person: q.WithdrawnBy, Note: q.WithdrawnWhy}
}

// RequestCheck demands, in a person's name, a check of an order that BigCommerce has, whether idgate has seen it before or not. The order is
// decided anew at once. bigcommerce.ErrNotFound where there is no such order, ErrNotAsking while nothing is enforced.
func (r *Relay) RequestCheck(ctx context.Context, s *ledger.Shop, orderID int64, q ledger.Request) error {
	if s.Policy.Mode != gate.Enforce {
		return ErrNotAsking
	}
	o, err := r.store(s).Order(ctx, orderID)
	if err != nil {
		return fmt.Errorf("fetching order %d: %w", orderID, err)
	}
	if c := bigcommerce.ClassOf(o.StatusID); c == bigcommerce.ClassGone || c == bigcommerce.ClassClosed || o.IsDeleted {
		return ErrMovedOn
	}
	if err := r.Ledger.DueOrder(ctx, s.Hash, orderID, r.Now()); err != nil { // idgate may not have seen it yet
		return err
	}
	known, err := r.Ledger.Order(ctx, s, orderID)
	if err != nil {
		return err
	}
	var mails []string
	if r.Mail != nil && (!q.Hold || known.Hold == ledger.Held || known.Hold == ledger.Holding) {
		// An order that comes to be held is mailed about for that.
		mails = []string{mailRef(fmt.Sprintf("%s-request-%d", MailLink, r.Now().UnixMilli()), known.Holds)}
	}
	return r.Ledger.RequestCheck(ctx, s, orderID, q, mails, r.Now())
}

// PeekOrder is an order as BigCommerce has it, for somebody who thinks of asking for a check of it. Nothing is stored.
func (r *Relay) PeekOrder(ctx context.Context, s *ledger.Shop, orderID int64) (ledger.Order, error) {
	o, err := r.store(s).Order(ctx, orderID)
	if err != nil {
		return ledger.Order{}, fmt.Errorf("fetching order %d: %w", orderID, err)
	}
	return snapshot(s, ledger.Order{ID: orderID, Hold: ledger.NotHeld}, o), nil
}

// AskAgain mails an order's buyer another verification link and gives them fresh tries. notBefore is when that may be done, where it is too
// early; the error is then ledger.ErrMoved, as when the order waits for no Proof.
func (r *Relay) AskAgain(ctx context.Context, s *ledger.Shop, o ledger.Order, why string) (notBefore time.Time, err error) {
	if !r.MailsShoppers(s) {
		return time.Time{}, ErrNoMails
	}
	if o.Buyer.Mailbox == "" {
		return time.Time{}, ErrNoMailbox
	}
	times, last, err := r.Ledger.AskedAgain(ctx, s.Hash, o.ID)
	if err != nil {
		return time.Time{}, err
	}
	now := r.Now()
	if times >= mostAskedAgain {
		return time.Time{}, ErrTooManyTries
	}
	if next := last.Add(askedAgainAfter); !last.IsZero() && next.After(now) {
		return next, ledger.ErrMoved
	}
	return time.Time{}, r.Ledger.AskAgain(ctx, s, o, mailRef(fmt.Sprintf("%s-ask-%d", MailLink, times+1), o.Holds), now.Add(-askedAgainAfter), why, now)
}

// AskableFrom says from when on an order's buyer may be asked again, where that is later than now, and whether they were asked as often as is allowed.
func (r *Relay) AskableFrom(ctx context.Context, s *ledger.Shop, orderID int64) (next time.Time, spent bool, err error) {
	times, last, err := r.Ledger.AskedAgain(ctx, s.Hash, orderID)
	if next = last.Add(askedAgainAfter); last.IsZero() || !next.After(r.Now()) {
		next = time.Time{}
	}
	return next, times >= mostAskedAgain, err
}

// AskCartAgain mails the buyer of a Session's cart another link. The limits are those of a shopper who asks for one.
func (r *Relay) AskCartAgain(ctx context.Context, s *ledger.Shop, n ledger.Session) error {
	c, err := r.Ledger.Capability(ctx, r.Ledger.Token(ledger.Capability{ID: n.Capability, Purpose: ledger.ForCart}), ledger.ForCart, r.Now())
	if err != nil {
		return err
	}
	return r.MailToCart(ctx, s, ledger.AskedLink, c)
}

// Undoable says what taking back the last word on an order would do.
type Undoable int

// What can be taken back.
const (
	NotUndoable Undoable = iota
	UndoRelease          // the order is put on hold again, as long as BigCommerce shows it where the release put it
	UndoRefusal          // the order waits on hold for a Proof again
)

// CanUndo says whether the last word on the order, as the ledger knows it, can be taken back.
func CanUndo(s *ledger.Shop, o ledger.Order) Undoable {
	switch {
	case o.PersonSays == "refuse" && (o.Hold == ledger.Refused || o.Hold == ledger.Holding):
		return UndoRefusal
	case o.PersonSays == "release" && s.Policy.Mode == gate.Enforce && o.HoldStatus >= 0 && bigcommerce.ClassOf(o.FormerStatus) == bigcommerce.ClassGate &&
		(o.Hold == ledger.Releasing || o.Hold == ledger.Released && o.StatusID == o.FormerStatus):
		return UndoRelease
	}
	return NotUndoable
}

// Undo takes back a person's word on an order, in another's name or their own. ErrMovedOn when BigCommerce shows that the order is not where
// the release put it any more.
func (r *Relay) Undo(ctx context.Context, s *ledger.Shop, o ledger.Order, n ledger.NewDecision) error {
	var mails []string
	switch CanUndo(s, o) {
	case NotUndoable:
		return ledger.ErrMoved
	case UndoRefusal:
	case UndoRelease:
		is, err := r.store(s).Order(ctx, o.ID)
		switch {
		case errors.Is(err, bigcommerce.ErrNotFound):
			return ErrMovedOn
		case err != nil:
			return fmt.Errorf("fetching order %d: %w", o.ID, err)
		case is.IsDeleted, is.StatusID != o.FormerStatus && !(o.Hold == ledger.Releasing && is.StatusID == o.HoldStatus):
			return ErrMovedOn
		}
		if r.Mail != nil {
			mails = []string{mailRef(MailLink, o.Holds+1)}
		}
	}
	return r.Ledger.Unsay(ctx, s, o, n, mails, r.Now())
}

// word puts a person's word on the cart, where there is one and the cart is still what it was about, in the place of what the rules say.
func (r *Relay) word(ctx context.Context, s *ledger.Shop, f gate.Facts) (*ledger.CartWord, error) {
	w, err := r.Ledger.CartWord(ctx, s.Hash, f.CartID)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case w.Outcome != gate.Allow && w.Outcome != gate.Refuse, !bytes.Equal(w.Digest, s.FactsDigest(f.Canonical())):
		return nil, nil
	}
	return &w, nil
}

// spoken is d with a person's word in the place of its answer.
func spoken(d gate.Decision, w *ledger.CartWord) gate.Decision {
	code := gate.ReleasedByPerson
	if w.Outcome == gate.Refuse {
		code = gate.RefusedByPerson
	}
	d.Outcome, d.Would, d.Reasons, d.Needs, d.ProofID = w.Outcome, w.Outcome, []gate.Reason{{Code: code, Detail: w.By}}, nil, ""
	return d
}

// inWords is the Decision that a person's word on a cart makes.
func inWords(w *ledger.CartWord, f gate.Facts, d gate.Decision, version int64) ledger.NewDecision {
	return ledger.NewDecision{Facts: f, Decision: spoken(d, w), Policy: version, MadeBy: ledger.ByPerson, Person: w.By, Note: w.Why}
}

// orderWord carries a person's word on a cart over to the order that it became, when that is decided for the first time.
func (r *Relay) orderWord(ctx context.Context, s *ledger.Shop, known ledger.Order, standing *ledger.Decision, f gate.Facts, d gate.Decision, n *ledger.Settlement) error {
	if standing != nil || known.PersonSays != "" || f.CartID == "" || !d.Binds() {
		return nil
	}
	w, err := r.word(ctx, s, f)
	if err != nil || w == nil {
		return err
	}
	said := inWords(w, f, d, s.Policy.Version)
	n.Decision, n.Order.PersonSays = &said, "release"
	if w.Outcome == gate.Refuse {
		n.Order.PersonSays = "refuse"
	}
	return nil
}

// SayOfCart records a named person's word on the cart of a Session that waits for one: it may be ordered without a Proof, or not at all.
// ErrIsOrder when it has been ordered.
func (r *Relay) SayOfCart(ctx context.Context, s *ledger.Shop, session ledger.Session, allow bool, who, why string) error {
	f, d, err := r.cartNow(ctx, s, session)
	if err != nil {
		return err
	}
	w := ledger.CartWord{Outcome: gate.Refuse, By: who, Why: why}
	if allow {
		w.Outcome = gate.Allow
	}
	if err := r.Ledger.SayOfCart(ctx, s, inWords(&w, f, d, s.Policy.Version), r.Now()); err != nil {
		return err
	}
	r.watching.tell(session.ID)
	return nil
}

// UnsayCart takes back a person's word on a cart that has not been ordered yet.
func (r *Relay) UnsayCart(ctx context.Context, s *ledger.Shop, word ledger.Word, who, why string) error {
	ns, err := r.Ledger.SubjectSessions(ctx, s.Hash, 0, word.CartID)
	if err != nil {
		return err
	}
	n := ledger.NewDecision{Facts: gate.Facts{Stage: gate.AtCheckout, CartID: word.CartID}, Policy: s.Policy.Version, MadeBy: ledger.ByPerson, Person: who, Note: why,
		Decision: gate.Decision{Outcome: gate.Verify, Would: gate.Verify, Mode: s.Policy.Mode, Rules: []gate.RuleResult{}, Reasons: []gate.Reason{{Code: gate.UndoneByPerson, Detail: who}}}}
	var inReview []string
	for _, m := range ns {
		if m.State == idv.StateReview {
			inReview = append(inReview, m.ID)
		}
	}
	if len(ns) > 0 {
		asking, cancel := context.WithTimeout(ctx, unsayWaits)
		defer cancel()
		if _, d, err := r.cartNow(asking, s, ns[0]); err == nil { // a cart that cannot be fetched now is decided when its page asks
			n.Decision.Requirement, n.Decision.Rules, n.Decision.Needs = d.Requirement, d.Rules, d.Needs
		}
	}
	if err := r.Ledger.UnsayCart(ctx, s, word.ID, inReview, n, r.Now()); err != nil {
		return err
	}
	for _, m := range ns {
		r.watching.tell(m.ID)
	}
	return nil
}

// cartNow is a Session's cart as BigCommerce has it, and what the rules say of it.
func (r *Relay) cartNow(ctx context.Context, s *ledger.Shop, n ledger.Session) (gate.Facts, gate.Decision, error) {
	switch _, err := r.Ledger.OrderOfCart(ctx, s.Hash, n.CartID); {
	case err == nil:
		return gate.Facts{}, gate.Decision{}, ErrIsOrder
	case !errors.Is(err, ledger.ErrNotFound):
		return gate.Facts{}, gate.Decision{}, err
	}
	f, err := r.cartFacts(ctx, s, n.CartID, n.CustomerID)
	if err != nil {
		return f, gate.Decision{}, err
	}
	proofs, err := r.Ledger.ProofsFor(ctx, s, f)
	if err != nil {
		return f, gate.Decision{}, err
	}
	f.InReview = n.State == idv.StateReview
	return f, gate.Decide(s.Policy, f, proofs, r.Now()), nil
}
