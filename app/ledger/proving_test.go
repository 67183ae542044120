package ledger

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/receipt"
)

// TestCartDecision: a Decision is stored with its explanation and a Receipt that verifies, and a Capability beside it gets a fresh id.
func TestCartDecision(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	s := r.shop()
	n := r.cartDecision("c1", gate.Verify)
	n.Facts.Buyer.CustomerID = 7
	n.Policy = 0 // before the first is saved; a Receipt names version 1
	grant := Capability{Shop: s.Hash, Purpose: ForConfirm, CustomerID: 7, Mailbox: s.MailboxHash("a@x.example"), ExpiresAt: r.now.Add(time.Minute)}
	id, err := r.l.RecordCartDecision(ctx, s, n, &grant, r.now)
	r.ok(err)
	d, err := r.l.Decision(ctx, s.Hash, id)
	r.ok(err)
	want := Decision{Decision: n.Decision, ID: id, Stage: gate.AtCheckout, CartID: "c1", CustomerID: 7, MadeBy: ByRule, Receipt: d.Receipt, At: r.now}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("got\n%+v\nwant\n%+v", d, want)
	}
	claims, err := receipt.Verify(r.l.JWKS(), d.Receipt, r.now)
	r.ok(err)
	signed := receipt.DecisionReceipt{ID: id, Shop: s.Hash, CartID: "c1", Outcome: "verify", PolicyVersion: 1, FactsDigest: s.FactsDigest(n.Facts.Canonical()),
		Reasons: []string{"no_proof"}, MadeBy: "rule"}
	if claims.Issuer != "https://idgate.example" || !claims.IssuedAt.Equal(r.now) || !reflect.DeepEqual(*claims.Decision, signed) {
		t.Errorf("receipt %+v, %+v", claims, *claims.Decision)
	}
	if c, err := r.l.Capability(ctx, r.l.Token(grant), ForConfirm, r.now); err != nil || c.CustomerID != 7 || c.CartID != "" {
		t.Errorf("capability %+v, %v", c, err)
	}
	_, err = r.l.Decision(ctx, "other9", id)
	r.is(err, ErrNotFound)
	if ds, err := r.l.CartDecisions(ctx, s.Hash, ""); len(ds) != 0 || err != nil {
		t.Errorf("of no cart: %v, %v", ds, err)
	}
	// What cannot be signed is not stored.
	before := dump(t, r.l.readDB)
	n.Facts.CartID = ""
	if _, err := r.l.RecordCartDecision(ctx, s, n, &grant, r.now); err == nil {
		t.Error("a decision about nothing was stored")
	}
	n.Facts.CartID = "c1"
	bad := Capability{Shop: s.Hash, Purpose: ForCart}
	if _, err := r.l.RecordCartDecision(ctx, s, n, &bad, r.now); err == nil {
		t.Error("a capability for no cart was stored")
	}
	if after := dump(t, r.l.readDB); after != before {
		t.Errorf("stored\n%s", after)
	}
}

