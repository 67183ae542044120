package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/receipt"
)

// enforces has the Shop's Policy enforce, which telling others of verifications takes.
func (r *rig) enforces(mode gate.Mode) {
	r.Helper()
	p := gate.Default("EUR")
	p.Mode = mode
	_, err := r.l.SavePolicy(context.Background(), shopHash, PolicyChange{Base: r.shop().Policy.Version, Policy: p, Author: "staff", Since: r.now}, r.now)
	r.ok(err)
}

// endpoint adds an endpoint that is told of types; none: of everything.
func (r *rig) endpoint(types ...EventType) int64 {
	r.Helper()
	if len(types) == 0 {
		types = EventTypes()
	}
	id, err := r.l.AddEndpoint(context.Background(), r.shop(), NewEndpoint{URL: "https://erp.example/in", Host: "erp.example", Types: types, Note: "ERP"}, r.now)
	r.ok(err)
	return id
}

func (r *rig) endpointNow(id int64) Endpoint {
	r.Helper()
	e, err := r.l.Endpoint(context.Background(), r.shop(), id)
	r.ok(err)
	return e
}

// told are the events owed to an endpoint, the oldest first: what is posted.
func (r *rig) told(endpoint int64) []Event {
	r.Helper()
	rows, err := r.l.Deliveries(context.Background(), shopHash, endpoint, false, 0, 1000)
	r.ok(err)
	out := make([]Event, len(rows))
	for i, x := range rows {
		d, err := r.l.Delivery(context.Background(), shopHash, endpoint, x.ID)
		r.ok(err)
		r.ok(json.Unmarshal(d.Payload, &out[len(rows)-1-i]))
	}
	return out
}

func typesOf(events []Event) (out []EventType) {
	for _, e := range events {
		out = append(out, e.Type)
	}
	return out
}

// posting leases what is due for an endpoint.
func (r *rig) posting(endpoint int64) []Delivery {
	r.Helper()
	due, err := r.l.LeaseDeliveries(context.Background(), EndpointRef{shopHash, endpoint}, r.now, r.now.Add(lease), 99)
	r.ok(err)
	return due
}

// next leases what is to be posted first.
func (r *rig) next(endpoint int64) Delivery {
	r.Helper()
	due, err := r.l.LeaseDeliveries(context.Background(), EndpointRef{shopHash, endpoint}, r.now, r.now.Add(lease), 1)
	r.ok(err)
	if len(due) != 1 {
		r.Fatal("nothing is due")
	}
	return due[0]
}

