package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"idgate/queries"
)

// EndpointRef names an endpoint with work.
type EndpointRef struct {
	Shop string
	ID   int64
}

// DueEndpoints lists the endpoints that are on, are not left alone just now, and have something to be posted.
func (l *Ledger) DueEndpoints(ctx context.Context, now time.Time) ([]EndpointRef, error) {
	rows, err := l.read.DueEndpoints(ctx, millis(now))
	out := make([]EndpointRef, len(rows))
	for i, r := range rows {
		out[i] = EndpointRef{r.StoreHash, r.ID}
	}
	return out, err
}

// Delivery is one event on its way to one endpoint, leased.
type Delivery struct {
	ID       int64
	Shop     string
	Endpoint int64
	EventID  string // webhook-id
	Type     EventType
	Payload  []byte // as it is posted
	Tries    int64  // with this one, since it was owed or last asked for again
	attempt  int64
	until    int64
}

// LeaseDeliveries takes up to count of an endpoint's due deliveries.
func (l *Ledger) LeaseDeliveries(ctx context.Context, ref EndpointRef, now, until time.Time, count int) (out []Delivery, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		rows, err := t.LeaseDeliveries(ctx, queries.LeaseDeliveriesParams{StoreHash: ref.Shop, EndpointID: ref.ID, Now: millis(now), LeaseUntil: millis(until), Count: int64(count)})
		if err != nil {
			return err
		}
		for _, r := range rows {
			e, err := t.DeliveryEvent(ctx, r.EventID)
			if err != nil {
				return err
			}
			out = append(out, Delivery{ID: r.ID, Shop: r.StoreHash, Endpoint: r.EndpointID, EventID: e.Name, Type: EventType(e.Type), Payload: []byte(e.Payload), Tries: r.Tries,
				attempt: r.Attempt, until: r.LeasedUntil})
		}
		return nil
	})
	return out, err
}

// Posted is how a try went.
type Posted struct {
	Status  int    // HTTP status; 0: no answer
	Excerpt string // how the answer began, printable
	Trouble string // why it failed, shown to a person; empty when it did not
	At      time.Time
	Took    time.Duration
}

// FinishDelivery ends a lease: the endpoint has it.
func (l *Ledger) FinishDelivery(ctx context.Context, d Delivery, p Posted, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		if err := t.EndpointWorked(ctx, queries.EndpointWorkedParams{StoreHash: d.Shop, ID: d.Endpoint}); err != nil {
			return err
		}
		return t.endDelivery(ctx, d, "done", p, now)
	})
}

func (t *tx) endDelivery(ctx context.Context, d Delivery, state string, p Posted, now time.Time) error {
	_, err := t.EndDelivery(ctx, queries.EndDeliveryParams{ID: d.ID, Attempt: d.attempt, LeasedUntil: d.until, State: state, Status: int64(p.Status), Excerpt: p.Excerpt,
		Trouble: p.Trouble, TriedAt: millis(p.At), Took: p.Took.Milliseconds(), Now: millis(now)})
	return err
}

// Failure says what follows from a failed try.
type Failure struct {
	Next  time.Time // when to try again; zero: not by itself any more
	Wait  time.Time // until then the endpoint is left alone
	Gone  bool      // it asked never to be posted to again
	Limit time.Duration
	Alarm bool // staff are told by mail when it is switched off
}

// FailDelivery ends a lease: the endpoint does not have it, as far as we know. The endpoint is switched off when it is gone, or when nothing
// but failure has come of it for Limit; it reports that. A ping says nothing about an endpoint.
func (l *Ledger) FailDelivery(ctx context.Context, d Delivery, p Posted, f Failure, now time.Time) (off string, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		off = ""
		if f.Next.IsZero() {
			if err := t.endDelivery(ctx, d, "failed", p, now); err != nil {
				return err
			}
		} else if _, err := t.PostponeDelivery(ctx, queries.PostponeDeliveryParams{ID: d.ID, Attempt: d.attempt, LeasedUntil: d.until, DueAt: millis(f.Next), Status: int64(p.Status),
			Excerpt: p.Excerpt, Trouble: p.Trouble, TriedAt: millis(p.At), Took: p.Took.Milliseconds()}); err != nil {
			return err
		}
		if d.Type == Ping && !f.Gone {
			return nil
		}
		r, err := found(t.EndpointFailed(ctx, queries.EndpointFailedParams{StoreHash: d.Shop, ID: d.Endpoint, Now: millis(now), WaitUntil: millis(f.Wait)}))
		if errors.Is(err, ErrNotFound) {
			return nil // removed meanwhile
		}
		if err != nil {
			return err
		}
		switch {
		case f.Gone:
			off = OffGone
		case now.Sub(instant(r.FailingSince)) >= f.Limit:
			off = OffFailing
		default:
			return nil
		}
		return t.switchOff(ctx, d, &off, f.Alarm, now)
	})
	return off, err
}

func (t *tx) switchOff(ctx context.Context, d Delivery, off *string, alarm bool, now time.Time) error {
	n, err := t.SwitchOffEndpoint(ctx, queries.SwitchOffEndpointParams{StoreHash: d.Shop, ID: d.Endpoint, Why: *off, Now: millis(now)})
	if err != nil {
		return err
	}
	if n == 0 {
		*off = "" // it is off, paused or removed
		return nil
	}
	if err := t.act(ctx, d.Shop, ActEndpointOff, strconv.FormatInt(d.Endpoint, 10), *off, now); err != nil {
		return err
	}
	if err := t.alarm(ctx, d.Shop, TroubleAlarm, fmt.Sprintf("endpoint/%d/%d", d.Endpoint, millis(now)), AlarmEndpoint, 0, now); err != nil || !alarm {
		return err
	}
	return oweOnce(ctx, t, d.Shop, Mail, 0, fmt.Sprintf("%s-%d#%d", MailEndpointOff, d.Endpoint, millis(now)), now)
}

