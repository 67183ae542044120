package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/receipt"
	"idgate/queries"
)

// EventType names what a Shop's endpoints are told of. Types are never renamed; new ones may come.
type EventType string

// The types.
const (
	VerificationPassed EventType = "verification.passed" // somebody proved identity in time
	VerificationFailed EventType = "verification.failed" // a try ended without that; data.state says how
	VerificationReview EventType = "verification.review" // it waits for a person: at the provider, or at the Shop where it passed too late
	OrderHeld          EventType = "order.held"          // an order is on our hold
	OrderReleased      EventType = "order.released"      // it left our hold, proved or let go by a person
	OrderRefused       EventType = "order.refused"       // a person refused it: it stays on our hold
	OrderMoved         EventType = "order.moved"         // somebody in the Shop took it off our hold
	OrderLeaked        EventType = "order.leaked"        // it was found gone, unproven
	OrderCancelled     EventType = "order.cancelled"     // it stayed on our hold unproven until its announced end
	Ping               EventType = "ping"                // a test, sent to one endpoint by a person
)

// EventTypes lists what an endpoint can be subscribed to.
func EventTypes() []EventType {
	return []EventType{VerificationPassed, VerificationFailed, VerificationReview, OrderHeld, OrderReleased, OrderRefused, OrderMoved, OrderLeaked, OrderCancelled}
}

// Event is what is posted, as JSON in the shape of Standard Webhooks: {"type", "timestamp", "data"}. It is small (16 kB at most, mostly 1 kB),
// and holds no name, mailbox, address, birth date or document.
type Event struct {
	Type EventType `json:"type"`
	At   time.Time `json:"timestamp"` // when it happened, UTC; when it was posted is in the header webhook-timestamp
	Data EventData `json:"data"`
}

// EventData says what happened to whom. What there is not is left out. A receiver must pass over fields that it does not know.
type EventData struct {
	Shop       string        `json:"shop"` // store hash
	SessionID  string        `json:"session_id,omitempty"`
	OrderID    int64         `json:"order_id,omitempty"` // of a verification: the order it was asked for, by a mailed link
	CartID     string        `json:"cart_id,omitempty"`
	CustomerID int64         `json:"customer_id,omitempty"`
	State      string        `json:"state,omitempty"`       // of the Session: passed, failed, declined, expired, abandoned, error, review; of the order's hold: held, released, refused, moved, leaked, cancelled
	Reason     string        `json:"reason,omitempty"`      // why the Session ended so, a code; late: it passed after its deadline and a person is asked
	Hold       int           `json:"hold,omitempty"`        // the order's how-manieth hold it is about, from 1
	StatusID   int           `json:"status_id,omitempty"`   // the order's status at BigCommerce, as last seen
	DecisionID string        `json:"decision_id,omitempty"` // the order's latest
	Outcome    gate.Outcome  `json:"outcome,omitempty"`     // of that Decision: allow, verify, review, hold, refuse
	MadeBy     MadeBy        `json:"made_by,omitempty"`     // of that Decision: rule, person, failure
	Reasons    []gate.Reason `json:"-"`
	Codes      []string      `json:"reasons,omitempty"` // of that Decision, codes
	ProofID    string        `json:"proof_id,omitempty"`
	IAL        *int          `json:"ial,omitempty"`        // 0 to 3, of the Proof
	IALSource  string        `json:"ial_source,omitempty"` // who says so: policy, oidc, ial_endpoint, ial2_workflow
	LiveID     *bool         `json:"liveid,omitempty"`     // a live selfie was captured
	GoodUntil  *time.Time    `json:"good_until,omitempty"` // of the Proof
	Policy     int64         `json:"policy_version,omitempty"`
	Receipt    string        `json:"receipt,omitempty"` // a JWT to be verified with /.well-known/jwks.json: of the Proof, or of the Decision
	Endpoint   int64         `json:"endpoint,omitempty"`
}

// maxEventCodes bounds the reasons in an event; a Decision has a handful.
const maxEventCodes = 20

// eventName is the webhook-id: made of the cause alone, so that what is owed again, also by a ledger that was restored, has the same name.
func eventName(hash string, t EventType, cause string) string {
	sum := sha256.Sum256([]byte("idgate event\x00" + hash + "\x00" + string(t) + "\x00" + cause))
	return "msg_" + hex.EncodeToString(sum[:16])
}

