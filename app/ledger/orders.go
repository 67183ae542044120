package ledger

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
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

	Cancelling HoldState = "cancelling"
	Cancelled  HoldState = "cancelled"
)

// Ours reports whether the order is on our hold, or on its way to or from it.
func (h HoldState) Ours() bool {
	switch h {
	case Holding, Held, Releasing, Refused, Cancelling:
		return true
	case NotHeld, Released, Moved, Leaked, Cancelled:
	}
	return false
}

// Buyer is whom an order names, for people to read.
type Buyer struct {
	Name    string `json:"name"`
	Mailbox string `json:"mailbox"`
	Locale  string `json:"locale,omitempty"`  // the language of their mails, as BigCommerce names it
	Channel int64  `json:"channel,omitempty"` // the storefront that they bought from; 0: not known
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
	ShopValue    gate.Money // Value in the Shop's currency; zero when no rate is known
	Source       string
	Channel      int64 // BigCommerce's channel id; 0 unknown
	Digital      bool  // nothing ships: BigCommerce completes it at once
	PlacedAt     time.Time
	ModifiedAt   time.Time
	SeenAt       time.Time
	Hold         HoldState
	FormerStatus int
	HoldStatus   int
	HeldAt       time.Time
	Holds        int       // how often our hold began
	Reheld       int       // how often it was held again after somebody had moved it on
	Touched      bool      // somebody moved it off our hold: ours is not the last status written
	AlarmedAt    time.Time // when it was found leaked or moved
	CancelAt     time.Time // when it will be cancelled if nothing is proved
	CalledAt     time.Time // when the last call before that was announced
	Kept         bool      // a named person said that it is not to be cancelled
	WakeAt       time.Time // when time alone makes it due
	DecisionID   string
	Answer       string // what AnswerOf says of the latest Decision; "" before the first
	FactsDigest  []byte
	PersonSays   string    // "", "release" or "refuse"
	Link         []byte    // id of the mail Capability of its verification link
	ErasedAt     time.Time // its buyer was erased: the latest Decision stands
	DueAt        time.Time
	Again        bool // it is due behind what is new: only the Policy changed, or it was allowed before
	Attempt      int64
	Trouble      string
}

