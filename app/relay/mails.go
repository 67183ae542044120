package relay

import (
	"context"
	"errors"
	"fmt"
	"strconv"
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
	Channel  int64
	AppURL   string          // our public URL, without a slash at the end
	Code     string          // six digits, of MailCode
	Endpoint ledger.Endpoint // of ledger.MailEndpointOff
	Staff    *StaffMail      // of the mails that the settings name several staff for
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
	if n, ok := ledger.ParseStaffRef(w.Ref); ok {
		return r.sendStaffMail(ctx, s, w, n)
	}
	which, _, _ := strings.Cut(w.Ref, "#")
	which, number, _ := strings.Cut(which, "-")
	if which == ledger.MailEndpointOff {
		return r.sendEndpointMail(ctx, s, w, number)
	}
	known, err := r.Ledger.Order(ctx, s, w.Subject)
	if err != nil {
		return ending{}, err
	}
	if e, ok := r.stillToSend(s, known, which); !ok {
		switch asked, err := r.asked(ctx, s, known, which); {
		case err != nil:
			return ending{}, err
		case asked && !known.DueAt.IsZero():
			return later(r.Now().Add(5*time.Second), "the order is being decided"), nil
		case !asked:
			return e, nil
		}
	}
	if w.Handed {
		return stuck(mailUnknown), nil
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
	return r.hand(ctx, w, to, r.Compose(ask))
}

// sendEndpointMail tells staff that an endpoint was switched off, unless somebody has seen to it meanwhile.
func (r *Relay) sendEndpointMail(ctx context.Context, s *ledger.Shop, w ledger.Writeback, number string) (ending, error) {
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return stuck("unknown endpoint " + number), nil
	}
	e, err := r.Ledger.Endpoint(ctx, s, id)
	switch {
	case errors.Is(err, ledger.ErrNotFound), err == nil && e.State != ledger.EndpointOff:
		return dropped("the endpoint is not switched off any more"), nil
	case err != nil:
		return ending{}, err
	case r.Mail == nil:
		return dropped("no mail server is set"), nil
	case len(s.Settings.Staff.To) > 0:
		return dropped(staffTold), nil
	case s.Settings.AlarmTo == "":
		return dropped("nobody is named in the settings to be told"), nil
	case w.Handed:
		return stuck(mailUnknown), nil
	}
	return r.hand(ctx, w, s.Settings.AlarmTo, r.Compose(MailAsk{Shop: s, Which: ledger.MailEndpointOff, Endpoint: e, Link: fmt.Sprintf("%s/s/%s/webhooks/%d", r.AppURL, s.Hash, id)}))
}

const mailUnknown = "The mail was handed over and no answer came: it may have been sent, or not. Send it again if it did not arrive."

// hand hands a mail over that has not been before.
func (r *Relay) hand(ctx context.Context, w ledger.Writeback, to string, m mail.Message) (ending, error) {
	m.To, m.ID = to, r.Ledger.MailID(ledger.MailName{Shop: w.Shop, Subject: w.Subject, Ref: w.Ref})
	if err := r.Ledger.HandOver(ctx, w, r.Now()); err != nil {
		return ending{}, err
	}
	r.At("before the mail is sent")
	err := r.Mail.Send(ctx, m, r.Now())
	r.At("after the mail is sent")
	var me *mail.Error
	switch {
	case err == nil:
		return done("sent"), nil
	case !errors.As(err, &me):
		return ending{}, err
	case me.Unknown:
		return stuck(mailUnknown), nil
	case me.Permanent:
		return stuck("The mail was refused: " + me.Reason + ". " + remedy(w.Ref)), r.Ledger.TakeBack(ctx, w)
	}
	return later(r.retry(w.Attempt), "the mail server cannot be reached, or puts us off: "+me.Error()), r.Ledger.TakeBack(ctx, w)
}

// MailReturned takes a mail server's report of a mail that it had taken. One that it gave up shows where a refused one does.
// ledger.ErrNotFound when it is about no mail of ours.
func (r *Relay) MailReturned(ctx context.Context, p mail.Report) error {
	n, err := r.Ledger.OpenMailID(p.ID)
	if err != nil || !p.Failed {
		return err
	}
	news, err := r.Ledger.ReturnMail(ctx, n, "The mail came back: "+p.Reason+". "+remedy(n.Ref), r.Now())
	if news {
		r.Log.Warn("a mail came back", "shop", n.Shop, "order", n.Subject)
	}
	return err
}

// remedy is what is left to do about a mail that was refused or came back.
func remedy(ref string) string {
	if _, ok := ledger.ParseStaffRef(ref); ok {
		return "Correct the mailbox under Settings, Mails to your team."
	}
	return "Correct the mailbox in the order, or tell the customer in another way."
}

// asked reports whether a link is to be mailed about an order that is not on hold: a person would like a Proof of it.
func (r *Relay) asked(ctx context.Context, s *ledger.Shop, o ledger.Order, which string) (bool, error) {
	if which != MailLink || !r.MailsShoppers(s) || o.Buyer.Mailbox == "" && o.DecisionID != "" || o.Hold != ledger.NotHeld && o.Hold != ledger.Released {
		return false, nil
	}
	q, err := r.request(ctx, s.Hash, o.ID)
	if err != nil || demanded(q) == nil || q.Hold {
		return false, err
	}
	if !o.DueAt.IsZero() {
		return true, nil
	}
	d, err := r.Ledger.Decision(ctx, s.Hash, o.DecisionID)
	return d.Asks(), err
}

// stillToSend reports whether a mail still says the truth, and reaches somebody; otherwise how its Writeback ends.
func (r *Relay) stillToSend(s *ledger.Shop, o ledger.Order, which string) (ending, bool) {
	wait := later(r.Now().Add(5*time.Second), "what it says has still to come true")
	switch {
	case r.Mail == nil:
		return dropped("no mail server is set"), false
	case toStaff(which):
		switch {
		case len(s.Settings.Staff.To) > 0:
			return dropped(staffTold), false
		case s.Settings.AlarmTo == "":
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
