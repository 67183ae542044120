package ledger

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestUnreadableNotice: a Notice whose stored detail cannot be read is set aside for a person, and keeps none of its neighbours waiting.
func TestUnreadableNotice(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	for i := range 3 {
		_, err := r.l.RecordNotice(ctx, r.notice(shopHash, 1+i), r.now)
		r.ok(err)
	}
	r.exec("UPDATE notices SET detail = '{' WHERE subject = '2'")
	r.wait(time.Second)
	due, err := r.l.LeaseNotices(ctx, shopHash, r.now, r.now.Add(lease), 9)
	r.ok(err)
	if len(due) != 2 || due[0].Subject != "1" || due[1].Subject != "3" {
		t.Fatalf("leased %+v", due)
	}
	for _, n := range due {
		r.ok(r.l.FinishNotice(ctx, n, "done", nil, r.now))
	}
	stuck, err := r.l.StuckNotices(ctx, shopHash)
	r.ok(err)
	const why = "its stored detail cannot be read (unexpected end of JSON input); the sweep finds what it was about"
	want := []StoredNotice{{ID: stuck[0].ID, Scope: "store/order/created", Subject: "2", ReceivedAt: start, Deliveries: 1, State: "stuck", Remark: why, HandledAt: r.now}}
	if !slices.Equal(stuck, want) {
		t.Errorf("stuck %+v\nwant %+v", stuck, want)
	}
	// Replayed it is set aside once more, however often.
	for range 2 {
		r.ok(r.l.ReplayNotice(ctx, shopHash, stuck[0].ID, r.now))
		due, err = r.l.LeaseNotices(ctx, shopHash, r.now, r.now.Add(lease), 9)
		if len(due) != 0 || err != nil {
			t.Errorf("leased %+v, %v", due, err)
		}
		r.want("stuck", "SELECT state FROM notices WHERE subject = '2'")
	}
	// Put right, it is handled.
	r.exec("UPDATE notices SET detail = '{}'")
	r.ok(r.l.ReplayNotice(ctx, shopHash, stuck[0].ID, r.now))
	due, err = r.l.LeaseNotices(ctx, shopHash, r.now, r.now.Add(lease), 9)
	if len(due) != 1 || due[0].Subject != "2" || err != nil {
		t.Errorf("leased %+v, %v", due, err)
	}
}

// TestReplayNotice: a Notice that ended is due once more, in its own Shop only; whoever held it before ends nothing of the new try.
func TestReplayNotice(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	_, err := r.l.RecordNotice(ctx, r.notice(shopHash, 1), r.now)
	r.ok(err)
	due, err := r.l.LeaseNotices(ctx, shopHash, r.now, r.now.Add(lease), 9)
	r.ok(err)
	n := due[0]
	refused := func(hash string, id int64) {
		t.Helper()
		r.changes(func() error { r.is(r.l.ReplayNotice(ctx, hash, id, r.now), ErrNotFound); return nil })
	}
	refused(shopHash, n.ID) // it is being handled
	r.ok(r.l.StickNotice(ctx, n, "why", r.now))
	refused("other9", n.ID)
	refused(shopHash, n.ID+1)
	key := fmt.Sprint("notices ", n.ID)
	handled := r.at()
	r.wait(time.Second)
	r.changes(func() error { return r.l.ReplayNotice(ctx, shopHash, n.ID, r.now) }, on(key, "state: stuck -> pending", "due_at: 0 -> "+r.at(), "attempt: 1 -> 2")...)
	<-r.l.Ring(NoticeBell)
	refused(shopHash, n.ID)
	r.changes(func() error { return r.l.FinishNotice(ctx, n, "late", []int64{1}, r.now) })
	again, err := r.l.LeaseNotices(ctx, shopHash, r.now, r.now.Add(lease), 9)
	r.ok(err)
	if len(again) != 1 || again[0].Attempt != 3 {
		t.Fatalf("%+v", again)
	}
	r.changes(func() error { return r.l.FinishNotice(ctx, again[0], "handled", nil, r.now) }, on(key, "state: pending -> done", fmt.Sprintf("due_at: %d -> 0", millis(r.now.Add(lease))),
		"handled_at: "+handled+" -> "+r.at(), "remark: why -> handled")...)
	r.changes(func() error { return r.l.ReplayNotice(ctx, shopHash, n.ID, r.now) }, on(key, "state: done -> pending", "due_at: 0 -> "+r.at(), "attempt: 3 -> 4")...)
}

