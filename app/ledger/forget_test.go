package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
)

const day = 24 * time.Hour

// keeps saves a Policy that keeps what is over for so long.
func (r *rig) keeps(d gate.Days) {
	r.Helper()
	p := gate.Default("EUR")
	p.Keep = d
	_, err := r.l.SavePolicy(context.Background(), shopHash, PolicyChange{Base: r.shop().Policy.Version, Policy: p, Author: "staff", Since: r.now}, r.now)
	r.ok(err)
}

// sold settles an order as a Decision left it, with its buyer, and a mail that was sent to them.
func (r *rig) sold(id int64, hold HoldState) {
	r.Helper()
	for range 2 { // decided twice: the first Decision stands no longer
		l := r.evaluated(id)
		o := r.order(id)
		o.StatusID, o.Hold, o.FormerStatus, o.HoldStatus, o.CustomerID, o.CartID = 12, hold, 11, 12, 7, "c"
		o.Mailbox, o.Buyer = r.shop().MailboxHash("ada@example.com"), Buyer{Name: "Ada", Mailbox: "ada@example.com"}
		d := r.orderDecision(id, gate.Hold)
		r.ok(r.l.SettleOrder(context.Background(), r.shop(), l, Settlement{Order: o, Decision: &d, Mails: []string{"link#1"}}, r.now))
	}
	r.ok(r.l.FinishWriteback(context.Background(), r.owed(2), "sent", r.now))
}