// Worth is the order's value in the Shop's currency where its rate is known, otherwise in its own.
func (o Order) Worth() gate.Money {
	if o.ShopValue.Currency != "" {
		return o.ShopValue
	}
	return o.Value
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

// DueSwept makes those orders due that we do not know as the sweep found them, and returns how many; what is allowed and not on our hold waits
// behind the others.
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

// patience is how long what waits behind other orders lets all of them pass.
const patience = 10 * time.Minute

// LeaseOrders takes up to count of a Shop's due orders: those that something happened to, or those that wait behind them because only the
// Policy changed or because they were allowed before (again). As long as there is no end to the former, one of the latter that has
// lost its patience is taken with each batch of more than one.
func (l *Ledger) LeaseOrders(ctx context.Context, hash string, again bool, now, until time.Time, count int) (out []OrderLease, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		take := func(again bool, due time.Time, count int) error {
			rows, err := t.LeaseOrders(ctx, queries.LeaseOrdersParams{StoreHash: hash, Urgency: bit(again), Now: millis(due), LeaseUntil: millis(until), Count: int64(count)})
			for _, r := range rows {
				out = append(out, OrderLease{r.StoreHash, r.OrderID, r.Attempt, r.Lease})
			}
			return err
		}
		if again || count < 2 {
			return take(again, now, count)
		}
		if err := take(false, now, count-1); err != nil || len(out) == 0 {
			return err
		}
		if err := take(true, now.Add(-patience), 1); err != nil || len(out) != count-1 {
			return err
		}
		return take(false, now, 1)
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
	Mails    []string        // mails owed, each once for this order
	Drop     []WritebackKind // no longer owed
	Alarm    bool            // a person in the Shop should know; for the log

	EndRequest bool         // a request that was taken back has had its effect
	Wait       ReviewKind   // what a person is to look at from now on; "": nothing new
	StillWait  []ReviewKind // what may go on waiting for a person; the rest is settled
}

// SettleOrder stores a Settlement. If something made the order due again meanwhile it stays due. When the lease is no longer ours,
// nothing is stored: ErrLeaseLost.
func (l *Ledger) SettleOrder(ctx context.Context, s *Shop, lease OrderLease, n Settlement, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		o := n.Order
		if n.Decision != nil {
			d := *n.Decision
			if !o.ErasedAt.IsZero() {
				d.Facts.Buyer, d.Facts.CartID = gate.Buyer{}, ""
			}
			id, err := l.addDecision(ctx, t, s, d, now)
			if err != nil {
				return err
			}
			o.DecisionID, o.FactsDigest, o.Answer = id, s.FactsDigest(d.Facts.Canonical()), AnswerOf(d.Decision)
		}
		if n.Grant != nil {
			if err := addCapability(ctx, t, n.Grant, now); err != nil {
				return err
			}
			o.Link = n.Grant.ID
		}
		before, err := found(t.Order(ctx, queries.OrderParams{StoreHash: s.Hash, OrderID: o.ID}))
		if err != nil && !errors.Is(err, ErrNotFound) { // a lease of no order is lost, and finishOrder says so
			return err
		}
		if err := l.finishOrder(ctx, t, s, o, lease.lease, now); err != nil {
			return err
		}
		if err := l.tellHold(ctx, t, s.Hash, o.ID, HoldState(before.Hold), o.Hold, now); err != nil {
			return err
		}
		if int64(o.Reheld) > before.Reheld {
			if err := t.alarm(ctx, s.Hash, OrderAlarm, fmt.Sprintf("%s/%d/%d", AlarmHeldAgain, o.ID, o.Holds), AlarmHeldAgain, o.ID, now); err != nil {
				return err
			}
		}
		if err := settleReviews(ctx, t, s.Hash, o, n, now); err != nil {
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
		for _, which := range n.Mails {
			if err := oweOnce(ctx, t, s.Hash, Mail, o.ID, which, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// settleReviews brings what waits for a person, and what one has demanded, up to a Settlement.
func settleReviews(ctx context.Context, t *tx, hash string, o Order, n Settlement, now time.Time) error {
	if n.EndRequest {
		if _, err := t.EndRequest(ctx, queries.EndRequestParams{StoreHash: hash, OrderID: o.ID}); err != nil {
			return err
		}
	}
	if _, err := t.endReviews(ctx, hash, o.ID, o.CartID, n.StillWait...); err != nil {
		return err
	}
	if n.Wait == "" {
		return nil
	}
	return t.addReview(ctx, hash, Review{Kind: n.Wait, Subject: strconv.FormatInt(o.ID, 10), OrderID: o.ID}, now)
}

func (l *Ledger) finishOrder(ctx context.Context, t *tx, s *Shop, o Order, lease int64, now time.Time) error {
	plain, err := json.Marshal(o.Buyer)
	if err != nil {
		return err
	}
	buyer, err := s.key.Seal("buyer", strconv.FormatInt(o.ID, 10), plain)
	if err != nil {
		return err
	}
	if !o.ErasedAt.IsZero() {
		buyer, o.Mailbox, o.CustomerID, o.CartID = []byte{}, "", 0, ""
	}
	if o.Link == nil {
		o.Link = []byte{}
	}
	if o.FactsDigest == nil {
		o.FactsDigest = []byte{}
	}
	was, err := found(t.Order(ctx, queries.OrderParams{StoreHash: s.Hash, OrderID: o.ID}))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	n, err := t.FinishOrder(ctx, queries.FinishOrderParams{StoreHash: s.Hash, OrderID: o.ID, StatusID: int64(o.StatusID), CustomerID: o.CustomerID,
		CartID: o.CartID, Mailbox: unhex(o.Mailbox), Buyer: buyer, ValueMinor: o.Value.Minor, Currency: o.Value.Currency, ShopMinor: o.ShopValue.Minor, ShopCurrency: o.ShopValue.Currency,
		Source: o.Source, Channel: o.Channel, Digital: bit(o.Digital),
		PlacedAt: millis(o.PlacedAt), ModifiedAt: millis(o.ModifiedAt), Hold: string(o.Hold), FormerStatus: int64(o.FormerStatus),
		HoldStatus: int64(o.HoldStatus), HeldAt: millis(o.HeldAt), Holds: int64(o.Holds), Reheld: int64(o.Reheld), Touched: bit(o.Touched),
		AlarmedAt: millis(o.AlarmedAt), CancelAt: millis(o.CancelAt), CalledAt: millis(o.CalledAt), Kept: bit(o.Kept), WakeAt: millis(o.WakeAt), DecisionID: o.DecisionID, Answer: o.Answer, FactsDigest: o.FactsDigest, Link: o.Link,
		PersonSays: o.PersonSays, Lease: lease})
	if err == nil && n == 0 {
		err = fmt.Errorf("settling order %d: %w", o.ID, ErrLeaseLost)
	}
	if err != nil {
		return err
	}
	return countHold(ctx, t, s.Hash, HoldState(was.Hold), o, now)
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
		DecisionID: r.DecisionID, FactsDigest: r.FactsDigest, PersonSays: r.PersonSays, Link: r.Link, DueAt: instant(r.DueAt), Attempt: r.Attempt, Trouble: r.Trouble,
		Digital: r.Digital == 1, Holds: int(r.Holds), Reheld: int(r.Reheld), Touched: r.Touched == 1, AlarmedAt: instant(r.AlarmedAt), CancelAt: instant(r.CancelAt),
		CalledAt: instant(r.CalledAt), Kept: r.Kept == 1, WakeAt: instant(r.WakeAt), ErasedAt: instant(r.ErasedAt), Again: r.Urgency == 1,
		ShopValue: gate.Money{Minor: r.ShopMinor, Currency: r.ShopCurrency}, Channel: r.Channel, Answer: r.Answer}
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
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		return l.confirmHold(ctx, t, hash, orderID, was, is, status, now)
	})
}

// UndoHold is ConfirmHold for a hold, release or cancellation that was not written after all: the order is looked at again.
func (l *Ledger) UndoHold(ctx context.Context, hash string, orderID int64, was, is HoldState, status int, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		if err := l.confirmHold(ctx, t, hash, orderID, was, is, status, now); err != nil {
			return err
		}
		t.ring = append(t.ring, OrderBell)
		return t.DueOrder(ctx, queries.DueOrderParams{StoreHash: hash, OrderID: orderID, Now: millis(now), DueAt: millis(now)})
	})
}

