package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"idgate/queries"
)

// NewNotice is one inbound webhook, authenticated.
type NewNotice struct {
	Shop    string
	EventAt time.Time // BigCommerce's created_at
	Hash    string    // BigCommerce's payload hash
	Scope   string
	Subject string // id of the order, customer or cart
	Detail  Detail
}

// Detail is the little else that we read of a webhook.
type Detail struct {
	OrderID   int64 `json:"order,omitempty"`    // of store/cart/converted
	NewStatus int   `json:"status,omitempty"`   // of store/order/statusUpdated
	OldStatus int   `json:"previous,omitempty"` // likewise
}

// Notice is a stored Notice, leased.
type Notice struct {
	ID         int64
	Shop       string
	Scope      string
	Subject    string
	Detail     Detail
	ReceivedAt time.Time
	EventAt    time.Time // BigCommerce's created_at
	Attempt    int64
	until      int64
}

// RecordNotice stores a Notice; when it returns nil the sender may be told 2xx. A repeated one is counted and has no effect: it reports false.
func (l *Ledger) RecordNotice(ctx context.Context, n NewNotice, now time.Time) (first bool, err error) {
	detail, err := json.Marshal(n.Detail)
	if err != nil {
		return false, err
	}
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		deliveries, err := t.AddNotice(ctx, queries.AddNoticeParams{StoreHash: n.Shop, EventAt: millis(n.EventAt), EventHash: n.Hash, Scope: n.Scope,
			Subject: n.Subject, Detail: string(detail), Now: millis(now), Urgency: noticeUrgency(n.Scope)})
		if first = deliveries == 1; first {
			t.ring = append(t.ring, NoticeBell)
		}
		return err
	})
	return first, err
}

// noticeUrgency puts what an order may wait for before the rest: 0 before 1.
func noticeUrgency(scope string) int64 {
	if strings.HasPrefix(scope, "store/order/") || strings.HasPrefix(scope, "store/cart/") {
		return 0
	}
	return 1
}

// LeaseNotices takes up to count of a Shop's due Notices, those about orders and carts first.
func (l *Ledger) LeaseNotices(ctx context.Context, hash string, now, until time.Time, count int) (out []Notice, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		var rows []queries.LeaseNoticesRow
		for _, urgency := range []int64{0, 1} {
			more, err := t.LeaseNotices(ctx, queries.LeaseNoticesParams{StoreHash: hash, Urgency: urgency, Now: millis(now), LeaseUntil: millis(until), Count: int64(count - len(rows))})
			if err != nil {
				return err
			}
			rows = append(rows, more...)
		}
		for _, r := range rows {
			n := Notice{ID: r.ID, Shop: r.StoreHash, Scope: r.Scope, Subject: r.Subject, ReceivedAt: instant(r.ReceivedAt), EventAt: instant(r.EventAt), Attempt: r.Attempt, until: r.DueAt}
			if err := json.Unmarshal([]byte(r.Detail), &n.Detail); err != nil {
				// It must not keep its neighbours from being handled.
				reason := fmt.Sprintf("its stored detail cannot be read (%v); the sweep finds what it was about", err)
				if err := t.stickNotice(ctx, n, reason, now); err != nil {
					return err
				}
				continue
			}
			out = append(out, n)
		}
		return nil
	})
	return out, err
}

// FinishNotice ends a lease: handled, with what came of it. Orders named are made due in the same transaction; what is allowed and not on our
// hold waits behind the others.
func (l *Ledger) FinishNotice(ctx context.Context, n Notice, remark string, dueOrders []int64, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		k, err := t.FinishNotice(ctx, queries.FinishNoticeParams{ID: n.ID, Attempt: n.Attempt, LeasedUntil: n.until, Remark: remark, Now: millis(now)})
		if err != nil || k == 0 {
			return err
		}
		for _, id := range dueOrders {
			if err := t.DueOrderTold(ctx, queries.DueOrderToldParams{StoreHash: n.Shop, OrderID: id, Now: millis(now), DueAt: millis(now)}); err != nil {
				return err
			}
			t.ring = append(t.ring, OrderBell)
		}
		return nil
	})
}

// PostponeNotice ends a lease: it is tried again at dueAt.
func (l *Ledger) PostponeNotice(ctx context.Context, n Notice, dueAt time.Time, remark string) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.PostponeNotice(ctx, queries.PostponeNoticeParams{ID: n.ID, Attempt: n.Attempt, LeasedUntil: n.until, DueAt: millis(dueAt), Remark: remark})
		return err
	})
}

// StickNotice ends a lease: it cannot be handled, and a person is told why.
func (l *Ledger) StickNotice(ctx context.Context, n Notice, reason string, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		return t.stickNotice(ctx, n, reason, now)
	})
}

