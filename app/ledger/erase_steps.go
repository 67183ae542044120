package ledger

import (
	"context"
	"strconv"
	"time"

	"idgate/queries"
)

// The steps of erasing a person. Each erases a slice, and is done when that was less than eraseRows.

// count adds up what a step erased.
func count(into *int64, s step) step {
	return func(ctx context.Context, t *tx) (int64, error) {
		n, err := s(ctx, t)
		*into += n
		return n, err
	}
}

// eraseOwn erases what is a customer's own. Orders come after what was done for them, which is found by them.
func eraseOwn(e *erasure, now time.Time) []step {
	hash, id := e.hash, e.customerID
	return []step{
		count(&e.erased.Proofs, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseCustomerProofs(ctx, queries.EraseCustomerProofsParams{StoreHash: hash, CustomerID: id})
		}),
		count(&e.erased.Sessions, func(ctx context.Context, t *tx) (int64, error) {
			ended, err := t.EraseCustomerSessions(ctx, queries.EraseCustomerSessionsParams{StoreHash: hash, CustomerID: id, Now: millis(now)})
			if err != nil {
				return 0, err
			}
			return countErased(ctx, t, hash, ended, now)
		}),
		count(&e.erased.Links, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseCustomerCapabilities(ctx, queries.EraseCustomerCapabilitiesParams{StoreHash: hash, CustomerID: id})
		}),
		count(&e.erased.Decisions, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseCustomerDecisions(ctx, queries.EraseCustomerDecisionsParams{StoreHash: hash, CustomerID: id})
		}),
		count(&e.erased.Orders, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseCustomerOrders(ctx, queries.EraseCustomerOrdersParams{StoreHash: hash, CustomerID: id, Now: millis(now)})
		}),
		count(&e.erased.Notices, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseCustomerNotices(ctx, queries.EraseCustomerNoticesParams{StoreHash: hash, Subject: strconv.FormatInt(id, 10), Now: millis(now)})
		}),
		count(&e.erased.Listed, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseListedCustomer(ctx, queries.EraseListedCustomerParams{StoreHash: hash, CustomerID: id})
		}),
		count(&e.erased.Writebacks, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseCustomerWritebacks(ctx, queries.EraseCustomerWritebacksParams{StoreHash: hash, CustomerID: id})
		}),
		count(&e.erased.Events, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseCustomerEvents(ctx, queries.EraseCustomerEventsParams{StoreHash: hash, CustomerID: id})
		}),
	}
}

// eraseCartSessions erases what guests did in carts under a mailbox that a customer used.
func eraseCartSessions(e *erasure, m []byte, now time.Time) step {
	return count(&e.erased.Sessions, func(ctx context.Context, t *tx) (int64, error) {
		ended, err := t.EraseMailboxSessions(ctx, queries.EraseMailboxSessionsParams{StoreHash: e.hash, Mailbox: m, Now: millis(now)})
		if err != nil {
			return 0, err
		}
		return countErased(ctx, t, e.hash, ended, now)
	})
}

// eraseGuest erases whoever ordered as a guest under a mailbox. Their orders keep their figures and latest Decisions, and come after the
// links to them.
func eraseGuest(e *erasure, now time.Time) []step {
	hash, m := e.hash, e.guest
	return []step{
		count(&e.erased.Sessions, func(ctx context.Context, t *tx) (int64, error) {
			ended, err := t.EraseGuestSessions(ctx, queries.EraseGuestSessionsParams{StoreHash: hash, Mailbox: m, Now: millis(now)})
			if err != nil {
				return 0, err
			}
			return countErased(ctx, t, hash, ended, now)
		}),
		count(&e.erased.Links, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseGuestCapabilities(ctx, queries.EraseGuestCapabilitiesParams{StoreHash: hash, Mailbox: m})
		}),
		count(&e.erased.Orders, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseGuestOrders(ctx, queries.EraseGuestOrdersParams{StoreHash: hash, Mailbox: m, Now: millis(now)})
		}),
	}
}

// eraseMailbox erases what guests did under a mailbox besides their orders, and what the lists say of it.
func eraseMailbox(e *erasure, m []byte) []step {
	hash := e.hash
	return []step{
		count(&e.erased.Proofs, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseMailboxProofs(ctx, queries.EraseMailboxProofsParams{StoreHash: hash, Mailbox: m})
		}),
		count(&e.erased.Links, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseMailboxCapabilities(ctx, queries.EraseMailboxCapabilitiesParams{StoreHash: hash, Mailbox: m})
		}),
		count(&e.erased.Shown, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseShownMailbox(ctx, queries.EraseShownMailboxParams{StoreHash: hash, Mailbox: m, CustomerID: e.customerID})
		}),
		count(&e.erased.Mails, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseAskedMails(ctx, queries.EraseAskedMailsParams{StoreHash: hash, Mailbox: m, CustomerID: e.customerID})
		}),
		count(&e.erased.Listed, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseAllowedMailbox(ctx, queries.EraseAllowedMailboxParams{StoreHash: hash, Mailbox: m})
		}),
		count(&e.erased.Listed, func(ctx context.Context, t *tx) (int64, error) {
			return t.EraseBlockedMailbox(ctx, queries.EraseBlockedMailboxParams{StoreHash: hash, Mailbox: m})
		}),
	}
}