func (l *Ledger) confirmHold(ctx context.Context, t *tx, hash string, orderID int64, was, is HoldState, status int, now time.Time) error {
	held := int64(0)
	if is == Held {
		held = millis(now)
	}
	n, err := t.SetOrderHold(ctx, queries.SetOrderHoldParams{StoreHash: hash, OrderID: orderID, Was: string(was), Hold: string(is), StatusID: int64(status), HeldAt: held, Now: millis(now)})
	if err != nil || n == 0 {
		return err
	}
	switch is {
	case Released:
		r, err := found(t.Order(ctx, queries.OrderParams{StoreHash: hash, OrderID: orderID}))
		if err != nil {
			return err
		}
		err = countHold(ctx, t, hash, was, Order{Hold: is, Value: gate.Money{Minor: r.ValueMinor, Currency: r.Currency},
			ShopValue: gate.Money{Minor: r.ShopMinor, Currency: r.ShopCurrency}}, now)
		if err != nil {
			return err
		}
	case Moved:
		if err := t.addReview(ctx, hash, Review{Kind: WasMoved, Subject: strconv.FormatInt(orderID, 10), OrderID: orderID}, now); err != nil {
			return err
		}
	case NotHeld, Holding, Held, Releasing, Refused, Leaked, Cancelling, Cancelled:
	}
	return l.tellHold(ctx, t, hash, orderID, was, is, now)
}

