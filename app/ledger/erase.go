package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"idgate/queries"
)

// Whom is somebody to be erased: a customer, or whoever ordered as a guest under a mailbox.
type Whom struct {
	CustomerID int64
	Mailbox    string // as it was typed; read only where there is no CustomerID
}

// Erased says of how many rows of each kind an erasure took what was personal.
type Erased struct {
	Proofs, Sessions, Links, Decisions, Orders, Notices, Listed, Writebacks, Shown, Mails, Events int64
}

// All is how many rows that is.
func (e Erased) All() int64 {
	return e.Proofs + e.Sessions + e.Links + e.Decisions + e.Orders + e.Notices + e.Listed + e.Writebacks + e.Shown + e.Mails + e.Events
}

// RefErase marks a Writeback that clears a customer's record in BigCommerce. Its row goes when it is done: it would name the customer.
const RefErase = "erase"

// EraseCustomer erases a person from every table: Proofs with their sealed names, Capabilities, what Sessions, Decisions, orders and Notices
// say of them, and what was owed to their record, also where it was done as a guest for one of their orders or carts. An order keeps its
// figures and its latest Decision, which stands. Proofs and Sessions of guests under a mailbox that the customer used go too; guest orders
// and their links are not the customer's, and wait for the clock. What other customers did under such a mailbox is theirs. Off the allow
// list such a mailbox goes; on the block list its keyed hash stays, so that nobody gets off it by being erased.
func (l *Ledger) EraseCustomer(ctx context.Context, hash string, customerID int64, now time.Time) error {
	if customerID <= 0 {
		return fmt.Errorf("erasing customer %d: the id must be positive", customerID)
	}
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.eraseCustomer(ctx, hash, customerID, now)
		return err
	})
}

// ErrNobody: there is nobody to erase.
var ErrNobody = errors.New("a customer's id or a mailbox says who is to be erased")

var errTriedOnly = errors.New("tried, and taken back")

// WouldErase says what Erase would erase, by doing it and taking it back.
func (l *Ledger) WouldErase(ctx context.Context, s *Shop, p Whom, now time.Time) (e Erased, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		if e, err = t.erase(ctx, s, p, now); err != nil {
			return err
		}
		return errTriedOnly
	})
	if errors.Is(err, errTriedOnly) {
		err = nil
	}
	return e, err
}

// Erase erases a person, in one transaction, and returns the number of the line that says so in the activity log: by kinds and figures, never
// who it was. clear owes the clearing of what idgate wrote to the customer's record in BigCommerce, fieldsV2 of the v2 fields too.
func (l *Ledger) Erase(ctx context.Context, s *Shop, p Whom, clear, fieldsV2 bool, now time.Time) (e Erased, line int64, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		if e, err = t.erase(ctx, s, p, now); err != nil {
			return err
		}
		kinds := []WritebackKind{CustomerAttributes, ProofMetafield}
		if fieldsV2 {
			kinds = append(kinds, CustomerFieldsV2)
		}
		for _, k := range kinds {
			if !clear || p.CustomerID == 0 {
				break
			}
			if err := owe(ctx, t, s.Hash, k, p.CustomerID, RefErase, now); err != nil {
				return err
			}
		}
		what := "customer"
		if p.CustomerID == 0 {
			what = "mailbox"
		}
		if err := t.act(ctx, s.Hash, ActCustomerErased, what, e.String(), now); err != nil {
			return err
		}
		last, err := t.LastActivity(ctx, s.Hash)
		line = last.Seq
		return err
	})
	return e, line, err
}

// String lists what was erased, as the activity log keeps it.
func (e Erased) String() string {
	out := ""
	for _, k := range []struct {
		n    int64
		name string
	}{{e.Proofs, "proofs"}, {e.Sessions, "verifications"}, {e.Orders, "orders"}, {e.Decisions, "decisions"}, {e.Links, "links"}, {e.Mails, "mails asked for"},
		{e.Shown, "mailboxes shown"}, {e.Notices, "webhooks"}, {e.Writebacks, "write-backs"}, {e.Listed, "list entries"}, {e.Events, "outbound webhooks"}} {
		if k.n > 0 {
			if out != "" {
				out += ", "
			}
			out += strconv.FormatInt(k.n, 10) + " " + k.name
		}
	}
	if out == "" {
		return "nothing was found"
	}
	return out
}

// CustomersUnderMailbox says how many customers have proved identity under a mailbox: what is theirs goes with the customer, not with the mailbox.
func (l *Ledger) CustomersUnderMailbox(ctx context.Context, s *Shop, mailbox string) (int64, error) {
	return l.read.CustomersUnderMailbox(ctx, queries.CustomersUnderMailboxParams{StoreHash: s.Hash, Mailbox: unhex(s.MailboxHash(mailbox))})
}

func (t *tx) erase(ctx context.Context, s *Shop, p Whom, now time.Time) (Erased, error) {
	if p.CustomerID > 0 {
		return t.eraseCustomer(ctx, s.Hash, p.CustomerID, now)
	}
	m := unhex(s.MailboxHash(p.Mailbox))
	if p.CustomerID != 0 || len(m) == 0 {
		return Erased{}, ErrNobody
	}
	return t.eraseGuest(ctx, s.Hash, m, now)
}

// count adds up what a step erased.
func count(into *int64, s step) step {
	return func(ctx context.Context, t *tx) (int64, error) {
		n, err := s(ctx, t)
		*into += n
		return n, err
	}
}