func (t *tx) stickNotice(ctx context.Context, n Notice, reason string, now time.Time) error {
	k, err := t.StickNotice(ctx, queries.StickNoticeParams{ID: n.ID, Attempt: n.Attempt, LeasedUntil: n.until, Remark: reason, Now: millis(now)})
	if err != nil || k == 0 {
		return err
	}
	return t.alarm(ctx, n.Shop, TroubleAlarm, fmt.Sprintf("notice/%d/%d/%d", n.ID, n.Attempt, millis(now)), AlarmNotice, 0, now)
}

// WritebackKind names an outside change that we owe.
type WritebackKind string

// Urgencies lists the urgencies of Writebacks, the most urgent first.
func Urgencies() []int64 { return []int64{0, 1, 2} }

// The kinds. The first five change an order's status or staff notes; the rest write what others may read.
const (
	Hold               WritebackKind = "hold"
	Release            WritebackKind = "release"
	Cancel             WritebackKind = "cancel"
	Note               WritebackKind = "note"
	CancelNote         WritebackKind = "cancel_note"
	DecisionMetafield  WritebackKind = "decision_metafield"
	CustomerAttributes WritebackKind = "customer_attributes"
	CustomerFieldsV2   WritebackKind = "customer_fields_v2"
	ProofMetafield     WritebackKind = "proof_metafield"
	Mail               WritebackKind = "mail"
)

// urgency orders kinds: holds and releases before what informs, before housekeeping.
func (k WritebackKind) urgency() int64 {
	switch k {
	case Hold, Release, Cancel:
		return 0
	case DecisionMetafield, CustomerAttributes, CustomerFieldsV2, ProofMetafield:
		return 1
	case Note, CancelNote, Mail:
		return 2
	}
	return 2
}

// Writeback is one outside change we owe, leased.
type Writeback struct {
	ID      int64
	Shop    string
	Kind    WritebackKind
	Subject int64  // order or customer id
	Ref     string // Decision or Proof id
	Attempt int64
	Handed  bool // a mail that was about to be handed over before: what came of that is not known
	until   int64
}

// owe stores a Writeback; the key names the effect, so that owing it twice is owing it once. One that was done or dropped is owed anew.
func owe(ctx context.Context, t *tx, hash string, kind WritebackKind, subject int64, ref string, now time.Time) error {
	t.ring = append(t.ring, WritebackBell)
	return t.Owe(ctx, queries.OweParams{StoreHash: hash, Key: fmt.Sprintf("%s/%d/%s", kind, subject, ref), Kind: string(kind), Subject: subject,
		Ref: ref, Urgency: kind.urgency(), Now: millis(now)})
}

// oweOnce stores a Writeback whose effect is wanted once and never again, such as a mail.
func oweOnce(ctx context.Context, t *tx, hash string, kind WritebackKind, subject int64, ref string, now time.Time) error {
	t.ring = append(t.ring, WritebackBell)
	return t.OweOnce(ctx, queries.OweOnceParams{StoreHash: hash, Key: fmt.Sprintf("%s/%d/%s", kind, subject, ref), Kind: string(kind), Subject: subject,
		Ref: ref, Urgency: kind.urgency(), Now: millis(now)})
}

// HandOver records that a mail is about to be handed over. ErrLeaseLost when the lease is not ours any more.
func (l *Ledger) HandOver(ctx context.Context, w Writeback, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.HandOverWriteback(ctx, queries.HandOverWritebackParams{ID: w.ID, Attempt: w.Attempt, LeasedUntil: w.until, Now: millis(now)})
		if err == nil && n == 0 {
			err = ErrLeaseLost
		}
		return err
	})
}

// TakeBack records that nothing of the mail was taken after all.
func (l *Ledger) TakeBack(ctx context.Context, w Writeback) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.TakeBackWriteback(ctx, queries.TakeBackWritebackParams{ID: w.ID, Attempt: w.Attempt, LeasedUntil: w.until})
		return err
	})
}

// ReplayNotice makes a handled or stuck Notice due once more. What it causes is looked for before it is done: nothing is done twice.
// ErrNotFound when the Shop has no such Notice, or it waits already.
func (l *Ledger) ReplayNotice(ctx context.Context, hash string, id int64, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.ReplayNotice(ctx, queries.ReplayNoticeParams{StoreHash: hash, ID: id, Now: millis(now)})
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		t.ring = append(t.ring, NoticeBell)
		return err
	})
}

// ReplayNotices makes every Notice received since then due once more, the newest 10,000 at most, and returns how many.
func (l *Ledger) ReplayNotices(ctx context.Context, hash string, since, now time.Time) (replayed int64, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		replayed, err = t.ReplayNotices(ctx, queries.ReplayNoticesParams{StoreHash: hash, Since: millis(since), Now: millis(now)})
		t.ring = append(t.ring, NoticeBell)
		return err
	})
	return replayed, err
}