// TestReplayNotices: all that came since then is due once more, but for what waits, is older, or is another Shop's.
func TestReplayNotices(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.install("other9")
	_, err := r.l.RecordNotice(ctx, r.notice("other9", 9), r.now)
	r.ok(err)
	for i := range 5 {
		_, err := r.l.RecordNotice(ctx, r.notice(shopHash, 1+i), r.now)
		r.ok(err)
		r.wait(time.Minute)
	}
	r.exec("UPDATE notices SET state = 'done', due_at = 0 WHERE subject != '4'")
	r.exec("UPDATE notices SET state = 'stuck' WHERE subject = '5'")
	before := r.value("SELECT group_concat(subject || ' ' || state || ' ' || attempt || ' ' || (due_at != 0), ', ') FROM (SELECT * FROM notices ORDER BY subject)")
	if want := "1 done 0 0, 2 done 0 0, 3 done 0 0, 4 pending 0 1, 5 stuck 0 0, 9 done 0 0"; before != want {
		t.Fatalf("%s, want %s", before, want)
	}
	n, err := r.l.ReplayNotices(ctx, shopHash, start.Add(2*time.Minute), r.now)
	if n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	<-r.l.Ring(NoticeBell)
	r.want("1 done 0 0, 2 done 0 0, 3 pending 1 1, 4 pending 0 1, 5 pending 1 1, 9 done 0 0",
		"SELECT group_concat(subject || ' ' || state || ' ' || attempt || ' ' || (due_at != 0), ', ') FROM (SELECT * FROM notices ORDER BY subject)")
	if n, err = r.l.ReplayNotices(ctx, shopHash, start, r.now); n != 2 || err != nil {
		t.Errorf("from the beginning: %d, %v", n, err)
	}
}

// TestStuckNotices lists what a person has to look at, newest first, and no other Shop's.
func TestStuckNotices(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.install("other9")
	for i := range 3 {
		n := r.notice(shopHash, 1+i)
		n.Detail = Detail{OrderID: int64(10 + i), NewStatus: 11, OldStatus: 7}
		_, err := r.l.RecordNotice(ctx, n, r.now)
		r.ok(err)
	}
	_, err := r.l.RecordNotice(ctx, r.notice("other9", 9), r.now)
	r.ok(err)
	for _, hash := range []string{shopHash, "other9"} {
		due, err := r.l.LeaseNotices(ctx, hash, r.now, r.now.Add(lease), 9)
		r.ok(err)
		for _, n := range due {
			if n.Subject != "2" {
				r.ok(r.l.StickNotice(ctx, n, "it names no order", r.now))
			}
		}
	}
	got, err := r.l.StuckNotices(ctx, shopHash)
	r.ok(err)
	var want []StoredNotice
	for _, i := range []int{3, 1} {
		id := int64(0)
		_, err := fmt.Sscan(r.value("SELECT id FROM notices WHERE subject = ?", fmt.Sprint(i)), &id)
		r.ok(err)
		want = append(want, StoredNotice{ID: id, Scope: "store/order/created", Subject: fmt.Sprint(i), Detail: Detail{OrderID: int64(9 + i), NewStatus: 11, OldStatus: 7},
			ReceivedAt: r.now, Deliveries: 1, State: "stuck", Remark: "it names no order", HandledAt: r.now})
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// TestOrderNoticesFirst: Notices about orders and carts are leased before all others, however long those have waited; each kind by when it
// became due.
func TestOrderNoticesFirst(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	for i, scope := range []string{"store/customer/created", "store/customer/deleted", "store/app/uninstalled", "store/hook/deliveryException", "store/customer/updated",
		"store/order/statusUpdated", "store/cart/converted", "store/order/created"} {
		n := r.notice(shopHash, 1+i)
		n.Scope = scope
		_, err := r.l.RecordNotice(ctx, n, r.now)
		r.ok(err)
		r.wait(time.Millisecond)
	}
	var got []string
	for range 3 {
		due, err := r.l.LeaseNotices(ctx, shopHash, r.now, r.now.Add(lease), 4)
		r.ok(err)
		subjects := ""
		for _, n := range due {
			subjects += n.Subject
		}
		got = append(got, subjects)
	}
	if want := []string{"6781", "2345", ""}; !slices.Equal(got, want) {
		t.Errorf("leased %q, want %q", got, want)
	}
}
