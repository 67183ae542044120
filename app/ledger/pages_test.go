package ledger

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
)

// settled is an order with a Decision, in a hold state.
func (r *rig) settled(id int64, hold HoldState, o gate.Outcome) {
	r.Helper()
	l := r.evaluated(id)
	n := r.order(id)
	n.StatusID, n.Hold, n.FormerStatus, n.Buyer = 11, hold, 11, Buyer{Name: fmt.Sprint("Buyer ", id)}
	n.Value, n.Source, n.PlacedAt, n.CustomerID = gate.Money{Minor: id * 100, Currency: "EUR"}, "www", r.now, 7
	d := r.orderDecision(id, o)
	r.ok(r.l.SettleOrder(r.Context(), r.shop(), l, Settlement{Order: n, Decision: &d}, r.now))
}

func TestCountsOfWhatWantsSomebody(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	id := int64(0)
	for hold, n := range map[HoldState]int{NotHeld: 1, Holding: 1, Held: 2, Releasing: 1, Released: 1, Refused: 3, Cancelling: 1, Cancelled: 1, Leaked: 2, Moved: 3} {
		for i := range n {
			id++
			r.settled(id, hold, gate.Hold)
			r.exec("UPDATE orders SET alarmed_at = ? WHERE order_id = ?", r.now.Add(-time.Duration(i)*time.Minute).UnixMilli(), id)
		}
	}
	holds, err := r.l.Holds(ctx, shopHash)
	if want := map[HoldState]int64{Holding: 1, Held: 2, Releasing: 1, Refused: 3, Cancelling: 1}; err != nil || !reflect.DeepEqual(holds, want) {
		t.Errorf("holds %v, %v, want %v", holds, err, want)
	}
	if n := (Counts{Holds: holds}).OnHold(); n != 8 {
		t.Errorf("%d on hold, want 8", n)
	}
	for since, want := range map[time.Duration]Found{0: {1, 1}, -time.Minute: {2, 2}, -2 * time.Minute: {2, 3}, time.Millisecond: {}} {
		if got, err := r.l.CountFound(ctx, shopHash, r.now.Add(since)); err != nil || got != want {
			t.Errorf("found since %v: %+v, %v, want %+v", since, got, err, want)
		}
	}
	r.exec("DELETE FROM writebacks")
	for i := range 3 {
		r.owe(Note, i, "d")
		_, err := r.l.RecordNotice(ctx, r.notice(shopHash, i), r.now)
		r.ok(err)
	}
	r.exec("UPDATE writebacks SET state = 'stuck', due_at = 0 WHERE subject != 0")
	r.exec("UPDATE notices SET state = 'stuck', due_at = 0 WHERE id = (SELECT min(id) FROM notices)")
	if got, err := r.l.CountStuck(ctx, shopHash); err != nil || got != (Stuck{Notices: 1, Writebacks: 2}) {
		t.Errorf("stuck %+v, %v", got, err)
	}
	if got, err := r.l.CountStuck(ctx, "other9"); err != nil || got != (Stuck{}) {
		t.Errorf("stuck elsewhere %+v, %v", got, err)
	}
	if got, err := r.l.Alarms(ctx); err != nil || got != (Alarms{StuckNotices: 1, StuckWritebacks: 2, Leaked: 2, Moved: 3}) {
		t.Errorf("alarms %+v, %v", got, err)
	}
	r.exec("UPDATE shops SET state = 'uninstalled', token = NULL")
	if got, err := r.l.Alarms(ctx); err != nil || got.Leaked != 0 || got.Moved != 0 {
		t.Errorf("alarms of an uninstalled shop %+v, %v", got, err)
	}
}

