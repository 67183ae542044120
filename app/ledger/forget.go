package ledger

import (
	"context"
	"fmt"
	"time"

	"idgate/queries"
)

// How long things are kept whose keeping no Policy decides.
const (
	keepTraffic    = 90 * 24 * time.Hour // Notices that were handled, Writebacks that were done
	keepCapability = 30 * 24 * time.Hour // after it has run out
	keepAsked      = 2 * 24 * time.Hour  // mails that a shopper asked for: their limits look back a day
	keepShop       = 30 * 24 * time.Hour // a Shop's sealed data after its uninstallation
	keepFigures    = 400 * 24 * time.Hour
)

// step erases or deletes something, and says how many rows it changed.
type step func(context.Context, *tx) (int64, error)

// all runs steps until one fails, and adds up how many rows they changed.
func all(ctx context.Context, t *tx, steps ...step) (changed int64, err error) {
	for _, s := range steps {
		n, err := s(ctx, t)
		if err != nil {
			return changed, err
		}
		changed += n
	}
	return changed, nil
}

// Forget deletes a slice of what is over: what has run out, what Policies keep no longer, and what belonged to Shops whose time for a
// re-install has passed. It returns how much it deleted; its caller goes on until that is nothing. Of each kind it deletes at most 100
// rows, and each kind is a transaction of its own: the writer's other callers wait for some milliseconds at a time.
func (l *Ledger) Forget(ctx context.Context, now time.Time) (forgotten int64, err error) {
	run := func(steps []step) error {
		for _, s := range steps {
			var n int64
			err := l.do(ctx, func(ctx context.Context, t *tx) error {
				n, err = s(ctx, t)
				return err
			})
			if err != nil {
				return err
			}
			forgotten += n
		}
		return nil
	}
	if err := run(forgetCommon(now)); err != nil {
		return forgotten, fmt.Errorf("forgetting what has run out: %w", err)
	}
	for hash, s := range *l.shops.Load() {
		if s.State == Uninstalled {
			continue
		}
		if err := run(forgetOfShop(hash, now.Add(-s.Policy.KeepFor()), now)); err != nil {
			return forgotten, fmt.Errorf("forgetting what shop %s keeps no longer: %w", hash, err)
		}
	}
	left, err := l.read.ShopsWithoutKey(ctx)
	if err != nil {
		return forgotten, fmt.Errorf("looking for what is left of destroyed shops: %w", err)
	}
	steps := []step{func(ctx context.Context, t *tx) (int64, error) { return destroyKeys(ctx, t, now) }}
	for _, hash := range left {
		for _, s := range destroyRows(hash) {
			steps = append(steps, unlessInstalled(hash, s))
		}
	}
	if err := run(steps); err != nil {
		return forgotten, fmt.Errorf("destroying the data of uninstalled shops: %w", err)
	}
	return forgotten, nil
}

func forgetCommon(now time.Time) []step {
	return []step{
		func(ctx context.Context, t *tx) (int64, error) {
			return t.ForgetTokens(ctx, millis(now.Add(-time.Hour)))
		},
		func(ctx context.Context, t *tx) (int64, error) { return t.ForgetLogins(ctx, millis(now)) },
		func(ctx context.Context, t *tx) (int64, error) { return t.ForgetPersons(ctx, millis(now)) },
		func(ctx context.Context, t *tx) (int64, error) {
			return t.ForgetNotices(ctx, millis(now.Add(-keepTraffic)))
		},
		func(ctx context.Context, t *tx) (int64, error) {
			return t.ForgetWritebacks(ctx, millis(now.Add(-keepTraffic)))
		},
		func(ctx context.Context, t *tx) (int64, error) {
			return t.ForgetEvents(ctx, millis(now.Add(-keepEvents)))
		},
		func(ctx context.Context, t *tx) (int64, error) {
			return t.ForgetStaffAlarms(ctx, millis(now.Add(-keepTraffic)))
		},
		func(ctx context.Context, t *tx) (int64, error) { return t.ForgetEndpoints(ctx) },
		func(ctx context.Context, t *tx) (int64, error) { return t.ForgetOldSecrets(ctx, millis(now)) },
	}
}

