package ledger

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"idgate/queries"
)

// How long things are kept whose keeping no Policy decides.
const (
	keepTraffic    = 90 * 24 * time.Hour // Notices that were handled, Writebacks that were done
	keepCapability = 30 * 24 * time.Hour // after it has run out
	keepAsked      = 2 * 24 * time.Hour  // mails that a shopper asked for: their limits look back a day
	keepShop       = 30 * 24 * time.Hour // a Shop's sealed data after its uninstallation
)

// EraseCustomer erases a person from every table: Proofs with their sealed names, Capabilities, what Sessions, Decisions, orders and Notices
// say of them, and what was owed to their record, also where it was done as a guest for one of their orders or carts. An order keeps its
// figures and its latest Decision, which stands. Proofs and Sessions of guests under a mailbox that the customer used go too; guest orders
// and their links are not the customer's, and wait for the clock. What other customers did under such a mailbox is theirs.
func (l *Ledger) EraseCustomer(ctx context.Context, hash string, customerID int64, now time.Time) error {
	if customerID <= 0 {
		return fmt.Errorf("erasing customer %d: the id must be positive", customerID)
	}
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		mailboxes, err := t.CustomerMailboxes(ctx, queries.CustomerMailboxesParams{StoreHash: hash, CustomerID: customerID})
		if err != nil {
			return err
		}
		steps := []func() (int64, error){
			func() (int64, error) {
				return t.EraseCustomerProofs(ctx, queries.EraseCustomerProofsParams{StoreHash: hash, CustomerID: customerID})
			},
			func() (int64, error) {
				return t.EraseCustomerSessions(ctx, queries.EraseCustomerSessionsParams{StoreHash: hash, CustomerID: customerID, Now: millis(now)})
			},
			func() (int64, error) {
				return t.EraseCustomerCapabilities(ctx, queries.EraseCustomerCapabilitiesParams{StoreHash: hash, CustomerID: customerID})
			},
			func() (int64, error) {
				return t.EraseCustomerDecisions(ctx, queries.EraseCustomerDecisionsParams{StoreHash: hash, CustomerID: customerID})
			},
			func() (int64, error) {
				return t.EraseCustomerOrders(ctx, queries.EraseCustomerOrdersParams{StoreHash: hash, CustomerID: customerID, Now: millis(now)})
			},
			func() (int64, error) {
				return t.EraseCustomerNotices(ctx, queries.EraseCustomerNoticesParams{StoreHash: hash, Subject: strconv.FormatInt(customerID, 10), Now: millis(now)})
			},
			func() (int64, error) {
				return t.EraseListedCustomer(ctx, queries.EraseListedCustomerParams{StoreHash: hash, CustomerID: customerID})
			},
			func() (int64, error) {
				return t.EraseCustomerWritebacks(ctx, queries.EraseCustomerWritebacksParams{StoreHash: hash, CustomerID: customerID})
			},
		}
		for _, m := range mailboxes {
			steps = append(steps, func() (int64, error) {
				return t.EraseMailboxProofs(ctx, queries.EraseMailboxProofsParams{StoreHash: hash, Mailbox: m})
			}, func() (int64, error) {
				return t.EraseMailboxSessions(ctx, queries.EraseMailboxSessionsParams{StoreHash: hash, Mailbox: m, Now: millis(now)})
			}, func() (int64, error) {
				return t.EraseMailboxCapabilities(ctx, queries.EraseMailboxCapabilitiesParams{StoreHash: hash, Mailbox: m})
			}, func() (int64, error) {
				return t.EraseShownMailbox(ctx, queries.EraseShownMailboxParams{StoreHash: hash, Mailbox: m, CustomerID: customerID})
			}, func() (int64, error) {
				return t.EraseAskedMails(ctx, queries.EraseAskedMailsParams{StoreHash: hash, Mailbox: m, CustomerID: customerID})
			})
		}
		t.ring = append(t.ring, OrderBell)
		_, err = all(steps)
		return err
	})
}

// all runs steps until one fails, and adds up how many rows they changed.
func all(steps []func() (int64, error)) (changed int64, err error) {
	for _, step := range steps {
		n, err := step()
		if err != nil {
			return changed, err
		}
		changed += n
	}
	return changed, nil
}

