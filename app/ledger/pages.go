package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/queries"
)

// Decision is a stored Decision.
type Decision struct {
	gate.Decision
	ID         string
	Stage      gate.Stage
	CartID     string
	OrderID    int64
	CustomerID int64
	MadeBy     MadeBy
	Person     string
	Note       string
	Policy     int64
	Receipt    string
	At         time.Time
}

func openDecision(r queries.DecisionRow) (Decision, error) {
	d := Decision{ID: r.ID, Stage: gate.Stage(r.Stage), CartID: r.CartID, OrderID: r.OrderID, CustomerID: r.CustomerID, MadeBy: MadeBy(r.MadeBy),
		Person: r.Person, Note: r.Note, Policy: r.PolicyVersion, Receipt: r.Receipt, At: instant(r.MadeAt)}
	if err := json.Unmarshal([]byte(r.Explanation), &d.Decision); err != nil {
		return d, fmt.Errorf("reading decision %s: %w", r.ID, err)
	}
	return d, nil
}

// Decision returns one Decision of the Shop.
func (l *Ledger) Decision(ctx context.Context, hash, id string) (Decision, error) {
	r, err := found(l.read.Decision(ctx, queries.DecisionParams{ID: id, StoreHash: hash}))
	if err != nil {
		return Decision{}, err
	}
	return openDecision(r)
}

