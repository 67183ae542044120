package relay

import (
	"context"
	"errors"
	"strconv"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/ledger"
)

// sweep makes every order due that was modified since the watermark and that we do not know as it is now. The watermark is
// inclusive and moves only to a date that was seen, so an order modified in the same second is never skipped.
func (r *Relay) sweep(ctx context.Context, s *ledger.Shop) error {
	const limit = 50
	for {
		if n, err := r.Ledger.DueWoken(ctx, s.Hash, r.shopNow(s.Hash)); err != nil {
			return err
		} else if n == 0 {
			break
		}
	}
	mark, page := s.SweptTo.Truncate(time.Second), 1
	if now := r.shopNow(s.Hash).Truncate(time.Second); mark.After(now) {
		mark = now // it was set by a clock that went ahead of BigCommerce's
	}
	next := r.Now().Add(r.SweepEvery)
	for {
		os, err := r.store(s).Orders(ctx, bigcommerce.OrderFilter{MinDateModified: mark, Sort: bigcommerce.SortDateModified, Page: page, Limit: limit})
		if err != nil {
			e := r.judge(ctx, s, err, 1)
			at := next
			if e.kind == isLater && e.at.After(at) {
				at = e.at
			}
			r.Log.Warn("sweeping orders; again later", "shop", s.Hash, "at", at, "error", err)
			return r.Ledger.AdvanceSweep(ctx, s.Hash, mark, at)
		}
		found := make([]ledger.Swept, len(os))
		last := mark
		for i, o := range os {
			found[i] = ledger.Swept{OrderID: o.ID, StatusID: o.StatusID, ModifiedAt: o.DateModified}
			if o.DateModified.After(last) {
				last = o.DateModified
			}
		}
		missed, err := r.missed(ctx, s, found)
		if err != nil {
			return err
		}
		if _, err := r.Ledger.DueSwept(ctx, s.Hash, found, r.Now()); err != nil {
			return err
		}
		if missed {
			if err := r.Ledger.SuspectShop(ctx, s.Hash, r.Now()); err != nil {
				return err
			}
		}
		if len(os) < limit {
			return r.Ledger.AdvanceSweep(ctx, s.Hash, last.Truncate(time.Second), next)
		}
		// Page numbers shift while orders change; the date does not. They are used only within one second.
		if last.After(mark) {
			mark, page = last.Truncate(time.Second), 1
		} else {
			page++
		}
	}
}

// missed reports whether the sweep found an order whose change of status no webhook has told of in half a minute: the webhooks may be
// gone, and the installation is looked at.
func (r *Relay) missed(ctx context.Context, s *ledger.Shop, found []ledger.Swept) (bool, error) {
	for _, f := range found {
		if r.shopNow(s.Hash).Sub(f.ModifiedAt) < 30*time.Second {
			continue
		}
		o, err := r.Ledger.Order(ctx, s, f.OrderID)
		switch {
		case err == nil && o.StatusID == f.StatusID:
			continue
		case err != nil && !errors.Is(err, ledger.ErrNotFound):
			return false, err
		}
		ns, err := r.Ledger.SubjectNotices(ctx, s.Hash, strconv.FormatInt(f.OrderID, 10))
		if err != nil {
			return false, err
		}
		if len(ns) == 0 || ns[0].ReceivedAt.Before(f.ModifiedAt.Add(r.Pace(s.Hash).Skew)) {
			return true, nil
		}
	}
	return false, nil
}
