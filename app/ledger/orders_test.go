package ledger

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"idgate/app/gate"
)

// TestSettleOrder: everything of a Settlement is stored, and what follows is owed.
func TestSettleOrder(t *testing.T) {
	r := newRig(t)
	s := r.shop()
	l := r.evaluated(118)
	<-r.l.Ring(OrderBell)
	want := Order{ID: 118, StatusID: 11, CustomerID: 7, CartID: "c1", Mailbox: s.MailboxHash("ada@example.com"), Buyer: Buyer{Name: "Ada Lovelace", Mailbox: "Ada@example.com"},
		Value: gate.Money{Minor: 5000, Currency: "EUR"}, Source: "www", PlacedAt: r.now.Add(-time.Hour), ModifiedAt: r.now.Add(-time.Minute), SeenAt: r.now,
		Hold: Holding, FormerStatus: 11, HoldStatus: 12}
	d := r.orderDecision(118, gate.Hold)
	grant := &Capability{Shop: s.Hash, Purpose: ForMail, OrderID: 118, Mailbox: want.Mailbox, ExpiresAt: r.now.Add(time.Hour)}
	r.owe(Release, 118, "an older decision")
	r.ok(r.l.SettleOrder(t.Context(), s, l, Settlement{Order: want, Decision: &d, Grant: grant, Owe: []WritebackKind{Hold, Note}, Drop: []WritebackKind{Release}}, r.now))
	<-r.l.Ring(WritebackBell)

	got := r.order(118)
	want.DecisionID, want.FactsDigest, want.Link, want.Attempt = got.DecisionID, s.FactsDigest(d.Facts.Canonical()), grant.ID, 1
	want.Answer = "hold"
	if got.DecisionID == "" || !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	ds, err := r.l.OrderDecisions(t.Context(), s.Hash, 118)
	r.ok(err)
	if len(ds) != 1 || ds[0].ID != got.DecisionID || ds[0].Outcome != gate.Hold || ds[0].OrderID != 118 {
		t.Errorf("decisions %+v", ds)
	}
	link, err := r.l.Capability(t.Context(), r.l.Token(*grant), ForMail, r.now)
	r.ok(err)
	if link.OrderID != 118 || link.Mailbox != want.Mailbox {
		t.Errorf("link %+v", link)
	}
	ws, err := r.l.OrderWritebacks(t.Context(), s.Hash, 118)
	r.ok(err)
	if len(ws) != 3 || ws[2].Kind != Release || ws[2].State != "dropped" || ws[1].Kind != Hold || ws[1].Ref != got.DecisionID || ws[0].Kind != Note || ws[0].State != "pending" {
		t.Errorf("owed: %+v", ws)
	}

	// Settled again without a new Decision or link: both are kept, and so is what an order without a buyer can do without.
	r.wait(time.Minute)
	l = r.evaluated(118)
	next := got
	next.Buyer, next.Hold = Buyer{}, Held
	r.ok(r.l.SettleOrder(t.Context(), s, l, Settlement{Order: next, Owe: []WritebackKind{Hold}}, r.now))
	again := r.order(118)
	if again.DecisionID != got.DecisionID || !bytes.Equal(again.Link, got.Link) || again.Hold != Held || again.Buyer != (Buyer{}) || !again.DueAt.IsZero() {
		t.Errorf("again: %+v", again)
	}
	// The same effect for the same Decision: one row, waiting once.
	r.want("1", "SELECT count(*) FROM writebacks WHERE kind = 'hold' AND state = 'pending'")
}