// TestForget: everything goes when its time has come, to the millisecond, and what has no end stays.
func TestForget(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.keeps(100)
	// What is over.
	first, err := r.l.UseToken(ctx, "jti", start.Add(time.Hour))
	if !first || err != nil {
		t.Fatal(first, err)
	}
	login, err := r.l.StartLogin(ctx, shopHash, User{ID: 1, Role: Viewer}, r.now, r.now.Add(time.Hour))
	r.ok(err)
	capability := show(r.cart("c1", 7, "").ID)
	cartDecision := r.value("SELECT id FROM decisions")
	short := r.proved(Capability{ID: []byte("sixteen bytes..."), Shop: shopHash, CartID: "short"}, r.ada(), nil)
	shortProof := r.value("SELECT id FROM proofs")
	p := r.ada()
	p.GoodUntil = start.Add(150 * day)
	long := r.proved(Capability{ID: []byte("sixteen bytes..."), Shop: shopHash, CartID: "long"}, p, nil)
	longProof := r.value("SELECT id FROM proofs WHERE id != ?", shortProof)
	failed := r.session(Capability{ID: []byte("sixteen bytes..."), Shop: shopHash, CartID: "failed"})
	moved, err := r.l.MoveSession(ctx, r.shop(), r.polled(), Move{State: idv.StateFailed, Deadline: r.now}, r.now)
	if !moved || err != nil {
		t.Fatal(moved, err)
	}
	open := r.session(Capability{ID: []byte("sixteen bytes..."), Shop: shopHash, CartID: "open"})
	r.sold(1, Released)
	r.sold(2, Held)
	r.sold(3, Refused)
	r.sold(4, Moved)
	for i, k := range []WritebackKind{Hold, Release, Note, Cancel} {
		r.owe(k, 10+i, "d")
	}
	r.exec("UPDATE writebacks SET state = ?, due_at = 0, done_at = ? WHERE kind = 'hold'", "done", millis(start))
	r.exec("UPDATE writebacks SET state = ?, due_at = 0, done_at = ? WHERE kind = 'release'", "dropped", millis(start))
	r.exec("UPDATE writebacks SET state = ?, due_at = 0, done_at = ? WHERE kind = 'note'", "stuck", millis(start))
	for i := range 3 {
		_, err := r.l.RecordNotice(ctx, r.notice(shopHash, 1+i), r.now)
		r.ok(err)
	}
	notices, err := r.l.LeaseNotices(ctx, shopHash, r.now, r.now.Add(lease), 2)
	r.ok(err)
	r.ok(r.l.FinishNotice(ctx, notices[0], "done", nil, r.now))
	r.ok(r.l.StickNotice(ctx, notices[1], "why", r.now))
	if r.now != start {
		t.Fatal("the clock has moved")
	}

	rows := r.rows()
	erased := func(id int, at string) []string {
		key := fmt.Sprint("orders abc123/", id)
		return on(key, "customer_id: 7 -> 0", "cart_id: c -> ", "mailbox: "+rows[key]["mailbox"]+" -> ", "buyer: "+rows[key]["buyer"]+" -> ", "erased_at: 0 -> "+at)
	}
	ends := func(id string) string { return "- writebacks " + id }
	writeback := func(kind string, subject int) string {
		return ends(r.value("SELECT id FROM writebacks WHERE kind = ? AND subject = ?", kind, subject))
	}
	former := func(order int) string {
		return "- decisions " + r.value("SELECT d.id FROM decisions AS d JOIN orders AS o ON o.order_id = d.order_id AND o.decision_id != d.id WHERE o.order_id = ?", order)
	}
	for _, tt := range []struct {
		after time.Duration
		goes  func(at string) []string
	}{
		{time.Hour, func(string) []string { return []string{"- logins " + login} }},
		{2 * time.Hour, func(string) []string {
			return []string{fmt.Sprintf("- used_tokens %d/jti", millis(start.Add(time.Hour)))}
		}},
		{day, func(string) []string {
			return on("proofs "+shortProof, "person: "+rows["proofs "+shortProof]["person"]+" -> ")
		}},
		{30*day + time.Hour, func(string) []string { return []string{"- capabilities " + capability} }},
		{90 * day, func(string) []string {
			return []string{fmt.Sprint("- notices ", notices[0].ID), writeback("hold", 10), writeback("release", 11), writeback("mail", 1), writeback("mail", 4)}
		}},
		{100 * day, func(at string) []string {
			return slices.Concat(erased(1, at), erased(4, at), []string{"- decisions " + cartDecision, former(1), former(2), former(3), former(4), "- sessions " + failed.ID})
		}},
		{101 * day, func(string) []string { return []string{"- proofs " + shortProof, "- sessions " + short.ID} }},
		{150 * day, func(string) []string {
			return on("proofs "+longProof, "person: "+rows["proofs "+longProof]["person"]+" -> ")
		}},
		{250 * day, func(string) []string { return []string{"- proofs " + longProof, "- sessions " + long.ID} }},
		{keepFigures - start.Sub(start.Truncate(quarter)), func(string) []string {
			return []string{fmt.Sprintf("- figures %s/%d", shopHash, quarterOf(start))}
		}},
		{10 * 365 * day, func(string) []string { return nil }},
	} {
		r.now = start.Add(tt.after)
		r.changes(func() error { forget(r, ctx, r.now); return nil })
		r.wait(time.Millisecond)
		want := tt.goes(r.at())
		r.changes(func() error {
			if n := forget(r, ctx, r.now); n == 0 && len(want) > 0 {
				t.Errorf("after %v nothing was forgotten", tt.after)
			}
			return nil
		}, want...)
	}
	var left []string
	for key := range r.rows() {
		if table, _, _ := strings.Cut(key, " "); slices.Contains([]string{"notices", "writebacks", "decisions", "sessions", "proofs", "orders", "capabilities"}, table) {
			left = append(left, key)
		}
	}
	want := []string{"orders abc123/1", "orders abc123/2", "orders abc123/3", "orders abc123/4", "sessions " + open.ID, fmt.Sprint("notices ", notices[1].ID), fmt.Sprint("notices ", notices[1].ID+1)}
	for i := range 4 {
		want = append(want, "decisions "+r.order(int64(1+i)).DecisionID)
	}
	for _, w := range []string{writeback("note", 12), writeback("cancel", 13), writeback("mail", 2), writeback("mail", 3)} {
		want = append(want, strings.TrimPrefix(w, "- "))
	}
	slices.Sort(left)
	slices.Sort(want)
	if !slices.Equal(left, want) {
		t.Errorf("left\n%s\nwant\n%s", strings.Join(left, "\n"), strings.Join(want, "\n"))
	}
	// The hold has ended: its buyer and its mail go.
	mail := writeback("mail", 2)
	r.exec("UPDATE orders SET hold = 'released' WHERE order_id = 2")
	r.changes(func() error { forget(r, ctx, r.now); return nil }, append(erased(2, r.at()), mail)...)
	if o := r.order(2); o.DecisionID == "" || o.Buyer != (Buyer{}) || o.ErasedAt.IsZero() {
		t.Errorf("%+v", o)
	}
}

