package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"idgate/app/gate"
	"idgate/queries"
)

// WhatIf is a draft that is replayed over past orders, as far as it has got.
type WhatIf struct {
	ID      int64
	State   string // running, done or cancelled
	Draft   gate.Policy
	Base    int64 // version in force when it was begun
	Wanted  int64 // orders at most
	Since   time.Time
	Below   int64 // goes on with orders below this number; 0: from the newest
	Seen    int64
	Tally   gate.Tally
	Trouble string
	MadeBy  string
	MadeAt  time.Time
	DoneAt  time.Time
}

// WhatIfOrder is one past order as the draft would have answered it.
type WhatIfOrder struct {
	OrderID  int64
	PlacedAt time.Time
	Value    gate.Money
	Shift    gate.Shift
	Before   gate.Outcome
	After    gate.Outcome
	Reasons  []gate.Reason
	Rules    []string // the draft's, that had their part
}

// BeginWhatIf begins to replay a draft and returns its number.
func (l *Ledger) BeginWhatIf(ctx context.Context, s *Shop, draft gate.Policy, wanted int64, since, now time.Time) (id int64, err error) {
	body, err := json.Marshal(draft)
	if err != nil {
		return 0, err
	}
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		t.ring = append(t.ring, ShopBell)
		id, err = t.AddWhatIf(ctx, queries.AddWhatIfParams{StoreHash: s.Hash, Draft: string(body), Base: s.Policy.Version, Wanted: wanted, Since: millis(since),
			Now: millis(now), MadeBy: t.actor})
		if err != nil {
			return err
		}
		_, err = t.ForgetWhatIfs(ctx, s.Hash)
		return err
	})
	return id, err
}

// WhatIf returns one of the Shop's.
func (l *Ledger) WhatIf(ctx context.Context, hash string, id int64) (WhatIf, error) {
	r, err := found(l.read.WhatIf(ctx, queries.WhatIfParams{StoreHash: hash, ID: id}))
	if err != nil {
		return WhatIf{}, err
	}
	return openWhatIf(r)
}

// WhatIfs lists the Shop's newest.
func (l *Ledger) WhatIfs(ctx context.Context, hash string, count int) ([]WhatIf, error) {
	rows, err := l.read.WhatIfs(ctx, queries.WhatIfsParams{StoreHash: hash, Count: int64(count)})
	out := make([]WhatIf, len(rows))
	for i, r := range rows {
		if out[i], err = openWhatIf(r); err != nil {
			return nil, err
		}
	}
	return out, err
}

func openWhatIf(r queries.Whatif) (WhatIf, error) {
	w := WhatIf{ID: r.ID, State: r.State, Base: r.Base, Wanted: r.Wanted, Since: instant(r.Since), Below: r.Below, Seen: r.Seen, Trouble: r.Trouble, MadeBy: r.MadeBy,
		MadeAt: instant(r.MadeAt), DoneAt: instant(r.DoneAt)}
	if err := json.Unmarshal([]byte(r.Draft), &w.Draft); err != nil {
		return w, fmt.Errorf("reading the draft of what-if %d: %w", r.ID, err)
	}
	if err := json.Unmarshal([]byte(r.Tally), &w.Tally); err != nil {
		return w, fmt.Errorf("reading the tally of what-if %d: %w", r.ID, err)
	}
	return w, nil
}

// DueWhatIfs lists what is to go on now, by Shop.
func (l *Ledger) DueWhatIfs(ctx context.Context, now time.Time) (map[string]int64, error) {
	rows, err := l.read.DueWhatIfs(ctx, millis(now))
	out := map[string]int64{}
	for _, r := range rows {
		if _, ok := out[r.StoreHash]; !ok {
			out[r.StoreHash] = r.ID
		}
	}
	return out, err
}

