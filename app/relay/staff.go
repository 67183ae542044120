package relay

import (
	"context"
	"errors"
	"time"

	"idgate/app/ledger"
)

// MailStaff is a mail to the staff that the settings name: about alarms, or a digest.
const MailStaff = "staff"

// staffTold is why a mail about one order to the one mailbox of the alarms is not sent.
const staffTold = "the mails to your team tell it, as far as the settings ask for that"

// StaffMail is what a mail to staff tells.
type StaffMail struct {
	Kind   ledger.AlarmKind // of alarms
	Alarms []ledger.StaffAlarm
	All    int64 // alarms that there are, some of which may not be named

	Digest    *ledger.Digest // or a digest
	Attention Attention
}

// How far back what wants a person is looked for.
const (
	LateSpan      = 7 * 24 * time.Hour  // a pass that came too late
	FoundSpan     = 30 * 24 * time.Hour // a leak, or an order that was moved
	FailingNotice = time.Hour           // an endpoint that has failed for less passes by itself
)

// Attention is what wants a person of the Shop when a digest is written, as far as the ledger knows.
type Attention struct {
	Counts                      ledger.Counts
	Found                       ledger.Found
	Stuck                       ledger.Stuck
	EndpointsOff, EndpointsFail int64
	Budget                      ledger.Budget
	Pace                        Pace
}

// someStaff makes the mails to a Shop's staff that are due, and sends some. It asks BigCommerce nothing, so that staff are told also while
// BigCommerce refuses our token.
func (r *Relay) someStaff(ctx context.Context, hash string) (int, error) {
	s, err := r.Ledger.Shop(hash)
	if errors.Is(err, ledger.ErrUnknownShop) {
		return 0, nil // what waited was dropped with it
	}
	if err != nil {
		return 0, err
	}
	now := r.Now()
	n, err := r.Ledger.MailAlarms(ctx, s, now)
	if err != nil {
		return n, err
	}
	if due, ok := s.DigestDue(now); ok {
		d, err := r.Ledger.Digest(ctx, s, s.Settings.Staff.Digest, due)
		if err != nil {
			return n, err
		}
		if err := r.Ledger.SettleDigest(ctx, s, due, d.Happened(), now); err != nil {
			return n, err
		}
		n++
	}
	due, err := r.Ledger.LeaseStaffMails(ctx, hash, now, now.Add(lease), laneBatch)
	each(ctx, r.piece, due, laneBatch, func(w ledger.Writeback) int64 { return w.ID }, r.pay, func(w ledger.Writeback, err error) {
		r.Log.Error("mailing the staff", "shop", w.Shop, "mail", w.ID, "error", err)
	})
	return n + len(due), err
}

// sendStaffMail sends one mail to one of the staff, once, like sendMail.
func (r *Relay) sendStaffMail(ctx context.Context, s *ledger.Shop, w ledger.Writeback, n ledger.StaffRef) (ending, error) {
	to, ok := s.StaffMailbox(n)
	switch {
	case !ok:
		return dropped("the mailbox was taken out of the settings"), nil
	case r.Mail == nil:
		return dropped("no mail server is set"), nil
	case w.Handed:
		return stuck(mailUnknown), nil
	}
	ask, ok, err := r.staffMail(ctx, s, n)
	if err != nil {
		return ending{}, err
	}
	if !ok {
		return dropped("what it tells was forgotten, after its time"), nil
	}
	return r.hand(ctx, w, to, r.Compose(MailAsk{Shop: s, Which: MailStaff, Staff: &ask, AppURL: r.AppURL, Link: r.AppURL + "/s/" + s.Hash}))
}

// staffMail gathers what a mail to staff tells; false: nobody knows any more.
func (r *Relay) staffMail(ctx context.Context, s *ledger.Shop, n ledger.StaffRef) (m StaffMail, ok bool, err error) {
	if n.Kind != ledger.StaffDigest {
		m.Kind = ledger.AlarmKind(n.Kind)
		m.Alarms, m.All, err = r.Ledger.AlarmsOf(ctx, s.Hash, n.Mail)
		return m, m.All > 0, err
	}
	d, err := r.Ledger.DigestOf(ctx, s, n.Mail)
	if errors.Is(err, ledger.ErrNotFound) {
		return m, false, nil
	}
	if err != nil {
		return m, false, err
	}
	m.Digest = &d
	m.Attention, err = r.attention(ctx, s)
	return m, err == nil, err
}

// attention asks the ledger what wants a person of the Shop.
func (r *Relay) attention(ctx context.Context, s *ledger.Shop) (a Attention, err error) {
	now := r.Now()
	if a.Counts, err = r.Ledger.Counts(ctx, s.Hash, now.Add(-LateSpan)); err != nil {
		return a, err
	}
	if a.Found, err = r.Ledger.CountFound(ctx, s.Hash, now.Add(-FoundSpan)); err != nil {
		return a, err
	}
	if a.Stuck, err = r.Ledger.CountStuck(ctx, s.Hash); err != nil {
		return a, err
	}
	if a.EndpointsOff, a.EndpointsFail, err = r.Ledger.EndpointTroubles(ctx, s.Hash, now.Add(-FailingNotice)); err != nil {
		return a, err
	}
	if a.Budget, err = r.Ledger.SessionBudget(ctx, s, now); err != nil {
		return a, err
	}
	a.Pace = r.Pace(s.Hash)
	return a, nil
}
