package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/queries"
)

// ReviewKind says why something waits for a person of the Shop.
type ReviewKind string

// The kinds. The first two are about a Session, the others about an order.
const (
	InReview   ReviewKind = "in_review"   // a person at the provider is looking at it
	LatePass   ReviewKind = "late"        // it passed after our deadline and made no Proof
	TriesSpent ReviewKind = "tries_spent" // the order is on hold and its buyer has no tries left
	NoWay      ReviewKind = "blocked"     // the order is on hold and no Proof would let it go
	WasLeaked  ReviewKind = "leaked"      // it was gone, unproven, when it was found
	WasMoved   ReviewKind = "moved"       // somebody in the Shop moved it off our hold
)

// ReviewKinds lists the kinds.
func ReviewKinds() []ReviewKind {
	return []ReviewKind{InReview, LatePass, TriesSpent, NoWay, WasLeaked, WasMoved}
}

// OfSession reports whether what waits is a Session; otherwise it is an order.
func (k ReviewKind) OfSession() bool { return k == InReview || k == LatePass }

// Review is something that waits for a person.
type Review struct {
	Kind    ReviewKind
	Subject string // a Session's id, or an order's number
	OrderID int64  // 0: it is about a cart
	CartID  string
	Since   time.Time
}

// ReviewPlace is a place in the queue; the zero place is its beginning.
type ReviewPlace struct {
	Since   time.Time
	Kind    ReviewKind
	Subject string
}

// ReviewsPage lists what waits after a place, the oldest first; kind "" is all.
func (l *Ledger) ReviewsPage(ctx context.Context, hash string, kind ReviewKind, after ReviewPlace, count int) ([]Review, error) {
	var rows []queries.ReviewsPageRow
	var err error
	if kind == "" {
		rows, err = l.read.ReviewsPage(ctx, queries.ReviewsPageParams{StoreHash: hash, Since: millis(after.Since), AfterKind: string(after.Kind), After: after.Subject, Count: int64(count)})
	} else {
		var some []queries.ReviewsPageByKindRow
		some, err = l.read.ReviewsPageByKind(ctx, queries.ReviewsPageByKindParams{StoreHash: hash, Kind: string(kind), Since: millis(after.Since), After: after.Subject, Count: int64(count)})
		for _, r := range some {
			rows = append(rows, queries.ReviewsPageRow(r))
		}
	}
	out := make([]Review, len(rows))
	for i, r := range rows {
		out[i] = Review{ReviewKind(r.Kind), r.Subject, r.OrderID, r.CartID, instant(r.Since)}
	}
	return out, err
}

// ReviewCap is where counting what waits stops.
const ReviewCap = 100

// CountReviews says how much waits for a person, ReviewCap at most.
func (l *Ledger) CountReviews(ctx context.Context, hash string) (int64, error) {
	return l.read.CountReviews(ctx, hash)
}

// Review returns one thing that waits, or ErrNotFound.
func (l *Ledger) Review(ctx context.Context, hash string, kind ReviewKind, subject string) (Review, error) {
	r, err := found(l.read.Review(ctx, queries.ReviewParams{StoreHash: hash, Kind: string(kind), Subject: subject}))
	return Review{ReviewKind(r.Kind), r.Subject, r.OrderID, r.CartID, instant(r.Since)}, err
}

func (t *tx) addReview(ctx context.Context, hash string, r Review, now time.Time) error {
	if r.OrderID != 0 {
		r.CartID = ""
	}
	err := t.AddReview(ctx, queries.AddReviewParams{StoreHash: hash, Kind: string(r.Kind), Subject: r.Subject, OrderID: r.OrderID, CartID: r.CartID, Since: millis(now)})
	if err != nil {
		return err
	}
	return t.alarmReview(ctx, hash, r.Kind, r.Subject, now)
}

// endReviews ends what waits about an order and about the cart it was, but for some kinds. Either may be none.
func (t *tx) endReviews(ctx context.Context, hash string, orderID int64, cartID string, keep ...ReviewKind) (int64, error) {
	if keep == nil {
		keep = []ReviewKind{}
	}
	kinds, err := json.Marshal(keep)
	if err != nil {
		return 0, err
	}
	n, err := t.EndReviewsOfOrder(ctx, queries.EndReviewsOfOrderParams{StoreHash: hash, OrderID: orderID, Keep: string(kinds)})
	if err != nil || cartID == "" {
		return n, err
	}
	m, err := t.EndReviewsOfCart(ctx, queries.EndReviewsOfCartParams{StoreHash: hash, CartID: cartID, Keep: string(kinds)})
	return n + m, err
}