// tell owes an event to every endpoint that is on and subscribed to it now, in the transaction of its cause. One that was told of already is
// not owed again. When nobody wants it nothing is stored.
func (t *tx) tell(ctx context.Context, hash, cause string, e Event, now time.Time) error {
	rows, err := t.Endpoints(ctx, hash)
	if err != nil {
		return err
	}
	var to []int64
	for _, r := range rows {
		if EndpointState(r.State) == EndpointOn && slices.Contains(parseTypes(r.Types), e.Type) {
			to = append(to, r.ID)
		}
	}
	return t.tellEndpoints(ctx, hash, cause, e, to, now, now)
}

// tellEndpoints owes an event to endpoints, to be posted at due.
func (t *tx) tellEndpoints(ctx context.Context, hash, cause string, e Event, to []int64, due, now time.Time) error {
	if len(to) == 0 {
		return nil
	}
	e.At, e.Data.Shop = instant(millis(now)), hash
	for _, r := range e.Data.Reasons[:min(len(e.Data.Reasons), maxEventCodes)] {
		e.Data.Codes = append(e.Data.Codes, string(r.Code))
	}
	payload, err := json.Marshal(e)
	if err != nil {
		return err
	}
	id, err := t.AddEvent(ctx, queries.AddEventParams{StoreHash: hash, Name: eventName(hash, e.Type, cause), Type: string(e.Type), CustomerID: e.Data.CustomerID,
		Payload: string(payload), Now: millis(now)})
	if errors.Is(err, sql.ErrNoRows) {
		return nil // it was told
	}
	if err != nil {
		return fmt.Errorf("owing %s: %w", e.Type, err)
	}
	for _, endpoint := range to {
		if err := t.AddDelivery(ctx, queries.AddDeliveryParams{StoreHash: hash, EndpointID: endpoint, EventID: id, DueAt: millis(due), Now: millis(now)}); err != nil {
			return err
		}
	}
	t.ring = append(t.ring, EventBell)
	return nil
}

// tellSession owes what a Session's new state means to others. In shadow nobody is told: it makes no outside write.
func (l *Ledger) tellSession(ctx context.Context, t *tx, s *Shop, n Session, m Move, proofID string, now time.Time) error {
	if s.Policy.Mode != gate.Enforce {
		return nil
	}
	e := Event{Data: EventData{SessionID: n.ID, OrderID: n.OrderID, CartID: n.CartID, CustomerID: n.CustomerID, State: string(m.State), Reason: m.Reason, Policy: n.Policy}}
	cause := n.ID
	switch m.State {
	case idv.StateCreated, idv.StateStarted, idv.StateProcessing:
		return nil
	case idv.StateReview:
		e.Type = VerificationReview
	case idv.StateFailed, idv.StateDeclined, idv.StateExpired, idv.StateAbandoned, idv.StateError:
		e.Type = VerificationFailed
	case idv.StatePassed:
		e.Type = VerificationPassed
		if m.Late {
			e.Type, cause = VerificationReview, cause+"/late"
		}
	}
	if p := m.Proof; p != nil {
		signed, err := l.Signer(l.issuer).SignProof(receipt.ProofReceipt{ID: proofID, Shop: s.Hash, CustomerID: n.CustomerID, IAL: int(p.IAL), IALSource: p.Source, LiveID: p.Selfie,
			ExpiresAt: p.GoodUntil}, now)
		if err != nil {
			return err
		}
		e.Data.proof(proofID, int(p.IAL), p.Source, p.Selfie, p.GoodUntil)
		e.Data.Receipt = signed
	}
	return t.tell(ctx, s.Hash, cause, e, now)
}

func (d *EventData) proof(id string, ial int, source string, selfie bool, until time.Time) {
	until = instant(millis(until))
	d.ProofID, d.IAL, d.IALSource, d.LiveID, d.GoodUntil = id, &ial, source, &selfie, &until
}

