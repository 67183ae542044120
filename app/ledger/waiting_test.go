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
)

// leaseAll leases up to count orders, and returns their numbers.
func (r *rig) leaseAll(again bool, count int) (out []int64) {
	r.Helper()
	due, err := r.l.LeaseOrders(context.Background(), shopHash, again, r.now, r.now.Add(lease), count)
	r.ok(err)
	for _, o := range due {
		out = append(out, o.OrderID)
	}
	return out
}

// known makes orders that were fetched in a status, and wait for nothing.
func (r *rig) known(status int, ids ...int64) {
	r.Helper()
	for _, id := range ids {
		r.ok(r.l.DueOrder(context.Background(), shopHash, id, r.now))
		r.exec("UPDATE orders SET due_at = 0, status_id = ? WHERE order_id = ?", status, id)
	}
}

// policy saves the next version of a Policy.
func (r *rig) policy(mode gate.Mode) {
	r.Helper()
	p := gate.Default("EUR")
	p.Mode = mode
	_, err := r.l.SavePolicy(context.Background(), shopHash, PolicyChange{Base: r.shop().Policy.Version, Policy: p, Author: "ada", Since: r.now}, r.now)
	r.ok(err)
}

// TestSavePolicyDueAgain: a new Policy has every order decided again that could still be shipped, behind what is new; and what is being
// evaluated meanwhile as well, whatever it is: it may be decided by the former one.
func TestSavePolicyDueAgain(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.install("other9")
	r.ok(r.l.DueOrder(ctx, "other9", 111, r.now))
	r.exec("UPDATE orders SET due_at = 0, status_id = 11")
	for status := range 15 {
		r.known(status, int64(100+status))
	}
	fresh := r.evaluated(2) // never fetched before
	r.ok(r.l.DueOrder(ctx, shopHash, 3, r.now))
	postponed := r.leased(3)
	r.ok(r.l.PostponeOrder(ctx, postponed, r.now.Add(time.Hour), "down"))
	r.ok(r.l.DueOrder(ctx, shopHash, 1, r.now)) // waits, and is new
	r.wait(time.Second)
	before := r.rows()
	r.policy(gate.Enforce)
	var got, want []string
	for _, c := range changed(before, r.rows()) {
		if strings.HasPrefix(c, "orders ") {
			got = append(got, c)
		}
	}
	for _, id := range []int{107, 108, 109, 111, 112} {
		want = append(want, on(fmt.Sprint("orders abc123/", id), "due_at: 0 -> "+r.at(), "urgency: 0 -> 1")...)
	}
	want = append(want, "orders abc123/2 attempt: 1 -> 0", "orders abc123/3 attempt: 1 -> 0")
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("changed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// Whoever was evaluating ends, with what the former Policy says; the order stays due.
	d := r.orderDecision(2, gate.Allow)
	r.ok(r.l.SettleOrder(ctx, r.shop(), fresh, Settlement{Order: r.order(2), Decision: &d}, r.now))
	r.wait(lease)
	if got := r.leaseAll(false, 9); !slices.Equal(got, []int64{1, 2}) {
		t.Errorf("due as new: %v", got)
	}
	if got := r.leaseAll(true, 9); !slices.Equal(got, []int64{107, 108, 109, 111, 112}) {
		t.Errorf("due again: %v", got)
	}
}

// TestLeaseOrdersAgain: what happened to an order and what is only decided again are two queues, each in the order things became due in.
func TestLeaseOrdersAgain(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.known(11, 4, 5, 6)
	r.policy(gate.Shadow)
	r.wait(time.Second)
	r.ok(r.l.DueOrder(ctx, shopHash, 9, r.now))
	r.wait(time.Second)
	r.ok(r.l.DueOrder(ctx, shopHash, 8, r.now))
	r.exec("UPDATE orders SET due_at = due_at + 7 - order_id WHERE order_id < 8") // 6 waits longest
	for _, tt := range []struct {
		again bool
		count int
		want  []int64
	}{{false, 1, []int64{9}}, {true, 2, []int64{5, 6}}, {false, 9, []int64{8}}, {true, 9, []int64{4}}, {false, 9, nil}, {true, 9, nil}} {
		if got := r.leaseAll(tt.again, tt.count); !slices.Equal(got, tt.want) {
			t.Errorf("again %v, at most %d: %v, want %v", tt.again, tt.count, got, tt.want)
		}
	}
	r.wait(lease) // the leases have run out: each is in its own queue still
	if got := r.leaseAll(true, 9); !slices.Equal(got, []int64{4, 5, 6}) {
		t.Errorf("again: %v", got)
	}
	if got := r.leaseAll(false, 9); !slices.Equal(got, []int64{8, 9}) {
		t.Errorf("new: %v", got)
	}
	if o := r.order(4); !o.Again || o.Attempt != 2 {
		t.Errorf("%+v", o)
	}
}

// TestLeaseOrdersImpatient: what waits behind what is new is taken along, one with each batch, once it has waited for long.
func TestLeaseOrdersImpatient(t *testing.T) {
	r := newRig(t)
	r.known(11, 4, 5, 6)
	r.policy(gate.Shadow)
	r.wait(patience)
	r.known(11, 7)
	r.policy(gate.Enforce) // 7 begins to wait only now
	for id := int64(11); id < 20; id++ {
		r.ok(r.l.DueOrder(t.Context(), shopHash, id, r.now.Add(time.Duration(id)*time.Millisecond-time.Minute)))
	}
	for _, tt := range []struct {
		count int
		want  []int64
	}{{1, []int64{11}}, {2, []int64{4, 12}}, {3, []int64{5, 13, 14}}, {3, []int64{6, 15, 16}}, {2, []int64{17, 18}}, {3, []int64{19}}, {3, nil}} {
		got := r.leaseAll(false, tt.count)
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("at most %d: %v, want %v", tt.count, got, tt.want)
		}
	}
	if got := r.leaseAll(true, 9); !slices.Equal(got, []int64{7}) {
		t.Errorf("again: %v", got)
	}
}

