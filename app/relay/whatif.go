package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/ledger"
)

// Bounds of a what-if.
const (
	MaxWhatIf  = 10_000 // orders
	whatIfPage = 50     // orders fetched and replayed in one step
)

// someWhatIf replays a page of past orders through a draft, if the Shop's quota has room for housekeeping. It writes nothing to the Shop.
func (r *Relay) someWhatIf(ctx context.Context, s *ledger.Shop, id int64) (int, error) {
	w, err := r.Ledger.WhatIf(ctx, s.Hash, id)
	if err != nil || w.State != "running" {
		return 0, err
	}
	a := newAsker(w.Draft, s.Policy)
	_, release := r.pacers.of(s.Hash).reserve(r.Now(), someday, 1+whatIfPage*a.cost())
	if release == nil {
		// A large page may never fit into a small plan's share: then it goes on as far as the share allows, order by order.
		if _, release = r.pacers.of(s.Hash).reserve(r.Now(), someday, 1+a.cost()); release == nil {
			return 0, nil
		}
	}
	defer release()
	ctx, cancel := r.piece(ctx)
	defer cancel()
	next, orders, err := r.replayPage(ctx, s, w, a)
	if err != nil {
		e := r.judge(ctx, s, err, 1)
		at := r.Now().Add(time.Minute)
		if e.kind == isLater && e.at.After(at) {
			at = e.at
		}
		return 1, r.Ledger.PostponeWhatIf(ctx, s.Hash, id, at, e.remark)
	}
	err = r.Ledger.AdvanceWhatIf(ctx, s.Hash, w, next, orders, r.Now(), r.Now())
	if errors.Is(err, ledger.ErrLeaseLost) {
		err = nil // it was cancelled meanwhile
	}
	return 1, err
}

// replayPage fetches the next orders and replays them, as many as the Shop's share of the quota has room for.
func (r *Relay) replayPage(ctx context.Context, s *ledger.Shop, w ledger.WhatIf, a asker) (next ledger.WhatIf, out []ledger.WhatIfOrder, err error) {
	f := bigcommerce.OrderFilter{Sort: bigcommerce.SortNewest, Limit: whatIfPage, MinDateCreated: w.Since}
	if w.Below > 0 {
		if w.Below == 1 {
			next = w
			next.State = "done"
			return next, nil, nil
		}
		f.MaxID = w.Below - 1
	}
	page, err := r.store(s).Orders(ctx, f)
	if err != nil {
		return w, nil, fmt.Errorf("fetching past orders: %w", err)
	}
	next = w
	for i, o := range page {
		if next.Seen >= w.Wanted {
			break
		}
		if i > 0 && r.noRoom(s.Hash, a.cost()) {
			return next, out, nil // the rest in a later step
		}
		next.Below = o.ID
		if c := bigcommerce.ClassOf(o.StatusID); c == bigcommerce.ClassWatch || o.IsDeleted {
			continue // never became an order
		}
		done, err := r.replay(ctx, s, w.Draft, o, a, &next.Tally)
		if err != nil {
			return w, nil, err
		}
		next.Seen++
		out = append(out, done)
	}
	if len(page) < whatIfPage || next.Seen >= w.Wanted {
		next.State = "done"
	}
	return next, out, nil
}

// noRoom reports whether housekeeping has used up its share of the window.
func (r *Relay) noRoom(hash string, calls int) bool {
	if calls == 0 {
		return false
	}
	_, release := r.pacers.of(hash).reserve(r.Now(), someday, calls)
	if release != nil {
		release()
	}
	return release == nil
}

// replay answers one past order three times: by the draft, by the Policy in force, and as it was recorded. Proofs count as they stood when it
// was decided; without a Decision, when it was placed.
func (r *Relay) replay(ctx context.Context, s *ledger.Shop, draft gate.Policy, o bigcommerce.Order, a asker, t *gate.Tally) (ledger.WhatIfOrder, error) {
	var out ledger.WhatIfOrder
	f, err := r.factsOf(ctx, s, o, a)
	if err != nil && !errors.Is(err, bigcommerce.ErrNotFound) { // the customer is gone: what would be looked up of them stays unknown
		return out, err
	}
	at := o.DateCreated
	recorded, err := r.recorded(ctx, s, o.ID)
	if err != nil {
		return out, err
	}
	n := gate.Replayed{OrderID: o.ID, CustomerID: o.CustomerID, Value: f.Value}
	if recorded != nil {
		at, n.Recorded = recorded.At, &recorded.Decision
	}
	proofs, err := r.Ledger.ProofsFor(ctx, s, f)
	if err != nil {
		return out, err
	}
	then := proofs[:0]
	for _, p := range proofs {
		if !p.At.After(at) {
			then = append(then, p)
		}
	}
	f.InReview = recorded != nil && len(recorded.Reasons) > 0 && recorded.Reasons[0].Code == gate.InReview
	if recorded != nil && recorded.Requested() {
		q, err := r.request(ctx, s.Hash, o.ID)
		if err != nil {
			return out, err
		}
		f.Requested = demanded(q) // what a person demands of it comes on top of either
	}
	if recorded == nil {
		f.BeforeEpoch = false // what if either had always been in force?
	}
	n.InForce = gate.Decide(s.Policy, f, then, at)
	f.BeforeEpoch = false
	n.Draft = gate.Decide(draft, f, then, at)
	t.Add(n)
	out = ledger.WhatIfOrder{OrderID: o.ID, PlacedAt: o.DateCreated, Value: f.Value, Shift: gate.ShiftOf(n.InForce, n.Draft), Before: n.InForce.Outcome, After: n.Draft.Outcome, Reasons: n.Draft.Reasons}
	for _, rule := range n.Draft.Rules {
		if rule.Counted {
			out.Rules = append(out.Rules, rule.Name)
		}
	}
	return out, nil
}

// recorded is the latest Decision that rules made about an order, or nil.
func (r *Relay) recorded(ctx context.Context, s *ledger.Shop, orderID int64) (*ledger.Decision, error) {
	ds, err := r.Ledger.OrderDecisions(ctx, s.Hash, orderID)
	if err != nil {
		return nil, err
	}
	for _, d := range ds {
		if d.MadeBy == ledger.ByRule && d.Policy == s.Policy.Version {
			return &d, nil
		}
	}
	return nil, nil
}
