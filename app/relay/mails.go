package relay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/mail"
)

// MailAsk is a mail to compose.
type MailAsk struct {
	Shop   *ledger.Shop
	Which  string       // one of the Mail constants
	Order  ledger.Order // as the ledger has it now; none for a mail about a cart
	Need   gate.Requirement
	Link   string    // the verification link, or for staff the order's page; empty where there is none
	Until  time.Time // when the verification link ends
	Locale string    // the shopper's language, where there is no order that names it
	// Channel is the storefront it comes from; 0: not known.
	Channel int64
	AppURL  string // our public URL, without a slash at the end
	Code    string // six digits, of MailCode
}

// toStaff tells the mails to the Shop's staff from those to the shopper.
func toStaff(which string) bool {
	return which == MailLeaked || which == MailMoved || which == MailHeldAgain
}

// leadsOn tells the mails that carry a verification link.
func leadsOn(which string) bool {
	return which == MailLink || which == MailReminder || which == MailLastCall
}

// mailedLink makes a verification link for one mail. It is not the one that staff see: whoever presses its button has opened this mailbox.
func (r *Relay) mailedLink(ctx context.Context, s *ledger.Shop, o ledger.Order) (string, time.Time, error) {
	now := r.Now()
	c, err := r.Ledger.Grant(ctx, ledger.Capability{Shop: s.Hash, Purpose: ledger.ForMail, OrderID: o.ID, Mailbox: s.MailboxHash(o.Buyer.Mailbox), Mailed: true,
		Locale: o.Buyer.Locale, Channel: o.Buyer.Channel, ExpiresAt: now.Add(mailCapabilityGood)}, now)
	return r.AppURL + "/v/" + r.Ledger.Token(c), c.ExpiresAt, err
}

// sendMail sends one mail, once. Before it is handed over that is recorded: should the process die, or the connection, before the mail
// server has answered, nobody can know whether it was taken, and it is left to a person to send it again. A shopper is reminded anyway.
func (r *Relay) sendMail(ctx context.Context, s *ledger.Shop, w ledger.Writeback) (ending, error) {
	known, err := r.Ledger.Order(ctx, s, w.Subject)
	if err != nil {
		return ending{}, err
	}
	which, _, _ := strings.Cut(w.Ref, "#")
	which, _, _ = strings.Cut(which, "-")
	if e, ok := r.stillToSend(s, known, which); !ok {
		return e, nil
	}
	if w.Handed {
		return stuck("The mail was handed over and no answer came: it may have been sent, or not. Send it again if it did not arrive."), nil
	}
	d, err := r.Ledger.Decision(ctx, s.Hash, known.DecisionID)
	if err != nil {
		return ending{}, err
	}
	ask := MailAsk{Shop: s, Which: which, Order: known, Need: d.Requirement, Channel: known.Buyer.Channel, AppURL: r.AppURL, Link: fmt.Sprintf("%s/s/%s/orders/%d", r.AppURL, s.Hash, known.ID)}
	to := s.Settings.AlarmTo
	if !toStaff(which) {
		to, ask.Link = known.Buyer.Mailbox, ""
		if leadsOn(which) {
			if ask.Link, ask.Until, err = r.mailedLink(ctx, s, known); err != nil {
				return ending{}, err
			}
		}
	}
	m := r.Compose(ask)
	// Of what it says, not of its row: should the ledger lose the row, the same mail has the same id, and another mail has another.
	m.To, m.ID = to, fmt.Sprintf("%s.%d.%s", s.Hash, known.ID, strings.ReplaceAll(w.Ref, "#", "-"))
	if err := r.Ledger.HandOver(ctx, w, r.Now()); err != nil {
		return ending{}, err
	}
	r.At("before the mail is sent")
	err = r.Mail.Send(ctx, m, r.Now())
	r.At("after the mail is sent")
	var me *mail.Error
	switch {
	case err == nil:
		return done("sent"), nil
	case !errors.As(err, &me):
		return ending{}, err
	case me.Unknown:
		return stuck("The mail was handed over and no answer came: it may have been sent, or not. Send it again if it did not arrive."), nil
	case me.Permanent:
		return stuck("The mail was refused: " + me.Reason + ". Correct the mailbox in the order, or tell the customer in another way."), r.Ledger.TakeBack(ctx, w)
	}
	return later(r.retry(w.Attempt), "the mail server cannot be reached, or puts us off: "+me.Error()), r.Ledger.TakeBack(ctx, w)
}

// stillToSend reports whether a mail still says the truth, and reaches somebody; otherwise how its Writeback ends.
func (r *Relay) stillToSend(s *ledger.Shop, o ledger.Order, which string) (ending, bool) {
	wait := later(r.Now().Add(5*time.Second), "what it says has still to come true")
	switch {
	case r.Mail == nil:
		return dropped("no mail server is set"), false
	case toStaff(which):
		if s.Settings.AlarmTo == "" {
			return dropped("nobody is named in the settings to be told"), false
		}
		return ending{}, true
	case !s.Policy.Mails || s.Policy.Mode != gate.Enforce:
		return dropped("the policy sends no mails"), false
	case o.Buyer.Mailbox == "":
		return dropped("the order names no mailbox"), false
	}
	var truth, before ledger.HoldState
	switch which {
	case MailReleased:
		truth, before = ledger.Released, ledger.Releasing
	case MailCancelled:
		truth, before = ledger.Cancelled, ledger.Cancelling
	default:
		truth, before = ledger.Held, ledger.Holding
	}
	switch o.Hold {
	case truth:
		return ending{}, true
	case before:
		return wait, false
	}
	return dropped("the order is " + string(o.Hold) + " by now"), false
}
