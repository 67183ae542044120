package relay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/receipt"
	"idgate/app/sim"
	"idgate/app/sim/mailbox"
)

// Checks are what CheckWorld holds the world against besides what always holds.
type Checks struct {
	// Within is the gate time: how long an order may have waited to be shipped before it was held or allowed. 0: times are not looked at,
	// since the product and the platform have clocks of their own.
	Within time.Duration
	// Mails are what the simulated mail server took.
	Mails []mailbox.Mail
	// Since is the first order to look at; 0: every one since enforcement began.
	Since int64
	// Forgot: what is older than this, and over, may have been forgotten after its time.
	Forgot time.Time
	// Lost: the ledger lost what it had learned lately before it: Notices that were acknowledged, Decisions, what it had written and sent.
	Lost time.Time
	// Endpoint is an endpoint of the Shop's that is told of everything, and was before the first order that is looked at; 0: there is none.
	Endpoint int64
	// Told are the events that it was posted, also those that it did not answer well.
	Told []posted
	// Deaf, if not nil, says when the app was not installed: what was acknowledged then was dropped.
	Deaf func(time.Time) bool
}

// CheckWorld holds the ledger against the simulated platform's own state, in a world at rest, and lists what is wrong:
//
//   - an order that waits in 7, 8, 9 or 11 without an allowing Decision, or waited for longer than the gate time, or was changed and not
//     decided again within it; moved by somebody in the shop counts apart;
//   - an order that is gone (2, 3, 10, 14) unproven and is not named a leak, or as moved by hand;
//   - a Notice that was acknowledged and neither handled nor visibly stuck;
//   - a Decision without a Receipt that verifies;
//   - a Writeback that is neither confirmed nor visibly stuck;
//   - an order that was released without a Proof that may count for it, or a named person's word;
//   - a status or a note that we wrote while the order was in a watched, gone or closed status;
//   - a note or a mail that was made twice, or a mail that is gone without a word, to staff as to shoppers;
//   - an event that was owed and is neither delivered nor visibly stuck, was never owed, or has two names.
func CheckWorld(l *ledger.Ledger, shop *sim.Shop, c Checks) []string {
	w := worldCheck{l: l, shop: shop, Checks: c, ctx: context.Background()}
	s, err := l.Shop(shop.Hash)
	if err != nil {
		return []string{err.Error()}
	}
	w.s = s
	if p, err := l.Pending(w.ctx); err != nil || p.Notices+p.Orders+p.Writebacks > 0 {
		w.bad("not at rest: %+v, %v", p, err)
	}
	for _, o := range shop.Orders() {
		if o.ID < c.Since || o.Deleted || o.Created.Before(s.EnforcedSince.Truncate(time.Second)) {
			continue // nobody ships what is archived
		}
		w.at = fmt.Sprintf("order %d (status %d): ", o.ID, o.StatusID)
		w.order(o)
		w.at = ""
	}
	w.notices()
	w.mails()
	w.staffMails()
	w.events()
	w.figures()
	return w.wrong
}

// figures holds what the overview adds up against the Sessions that there are: they are counted in the same transactions.
func (w *worldCheck) figures() {
	if !w.Forgot.IsZero() {
		return // figures outlive what they count
	}
	rep, err := w.l.Report(w.ctx, w.s, []time.Time{time.Unix(0, 0), time.Unix(1<<40, 0)})
	if err != nil {
		w.bad("reading the figures: %v", err)
	}
	var want ledger.Figures
	at := ledger.Place{}
	for {
		page, err := w.l.SessionsBy(w.ctx, w.s, ledger.SessionFilter{IAL: -1}, at, 500)
		if err != nil {
			w.bad("listing the sessions: %v", err)
			return
		}
		for _, n := range page.Rows {
			want.Started++
			switch n.State {
			case idv.StatePassed:
				want.Passed++
			case idv.StateFailed, idv.StateDeclined, idv.StateError:
				want.Failed++
			case idv.StateAbandoned, idv.StateExpired:
				want.Abandoned++
			case idv.StateCreated, idv.StateStarted, idv.StateProcessing, idv.StateReview:
			}
		}
		if page.Older == (ledger.Cursor{}) {
			break
		}
		at = ledger.Place{Cursor: page.Older}
	}
	want.Shown = rep.Total.Shown
	if rep.Total != want {
		w.bad("the figures are %+v, the sessions %+v", rep.Total, want)
	}
}