// AcknowledgeReview records that a named person has seen something that nothing can be done about any more, and why it may rest: a leak,
// a hold that was moved, a late pass. ErrMoved when it waits no longer.
func (l *Ledger) AcknowledgeReview(ctx context.Context, hash string, kind ReviewKind, subject, why string, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		r, err := found(t.Review(ctx, queries.ReviewParams{StoreHash: hash, Kind: string(kind), Subject: subject}))
		if errors.Is(err, ErrNotFound) {
			return ErrMoved
		}
		if err != nil {
			return err
		}
		if _, err := t.EndReview(ctx, queries.EndReviewParams{StoreHash: hash, Kind: string(kind), Subject: subject}); err != nil {
			return err
		}
		about := r.CartID
		if r.OrderID != 0 {
			about = strconv.FormatInt(r.OrderID, 10)
		}
		return t.act(ctx, hash, ActAcknowledged, about, string(kind)+": "+why, now)
	})
}

// reviewSession brings what waits for a person up to a Session's change of state.
func (t *tx) reviewSession(ctx context.Context, hash string, n Session, m Move, now time.Time) error {
	if n.OrderID == 0 && n.CartID == "" {
		return nil
	}
	r := Review{Kind: InReview, Subject: n.ID, OrderID: n.OrderID, CartID: n.CartID}
	if m.State == idv.StateReview {
		return t.addReview(ctx, hash, r, now)
	}
	if n.State == idv.StateReview {
		if _, err := t.EndReview(ctx, queries.EndReviewParams{StoreHash: hash, Kind: string(InReview), Subject: n.ID}); err != nil {
			return err
		}
	}
	if m.Late {
		r.Kind = LatePass
		return t.addReview(ctx, hash, r, now)
	}
	if m.Tries == 0 || n.OrderID == 0 || !m.State.Final() {
		return nil
	}
	since, err := t.triesSince(ctx, hash, n.OrderID, m.TriesSince)
	if err != nil {
		return err
	}
	added, err := t.AddReviewIfSpent(ctx, queries.AddReviewIfSpentParams{StoreHash: hash, OrderID: n.OrderID, Since: since, Tries: int64(m.Tries), Now: millis(now)})
	if err != nil || added == 0 {
		return err
	}
	return t.alarmReview(ctx, hash, TriesSpent, strconv.FormatInt(n.OrderID, 10), now)
}

// triesSince is from when an order's tries count, in milliseconds: since then, or since its buyer was last asked again.
func (t *tx) triesSince(ctx context.Context, hash string, orderID int64, since time.Time) (int64, error) {
	a, err := t.AskedAgain(ctx, queries.AskedAgainParams{StoreHash: hash, OrderID: orderID})
	return max(millis(since), a.Latest), err
}

// AskedAgain says how often a person had an order's buyer asked again, and when last.
func (l *Ledger) AskedAgain(ctx context.Context, hash string, orderID int64) (times int64, last time.Time, err error) {
	a, err := l.read.AskedAgain(ctx, queries.AskedAgainParams{StoreHash: hash, OrderID: orderID})
	return a.Times, instant(a.Latest), err
}

// AskAgain owes an order's buyer another mail with a verification link, and gives them fresh tries: those of before count no longer.
// ErrMoved when the order is not waiting for a Proof, or its buyer was asked again since then.
func (l *Ledger) AskAgain(ctx context.Context, s *Shop, o Order, mail string, notSince time.Time, why string, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		a, err := t.AskedAgain(ctx, queries.AskedAgainParams{StoreHash: s.Hash, OrderID: o.ID})
		if err != nil {
			return err
		}
		is, err := found(t.Order(ctx, queries.OrderParams{StoreHash: s.Hash, OrderID: o.ID}))
		if err != nil {
			return err
		}
		if a.Latest > millis(notSince) || HoldState(is.Hold) != Held || is.PersonSays != "" {
			return ErrMoved
		}
		if err := oweOnce(ctx, t, s.Hash, Mail, o.ID, mail, now); err != nil {
			return err
		}
		if _, err := t.endReviews(ctx, s.Hash, o.ID, o.CartID, InReview, NoWay, WasLeaked, WasMoved); err != nil {
			return err
		}
		return t.act(ctx, s.Hash, ActOrderAskedAgain, strconv.FormatInt(o.ID, 10), why, now)
	})
}