// TestAnswerCart: a question that brings nothing new is answered by the cart's latest Decision, as it was stored, and grants its asker a Capability
// all the same. Whatever is new, in any part, is a Decision of its own; so is the same after an hour.
func TestAnswerCart(t *testing.T) {
	ctx := t.Context()
	base := func(r *rig) NewDecision {
		n := r.cartDecision("c1", gate.Verify)
		n.Facts.Buyer.CustomerID, n.Facts.Value = 7, gate.Money{Minor: 5000, Currency: "EUR"}
		return n
	}
	for name, c := range map[string]struct {
		change func(*NewDecision)
		after  time.Duration
		before func(r *rig) // a Decision in between
		same   bool
	}{
		"nothing":          {same: true},
		"59 minutes later": {after: 59 * time.Minute, same: true},
		"an hour later":    {after: time.Hour},
		"an hour before":   {after: -time.Hour},
		"the facts":        {change: func(n *NewDecision) { n.Facts.Value.Minor++ }},
		"the buyer":        {change: func(n *NewDecision) { n.Facts.Buyer.CustomerID = 8 }},
		"the cart":         {change: func(n *NewDecision) { n.Facts.CartID = "c2" }},
		"the outcome":      {change: func(n *NewDecision) { n.Decision.Outcome = gate.Allow }},
		"the mode":         {change: func(n *NewDecision) { n.Decision.Mode = gate.Shadow }},
		"the reasons":      {change: func(n *NewDecision) { n.Decision.Reasons = []gate.Reason{{Code: gate.ProofExpired}} }},
		"the requirement":  {change: func(n *NewDecision) { n.Decision.Requirement.IAL = 2 }},
		"the proof":        {change: func(n *NewDecision) { n.Decision.ProofID = "p" }},
		"the version":      {change: func(n *NewDecision) { n.Policy = 2 }},
		"a failure choice": {change: func(n *NewDecision) { n.MadeBy = ByFailure }},
		"a person":         {change: func(n *NewDecision) { n.MadeBy, n.Person = ByPerson, "ada" }},
		"another answer in between": {before: func(r *rig) {
			_, err := r.l.RecordCartDecision(ctx, r.shop(), r.cartDecision("c1", gate.Allow), nil, r.now)
			r.ok(err)
		}},
		"another cart's in between": {before: func(r *rig) {
			_, err := r.l.RecordCartDecision(ctx, r.shop(), r.cartDecision("c2", gate.Allow), nil, r.now)
			r.ok(err)
		}, same: true},
	} {
		r := newRig(t)
		id, err := r.l.AnswerCart(ctx, r.shop(), base(r), nil, r.now)
		r.ok(err)
		first, err := r.l.Decision(ctx, shopHash, id)
		r.ok(err)
		if c.before != nil {
			c.before(r)
		}
		n, now := base(r), r.now.Add(c.after)
		if c.change != nil {
			c.change(&n)
		}
		stored := r.value("SELECT count(*) FROM decisions")
		grant := Capability{Shop: shopHash, Purpose: ForCart, CartID: n.Facts.CartID, ExpiresAt: now.Add(time.Hour)}
		again, err := r.l.AnswerCart(ctx, r.shop(), n, &grant, now)
		r.ok(err)
		if (again == id) != c.same || (r.value("SELECT count(*) FROM decisions") == stored) != c.same {
			t.Errorf("%s: the same Decision: %t, want %t", name, again == id, c.same)
		}
		if d, err := r.l.Decision(ctx, shopHash, id); err != nil || !reflect.DeepEqual(d, first) {
			t.Errorf("%s: the first one was changed: %+v, %v", name, d, err)
		}
		if _, err := r.l.Capability(ctx, r.l.Token(grant), ForCart, now); err != nil {
			t.Errorf("%s: the Capability: %v", name, err)
		}
	}
}

// TestAnswerCartOfAnOrder: what an order was answered is no answer for its cart.
func TestAnswerCartOfAnOrder(t *testing.T) {
	r := newRig(t)
	n := r.cartDecision("c1", gate.Verify)
	id, err := r.l.AnswerCart(t.Context(), r.shop(), n, nil, r.now)
	r.ok(err)
	r.settled(118, Held, gate.Hold)
	r.exec("UPDATE decisions SET cart_id = 'c1' WHERE order_id = 118")
	if again, err := r.l.AnswerCart(t.Context(), r.shop(), n, nil, r.now); err != nil || again == id {
		t.Errorf("the same Decision after the order's, %v", err)
	}
}

// TestKnowsCart: a cart is known from its first Decision on, in its own Shop.
func TestKnowsCart(t *testing.T) {
	r := newRig(t)
	_, err := r.l.AnswerCart(t.Context(), r.shop(), r.cartDecision("c1", gate.Allow), nil, r.now)
	r.ok(err)
	for _, c := range []struct {
		hash, cart string
		want       bool
	}{{shopHash, "c1", true}, {shopHash, "c2", false}, {"other9", "c1", false}, {shopHash, "", false}} {
		if got, err := r.l.KnowsCart(t.Context(), c.hash, c.cart); got != c.want || err != nil {
			t.Errorf("%s %q: %t, %v", c.hash, c.cart, got, err)
		}
	}
}