// TestSettleOrderDueAgain: what came while the order was being evaluated is not lost, whether or not the lease has run out by then.
func TestSettleOrderDueAgain(t *testing.T) {
	end := map[string]func(r *rig, l OrderLease) error{
		"settle": func(r *rig, l OrderLease) error {
			return r.l.SettleOrder(context.Background(), r.shop(), l, Settlement{Order: r.order(l.OrderID)}, r.now)
		},
		"postpone": func(r *rig, l OrderLease) error {
			return r.l.PostponeOrder(context.Background(), l, r.now.Add(time.Hour), "down")
		},
		"forget": func(r *rig, l OrderLease) error { return r.l.ForgetOrder(context.Background(), l, "gone") },
	}
	come := map[string]func(r *rig, id int64) error{
		"notice": func(r *rig, id int64) error { return r.l.DueOrder(context.Background(), shopHash, id, r.now) },
		"sweep": func(r *rig, id int64) error {
			n, err := r.l.DueSwept(context.Background(), shopHash, []Swept{{id, 9, r.now}}, r.now)
			if n != 1 {
				r.Errorf("%d orders due", n)
			}
			return err
		},
	}
	r := newRig(t)
	id := int64(0)
	for ending, end := range end {
		for coming, come := range come {
			for _, after := range []time.Duration{time.Second, lease, lease + time.Second} {
				id++
				l := r.evaluated(id)
				r.wait(after)
				r.ok(come(r, id))
				r.ok(end(r, l))
				got, err := r.l.LeaseOrders(t.Context(), shopHash, false, r.now, r.now.Add(lease), 9)
				if err != nil || len(got) != 1 || got[0].OrderID != id || got[0].Attempt != 1 {
					t.Fatalf("%s after a %s, %v into the lease: due are %v, %v", ending, coming, after, got, err)
				}
				r.ok(r.l.ForgetOrder(t.Context(), got[0], "done with"))
			}
		}
	}
}

// TestSettleOrderTooLate: the lease has run out and another holds it. Nothing of the Settlement is stored.
func TestSettleOrderTooLate(t *testing.T) {
	r := newRig(t)
	old := r.evaluated(118)
	r.wait(lease)
	second := r.leased(118)
	before := dump(t, r.l.readDB)
	d := r.orderDecision(118, gate.Hold)
	grant := &Capability{Shop: shopHash, Purpose: ForMail, OrderID: 118, ExpiresAt: r.now}
	r.is(r.l.SettleOrder(t.Context(), r.shop(), old, Settlement{Order: r.order(118), Decision: &d, Grant: grant, Owe: []WritebackKind{Hold}}, r.now), ErrLeaseLost)
	r.ok(r.l.PostponeOrder(t.Context(), old, r.now.Add(time.Hour), "late"))
	r.ok(r.l.ForgetOrder(t.Context(), old, "late"))
	if after := dump(t, r.l.readDB); after != before {
		t.Errorf("stored\n%s\nwas\n%s", after, before)
	}
	r.ok(r.l.SettleOrder(t.Context(), r.shop(), second, Settlement{Order: r.order(118), Decision: &d}, r.now))
	r.is(r.l.SettleOrder(t.Context(), r.shop(), second, Settlement{Order: r.order(118), Decision: &d}, r.now), ErrLeaseLost)
	r.want("1", "SELECT count(*) FROM decisions")
	// An order that there is not.
	r.is(r.l.SettleOrder(t.Context(), r.shop(), OrderLease{Shop: shopHash, OrderID: 7}, Settlement{Order: Order{ID: 7, Hold: NotHeld}}, r.now), ErrLeaseLost)
}

// TestTroubleOfOrders: postponing and forgetting say why, and evaluating again takes it back.
func TestTroubleOfOrders(t *testing.T) {
	r := newRig(t)
	l := r.evaluated(118)
	r.ok(r.l.PostponeOrder(t.Context(), l, r.now.Add(time.Minute), "BigCommerce is down"))
	if o := r.order(118); o.Trouble != "BigCommerce is down" || !o.DueAt.Equal(r.now.Add(time.Minute)) || o.Attempt != 1 {
		t.Errorf("postponed: %+v", o)
	}
	r.wait(time.Minute)
	l = r.leased(118)
	if l.Attempt != 2 {
		t.Errorf("attempt %d", l.Attempt)
	}
	r.ok(r.l.ForgetOrder(t.Context(), l, "no such order"))
	if o := r.order(118); o.Trouble != "no such order" || !o.DueAt.IsZero() {
		t.Errorf("forgotten: %+v", o)
	}
	l = r.evaluated(118)
	r.ok(r.l.SettleOrder(t.Context(), r.shop(), l, Settlement{Order: r.order(118)}, r.now))
	if o := r.order(118); o.Trouble != "" {
		t.Errorf("settled: %+v", o)
	}
}