// worldCheck is one run of CheckWorld.
type worldCheck struct {
	Checks
	ctx   context.Context
	l     *ledger.Ledger
	shop  *sim.Shop
	s     *ledger.Shop
	at    string
	wrong []string
}

func (w *worldCheck) bad(format string, a ...any) {
	w.wrong = append(w.wrong, w.at+fmt.Sprintf(format, a...))
}

func (w *worldCheck) order(o sim.Order) {
	ours, err := w.l.Order(w.ctx, w.s, o.ID)
	if err != nil {
		w.bad("not known: %v", err)
		return
	}
	ds, err := w.l.OrderDecisions(w.ctx, w.s.Hash, o.ID)
	if err != nil {
		w.bad("%v", err)
	}
	for _, d := range ds {
		if _, err := receipt.Verify(w.l.JWKS(), d.Receipt, d.At); err != nil {
			w.bad("decision %s: %v", d.ID, err)
		}
	}
	var last ledger.Decision
	if i := slices.IndexFunc(ds, func(d ledger.Decision) bool { return d.ID == ours.DecisionID }); i >= 0 {
		last = ds[i]
	}
	allowed, class := last.Outcome == gate.Allow, bigcommerce.ClassOf(o.StatusID)
	switch {
	case class == bigcommerce.ClassGate && !allowed && ours.Hold != ledger.Moved && ours.HoldStatus != o.StatusID:
		w.bad("waits to be shipped unproven; decision %q, hold %s, trouble %q", last.Outcome, ours.Hold, ours.Trouble)
	case class == bigcommerce.ClassGone && !allowed && ours.Hold != ledger.Leaked && ours.Hold != ledger.Moved:
		w.bad("is gone unproven and not named a leak; hold %s", ours.Hold)
	case ours.Hold == ledger.Held && o.StatusID != ours.HoldStatus, ours.Hold == ledger.Holding, ours.Hold == ledger.Releasing, ours.Hold == ledger.Cancelling:
		w.bad("the ledger says %s", ours.Hold)
	case ours.Hold == ledger.Held && allowed && last.ProofID != "":
		w.bad("is proved, and still on hold")
	}
	if allowed && last.MadeBy == ledger.ByRule && last.ProofID != "" {
		w.authorised(o, last)
	}
	w.writes(o, ours, ds)
	w.notes(o)
	w.orderEvents(ours)
	archived := slices.ContainsFunc(w.shop.OrderWrites(o.ID), func(x sim.OrderWrite) bool { return x.Field == sim.FieldDeleted })
	if w.Within > 0 && !archived { // for a while, when nobody could ship it
		w.gateTime(o, ours, ds)
		w.edits(o, ours, ds)
	}
}

// authorised looks, in code of its own, whether the Proof may count for the order: the customer's own; or made for this very cart or order
// by whoever's mailbox the order names; or made under that mailbox, which was shown to be this buyer's.
func (w *worldCheck) authorised(o sim.Order, d ledger.Decision) {
	p, err := w.l.Proof(w.ctx, w.s, d.ProofID)
	if errors.Is(err, ledger.ErrNotFound) {
		return // erased since
	}
	if err != nil {
		w.bad("its proof %s: %v", d.ProofID, err)
		return
	}
	h, mailbox := p.Holder, w.s.MailboxHash(o.Billing.Email)
	customer := o.CustomerID != 0 && h.CustomerID == o.CustomerID
	subject := h.Mailbox == mailbox && mailbox != "" && (h.OrderID == o.ID || h.CartID != "" && h.CartID == o.CartID)
	shown, err := w.l.MailboxShown(w.ctx, w.s, gate.Facts{CartID: o.CartID, OrderID: o.ID, Buyer: gate.Buyer{CustomerID: o.CustomerID, Mailbox: mailbox}})
	if err != nil {
		w.bad("whether its mailbox was shown: %v", err)
	}
	if forgotten := w.s.InstalledAt.Before(w.Forgot); !customer && !subject && (!shown && !forgotten || h.Mailbox != mailbox) {
		w.bad("allowed by a proof of somebody else: %+v", h)
	}
	if p.Revoked && bigcommerce.ClassOf(o.StatusID) == bigcommerce.ClassGate {
		w.bad("allowed by a proof that was revoked")
	}
}