// TestSession: what is started is found by its id, its Capability, its cart or order, and by nobody else.
func TestSession(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	c := r.cart("c1", 7, "ada@example.com")
	n := r.session(c)
	want := n
	want.Shop, want.Capability, want.CartID, want.CustomerID, want.Mailbox, want.StartedAt, want.ChangedAt = shopHash, c.ID, "c1", 7, c.Mailbox, r.now, r.now
	want.ID = n.ID
	got, err := r.l.Session(ctx, n.ID)
	r.ok(err)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if by, err := r.l.CapabilitySession(ctx, c); err != nil || !reflect.DeepEqual(by, want) {
		t.Errorf("by its capability: %+v, %v", by, err)
	}
	other := r.cart("c1", 7, "ada@example.com")
	_, err = r.l.CapabilitySession(ctx, other)
	r.is(err, ErrNotFound)
	_, err = r.l.Session(ctx, "nobody's")
	r.is(err, ErrNotFound)

	r.wait(time.Minute)
	second := r.session(c)
	if by, err := r.l.CapabilitySession(ctx, c); err != nil || by.ID != second.ID {
		t.Errorf("the newest: %+v, %v", by, err)
	}
	mail := Capability{ID: []byte("sixteen bytes..."), Shop: shopHash, Purpose: ForMail, OrderID: 118, CartID: ""}
	r.wait(time.Minute)
	third := r.session(mail)
	ns, err := r.l.SubjectSessions(ctx, shopHash, 118, "c1")
	r.ok(err)
	if ids := []string{ns[0].ID, ns[1].ID, ns[2].ID}; !slices.Equal(ids, []string{third.ID, second.ID, n.ID}) {
		t.Errorf("of the order and its cart: %v", ids)
	}
	if ns, err := r.l.SubjectSessions(ctx, shopHash, 0, ""); len(ns) != 0 || err != nil {
		t.Errorf("of nothing: %v, %v", ns, err)
	}
	for _, tt := range []struct {
		c    Capability
		from time.Time
		want int64
	}{{c, start.Add(-time.Second), 2}, {c, start, 1}, {mail, start, 1}, {mail, r.now, 0}, {Capability{Shop: "other9", CartID: "c1"}, start, 0}} {
		if got, err := r.l.CountSessions(ctx, tt.c, tt.from); got != tt.want || err != nil {
			t.Errorf("%s/%d since %v: %d, %v", tt.c.CartID, tt.c.OrderID, tt.from, got, err)
		}
	}
	// A capture link moved to another row does not open there.
	r.exec("UPDATE sessions SET capture_url = (SELECT s.capture_url FROM sessions AS s WHERE s.id = ?) WHERE id = ?", n.ID, second.ID)
	_, err = r.l.Session(ctx, second.ID)
	r.is(err, ErrSealBroken)
}