// TestOrderOfOthers: a Shop sees its own orders only.
func TestOrderOfOthers(t *testing.T) {
	r := newRig(t)
	r.install("other9")
	r.ok(r.l.DueOrder(t.Context(), "other9", 118, r.now))
	_, err := r.l.Order(t.Context(), r.shop(), 118)
	r.is(err, ErrNotFound)
	due, err := r.l.LeaseOrders(t.Context(), shopHash, false, r.now, r.now.Add(lease), 9)
	if len(due) != 0 || err != nil {
		t.Errorf("%v, %v", due, err)
	}
}

// TestBuyerMoved: a sealed buyer opens in its own row only.
func TestBuyerMoved(t *testing.T) {
	r := newRig(t)
	for _, id := range []int64{1, 2} {
		l := r.evaluated(id)
		o := r.order(id)
		o.Buyer = Buyer{Name: fmt.Sprint("buyer ", id)}
		r.ok(r.l.SettleOrder(t.Context(), r.shop(), l, Settlement{Order: o}, r.now))
	}
	r.exec("UPDATE orders SET buyer = (SELECT o.buyer FROM orders AS o WHERE o.order_id = 2) WHERE order_id = 1")
	_, err := r.l.Order(t.Context(), r.shop(), 1)
	r.is(err, ErrSealBroken)
	_, err = r.l.OrdersBy(t.Context(), r.shop(), OrderFilter{}, Place{}, 9)
	r.is(err, nil) // never fetched: status -1
	r.exec("UPDATE orders SET status_id = 11")
	_, err = r.l.OrdersBy(t.Context(), r.shop(), OrderFilter{}, Place{}, 9)
	r.is(err, ErrSealBroken)
}

// TestConfirmHold: what was read back is recorded if the order is still as it was when the write began, and a lease that looked before is lost.
func TestConfirmHold(t *testing.T) {
	r := newRig(t)
	o := r.onHold(118)
	if o.Hold != Held || o.StatusID != 12 || !o.HeldAt.Equal(r.now) {
		t.Errorf("held: %+v", o)
	}
	r.ok(r.l.ConfirmHold(t.Context(), shopHash, 118, Holding, NotHeld, 11, r.now))
	if got := r.order(118); got.Hold != Held {
		t.Errorf("confirmed though it has moved on: %+v", got)
	}
	l := r.evaluated(118)
	r.ok(r.l.ConfirmHold(t.Context(), shopHash, 118, Held, Released, 11, r.now))
	if got := r.order(118); got.Hold != Released || got.StatusID != 11 || !got.HeldAt.Equal(o.HeldAt) || !got.DueAt.Equal(r.now) {
		t.Errorf("released: %+v", got)
	}
	r.is(r.l.SettleOrder(t.Context(), r.shop(), l, Settlement{Order: o}, r.now), ErrLeaseLost)
	if got := r.order(118); got.Hold != Released {
		t.Errorf("an older look at the order stands: %+v", got)
	}
}

// TestUndoHold: what was not written after all is looked at again; both are recorded or neither is.
func TestUndoHold(t *testing.T) {
	r := newRig(t)
	r.onHold(118)
	r.wait(time.Minute)
	r.ok(r.l.UndoHold(t.Context(), shopHash, 118, Held, NotHeld, 9, r.now))
	if got := r.order(118); got.Hold != NotHeld || got.StatusID != 9 || !got.DueAt.Equal(r.now) {
		t.Errorf("%+v", got)
	}
}