// TestAllowedWaits: what a webhook or a sweep tells of an order that is allowed waits behind what is new; of one that is not, it does not.
func TestAllowedWaits(t *testing.T) {
	for _, tt := range []struct {
		outcome gate.Outcome
		hold    HoldState
		waits   bool
	}{{gate.Allow, NotHeld, true}, {gate.Allow, Released, true}, {gate.Allow, Moved, false}, {gate.Allow, Releasing, false}, {gate.Verify, NotHeld, false}, {gate.Hold, Held, false}} {
		for name, told := range map[string]func(r *rig) error{
			"a sweep": func(r *rig) error {
				_, err := r.l.DueSwept(context.Background(), shopHash, []Swept{{118, 2, r.now}}, r.now)
				return err
			},
			"a notice": func(r *rig) error {
				_, err := r.l.RecordNotice(context.Background(), r.notice(shopHash, 1), r.now)
				r.ok(err)
				due, err := r.l.LeaseNotices(context.Background(), shopHash, r.now, r.now.Add(lease), 1)
				r.ok(err)
				return r.l.FinishNotice(context.Background(), due[0], "looked at", []int64{118}, r.now)
			},
		} {
			t.Run(fmt.Sprint(name, tt.outcome, tt.hold), func(t *testing.T) {
				r := newRig(t)
				l := r.evaluated(118)
				o, d := r.order(118), r.orderDecision(118, tt.outcome)
				o.StatusID, o.Hold, o.FormerStatus, o.HoldStatus = 11, tt.hold, 11, 12
				r.ok(r.l.SettleOrder(t.Context(), r.shop(), l, Settlement{Order: o, Decision: &d}, r.now))
				r.wait(time.Second)
				r.ok(told(r))
				if o := r.order(118); o.Again != tt.waits || !o.DueAt.Equal(r.now) {
					t.Errorf("%+v", o)
				}
				r.ok(r.l.DueOrder(t.Context(), shopHash, 118, r.now)) // a person, or a Proof
				if o := r.order(118); o.Again {
					t.Errorf("%+v", o)
				}
			})
		}
	}
}