// TestMoveSession follows a Session through its states. A final one keeps no link, and never changes.
func TestMoveSession(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	n := r.session(r.cart("c1", 0, ""))
	move := func(n Session, m Move, want bool) {
		t.Helper()
		m.Deadline = n.Deadline
		moved, err := r.l.MoveSession(ctx, r.shop(), n, m, r.now)
		r.ok(err)
		if moved != want {
			t.Errorf("moved to %s: %v, want %v", m.State, moved, want)
		}
	}
	for i, state := range []idv.State{idv.StateStarted, idv.StateProcessing, idv.StateReview, idv.StateProcessing} {
		leased := r.polled()
		if leased.CaptureURL != n.CaptureURL || leased.Attempt != int64(i+1) {
			t.Errorf("polled: %+v", leased)
		}
		r.wait(time.Second)
		move(leased, Move{State: state, PollAt: r.now.Add(time.Second), Digest: [32]byte{1}}, true)
		move(leased, Move{State: idv.StateFailed}, false) // the lease has ended
		got, err := r.l.Session(ctx, n.ID)
		r.ok(err)
		if got.State != state || !got.ChangedAt.Equal(r.now) || got.CaptureURL != n.CaptureURL || !got.PollAt.Equal(r.now.Add(time.Second)) {
			t.Errorf("moved: %+v", got)
		}
		r.wait(time.Second)
	}
	leased := r.polled()
	r.ok(r.l.PostponeSession(ctx, leased, r.now.Add(time.Minute), "the provider is down"))
	got, err := r.l.Session(ctx, n.ID)
	r.ok(err)
	if got.State != idv.StateProcessing || got.Trouble != "the provider is down" || !got.PollAt.Equal(r.now.Add(time.Minute)) {
		t.Errorf("postponed: %+v", got)
	}
	r.wait(time.Minute)
	old := r.polled()
	r.wait(lease)
	leased = r.polled() // old's lease has run out
	move(old, Move{State: idv.StatePassed}, false)
	r.ok(r.l.PostponeSession(ctx, old, r.now, "late"))
	move(leased, Move{State: idv.StatePassed, Late: true, Reason: "late"}, true)
	got, err = r.l.Session(ctx, n.ID)
	r.ok(err)
	if got.State != idv.StatePassed || !got.Late || got.Reason != "late" || got.CaptureURL != "" || !got.PollAt.IsZero() || got.Trouble != "" {
		t.Errorf("final: %+v", got)
	}
	before := dump(t, r.l.readDB)
	r.exec("UPDATE sessions SET leased_until = 99")
	for _, state := range idv.States() {
		move(leased, Move{State: state}, false)
	}
	r.exec("UPDATE sessions SET leased_until = 0")
	r.ok(r.l.WakeSession(ctx, shopHash, n.ID, r.now))
	if after := dump(t, r.l.readDB); after != before {
		t.Errorf("a final session changed:\n%s\nwas\n%s", after, before)
	}
	r.want("0", "SELECT length(capture_url) FROM sessions")
	r.want("0", "SELECT count(*) FROM proofs")
	// A state that is not final must be polled again.
	r.wait(time.Second)
	r.session(r.cart("c2", 0, ""))
	leased = r.polled()
	if moved, err := r.l.MoveSession(ctx, r.shop(), leased, Move{State: idv.StateStarted}, r.now); moved || err == nil {
		t.Errorf("moved without a time to poll: %v, %v", moved, err)
	}
}

// TestWakeSession: a doorbell is let through once in 2 s, not into a running poll, and only by its own Shop.
func TestWakeSession(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	n := r.session(r.cart("c1", 0, ""))
	due := func(want bool) {
		t.Helper()
		got, err := r.l.Session(ctx, n.ID)
		r.ok(err)
		if !got.PollAt.After(r.now) != want {
			t.Errorf("due %v, want %v", !want, want)
		}
	}
	later := func() {
		t.Helper()
		r.ok(r.l.PostponeSession(ctx, r.polled(), r.now.Add(15*time.Second), ""))
	}
	later()
	r.ok(r.l.WakeSession(ctx, "other9", n.ID, r.now))
	r.ok(r.l.WakeSession(ctx, shopHash, "nobody's", r.now))
	due(false)
	<-r.l.Ring(SessionBell)
	r.ok(r.l.WakeSession(ctx, shopHash, n.ID, r.now))
	due(true)
	<-r.l.Ring(SessionBell)
	later()
	r.wait(2*time.Second - time.Millisecond)
	r.ok(r.l.WakeSession(ctx, shopHash, n.ID, r.now))
	due(false)
	r.wait(time.Millisecond)
	r.ok(r.l.WakeSession(ctx, shopHash, n.ID, r.now))
	due(true)
	polling := r.polled()
	r.wait(time.Minute)
	r.ok(r.l.WakeSession(ctx, shopHash, n.ID, r.now))
	due(false)
	r.ok(r.l.PostponeSession(ctx, polling, r.now.Add(time.Second), ""))
}

