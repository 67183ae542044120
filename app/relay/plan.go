package relay

import (
	"fmt"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
)

// lastCall is how long before a cancellation it is announced for the last time.
const lastCall = 24 * time.Hour

// The mails that an order may cause. Each is owed once per hold: the number after # says of which.
const (
	MailLink      = "link"      // one step left: the verification link
	MailReminder  = "reminder"  // the same again
	MailLastCall  = "last_call" // the order will be cancelled tomorrow
	MailReleased  = "released"
	MailCancelled = "cancelled"
	MailLeaked    = "leaked" // to the Shop's staff, like the next ones
	MailMoved     = "moved"
	MailHeldAgain = "held_again"
)

// The mails that a shopper asks for in the checkout's dialog.
const (
	MailCartLink = "cart_link"
	MailCode     = "code"
)

func mailRef(which string, holds int) string { return fmt.Sprintf("%s#%d", which, holds) }

// plan puts into n what time alone will bring to an order on hold: reminders, the last call, the cancellation. It is pure.
//
// A cancellation is announced when the hold begins, called for the last time a day before, and carried out only if that call was made:
// whatever our clock did meanwhile, the shopper and the Shop have a day after the last call. now is therefore by BigCommerce's clock. Somebody who is proving identity just now
// is waited for.
func plan(p gate.Policy, known ledger.Order, d gate.Decision, proving bool, now time.Time, n *ledger.Settlement) {
	o := &n.Order
	o.WakeAt = time.Time{}
	if o.Hold != ledger.Held {
		o.CancelAt, o.CalledAt = time.Time{}, time.Time{}
		if o.Hold == ledger.Cancelling {
			o.CancelAt, o.CalledAt = known.CancelAt, known.CalledAt
		}
		return
	}
	wake := func(t time.Time) {
		if o.WakeAt.IsZero() || t.Before(o.WakeAt) {
			o.WakeAt = t
		}
	}
	due := ""
	for i, hours := range p.RemindAfter {
		at := o.HeldAt.Add(time.Duration(hours) * time.Hour)
		if at.After(now) {
			wake(at)
			continue
		}
		due = mailRef(fmt.Sprintf("%s-%d", MailReminder, i+1), o.Holds) // only the latest of those that were missed
	}
	if due != "" {
		n.Mails = append(n.Mails, due)
	}
	if p.CancelAfter <= 0 || o.Kept || !d.Binds() || d.Outcome == gate.Allow {
		o.CancelAt, o.CalledAt = time.Time{}, time.Time{}
		return
	}
	switch {
	case o.CancelAt.IsZero():
		o.CancelAt = now.Add(p.CancelAfter.Duration())
		n.Owe = append(n.Owe, ledger.CancelNote)
	case o.CalledAt.IsZero() && !now.Before(o.CancelAt.Add(-lastCall)):
		o.CalledAt = now
		if least := now.Add(lastCall); o.CancelAt.Before(least) {
			o.CancelAt = least
		}
		n.Mails = append(n.Mails, mailRef(MailLastCall, o.Holds))
	case !o.CalledAt.IsZero() && !now.Before(o.CancelAt) && proving:
		o.CancelAt = now.Add(lastCall)
	case !o.CalledAt.IsZero() && !now.Before(o.CancelAt):
		o.Hold = ledger.Cancelling
		n.Owe = append(n.Owe, ledger.Cancel)
		return
	}
	if o.CalledAt.IsZero() {
		wake(o.CancelAt.Add(-lastCall))
	}
	wake(o.CancelAt)
}

// owedMails adds the mails that a change of hold causes. Who gets them, and whether any are sent, is settled when they are due.
func (r *Relay) owedMails(s *ledger.Shop, known ledger.Order, n *ledger.Settlement) {
	if r.Mail == nil {
		n.Mails = nil
		return
	}
	o := n.Order
	add := func(which string) { n.Mails = append(n.Mails, mailRef(which, o.Holds)) }
	if o.Holds > known.Holds {
		add(MailLink)
		if o.Reheld > known.Reheld {
			add(MailHeldAgain)
		}
	}
	if known.Hold == o.Hold {
		return
	}
	switch o.Hold {
	case ledger.Releasing:
		add(MailReleased)
	case ledger.Cancelling:
		add(MailCancelled)
	case ledger.Leaked:
		add(MailLeaked)
	case ledger.Moved:
		add(MailMoved)
	case ledger.NotHeld, ledger.Holding, ledger.Held, ledger.Released, ledger.Refused, ledger.Cancelled:
	}
}

// OverrideMails are the mails that a person's word on an order causes.
func (r *Relay) OverrideMails(o ledger.Order, release bool) []string {
	if r.Mail == nil || !release {
		return nil
	}
	return []string{mailRef(MailReleased, o.Holds)}
}