// TestEndpoints: what a person does to an endpoint, to the last column, and that another Shop's is out of reach.
func TestEndpoints(t *testing.T) {
	r := newRig(t)
	ctx := ledgerAs(t, "ada@shop.example")
	r.install("other9")
	s := r.shop()
	var ids []int64
	for range MaxEndpoints {
		id, err := r.l.AddEndpoint(ctx, s, NewEndpoint{URL: "https://erp.example/in", Host: "erp.example", Types: []EventType{OrderHeld, OrderHeld, OrderLeaked}, Note: "ERP"}, r.now)
		r.ok(err)
		ids = append(ids, id)
	}
	if !slices.Equal(ids, []int64{1, 2, 3, 4, 5}) {
		t.Errorf("ids %v", ids)
	}
	r.changes(func() error {
		_, err := r.l.AddEndpoint(ctx, s, NewEndpoint{URL: "https://erp.example/in", Types: EventTypes()}, r.now)
		r.is(err, ErrTooManyEndpoints)
		return nil
	})
	e := r.endpointNow(1)
	if e.State != EndpointOn || !e.Unseen || e.Note != "ERP" || e.URL != "https://erp.example/in" || !slices.Equal(e.Types, []EventType{OrderHeld, OrderLeaked}) || len(e.Secret.Key()) != 32 ||
		!e.MadeAt.Equal(r.now) || e.Rotations != 0 || !e.OldUntil.IsZero() || bytes.Equal(e.Secret.Key(), r.endpointNow(2).Secret.Key()) {
		t.Errorf("%+v", e)
	}
	if text := fmt.Sprintf("%v %+v %s", e.Secret, e.Secret, e.Secret); strings.Contains(text, e.Secret.Reveal()) || strings.Contains(text, string(e.Secret.Key())) {
		t.Error("printing shows the secret")
	}

	// Shown once.
	secret, err := r.l.RevealSecret(ctx, s, 1, r.now)
	r.ok(err)
	if secret != e.Secret.Reveal() || !strings.HasPrefix(secret, "whsec_") {
		t.Errorf("secret %q", secret)
	}
	if w, err := standardwebhooks.NewWebhook(secret); err != nil {
		t.Errorf("the library does not take it: %v, %v", w, err)
	}
	if again, err := r.l.RevealSecret(ctx, s, 1, r.now); again != "" {
		t.Errorf("shown again, %v", err)
	} else {
		r.is(err, ErrNotFound)
	}

	// Replaced: both sign for a day; then, or when stopped, the old one is gone.
	r.ok(r.l.RotateEndpoint(ctx, s, e, r.now))
	r.is(r.l.RotateEndpoint(ctx, s, e, r.now), ErrNotFound) // by a page of before
	n := r.endpointNow(1)
	if !n.Unseen || n.Rotations != 1 || bytes.Equal(n.Secret.Key(), e.Secret.Key()) || !bytes.Equal(n.Old.Key(), e.Secret.Key()) || !n.OldUntil.Equal(r.now.Add(24*time.Hour)) {
		t.Errorf("rotated: %+v", n)
	}
	r.ok(r.l.RotateEndpoint(ctx, s, n, r.now))
	if m := r.endpointNow(1); !bytes.Equal(m.Old.Key(), n.Secret.Key()) {
		t.Error("rotated twice: the old one is not the one before")
	}
	r.ok(r.l.StopOldSecret(ctx, shopHash, 1, r.now))
	r.is(r.l.StopOldSecret(ctx, shopHash, 1, r.now), ErrNotFound)
	if m := r.endpointNow(1); !m.OldUntil.IsZero() || m.Old.Key() != nil {
		t.Errorf("stopped: %+v", m)
	}
	r.ok(r.l.RotateEndpoint(ctx, s, r.endpointNow(2), r.now))
	r.wait(OldSecretGood - time.Millisecond)
	_, err = r.l.Forget(ctx, r.now)
	r.ok(err)
	r.want("1", "SELECT length(old_secret) > 0 FROM endpoints WHERE store_hash = 'abc123' AND id = 2")
	r.wait(time.Millisecond)
	_, err = r.l.Forget(ctx, r.now)
	r.ok(err)
	r.want("0", "SELECT length(old_secret) FROM endpoints WHERE store_hash = 'abc123' AND id = 2")

	// A sealed secret that somebody moves to another endpoint does not open there.
	r.exec("UPDATE endpoints SET secret = (SELECT e.secret FROM endpoints AS e WHERE e.id = 3) WHERE id = 4")
	if _, err := r.l.Endpoint(ctx, s, 4); err == nil {
		t.Error("another endpoint's secret opens")
	}
	r.ok(r.l.RemoveEndpoint(ctx, shopHash, 4, r.now))

	// State by state.
	r.ok(r.l.PauseEndpoint(ctx, shopHash, 3, r.now))
	r.is(r.l.PauseEndpoint(ctx, shopHash, 3, r.now), ErrNotFound)
	r.ok(r.l.ResumeEndpoint(ctx, shopHash, 3, r.now))
	r.is(r.l.ResumeEndpoint(ctx, shopHash, 3, r.now), ErrNotFound)
	r.ok(r.l.SaveEndpoint(ctx, shopHash, 3, NewEndpoint{URL: "https://wms.example/", Host: "wms.example", Types: []EventType{OrderMoved}}, r.now))
	if e := r.endpointNow(3); e.URL != "https://wms.example/" || e.Note != "" || !slices.Equal(e.Types, []EventType{OrderMoved}) || e.State != EndpointOn {
		t.Errorf("saved: %+v", e)
	}
	for _, id := range []int64{4, 6, 0} { // removed, and never there
		if _, err := r.l.Endpoint(ctx, s, id); err == nil {
			t.Errorf("endpoint %d is there", id)
		}
		r.is(r.l.SaveEndpoint(ctx, shopHash, id, NewEndpoint{}, r.now), ErrNotFound)
		r.is(r.l.RemoveEndpoint(ctx, shopHash, id, r.now), ErrNotFound)
		r.is(r.l.TestEndpoint(ctx, shopHash, id, r.now), ErrNotFound)
	}
	r.changes(func() error { // another Shop's
		r.is(r.l.RemoveEndpoint(ctx, "other9", 1, r.now), ErrNotFound)
		r.is(r.l.PauseEndpoint(ctx, "other9", 1, r.now), ErrNotFound)
		r.is(r.l.TestEndpoint(ctx, "other9", 1, r.now), ErrNotFound)
		_, err := r.l.Delivery(ctx, "other9", 1, 1)
		r.is(err, ErrNotFound)
		return nil
	})
	// The number of one that was removed is free once nothing is left of it.
	_, err = r.l.Forget(ctx, r.now)
	r.ok(err)
	r.want("0", "SELECT count(*) FROM endpoints WHERE id = 4")
	var did []Action
	lines, err := r.l.ActivityPage(ctx, shopHash, 0, 50)
	r.ok(err)
	for _, l := range slices.Backward(lines) {
		if strings.HasPrefix(string(l.Action), "endpoint.") {
			did = append(did, l.Action)
			if l.Actor != "ada@shop.example" || strings.Contains(l.Detail, "/in") {
				t.Errorf("%+v", l)
			}
		}
	}
	want := []Action{ActEndpointAdded, ActEndpointAdded, ActEndpointAdded, ActEndpointAdded, ActEndpointAdded, ActEndpointSecretShown, ActEndpointRotated, ActEndpointRotated,
		ActEndpointOldStopped, ActEndpointRotated, ActEndpointRemoved, ActEndpointPaused, ActEndpointResumed, ActEndpointSaved}
	if !slices.Equal(did, want) {
		t.Errorf("written down %v, want %v", did, want)
	}
}