// proved passes a Session with a Proof.
func (r *rig) proved(c Capability, p NewProof, d *NewDecision) Session {
	r.Helper()
	r.session(c)
	n := r.polled()
	moved, err := r.l.MoveSession(context.Background(), r.shop(), n, Move{State: idv.StatePassed, Deadline: n.Deadline, Proof: &p, Decision: d}, r.now)
	r.ok(err)
	if !moved {
		r.Fatal("not moved")
	}
	return n
}

func (r *rig) ada() NewProof {
	return NewProof{IAL: 2, Source: gate.SourcePolicy, Document: true, Selfie: true, Age: 36, Person: Person{Given: "Ada", Family: "Lovelace", Street: "12 St James's Square", Postcode: "SW1Y 4JH", Country: "GBR"},
		GoodUntil: r.now.Add(24 * time.Hour)}
}

// TestProof: a pass with its Proof, the cart's Decision, its Receipt, and what is owed and due for it, in one transaction.
func TestProof(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	policy := gate.Default("EUR")
	policy.Mode, policy.CustomFieldsV2 = gate.Enforce, true
	_, err := r.l.SavePolicy(ctx, shopHash, PolicyChange{Base: 0, Policy: policy, Author: "ada", Note: "", Since: r.now}, r.now)
	r.ok(err)
	for id, given := range map[int64]string{1: "customer_id = 7, hold = 'held', former_status = 11", 2: "customer_id = 7", 3: "cart_id = 'c1'", 4: "customer_id = 8, hold = 'held', former_status = 11"} {
		r.ok(r.l.DueOrder(ctx, shopHash, id, r.now))
		r.exec(fmt.Sprintf("UPDATE orders SET due_at = 0, %s WHERE order_id = %d", given, id))
	}
	d := r.cartDecision("c1", gate.Allow)
	n := r.proved(r.cart("c1", 7, "ada@example.com"), r.ada(), &d)
	s := r.shop()
	f := gate.Facts{CartID: "c1", OrderID: 9, Buyer: gate.Buyer{CustomerID: 7, Mailbox: s.MailboxHash("ADA@example.com")}}
	ps, err := r.l.ProofsFor(ctx, s, f)
	r.ok(err)
	want := gate.Proof{ID: ps[0].ID, IAL: 2, Source: gate.SourcePolicy, Document: true, Selfie: true, Age: 36, Name: gate.Name{Given: "Ada", Family: "Lovelace"}, At: r.now,
		Address: gate.Address{Street: "12 St James's Square", Postcode: "SW1Y 4JH", Country: "GBR"}, Until: r.now.Add(24 * time.Hour), Holder: gate.Holder{CustomerID: 7, CartID: "c1", Mailbox: s.MailboxHash("ada@example.com")}}
	if len(ps) != 1 || ps[0] != want {
		t.Errorf("found by four ways, once:\n%+v\nwant\n%+v", ps, want)
	}
	p, err := r.l.Proof(ctx, s, want.ID)
	r.ok(err)
	if p.Proof != want || p.SessionID != n.ID {
		t.Errorf("proof %+v", p)
	}
	ds, err := r.l.CartDecisions(ctx, shopHash, "c1")
	r.ok(err)
	if len(ds) != 2 || ds[0].Outcome != gate.Allow || ds[0].ProofID != want.ID || ds[0].Receipt == "" {
		t.Errorf("decisions %+v", ds)
	}
	ws, err := r.l.CustomerWritebacks(ctx, shopHash, 7)
	r.ok(err)
	var kinds []WritebackKind
	for _, w := range ws {
		kinds = append(kinds, w.Kind)
		if w.Ref != want.ID || w.State != "pending" {
			t.Errorf("owed %+v", w)
		}
	}
	if !slices.Equal(kinds, []WritebackKind{CustomerFieldsV2, ProofMetafield, CustomerAttributes}) {
		t.Errorf("owed to the customer: %v", kinds)
	}
	// The customer's orders on hold and the cart's orders are looked at again; nobody else's.
	r.want("1,3", "SELECT group_concat(order_id) FROM (SELECT order_id FROM orders WHERE due_at != 0 ORDER BY order_id)")

	// Each of the four ways finds it alone; nothing finds nothing.
	for name, f := range map[string]gate.Facts{
		"customer": {Buyer: gate.Buyer{CustomerID: 7}}, "cart": {CartID: "c1"}, "mailbox": {Buyer: gate.Buyer{Mailbox: f.Buyer.Mailbox}},
	} {
		if ps, err := r.l.ProofsFor(ctx, s, f); len(ps) != 1 || err != nil {
			t.Errorf("by %s: %v, %v", name, ps, err)
		}
	}
	if ps, err := r.l.ProofsFor(ctx, s, gate.Facts{}); len(ps) != 0 || err != nil {
		t.Errorf("by nothing: %v, %v", ps, err)
	}
	_, err = r.l.Proof(ctx, s, "nobody's")
	r.is(err, ErrNotFound)

	// Revoked, it is found as such.
	r.exec("UPDATE proofs SET revoked_at = 1, revoked_by = 'bob', revoked_why = 'fraud'")
	if p, err := r.l.Proof(ctx, s, want.ID); err != nil || !p.Revoked {
		t.Errorf("revoked: %+v, %v", p, err)
	}
}

