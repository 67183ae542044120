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
	Handed  bool // a mail that was handed over; what came of it is known only when it is done
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

// OrderWritebacks lists what was or is owed to an order, newest first, at most 50: of many, what waits, what is stuck and mails are among them.
// Order 0 stands for the team, whom only mails are owed to.
func (l *Ledger) OrderWritebacks(ctx context.Context, hash string, order int64) ([]StoredWriteback, error) {
	return l.subjectWritebacks(ctx, hash, order, 0)
}

// CustomerWritebacks lists what was or is owed to a customer, newest first, at most 50.
func (l *Ledger) CustomerWritebacks(ctx context.Context, hash string, customer int64) ([]StoredWriteback, error) {
	return l.subjectWritebacks(ctx, hash, customer, 1)
}

func (l *Ledger) subjectWritebacks(ctx context.Context, hash string, subject, ofCustomer int64) ([]StoredWriteback, error) {
	rows, err := l.read.SubjectWritebacks(ctx, queries.SubjectWritebacksParams{StoreHash: hash, Subject: subject, OfCustomer: ofCustomer})
	out := make([]StoredWriteback, len(rows))
	for i, r := range rows {
		out[i] = storedWriteback(queries.StuckWritebacksRow(r))
	}
	return out, err
}

func storedWriteback(r queries.StuckWritebacksRow) StoredWriteback {
	return StoredWriteback{r.ID, WritebackKind(r.Kind), r.Subject, r.Ref, r.State, r.Attempt, instant(r.DueAt), r.Reason, instant(r.MadeAt), instant(r.DoneAt), r.HandedAt != 0}
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

// StuckNotices lists the Shop's Notices that could not be handled, newest first, at most 50.
func (l *Ledger) StuckNotices(ctx context.Context, hash string) ([]StoredNotice, error) {
	rows, err := l.read.StuckNotices(ctx, hash)
	out := make([]StoredNotice, len(rows))
	for i, r := range rows {
		out[i] = StoredNotice{ID: r.ID, Scope: r.Scope, Subject: r.Subject, ReceivedAt: instant(r.ReceivedAt), Deliveries: r.Deliveries, State: r.State,
			Remark: r.Remark, HandledAt: instant(r.HandledAt)}
		_ = json.Unmarshal([]byte(r.Detail), &out[i].Detail) // it may be stuck for this very reason
	}
	return out, err
}

// OrderLine is an order with its latest Decision, for lists.
type OrderLine struct {
	Order
	Decision *Decision // nil when nothing was decided yet
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

// DecisionsPage lists Decisions of a stage ("": of both), newest first, without their Receipts.
func (l *Ledger) DecisionsPage(ctx context.Context, hash string, stage gate.Stage, c Cursor, count int) ([]Decision, error) {
	before, id := c.bounds()
	var rows []queries.DecisionsPageRow
	var err error
	if stage == "" {
		rows, err = l.read.DecisionsPage(ctx, queries.DecisionsPageParams{StoreHash: hash, Before: before, BeforeID: id, Count: int64(count)})
	} else {
		var some []queries.DecisionsPageByStageRow
		some, err = l.read.DecisionsPageByStage(ctx, queries.DecisionsPageByStageParams{StoreHash: hash, Stage: string(stage), Before: before, BeforeID: id, Count: int64(count)})
		for _, r := range some {
			rows = append(rows, queries.DecisionsPageRow(r))
		}
	}
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

// CountCap is where counting stops.
const CountCap = 10_000

// Counts is what of a Shop's wants somebody. Figures above CountCap mean "more".
type Counts struct {
	Reviews  int64               // Sessions that a person at the provider is looking at
	LatePass int64               // passes that came too late and whose order still waits
	Holds    map[HoldState]int64 // orders that are on our hold now, or on their way to or from it, since whenever
}

// OnHold is how many orders are on our hold, or on their way to or from it.
func (c Counts) OnHold() (n int64) {
	for _, k := range c.Holds {
		n += k
	}
	return n
}

// Counts counts for the overview; late passes of Sessions begun since then.
func (l *Ledger) Counts(ctx context.Context, hash string, since time.Time) (c Counts, err error) {
	if c.Reviews, err = l.read.CountInReview(ctx, hash); err != nil {
		return c, err
	}
	if c.LatePass, err = l.read.CountLatePasses(ctx, queries.CountLatePassesParams{StoreHash: hash, Since: millis(since)}); err != nil {
		return c, err
	}
	c.Holds, err = l.Holds(ctx, hash)
	return c, err
}

// Holds counts the orders that are on the Shop's hold now, or on their way to or from it, by where they stand. Once there are more than
// CountCap in all, the rest is not counted.
func (l *Ledger) Holds(ctx context.Context, hash string) (map[HoldState]int64, error) {
	rows, err := l.read.CountHolds(ctx, hash)
	out := map[HoldState]int64{}
	for _, h := range rows {
		out[HoldState(h.Hold)] += h.N
	}
	return out, err
}

// Found is how many orders somebody should look at. Figures above CountCap mean "more".
type Found struct {
	Leaked int64 // found already gone, unproven
	Moved  int64 // found moved off our hold by somebody in the Shop
}

// CountFound counts the orders that were found leaked or moved since then, and are so still.
func (l *Ledger) CountFound(ctx context.Context, hash string, since time.Time) (f Found, err error) {
	for hold, n := range map[HoldState]*int64{Leaked: &f.Leaked, Moved: &f.Moved} {
		if *n, err = l.read.CountAlarms(ctx, queries.CountAlarmsParams{StoreHash: hash, Hold: string(hold), Since: millis(since)}); err != nil {
			return Found{}, err
		}
	}
	return f, nil
}

// Stuck is how much work of a Shop waits for a person. Figures above CountCap mean "more".
type Stuck struct{ Notices, Writebacks int64 }

// CountStuck counts what of the Shop's work waits for a person.
func (l *Ledger) CountStuck(ctx context.Context, hash string) (Stuck, error) {
	r, err := l.read.CountStuck(ctx, hash)
	return Stuck(r), err
}

// Alarms is what needs somebody in the whole file.
type Alarms struct {
	StuckNotices    int64 `json:"stuck_notices"`
	StuckWritebacks int64 `json:"stuck_writebacks"`
	Leaked          int64 `json:"leaked"`
	Moved           int64 `json:"moved"`
}

// Alarms counts what needs somebody, over all Shops that are not uninstalled.
func (l *Ledger) Alarms(ctx context.Context) (Alarms, error) {
	r, err := l.read.Alarms(ctx)
	return Alarms(r), err
}

// ShopPending is what waits for one Shop. Figures above CountCap mean "more".
type ShopPending struct {
	Notices, Orders, Writebacks int64
	Oldest                      time.Time // since when the oldest Notice or Writeback waits; zero when none does
}

// ShopPending counts the Shop's own share of the work that is waiting: what other Shops have is not its business.
func (l *Ledger) ShopPending(ctx context.Context, hash string) (ShopPending, error) {
	r, err := l.read.ShopPendingWork(ctx, hash)
	oldest := r.OldestNotice
	if oldest == 0 || r.OldestWriteback != 0 && r.OldestWriteback < oldest {
		oldest = r.OldestWriteback
	}
	return ShopPending{r.Notices, r.Orders, r.Writebacks, instant(oldest)}, err
}

// NoticesSeen says when each webhook scope last came, among the Shop's newest 2,000 Notices.
func (l *Ledger) NoticesSeen(ctx context.Context, hash string) (map[string]time.Time, error) {
	rows, err := l.read.NoticesSeen(ctx, hash)
	out := map[string]time.Time{}
	for _, r := range rows {
		out[r.Scope] = instant(r.ReceivedAt)
	}
	return out, err
}

// FindOrder parses what a person typed into the search box as an order number.
func FindOrder(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n > 0
}
