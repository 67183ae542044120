package ledger

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"idgate/app/gate"
	"idgate/queries"
)

// HoldState is where an order stands with our Hold.
type HoldState string

// The hold states. Moved: somebody in the Shop took it off our hold by hand. Leaked: it was found already gone, unproven.
const (
	NotHeld   HoldState = "none"
	Holding   HoldState = "holding"
	Held      HoldState = "held"
	Releasing HoldState = "releasing"
	Released  HoldState = "released"
	Refused   HoldState = "refused"
	Moved     HoldState = "moved"
	Leaked    HoldState = "leaked"
)

// Buyer is whom an order names, for people to read.
type Buyer struct {
	Name    string `json:"name"`
	Mailbox string `json:"mailbox"`
}

// Order is an order as the gate last saw it.
type Order struct {
	ID           int64
	StatusID     int
	CustomerID   int64
	CartID       string
	Mailbox      string // keyed hash
	Buyer        Buyer
	Value        gate.Money
	Source       string
	PlacedAt     time.Time
	ModifiedAt   time.Time
	SeenAt       time.Time
	Hold         HoldState
	FormerStatus int
	HoldStatus   int
	HeldAt       time.Time
	DecisionID   string
	FactsDigest  []byte
	PersonSays   string // "", "release" or "refuse"
	Link         []byte // id of the mail Capability of its verification link
	DueAt        time.Time
	Attempt      int64
	Trouble      string
}

// OrderLease is an order that is being evaluated by its holder alone.
type OrderLease struct {
	Shop    string
	OrderID int64
	Attempt int64
	lease   int64
}

// DueOrder makes an order due for evaluation. It may be repeated; ten webhooks for one order become one evaluation.
func (l *Ledger) DueOrder(ctx context.Context, hash string, orderID int64, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		t.ring = append(t.ring, OrderBell)
		return t.DueOrder(ctx, queries.DueOrderParams{StoreHash: hash, OrderID: orderID, Now: millis(now), DueAt: millis(now)})
	})
}

// Swept is one order that a sweep found.
type Swept struct {
	OrderID    int64
	StatusID   int
	ModifiedAt time.Time
}

// DueSwept makes those orders due that we do not know as the sweep found them, and returns how many.
func (l *Ledger) DueSwept(ctx context.Context, hash string, found []Swept, now time.Time) (due int, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		for _, o := range found {
			n, err := t.DueOrderIfChanged(ctx, queries.DueOrderIfChangedParams{StoreHash: hash, OrderID: o.OrderID, Now: millis(now), DueAt: millis(now),
				ModifiedAt: millis(o.ModifiedAt), StatusID: int64(o.StatusID)})
			if err != nil {
				return err
			}
			due += int(n)
		}
		if due > 0 {
			t.ring = append(t.ring, OrderBell)
		}
		return nil
	})
	return due, err
}

// LeaseOrders takes up to count of a Shop's due orders.
func (l *Ledger) LeaseOrders(ctx context.Context, hash string, now, until time.Time, count int) (out []OrderLease, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		rows, err := t.LeaseOrders(ctx, queries.LeaseOrdersParams{StoreHash: hash, Now: millis(now), LeaseUntil: millis(until), Count: int64(count)})
		for _, r := range rows {
			out = append(out, OrderLease{r.StoreHash, r.OrderID, r.Attempt, r.Lease})
		}
		return err
	})
	return out, err
}

// PostponeOrder ends a lease without an answer: BigCommerce could not be asked.
func (l *Ledger) PostponeOrder(ctx context.Context, o OrderLease, dueAt time.Time, trouble string) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.PostponeOrder(ctx, queries.PostponeOrderParams{StoreHash: o.Shop, OrderID: o.OrderID, DueAt: millis(dueAt), Lease: o.lease, Trouble: trouble})
		return err
	})
}

// ForgetOrder ends a lease for good: BigCommerce has no such order. A later Notice makes it due again.
func (l *Ledger) ForgetOrder(ctx context.Context, o OrderLease, why string) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.ForgetOrder(ctx, queries.ForgetOrderParams{StoreHash: o.Shop, OrderID: o.OrderID, Lease: o.lease, Trouble: why})
		return err
	})
}

// Settlement ends a lease with what was found and decided, and owes what follows, in one transaction.
type Settlement struct {
	Order    Order        // the snapshot and the new hold state; its DecisionID and Link are kept unless Decision or Grant says otherwise
	Decision *NewDecision // nil when nothing had to be decided again
	Grant    *Capability  // a verification link to make for this order
	Owe      []WritebackKind
	Drop     []WritebackKind // no longer owed
}