// TestOverride: a named person's word is a Decision, owes its effects, and is refused when the order has moved on since the page was opened.
func TestOverride(t *testing.T) {
	for _, tt := range []struct {
		name    string
		release bool
		was     HoldState
		says    string
		hold    HoldState
		owed    []WritebackKind
	}{
		{"release", true, Held, "release", Releasing, []WritebackKind{DecisionMetafield, Release}},
		{"refuse", false, Held, "refuse", Refused, []WritebackKind{DecisionMetafield, Note}},
		{"refuse what is being held", false, Holding, "refuse", Holding, []WritebackKind{DecisionMetafield, Note}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			o := r.onHold(118)
			if tt.was == Holding {
				r.ok(r.l.ConfirmHold(t.Context(), shopHash, 118, Held, Holding, 11, r.now))
				o = r.order(118)
			}
			l := r.evaluated(118)
			d := r.orderDecision(118, gate.Allow)
			d.MadeBy, d.Person, d.Note = ByPerson, "ada@shop.example", "known to us"
			r.ok(r.l.Override(t.Context(), r.shop(), o, tt.release, d, nil, r.now))
			got := r.order(118)
			if got.PersonSays != tt.says || got.Hold != tt.hold || got.DecisionID == o.DecisionID {
				t.Errorf("order %+v", got)
			}
			ds, err := r.l.OrderDecisions(t.Context(), shopHash, 118)
			r.ok(err)
			if len(ds) != 2 || ds[0].ID != got.DecisionID || ds[0].MadeBy != ByPerson || ds[0].Person != "ada@shop.example" || ds[0].Note != "known to us" {
				t.Errorf("decisions %+v", ds)
			}
			for _, k := range tt.owed {
				r.want("1", "SELECT count(*) FROM writebacks WHERE state = 'pending' AND kind = ? AND ref = ?", string(k), got.DecisionID)
			}
			// An evaluation that began before does not know of it.
			r.is(r.l.SettleOrder(t.Context(), r.shop(), l, Settlement{Order: o}, r.now), ErrLeaseLost)

			// The page that somebody else has open still shows the order as it was.
			o.Hold = Leaked
			before := dump(t, r.l.readDB)
			r.is(r.l.Override(t.Context(), r.shop(), o, tt.release, d, nil, r.now), ErrMoved)
			if after := dump(t, r.l.readDB); after != before {
				t.Errorf("stored\n%s\nwas\n%s", after, before)
			}
		})
	}
}

// TestOwe: the same effect is owed once; owed anew after it was paid, dropped or stuck; and owed while it is being tried, it is tried again.
func TestOwe(t *testing.T) {
	r := newRig(t)
	r.owe(Hold, 118, "d1")
	r.owe(Hold, 118, "d1")
	w := r.owed(0)
	if w.Kind != Hold || w.Subject != 118 || w.Ref != "d1" || w.Shop != shopHash {
		t.Errorf("%+v", w)
	}
	r.want("1", "SELECT count(*) FROM writebacks")
	for _, k := range []WritebackKind{Hold, Release} { // another Decision, another kind, another subject: other effects
		r.owe(k, 118, "d2")
		r.owe(k, 119, "d1")
	}
	r.want("5", "SELECT count(*) FROM writebacks")
	r.exec("DELETE FROM writebacks WHERE ref = 'd2' OR subject = 119")

	r.ok(r.l.FinishWriteback(t.Context(), w, "on hold", r.now))
	r.want("done on hold", "SELECT state || ' ' || reason FROM writebacks")
	r.owe(Hold, 118, "d1") // the order was put back to be shipped, and is held once more on the same Decision
	w = r.owed(0)

	// The try looks, finds nothing to do, and is about to say so: meanwhile the effect is owed again.
	r.owe(Hold, 118, "d1")
	r.ok(r.l.DropWriteback(t.Context(), w, "no longer to be held", r.now))
	w = r.owed(0)
	r.ok(r.l.DropWriteback(t.Context(), w, "no longer to be held", r.now))
	r.want("dropped", "SELECT state FROM writebacks")
	r.owe(Hold, 118, "d1")
	w = r.owed(0)
	r.ok(r.l.StickWriteback(t.Context(), w, "a scope is missing", r.now))
	stuck, err := r.l.StuckWritebacks(t.Context(), shopHash)
	r.ok(err)
	if len(stuck) != 1 || stuck[0].Reason != "a scope is missing" || stuck[0].State != "stuck" || stuck[0].Kind != Hold || !stuck[0].DoneAt.Equal(r.now) {
		t.Errorf("stuck: %+v", stuck)
	}
	r.owe(Hold, 118, "d1")
	r.owed(0)
}

