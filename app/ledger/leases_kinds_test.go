package ledger

import (
	"context"
	"fmt"
	"time"

	"idgate/app/idv"
	"idgate/queries"
)

// The four kinds of work that TestLeases tries.

var notices = leasing{
	table: "notices", due: "due_at", key: "subject",
	add: func(r *rig, i int) {
		n := r.notice(shopHash, i)
		n.EventAt = start
		_, err := r.l.RecordNotice(context.Background(), n, r.now)
		r.ok(err)
	},
	resume: early,
	lease: func(r *rig, _ bool, count int) (out []held) {
		got, err := r.l.LeaseNotices(context.Background(), shopHash, r.now, r.now.Add(lease), count)
		r.ok(err)
		for _, n := range got {
			var i int
			_, err := fmt.Sscan(n.Subject, &i)
			r.ok(err)
			h := held{item: i, number: n.Attempt,
				finish:   func() error { return r.l.FinishNotice(context.Background(), n, "done", []int64{int64(i)}, r.now) },
				postpone: func(at time.Time) error { return r.l.PostponeNotice(context.Background(), n, at, "later") }}
			if i%2 == 1 {
				h.finish = func() error { return r.l.StickNotice(context.Background(), n, "stuck", r.now) }
			}
			out = append(out, h)
		}
		return out
	},
	again: map[string]func(*rig, int, *modelled){
		"replay": func(r *rig, i int, m *modelled) {
			var id int64
			_, err := fmt.Sscan(r.value("SELECT id FROM notices WHERE subject = ?", fmt.Sprint(i)), &id)
			r.ok(err)
			want := ErrNotFound
			if m.due.IsZero() {
				want = nil
				m.set(r.now)
			}
			r.is(r.l.ReplayNotice(context.Background(), shopHash, id, r.now), want)
		},
		"deliver again": func(r *rig, i int, m *modelled) {
			n := r.notice(shopHash, i)
			n.EventAt = start
			_, err := r.l.RecordNotice(context.Background(), n, r.now)
			r.ok(err)
		},
	},
	all: map[string]func(*rig, map[int]*modelled){
		"replay all": func(r *rig, model map[int]*modelled) {
			want := int64(0)
			for _, m := range model {
				if m.due.IsZero() {
					m.set(r.now)
					want++
				}
			}
			got, err := r.l.ReplayNotices(context.Background(), shopHash, start.Add(-10000*time.Hour), r.now)
			r.ok(err)
			r.number(got, want)
		},
	},
}

var writebacks = leasing{
	table: "writebacks", due: "due_at", key: "subject",
	resume: early,
	add:    func(r *rig, i int) { r.owe(Hold, i, "d") },
	lease: func(r *rig, _ bool, count int) (out []held) {
		got, err := r.l.LeaseWritebacks(context.Background(), shopHash, 0, r.now, r.now.Add(lease), count)
		r.ok(err)
		for _, w := range got {
			end := []func(context.Context, Writeback, string, time.Time) error{r.l.FinishWriteback, r.l.StickWriteback, r.l.DropWriteback}[w.Subject%3]
			out = append(out, held{item: int(w.Subject), number: w.Attempt,
				finish:   func() error { return end(context.Background(), w, "ended", r.now) },
				postpone: func(at time.Time) error { return r.l.PostponeWriteback(context.Background(), w, at, "later") }})
		}
		return out
	},
	again: map[string]func(*rig, int, *modelled){
		"retry": func(r *rig, i int, m *modelled) {
			var id int64
			_, err := fmt.Sscan(r.value("SELECT id FROM writebacks WHERE subject = ?", i), &id)
			r.ok(err)
			want := error(nil)
			if r.value("SELECT state FROM writebacks WHERE subject = ?", i) != "stuck" {
				want = ErrNotFound
			} else {
				m.set(r.now)
			}
			r.is(r.l.RetryWriteback(context.Background(), shopHash, id, r.now), want)
		},
		// Owed again: whoever is trying may have looked too early, and ends nothing any more.
		"owe": func(r *rig, i int, m *modelled) {
			r.owe(Hold, i, "d")
			m.set(r.now)
		},
		"drop": func(r *rig, i int, m *modelled) {
			r.ok(r.l.do(context.Background(), func(ctx context.Context, t *tx) error {
				return t.DropWritebacks(ctx, queries.DropWritebacksParams{StoreHash: shopHash, Subject: int64(i), Kind: string(Hold), Now: millis(r.now), Reason: "no"})
			}))
			m.set(time.Time{})
		},
	},
	all: map[string]func(*rig, map[int]*modelled){
		// A new token: what was stuck is tried again.
		"install": func(r *rig, model map[int]*modelled) {
			for i, m := range model {
				if r.value("SELECT state FROM writebacks WHERE subject = ?", i) == "stuck" {
					m.set(r.now)
				}
			}
			r.install(shopHash)
		},
	},
}

