package ledger

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"idgate/app/gate"
)

// rests makes an order in a status whose latest Decision rests on a Proof ("" for none), and that waits for nothing.
func (r *rig) rests(id int64, status int, proof string) {
	r.Helper()
	l := r.evaluated(id)
	o := r.order(id)
	o.StatusID = status
	d := r.orderDecision(id, gate.Allow)
	d.Decision.ProofID = proof
	r.ok(r.l.SettleOrder(r.Context(), r.shop(), l, Settlement{Order: o, Decision: &d}, r.now))
}

// TestRevokeProof: a Proof is taken back once, by name; its orders that have not shipped are decided again, the customer's record is set
// right, and nobody is compared with its person any more.
func TestRevokeProof(t *testing.T) {
	for _, tt := range []struct {
		name     string
		mode     gate.Mode
		customer int64
		owed     []WritebackKind
	}{
		{"a customer's", gate.Enforce, 7, []WritebackKind{CustomerAttributes, ProofMetafield}},
		{"a customer's in shadow", gate.Shadow, 7, nil},
		{"a guest's", gate.Enforce, 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			ctx := t.Context()
			r.install("other9")
			r.policy(tt.mode)
			r.proved(r.cart("c1", tt.customer, "ada@example.com"), r.ada(), nil)
			id := r.value("SELECT id FROM proofs")
			r.wait(time.Second)
			r.proved(r.cart("c2", 8, ""), r.ada(), nil)
			r.exec("UPDATE writebacks SET state = 'done', due_at = 0, done_at = 5, attempt = 1")
			var want []string
			for status := range 15 {
				r.rests(int64(100+status), status, id)
			}
			for _, status := range []int{0, 1, 7, 8, 9, 11, 12} {
				want = append(want, on(fmt.Sprint("orders abc123/", 100+status), "due_at: 0 -> "+fmt.Sprint(millis(r.now.Add(time.Minute))), "attempt: 1 -> 0")...)
			}
			r.rests(1, 11, "")
			r.rests(2, 11, r.value("SELECT id FROM proofs WHERE id != ?", id))
			r.wait(time.Minute)
			other, err := r.l.Shop("other9")
			r.ok(err)
			r.changes(func() error { r.is(r.l.RevokeProof(ctx, other, id, "eve", "mischief", r.now), ErrNotFound); return nil })
			r.changes(func() error {
				r.is(r.l.RevokeProof(ctx, r.shop(), "nobody's", "ada", "fraud", r.now), ErrNotFound)
				return nil
			})
			for _, k := range tt.owed {
				row := r.value("SELECT id FROM writebacks WHERE kind = ? AND ref = ?", string(k), id)
				want = append(want, on("writebacks "+row, "state: done -> pending", "due_at: 0 -> "+r.at(), "done_at: 5 -> 0", "attempt: 1 -> 2",
					fmt.Sprintf("made_at: %d -> %s", millis(start), r.at()))...)
			}
			person := r.rows()["proofs "+id]["person"]
			r.changes(func() error { return r.l.RevokeProof(ctx, r.shop(), id, "ada", "fraud", r.now) }, slices.Concat(want,
				on("proofs "+id, "revoked_at: 0 -> "+r.at(), "revoked_by:  -> ada", "revoked_why:  -> fraud", "person: "+person+" -> "))...)
			<-r.l.Ring(OrderBell)
			p, err := r.l.Proof(ctx, r.shop(), id)
			r.ok(err)
			if !p.Revoked || !p.RevokedAt.Equal(r.now) || p.RevokedBy != "ada" || p.RevokedWhy != "fraud" || p.Name != (gate.Name{}) || p.IAL != 2 || p.Holder.CustomerID != tt.customer {
				t.Errorf("revoked: %+v", p)
			}
			r.wait(time.Minute)
			r.changes(func() error { r.is(r.l.RevokeProof(ctx, r.shop(), id, "bob", "again", r.now), ErrNotFound); return nil })
		})
	}
}

// TestSessionProof finds the Proof that a Session made, in its own Shop only.
func TestSessionProof(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.install("other9")
	n := r.proved(r.cart("c1", 7, ""), r.ada(), nil)
	r.wait(time.Second)
	failed := r.session(r.cart("c2", 7, ""))
	p, err := r.l.SessionProof(ctx, r.shop(), n.ID)
	r.ok(err)
	if p.SessionID != n.ID || p.ID != r.value("SELECT id FROM proofs") || p.Name.Given != "Ada" {
		t.Errorf("%+v", p)
	}
	other, err := r.l.Shop("other9")
	r.ok(err)
	for _, tt := range []struct {
		s  *Shop
		id string
	}{{r.shop(), failed.ID}, {r.shop(), "nobody's"}, {other, n.ID}} {
		_, err := r.l.SessionProof(ctx, tt.s, tt.id)
		r.is(err, ErrNotFound)
	}
}