// Forget deletes a slice of what is over: what has run out, what Policies keep no longer, and what belonged to Shops whose time for a
// re-install has passed. It returns how much it deleted; its caller goes on until that is nothing. Each slice is small, so that the
// writer's other callers hardly notice.
func (l *Ledger) Forget(ctx context.Context, now time.Time) (forgotten int64, err error) {
	slice := func(work func(context.Context, *tx) ([]func() (int64, error), error)) error {
		var n int64
		err := l.do(ctx, func(ctx context.Context, t *tx) error {
			steps, err := work(ctx, t)
			if err != nil {
				return err
			}
			n, err = all(steps)
			return err
		})
		if err == nil {
			forgotten += n
		}
		return err
	}
	if err := slice(func(ctx context.Context, t *tx) ([]func() (int64, error), error) {
		return l.forgetCommon(ctx, t, now), nil
	}); err != nil {
		return forgotten, fmt.Errorf("forgetting what has run out: %w", err)
	}
	for hash, s := range *l.shops.Load() {
		if s.State == Uninstalled {
			continue
		}
		err := slice(func(ctx context.Context, t *tx) ([]func() (int64, error), error) {
			return forgetOfShop(ctx, t, hash, now.Add(-s.Policy.KeepFor()), now), nil
		})
		if err != nil {
			return forgotten, fmt.Errorf("forgetting what shop %s keeps no longer: %w", hash, err)
		}
	}
	if err := slice(func(ctx context.Context, t *tx) ([]func() (int64, error), error) { return l.destroy(ctx, t, now) }); err != nil {
		return forgotten, fmt.Errorf("destroying the data of uninstalled shops: %w", err)
	}
	return forgotten, nil
}

func (l *Ledger) forgetCommon(ctx context.Context, t *tx, now time.Time) []func() (int64, error) {
	return []func() (int64, error){
		func() (int64, error) { return t.ForgetTokens(ctx, millis(now.Add(-time.Hour))) },
		func() (int64, error) { return t.ForgetLogins(ctx, millis(now)) },
		func() (int64, error) { return t.ForgetPersons(ctx, millis(now)) },
		func() (int64, error) { return t.ForgetNotices(ctx, millis(now.Add(-keepTraffic))) },
		func() (int64, error) { return t.ForgetWritebacks(ctx, millis(now.Add(-keepTraffic))) },
	}
}

func forgetOfShop(ctx context.Context, t *tx, hash string, before, now time.Time) []func() (int64, error) {
	return []func() (int64, error){
		func() (int64, error) {
			return t.ForgetBuyers(ctx, queries.ForgetBuyersParams{StoreHash: hash, Before: millis(before), Now: millis(now)})
		},
		func() (int64, error) {
			return t.ForgetDecisions(ctx, queries.ForgetDecisionsParams{StoreHash: hash, Before: millis(before)})
		},
		func() (int64, error) {
			return t.ForgetCapabilities(ctx, queries.ForgetCapabilitiesParams{StoreHash: hash, Before: millis(now.Add(-keepCapability))})
		},
		func() (int64, error) {
			return t.ForgetShownMailboxes(ctx, queries.ForgetShownMailboxesParams{StoreHash: hash, Before: millis(before)})
		},
		func() (int64, error) {
			return t.ForgetAskedMails(ctx, queries.ForgetAskedMailsParams{StoreHash: hash, Before: millis(now.Add(-keepAsked))})
		},
		func() (int64, error) {
			return t.ForgetProofs(ctx, queries.ForgetProofsParams{StoreHash: hash, Before: millis(before)})
		},
		func() (int64, error) {
			return t.ForgetSessions(ctx, queries.ForgetSessionsParams{StoreHash: hash, Before: millis(before)})
		},
	}
}

// destroy ends the keys of Shops that were uninstalled 30 days ago, and deletes a slice of what is left of Shops without a key.
func (l *Ledger) destroy(ctx context.Context, t *tx, now time.Time) ([]func() (int64, error), error) {
	var steps []func() (int64, error)
	ends, err := t.ShopsToDestroy(ctx, millis(now.Add(-keepShop)))
	if err != nil {
		return nil, err
	}
	for _, hash := range ends {
		t.reload = append(t.reload, hash)
		steps = append(steps, func() (int64, error) { return t.DestroyShopKey(ctx, hash) })
	}
	left, err := t.ShopsWithoutKey(ctx)
	if err != nil {
		return nil, err
	}
	for _, hash := range left {
		steps = append(steps, destroyRows(ctx, t, hash)...)
	}
	return steps, nil
}

// destroyRows are the steps that delete a slice of all that there is of a Shop, but for its own row.
func destroyRows(ctx context.Context, t *tx, hash string) (steps []func() (int64, error)) {
	for _, q := range []func(context.Context, string) (int64, error){t.DestroyWritebacks, t.DestroyNotices, t.DestroyOrders, t.DestroyDecisions, t.DestroyProofs,
		t.DestroySessions, t.DestroyShownMailboxes, t.DestroyAskedMails, t.DestroyCapabilities, t.DestroyListed, t.DestroyActivity, t.DestroyWhatIfs, t.DestroyPolicies, t.DestroyLogins, t.DestroyUsers} {
		steps = append(steps, func() (int64, error) { return q(ctx, hash) })
	}
	return steps
}

// destroyLeft deletes what is left of a Shop whose key was destroyed: nothing of it could be opened with the new one.
func destroyLeft(ctx context.Context, t *tx, hash string) error {
	for {
		n, err := all(destroyRows(ctx, t, hash))
		if n == 0 || err != nil {
			return err
		}
	}
}
