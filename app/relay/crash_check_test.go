package relay_test

import (
	"fmt"
	"slices"
	"strings"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/sim"
	"idgate/app/sim/mailbox"
)

// mails looks for one that was sent twice: each has an id of its own. A ledger that lost what it knew may send again what it sent before.
func (w *worldCheck) mails() {
	seen := map[string]mailbox.Mail{}
	for _, m := range w.Mails {
		first, twice := seen[m.ID]
		switch {
		case !twice:
			seen[m.ID] = m
		case m.Subject != first.Subject || m.To != first.To:
			w.bad("two mails have one id: %q to %s, %q to %s", first.Subject, first.To, m.Subject, m.To)
		case !first.ReceivedAt.Before(w.Lost):
			w.bad("a mail was sent twice: %q to %s", m.Subject, m.To)
		}
	}
}

// staffMails holds the mails that are owed to staff, the newest of them, against those that came.
func (w *worldCheck) staffMails() {
	if w.Mails == nil {
		return
	}
	ws, err := w.l.OrderWritebacks(w.ctx, w.s.Hash, 0)
	if err != nil {
		w.bad("%v", err)
	}
	for _, x := range ws {
		id := w.l.MailID(ledger.MailName{Shop: w.s.Hash, Ref: x.Ref}) + "@"
		came := slices.ContainsFunc(w.Mails, func(m mailbox.Mail) bool { return strings.HasPrefix(m.ID, id) })
		switch {
		case x.State == "done" && !came:
			w.bad("the mail %s to staff is done and did not come", x.Ref)
		case x.State == "dropped" && came && !x.Handed:
			w.bad("the mail %s to staff came although it was dropped: %s", x.Ref, x.Reason)
		case x.State == "stuck" && x.Reason == "":
			w.bad("the mail %s to staff is stuck and nobody is told why", x.Ref)
		}
	}
}

// orderMails holds the mails that are owed about an order against those that came.
func (w *worldCheck) orderMails(o sim.Order, ours ledger.Order, ws []ledger.StoredWriteback) {
	if w.Mails == nil {
		return
	}
	link := false
	for _, x := range ws {
		if x.Kind != ledger.Mail {
			continue
		}
		id := w.l.MailID(ledger.MailName{Shop: w.s.Hash, Subject: o.ID, Ref: x.Ref}) + "@"
		came := slices.ContainsFunc(w.Mails, func(m mailbox.Mail) bool { return strings.HasPrefix(m.ID, id) })
		lost := came && slices.IndexFunc(w.Mails, func(m mailbox.Mail) bool { return strings.HasPrefix(m.ID, id) && m.ReceivedAt.Before(w.Lost) }) >= 0
		switch {
		case x.State == "done" && !came:
			w.bad("the mail %s is done and did not come", x.Ref)
		case x.State == "dropped" && came && !lost && !x.Handed: // handed over, it may have been taken
			w.bad("the mail %s came although it was dropped: %s", x.Ref, x.Reason)
		case x.State == "stuck" && x.Reason == "":
			w.bad("the mail %s is stuck and nobody is told why", x.Ref)
		}
		link = link || (strings.HasPrefix(x.Ref, "link#") || strings.HasPrefix(x.Ref, "reminder-")) && strings.HasSuffix(x.Ref, fmt.Sprintf("#%d", ours.Holds))
	}
	if ours.Hold == ledger.Held && w.s.Policy.Mails && w.s.Policy.Mode == gate.Enforce && ours.Buyer.Mailbox != "" && !link {
		w.bad("is on hold, and no mail with the link is owed")
	}
}