// ledgerAs is a context in somebody's name.
func ledgerAs(t testing.TB, who string) context.Context { return WithActor(t.Context(), who) }

// TestHoldEvents is the whole table of changes of a hold.
func TestHoldEvents(t *testing.T) {
	all := []HoldState{NotHeld, Holding, Held, Releasing, Released, Refused, Moved, Leaked, Cancelling, Cancelled}
	for _, was := range all {
		for _, is := range all {
			var want []EventType
			switch is {
			case Held:
				if was != Releasing && was != Cancelling && was != Refused {
					want = []EventType{OrderHeld}
				}
			case Refused:
				if want = []EventType{OrderRefused}; was == Holding {
					want = []EventType{OrderHeld, OrderRefused}
				}
			case Released:
				want = []EventType{OrderReleased}
			case Moved:
				want = []EventType{OrderMoved}
			case Leaked:
				want = []EventType{OrderLeaked}
			case Cancelled:
				want = []EventType{OrderCancelled}
			case NotHeld, Holding, Releasing, Cancelling:
			}
			if was == is {
				want = nil
			}
			if got := holdEvents(was, is); !slices.Equal(got, want) {
				t.Errorf("%s to %s: %v, want %v", was, is, got, want)
			}
		}
	}
}

// moved ends a Session's lease in a state.
func (r *rig) moved(m Move) Session {
	r.Helper()
	r.session(r.cart("c1", 7, "ada@example.com"))
	n := r.polled()
	m.Deadline = n.Deadline
	if m.State == idv.StateReview {
		m.PollAt = r.now.Add(time.Hour)
	}
	moved, err := r.l.MoveSession(context.Background(), r.shop(), n, m, r.now)
	r.ok(err)
	if !moved {
		r.Fatal("not moved")
	}
	return n
}

