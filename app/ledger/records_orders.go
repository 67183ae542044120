package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"idgate/app/gate"
	"idgate/queries"
)

// OrdersOfProof lists the newest orders that a Proof allowed at some time, at most 50.
func (l *Ledger) OrdersOfProof(ctx context.Context, hash, proofID string) ([]int64, error) {
	return l.read.OrdersOfProof(ctx, queries.OrdersOfProofParams{StoreHash: hash, ProofID: proofID})
}

// OrderFilter says which orders are listed. Of the first two at least one matches where one is given; everything else has to.
type OrderFilter struct {
	CustomerID int64
	Mailbox    string // keyed hash

	Holds   []HoldState // any of them; none: all
	Answers []string    // any of them, as AnswerOf says; none: all
	Source  string
	Channel int64
	From    time.Time // placed then or later; zero: whenever
	To      time.Time // placed before; zero: whenever
}

// OrdersBy lists one page of the orders that a filter wants, with their latest Decisions.
func (l *Ledger) OrdersBy(ctx context.Context, s *Shop, f OrderFilter, at Place, count int) (Page[OrderLine], error) {
	lists, pick := l.orderLists(ctx, s, f)
	id := int64(0)
	if at.ID != "" {
		var err error
		if id, err = strconv.ParseInt(at.ID, 10, 64); err != nil {
			return Page[OrderLine]{}, fmt.Errorf("reading a place among orders: %w", err)
		}
	}
	c, err := paged(ctx, lists, at, id, count, pick)
	if err != nil {
		return Page[OrderLine]{}, err
	}
	out := Page[OrderLine]{Older: numberCursor(c.older), Newer: numberCursor(c.newer), Far: c.far}
	out.Rows, err = l.orderLines(ctx, s, c.keys)
	return out, err
}

func numberCursor(k key[int64]) Cursor {
	if k.at == 0 && k.id == 0 || k.at == math.MaxInt64 {
		return Cursor{}
	}
	return Cursor{Before: time.UnixMilli(k.at).UTC(), ID: strconv.FormatInt(k.id, 10)}
}

func (l *Ledger) orderLists(ctx context.Context, s *Shop, f OrderFilter) (lists []keys[int64], pick func([]key[int64]) ([]key[int64], error)) {
	wants := func(r queries.OrderTraitsRow) bool {
		return (len(f.Holds) == 0 || slices.Contains(f.Holds, HoldState(r.Hold))) && (len(f.Answers) == 0 || slices.Contains(f.Answers, r.Answer)) &&
			(f.Source == "" || r.Source == f.Source) && (f.Channel == 0 || r.Channel == f.Channel)
	}
	traits := func(ks []key[int64]) ([]key[int64], error) {
		rows, err := l.read.OrderTraits(ctx, queries.OrderTraitsParams{StoreHash: s.Hash, Ids: ids(ks)})
		wanted := map[int64]bool{}
		for _, r := range rows {
			wanted[r.OrderID] = wants(r)
		}
		return slices.DeleteFunc(ks, func(k key[int64]) bool { return !wanted[k.id] }), err
	}
	since, until := span(f.From, f.To)
	rest := f.Source != "" || f.Channel != 0
	switch {
	case f.CustomerID != 0 || f.Mailbox != "":
		lists = append(lists, l.foundOrders(s.Hash, f, since, until))
		rest = rest || len(f.Holds) > 0 || len(f.Answers) > 0
	case len(f.Holds) > 0:
		for _, h := range f.Holds {
			lists = append(lists, l.holdOrders(s.Hash, h, since, until))
		}
		rest = rest || len(f.Answers) > 0
	case len(f.Answers) > 0:
		for _, a := range f.Answers {
			lists = append(lists, l.answerOrders(s.Hash, a, since, until))
		}
	default:
		lists = append(lists, l.allOrders(s.Hash, since, until))
	}
	if rest {
		pick = traits
	}
	return lists, pick
}

func (l *Ledger) allOrders(hash string, since, until int64) keys[int64] {
	return func(ctx context.Context, newer bool, from key[int64], n int64) ([]key[int64], error) {
		if newer {
			at, id := above(from, since, math.MaxInt64)
			rows, err := l.read.OrderKeysNewer(ctx, queries.OrderKeysNewerParams{StoreHash: hash, Until: until, After: at, AfterID: id, Count: n})
			return convert(rows, func(r queries.OrderKeysNewerRow) key[int64] { return key[int64]{r.At, r.ID} }), err
		}
		at, id := below(from, until)
		rows, err := l.read.OrderKeysOlder(ctx, queries.OrderKeysOlderParams{StoreHash: hash, Since: since, Before: at, BeforeID: id, Count: n})
		return convert(rows, func(r queries.OrderKeysOlderRow) key[int64] { return key[int64]{r.At, r.ID} }), err
	}
}

func (l *Ledger) holdOrders(hash string, hold HoldState, since, until int64) keys[int64] {
	return func(ctx context.Context, newer bool, from key[int64], n int64) ([]key[int64], error) {
		if newer {
			at, id := above(from, since, math.MaxInt64)
			rows, err := l.read.OrderKeysByHoldNewer(ctx, queries.OrderKeysByHoldNewerParams{StoreHash: hash, Hold: string(hold), Until: until, After: at, AfterID: id, Count: n})
			return convert(rows, func(r queries.OrderKeysByHoldNewerRow) key[int64] { return key[int64]{r.At, r.ID} }), err
		}
		at, id := below(from, until)
		rows, err := l.read.OrderKeysByHoldOlder(ctx, queries.OrderKeysByHoldOlderParams{StoreHash: hash, Hold: string(hold), Since: since, Before: at, BeforeID: id, Count: n})
		return convert(rows, func(r queries.OrderKeysByHoldOlderRow) key[int64] { return key[int64]{r.At, r.ID} }), err
	}
}