// Request is a check that a named person demands of an order.
type Request struct {
	Require      gate.Requirement
	Hold         bool // the order does not ship before it is proved
	By, Why      string
	At           time.Time
	WithdrawnBy  string // it was taken back, and the order has still to be decided without it
	WithdrawnWhy string
}

// Request returns the check that a person demands of an order, or ErrNotFound.
func (l *Ledger) Request(ctx context.Context, hash string, orderID int64) (Request, error) {
	r, err := found(l.read.Request(ctx, queries.RequestParams{StoreHash: hash, OrderID: orderID}))
	if err != nil {
		return Request{}, err
	}
	out := Request{Hold: r.Hold == 1, By: r.Person, Why: r.Note, At: instant(r.MadeAt), WithdrawnBy: r.WithdrawnBy, WithdrawnWhy: r.WithdrawnWhy}
	return out, json.Unmarshal([]byte(r.Require), &out.Require)
}

// RequestCheck records that a named person demands a check of an order, which is decided anew at once. mails are owed with it. ErrMoved when
// the order has left, is over, or was refused.
func (l *Ledger) RequestCheck(ctx context.Context, s *Shop, orderID int64, r Request, mails []string, now time.Time) error {
	require, err := json.Marshal(r.Require)
	if err != nil {
		return err
	}
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.DemandCheck(ctx, queries.DemandCheckParams{StoreHash: s.Hash, OrderID: orderID, Now: millis(now)})
		if err == nil && n == 0 {
			err = ErrMoved
		}
		if err != nil {
			return err
		}
		err = t.AddRequest(ctx, queries.AddRequestParams{StoreHash: s.Hash, OrderID: orderID, Require: string(require), Hold: bit(r.Hold), Person: r.By, Note: r.Why, Now: millis(now)})
		if err != nil {
			return err
		}
		for _, which := range mails {
			if err := oweOnce(ctx, t, s.Hash, Mail, orderID, which, now); err != nil {
				return err
			}
		}
		t.ring = append(t.ring, OrderBell)
		t.actor = r.By
		return t.act(ctx, s.Hash, ActCheckRequested, strconv.FormatInt(orderID, 10), r.Why, now)
	})
}

// WithdrawRequest takes back, by a named person and for a reason, a check that one had demanded. The order is decided without it at once.
// ErrMoved when there is none any more.
func (l *Ledger) WithdrawRequest(ctx context.Context, hash string, orderID int64, by, why string, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.WithdrawRequest(ctx, queries.WithdrawRequestParams{StoreHash: hash, OrderID: orderID, Person: by, Note: why})
		if err == nil && n == 0 {
			err = ErrMoved
		}
		if err != nil {
			return err
		}
		if err := t.DueOrder(ctx, queries.DueOrderParams{StoreHash: hash, OrderID: orderID, Now: millis(now), DueAt: millis(now)}); err != nil {
			return err
		}
		t.ring = append(t.ring, OrderBell)
		t.actor = by
		return t.act(ctx, hash, ActRequestWithdrawn, strconv.FormatInt(orderID, 10), why, now)
	})
}

// Unsay takes back what a person said of an order, by a named person and for a reason: it stays on hold or is put there again, and is decided
// by the rules next. The hold that was last written over the order, or was to be, is taken up as another one. ErrMoved when the order is not as it was.
func (l *Ledger) Unsay(ctx context.Context, s *Shop, o Order, n NewDecision, mails []string, now time.Time) error {
	next := Holding // which looks before it writes: the release may have been written, or not
	held := int64(0)
	owed, gone := []WritebackKind{Hold, DecisionMetafield}, []WritebackKind{Release, Cancel}
	if o.Hold == Refused {
		next, held, owed, gone = Held, millis(o.HeldAt), []WritebackKind{DecisionMetafield}, []WritebackKind{Cancel}
	}
	holds := o.Holds
	if o.PersonSays == "release" {
		holds++
	}
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		id, err := l.addDecision(ctx, t, s, n, now)
		if err != nil {
			return err
		}
		k, err := t.UnsayOrder(ctx, queries.UnsayOrderParams{StoreHash: s.Hash, OrderID: o.ID, Says: o.PersonSays, Was: string(o.Hold), Former: int64(o.FormerStatus), Hold: string(next),
			Holds: int64(holds), HeldAt: held, DecisionID: id, DueAt: millis(now)})
		if err == nil && k == 0 {
			err = ErrMoved
		}
		if err != nil {
			return err
		}
		for _, w := range gone {
			if err := t.DropWritebacks(ctx, queries.DropWritebacksParams{StoreHash: s.Hash, Subject: o.ID, Kind: string(w), Now: millis(now), Reason: "a person took it back"}); err != nil {
				return err
			}
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
		t.ring = append(t.ring, OrderBell)
		t.actor = n.Person
		return t.act(ctx, s.Hash, ActOrderUndone, strconv.FormatInt(o.ID, 10), n.Note, now)
	})
}

