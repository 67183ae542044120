package ledger

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"time"

	"idgate/queries"
)

// MaxEndpoints is how many a Shop may have.
const MaxEndpoints = 5

// OldSecretGood is for how long a secret that was replaced signs too.
const OldSecretGood = 24 * time.Hour

// LongestDeliveryWait is the longest that a delivery may have to wait for its next try: what waits for longer does so because the clock
// was set back.
const LongestDeliveryWait = 30 * time.Hour

// keepEvents is how long an event and how it was delivered can be read.
const keepEvents = 30 * 24 * time.Hour

// ErrTooManyEndpoints is returned when a Shop has MaxEndpoints already.
var ErrTooManyEndpoints = errors.New("the shop has as many endpoints as it may have")

// EndpointState says whether an endpoint is posted to.
type EndpointState string

// The states. Off: we switched it off, and a person switches it on again.
const (
	EndpointOn     EndpointState = "on"
	EndpointPaused EndpointState = "paused"
	EndpointOff    EndpointState = "off"
)

// Why an endpoint was switched off.
const (
	OffGone    = "gone"    // it answered 410
	OffFailing = "failing" // five days of nothing but failure
)

// EndpointSecret signs what is posted: whsec_ and base64 of 32 bytes. Printing it shows nothing; Reveal does.
type EndpointSecret struct{ key []byte }

func newEndpointSecret() EndpointSecret {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return EndpointSecret{b}
}

// Key is what signs.
func (s EndpointSecret) Key() []byte { return s.key }

// Reveal is the secret as its receiver is given it.
func (s EndpointSecret) Reveal() string { return "whsec_" + base64.StdEncoding.EncodeToString(s.key) }

// Format implements [fmt.Formatter] for every verb, so that no log can show it.
func (s EndpointSecret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("endpoint secret")) }

// LogValue implements [slog.LogValuer] to the same end.
func (s EndpointSecret) LogValue() slog.Value { return slog.StringValue("endpoint secret") }

// Endpoint is where a Shop wants to be told, and of what.
type Endpoint struct {
	ID           int64 // 1, 2, 3 … per Shop
	Shop         string
	URL          string
	Types        []EventType
	Note         string
	State        EndpointState
	Why          string // OffGone or OffFailing where State is EndpointOff
	OffAt        time.Time
	Unseen       bool // the secret has still to be shown
	Rotations    int64
	OldUntil     time.Time // until then the secret before signs too; zero: there is none
	FailingSince time.Time // first failure since the last success
	Failures     int64     // in a row
	WaitUntil    time.Time // it is left alone until then
	MadeAt       time.Time

	Secret EndpointSecret
	Old    EndpointSecret // none once OldUntil has passed
}

func parseTypes(text string) (out []EventType) {
	_ = json.Unmarshal([]byte(text), &out) // our own JSON
	return out
}

func typesText(types []EventType) string {
	types = slices.Clone(types)
	slices.Sort(types)
	b, _ := json.Marshal(slices.Compact(types)) // strings always marshal
	return string(b)
}

// secretRow names the row, and which of an endpoint's secrets it is: one cannot be moved in another's place.
func secretRow(hash string, id, rotation int64) string {
	return fmt.Sprintf("%s/%d/%d", hash, id, rotation)
}

const secretPurpose = "endpoint secret"

func openEndpoint(s *Shop, r queries.Endpoint) (Endpoint, error) {
	e := Endpoint{ID: r.ID, Shop: r.StoreHash, URL: r.Url, Types: parseTypes(r.Types), Note: r.Note, State: EndpointState(r.State), Why: r.Why, OffAt: instant(r.OffAt),
		Unseen: r.Unseen == 1, Rotations: r.Rotations, OldUntil: instant(r.OldUntil), FailingSince: instant(r.FailingSince), Failures: r.Failures,
		WaitUntil: instant(r.WaitUntil), MadeAt: instant(r.MadeAt)}
	var err error
	if e.Secret.key, err = s.key.Open(secretPurpose, secretRow(s.Hash, r.ID, r.Rotations), r.Secret); err != nil {
		return e, fmt.Errorf("opening endpoint %d: %w", r.ID, err)
	}
	if len(r.OldSecret) > 0 {
		if e.Old.key, err = s.key.Open(secretPurpose, secretRow(s.Hash, r.ID, r.Rotations-1), r.OldSecret); err != nil {
			return e, fmt.Errorf("opening endpoint %d: %w", r.ID, err)
		}
	}
	return e, nil
}