// TestWritebacks: postponing, retrying and urgency.
func TestWritebacks(t *testing.T) {
	r := newRig(t)
	for _, k := range []WritebackKind{ProofMetafield, CustomerFieldsV2, CustomerAttributes, DecisionMetafield, Note, Release, Hold} {
		r.owe(k, 1, "x")
	}
	kinds := map[int64]string{}
	for _, u := range Urgencies() {
		due, err := r.l.LeaseWritebacks(t.Context(), shopHash, u, r.now, r.now.Add(lease), 9)
		r.ok(err)
		for _, w := range due {
			kinds[u] += string(w.Kind) + " "
		}
	}
	if want := map[int64]string{0: "release hold ", 1: "proof_metafield customer_fields_v2 customer_attributes decision_metafield ", 2: "note "}; !reflect.DeepEqual(kinds, want) {
		t.Errorf("by urgency: %v, want %v", kinds, want)
	}
	if u := WritebackKind("unheard of").urgency(); u != 2 {
		t.Errorf("urgency %d of an unknown kind", u)
	}
	r.exec("DELETE FROM writebacks")

	r.owe(Note, 1, "x")
	w := r.owed(2)
	r.ok(r.l.PostponeWriteback(t.Context(), w, r.now.Add(time.Minute), "busy"))
	r.want("pending busy", "SELECT state || ' ' || reason FROM writebacks")
	r.wait(time.Minute)
	w = r.owed(2)
	if w.Attempt != 2 {
		t.Errorf("attempt %d", w.Attempt)
	}
	r.is(r.l.RetryWriteback(t.Context(), shopHash, w.ID, r.now), ErrNotFound) // not stuck
	r.ok(r.l.StickWriteback(t.Context(), w, "no", r.now))
	r.is(r.l.RetryWriteback(t.Context(), "other9", w.ID, r.now), ErrNotFound) // another Shop's
	r.ok(r.l.RetryWriteback(t.Context(), shopHash, w.ID, r.now))
	again := r.owed(2)
	r.ok(r.l.FinishWriteback(t.Context(), w, "late", r.now)) // by whoever held it before
	r.want("pending", "SELECT state FROM writebacks")
	r.ok(r.l.FinishWriteback(t.Context(), again, "done", r.now))
	r.want("done", "SELECT state FROM writebacks")
}