// writes looks at what we did to the order's status and notes, and at what we still owe.
func (w *worldCheck) writes(o sim.Order, ours ledger.Order, ds []ledger.Decision) {
	holdStatus := w.s.Policy.HoldStatus
	for _, x := range w.shop.OrderWrites(o.ID) {
		if x.Actor != sim.AppName || x.Field != sim.FieldStatus && x.Field != sim.FieldStaffNotes {
			continue
		}
		before := bigcommerce.ClassOf(x.StatusBefore)
		to, _ := strconv.Atoi(x.To)
		switch {
		case before != bigcommerce.ClassGate && before != bigcommerce.ClassHeld:
			w.bad("%s was written in status %d", x.Field, x.StatusBefore)
		case x.Field == sim.FieldStaffNotes && !strings.HasPrefix(x.To, x.From):
			w.bad("notes were overwritten: %q became %q", x.From, x.To)
		case x.Field == sim.FieldStaffNotes, to == holdStatus:
		case x.StatusBefore == holdStatus && to == bigcommerce.StatusCancelled:
			if w.s.Policy.CancelAfter == 0 {
				w.bad("cancelled although the policy never does")
			}
		case x.StatusBefore == holdStatus && (x.At.Before(w.Forgot) || x.At.Before(w.Lost)): // nobody knows any more
		case x.StatusBefore == holdStatus:
			if !slices.ContainsFunc(ds, func(d ledger.Decision) bool {
				return d.Outcome == gate.Allow && (w.Within == 0 || !d.At.After(x.At.Add(time.Second))) && (d.ProofID != "" || d.MadeBy == ledger.ByPerson && d.Person != "")
			}) {
				w.bad("released to %d without a proof or a person", to)
			}
		default:
			w.bad("moved from %d to %d", x.StatusBefore, to)
		}
	}
	ws, err := w.l.OrderWritebacks(w.ctx, w.s.Hash, o.ID)
	if err != nil {
		w.bad("%v", err)
	}
	for _, x := range ws {
		if x.State == "pending" {
			w.bad("a %s is neither done nor stuck: %s", x.Kind, x.Reason)
		}
	}
	w.orderMails(o, ours, ws)
}

func (w *worldCheck) notes(o sim.Order) {
	seen := map[string]bool{}
	for line := range strings.SplitSeq(o.StaffNotes, "\n") {
		if i := strings.LastIndex(line, "[idgate "); i >= 0 {
			if seen[line[i:]+strconv.FormatBool(strings.Contains(line, "on hold"))] {
				w.bad("a note stands twice: %s", line)
			}
			seen[line[i:]+strconv.FormatBool(strings.Contains(line, "on hold"))] = true
		}
	}
}

// gateTime looks how long the order waited in a status from which it could have been shipped until it was held, allowed, or left by others.
// What somebody moved off our hold and was left to them counts apart.
func (w *worldCheck) gateTime(o sim.Order, ours ledger.Order, ds []ledger.Decision) {
	changes := slices.Clone(o.History)
	if len(changes) == 0 || changes[0].At.After(o.Created) {
		first := o.StatusID
		if len(changes) > 0 {
			first = changes[0].From
		}
		changes = slices.Insert(changes, 0, sim.StatusChange{At: o.Created, From: 0, To: first})
	}
	inPlace := ours.Holds > 0 && bigcommerce.ClassOf(ours.HoldStatus) == bigcommerce.ClassGate // held where it was
	held, theirs, moves := false, false, 0
	for i, c := range changes {
		class := bigcommerce.ClassOf(c.To)
		switch {
		case c.Actor == sim.AppName:
			held, theirs = c.To == ours.HoldStatus, false
			continue
		case c.From == ours.HoldStatus && c.To != c.From && (held || inPlace):
			again := w.s.Policy.OnMoved == gate.HoldAgain && class == bigcommerce.ClassGate && moves == 0
			held, theirs = false, !again
			moves++
		}
		if class != bigcommerce.ClassGate || theirs {
			continue
		}
		until := time.Time{}
		if i+1 < len(changes) {
			until = changes[i+1].At
		}
		for _, d := range ds {
			decided := d.Outcome == gate.Allow || c.To == ours.HoldStatus // on hold where it is, from its Decision on
			if decided && (until.IsZero() || d.At.Before(until)) {
				until = d.At
			}
		}
		switch waited := until.Sub(c.At); {
		case until.IsZero():
			w.bad("waits since %s in status %d; %s", c.At.Format(time.TimeOnly), c.To, tale(changes, ours, ds))
		case waited > w.Within:
			w.bad("waited %s from %s on in status %d, longer than the gate time of %s", waited, c.At.Format(time.TimeOnly), c.To, w.Within)
		}
	}
}