// TestNewsOvertakes: whatever happens to an order that only waits to be decided again takes it to the front, also while it is being decided.
func TestNewsOvertakes(t *testing.T) {
	for name, happens := range map[string]func(r *rig) error{
		"a notice": func(r *rig) error { return r.l.DueOrder(context.Background(), shopHash, 118, r.now) },
		"a sweep": func(r *rig) error {
			n, err := r.l.DueSwept(context.Background(), shopHash, []Swept{{118, 12, r.now}}, r.now)
			if n != 1 {
				r.Errorf("%d due", n)
			}
			return err
		},
		"a handled notice": func(r *rig) error {
			_, err := r.l.RecordNotice(context.Background(), r.notice(shopHash, 1), r.now)
			r.ok(err)
			due, err := r.l.LeaseNotices(context.Background(), shopHash, r.now, r.now.Add(lease), 1)
			r.ok(err)
			return r.l.FinishNotice(context.Background(), due[0], "looked at", []int64{118}, r.now)
		},
		"its time": func(r *rig) error {
			r.exec("UPDATE orders SET wake_at = ?", millis(r.now))
			_, err := r.l.DueWoken(context.Background(), shopHash, r.now)
			return err
		},
		"a proof": func(r *rig) error {
			r.proved(Capability{ID: []byte("sixteen bytes..."), Shop: shopHash, Purpose: ForMail, OrderID: 118}, r.ada(), nil)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.known(11, 118)
			r.policy(gate.Enforce)
			if o := r.order(118); !o.Again || !o.DueAt.Equal(r.now) {
				t.Fatalf("%+v", o)
			}
			r.wait(time.Second)
			r.ok(happens(r))
			if o := r.order(118); o.Again {
				t.Errorf("behind what is new still: %+v", o)
			}
			if got := r.leaseAll(false, 9); !slices.Equal(got, []int64{118}) {
				t.Errorf("due as new: %v", got)
			}
			r.exec("UPDATE orders SET due_at = 0")
			r.policy(gate.Shadow)
			leased, err := r.l.LeaseOrders(t.Context(), shopHash, true, r.now, r.now.Add(lease), 9)
			r.ok(err)
			if len(leased) != 1 {
				t.Fatal(leased)
			}
			if name == "a sweep" || name == "a handled notice" {
				return // the same once more: it is known
			}
			r.ok(happens(r))
			r.ok(r.l.ForgetOrder(t.Context(), leased[0], "done"))
			if got := r.leaseAll(false, 9); !slices.Equal(got, []int64{118}) {
				t.Errorf("due as new after it was decided again: %v", got)
			}
		})
	}
}

// TestSettlementStored: every column of an order that a Settlement speaks of is stored as it says, and read back.
func TestSettlementStored(t *testing.T) {
	r := newRig(t)
	s := r.shop()
	at := func(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }
	want := Order{ID: 118, StatusID: 11, CustomerID: 7, CartID: "c1", Mailbox: s.MailboxHash("ada@example.com"), Buyer: Buyer{Name: "Ada Lovelace", Mailbox: "ada@example.com", Locale: "en-GB"},
		Value: gate.Money{Minor: 5000, Currency: "EUR"}, Source: "www", Digital: true, PlacedAt: at(1), ModifiedAt: at(2), SeenAt: r.now, Hold: Held, FormerStatus: 9, HoldStatus: 12,
		HeldAt: at(3), Holds: 4, Reheld: 5, Touched: true, AlarmedAt: at(6), CancelAt: at(7), CalledAt: at(8), Kept: true, WakeAt: at(9), DecisionID: "d", FactsDigest: []byte("f"),
		PersonSays: "refuse", Link: []byte("link"), Attempt: 1, ShopValue: gate.Money{Minor: 5500, Currency: "USD"}, Channel: 10, Answer: "review"}
	r.ok(r.l.SettleOrder(t.Context(), s, r.evaluated(118), Settlement{Order: want}, r.now))
	if got := r.order(118); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	v := reflect.ValueOf(want)
	for i := range v.NumField() {
		switch name := v.Type().Field(i).Name; name {
		case "ErasedAt", "DueAt", "Again", "Trouble": // nothing that a Settlement says
		default:
			if v.Field(i).IsZero() {
				t.Errorf("%s is not tried", name)
			}
		}
	}
}