// TestNotices: the same webhook twice has one effect; handling one makes its orders due in the same transaction.
func TestNotices(t *testing.T) {
	r := newRig(t)
	n := NewNotice{Shop: shopHash, EventAt: r.now.Add(-time.Second), Hash: "h1", Scope: "store/cart/converted", Subject: "c1", Detail: Detail{OrderID: 118, NewStatus: 11, OldStatus: 7}}
	for i, want := range []bool{true, false, false} {
		first, err := r.l.RecordNotice(t.Context(), n, r.now.Add(time.Duration(i)*time.Hour))
		r.ok(err)
		if first != want {
			t.Errorf("delivery %d: first %v", i, first)
		}
	}
	r.want("1", "SELECT count(*) FROM notices")
	due, err := r.l.LeaseNotices(t.Context(), shopHash, r.now, r.now.Add(lease), 9)
	r.ok(err)
	if len(due) != 1 || due[0].Detail != n.Detail || due[0].Scope != n.Scope || due[0].Subject != "c1" || !due[0].ReceivedAt.Equal(r.now) || due[0].Attempt != 1 {
		t.Fatalf("due %+v", due)
	}
	r.ok(r.l.FinishNotice(t.Context(), due[0], "orders are looked at", []int64{118, 119}, r.now))
	r.ok(r.l.StickNotice(t.Context(), due[0], "and stuck", r.now))
	r.want("2", "SELECT count(*) FROM orders WHERE due_at != 0")
	<-r.l.Ring(OrderBell)
	// Once handled, another delivery makes nothing due.
	first, err := r.l.RecordNotice(t.Context(), n, r.now)
	if first || err != nil {
		t.Errorf("first %v, %v", first, err)
	}
	stored, err := r.l.SubjectNotices(t.Context(), shopHash, "c1")
	r.ok(err)
	if len(stored) != 1 || stored[0].Deliveries != 4 || stored[0].State != "done" || stored[0].Remark != "orders are looked at" || !stored[0].HandledAt.Equal(r.now) || stored[0].Detail != n.Detail {
		t.Errorf("stored %+v", stored)
	}
	// A lease that ended does not make its orders due again.
	r.exec("DELETE FROM orders")
	r.ok(r.l.FinishNotice(t.Context(), due[0], "again", []int64{118}, r.now))
	r.want("0", "SELECT count(*) FROM orders")
	r.want("orders are looked at", "SELECT remark FROM notices")

	n.Hash = "h2"
	_, err = r.l.RecordNotice(t.Context(), n, r.now)
	r.ok(err)
	due, err = r.l.LeaseNotices(t.Context(), shopHash, r.now, r.now.Add(lease), 9)
	r.ok(err)
	r.ok(r.l.PostponeNotice(t.Context(), due[0], r.now.Add(time.Minute), "BigCommerce is down"))
	r.want("pending BigCommerce is down", "SELECT state || ' ' || remark FROM notices WHERE event_hash = 'h2'")
	r.wait(time.Minute)
	due, err = r.l.LeaseNotices(t.Context(), shopHash, r.now, r.now.Add(lease), 9)
	r.ok(err)
	r.ok(r.l.StickNotice(t.Context(), due[0], "it names no order", r.now))
	r.want("stuck it names no order", "SELECT state || ' ' || remark FROM notices WHERE event_hash = 'h2'")
}

// TestDue lists the Shops that have work, of each kind.
func TestDue(t *testing.T) {
	r := newRig(t)
	r.install("other9")
	for _, b := range []Bell{NoticeBell, OrderBell, SessionBell, WritebackBell, ShopBell} {
		if due, err := r.l.Due(t.Context(), b, r.now); len(due) != 0 || err != nil {
			t.Errorf("%s at first: %v, %v", b, due, err)
		}
	}
	_, err := r.l.RecordNotice(t.Context(), r.notice("other9", 1), r.now)
	r.ok(err)
	r.ok(r.l.DueOrder(t.Context(), shopHash, 1, r.now))
	r.ok(r.l.DueOrder(t.Context(), "other9", 1, r.now))
	r.session(r.cart("c1", 0, ""))
	r.owe(Hold, 1, "d")
	for b, want := range map[Bell][]string{NoticeBell: {"other9"}, OrderBell: {shopHash, "other9"}, SessionBell: {shopHash}, WritebackBell: {shopHash}, ShopBell: nil} {
		if due, err := r.l.Due(t.Context(), b, r.now); !reflect.DeepEqual(due, want) || err != nil {
			t.Errorf("%s: %v, %v", b, due, err)
		}
		if due, err := r.l.Due(t.Context(), b, r.now.Add(-time.Second)); len(due) != 0 || err != nil {
			t.Errorf("%s a second ago: %v, %v", b, due, err)
		}
	}
	p, err := r.l.Pending(t.Context())
	r.ok(err)
	if p != (Pending{Notices: 1, Orders: 2, Writebacks: 1, Sessions: 1}) {
		t.Errorf("pending %+v", p)
	}
}