func (l *Ledger) answerOrders(hash, answer string, since, until int64) keys[int64] {
	return func(ctx context.Context, newer bool, from key[int64], n int64) ([]key[int64], error) {
		if newer {
			at, id := above(from, since, math.MaxInt64)
			rows, err := l.read.OrderKeysByAnswerNewer(ctx, queries.OrderKeysByAnswerNewerParams{StoreHash: hash, Answer: answer, Until: until, After: at, AfterID: id, Count: n})
			return convert(rows, func(r queries.OrderKeysByAnswerNewerRow) key[int64] { return key[int64]{r.At, r.ID} }), err
		}
		at, id := below(from, until)
		rows, err := l.read.OrderKeysByAnswerOlder(ctx, queries.OrderKeysByAnswerOlderParams{StoreHash: hash, Answer: answer, Since: since, Before: at, BeforeID: id, Count: n})
		return convert(rows, func(r queries.OrderKeysByAnswerOlderRow) key[int64] { return key[int64]{r.At, r.ID} }), err
	}
}

func (l *Ledger) foundOrders(hash string, f OrderFilter, since, until int64) keys[int64] {
	return func(ctx context.Context, newer bool, from key[int64], n int64) ([]key[int64], error) {
		if newer {
			at, id := above(from, since, math.MaxInt64)
			rows, err := l.read.FoundOrderKeysNewer(ctx, queries.FoundOrderKeysNewerParams{StoreHash: hash, CustomerID: f.CustomerID, Mailbox: unhex(f.Mailbox), Until: until, After: at,
				AfterID: id, Count: n})
			return convert(rows, func(r queries.FoundOrderKeysNewerRow) key[int64] { return key[int64]{r.At, r.ID} }), err
		}
		at, id := below(from, until)
		rows, err := l.read.FoundOrderKeysOlder(ctx, queries.FoundOrderKeysOlderParams{StoreHash: hash, CustomerID: f.CustomerID, Mailbox: unhex(f.Mailbox), Since: since, Before: at,
			BeforeID: id, Count: n})
		return convert(rows, func(r queries.FoundOrderKeysOlderRow) key[int64] { return key[int64]{r.At, r.ID} }), err
	}
}

// orderLines reads what lists say of these orders, in their order.
func (l *Ledger) orderLines(ctx context.Context, s *Shop, ks []key[int64]) ([]OrderLine, error) {
	if len(ks) == 0 {
		return nil, nil
	}
	rows, err := l.read.OrderLines(ctx, queries.OrderLinesParams{StoreHash: s.Hash, Ids: ids(ks)})
	if err != nil {
		return nil, err
	}
	known := map[int64]OrderLine{}
	for _, r := range rows {
		if known[r.OrderID], err = openOrderLine(s, r); err != nil {
			return nil, err
		}
	}
	var out []OrderLine
	for _, k := range ks {
		if o, ok := known[k.id]; ok {
			out = append(out, o)
		}
	}
	return out, nil
}

func openOrderLine(s *Shop, r queries.OrderLinesRow) (OrderLine, error) {
	o := Order{ID: r.OrderID, StatusID: int(r.StatusID), CustomerID: r.CustomerID, Value: gate.Money{Minor: r.ValueMinor, Currency: r.Currency},
		ShopValue: gate.Money{Minor: r.ShopMinor, Currency: r.ShopCurrency}, Source: r.Source, Channel: r.Channel, PlacedAt: instant(r.PlacedAt),
		Hold: HoldState(r.Hold), HeldAt: instant(r.HeldAt), Reheld: int(r.Reheld), Touched: r.Touched == 1, HoldStatus: int(r.HoldStatus), CancelAt: instant(r.CancelAt),
		Digital: r.Digital == 1, ErasedAt: instant(r.ErasedAt), PersonSays: r.PersonSays, Trouble: r.Trouble, DecisionID: r.DecisionID, Answer: r.Answer}
	var err error
	if o.Buyer, err = openBuyer(s, r.OrderID, r.Buyer); err != nil || !r.Explanation.Valid {
		return OrderLine{Order: o}, err
	}
	d := Decision{ID: r.DecisionID, MadeBy: MadeBy(r.MadeBy.String)}
	if err := json.Unmarshal([]byte(r.Explanation.String), &d.Decision); err != nil {
		return OrderLine{}, fmt.Errorf("reading the decision of order %d: %w", r.OrderID, err)
	}
	return OrderLine{Order: o, Decision: &d}, nil
}

// OrdersOf reads orders by their numbers; those that are not known are left out. They come as lists have them.
func (l *Ledger) OrdersOf(ctx context.Context, s *Shop, numbers map[int64]bool) (map[int64]Order, error) {
	var ks []key[int64]
	for id := range numbers {
		ks = append(ks, key[int64]{0, id})
	}
	lines, err := l.orderLines(ctx, s, ks)
	out := map[int64]Order{}
	for _, o := range lines {
		out[o.ID] = o.Order
	}
	return out, err
}

// OrderLine returns one order as lists have it, or ErrNotFound.
func (l *Ledger) OrderLine(ctx context.Context, s *Shop, number int64) (OrderLine, error) {
	lines, err := l.orderLines(ctx, s, []key[int64]{{0, number}})
	if err == nil && len(lines) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return OrderLine{}, err
	}
	return lines[0], nil
}