// TestEventsOfSessions: how each end of a Session is told, field by field; and that shadow and off tell nobody.
func TestEventsOfSessions(t *testing.T) {
	for _, mode := range []gate.Mode{gate.Enforce, gate.Shadow, gate.Off} {
		for name, tt := range map[string]struct {
			move Move
			want EventType
		}{
			"started":    {Move{State: idv.StateStarted}, ""},
			"processing": {Move{State: idv.StateProcessing}, ""},
			"review":     {Move{State: idv.StateReview}, VerificationReview},
			"failed":     {Move{State: idv.StateFailed, Reason: "face"}, VerificationFailed},
			"declined":   {Move{State: idv.StateDeclined}, VerificationFailed},
			"expired":    {Move{State: idv.StateExpired, Reason: "deadline"}, VerificationFailed},
			"abandoned":  {Move{State: idv.StateAbandoned}, VerificationFailed},
			"error":      {Move{State: idv.StateError}, VerificationFailed},
			"late":       {Move{State: idv.StatePassed, Late: true, Reason: "late"}, VerificationReview},
			"passed":     {Move{State: idv.StatePassed}, VerificationPassed},
		} {
			t.Run(string(mode)+" "+name, func(t *testing.T) {
				r := newRig(t)
				r.enforces(mode)
				id := r.endpoint()
				if name == "started" || name == "processing" {
					tt.move.PollAt = r.now.Add(time.Hour)
				}
				proof := r.ada()
				if name == "passed" {
					tt.move.Proof = &proof
				}
				n := r.moved(tt.move)
				got := r.told(id)
				if tt.want == "" || mode != gate.Enforce {
					if len(got) != 0 {
						t.Errorf("told of %+v", got)
					}
					return
				}
				if len(got) != 1 {
					t.Fatalf("told of %+v", got)
				}
				e := got[0]
				if e.Type != tt.want || !e.At.Equal(r.now) || e.Data.Shop != shopHash || e.Data.SessionID != n.ID || e.Data.CartID != "c1" || e.Data.CustomerID != 7 || e.Data.OrderID != 0 ||
					e.Data.State != string(tt.move.State) || e.Data.Reason != tt.move.Reason || e.Data.Policy != 1 || e.Data.Hold != 0 || e.Data.DecisionID != "" {
					t.Errorf("%+v", e)
				}
				if name != "passed" {
					if e.Data.Receipt != "" || e.Data.IAL != nil || e.Data.ProofID != "" {
						t.Errorf("something is proved: %+v", e.Data)
					}
					return
				}
				if *e.Data.IAL != int(proof.IAL) || e.Data.IALSource != proof.Source || *e.Data.LiveID != proof.Selfie || !e.Data.GoodUntil.Equal(proof.GoodUntil.Truncate(time.Millisecond)) {
					t.Errorf("proof %+v: %+v", proof, e.Data)
				}
				c, err := receipt.Verify(r.l.JWKS(), e.Data.Receipt, r.now)
				if err != nil || c.Kind != receipt.KindProof || c.Proof.ID != e.Data.ProofID {
					t.Errorf("receipt: %+v, %v", c, err)
				}
			})
		}
	}
}