// OrderDecisions lists an order's Decisions, newest first, at most 50.
func (l *Ledger) OrderDecisions(ctx context.Context, hash string, orderID int64) ([]Decision, error) {
	rows, err := l.read.OrderDecisions(ctx, queries.OrderDecisionsParams{StoreHash: hash, OrderID: orderID})
	if err != nil {
		return nil, err
	}
	out := make([]Decision, len(rows))
	for i, r := range rows {
		if out[i], err = openDecision(queries.DecisionRow(r)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// CartDecisions lists a cart's Decisions, newest first, at most 50.
func (l *Ledger) CartDecisions(ctx context.Context, hash, cartID string) ([]Decision, error) {
	rows, err := l.read.CartDecisions(ctx, queries.CartDecisionsParams{StoreHash: hash, CartID: cartID})
	if err != nil {
		return nil, err
	}
	out := make([]Decision, len(rows))
	for i, r := range rows {
		if out[i], err = openDecision(queries.DecisionRow(r)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// StoredWriteback is a Writeback as people see it.
type StoredWriteback struct {
	ID      int64
	Kind    WritebackKind
	Subject int64
	Ref     string
	State   string // pending, done, stuck, dropped
	Attempt int64
	DueAt   time.Time
	Reason  string
	MadeAt  time.Time
	DoneAt  time.Time
}

// StuckWritebacks lists the Shop's Writebacks that need a person, at most 100.
func (l *Ledger) StuckWritebacks(ctx context.Context, hash string) ([]StoredWriteback, error) {
	rows, err := l.read.StuckWritebacks(ctx, hash)
	out := make([]StoredWriteback, len(rows))
	for i, r := range rows {
		out[i] = storedWriteback(r)
	}
	return out, err
}

// SubjectWritebacks lists what was or is owed to an order or customer, newest first, at most 50.
func (l *Ledger) SubjectWritebacks(ctx context.Context, hash string, subject int64) ([]StoredWriteback, error) {
	rows, err := l.read.SubjectWritebacks(ctx, queries.SubjectWritebacksParams{StoreHash: hash, Subject: subject})
	out := make([]StoredWriteback, len(rows))
	for i, r := range rows {
		out[i] = storedWriteback(queries.StuckWritebacksRow(r))
	}
	return out, err
}

func storedWriteback(r queries.StuckWritebacksRow) StoredWriteback {
	return StoredWriteback{r.ID, WritebackKind(r.Kind), r.Subject, r.Ref, r.State, r.Attempt, instant(r.DueAt), r.Reason, instant(r.MadeAt), instant(r.DoneAt)}
}

// StoredNotice is a Notice as people see it.
type StoredNotice struct {
	ID         int64
	Scope      string
	Subject    string
	Detail     Detail
	ReceivedAt time.Time
	Deliveries int64
	State      string // pending, done, stuck
	Remark     string
	HandledAt  time.Time
}

// SubjectNotices lists the Notices about one id, newest first, at most 50.
func (l *Ledger) SubjectNotices(ctx context.Context, hash, subject string) ([]StoredNotice, error) {
	rows, err := l.read.OrderNotices(ctx, queries.OrderNoticesParams{StoreHash: hash, Subject: subject})
	out := make([]StoredNotice, len(rows))
	for i, r := range rows {
		out[i] = StoredNotice{ID: r.ID, Scope: r.Scope, Subject: r.Subject, ReceivedAt: instant(r.ReceivedAt), Deliveries: r.Deliveries, State: r.State,
			Remark: r.Remark, HandledAt: instant(r.HandledAt)}
		if err := json.Unmarshal([]byte(r.Detail), &out[i].Detail); err != nil {
			return nil, err
		}
	}
	return out, err
}

// OrderLine is an order with its latest Decision, for lists.
type OrderLine struct {
	Order
	Decision *Decision // nil when nothing was decided yet
}

// OrdersPage lists orders below an id (0: from the top), newest first; hold "" means all.
func (l *Ledger) OrdersPage(ctx context.Context, s *Shop, hold HoldState, below int64, count int) ([]OrderLine, error) {
	if below <= 0 {
		below = math.MaxInt64
	}
	var rows []queries.OrdersPageRow
	var err error
	if hold == "" {
		rows, err = l.read.OrdersPage(ctx, queries.OrdersPageParams{StoreHash: s.Hash, Below: below, Count: int64(count)})
	} else {
		var some []queries.OrdersPageByHoldRow
		some, err = l.read.OrdersPageByHold(ctx, queries.OrdersPageByHoldParams{StoreHash: s.Hash, Hold: string(hold), Below: below, Count: int64(count)})
		for _, r := range some {
			rows = append(rows, queries.OrdersPageRow(r))
		}
	}
	if err != nil {
		return nil, err
	}
	out := make([]OrderLine, len(rows))
	for i, r := range rows {
		o := Order{ID: r.OrderID, StatusID: int(r.StatusID), CustomerID: r.CustomerID, Value: gate.Money{Minor: r.ValueMinor, Currency: r.Currency},
			Source: r.Source, PlacedAt: instant(r.PlacedAt), Hold: HoldState(r.Hold), PersonSays: r.PersonSays, Trouble: r.Trouble, DecisionID: r.DecisionID}
		if o.Buyer, err = openBuyer(s, r.OrderID, r.Buyer); err != nil {
			return nil, err
		}
		out[i].Order = o
		if !r.Explanation.Valid {
			continue
		}
		d := Decision{ID: r.DecisionID, MadeBy: MadeBy(r.MadeBy.String)}
		if err := json.Unmarshal([]byte(r.Explanation.String), &d.Decision); err != nil {
			return nil, fmt.Errorf("reading the decision of order %d: %w", r.OrderID, err)
		}
		out[i].Decision = &d
	}
	return out, nil
}

// Cursor is a place in a list ordered by time, newest first. The zero Cursor is the top.
type Cursor struct {
	Before time.Time
	ID     string
}

func (c Cursor) bounds() (int64, string) {
	if c.Before.IsZero() {
		return math.MaxInt64, ""
	}
	return millis(c.Before), c.ID
}

// DecisionsPage lists Decisions, newest first.
func (l *Ledger) DecisionsPage(ctx context.Context, hash string, c Cursor, count int) ([]Decision, error) {
	before, id := c.bounds()
	rows, err := l.read.DecisionsPage(ctx, queries.DecisionsPageParams{StoreHash: hash, Before: before, BeforeID: id, Count: int64(count)})
	if err != nil {
		return nil, err
	}
	out := make([]Decision, len(rows))
	for i, r := range rows {
		out[i], err = openDecision(queries.DecisionRow{ID: r.ID, Stage: r.Stage, CartID: r.CartID, OrderID: r.OrderID, CustomerID: r.CustomerID, Outcome: r.Outcome,
			Mode: r.Mode, MadeBy: r.MadeBy, Person: r.Person, Note: r.Note, PolicyVersion: r.PolicyVersion, Explanation: r.Explanation, MadeAt: r.MadeAt})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SessionsPage lists Sessions, newest first, without their links.
func (l *Ledger) SessionsPage(ctx context.Context, hash string, c Cursor, count int) ([]Session, error) {
	before, id := c.bounds()
	rows, err := l.read.SessionsPage(ctx, queries.SessionsPageParams{StoreHash: hash, Before: before, BeforeID: id, Count: int64(count)})
	out := make([]Session, len(rows))
	for i, r := range rows {
		out[i] = Session{ID: r.ID, Shop: hash, State: idv.State(r.State), Reason: r.Reason, CartID: r.CartID, OrderID: r.OrderID, CustomerID: r.CustomerID,
			StartedAt: instant(r.StartedAt), ChangedAt: instant(r.ChangedAt), Late: r.Late == 1, Trouble: r.Trouble}
	}
	return out, err
}

// Counts is a Shop's figures since a moment, each at most 10,001.
type Counts struct {
	Decisions map[string]int64 // "checkout/verify" …: stage and outcome of binding Decisions
	Sessions  map[idv.State]int64
	Holds     map[HoldState]int64 // of all time
}

// Counts counts for the overview.
func (l *Ledger) Counts(ctx context.Context, hash string, since time.Time) (Counts, error) {
	c := Counts{map[string]int64{}, map[idv.State]int64{}, map[HoldState]int64{}}
	ds, err := l.read.CountDecisions(ctx, queries.CountDecisionsParams{StoreHash: hash, Since: millis(since)})
	if err != nil {
		return c, err
	}
	for _, d := range ds {
		c.Decisions[d.Stage+"/"+d.Outcome] += d.N
	}
	ss, err := l.read.CountSessions(ctx, queries.CountSessionsParams{StoreHash: hash, Since: millis(since)})
	if err != nil {
		return c, err
	}
	for _, s := range ss {
		c.Sessions[idv.State(s.State)] += s.N
	}
	hs, err := l.read.CountHolds(ctx, hash)
	for _, h := range hs {
		c.Holds[HoldState(h.Hold)] += h.N
	}
	return c, err
}

// FindOrder parses what a person typed into the search box as an order number.
func FindOrder(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n > 0
}