// A Proof of before addresses were kept in parts has a name and no address to compare.
func TestProofWithoutPartsOfAnAddress(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.proved(r.cart("c1", 7, "ada@example.com"), r.ada(), nil)
	s := r.shop()
	ps, err := r.l.ProofsFor(ctx, s, gate.Facts{CartID: "c1"})
	r.ok(err)
	sealed, err := s.key.Seal("person", ps[0].ID, []byte(`{"given":"Ada","family":"Lovelace","place":"12 st james's square sw1y 4jh london gbr"}`))
	r.ok(err)
	r.exec(fmt.Sprintf("UPDATE proofs SET person = x'%x'", sealed))
	p, err := r.l.Proof(ctx, s, ps[0].ID)
	r.ok(err)
	if p.Name != ps[0].Name || p.Address != (gate.Address{}) || ps[0].Address == (gate.Address{}) {
		t.Errorf("read as %+v", p)
	}
}

// TestProofOfOrder: a Proof by an order's link makes this order due, also one that was never heard of.
func TestProofOfOrder(t *testing.T) {
	r := newRig(t)
	p := r.ada()
	p.Age, p.Selfie = -1, false
	r.proved(Capability{ID: []byte("sixteen bytes..."), Shop: shopHash, Purpose: ForMail, OrderID: 118}, p, nil)
	r.want("118", "SELECT group_concat(order_id) FROM orders WHERE due_at != 0")
	r.want("0", "SELECT count(*) FROM writebacks")
	ps, err := r.l.ProofsFor(t.Context(), r.shop(), gate.Facts{OrderID: 118})
	r.ok(err)
	if len(ps) != 1 || ps[0].Age != -1 || ps[0].Selfie || !ps[0].Document || ps[0].Holder != (gate.Holder{OrderID: 118}) {
		t.Errorf("%+v", ps)
	}
}

// TestShadow: a Policy that does not enforce writes nothing to a customer.
func TestShadow(t *testing.T) {
	for mode, want := range map[gate.Mode]string{gate.Off: "0", gate.Shadow: "0", gate.Enforce: "2"} {
		r := newRig(t)
		policy := gate.Default("EUR")
		policy.Mode = mode
		_, err := r.l.SavePolicy(t.Context(), shopHash, PolicyChange{Base: 0, Policy: policy, Author: "ada", Note: "", Since: r.now}, r.now)
		r.ok(err)
		r.proved(r.cart("c1", 7, ""), r.ada(), nil)
		r.want(want, "SELECT count(*) FROM writebacks")
	}
}