func forgetOfShop(hash string, before, now time.Time) []step {
	return []step{
		func(ctx context.Context, t *tx) (int64, error) {
			return t.ForgetBuyers(ctx, queries.ForgetBuyersParams{StoreHash: hash, Before: millis(before), Now: millis(now)})
		},
		func(ctx context.Context, t *tx) (int64, error) {
			return t.ForgetDecisions(ctx, queries.ForgetDecisionsParams{StoreHash: hash, Before: millis(before)})
		},
		func(ctx context.Context, t *tx) (int64, error) {
			return t.ForgetCapabilities(ctx, queries.ForgetCapabilitiesParams{StoreHash: hash, Before: millis(now.Add(-keepCapability))})
		},
		func(ctx context.Context, t *tx) (int64, error) {
			return t.ForgetShownMailboxes(ctx, queries.ForgetShownMailboxesParams{StoreHash: hash, Before: millis(before)})
		},
		func(ctx context.Context, t *tx) (int64, error) {
			return t.ForgetAskedMails(ctx, queries.ForgetAskedMailsParams{StoreHash: hash, Before: millis(now.Add(-keepAsked))})
		},
		func(ctx context.Context, t *tx) (int64, error) {
			return t.ForgetReviews(ctx, queries.ForgetReviewsParams{StoreHash: hash, Before: millis(before)})
		},
		func(ctx context.Context, t *tx) (int64, error) {
			return t.ForgetRequests(ctx, queries.ForgetRequestsParams{StoreHash: hash, Before: millis(before)})
		},
		func(ctx context.Context, t *tx) (int64, error) {
			return t.ForgetPageReports(ctx, queries.ForgetPageReportsParams{StoreHash: hash, Before: dayOf(now.Add(-keepReports))})
		},
		func(ctx context.Context, t *tx) (int64, error) { // a Session goes with its Proof
			proofs, err := t.ForgetProofs(ctx, queries.ForgetProofsParams{StoreHash: hash, Before: millis(before)})
			if err != nil {
				return 0, err
			}
			sessions, err := t.ForgetSessions(ctx, queries.ForgetSessionsParams{StoreHash: hash, Before: millis(before)})
			return proofs + sessions, err
		},
		func(ctx context.Context, t *tx) (int64, error) {
			return t.ForgetFigures(ctx, queries.ForgetFiguresParams{StoreHash: hash, Before: millis(now.Add(-keepFigures))})
		},
		func(ctx context.Context, t *tx) (int64, error) {
			return t.ForgetMoneyFigures(ctx, queries.ForgetMoneyFiguresParams{StoreHash: hash, Before: millis(now.Add(-keepFigures))})
		},
	}
}

// destroyKeys ends the keys of Shops that were uninstalled 30 days ago.
func destroyKeys(ctx context.Context, t *tx, now time.Time) (destroyed int64, err error) {
	ends, err := t.ShopsToDestroy(ctx, millis(now.Add(-keepShop)))
	if err != nil {
		return 0, err
	}
	for _, hash := range ends {
		t.reload = append(t.reload, hash)
		n, err := t.DestroyShopKey(ctx, hash)
		if err != nil {
			return 0, err
		}
		destroyed += n
	}
	return destroyed, nil
}

// destroyRows are the steps that delete a slice of all that there is of a Shop, but for its own row.
func destroyRows(hash string) (steps []step) {
	for _, destroy := range []func(*tx, context.Context, string) (int64, error){(*tx).DestroyWritebacks, (*tx).DestroyNotices, (*tx).DestroyOrders, (*tx).DestroyDecisions,
		(*tx).destroySessions, (*tx).DestroyShownMailboxes, (*tx).DestroyAskedMails, (*tx).DestroyCapabilities, (*tx).DestroyListed, (*tx).DestroyActivity,
		(*tx).DestroyWhatIfs, (*tx).DestroyEvents, (*tx).DestroyEndpoints, (*tx).DestroyFigures, (*tx).DestroyMoneyFigures, (*tx).DestroyReviews, (*tx).DestroyRequests,
		(*tx).DestroyPolicies, (*tx).DestroyErasures, (*tx).DestroyLogos, (*tx).DestroyPageReports, (*tx).DestroyStaffAlarms, (*tx).DestroyLogins, (*tx).DestroyUsers} {
		steps = append(steps, func(ctx context.Context, t *tx) (int64, error) { return destroy(t, ctx, hash) })
	}
	return steps
}

// destroySessions deletes Sessions with their Proofs.
func (t *tx) destroySessions(ctx context.Context, hash string) (int64, error) {
	proofs, err := t.DestroyProofs(ctx, hash)
	if err != nil {
		return 0, err
	}
	sessions, err := t.DestroySessions(ctx, hash)
	return proofs + sessions, err
}

// unlessInstalled is a step on a destroyed Shop, that comes too late if the Shop has been installed again and has a new key.
func unlessInstalled(hash string, s step) step {
	return func(ctx context.Context, t *tx) (int64, error) {
		r, err := t.Shop(ctx, hash)
		if err != nil || r.DataKey != nil {
			return 0, err
		}
		return s(ctx, t)
	}
}

// destroyLeft deletes all that is left of a Shop whose key was destroyed: nothing of it could be opened with the new one.
func destroyLeft(ctx context.Context, t *tx, hash string) error {
	for {
		n, err := all(ctx, t, destroyRows(hash)...)
		if n == 0 || err != nil {
			return err
		}
	}
}