// LeaseWritebacks takes up to count of a Shop's due Writebacks of one urgency.
func (l *Ledger) LeaseWritebacks(ctx context.Context, hash string, urgency int64, now, until time.Time, count int) (out []Writeback, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		rows, err := t.LeaseWritebacks(ctx, queries.LeaseWritebacksParams{StoreHash: hash, Urgency: urgency, Now: millis(now), LeaseUntil: millis(until), Count: int64(count)})
		for _, r := range rows {
			out = append(out, Writeback{r.ID, r.StoreHash, WritebackKind(r.Kind), r.Subject, r.Ref, r.Attempt, r.HandedAt != 0, r.DueAt})
		}
		return err
	})
	return out, err
}

// FinishWriteback ends a lease: the effect was read back.
func (l *Ledger) FinishWriteback(ctx context.Context, w Writeback, remark string, now time.Time) error {
	return l.endWriteback(ctx, w, "done", remark, now)
}

// StickWriteback ends a lease: it will not work by itself, and a person is told the remedy.
func (l *Ledger) StickWriteback(ctx context.Context, w Writeback, reason string, now time.Time) error {
	return l.endWriteback(ctx, w, "stuck", reason, now)
}

// DropWriteback ends a lease: the effect is no longer owed.
func (l *Ledger) DropWriteback(ctx context.Context, w Writeback, reason string, now time.Time) error {
	return l.endWriteback(ctx, w, "dropped", reason, now)
}

func (l *Ledger) endWriteback(ctx context.Context, w Writeback, state, reason string, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.FinishWriteback(ctx, queries.FinishWritebackParams{ID: w.ID, Attempt: w.Attempt, LeasedUntil: w.until, State: state, Reason: reason, Now: millis(now)})
		if err != nil || n == 0 || state != "stuck" {
			return err
		}
		return t.alarmStuck(ctx, w, now)
	})
}

// PostponeWriteback ends a lease: it is tried again at dueAt.
func (l *Ledger) PostponeWriteback(ctx context.Context, w Writeback, dueAt time.Time, reason string) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.PostponeWriteback(ctx, queries.PostponeWritebackParams{ID: w.ID, Attempt: w.Attempt, LeasedUntil: w.until, DueAt: millis(dueAt), Reason: reason})
		return err
	})
}

// RetryWriteback makes a stuck Writeback due again. ErrNotFound when there is no such stuck one in the Shop.
func (l *Ledger) RetryWriteback(ctx context.Context, hash string, id int64, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.RetryWriteback(ctx, queries.RetryWritebackParams{ID: id, StoreHash: hash, Now: millis(now)})
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		t.ring = append(t.ring, WritebackBell)
		return err
	})
}

// Due lists the Shops that have work of the bell's kind due now; ShopBell, EventBell and StaffBell have none.
func (l *Ledger) Due(ctx context.Context, b Bell, now time.Time) ([]string, error) {
	switch b {
	case NoticeBell:
		return l.read.ShopsWithDueNotices(ctx, millis(now))
	case OrderBell:
		return l.read.ShopsWithDueOrders(ctx, millis(now))
	case SessionBell:
		return l.read.ShopsWithDueSessions(ctx, millis(now))
	case WritebackBell:
		return l.read.ShopsWithDueWritebacks(ctx, millis(now))
	case ShopBell, EventBell, StaffBell: // see DueEndpoints and DueStaff
	}
	return nil, nil
}

// Resume makes all that waits due now, and what was to come at a time of a clock that has been set back. It is called before anybody
// works, when whoever held the leases is dead, and after the clock was set back: a lease taken from a living holder is only lost.
func (l *Ledger) Resume(ctx context.Context, now time.Time) error {
	err := l.resume(ctx, now)
	for _, bell := range l.bells {
		select {
		case bell <- struct{}{}:
		default:
		}
	}
	return err
}

func (l *Ledger) resume(ctx context.Context, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		if n, err := t.ResumeShops(ctx, millis(now)); err != nil {
			return fmt.Errorf("resuming the shops: %w", err)
		} else if n > 0 {
			for hash := range *l.shops.Load() {
				t.reload = append(t.reload, hash)
			}
		}
		for _, q := range []func(context.Context, int64) (int64, error){t.ResumeNotices, t.ResumeOrders, t.ResumeSessions, t.ResumeWritebacks} {
			if _, err := q(ctx, millis(now)); err != nil {
				return fmt.Errorf("resuming what was under way: %w", err)
			}
		}
		latest := millis(now.Add(LongestDeliveryWait))
		if _, err := t.ResumeDeliveries(ctx, queries.ResumeDeliveriesParams{Now: millis(now), Latest: latest}); err != nil {
			return fmt.Errorf("resuming deliveries: %w", err)
		}
		if err := t.ResumeWaits(ctx, latest); err != nil {
			return fmt.Errorf("resuming deliveries: %w", err)
		}
		return nil
	})
}

// Pending counts what is still owed or waiting in the whole file.
type Pending struct{ Notices, Orders, Writebacks, Sessions, Deliveries int64 }

// Pending counts the work that is waiting.
func (l *Ledger) Pending(ctx context.Context) (Pending, error) {
	r, err := l.read.PendingWork(ctx)
	return Pending{r.Notices, r.Orders, r.Writebacks, r.Sessions, r.Deliveries}, err
}