// TestEventsOfOrders: an order that is held, refused, held anew and let go is told of, once each, with what is known of its Decision; what is
// stored of all that says nothing of who bought.
func TestEventsOfOrders(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	all, some := r.endpoint(), r.endpoint(OrderRefused)
	paused := r.endpoint()
	r.ok(r.l.PauseEndpoint(ctx, shopHash, paused, r.now))
	r.onHold(118)
	o := r.order(118)
	by := r.orderDecision(118, gate.Refuse)
	by.MadeBy, by.Person, by.Note = ByPerson, "bo@shop.example", "a known fraud"
	r.ok(r.l.Override(ctx, r.shop(), o, false, by, nil, r.now))
	r.wait(time.Minute)
	r.ok(r.l.ConfirmHold(ctx, shopHash, 118, Held, Released, 11, r.now)) // it is not held any more: nothing happens
	by = r.orderDecision(118, gate.Allow)
	by.MadeBy, by.Person, by.Note = ByPerson, "bo@shop.example", "it was a mistake"
	r.ok(r.l.Override(ctx, r.shop(), r.order(118), true, by, nil, r.now))
	r.ok(r.l.ConfirmHold(ctx, shopHash, 118, Releasing, Released, 11, r.now))
	r.ok(r.l.ConfirmHold(ctx, shopHash, 118, Releasing, Released, 11, r.now))
	got := r.told(all)
	if !slices.Equal(typesOf(got), []EventType{OrderHeld, OrderRefused, OrderReleased}) || !slices.Equal(typesOf(r.told(some)), []EventType{OrderRefused}) || len(r.told(paused)) != 0 {
		t.Fatalf("told %v, %v, %v", typesOf(got), typesOf(r.told(some)), typesOf(r.told(paused)))
	}
	for i, want := range []EventData{
		{State: "held", Outcome: gate.Hold, MadeBy: ByRule, StatusID: 12},
		{State: "refused", Outcome: gate.Refuse, MadeBy: ByPerson, StatusID: 12},
		{State: "released", Outcome: gate.Allow, MadeBy: ByPerson, StatusID: 11},
	} {
		d := got[i].Data
		if d.State != want.State || d.Outcome != want.Outcome || d.MadeBy != want.MadeBy || d.StatusID != want.StatusID || d.OrderID != 118 || d.DecisionID == "" || d.Policy != 1 ||
			!slices.Equal(d.Codes, []string{"no_proof"}) {
			t.Errorf("%d: %+v, want %+v", i, d, want)
		}
		c, err := receipt.Verify(r.l.JWKS(), d.Receipt, r.now)
		if err != nil || c.Kind != receipt.KindDecision || c.Decision.ID != d.DecisionID {
			t.Errorf("%d: receipt %+v, %v", i, c, err)
		}
	}
	for _, text := range []string{"bo@shop.example", "fraud", "mistake"} {
		r.want("0", "SELECT count(*) FROM events WHERE instr(payload, ?)", text)
	}
}

// TestEventInTheCausesTransaction: between the last statement and COMMIT there is neither; after COMMIT there are both.
func TestEventInTheCausesTransaction(t *testing.T) {
	r := newRig(t)
	r.enforces(gate.Enforce)
	r.endpoint()
	r.session(r.cart("c1", 7, ""))
	n := r.polled()
	before, after := r.crashes(func() error {
		_, err := r.l.MoveSession(t.Context(), r.shop(), n, Move{State: idv.StateDeclined, Deadline: n.Deadline}, r.now)
		return err
	})
	if was := content(t, before); strings.Contains(was, "state=declined") || strings.Contains(was, "\nevents ") {
		t.Error("something is stored before COMMIT")
	}
	if is := content(t, after); !strings.Contains(is, "state=declined") || !strings.Contains(is, "events id=1") || !strings.Contains(is, "deliveries id=1") {
		t.Error("not everything is stored after COMMIT")
	}
	r.l.crash = nil
	r.changes(func() error { // and a cause that is rolled back takes its event with it
		err := r.l.do(t.Context(), func(ctx context.Context, tx *tx) error {
			if err := tx.tell(ctx, shopHash, "another cause", Event{Type: OrderHeld}, r.now); err != nil {
				return err
			}
			return ErrMoved
		})
		r.is(err, ErrMoved)
		return nil
	})
}

