package ledger

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"idgate/app/gate"
)

// mail settles an order that owes mails.
func (r *rig) mail(id int64, which ...string) {
	r.Helper()
	l := r.evaluated(id)
	r.ok(r.l.SettleOrder(context.Background(), r.shop(), l, Settlement{Order: r.order(id), Mails: which}, r.now))
}

// TestMailOnce: a mail is owed once for an order, however often the order is settled and whatever became of the mail.
func TestMailOnce(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.mail(118, "link#1")
	<-r.l.Ring(WritebackBell)
	w := r.owed(2)
	if w.Kind != Mail || w.Subject != 118 || w.Ref != "link#1" || w.Handed {
		t.Errorf("%+v", w)
	}
	count := func(want string) {
		t.Helper()
		r.want(want, "SELECT count(*) || ' ' || group_concat(DISTINCT state) FROM writebacks WHERE kind = 'mail' AND subject = 118 AND ref = 'link#1'")
	}
	r.mail(118, "link#1")
	count("1 pending")
	r.ok(r.l.FinishWriteback(ctx, w, "sent", r.now)) // owing it again has not taken the lease
	count("1 done")
	for _, state := range []string{"done", "stuck", "dropped"} {
		r.exec("UPDATE writebacks SET state = ?", state)
		r.mail(118, "link#1")
		count("1 " + state)
	}
	r.mail(118, "link#2", "reminder-1#2") // another hold's, another mail
	r.mail(119, "link#1")                 // another order's
	r.want("link#1,link#2,reminder-1#2", "SELECT group_concat(ref) FROM (SELECT ref FROM writebacks WHERE subject = 118 ORDER BY ref)")
	r.want("4", "SELECT count(*) FROM writebacks")

	// A person's word may owe one too.
	r.exec("DELETE FROM writebacks")
	o := r.onHold(120)
	d := r.orderDecision(120, gate.Allow)
	d.MadeBy, d.Person = ByPerson, "ada"
	r.owe(Cancel, 120, "d")
	r.ok(r.l.Override(ctx, r.shop(), o, true, d, []string{"released#1"}, r.now))
	r.want("released#1 pending", "SELECT ref || ' ' || state FROM writebacks WHERE kind = 'mail'")
	r.want("dropped a person decided", "SELECT state || ' ' || reason FROM writebacks WHERE kind = 'cancel'")
}

// TestHandOver: that a mail is about to be handed over is on disk before it is, by whoever holds the lease, once; and nobody hands it over
// again unless it was taken back or a person says so.
func TestHandOver(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.mail(118, "link#1")
	w := r.owed(2)
	id := "writebacks " + fmt.Sprint(w.ID)
	hand := func(w Writeback) func() error {
		return func() error { return r.l.HandOver(ctx, w, r.now) }
	}
	r.changes(hand(w), on(id, "handed_at: 0 -> "+r.at())...)
	r.changes(func() error { r.is(hand(w)(), ErrLeaseLost); return nil }) // once per lease
	r.changes(func() error { return r.l.TakeBack(ctx, w) }, on(id, "handed_at: "+r.at()+" -> 0")...)
	r.ok(hand(w)())
	r.wait(lease) // and dies
	again := r.owed(2)
	if !again.Handed || again.Attempt != 2 {
		t.Errorf("leased again: %+v", again)
	}
	r.changes(func() error { r.is(hand(again)(), ErrLeaseLost); return nil }) // it may have been sent
	r.changes(func() error { return r.l.TakeBack(ctx, w) })                   // by whoever held it before
	r.ok(r.l.StickWriteback(ctx, again, "it may have been sent", r.now))
	stuck, err := r.l.StuckWritebacks(ctx, shopHash)
	r.ok(err)
	if len(stuck) != 1 || !stuck[0].Handed || stuck[0].Kind != Mail {
		t.Errorf("stuck: %+v", stuck)
	}
	r.install(shopHash) // a new token makes no difference to a mail
	r.want("stuck", "SELECT state FROM writebacks")
	r.ok(r.l.RetryWriteback(ctx, shopHash, w.ID, r.now)) // a person: send it again
	w = r.owed(2)
	if w.Handed {
		t.Errorf("sent again: %+v", w)
	}
	r.ok(hand(w)())
	r.ok(r.l.FinishWriteback(ctx, w, "sent", r.now))
	ws, err := r.l.OrderWritebacks(ctx, shopHash, 118)
	r.ok(err)
	if len(ws) != 1 || !ws[0].Handed || ws[0].State != "done" {
		t.Errorf("%+v", ws)
	}
	r.changes(func() error { r.is(hand(w)(), ErrLeaseLost); return nil })
	r.changes(func() error { return r.l.TakeBack(ctx, w) })
}

// TestRetryAfterInstall: what was stuck is tried again when the Shop is installed again, but for mails: they may have been sent.
func TestRetryAfterInstall(t *testing.T) {
	r := newRig(t)
	r.install("other9")
	for i, k := range []WritebackKind{Hold, Note, CustomerAttributes} {
		r.owe(k, 1+i, "d")
	}
	r.mail(118, "link#1")
	r.exec("UPDATE writebacks SET state = 'stuck', due_at = 0, done_at = 5, attempt = 3 WHERE kind != 'note'")
	r.exec("UPDATE writebacks SET state = 'done', due_at = 0 WHERE kind = 'note'")
	r.exec("INSERT INTO writebacks (store_hash, key, kind, subject, urgency, state, due_at, made_at) VALUES ('other9', 'k', 'hold', 1, 0, 'stuck', 0, 1)")
	r.wait(time.Second)
	before := r.rows()
	r.install(shopHash)
	var got []string
	for _, c := range changed(before, r.rows()) {
		if len(c) > 10 && c[:10] == "writebacks" {
			got = append(got, c)
		}
	}
	var want []string
	for _, k := range []string{"hold", "customer_attributes"} {
		want = append(want, on("writebacks "+r.value("SELECT id FROM writebacks WHERE store_hash = ? AND kind = ?", shopHash, k), "state: stuck -> pending", "due_at: 0 -> "+r.at(),
			"attempt: 3 -> 4", "done_at: 5 -> 0")...)
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("changed %q\nwant %q", got, want)
	}
}
