package ledger

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
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
