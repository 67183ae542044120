package relay

import (
	"context"
	"errors"
	"strconv"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/ledger"
)

// sweepPage is how many orders a sweep asks for at a time.
const sweepPage = 50

// crowd is how far the sweep of a Shop has come within one second that more orders were modified in than a page holds.
type crowd struct {
	second time.Time
	after  int64     // the orders of that second up to this number were seen
	began  time.Time // not after the first of them was, by BigCommerce's clock
}

// sweep makes those orders due that were modified since the watermark and that we do not know as they are now: a page of them, which is one
// piece of work and one call, so that a long sweep makes room for holds and goes on where it was. The watermark moves with each page, and
// only to a date that was seen. It is inclusive: an order modified in the same second is never skipped. Until the last page is
// read the sweep stays due since when it was, which tells how late it is.
//
// Pages of one second are cut by the orders' numbers: page numbers shift while orders change, and these do not. Where they end is kept in
// memory alone; after a start the second is read again.
func (r *Relay) sweep(ctx context.Context, s *ledger.Shop) error {
	keep := context.WithoutCancel(ctx) // what was asked for is stored, however late the answer came
	for {
		if n, err := r.Ledger.DueWoken(ctx, s.Hash, r.shopNow(s.Hash)); err != nil {
			return err
		} else if n == 0 {
			break
		}
	}
	mark := s.SweptTo.Truncate(time.Second)
	if now := r.shopNow(s.Hash).Truncate(time.Second); mark.After(now) {
		mark = now // it was set by a clock that went ahead of BigCommerce's
	}
	next, asked := r.Now().Add(r.SweepEvery), r.Now().Add(-r.Pace(s.Hash).Skew)
	filter := bigcommerce.OrderFilter{MinDateModified: mark, Sort: bigcommerce.SortDateModified, Limit: sweepPage}
	in, crowded := r.crowdOf(s.Hash, mark)
	if crowded { // a second more, since nobody says whether its end is included
		filter.MaxDateModified, filter.MinID, filter.Sort = mark.Add(time.Second), in.after+1, bigcommerce.SortID
	}
	os, err := r.store(s).Orders(ctx, filter)
	if err != nil {
		e := r.judge(keep, s, err, 1)
		at := next
		if e.kind == isLater && e.at.After(at) {
			at = e.at
		}
		r.Log.Warn("sweeping orders; again later", "shop", s.Hash, "at", at, "error", err)
		return r.Ledger.AdvanceSweep(keep, s.Hash, mark, at)
	}
	if err := r.swept(keep, s, os); err != nil {
		return err
	}
	last, full := mark, len(os) >= sweepPage
	for _, o := range os {
		in.after = max(in.after, o.ID)
		if o.DateModified.After(last) {
			last = o.DateModified.Truncate(time.Second)
		}
	}
	switch {
	case crowded && full:
		r.crowds.Store(s.Hash, in)
	case crowded:
		r.crowds.Delete(s.Hash)
		if !in.began.After(mark.Add(sameSecond)) {
			return r.Ledger.AdvanceSweep(keep, s.Hash, mark, next) // it was not over yet: it is read again
		}
		mark = mark.Add(time.Second)
	case !full:
		return r.Ledger.AdvanceSweep(keep, s.Hash, last, next)
	case last.After(mark):
		mark = last
	default:
		r.crowds.Store(s.Hash, crowd{second: mark, began: asked})
	}
	return r.Ledger.AdvanceSweep(keep, s.Hash, mark, s.SweepAt)
}

// crowdOf returns how far the Shop's sweep has come within the second of its watermark; false where it needs no pages there.
func (r *Relay) crowdOf(hash string, mark time.Time) (crowd, bool) {
	v, _ := r.crowds.Load(hash)
	in, ok := v.(crowd)
	if !ok || !in.second.Equal(mark) {
		return crowd{}, false
	}
	return in, true
}

// swept takes a page of what a sweep found.
func (r *Relay) swept(ctx context.Context, s *ledger.Shop, os []bigcommerce.Order) error {
	found := make([]ledger.Swept, len(os))
	for i, o := range os {
		found[i] = ledger.Swept{OrderID: o.ID, StatusID: o.StatusID, ModifiedAt: o.DateModified}
	}
	missed, err := r.missed(ctx, s, found)
	if err != nil {
		return err
	}
	if _, err := r.Ledger.DueSwept(ctx, s.Hash, found, r.Now()); err != nil || !missed {
		return err
	}
	return r.Ledger.SuspectShop(ctx, s.Hash, r.Now())
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