// Endpoint returns one endpoint of the Shop.
func (l *Ledger) Endpoint(ctx context.Context, s *Shop, id int64) (Endpoint, error) {
	r, err := found(l.read.Endpoint(ctx, queries.EndpointParams{StoreHash: s.Hash, ID: id}))
	if err != nil {
		return Endpoint{}, err
	}
	return openEndpoint(s, r)
}

// Endpoints lists the Shop's endpoints, the oldest first.
func (l *Ledger) Endpoints(ctx context.Context, s *Shop) ([]Endpoint, error) {
	rows, err := l.read.Endpoints(ctx, s.Hash)
	if err != nil {
		return nil, err
	}
	out := make([]Endpoint, len(rows))
	for i, r := range rows {
		if out[i], err = openEndpoint(s, r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// NewEndpoint is what a person enters of an endpoint.
type NewEndpoint struct {
	URL   string // checked
	Host  string // of the URL, for the activity log: the rest may hold what is nobody's business
	Types []EventType
	Note  string
}

// AddEndpoint adds an endpoint with a secret of its own, which has still to be shown. ErrTooManyEndpoints when there is no room.
func (l *Ledger) AddEndpoint(ctx context.Context, s *Shop, n NewEndpoint, now time.Time) (id int64, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		next, err := t.NextEndpoint(ctx, s.Hash)
		if err != nil {
			return err
		}
		if next.Used >= MaxEndpoints {
			return ErrTooManyEndpoints
		}
		secret, err := s.key.Seal(secretPurpose, secretRow(s.Hash, next.ID, 0), newEndpointSecret().key)
		if err != nil {
			return err
		}
		id, err = t.AddEndpoint(ctx, queries.AddEndpointParams{StoreHash: s.Hash, ID: next.ID, Url: n.URL, Types: typesText(n.Types), Note: n.Note, Secret: secret, Now: millis(now)})
		if err != nil {
			return err
		}
		return t.act(ctx, s.Hash, ActEndpointAdded, strconv.FormatInt(id, 10), n.Host, now)
	})
	return id, err
}

// changeEndpoint makes one change of an endpoint and writes it down. ErrNotFound when change says that it changed nothing.
func (l *Ledger) changeEndpoint(ctx context.Context, hash string, id int64, a Action, detail string, now time.Time, change func(context.Context, *tx) (int64, error)) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		n, err := change(ctx, t)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("changing endpoint %d: %w", id, err)
		}
		return t.act(ctx, hash, a, strconv.FormatInt(id, 10), detail, now)
	})
}

// SaveEndpoint changes what a person entered. The secret stays; what waits goes to the new address.
func (l *Ledger) SaveEndpoint(ctx context.Context, hash string, id int64, n NewEndpoint, now time.Time) error {
	return l.changeEndpoint(ctx, hash, id, ActEndpointSaved, n.Host, now, func(ctx context.Context, t *tx) (int64, error) {
		t.ring = append(t.ring, EventBell)
		return t.SaveEndpoint(ctx, queries.SaveEndpointParams{StoreHash: hash, ID: id, Url: n.URL, Types: typesText(n.Types), Note: n.Note})
	})
}

// PauseEndpoint stops posting. What happens meanwhile is not owed to it; what waits goes on when it is resumed. ErrNotFound unless it is on.
func (l *Ledger) PauseEndpoint(ctx context.Context, hash string, id int64, now time.Time) error {
	return l.changeEndpoint(ctx, hash, id, ActEndpointPaused, "", now, func(ctx context.Context, t *tx) (int64, error) {
		return t.PauseEndpoint(ctx, queries.PauseEndpointParams{StoreHash: hash, ID: id})
	})
}