// TestEventsAreOwedOncePerCause plays causes at random, again and again, to endpoints that come, go and pause, against a model: each cause
// has one name for ever, and is owed to exactly those that were on and wanted it when it first happened.
func TestEventsAreOwedOncePerCause(t *testing.T) {
	types := EventTypes()
	r := newRig(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		ctx := context.Background()
		es, err := r.l.Endpoints(ctx, r.shop())
		r.ok(err)
		for _, e := range es {
			r.ok(r.l.RemoveEndpoint(ctx, shopHash, e.ID, r.now))
		}
		type model struct {
			on    bool
			types []EventType
			owed  map[string]bool
		}
		endpoints, names := map[int64]*model{}, map[string]string{}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			id := int64(0)
			if len(endpoints) > 0 {
				id = rapid.SampledFrom(slices.Sorted(maps.Keys(endpoints))).Draw(rt, "endpoint")
			}
			switch rapid.IntRange(0, 5).Draw(rt, "do") {
			case 0:
				if len(endpoints) < MaxEndpoints {
					want := rapid.SliceOfNDistinct(rapid.SampledFrom(types), 1, len(types), rapid.ID).Draw(rt, "types")
					endpoints[r.endpoint(want...)] = &model{true, want, map[string]bool{}}
				}
			case 1:
				if id != 0 && endpoints[id].on {
					r.ok(r.l.PauseEndpoint(ctx, shopHash, id, r.now))
					endpoints[id].on = false
				}
			case 2:
				if id != 0 && !endpoints[id].on {
					r.ok(r.l.ResumeEndpoint(ctx, shopHash, id, r.now))
					endpoints[id].on = true
				}
			default:
				et := rapid.SampledFrom(types).Draw(rt, "type")
				cause := fmt.Sprint(round, "/", rapid.IntRange(1, 4).Draw(rt, "cause"))
				r.ok(r.l.do(ctx, func(ctx context.Context, tx *tx) error { return tx.tell(ctx, shopHash, cause, Event{Type: et}, r.now) }))
				key := string(et) + " " + cause
				if _, known := names[key]; known {
					break
				}
				for _, m := range endpoints {
					if m.on && slices.Contains(m.types, et) {
						m.owed[eventName(shopHash, et, cause)] = true
						names[key] = eventName(shopHash, et, cause)
					}
				}
			}
		}
		if len(slices.Compact(slices.Sorted(maps.Values(names)))) != len(names) {
			rt.Fatal("two causes have one name")
		}
		for id, m := range endpoints {
			rows, err := r.l.Deliveries(ctx, shopHash, id, false, 0, 1000)
			r.ok(err)
			got := map[string]bool{}
			for _, x := range rows {
				if got[x.EventID] {
					rt.Errorf("%s is owed twice", x.EventID)
				}
				got[x.EventID] = true
			}
			if !maps.Equal(got, m.owed) {
				rt.Errorf("endpoint %d is owed %v, want %v", id, got, m.owed)
			}
		}
	})
}