// TestProofOnce: a Session makes one Proof, and what cannot be stored whole is not stored at all.
func TestProofOnce(t *testing.T) {
	r := newRig(t)
	r.session(r.cart("c1", 7, ""))
	n := r.polled()
	before := dump(t, r.l.readDB)
	d := r.cartDecision("", gate.Allow) // about no cart: cannot be signed
	p := r.ada()
	moved, err := r.l.MoveSession(t.Context(), r.shop(), n, Move{State: idv.StatePassed, Deadline: n.Deadline, Proof: &p, Decision: &d}, r.now)
	if moved || err == nil {
		t.Errorf("moved %v, %v", moved, err)
	}
	short := r.ada()
	short.GoodUntil = r.now
	moved, err = r.l.MoveSession(t.Context(), r.shop(), n, Move{State: idv.StatePassed, Deadline: n.Deadline, Proof: &short}, r.now)
	if moved || err == nil {
		t.Errorf("moved with a proof that is good for no time: %v, %v", moved, err)
	}
	if after := dump(t, r.l.readDB); after != before {
		t.Errorf("stored\n%s\nwas\n%s", after, before)
	}
	// The same pass again, with what can be stored: the lease is still ours.
	for i := range 2 {
		moved, err = r.l.MoveSession(t.Context(), r.shop(), n, Move{State: idv.StatePassed, Deadline: n.Deadline, Proof: &p}, r.now)
		if moved != (i == 0) || err != nil {
			t.Errorf("%d: moved %v, %v", i, moved, err)
		}
	}
	r.want("1", "SELECT count(*) FROM proofs")
	// A person moved to another row does not open there.
	r.wait(time.Second)
	r.proved(r.cart("c2", 8, ""), r.ada(), nil)
	r.exec("UPDATE proofs SET person = (SELECT q.person FROM proofs AS q WHERE q.customer_id = 8) WHERE customer_id = 7")
	_, err = r.l.ProofsFor(t.Context(), r.shop(), gate.Facts{Buyer: gate.Buyer{CustomerID: 7}})
	r.is(err, ErrSealBroken)
}

// TestUnreadableSession: a Session that cannot be read keeps none of its neighbours from being polled, says why, and is looked at again.
func TestUnreadableSession(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	var ids []string
	for i := range 3 {
		ids = append(ids, r.session(r.cart(fmt.Sprintf("c%d", i), 7, "")).ID)
	}
	r.exec("UPDATE sessions SET capture_url = x'00' WHERE id = ?", ids[1])
	due, err := r.l.LeaseSessions(ctx, shopHash, r.now, r.now.Add(lease), 9)
	r.ok(err)
	var got []string
	for _, n := range due {
		got = append(got, n.ID)
		r.ok(r.l.PostponeSession(ctx, n, r.now.Add(time.Hour), ""))
	}
	slices.Sort(got)
	want := []string{ids[0], ids[2]}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("leased %v, want %v", got, want)
	}
	if said := r.value("SELECT trouble FROM sessions WHERE id = ?", ids[1]); !strings.HasPrefix(said, "it cannot be read (") {
		t.Errorf("it says %q", said)
	}
	r.want("created", "SELECT state FROM sessions WHERE id = ?", ids[1])
	r.wait(lease + unreadable - time.Millisecond)
	if due, err := r.l.LeaseSessions(ctx, shopHash, r.now, r.now.Add(lease), 9); len(due) != 0 || err != nil {
		t.Fatalf("leased too soon: %v, %v", due, err)
	}
	r.exec("UPDATE sessions SET capture_url = x''")
	r.wait(time.Millisecond)
	if due, err := r.l.LeaseSessions(ctx, shopHash, r.now, r.now.Add(lease), 9); len(due) != 1 || err != nil || due[0].ID != ids[1] {
		t.Fatalf("put right: leased %v, %v", due, err)
	}
}