// Override records a named person's word on an order on hold: it stands over the rules. ErrMoved when the order is no longer as it was.
func (l *Ledger) Override(ctx context.Context, s *Shop, o Order, release bool, n NewDecision, mails []string, now time.Time) error {
	says, next, owed := "refuse", Refused, []WritebackKind{Note, DecisionMetafield}
	if o.Hold == Holding {
		next = Holding // the hold is still to be written; what is refused is not let go meanwhile
	}
	if release {
		says, next, owed = "release", Releasing, []WritebackKind{Release, DecisionMetafield}
	}
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		is, err := found(t.Order(ctx, queries.OrderParams{StoreHash: s.Hash, OrderID: o.ID}))
		if err == nil && (is.PersonSays != o.PersonSays || is.PersonSays == says) {
			err = ErrMoved
		}
		if err != nil {
			return err
		}
		id, err := l.addDecision(ctx, t, s, n, now)
		if err != nil {
			return err
		}
		k, err := t.PersonSays(ctx, queries.PersonSaysParams{StoreHash: s.Hash, OrderID: o.ID, Was: string(o.Hold), Says: says, Hold: string(next), DecisionID: id,
			Answer: AnswerOf(n.Decision), Now: millis(now)})
		if err != nil {
			return err
		}
		if k == 0 {
			return ErrMoved
		}
		if err := l.tellHold(ctx, t, s.Hash, o.ID, o.Hold, next, now); err != nil {
			return err
		}
		if _, err := t.endReviews(ctx, s.Hash, o.ID, o.CartID); err != nil {
			return err
		}
		for _, w := range owed {
			if err := owe(ctx, t, s.Hash, w, o.ID, id, now); err != nil {
				return err
			}
		}
		for _, which := range mails {
			if err := oweOnce(ctx, t, s.Hash, Mail, o.ID, which, now); err != nil {
				return err
			}
		}
		t.actor = n.Person
		action := ActOrderRefused
		if release {
			action = ActOrderReleased
		}
		if err := t.act(ctx, s.Hash, action, strconv.FormatInt(o.ID, 10), n.Note, now); err != nil {
			return err
		}
		return t.DropWritebacks(ctx, queries.DropWritebacksParams{StoreHash: s.Hash, Subject: o.ID, Kind: string(Cancel), Now: millis(now), Reason: "a person decided"})
	})
}

// KeepOrder records a named person's word, and why, that an order on hold is not to be cancelled, or may be after all. ErrMoved when it is
// not on hold.
func (l *Ledger) KeepOrder(ctx context.Context, s *Shop, orderID int64, keep bool, why string, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.KeepOrder(ctx, queries.KeepOrderParams{StoreHash: s.Hash, OrderID: orderID, Kept: bit(keep), Now: millis(now)})
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrMoved
		}
		t.ring = append(t.ring, OrderBell)
		action := ActOrderUnkept
		if keep {
			action = ActOrderKept
		}
		if err := t.act(ctx, s.Hash, action, strconv.FormatInt(orderID, 10), why, now); err != nil {
			return err
		}
		return t.DropWritebacks(ctx, queries.DropWritebacksParams{StoreHash: s.Hash, Subject: orderID, Kind: string(Cancel), Now: millis(now), Reason: "a person keeps the order"})
	})
}

// DueWoken makes those of a Shop's orders due whose time has come, at most 500, and returns how many.
func (l *Ledger) DueWoken(ctx context.Context, hash string, now time.Time) (woken int64, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		woken, err = t.DueWokenOrders(ctx, queries.DueWokenOrdersParams{StoreHash: hash, Now: millis(now)})
		if woken > 0 {
			t.ring = append(t.ring, OrderBell)
		}
		return err
	})
	return woken, err
}

// TouchOrder records that somebody moved an order off our hold at eventAt, whatever status it shows by now.
func (l *Ledger) TouchOrder(ctx context.Context, hash string, orderID int64, oldStatus, newStatus int, eventAt time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.TouchOrder(ctx, queries.TouchOrderParams{StoreHash: hash, OrderID: orderID, OldStatus: int64(oldStatus), NewStatus: int64(newStatus), EventAt: millis(eventAt)})
		return err
	})
}

// HoldMark is what a hold's note carries, so that our own hold is known again should the ledger have lost it: only we can make one.
func (s *Shop) HoldMark(orderID int64, former int) string {
	m := hmac.New(sha256.New, s.key.Derive("hold mark"))
	fmt.Fprintf(m, "%s/%d/%d", s.Hash, orderID, former)
	return fmt.Sprintf("from %d %x", former, m.Sum(nil)[:8])
}