// TestForgetStands: an order's latest Decision is kept whichever way it came about, and the ones before it are not.
func TestForgetStands(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.keeps(30)
	o := r.onHold(118)
	held := o.DecisionID
	r.wait(time.Second)
	d := r.orderDecision(118, gate.Allow)
	d.MadeBy, d.Person = ByPerson, "ada"
	r.ok(r.l.Override(ctx, r.shop(), o, true, d, nil, r.now))
	said := r.order(118).DecisionID
	if said == held {
		t.Fatal("no new decision")
	}
	// A try to settle or override that fails takes the standing of nothing.
	r.is(r.l.Override(ctx, r.shop(), o, true, d, nil, r.now), ErrMoved)
	r.is(r.l.SettleOrder(ctx, r.shop(), OrderLease{Shop: shopHash, OrderID: 118}, Settlement{Order: o, Decision: &d}, r.now), ErrLeaseLost)
	r.now = r.now.Add(31 * day)
	forget(r, ctx, r.now)
	r.want(said, "SELECT group_concat(id) FROM decisions")
	got, err := r.l.Decision(ctx, shopHash, said)
	if err != nil || got.Outcome != gate.Allow {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestForgetSlices: a slice is small; and what has to stay, however much of it came first, keeps nothing behind it from being forgotten.
func TestForgetSlices(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.keeps(30)
	old := millis(start)
	many := func(n int, insert string, args ...any) {
		r.exec(fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) ", n)+insert, args...)
	}
	notice := "INSERT INTO notices (store_hash, event_at, event_hash, scope, subject, received_at, state, due_at, handled_at) SELECT 'abc123', ?1, ?2 || i, 's', i, ?1, ?2, 0, ?1 FROM n"
	many(600, notice, old, "stuck")
	many(1200, notice, old, "done")
	writeback := "INSERT INTO writebacks (store_hash, key, kind, subject, urgency, state, due_at, made_at, done_at) SELECT 'abc123', ?2 || i, 'hold', i, 0, ?2, 0, ?1, ?1 FROM n"
	many(600, writeback, old, "stuck")
	many(1200, writeback, old, "done")
	many(600, "INSERT INTO orders (store_hash, order_id, seen_at, hold, former_status, buyer, decision_id) SELECT 'abc123', i, ?1 - 1, 'held', 11, x'62', 'o' || i FROM n", old)
	many(1200, "INSERT INTO orders (store_hash, order_id, seen_at, buyer) SELECT 'abc123', 1000 + i, ?1, x'62' FROM n", old)
	decision := `INSERT INTO decisions (id, store_hash, stage, cart_id, order_id, outcome, mode, made_by, policy_version, facts_digest, explanation, receipt, made_at, stands)
		SELECT ?2 || i, 'abc123', CASE WHEN ?2 = 'o' THEN 'order' ELSE 'checkout' END, 'c', CASE WHEN ?2 = 'o' THEN i ELSE 0 END, 'allow', 'enforce', 'rule', 1, x'', '{}', '', ?1, ?2 = 'o' FROM n`
	many(600, decision, old, "o")
	many(1200, decision, old, "c")
	session := `INSERT INTO sessions (id, store_hash, provider, provider_ref, capture_url, state, capability, requirement, policy_version, started_at, deadline, changed_at, over_at)
		SELECT ?2 || i, 'abc123', 'p', ?2 || i, x'', 'passed', randomblob(16), '{}', 1, ?1, ?1, ?1, ?3 FROM n`
	proof := `INSERT INTO proofs (id, store_hash, session_id, ial, source, document, selfie, age, person, proved_at, good_until)
		SELECT ?2 || i, 'abc123', ?2 || i, 2, 'oidc', 1, 1, 30, x'70', ?1, ?3 FROM n`
	good, over := millis(start.Add(400*day)), old+1
	many(600, session, old, "good", good)
	many(600, proof, old, "good", good)
	many(1200, session, old, "over", over)
	many(1200, proof, old, "over", over)
	now := start.Add(91 * day)
	counts := func() string {
		return r.value(`SELECT (SELECT count(*) FROM notices WHERE state = 'done') || ' ' || (SELECT count(*) FROM writebacks WHERE state = 'done') || ' ' ||
			(SELECT count(*) FROM orders WHERE erased_at = 0) || ' ' || (SELECT count(*) FROM decisions) || ' ' || (SELECT count(*) FROM sessions) || ' ' ||
			(SELECT count(*) FROM proofs) || ' ' || (SELECT count(*) FROM proofs WHERE length(person) > 0)`)
	}
	if got := counts(); got != "1200 1200 1800 1800 1800 1800 1800" {
		t.Fatal(got)
	}
	for i := range 14 {
		n, err := r.l.Forget(ctx, now)
		r.ok(err)
		left := max(0, 1200-100*(i+1))
		if got, want := counts(), fmt.Sprintf("%[1]d %[1]d %[2]d %[2]d %[2]d %[2]d %[2]d", left, 600+left); got != want {
			t.Errorf("slice %d leaves %s, want %s", i+1, got, want)
		}
		if (n == 0) != (i >= 12) {
			t.Errorf("slice %d: %d forgotten", i+1, n)
		}
	}
	r.want("600", "SELECT count(*) FROM notices WHERE state = 'stuck'")
	r.want("600", "SELECT count(*) FROM writebacks WHERE state = 'stuck'")
	r.want("600", "SELECT count(*) FROM decisions WHERE stands = 1")
	r.want("600", "SELECT count(*) FROM orders WHERE erased_at = 0 AND hold = 'held' AND length(buyer) > 0")
	r.want("600", "SELECT count(*) FROM proofs WHERE id LIKE 'good%' AND length(person) > 0")
}

// TestForgetFails: what cannot be forgotten is an error, and changes nothing.
func TestForgetFails(t *testing.T) {
	r := newRig(t)
	before := dump(t, r.l.readDB)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := r.l.Forget(gone, r.now.Add(10*365*day)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d, %v", n, err)
	}
	if after := dump(t, r.l.readDB); after != before {
		t.Error("something has changed")
	}
	r.ok(r.l.Close())
	if n, err := r.l.Forget(t.Context(), r.now); n != 0 || !errors.Is(err, ErrClosed) {
		t.Errorf("%d, %v", n, err)
	}
}