var orders = leasing{
	table: "orders", due: "due_at", key: "order_id", behind: "urgency",
	resume: func(m *modelled, now time.Time) {
		if m.due.After(now) {
			m.due = now // whoever holds it may end the lease as long as nobody else has one
		}
	},
	add: func(r *rig, i int) {
		r.ok(r.l.DueOrder(context.Background(), shopHash, int64(i), r.now))
		r.exec("UPDATE orders SET customer_id = 1000 + order_id, status_id = 12, hold = 'held', former_status = 11, hold_status = 12 WHERE order_id = ?", i)
	},
	lease: func(r *rig, behind bool, count int) (out []held) {
		got, err := r.l.LeaseOrders(context.Background(), shopHash, behind, r.now, r.now.Add(lease), count)
		r.ok(err)
		for _, o := range got {
			h := held{item: int(o.OrderID), number: o.lease,
				finish: func() error {
					d := r.orderDecision(o.OrderID, "hold")
					return r.l.SettleOrder(context.Background(), r.shop(), o, Settlement{Order: r.order(o.OrderID), Decision: &d, Owe: []WritebackKind{Hold}}, r.now)
				},
				postpone: func(at time.Time) error { return r.l.PostponeOrder(context.Background(), o, at, "later") }}
			if o.OrderID%2 == 1 {
				h.finish = func() error { return r.l.ForgetOrder(context.Background(), o, "gone") }
			}
			out = append(out, h)
		}
		return out
	},
	again: map[string]func(*rig, int, *modelled){
		"notice": func(r *rig, i int, m *modelled) {
			r.ok(r.l.DueOrder(context.Background(), shopHash, int64(i), r.now))
			m.news(r.now)
		},
		"sweep": func(r *rig, i int, m *modelled) {
			if m.due.IsZero() || m.behind || !r.order0(i) {
				m.news(r.now)
			}
			_, err := r.l.DueSwept(context.Background(), shopHash, []Swept{{OrderID: int64(i), StatusID: 99, ModifiedAt: r.now}}, r.now)
			r.ok(err)
		},
		"its time": func(r *rig, i int, m *modelled) {
			r.exec("UPDATE orders SET wake_at = ? WHERE order_id = ?", millis(r.now), i)
			n, err := r.l.DueWoken(context.Background(), shopHash, r.now)
			r.ok(err)
			r.number(n, 1)
			m.news(r.now)
			m.due = r.now
		},
		// The order's own state has changed: what is being evaluated looked at an older one, and is lost.
		"confirm": func(r *rig, i int, m *modelled) {
			was := HoldState(r.value("SELECT hold FROM orders WHERE order_id = ?", i))
			is := map[HoldState]HoldState{Held: Refused, Refused: Held}[was]
			r.ok(r.l.ConfirmHold(context.Background(), shopHash, int64(i), was, is, 12, r.now))
			if m.due.IsZero() {
				m.set(time.Time{})
			} else {
				m.set(r.now)
			}
		},
		"touch": func(r *rig, i int, m *modelled) {
			r.ok(r.l.TouchOrder(context.Background(), shopHash, int64(i), 12, 11, r.now.Add(10000*time.Hour)))
			m.set(m.due)
		},
		"keep": func(r *rig, i int, m *modelled) {
			want := ErrMoved
			if HoldState(r.value("SELECT hold FROM orders WHERE order_id = ?", i)) == Held {
				want = nil
				m.set(m.due)
				m.behind = false
				if m.due.IsZero() {
					m.due = r.now
				}
			}
			r.is(r.l.KeepOrder(context.Background(), r.shop(), int64(i), i%2 == 0, "called", r.now), want)
		},
		"erase": func(r *rig, i int, m *modelled) {
			if r.value("SELECT customer_id FROM orders WHERE order_id = ?", i) != "0" {
				m.set(m.due)
				if !m.due.IsZero() {
					m.due = r.now
				}
			}
			r.ok(r.l.EraseCustomer(context.Background(), shopHash, int64(1000+i), r.now))
		},
	},
	all: map[string]func(*rig, map[int]*modelled){
		"policy": func(r *rig, model map[int]*modelled) {
			for i, m := range model {
				switch {
				case m.due.IsZero():
					m.due, m.behind = r.now, true
				case !r.order0(i): // being evaluated, perhaps by the former one
					m.stays = true
				}
			}
			r.policy("shadow")
		},
	},
}

