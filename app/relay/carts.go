package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
)

// How long things at the checkout last.
const (
	cartCapabilityGood = 2 * time.Hour
	mailCapabilityGood = 90 * 24 * time.Hour // as long as an order may wait for its cancellation
	sessionDeadline    = 30 * time.Minute
	reviewDeadline     = 7 * 24 * time.Hour
	failureChoiceGood  = 10 * time.Minute // how long a "provider down" answer stands for a cart
)

// Errors of starting a Session.
var (
	ErrNothingToProve = errors.New("nothing has to be proved")
	ErrTooManyTries   = errors.New("too many tries; try again tomorrow")
	ErrBuyerUnknown   = errors.New("the cart does not say yet who is buying")
	ErrProviderDown   = errors.New("the identity provider cannot be reached")
	ErrDocument       = errors.New("not a kind of document that will do here")
	ErrProvedAlready  = errors.New("a proof under the mailbox that was shown is enough")
)

// CartAsk is a page's question about a cart.
type CartAsk struct {
	Shop       *ledger.Shop
	CartID     string
	CustomerID int64              // from a Current Customer JWT; 0 for a guest
	Held       *ledger.Capability // the Capability that the page got earlier, if it shows one
	Locale     string             // of the page
}

// CartAnswer is what the page may know.
type CartAnswer struct {
	DecisionID string
	Decision   gate.Decision
	Capability *ledger.Capability // nil when nothing is to be proved
	Session    *ledger.Session    // the newest one of this Capability
	Unnamed    bool               // the cart does not say yet who is buying: nobody could be bound to a Proof
	Unshown    bool               // the cart names a mailbox, and nobody has shown that it is theirs
	TriesLeft  int                // Sessions that may still begin today
}

// DecideCart answers for a cart on the figures that BigCommerce has of it, and stores the Decision where it is news. The error is a *BusyError
// where shoppers have used up their part of the quota.
func (r *Relay) DecideCart(ctx context.Context, a CartAsk) (CartAnswer, error) {
	s, now := a.Shop, r.Now()
	if s.Policy.Mode == gate.Off {
		return CartAnswer{Decision: gate.Decide(s.Policy, gate.Facts{Stage: gate.AtCheckout}, nil, now)}, nil
	}
	f, err := r.cartFacts(ctx, s, a.CartID, a.CustomerID)
	if err != nil {
		return CartAnswer{}, err
	}
	proofs, err := r.Ledger.ProofsFor(ctx, s, f)
	if err != nil {
		return CartAnswer{}, err
	}
	var out CartAnswer
	if held := a.Held; held != nil && held.Shop == s.Hash && held.CartID == f.CartID && held.CustomerID == f.Buyer.CustomerID && held.Mailbox == f.Buyer.Mailbox {
		out.Capability = held
		if a.Locale != "" && a.Locale != held.Locale { // the shopper has chosen another language meanwhile
			if err := r.Ledger.SpeakCapability(ctx, *held, a.Locale); err != nil {
				return CartAnswer{}, err
			}
			held.Locale = a.Locale
		}
		n, err := r.Ledger.CapabilitySession(ctx, *held)
		switch {
		case err == nil:
			out.Session = &n
			f.InReview = n.State == idv.StateReview
		case !errors.Is(err, ledger.ErrNotFound):
			return CartAnswer{}, err
		}
	}
	d := gate.Decide(s.Policy, f, proofs, now)
	n := ledger.NewDecision{Facts: f, Decision: d, Policy: s.Policy.Version, MadeBy: ledger.ByRule}
	if d.Outcome == gate.Verify && s.Policy.OnProviderDown == gate.LetPay {
		down, err := r.providerWasDown(ctx, s, f.CartID, now)
		if err != nil {
			return CartAnswer{}, err
		}
		if down {
			n.Decision = r.letPay(d)
			n.MadeBy = ledger.ByFailure
		}
	}
	w, err := r.word(ctx, s, f)
	if err != nil {
		return CartAnswer{}, err
	}
	if w != nil && d.Binds() {
		n = inWords(w, f, d, s.Policy.Version)
	}
	var grant *ledger.Capability
	if n.Decision.Outcome != gate.Allow && out.Capability == nil {
		grant = &ledger.Capability{Shop: s.Hash, Purpose: ledger.ForCart, CartID: f.CartID, CustomerID: f.Buyer.CustomerID, Mailbox: f.Buyer.Mailbox, Locale: a.Locale,
			Channel: channelOf(f), ExpiresAt: now.Add(cartCapabilityGood)}
		out.Capability = grant
	}
	out.Decision, out.Unnamed = n.Decision, f.Buyer.Mailbox == "" || f.Buyer.Name == gate.Name{}
	out.Unshown = f.Buyer.Mailbox != "" && !f.Buyer.MailboxProved
	if out.Capability != nil {
		if out.TriesLeft, err = r.TriesLeft(ctx, a.Shop, *out.Capability); err != nil {
			return CartAnswer{}, err
		}
	}
	out.DecisionID, err = r.Ledger.AnswerCart(ctx, s, n, grant, now)
	return out, err
}