// MailEndpointOff is the mail to staff about an endpoint that was switched off. Its Writeback is about no order: its subject is 0.
const MailEndpointOff = "endpoint_off"

// ResendDelivery makes one delivery due again, with the same event id, whether it was delivered or not. ErrNotFound when it waits already.
func (l *Ledger) ResendDelivery(ctx context.Context, hash string, endpoint, id int64, now time.Time) error {
	return l.changeEndpoint(ctx, hash, endpoint, ActEndpointResent, "", now, func(ctx context.Context, t *tx) (int64, error) {
		t.ring = append(t.ring, EventBell)
		if err := t.HurryEndpoint(ctx, queries.HurryEndpointParams{StoreHash: hash, ID: endpoint}); err != nil {
			return 0, err
		}
		return t.ResendDelivery(ctx, queries.ResendDeliveryParams{StoreHash: hash, EndpointID: endpoint, ID: id, DueAt: millis(first(now))})
	})
}

// ResendFailed makes the endpoint's failed deliveries due again, the oldest 1,000 at most, and returns how many.
func (l *Ledger) ResendFailed(ctx context.Context, hash string, endpoint int64, now time.Time) (n int64, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		t.ring = append(t.ring, EventBell)
		if err := t.HurryEndpoint(ctx, queries.HurryEndpointParams{StoreHash: hash, ID: endpoint}); err != nil {
			return err
		}
		if n, err = t.ResendFailed(ctx, queries.ResendFailedParams{StoreHash: hash, EndpointID: endpoint, Now: millis(now)}); err != nil || n == 0 {
			return err
		}
		return t.act(ctx, hash, ActEndpointResent, strconv.FormatInt(endpoint, 10), fmt.Sprintf("all that had failed (%d)", n), now)
	})
	return n, err
}

// first is when a delivery is due that a person asks for: before all that waits, which an endpoint that fails is asked for one by one.
func first(now time.Time) time.Time { return now.Add(-keepEvents) }

// StoredDelivery is a delivery as a person reads of it.
type StoredDelivery struct {
	ID      int64
	State   string // pending, done, failed or dropped
	EventID string
	Type    EventType
	Payload []byte // nil in lists
	Tries   int64
	DueAt   time.Time // the next try; zero unless pending
	Trying  bool      // just now
	Posted  Posted    // the last try; its At is zero before the first
	MadeAt  time.Time
	DoneAt  time.Time
}

// Deliveries lists an endpoint's deliveries below a number (0: from the top), newest first; only those that failed where asked.
func (l *Ledger) Deliveries(ctx context.Context, hash string, endpoint int64, failed bool, below int64, count int) ([]StoredDelivery, error) {
	if below <= 0 {
		below = math.MaxInt64
	}
	var rows []queries.DeliveryPageRow
	var err error
	if failed {
		var some []queries.FailedDeliveryPageRow
		some, err = l.read.FailedDeliveryPage(ctx, queries.FailedDeliveryPageParams{StoreHash: hash, EndpointID: endpoint, Below: below, Count: int64(count)})
		for _, r := range some {
			rows = append(rows, queries.DeliveryPageRow(r))
		}
	} else {
		rows, err = l.read.DeliveryPage(ctx, queries.DeliveryPageParams{StoreHash: hash, EndpointID: endpoint, Below: below, Count: int64(count)})
	}
	out := make([]StoredDelivery, len(rows))
	for i, r := range rows {
		out[i] = storedDelivery(r)
	}
	return out, err
}

func storedDelivery(r queries.DeliveryPageRow) StoredDelivery {
	return StoredDelivery{ID: r.ID, State: r.State, EventID: r.Name, Type: EventType(r.Type), Tries: r.Tries, DueAt: instant(r.DueAt), Trying: r.LeasedUntil != 0,
		Posted: Posted{Status: int(r.Status), Excerpt: r.Excerpt, Trouble: r.Trouble, At: instant(r.TriedAt), Took: time.Duration(r.Took) * time.Millisecond},
		MadeAt: instant(r.MadeAt), DoneAt: instant(r.DoneAt)}
}

// Delivery returns one delivery to an endpoint of the Shop, with what is posted.
func (l *Ledger) Delivery(ctx context.Context, hash string, endpoint, id int64) (StoredDelivery, error) {
	r, err := found(l.read.Delivery(ctx, queries.DeliveryParams{StoreHash: hash, EndpointID: endpoint, ID: id}))
	if err != nil {
		return StoredDelivery{}, err
	}
	out := storedDelivery(queries.DeliveryPageRow{ID: r.ID, State: r.State, Tries: r.Tries, DueAt: r.DueAt, LeasedUntil: r.LeasedUntil, Status: r.Status, Excerpt: r.Excerpt, Trouble: r.Trouble,
		TriedAt: r.TriedAt, Took: r.Took, MadeAt: r.MadeAt, DoneAt: r.DoneAt, Name: r.Name, Type: r.Type})
	out.Payload = []byte(r.Payload)
	return out, nil
}

// DeliveryCounts counts what waits for an endpoint and what was given up on, each up to 1,001.
func (l *Ledger) DeliveryCounts(ctx context.Context, hash string, endpoint int64) (waiting, failed int64, err error) {
	r, err := l.read.DeliveryCounts(ctx, queries.DeliveryCountsParams{StoreHash: hash, EndpointID: endpoint})
	return r.Waiting, r.Failed, err
}
