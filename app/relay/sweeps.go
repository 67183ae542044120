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

// sweepFirst is how long a sweep that is under way goes before orders that wait behind new ones: it may find new ones.
const sweepFirst = 5 * time.Minute

// sweeping is a sweep that has more than a page to read.
type sweeping struct {
	since time.Time // when it read the first of them; zero while BigCommerce cannot be asked for the next
	// Within one second that more orders were modified in than a page holds:
	second time.Time
	after  int64     // the orders of that second up to this number were seen
	began  time.Time // not after the first of them was, by BigCommerce's clock
}

// sweepsFirst reports whether a Shop's sweep is under way and goes first.
func (r *Relay) sweepsFirst(hash string) bool {
	v, _ := r.sweeps.Load(hash)
	w, ok := v.(sweeping)
	return ok && !w.since.IsZero() && r.Now().Sub(w.since).Abs() < sweepFirst
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
	v, _ := r.sweeps.Load(s.Hash)
	way, _ := v.(sweeping)
	crowded := !way.second.IsZero() && way.second.Equal(mark)
	if crowded { // a second more, since nobody says whether its end is included
		filter.MaxDateModified, filter.MinID, filter.Sort = mark.Add(time.Second), way.after+1, bigcommerce.SortID
	}
	os, err := r.store(s).Orders(ctx, filter)
	if err != nil {
		e := r.judge(keep, s, err, 1)
		at := next
		if e.kind == isLater && e.at.After(at) {
			at = e.at
		}
		r.Log.Warn("sweeping orders; again later", "shop", s.Hash, "at", at, "error", err)
		way.since = time.Time{}
		r.sweeps.Store(s.Hash, way)
		return r.Ledger.AdvanceSweep(keep, s.Hash, mark, at)
	}
	if err := r.swept(keep, s, os); err != nil {
		return err
	}
	mark, way, more := way.read(mark, asked, os)
	if !more {
		r.sweeps.Delete(s.Hash)
		return r.Ledger.AdvanceSweep(keep, s.Hash, mark, next)
	}
	if way.since.IsZero() {
		way.since = r.Now()
	}
	r.sweeps.Store(s.Hash, way)
	return r.Ledger.AdvanceSweep(keep, s.Hash, mark, s.SweepAt)
}

// read is where a sweep goes after a page that was asked for at a time by BigCommerce's clock, and whether there may be more.
func (w sweeping) read(mark, asked time.Time, os []bigcommerce.Order) (time.Time, sweeping, bool) {
	last, full := mark, len(os) >= sweepPage
	for _, o := range os {
		if o.DateModified.After(last) {
			last = o.DateModified.Truncate(time.Second)
		}
	}
	switch {
	case !w.second.IsZero() && w.second.Equal(mark):
		if full {
			for _, o := range os {
				w.after = max(w.after, o.ID)
			}
			return mark, w, true
		}
		over := w.began.After(mark.Add(sameSecond))
		if over {
			mark = mark.Add(time.Second)
		} // else it is read again by the next sweep
		return mark, sweeping{since: w.since}, over
	case !full:
		return last, w, false
	case last.After(mark):
		return last, sweeping{since: w.since}, true
	}
	return mark, sweeping{since: w.since, second: mark, began: asked}, true
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