func TestDecisionsPage(t *testing.T) {
	r := newRig(t)
	var ids []string
	for i := range 5 {
		if i == 3 {
			r.wait(time.Second) // the first three are of one millisecond
		}
		n := r.cartDecision(fmt.Sprint("c", i), gate.Verify)
		if i%2 == 1 {
			n = r.orderDecision(int64(i), gate.Hold)
			n.MadeBy, n.Person, n.Note = ByPerson, "ada", "why"
		}
		id, err := r.l.RecordCartDecision(t.Context(), r.shop(), n, nil, r.now)
		r.ok(err)
		ids = append([]string{id}, ids...)
	}
	page := func(stage gate.Stage, c Cursor, count int) (out []string) {
		t.Helper()
		ds, err := r.l.DecisionsPage(t.Context(), shopHash, stage, c, count)
		r.ok(err)
		for _, d := range ds {
			out = append(out, d.ID)
			if d.Receipt != "" {
				t.Error("a receipt in a list")
			}
		}
		return out
	}
	var paged []string
	c := Cursor{}
	for range 3 {
		ds, err := r.l.DecisionsPage(t.Context(), shopHash, "", c, 2)
		r.ok(err)
		for _, d := range ds {
			paged = append(paged, d.ID)
			c = Cursor{Before: d.At, ID: d.ID}
		}
	}
	if !slices.Equal(paged, ids) {
		t.Errorf("page by page %v, want %v", paged, ids)
	}
	if got := page(gate.AtOrder, Cursor{}, 9); !slices.Equal(got, []string{ids[1], ids[3]}) {
		t.Errorf("of orders %v", got)
	}
	if got := page(gate.AtCheckout, Cursor{Before: start.Add(time.Second), ID: ids[0]}, 1); !slices.Equal(got, []string{ids[2]}) {
		t.Errorf("of carts %v", got)
	}
	ds, err := r.l.DecisionsPage(t.Context(), shopHash, gate.AtOrder, Cursor{}, 1)
	r.ok(err)
	if d := ds[0]; d.OrderID != 3 || d.MadeBy != ByPerson || d.Person != "ada" || d.Note != "why" || d.Outcome != gate.Hold || d.Policy != 1 || !d.At.Equal(r.now) {
		t.Errorf("%+v", d)
	}
}