// channelOf is the storefront of a cart, or 0.
func channelOf(f gate.Facts) int64 {
	n, err := strconv.ParseInt(f.Channel.Value, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// letPay is d made mild by the failure choice: the shopper may pay, and the order gate holds the order.
func (r *Relay) letPay(d gate.Decision) gate.Decision {
	d.Outcome = gate.Allow
	d.Reasons = append([]gate.Reason{{Code: gate.ProviderDown}}, d.Reasons...)
	return d
}

func (r *Relay) providerWasDown(ctx context.Context, s *ledger.Shop, cartID string, now time.Time) (bool, error) {
	ds, err := r.Ledger.CartDecisions(ctx, s.Hash, cartID)
	return slices.ContainsFunc(ds, func(d ledger.Decision) bool {
		return d.MadeBy == ledger.ByFailure && now.Sub(d.At) < failureChoiceGood
	}), err
}

// StartSession opens a Session for the holder of a cart or mail Capability, or returns the one that is under way. document is the kind that
// the shopper chose, or "". A link that only a mail carried shows whose the mailbox is; ErrProvedAlready when that is enough.
// ErrProviderDown comes after the failure choice has been recorded: the page asks again and learns what it means.
func (r *Relay) StartSession(ctx context.Context, s *ledger.Shop, c ledger.Capability, document string) (ledger.Session, error) {
	if _, err := chosen(s, gate.Requirement{}, document); err != nil {
		return ledger.Session{}, err
	}
	defer r.starting.lock(startKey(c))() // so that the limits hold for requests at the same time, too
	if err := ctx.Err(); err != nil {
		return ledger.Session{}, err
	}
	// From here on it does not matter whether the browser waits: what the provider begins is counted, and what it refuses is answered for.
	ctx = context.WithoutCancel(ctx)
	if c.Mailed {
		switch enough, err := r.pressed(ctx, s, c); {
		case err != nil:
			r.Log.Warn("looking for a proof under a shown mailbox; the shopper verifies", "shop", s.Hash, "error", err)
		case enough:
			return ledger.Session{}, ErrProvedAlready
		}
	}
	last, err := r.Ledger.CapabilitySession(ctx, c)
	switch {
	case err == nil && !last.State.Final():
		return last, nil
	case err != nil && !errors.Is(err, ledger.ErrNotFound):
		return ledger.Session{}, err
	}
	d, err := r.toProve(ctx, s, c)
	if err != nil {
		return ledger.Session{}, err
	}
	kind, err := chosen(s, d.Requirement, document)
	if err != nil {
		return ledger.Session{}, err
	}
	n, err := r.create(ctx, s, kind, d)
	if err != nil {
		return ledger.Session{}, r.providerDown(ctx, s, d, err)
	}
	if err := r.Ledger.StartSession(ctx, s, c, n, n.StartedAt); err != nil {
		return ledger.Session{}, fmt.Errorf("storing the session: %w", err)
	}
	n.Shop, n.Capability, n.CartID, n.OrderID, n.CustomerID = s.Hash, bytes.Clone(c.ID), c.CartID, c.OrderID, c.CustomerID
	return n, nil
}

// toProve is the Decision that a new Session is to change, where there is one and a Session may begin.
func (r *Relay) toProve(ctx context.Context, s *ledger.Shop, c ledger.Capability) (ledger.Decision, error) {
	d, _, err := r.latestDecision(ctx, s, c)
	switch {
	case err != nil:
		return d, err
	case d.Outcome == gate.Allow && !d.Asks() || d.Outcome == gate.Refuse:
		return d, ErrNothingToProve
	case c.OrderID == 0 && c.CustomerID == 0 && c.Mailbox == "":
		return d, ErrBuyerUnknown
	}
	shown, err := r.Ledger.MailboxShown(ctx, s, gate.Facts{CartID: c.CartID, OrderID: c.OrderID, Buyer: gate.Buyer{CustomerID: c.CustomerID, Mailbox: c.Mailbox}})
	if err != nil {
		return d, err
	}
	err = r.mayStart(ctx, s, c, shown)
	if errors.Is(err, errBudgetSpent) {
		err = r.providerDown(ctx, s, d, err) // to the shopper it is the same: no verification can be begun
	}
	return d, err
}

// create asks the provider for a session.
func (r *Relay) create(ctx context.Context, s *ledger.Shop, kind idv.DocumentType, d ledger.Decision) (ledger.Session, error) {
	p, err := r.Provider(s)
	if err != nil {
		return ledger.Session{}, err
	}
	now := r.Now()
	n := ledger.Session{ID: ledger.NewSessionID(now), Provider: p.Name(), Requirement: d.Requirement, Policy: s.Policy.Version, StartedAt: now,
		Deadline: now.Add(sessionDeadline), PollAt: now.Add(2 * time.Second), State: idv.StateCreated}
	ctx, cancel := context.WithTimeout(ctx, r.StartTime)
	defer cancel()
	made, err := p.Create(ctx, idv.CreateRequest{SessionID: n.ID, Document: kind})
	n.Ref, n.CaptureURL = made.Ref, made.CaptureURL
	return n, err
}

// latestDecision is what the Capability's cart or order was last answered, and whether that is about to be decided again; a cart that has
// become an order is answered as that.
func (r *Relay) latestDecision(ctx context.Context, s *ledger.Shop, c ledger.Capability) (d ledger.Decision, due bool, err error) {
	if c.OrderID == 0 {
		switch o, err := r.orderOf(ctx, s, c.CartID); {
		case err == nil:
			c.OrderID = o.ID
		case !errors.Is(err, ledger.ErrNotFound):
			return d, false, err
		}
	}
	if c.OrderID != 0 {
		o, err := r.Ledger.Order(ctx, s, c.OrderID)
		if err != nil {
			return d, false, err
		}
		d, err = r.Ledger.Decision(ctx, s.Hash, o.DecisionID)
		return d, !o.DueAt.IsZero(), err
	}
	ds, err := r.Ledger.CartDecisions(ctx, s.Hash, c.CartID)
	if err == nil && len(ds) == 0 {
		err = ledger.ErrNotFound
	}
	if err != nil {
		return d, false, err
	}
	return ds[0], false, nil
}

// providerDown records the merchant's failure choice for a cart, and says so.
func (r *Relay) providerDown(ctx context.Context, s *ledger.Shop, d ledger.Decision, cause error) error {
	r.Log.Error("the identity provider did not open a session", "shop", s.Hash, "error", cause)
	if d.Stage != gate.AtCheckout || s.Policy.OnProviderDown != gate.LetPay {
		return ErrProviderDown
	}
	n := ledger.NewDecision{Facts: gate.Facts{Stage: gate.AtCheckout, CartID: d.CartID, Buyer: gate.Buyer{CustomerID: d.CustomerID}},
		Decision: r.letPay(d.Decision), Policy: s.Policy.Version, MadeBy: ledger.ByFailure}
	if _, err := r.Ledger.RecordCartDecision(ctx, s, n, nil, r.Now()); err != nil {
		return fmt.Errorf("recording the failure choice: %w", err)
	}
	return ErrProviderDown
}

// Wake is the doorbell: it makes the next poll of a Session come soon, and tells nobody whether there was one.
func (r *Relay) Wake(ctx context.Context, hash, sessionID string) error {
	return r.Ledger.WakeSession(ctx, hash, sessionID, r.Now())
}

// SessionDecision is what a Session's cart or order is answered now. due reports that the order is about to be decided again: what the
// Session proved may not be in the answer yet.
func (r *Relay) SessionDecision(ctx context.Context, s *ledger.Shop, n ledger.Session) (d ledger.Decision, due bool, err error) {
	return r.latestDecision(ctx, s, ledger.Capability{Shop: s.Hash, CartID: n.CartID, OrderID: n.OrderID})
}