// holdEvents are the events that a change of an order's hold is. What goes back to where it was, such as a release that is not to be after
// all, is none.
func holdEvents(was, is HoldState) []EventType {
	if was == is {
		return nil
	}
	switch is {
	case Held:
		if was == Releasing || was == Cancelling || was == Refused {
			return nil
		}
		return []EventType{OrderHeld}
	case Refused:
		if was == Holding {
			return []EventType{OrderHeld, OrderRefused}
		}
		return []EventType{OrderRefused}
	case Released:
		return []EventType{OrderReleased}
	case Moved:
		return []EventType{OrderMoved}
	case Leaked:
		return []EventType{OrderLeaked}
	case Cancelled:
		return []EventType{OrderCancelled}
	case NotHeld, Holding, Releasing, Cancelling:
	}
	return nil
}

// tellHold owes what an order's change of hold from was means to others; the order is as this transaction has made it. No mode is asked for:
// a hold begins only where the Policy enforces, and what ends one is written outside whatever the Policy has become.
func (l *Ledger) tellHold(ctx context.Context, t *tx, hash string, orderID int64, was, is HoldState, now time.Time) error {
	s, ok := (*l.shops.Load())[hash]
	types := holdEvents(was, is)
	if !ok || s.State == Uninstalled || len(types) == 0 {
		return nil
	}
	o, err := found(t.Order(ctx, queries.OrderParams{StoreHash: hash, OrderID: orderID}))
	if err != nil {
		return err
	}
	data := EventData{OrderID: orderID, CartID: o.CartID, CustomerID: o.CustomerID, Hold: int(o.Holds), StatusID: int(o.StatusID), DecisionID: o.DecisionID}
	if err := t.describeDecision(ctx, s, &data); err != nil {
		return err
	}
	for _, et := range types {
		e := Event{Type: et, Data: data}
		e.Data.State = strings.TrimPrefix(string(et), "order.")
		cause := strconv.FormatInt(orderID, 10) + "/" + strconv.FormatInt(o.Holds, 10)
		if err := t.alarmHold(ctx, hash, et, orderID, o.Holds, now); err != nil {
			return err
		}
		if et == OrderRefused {
			cause += "/" + o.DecisionID // a person may refuse a hold twice
		}
		if err := t.tell(ctx, hash, cause, e, now); err != nil {
			return err
		}
	}
	return nil
}

// describeDecision adds what is known of the order's latest Decision, and of the Proof it rests on.
func (t *tx) describeDecision(ctx context.Context, s *Shop, data *EventData) error {
	r, err := found(t.Decision(ctx, queries.DecisionParams{ID: data.DecisionID, StoreHash: s.Hash}))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var d gate.Decision
	if err := json.Unmarshal([]byte(r.Explanation), &d); err != nil {
		return fmt.Errorf("reading decision %s: %w", r.ID, err)
	}
	data.Outcome, data.MadeBy, data.Policy, data.Receipt, data.Reasons = gate.Outcome(r.Outcome), MadeBy(r.MadeBy), r.PolicyVersion, r.Receipt, d.Reasons
	if r.ProofID == "" {
		return nil
	}
	p, err := found(t.Proof(ctx, queries.ProofParams{ID: r.ProofID, StoreHash: s.Hash}))
	if errors.Is(err, ErrNotFound) {
		return nil // erased
	}
	if err != nil {
		return err
	}
	ial := gate.IAL(p.Ial)
	if p.Source == gate.SourcePolicy {
		ial = s.Policy.Evidence.Level(p.Document == 1, p.Selfie == 1)
	}
	data.proof(p.ID, int(ial), p.Source, p.Selfie == 1, instant(p.GoodUntil))
	return nil
}

// TestEndpoint owes one endpoint a ping, whatever it is subscribed to. ErrNotFound when there is no such endpoint that is on.
func (l *Ledger) TestEndpoint(ctx context.Context, hash string, id int64, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		r, err := found(t.Endpoint(ctx, queries.EndpointParams{StoreHash: hash, ID: id}))
		if err != nil {
			return err
		}
		if EndpointState(r.State) != EndpointOn {
			return ErrNotFound
		}
		if err := t.HurryEndpoint(ctx, queries.HurryEndpointParams{StoreHash: hash, ID: id}); err != nil {
			return err
		}
		return t.tellEndpoints(ctx, hash, l.nextID(now), Event{Type: Ping, Data: EventData{Endpoint: id}}, []int64{id}, first(now), now)
	})
}
