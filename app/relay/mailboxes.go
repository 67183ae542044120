package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/mail"
)

// How long a link is good that a shopper asked for at the checkout: a cart is hardly ever older.
const cartLinkGood = 24 * time.Hour

// Errors of mails that a shopper asks for.
var (
	ErrNoMails     = errors.New("this shop sends no mails to shoppers")
	ErrNoMailbox   = errors.New("the cart names no mailbox")
	ErrCartChanged = errors.New("the cart names another mailbox by now")
	ErrMailRefused = errors.New("the mail server takes no mail for this mailbox")
	ErrMailDown    = errors.New("the mail could not be handed over")
)

// MailsShoppers reports whether shoppers can be mailed at all.
func (r *Relay) MailsShoppers(s *ledger.Shop) bool {
	return r.Mail != nil && s.Policy.Mails && s.Policy.Mode == gate.Enforce
}

// MailToCart mails the holder of a cart's Capability a verification link or a code, to the mailbox that BigCommerce has in the cart and to
// no other. nil means that the mail server took it. The error is a *ledger.AskedTooOften where enough were asked for.
func (r *Relay) MailToCart(ctx context.Context, s *ledger.Shop, kind ledger.AskedKind, c ledger.Capability) error {
	if !r.MailsShoppers(s) {
		return ErrNoMails
	}
	asking, release, err := r.askingOf(ctx, s, c.CartID, 1)
	if err != nil {
		return err
	}
	cart, err := r.checkout(asking, s, c.CartID)
	release()
	if err != nil {
		return err
	}
	to := cart.BillingAddress.Email
	if to == "" {
		to = cart.Cart.Email
	}
	switch hash := s.MailboxHash(to); hash {
	case "":
		return ErrNoMailbox
	case c.Mailbox:
	default:
		return ErrCartChanged
	}
	d, _, err := r.latestDecision(ctx, s, c)
	if err != nil {
		return err
	}
	if d.Outcome == gate.Allow || d.Outcome == gate.Refuse {
		return ErrNothingToProve
	}
	until := r.Now().Add(cartLinkGood)
	asked, err := r.Ledger.AskMail(ctx, s, kind, c, until, r.Now())
	if err != nil {
		return err
	}
	ask := MailAsk{Shop: s, Which: MailCode, Need: d.Requirement, Locale: c.Locale, Channel: c.Channel, AppURL: r.AppURL, Code: asked.Code}
	if asked.Link != nil {
		ask.Which, ask.Link, ask.Until = MailCartLink, r.AppURL+"/v/"+r.Ledger.Token(*asked.Link), until
	}
	m := r.Compose(ask)
	name := ledger.MailName{Shop: s.Hash, Asked: asked.ID}
	m.To, m.ID = to, r.Ledger.MailID(name)
	err = r.Mail.Send(ctx, m, r.Now())
	var me *mail.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &me) && me.Permanent:
		_, recorded := r.Ledger.ReturnMail(ctx, name, me.Reason, r.Now())
		return errors.Join(fmt.Errorf("%w: %w", ErrMailRefused, err), recorded)
	}
	return fmt.Errorf("%w: %w", ErrMailDown, err)
}

// EnterCode takes the digits that a shopper was mailed. nil means that control of the mailbox is shown; what follows from that is decided
// when the page asks again.
func (r *Relay) EnterCode(ctx context.Context, s *ledger.Shop, c ledger.Capability, code string) error {
	return r.Ledger.EnterCode(ctx, s, c, code, r.Now())
}

// pressed records that the button behind a link was pressed which nothing but a mail carried, and reports whether that is enough: a Proof
// under this mailbox may be there already. An order is let go by the order gate, which looks at once.
func (r *Relay) pressed(ctx context.Context, s *ledger.Shop, c ledger.Capability) (enough bool, err error) {
	now := r.Now()
	n := ledger.Shown{Mailbox: c.Mailbox, OrderID: c.OrderID, CartID: c.CartID, Way: ledger.ByLink}
	if err := r.Ledger.ShowMailbox(ctx, s, n, now); err != nil {
		return false, fmt.Errorf("recording a shown mailbox: %w", err)
	}
	if good, err := r.Ledger.GoodProofs(ctx, s, c.Mailbox, now); err != nil || good == 0 {
		return false, err
	}
	var f gate.Facts
	if c.OrderID != 0 {
		asking, release, err := r.whileAwaited(ctx, s, orderCost)
		if err != nil {
			return false, err
		}
		defer release()
		o, err := r.store(s).Order(asking, c.OrderID)
		if err != nil {
			return false, fmt.Errorf("fetching the order: %w", err)
		}
		if f, err = r.orderFacts(asking, s, o); err != nil {
			return false, err
		}
	} else if f, err = r.cartFacts(ctx, s, c.CartID, c.CustomerID); err != nil {
		return false, err
	}
	proofs, err := r.Ledger.ProofsFor(ctx, s, f)
	if err != nil {
		return false, err
	}
	d := gate.Decide(s.Policy, f, proofs, now)
	if d.Outcome != gate.Allow || c.OrderID != 0 {
		return d.Outcome == gate.Allow, nil
	}
	_, err = r.Ledger.RecordCartDecision(ctx, s, ledger.NewDecision{Facts: f, Decision: d, Policy: s.Policy.Version, MadeBy: ledger.ByRule}, nil, now)
	return true, err
}