// TestDueWoken: an order becomes due when its time has come, once, and also while it is being evaluated by whoever did not know the time.
func TestDueWoken(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	at := r.now.Add(time.Hour)
	r.known(12, 118, 119, 120)
	r.exec("UPDATE orders SET wake_at = ? WHERE order_id = 118", millis(at))
	r.exec("UPDATE orders SET wake_at = ? WHERE order_id = 119", millis(at)+1)
	r.exec("UPDATE orders SET wake_at = ? WHERE order_id = 120", millis(at))
	under := r.evaluated(120)
	r.now = at.Add(-time.Millisecond)
	r.changes(func() error { n, err := r.l.DueWoken(ctx, shopHash, r.now); r.number(n, 0); return err })
	r.now = at
	select {
	case <-r.l.Ring(OrderBell):
	default:
	}
	r.changes(func() error { n, err := r.l.DueWoken(ctx, "other9", r.now); r.number(n, 0); return err })
	r.changes(func() error { n, err := r.l.DueWoken(ctx, shopHash, r.now); r.number(n, 2); return err },
		append(on("orders abc123/118", "wake_at: "+r.at()+" -> 0", "due_at: 0 -> "+r.at()),
			on("orders abc123/120", "wake_at: "+r.at()+" -> 0", "attempt: 1 -> 0", fmt.Sprintf("due_at: %d -> %s", millis(start.Add(lease)), r.at()))...)...)
	<-r.l.Ring(OrderBell)
	r.changes(func() error { n, err := r.l.DueWoken(ctx, shopHash, r.now); r.number(n, 0); return err })
	r.ok(r.l.SettleOrder(ctx, r.shop(), under, Settlement{Order: r.order(120)}, r.now))
	if got := r.leaseAll(false, 9); !slices.Equal(got, []int64{118, 120}) {
		t.Errorf("due: %v", got)
	}
}

func (r *rig) number(got, want int64) {
	r.Helper()
	if got != want {
		r.Errorf("%d, want %d", got, want)
	}
}

// TestTouchOrder: that somebody moved an order off our hold is remembered once the hold was written, however late or often its webhook comes,
// and whoever is just evaluating the order without knowing it cannot wipe it out.
func TestTouchOrder(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.onHold(118) // held now, by status 12
	after := r.now.Add(time.Second)
	touch := func(from, to int, at time.Time) func() error {
		return func() error { return r.l.TouchOrder(ctx, shopHash, 118, from, to, at) }
	}
	r.changes(touch(11, 12, after)) // our own write
	r.changes(touch(12, 11, r.now)) // from before the hold, or of the moment it was confirmed
	r.changes(touch(12, 12, after)) // nothing moved
	r.changes(touch(7, 11, after))  // off another status
	r.changes(func() error { return r.l.TouchOrder(ctx, "other9", 118, 12, 11, after) })
	r.changes(func() error { return r.l.TouchOrder(ctx, shopHash, 119, 12, 11, after) })
	l := r.evaluated(118)
	stale := r.order(118)
	r.ok(touch(12, 11, after)())
	if o := r.order(118); !o.Touched {
		t.Errorf("%+v", o)
	}
	r.is(r.l.SettleOrder(ctx, r.shop(), l, Settlement{Order: stale}, r.now), ErrLeaseLost)
	if o := r.order(118); !o.Touched || o.DueAt.IsZero() {
		t.Errorf("whoever looked before has wiped it out: %+v", o)
	}
	r.wait(lease)
	l = r.leased(118)
	o := r.order(118)
	o.Touched = false // as the gate says once it has drawn the conclusion
	r.ok(r.l.SettleOrder(ctx, r.shop(), l, Settlement{Order: o}, r.now))
	if o := r.order(118); o.Touched {
		t.Errorf("%+v", o)
	}
	for _, hold := range []HoldState{NotHeld, Holding, Releasing, Released, Moved, Leaked, Cancelling, Cancelled} {
		r.exec("UPDATE orders SET hold = ?, touched = 0", string(hold))
		r.changes(touch(12, 11, after))
	}
	r.exec("UPDATE orders SET hold = 'refused'")
	r.ok(touch(12, 11, after)())
	if o := r.order(118); !o.Touched {
		t.Errorf("%+v", o)
	}
}