// TestDeliveries: leases end once, by whoever holds them; failures add up; a success makes all good; 410 and five days of failure switch the
// endpoint off, and staff are told by mail.
func TestDeliveries(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	id := r.endpoint()
	r.onHold(1)
	r.onHold(2)
	due := r.posting(id)
	if len(due) != 2 || due[0].Tries != 1 || due[0].Type != OrderHeld || due[0].EventID != eventName(shopHash, OrderHeld, "1/0") {
		t.Fatalf("%+v", due)
	}
	if len(r.posting(id)) != 0 {
		t.Error("leased twice")
	}
	refs, err := r.l.DueEndpoints(ctx, r.now)
	r.ok(err)
	if len(refs) != 0 {
		t.Errorf("due: %v", refs)
	}
	trouble := Posted{Status: 500, Excerpt: "oops", Trouble: "It answered 500.", At: r.now, Took: 5 * time.Millisecond}
	f := Failure{Next: r.now.Add(5 * time.Second), Wait: r.now.Add(5 * time.Second), Limit: 5 * 24 * time.Hour, Alarm: true}
	fail := func(d Delivery, f Failure) string {
		t.Helper()
		off, err := r.l.FailDelivery(ctx, d, trouble, f, r.now)
		r.ok(err)
		return off
	}
	if off := fail(due[0], f); off != "" {
		t.Errorf("off: %s", off)
	}
	first := r.now
	if e := r.endpointNow(id); e.Failures != 1 || !e.FailingSince.Equal(first) || !e.WaitUntil.Equal(f.Wait) {
		t.Errorf("%+v", e)
	}
	x, err := r.l.Delivery(ctx, shopHash, id, due[0].ID)
	r.ok(err)
	if x.State != "pending" || x.Tries != 1 || !x.DueAt.Equal(f.Next) || x.Trying || x.Posted != (Posted{Status: 500, Excerpt: "oops", Trouble: "It answered 500.", At: r.now, Took: 5 * time.Millisecond}) {
		t.Errorf("%+v", x)
	}
	r.wait(4 * time.Second)
	if refs, err := r.l.DueEndpoints(ctx, r.now); err != nil || len(refs) != 0 {
		t.Errorf("due: %v, %v", refs, err)
	}
	r.wait(time.Second)
	if refs, err := r.l.DueEndpoints(ctx, r.now); err != nil || !slices.Equal(refs, []EndpointRef{{shopHash, id}}) {
		t.Errorf("due: %v, %v", refs, err)
	}
	again := r.posting(id)
	if len(again) != 1 || again[0].Tries != 2 || again[0].EventID != due[0].EventID || !bytes.Equal(again[0].Payload, due[0].Payload) {
		t.Fatalf("%+v", again)
	}
	r.ok(r.l.FinishDelivery(ctx, due[0], Posted{Status: 200, At: r.now}, r.now)) // whose lease is over
	r.want("pending", "SELECT state FROM deliveries WHERE id = ?", due[0].ID)
	if e := r.endpointNow(id); e.Failures != 0 || !e.FailingSince.IsZero() || !e.WaitUntil.IsZero() {
		t.Errorf("it answered, however late: %+v", e)
	}
	r.ok(r.l.FinishDelivery(ctx, again[0], Posted{Status: 204, At: r.now}, r.now))
	if off := fail(again[0], f); off != "" {
		t.Errorf("off: %s", off)
	}
	r.want("done", "SELECT state FROM deliveries WHERE id = ?", due[0].ID)

	// Five days, to the millisecond, since the failure just now.
	since := r.now
	r.wait(5*24*time.Hour - time.Millisecond)
	if off := fail(due[1], f); off != "" {
		t.Errorf("a millisecond early: %s", off)
	}
	r.ok(r.l.ResendDelivery(ctx, shopHash, id, due[0].ID, r.now))
	r.is(r.l.ResendDelivery(ctx, shopHash, id, due[0].ID, r.now), ErrNotFound)
	if e := r.endpointNow(id); !e.FailingSince.Equal(since) || !e.WaitUntil.IsZero() {
		t.Errorf("asked for again, at once: %+v", e)
	}
	r.wait(time.Millisecond)
	last := r.posting(id)
	if len(last) != 2 || last[0].Tries != 1 && last[1].Tries != 1 {
		t.Fatalf("%+v", last)
	}
	if off := fail(last[0], Failure{Limit: f.Limit, Alarm: true}); off != OffFailing {
		t.Errorf("after five days: %q", off)
	}
	if off := fail(last[1], f); off != "" {
		t.Errorf("switched off twice: %q", off)
	}
	if e := r.endpointNow(id); e.State != EndpointOff || e.Why != OffFailing || !e.OffAt.Equal(r.now) {
		t.Errorf("%+v", e)
	}
	r.want("failed", "SELECT state FROM deliveries WHERE id = ?", last[0].ID)
	mails, err := r.l.LeaseWritebacks(ctx, shopHash, 2, r.now, r.now.Add(lease), 9)
	r.ok(err)
	if len(mails) != 1 || mails[0].Kind != Mail || mails[0].Subject != 0 || mails[0].Ref != fmt.Sprintf("endpoint_off-%d#%s", id, r.at()) {
		t.Errorf("mails %+v", mails)
	}
	if off, failing, err := r.l.EndpointTroubles(ctx, shopHash, r.now); off != 1 || failing != 0 || err != nil {
		t.Errorf("troubles %d, %d, %v", off, failing, err)
	}
	if refs, err := r.l.DueEndpoints(ctx, r.now.Add(day)); err != nil || len(refs) != 0 {
		t.Errorf("one that is off is due: %v, %v", refs, err)
	}
	waiting, failed, err := r.l.DeliveryCounts(ctx, shopHash, id)
	if waiting != 1 || failed != 1 || err != nil {
		t.Errorf("%d wait, %d failed, %v", waiting, failed, err)
	}
	r.ok(r.l.ResumeEndpoint(ctx, shopHash, id, r.now))
	if n, err := r.l.ResendFailed(ctx, shopHash, id, r.now); n != 1 || err != nil {
		t.Errorf("%d sent again, %v", n, err)
	}

	// 410, and a ping, which says nothing about an endpoint.
	r.wait(time.Minute)
	r.ok(r.l.TestEndpoint(ctx, shopHash, id, r.now))
	ping := r.next(id)
	if ping.Type != Ping {
		t.Fatalf("the ping does not come first: %+v", ping)
	}
	if off := fail(ping, Failure{Limit: 0}); off != "" || r.endpointNow(id).Failures != 0 {
		t.Errorf("a ping counts: %q", off)
	}
	r.ok(r.l.TestEndpoint(ctx, shopHash, id, r.now))
	if off := fail(r.next(id), Failure{Limit: time.Hour, Gone: true}); off != OffGone {
		t.Errorf("410: %q", off)
	}
	r.is(r.l.TestEndpoint(ctx, shopHash, id, r.now), ErrNotFound)
	if ms, err := r.l.LeaseWritebacks(ctx, shopHash, 2, r.now, r.now.Add(lease), 9); err != nil || len(ms) != 0 {
		t.Errorf("without a mail server there is a mail: %+v, %v", ms, err)
	}
}