// SettleOrder stores a Settlement. If something made the order due again meanwhile it stays due. When the lease is no longer ours,
// nothing is stored: ErrLeaseLost.
func (l *Ledger) SettleOrder(ctx context.Context, s *Shop, lease OrderLease, n Settlement, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		o := n.Order
		if n.Decision != nil {
			id, err := l.addDecision(ctx, t, s, *n.Decision, now)
			if err != nil {
				return err
			}
			o.DecisionID, o.FactsDigest = id, s.FactsDigest(n.Decision.Facts.Canonical())
		}
		if n.Grant != nil {
			if err := addCapability(ctx, t, n.Grant, now); err != nil {
				return err
			}
			o.Link = n.Grant.ID
		}
		if err := l.finishOrder(ctx, t, s, o, lease.lease); err != nil {
			return err
		}
		for _, k := range n.Drop {
			err := t.DropWritebacks(ctx, queries.DropWritebacksParams{StoreHash: s.Hash, Subject: o.ID, Kind: string(k), Now: millis(now), Reason: "no longer needed"})
			if err != nil {
				return err
			}
		}
		for _, k := range n.Owe {
			if err := owe(ctx, t, s.Hash, k, o.ID, o.DecisionID, now); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *Ledger) finishOrder(ctx context.Context, t *tx, s *Shop, o Order, lease int64) error {
	plain, err := json.Marshal(o.Buyer)
	if err != nil {
		return err
	}
	buyer, err := s.key.Seal("buyer", strconv.FormatInt(o.ID, 10), plain)
	if err != nil {
		return err
	}
	if o.Link == nil {
		o.Link = []byte{}
	}
	if o.FactsDigest == nil {
		o.FactsDigest = []byte{}
	}
	n, err := t.FinishOrder(ctx, queries.FinishOrderParams{StoreHash: s.Hash, OrderID: o.ID, StatusID: int64(o.StatusID), CustomerID: o.CustomerID,
		CartID: o.CartID, Mailbox: unhex(o.Mailbox), Buyer: buyer, ValueMinor: o.Value.Minor, Currency: o.Value.Currency, Source: o.Source,
		PlacedAt: millis(o.PlacedAt), ModifiedAt: millis(o.ModifiedAt), Hold: string(o.Hold), FormerStatus: int64(o.FormerStatus),
		HoldStatus: int64(o.HoldStatus), HeldAt: millis(o.HeldAt), DecisionID: o.DecisionID, FactsDigest: o.FactsDigest, Link: o.Link,
		PersonSays: o.PersonSays, Lease: lease})
	if err == nil && n == 0 {
		err = fmt.Errorf("settling order %d: %w", o.ID, ErrLeaseLost)
	}
	return err
}

// Order returns one order of the Shop.
func (l *Ledger) Order(ctx context.Context, s *Shop, id int64) (Order, error) {
	r, err := found(l.read.Order(ctx, queries.OrderParams{StoreHash: s.Hash, OrderID: id}))
	if err != nil {
		return Order{}, err
	}
	return openOrder(s, r)
}

func openOrder(s *Shop, r queries.Order) (Order, error) {
	o := Order{ID: r.OrderID, StatusID: int(r.StatusID), CustomerID: r.CustomerID, CartID: r.CartID, Mailbox: hex.EncodeToString(r.Mailbox),
		Value: gate.Money{Minor: r.ValueMinor, Currency: r.Currency}, Source: r.Source, PlacedAt: instant(r.PlacedAt), ModifiedAt: instant(r.ModifiedAt),
		SeenAt: instant(r.SeenAt), Hold: HoldState(r.Hold), FormerStatus: int(r.FormerStatus), HoldStatus: int(r.HoldStatus), HeldAt: instant(r.HeldAt),
		DecisionID: r.DecisionID, FactsDigest: r.FactsDigest, PersonSays: r.PersonSays, Link: r.Link, DueAt: instant(r.DueAt), Attempt: r.Attempt, Trouble: r.Trouble}
	var err error
	o.Buyer, err = openBuyer(s, r.OrderID, r.Buyer)
	return o, err
}

func openBuyer(s *Shop, orderID int64, sealed []byte) (Buyer, error) {
	if len(sealed) == 0 {
		return Buyer{}, nil
	}
	plain, err := s.key.Open("buyer", strconv.FormatInt(orderID, 10), sealed)
	if err != nil {
		return Buyer{}, fmt.Errorf("opening order %d: %w", orderID, err)
	}
	var b Buyer
	err = json.Unmarshal(plain, &b)
	return b, err
}

// ConfirmHold records what a hold or release was read back as. It changes nothing when the order has moved on from was.
func (l *Ledger) ConfirmHold(ctx context.Context, hash string, orderID int64, was, is HoldState, status int, now time.Time) error {
	held := int64(0)
	if is == Held {
		held = millis(now)
	}
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.SetOrderHold(ctx, queries.SetOrderHoldParams{StoreHash: hash, OrderID: orderID, Was: string(was), Hold: string(is), StatusID: int64(status), HeldAt: held, Now: millis(now)})
		return err
	})
}

// Override records a named person's word on an order on hold: it stands over the rules. ErrMoved when the order is no longer as it was.
func (l *Ledger) Override(ctx context.Context, s *Shop, o Order, release bool, n NewDecision, now time.Time) error {
	says, next, owed := "refuse", Refused, []WritebackKind{Note, DecisionMetafield}
	if o.Hold == Holding {
		next = Holding // the hold is still to be written; what is refused is not let go meanwhile
	}
	if release {
		says, next, owed = "release", Releasing, []WritebackKind{Release, DecisionMetafield}
	}
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		id, err := l.addDecision(ctx, t, s, n, now)
		if err != nil {
			return err
		}
		k, err := t.PersonSays(ctx, queries.PersonSaysParams{StoreHash: s.Hash, OrderID: o.ID, Was: string(o.Hold), Says: says, Hold: string(next), DecisionID: id, Now: millis(now)})
		if err != nil {
			return err
		}
		if k == 0 {
			return ErrMoved
		}
		for _, w := range owed {
			if err := owe(ctx, t, s.Hash, w, o.ID, id, now); err != nil {
				return err
			}
		}
		return nil
	})
}