// Confirmation is what the page after the order may know.
type Confirmation struct {
	Known      bool // the cart's order is known here; it may take a few seconds
	OrderID    int64
	Decision   ledger.Decision
	Outcome    gate.Outcome // verify, review or refuse only while the order is on our hold
	Capability *ledger.Capability
	Session    *ledger.Session // the newest one of this Capability
}

// ConfirmCart answers for the order that a cart became, to the browser that holds the cart's Capability.
func (r *Relay) ConfirmCart(ctx context.Context, s *ledger.Shop, c ledger.Capability) (Confirmation, error) {
	out := Confirmation{Outcome: gate.Allow, Capability: &c}
	o, err := r.orderOf(ctx, s, c.CartID)
	if errors.Is(err, ledger.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.Known, out.OrderID = true, o.ID
	if out.Decision, err = r.Ledger.Decision(ctx, s.Hash, o.DecisionID); err != nil {
		return out, err
	}
	if out.Outcome = stepLeft(o, out.Decision); out.Outcome == gate.Allow {
		return out, nil
	}
	if c.Mailbox != o.Mailbox || c.CustomerID != 0 && c.CustomerID != o.CustomerID {
		// A Proof has to be under the mailbox that the order names, which may have been changed after the page last asked.
		fresh := ledger.Capability{Shop: s.Hash, Purpose: ledger.ForCart, CartID: c.CartID, Mailbox: o.Mailbox, Locale: c.Locale, Channel: c.Channel, ExpiresAt: r.Now().Add(cartCapabilityGood)}
		if fresh, err = r.Ledger.Grant(ctx, fresh, r.Now()); err != nil {
			return out, err
		}
		out.Capability = &fresh
	}
	n, err := r.Ledger.CapabilitySession(ctx, *out.Capability)
	switch {
	case err == nil:
		out.Session = &n
		if n.State == "review" {
			out.Outcome = gate.Review
		}
	case !errors.Is(err, ledger.ErrNotFound):
		return out, err
	}
	return out, nil
}

// stepLeft is what an order's buyer may be told of our hold: verify, refuse, or allow where there is none.
func stepLeft(o ledger.Order, d ledger.Decision) gate.Outcome {
	switch {
	case !d.Binds():
	case o.Hold == ledger.Refused, o.Hold.Ours() && o.PersonSays == "refuse":
		return gate.Refuse
	case o.Hold == ledger.Holding, o.Hold == ledger.Held, o.Hold == ledger.Cancelling:
		return gate.Verify
	}
	return gate.Allow
}

// justOrdered is how long after an order its customer may still be on the page after it.
const justOrdered = time.Hour

// MailedCustomer reports whether the order that a customer has just placed is on our hold, and its verification link in their mail.
func (r *Relay) MailedCustomer(ctx context.Context, s *ledger.Shop, customer int64) (bool, error) {
	if !r.MailsShoppers(s) {
		return false, nil
	}
	id, err := r.Ledger.NewestOrderOfCustomer(ctx, s.Hash, customer, r.Now().Add(-justOrdered))
	if errors.Is(err, ledger.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	o, err := r.Ledger.Order(ctx, s, id)
	if err != nil || o.DecisionID == "" {
		return false, err
	}
	d, err := r.Ledger.Decision(ctx, s.Hash, o.DecisionID)
	return err == nil && stepLeft(o, d) == gate.Verify, err
}

// orderOf is the order that a cart became, once it has been decided; ledger.ErrNotFound before.
func (r *Relay) orderOf(ctx context.Context, s *ledger.Shop, cartID string) (ledger.Order, error) {
	id, err := r.Ledger.OrderOfCart(ctx, s.Hash, cartID)
	if err != nil {
		return ledger.Order{}, err
	}
	o, err := r.Ledger.Order(ctx, s, id)
	if err == nil && o.DecisionID == "" {
		err = ledger.ErrNotFound
	}
	return o, err
}