// tale is what became of an order, for whoever has to find out why.
func tale(changes []sim.StatusChange, ours ledger.Order, ds []ledger.Decision) string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "hold %s, hold status %d, holds %d, trouble %q;", ours.Hold, ours.HoldStatus, ours.Holds, ours.Trouble)
	for _, c := range changes {
		_, _ = fmt.Fprintf(&b, " %s %d->%d by %s;", c.At.Format("02 15:04:05.000"), c.From, c.To, c.Actor)
	}
	for _, d := range slices.Backward(ds) {
		_, _ = fmt.Fprintf(&b, " decided %s %s by %s %s (policy %d);", d.At.Format("02 15:04:05.000"), d.Outcome, d.MadeBy, d.Person, d.Policy)
	}
	return b.String()
}

// edits looks whether an order that somebody changed while it could have been shipped was decided again, or has moved, within the gate time.
func (w *worldCheck) edits(o sim.Order, ours ledger.Order, ds []ledger.Decision) {
	for _, x := range w.shop.OrderWrites(o.ID) {
		edited := slices.Contains([]string{sim.FieldBilling, sim.FieldShipping, sim.FieldItems, sim.FieldCustomer}, x.Field) && x.From != x.To
		if !edited || bigcommerce.ClassOf(x.StatusBefore) != bigcommerce.ClassGate || !ours.ErasedAt.IsZero() {
			continue
		}
		if x.Field == sim.FieldCustomer && x.To != strconv.FormatInt(o.CustomerID, 10) {
			continue // it was changed again, or the account was deleted, without a trace
		}
		soon := func(t time.Time) bool { return !t.Before(x.At) && t.Sub(x.At) <= w.Within }
		if !slices.ContainsFunc(ds, func(d ledger.Decision) bool { return soon(d.At) }) && !slices.ContainsFunc(o.History, func(c sim.StatusChange) bool { return soon(c.At) }) {
			w.bad("its %s was changed at %s, and it was not decided again within %s", x.Field, x.At.Format(time.TimeOnly), w.Within)
		}
	}
}

// notices holds what was acknowledged against what became of it.
func (w *worldCheck) notices() {
	for _, d := range w.shop.Deliveries() {
		if d.Status/100 != 2 || d.At.Before(w.Lost) || d.At.Before(w.Forgot) || w.Deaf != nil && w.Deaf(d.At) {
			continue
		}
		h, err := bigcommerce.ParseWebhook([]byte(d.Body))
		if err != nil {
			w.bad("a delivered webhook does not parse: %v", err)
			continue
		}
		if h.Scope == bigcommerce.ScopeCustomerDeleted || strings.HasPrefix(h.Scope, "store/customer/") {
			continue // an erased customer's Notices no longer say whose they were
		}
		ns, err := w.l.SubjectNotices(w.ctx, w.shop.Hash, h.Data.ID)
		if err != nil || !slices.ContainsFunc(ns, func(n ledger.StoredNotice) bool {
			return n.Scope == h.Scope && (n.State == "done" || n.State == "stuck" && n.Remark != "")
		}) {
			w.bad("%s of %s was acknowledged and is not handled: %+v, %v", h.Scope, h.Data.ID, ns, err)
		}
	}
}