// AdvanceWhatIf stores a step: w as it was read, next as it is now, and the orders replayed between. A step that somebody else has taken
// meanwhile changes nothing: ErrLeaseLost.
func (l *Ledger) AdvanceWhatIf(ctx context.Context, hash string, w, next WhatIf, orders []WhatIfOrder, due, now time.Time) error {
	tally, err := json.Marshal(next.Tally)
	if err != nil {
		return err
	}
	p := queries.AdvanceWhatIfParams{StoreHash: hash, ID: w.ID, WasBelow: w.Below, Below: next.Below, Seen: next.Seen, Tally: string(tally), State: next.State, DueAt: millis(due)}
	if next.State != "running" {
		p.DueAt, p.DoneAt = 0, millis(now)
	}
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.AdvanceWhatIf(ctx, p)
		if err == nil && n == 0 {
			err = ErrLeaseLost
		}
		if err != nil {
			return fmt.Errorf("going on with what-if %d: %w", w.ID, err)
		}
		t.ring = append(t.ring, ShopBell)
		for _, o := range orders {
			reasons, err := json.Marshal(o.Reasons)
			if err != nil {
				return err
			}
			rules, err := json.Marshal(o.Rules)
			if err != nil {
				return err
			}
			err = t.AddWhatIfOrder(ctx, queries.AddWhatIfOrderParams{StoreHash: hash, WhatifID: w.ID, OrderID: o.OrderID, PlacedAt: millis(o.PlacedAt), ValueMinor: o.Value.Minor,
				Currency: o.Value.Currency, Shift: string(o.Shift), Before: string(o.Before), After: string(o.After), Reasons: string(reasons), Rules: string(rules)})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// PostponeWhatIf goes on at due: BigCommerce could not be asked.
func (l *Ledger) PostponeWhatIf(ctx context.Context, hash string, id int64, due time.Time, trouble string) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.PostponeWhatIf(ctx, queries.PostponeWhatIfParams{StoreHash: hash, ID: id, DueAt: millis(due), Trouble: trouble})
		return err
	})
}

// CancelWhatIf stops one; what it has found so far stays. ErrNotFound when it does not run.
func (l *Ledger) CancelWhatIf(ctx context.Context, hash string, id int64, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.CancelWhatIf(ctx, queries.CancelWhatIfParams{StoreHash: hash, ID: id, Now: millis(now)})
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
}

// WhatIfOrders lists replayed orders below a number (0: from the top), newest first; shift "" means all.
func (l *Ledger) WhatIfOrders(ctx context.Context, hash string, id int64, shift gate.Shift, below int64, count int) ([]WhatIfOrder, error) {
	if below <= 0 {
		below = math.MaxInt64
	}
	var rows []queries.WhatIfOrdersRow
	var err error
	if shift == "" {
		rows, err = l.read.WhatIfOrders(ctx, queries.WhatIfOrdersParams{StoreHash: hash, WhatifID: id, Below: below, Count: int64(count)})
	} else {
		var some []queries.WhatIfOrdersByShiftRow
		some, err = l.read.WhatIfOrdersByShift(ctx, queries.WhatIfOrdersByShiftParams{StoreHash: hash, WhatifID: id, Shift: string(shift), Below: below, Count: int64(count)})
		for _, r := range some {
			rows = append(rows, queries.WhatIfOrdersRow(r))
		}
	}
	out := make([]WhatIfOrder, len(rows))
	for i, r := range rows {
		o := WhatIfOrder{OrderID: r.OrderID, PlacedAt: instant(r.PlacedAt), Value: gate.Money{Minor: r.ValueMinor, Currency: r.Currency}, Shift: gate.Shift(r.Shift),
			Before: gate.Outcome(r.Before), After: gate.Outcome(r.After)}
		if err := json.Unmarshal([]byte(r.Reasons), &o.Reasons); err != nil {
			return nil, fmt.Errorf("reading order %s of a what-if: %w", strconv.FormatInt(r.OrderID, 10), err)
		}
		if err := json.Unmarshal([]byte(r.Rules), &o.Rules); err != nil {
			return nil, fmt.Errorf("reading order %s of a what-if: %w", strconv.FormatInt(r.OrderID, 10), err)
		}
		out[i] = o
	}
	return out, err
}