// CartWord is the latest word of a person on a cart that was no order yet.
type CartWord struct {
	DecisionID string
	Outcome    gate.Outcome // allow or refuse; anything else: it was taken back
	By, Why    string
	Digest     []byte // what it was about: of anything else it says nothing
	At         time.Time
}

// CartWord returns the latest word of a person on a cart, or ErrNotFound.
func (l *Ledger) CartWord(ctx context.Context, hash, cartID string) (CartWord, error) {
	r, err := found(l.read.CartWord(ctx, queries.CartWordParams{StoreHash: hash, CartID: cartID}))
	return CartWord{r.ID, gate.Outcome(r.Outcome), r.Person, r.Note, r.FactsDigest, instant(r.MadeAt)}, err
}

// SayOfCart records a named person's word on a cart that is no order yet. It stands over the rules for as long as the cart stays what it is,
// and for the order that it becomes. ErrMoved when somebody has had the last word already.
func (l *Ledger) SayOfCart(ctx context.Context, s *Shop, n NewDecision, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		ended, err := t.endReviews(ctx, s.Hash, 0, n.Facts.CartID)
		if err == nil && ended == 0 {
			err = ErrMoved
		}
		if err != nil {
			return err
		}
		if _, err := l.addDecision(ctx, t, s, n, now); err != nil {
			return err
		}
		action := ActCartRefused
		if n.Decision.Outcome == gate.Allow {
			action = ActCartAllowed
		}
		t.actor = n.Person
		return t.act(ctx, s.Hash, action, n.Facts.CartID, n.Note, now)
	})
}

// UnsayCart takes back a person's word on a cart, as long as the cart has not become an order. word is the Decision that is taken back;
// ErrMoved when it is not the latest any more. A Session that is still in review waits for a person again.
func (l *Ledger) UnsayCart(ctx context.Context, s *Shop, word string, inReview []string, n NewDecision, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		r, err := found(t.CartWord(ctx, queries.CartWordParams{StoreHash: s.Hash, CartID: n.Facts.CartID}))
		if errors.Is(err, ErrNotFound) || err == nil && r.ID != word {
			return ErrMoved
		}
		if err != nil {
			return err
		}
		switch _, err := found(t.OrderOfCart(ctx, queries.OrderOfCartParams{StoreHash: s.Hash, CartID: n.Facts.CartID})); {
		case err == nil:
			return ErrMoved
		case !errors.Is(err, ErrNotFound):
			return err
		}
		if _, err := l.addDecision(ctx, t, s, n, now); err != nil {
			return err
		}
		for _, id := range inReview {
			if err := t.addReview(ctx, s.Hash, Review{Kind: InReview, Subject: id, CartID: n.Facts.CartID}, now); err != nil {
				return err
			}
		}
		t.actor = n.Person
		return t.act(ctx, s.Hash, ActCartUndone, n.Facts.CartID, n.Note, now)
	})
}

// Word is a Decision that a person made.
type Word struct {
	ID      string
	OrderID int64 // or
	CartID  string
	Outcome gate.Outcome
	By, Why string
	At      time.Time
	AtCart  bool // it was about a cart
}

// Words lists what people decided since then, newest first.
func (l *Ledger) Words(ctx context.Context, hash string, since time.Time, count int) ([]Word, error) {
	rows, err := l.read.PersonsDecisions(ctx, queries.PersonsDecisionsParams{StoreHash: hash, Since: millis(since), Count: int64(count)})
	out := make([]Word, len(rows))
	for i, r := range rows {
		out[i] = Word{r.ID, r.OrderID, r.CartID, gate.Outcome(r.Outcome), r.Person, r.Note, instant(r.MadeAt), gate.Stage(r.Stage) == gate.AtCheckout}
	}
	return out, err
}