// TestKeepOrder: a person keeps an order from being cancelled, also when its cancellation is under way, and may take that back.
func TestKeepOrder(t *testing.T) {
	for _, tt := range []struct {
		hold HoldState
		want error
	}{{Held, nil}, {Cancelling, nil}, {NotHeld, ErrMoved}, {Holding, ErrMoved}, {Releasing, ErrMoved}, {Released, ErrMoved}, {Refused, ErrMoved}, {Moved, ErrMoved},
		{Leaked, ErrMoved}, {Cancelled, ErrMoved}} {
		t.Run(string(tt.hold), func(t *testing.T) {
			r := newRig(t)
			ctx := t.Context()
			r.onHold(118)
			r.owe(Cancel, 118, "d")
			r.owe(Note, 118, "d")
			r.exec("UPDATE orders SET hold = ?, cancel_at = 50, called_at = 40", string(tt.hold))
			l := r.evaluated(118)
			stale := r.order(118)
			r.wait(time.Second)
			keep := func() error { return r.l.KeepOrder(ctx, r.shop(), 118, true, "called", r.now) }
			if tt.want != nil {
				r.changes(func() error { r.is(keep(), tt.want); return nil })
				return
			}
			id := r.value("SELECT id FROM writebacks WHERE kind = 'cancel'")
			want := on("orders abc123/118", "kept: 0 -> 1", "cancel_at: 50 -> 0", "called_at: 40 -> 0", "attempt: 1 -> 0", fmt.Sprintf("lease: %d -> %d", l.lease, l.lease+1))
			if tt.hold == Cancelling {
				want = append(want, "orders abc123/118 hold: cancelling -> held")
			}
			r.changes(keep, append(want, on("writebacks "+id, "state: pending -> dropped", fmt.Sprintf("due_at: %d -> 0", millis(start)), "done_at: 0 -> "+r.at(),
				"reason:  -> a person keeps the order")...)...)
			<-r.l.Ring(OrderBell)
			r.is(r.l.SettleOrder(ctx, r.shop(), l, Settlement{Order: stale}, r.now), ErrLeaseLost)
			if o := r.order(118); !o.Kept || o.Hold != Held || o.DueAt.IsZero() {
				t.Errorf("kept: %+v", o)
			}
			r.exec("UPDATE orders SET due_at = 0")
			r.ok(r.l.KeepOrder(ctx, r.shop(), 118, false, "called", r.now))
			if o := r.order(118); o.Kept || !o.DueAt.Equal(r.now) {
				t.Errorf("not kept any more: %+v", o)
			}
			r.is(r.l.KeepOrder(ctx, r.shop(), 119, true, "called", r.now), ErrMoved)
		})
	}
}

// TestHoldMark: a mark is known again, and is another one for another order, status, Shop or key.
func TestHoldMark(t *testing.T) {
	r := newRig(t)
	r.install("other9")
	other, err := r.l.Shop("other9")
	r.ok(err)
	marks := map[string]string{}
	for name, m := range map[string]string{
		"ours": r.shop().HoldMark(118, 11), "another order": r.shop().HoldMark(119, 11), "another status": r.shop().HoldMark(118, 9),
		"digits moved": r.shop().HoldMark(11, 811), "another shop": other.HoldMark(118, 11),
	} {
		_, mac, _ := strings.Cut(strings.TrimPrefix(m, "from "), " ")
		if len(mac) != 16 || marks[mac] != "" {
			t.Errorf("%s: %q is also the mark of %s", name, m, marks[mac])
		}
		marks[mac] = name
	}
	mark := r.shop().HoldMark(118, 11)
	if !strings.HasPrefix(mark, "from 11 ") {
		t.Errorf("mark %q", mark)
	}
	r.ok(r.l.Close())
	r.open()
	if again := r.shop().HoldMark(118, 11); again != mark {
		t.Errorf("opened again: %q, was %q", again, mark)
	}
	r.ok(r.l.UninstallShop(t.Context(), r.row(shopHash), r.now))
	forget(r, t.Context(), r.now.Add(keepShop))
	r.install(shopHash)
	if again := r.shop().HoldMark(118, 11); again == mark {
		t.Error("the key was destroyed, and a mark of before stands")
	}
}