// TestDeliveriesResume: of what was being tried when the process died the try does not count; what waits keeps its time, unless that is
// further away than any wait.
func TestDeliveriesResume(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	id := r.endpoint()
	for i := range 3 {
		r.onHold(int64(1 + i))
	}
	due := r.posting(id)
	for i, wait := range []time.Duration{24 * time.Hour, LongestDeliveryWait + time.Minute} {
		_, err := r.l.FailDelivery(ctx, due[i], Posted{At: r.now, Trouble: "no"}, Failure{Next: r.now.Add(wait), Wait: r.now.Add(wait), Limit: 5 * day}, r.now)
		r.ok(err)
	}
	r.changes(func() error { return r.l.Resume(ctx, r.now) }, slices.Concat(
		on(fmt.Sprint("deliveries ", due[1].ID), fmt.Sprintf("due_at: %d -> %s", millis(r.now.Add(LongestDeliveryWait+time.Minute)), r.at())),
		on(fmt.Sprint("deliveries ", due[2].ID), fmt.Sprintf("due_at: %d -> %s", millis(r.now.Add(lease)), r.at()), fmt.Sprintf("leased_until: %d -> 0", millis(r.now.Add(lease))), "tries: 1 -> 0"),
		on("endpoints abc123/1", fmt.Sprintf("wait_until: %d -> 0", millis(r.now.Add(LongestDeliveryWait+time.Minute)))))...)
}

// TestEventsEnd: events are forgotten after 30 days with their deliveries, dropped with their endpoint or the Shop's installation, and an
// endpoint that was removed goes with its last one.
func TestEventsEnd(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	gone, stays := r.endpoint(), r.endpoint()
	r.onHold(1)
	r.ok(r.l.RemoveEndpoint(ctx, shopHash, gone, r.now))
	r.want("dropped", "SELECT state FROM deliveries WHERE endpoint_id = ?", gone)
	r.want("pending", "SELECT state FROM deliveries WHERE endpoint_id = ?", stays)
	r.want("0", "SELECT length(secret) + length(url) FROM endpoints WHERE id = ?", gone)
	r.wait(keepEvents)
	_, err := r.l.Forget(ctx, r.now)
	r.ok(err)
	r.want("2", "SELECT count(*) FROM deliveries")
	r.want("2", "SELECT count(*) FROM endpoints")
	r.wait(time.Millisecond)
	forget(r, ctx, r.now)
	r.want("0", "SELECT count(*) FROM deliveries")
	r.want("0", "SELECT count(*) FROM events")
	r.want("1", "SELECT count(*) FROM endpoints")
	r.onHold(2)
	r.ok(r.l.UninstallShop(ctx, r.row(shopHash), r.now))
	r.want("dropped the app was uninstalled", "SELECT state || ' ' || trouble FROM deliveries")
	r.install(shopHash)
	if e := r.endpointNow(stays); e.State != EndpointOn {
		t.Errorf("installed again: %+v", e)
	}
}