var sessions = leasing{
	table: "sessions", due: "poll_at", key: "cart_id",
	add: func(r *rig, i int) {
		r.session(Capability{ID: []byte("sixteen bytes..."), Shop: shopHash, CartID: fmt.Sprint(i), CustomerID: int64(1000 + i)})
	},
	resume: func(m *modelled, now time.Time) {
		if m.due.IsZero() || !m.due.After(now) && m.live == nil {
			return
		}
		due := m.due
		if due.After(now) {
			due = now
		}
		m.set(due)
		if m.woken.After(now) {
			m.woken = now
		}
	},
	lease: func(r *rig, _ bool, count int) (out []held) {
		got, err := r.l.LeaseSessions(context.Background(), shopHash, r.now, r.now.Add(lease), count)
		r.ok(err)
		for _, n := range got {
			var i int
			_, err := fmt.Sscan(n.CartID, &i)
			r.ok(err)
			out = append(out, held{item: i, number: n.Attempt,
				finish: func() error {
					_, err := r.l.MoveSession(context.Background(), r.shop(), n, Move{State: idv.StateFailed, Deadline: n.Deadline}, r.now)
					return err
				},
				postpone: func(at time.Time) error {
					if i%2 == 1 { // a move to a state that is not final ends the lease like a postponement
						_, err := r.l.MoveSession(context.Background(), r.shop(), n, Move{State: idv.StateStarted, PollAt: at, Deadline: n.Deadline}, r.now)
						return err
					}
					return r.l.PostponeSession(context.Background(), n, at, "later")
				}})
		}
		return out
	},
	again: map[string]func(*rig, int, *modelled){
		// A doorbell: once in 2 s, and never into a running poll.
		"wake": func(r *rig, i int, m *modelled) {
			r.ok(r.l.WakeSession(context.Background(), shopHash, r.value("SELECT id FROM sessions WHERE cart_id = ?", fmt.Sprint(i)), r.now))
			if m.due.After(r.now) && m.live == nil && !m.woken.After(r.now.Add(-2*time.Second)) {
				m.due, m.woken = r.now, r.now
			}
		},
		"erase": func(r *rig, i int, m *modelled) {
			r.ok(r.l.EraseCustomer(context.Background(), shopHash, int64(1000+i), r.now))
			m.set(time.Time{})
		},
	},
}

// order0 says whether the order waits for its first evaluation since it became due.
func (r *rig) order0(i int) bool {
	r.Helper()
	return r.value("SELECT attempt FROM orders WHERE order_id = ?", i) == "0"
}

func (r *rig) owe(k WritebackKind, subject int, ref string) {
	r.Helper()
	r.ok(r.l.do(context.Background(), func(ctx context.Context, t *tx) error { return owe(ctx, t, shopHash, k, int64(subject), ref, r.now) }))
}