func (t *tx) eraseCustomer(ctx context.Context, hash string, customerID int64, now time.Time) (e Erased, err error) {
	mailboxes, err := t.CustomerMailboxes(ctx, queries.CustomerMailboxesParams{StoreHash: hash, CustomerID: customerID})
	if err != nil {
		return e, err
	}
	steps := []step{
		count(&e.Proofs, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseCustomerProofs(ctx, queries.EraseCustomerProofsParams{StoreHash: hash, CustomerID: customerID})
		}),
		count(&e.Sessions, func(ctx context.Context, t *tx) (int64, error) {
			ended, err := t.EraseCustomerSessions(ctx, queries.EraseCustomerSessionsParams{StoreHash: hash, CustomerID: customerID, Now: millis(now)})
			if err != nil {
				return 0, err
			}
			return countErased(ctx, t, hash, ended, now)
		}),
		count(&e.Links, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseCustomerCapabilities(ctx, queries.EraseCustomerCapabilitiesParams{StoreHash: hash, CustomerID: customerID})
		}),
		count(&e.Decisions, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseCustomerDecisions(ctx, queries.EraseCustomerDecisionsParams{StoreHash: hash, CustomerID: customerID})
		}),
		count(&e.Orders, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseCustomerOrders(ctx, queries.EraseCustomerOrdersParams{StoreHash: hash, CustomerID: customerID, Now: millis(now)})
		}),
		count(&e.Notices, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseCustomerNotices(ctx, queries.EraseCustomerNoticesParams{StoreHash: hash, Subject: strconv.FormatInt(customerID, 10), Now: millis(now)})
		}),
		count(&e.Listed, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseListedCustomer(ctx, queries.EraseListedCustomerParams{StoreHash: hash, CustomerID: customerID})
		}),
		count(&e.Writebacks, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseCustomerWritebacks(ctx, queries.EraseCustomerWritebacksParams{StoreHash: hash, CustomerID: customerID})
		}),
		count(&e.Events, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseCustomerEvents(ctx, queries.EraseCustomerEventsParams{StoreHash: hash, CustomerID: customerID})
		}),
	}
	for _, m := range mailboxes {
		steps = append(steps, count(&e.Sessions, func(ctx context.Context, t *tx) (int64, error) {
			ended, err := t.EraseMailboxSessions(ctx, queries.EraseMailboxSessionsParams{StoreHash: hash, Mailbox: m, Now: millis(now)})
			if err != nil {
				return 0, err
			}
			return countErased(ctx, t, hash, ended, now)
		}))
		steps = append(steps, eraseMailbox(&e, hash, customerID, m)...)
	}
	return e, t.eraseAll(ctx, hash, steps)
}

// eraseGuest erases whoever ordered as a guest under a mailbox. Their orders keep their figures and latest Decisions.
func (t *tx) eraseGuest(ctx context.Context, hash string, m []byte, now time.Time) (e Erased, err error) {
	steps := append([]step{
		count(&e.Sessions, func(ctx context.Context, t *tx) (int64, error) {
			ended, err := t.EraseGuestSessions(ctx, queries.EraseGuestSessionsParams{StoreHash: hash, Mailbox: m, Now: millis(now)})
			if err != nil {
				return 0, err
			}
			return countErased(ctx, t, hash, ended, now)
		}),
		count(&e.Links, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseGuestCapabilities(ctx, queries.EraseGuestCapabilitiesParams{StoreHash: hash, Mailbox: m})
		}),
		count(&e.Orders, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseGuestOrders(ctx, queries.EraseGuestOrdersParams{StoreHash: hash, Mailbox: m, Now: millis(now)})
		}),
	}, eraseMailbox(&e, hash, 0, m)...)
	return e, t.eraseAll(ctx, hash, steps)
}

// eraseAll runs the steps of an erasure. Sessions that it ended wait for nobody.
func (t *tx) eraseAll(ctx context.Context, hash string, steps []step) error {
	t.ring = append(t.ring, OrderBell)
	if _, err := all(ctx, t, steps...); err != nil {
		return err
	}
	_, err := t.EndLostReviews(ctx, hash)
	return err
}

// eraseMailbox erases what guests did under a mailbox besides their orders, and what the lists say of it.
func eraseMailbox(e *Erased, hash string, customerID int64, m []byte) []step {
	return []step{
		count(&e.Proofs, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseMailboxProofs(ctx, queries.EraseMailboxProofsParams{StoreHash: hash, Mailbox: m})
		}),
		count(&e.Links, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseMailboxCapabilities(ctx, queries.EraseMailboxCapabilitiesParams{StoreHash: hash, Mailbox: m})
		}),
		count(&e.Shown, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseShownMailbox(ctx, queries.EraseShownMailboxParams{StoreHash: hash, Mailbox: m, CustomerID: customerID})
		}),
		count(&e.Mails, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseAskedMails(ctx, queries.EraseAskedMailsParams{StoreHash: hash, Mailbox: m, CustomerID: customerID})
		}),
		count(&e.Listed, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseAllowedMailbox(ctx, queries.EraseAllowedMailboxParams{StoreHash: hash, Mailbox: m})
		}),
		count(&e.Listed, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseBlockedMailbox(ctx, queries.EraseBlockedMailboxParams{StoreHash: hash, Mailbox: m})
		}),
	}
}

// RemoveWriteback ends a lease by deleting what was owed, when it is paid or owed no longer, and would keep whom it was about.
func (l *Ledger) RemoveWriteback(ctx context.Context, w Writeback) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.RemoveWriteback(ctx, queries.RemoveWritebackParams{ID: w.ID, Attempt: w.Attempt, LeasedUntil: w.until})
		return err
	})
}