func TestSessionsPage(t *testing.T) {
	r := newRig(t)
	c := r.cart("c1", 7, "")
	first := r.session(c)
	second := r.session(c)
	r.wait(time.Second)
	third := r.session(c)
	want := []string{third.ID, max(first.ID, second.ID), min(first.ID, second.ID)}
	var got []string
	cursor := Cursor{}
	for range 3 {
		ns, err := r.l.SessionsPage(t.Context(), shopHash, cursor, 1)
		r.ok(err)
		got = append(got, ns[0].ID)
		cursor = Cursor{Before: ns[0].StartedAt, ID: ns[0].ID}
		if n := ns[0]; n.CaptureURL != "" || n.Shop != shopHash || n.State != idv.StateCreated || n.CartID != "c1" || n.CustomerID != 7 {
			t.Errorf("%+v", n)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestCounts(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.settled(1, Held, gate.Hold)
	r.settled(2, Leaked, gate.Hold)
	r.cart("c1", 0, "")
	r.session(r.cart("c2", 0, ""))
	n := r.polled()
	_, err := r.l.MoveSession(ctx, r.shop(), n, Move{State: idv.StatePassed, Late: true, Deadline: n.Deadline}, r.now)
	r.ok(err)
	r.session(r.cart("c1", 0, ""))
	r.exec("UPDATE orders SET cart_id = 'c2' WHERE order_id = 1")
	c, err := r.l.Counts(ctx, shopHash, r.now)
	r.ok(err)
	want := Counts{LatePass: 1, Holds: map[HoldState]int64{Held: 1}}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v, want %+v", c, want)
	}
	r.exec("UPDATE sessions SET state = 'review' WHERE state = 'created'")
	c, err = r.l.Counts(ctx, shopHash, r.now.Add(time.Millisecond))
	r.ok(err)
	if c.LatePass != 0 || c.Reviews != 1 || len(c.Holds) != 1 {
		t.Errorf("a moment later: %+v", c)
	}
}

func TestShopPending(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	p, err := r.l.ShopPending(ctx, shopHash)
	if err != nil || p != (ShopPending{}) {
		t.Errorf("nothing waits: %+v, %v", p, err)
	}
	r.ok(r.l.DueOrder(ctx, shopHash, 1, r.now))
	r.owe(Hold, 1, "d")
	r.wait(time.Minute)
	_, err = r.l.RecordNotice(ctx, r.notice(shopHash, 1), r.now)
	r.ok(err)
	p, err = r.l.ShopPending(ctx, shopHash)
	if err != nil || p != (ShopPending{Notices: 1, Orders: 1, Writebacks: 1, Oldest: start}) {
		t.Errorf("%+v, %v", p, err)
	}
	r.ok(r.l.FinishWriteback(ctx, r.owed(0), "", r.now))
	p, err = r.l.ShopPending(ctx, shopHash)
	if err != nil || p != (ShopPending{Notices: 1, Orders: 1, Oldest: r.now}) {
		t.Errorf("%+v, %v", p, err)
	}
	seen, err := r.l.NoticesSeen(ctx, shopHash)
	if err != nil || !reflect.DeepEqual(seen, map[string]time.Time{"store/order/created": r.now}) {
		t.Errorf("seen %v, %v", seen, err)
	}
}

func TestFindOrder(t *testing.T) {
	for text, want := range map[string]int64{"118": 118, "0": 0, "-1": 0, "x": 0, "": 0, "9223372036854775808": 0} {
		if id, ok := FindOrder(text); ok != (want != 0) || ok && id != want {
			t.Errorf("%q: %d, %v", text, id, ok)
		}
	}
}

// TestBroken: what the file says in a way that cannot be read is an error, never half of an answer.
func TestBroken(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	s := r.shop()
	r.settled(118, Held, gate.Hold)
	r.session(r.cart("c1", 7, ""))
	_, err := r.l.RecordNotice(ctx, r.notice(shopHash, 1), r.now)
	r.ok(err)
	_, err = r.l.SavePolicy(ctx, shopHash, PolicyChange{Base: 0, Policy: gate.Default("EUR"), Author: "ada", Note: "", Since: r.now}, r.now)
	r.ok(err)
	r.exec("UPDATE decisions SET explanation = '{', cart_id = 'c1'")
	r.exec("UPDATE sessions SET requirement = '{', moves = '[[1]]', order_id = 118")
	r.exec("UPDATE notices SET detail = '{'")
	r.exec("UPDATE policies SET body = '{'")
	id := r.value("SELECT id FROM decisions WHERE order_id = 118")
	for name, call := range map[string]func() error{
		"Decision":       func() error { _, err := r.l.Decision(ctx, shopHash, id); return err },
		"OrderDecisions": func() error { _, err := r.l.OrderDecisions(ctx, shopHash, 118); return err },
		"CartDecisions":  func() error { _, err := r.l.CartDecisions(ctx, shopHash, "c1"); return err },
		"DecisionsPage":  func() error { _, err := r.l.DecisionsPage(ctx, shopHash, "", Cursor{}, 9); return err },
		"OrdersBy":       func() error { _, err := r.l.OrdersBy(ctx, s, OrderFilter{}, Place{}, 9); return err },
		"SessionMoves": func() error {
			_, err := r.l.SessionMoves(ctx, shopHash, r.value("SELECT id FROM sessions"))
			return err
		},
		"SubjectSessions": func() error { _, err := r.l.SubjectSessions(ctx, shopHash, 118, ""); return err },
		"of a cart":       func() error { _, err := r.l.SubjectSessions(ctx, shopHash, 0, "c1"); return err },
		"SubjectNotices":  func() error { _, err := r.l.SubjectNotices(ctx, shopHash, "1"); return err },
		"PolicyVersions":  func() error { _, err := r.l.PolicyVersions(ctx, shopHash, 0, 9); return err },
	} {
		if err := call(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	r.ok(r.l.Close())
	if _, err := Open(ctx, options(r.path, r.log)); err == nil {
		t.Error("opened with a policy that cannot be read")
	}
}

// TestReadsAfterClose: every read of a closed ledger is an error.
func TestReadsAfterClose(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	s := r.shop()
	c := r.cart("c1", 7, "")
	r.ok(r.l.Close())
	for name, call := range map[string]func() error{
		"Decision":           func() error { _, err := r.l.Decision(ctx, shopHash, "d"); return err },
		"OrderDecisions":     func() error { _, err := r.l.OrderDecisions(ctx, shopHash, 118); return err },
		"CartDecisions":      func() error { _, err := r.l.CartDecisions(ctx, shopHash, "c1"); return err },
		"KnowsCart":          func() error { _, err := r.l.KnowsCart(ctx, shopHash, "c1"); return err },
		"DecisionsPage":      func() error { _, err := r.l.DecisionsPage(ctx, shopHash, gate.AtOrder, Cursor{}, 9); return err },
		"OrdersBy":           func() error { _, err := r.l.OrdersBy(ctx, s, OrderFilter{}, Place{}, 9); return err },
		"OrderLine":          func() error { _, err := r.l.OrderLine(ctx, s, 1); return err },
		"OrdersOf":           func() error { _, err := r.l.OrdersOf(ctx, s, map[int64]bool{1: true}); return err },
		"SessionsBy":         func() error { _, err := r.l.SessionsBy(ctx, s, SessionFilter{IAL: -1}, Place{}, 9); return err },
		"SessionLine":        func() error { _, err := r.l.SessionLine(ctx, shopHash, "s"); return err },
		"SessionMoves":       func() error { _, err := r.l.SessionMoves(ctx, shopHash, "s"); return err },
		"OrdersOfProof":      func() error { _, err := r.l.OrdersOfProof(ctx, shopHash, "p"); return err },
		"Report":             func() error { _, err := r.l.Report(ctx, s, []time.Time{r.now, r.now.Add(quarter)}); return err },
		"SubjectSessions":    func() error { _, err := r.l.SubjectSessions(ctx, shopHash, 118, ""); return err },
		"SubjectNotices":     func() error { _, err := r.l.SubjectNotices(ctx, shopHash, "1"); return err },
		"PolicyVersions":     func() error { _, err := r.l.PolicyVersions(ctx, shopHash, 0, 9); return err },
		"SessionsPage":       func() error { _, err := r.l.SessionsPage(ctx, shopHash, Cursor{}, 9); return err },
		"Session":            func() error { _, err := r.l.Session(ctx, "s"); return err },
		"CapabilitySession":  func() error { _, err := r.l.CapabilitySession(ctx, c); return err },
		"CountSessions":      func() error { _, err := r.l.CountSessions(ctx, c, r.now); return err },
		"Capability":         func() error { _, err := r.l.Capability(ctx, r.l.Token(c), ForCart, r.now); return err },
		"Order":              func() error { _, err := r.l.Order(ctx, s, 1); return err },
		"Proof":              func() error { _, err := r.l.Proof(ctx, s, "p"); return err },
		"ProofsFor":          func() error { _, err := r.l.ProofsFor(ctx, s, gate.Facts{}); return err },
		"Users":              func() error { _, err := r.l.Users(ctx, shopHash); return err },
		"Login":              func() error { _, err := r.l.Login(ctx, shopHash, "l", r.now); return err },
		"StuckWritebacks":    func() error { _, err := r.l.StuckWritebacks(ctx, shopHash); return err },
		"OrderWritebacks":    func() error { _, err := r.l.OrderWritebacks(ctx, shopHash, 1); return err },
		"CustomerWritebacks": func() error { _, err := r.l.CustomerWritebacks(ctx, shopHash, 1); return err },
		"Counts":             func() error { _, err := r.l.Counts(ctx, shopHash, r.now); return err },
		"CountFound":         func() error { _, err := r.l.CountFound(ctx, shopHash, r.now); return err },
		"CountStuck":         func() error { _, err := r.l.CountStuck(ctx, shopHash); return err },
		"Holds":              func() error { _, err := r.l.Holds(ctx, shopHash); return err },
		"Alarms":             func() error { _, err := r.l.Alarms(ctx); return err },
		"ShopPending":        func() error { _, err := r.l.ShopPending(ctx, shopHash); return err },
		"NoticesSeen":        func() error { _, err := r.l.NoticesSeen(ctx, shopHash); return err },
		"Pending":            func() error { _, err := r.l.Pending(ctx); return err },
		"Due":                func() error { _, err := r.l.Due(ctx, OrderBell, r.now); return err },
		"PublishedScript":    func() error { _, err := r.l.PublishedScript(ctx, "h"); return err },
	} {
		if err := call(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