// ResumeEndpoint begins to post again. ErrNotFound unless it is paused or off.
func (l *Ledger) ResumeEndpoint(ctx context.Context, hash string, id int64, now time.Time) error {
	return l.changeEndpoint(ctx, hash, id, ActEndpointResumed, "", now, func(ctx context.Context, t *tx) (int64, error) {
		t.ring = append(t.ring, EventBell)
		return t.ResumeEndpoint(ctx, queries.ResumeEndpointParams{StoreHash: hash, ID: id})
	})
}

// RemoveEndpoint destroys the endpoint's secret and address and drops what waits for it. The log of what was sent goes with its time.
func (l *Ledger) RemoveEndpoint(ctx context.Context, hash string, id int64, now time.Time) error {
	return l.changeEndpoint(ctx, hash, id, ActEndpointRemoved, "", now, func(ctx context.Context, t *tx) (int64, error) {
		err := t.DropEndpointDeliveries(ctx, queries.DropEndpointDeliveriesParams{StoreHash: hash, EndpointID: id, Trouble: "the endpoint was removed", Now: millis(now)})
		if err != nil {
			return 0, err
		}
		return t.RemoveEndpoint(ctx, queries.RemoveEndpointParams{StoreHash: hash, ID: id})
	})
}

// RotateEndpoint makes a new secret, which signs at once and has still to be shown. The one before signs too for OldSecretGood; one before
// that no longer does.
func (l *Ledger) RotateEndpoint(ctx context.Context, s *Shop, e Endpoint, now time.Time) error {
	old, err := s.key.Seal(secretPurpose, secretRow(s.Hash, e.ID, e.Rotations), e.Secret.key)
	if err != nil {
		return err
	}
	secret, err := s.key.Seal(secretPurpose, secretRow(s.Hash, e.ID, e.Rotations+1), newEndpointSecret().key)
	if err != nil {
		return err
	}
	return l.changeEndpoint(ctx, s.Hash, e.ID, ActEndpointRotated, "", now, func(ctx context.Context, t *tx) (int64, error) {
		return t.RotateEndpoint(ctx, queries.RotateEndpointParams{StoreHash: s.Hash, ID: e.ID, Was: e.Rotations, Secret: secret, OldSecret: old, OldUntil: millis(now.Add(OldSecretGood))})
	})
}

// StopOldSecret destroys the secret before at once. ErrNotFound when there is none.
func (l *Ledger) StopOldSecret(ctx context.Context, hash string, id int64, now time.Time) error {
	return l.changeEndpoint(ctx, hash, id, ActEndpointOldStopped, "", now, func(ctx context.Context, t *tx) (int64, error) {
		return t.StopOldSecret(ctx, queries.StopOldSecretParams{StoreHash: hash, ID: id})
	})
}

// RevealSecret returns an endpoint's secret, once after it was made. ErrNotFound when it was shown before.
func (l *Ledger) RevealSecret(ctx context.Context, s *Shop, id int64, now time.Time) (secret string, err error) {
	err = l.changeEndpoint(ctx, s.Hash, id, ActEndpointSecretShown, "", now, func(ctx context.Context, t *tx) (int64, error) {
		n, err := t.SeeEndpointSecret(ctx, queries.SeeEndpointSecretParams{StoreHash: s.Hash, ID: id})
		if err != nil || n == 0 {
			return n, err
		}
		r, err := t.Endpoint(ctx, queries.EndpointParams{StoreHash: s.Hash, ID: id})
		if err != nil {
			return 0, err
		}
		e, err := openEndpoint(s, r)
		secret = e.Secret.Reveal()
		return n, err
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// EndpointTroubles counts the Shop's endpoints that we switched off, and those that are on and have failed without a success since before.
func (l *Ledger) EndpointTroubles(ctx context.Context, hash string, before time.Time) (off, failing int64, err error) {
	r, err := l.read.EndpointTroubles(ctx, queries.EndpointTroublesParams{StoreHash: hash, Before: millis(before)})
	return r.Off, r.Failing, err
}

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
	if err := t.act(ctx, d.Shop, ActEndpointOff, strconv.FormatInt(d.Endpoint, 10), *off, now); err != nil || !alarm {
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
