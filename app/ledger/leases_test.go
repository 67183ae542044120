package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"idgate/app/idv"
	"idgate/queries"
)

// held is one lease of one item, as its holder has it.
type held struct {
	item     int
	number   int64 // what tells this lease of the item from every other
	finish   func() error
	postpone func(time.Time) error
}

// leasing is one of the four kinds of work that is done under a lease.
type leasing struct {
	table, due, key string // the table, its column of when an item is due, and the column with the item's number
	behind          string // the column that is 1 where an item waits behind what is new; empty where there is one queue only
	add             func(r *rig, item int)
	lease           func(r *rig, behind bool, count int) []held
	// again makes an item due from outside, in one of the kind's own ways, and says what that does to the model.
	again map[string]func(r *rig, item int, m *modelled)
	// all is the same for what is done to all items at once.
	all map[string]func(r *rig, model map[int]*modelled)
	// resume is what Resume does to an item.
	resume func(m *modelled, now time.Time)
}

// modelled is what the model knows of an item.
type modelled struct {
	due    time.Time // zero when it does not wait
	live   *held     // who may end the lease; nil when nobody may
	stays  bool      // became due under the lease: the end of the lease leaves it so
	behind bool      // it waits behind what is new
	woken  time.Time
}

func (m *modelled) set(t time.Time) { m.due, m.live, m.stays = t, nil, false }

// news makes the item due now as news, whoever holds it meanwhile.
func (m *modelled) news(now time.Time) {
	if m.due.IsZero() || m.due.After(now) {
		m.due = now
	}
	m.stays, m.behind = true, false
}

// early makes the item due that was to be due later, and takes it from whoever holds it.
func early(m *modelled, now time.Time) {
	if m.due.After(now) {
		m.set(now)
	}
}

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
			r.is(r.l.KeepOrder(context.Background(), r.shop(), int64(i), i%2 == 0, r.now), want)
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

// memory is a directory that costs no disk flush, where there is one: a state machine commits some ten thousand times.
func memory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "idgate")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// work is all that a lease's end may change, in one value.
const work = `SELECT (SELECT json_group_array(json_array(id, state, attempt, due_at, remark, handled_at)) FROM notices)
	|| (SELECT json_group_array(json_array(id, state, attempt, due_at, reason, done_at)) FROM writebacks)
	|| (SELECT json_group_array(json_array(id, state, attempt, poll_at, leased_until, changed_at, over_at, trouble, hex(capture_url))) FROM sessions)
	|| (SELECT json_group_array(json_array(order_id, status_id, hold, decision_id, hex(buyer), due_at, urgency, attempt, lease, trouble, touched, kept, erased_at)) FROM orders)
	|| (SELECT json_group_array(json_array(id, stands)) FROM decisions)`

// order0 says whether the order waits for its first evaluation since it became due.
func (r *rig) order0(i int) bool {
	r.Helper()
	return r.value("SELECT attempt FROM orders WHERE order_id = ?", i) == "0"
}

func (r *rig) owe(k WritebackKind, subject int, ref string) {
	r.Helper()
	r.ok(r.l.do(context.Background(), func(ctx context.Context, t *tx) error { return owe(ctx, t, shopHash, k, int64(subject), ref, r.now) }))
}

// TestLeases: whatever is leased, run out, ended, made due and leased again in whatever order, an item has one holder who may end its lease,
// who may do so once; what anybody else does with an old lease changes nothing; and nothing that is due is forgotten.
func TestLeases(t *testing.T) {
	for _, k := range []leasing{notices, writebacks, orders, sessions} {
		t.Run(k.table, func(t *testing.T) {
			r := newRigAt(t, filepath.Join(memory(t), "idgate.db"))
			rapid.Check(t, func(t *rapid.T) { k.check(t, r) })
		})
	}
}

func (k leasing) check(t *rapid.T, r *rig) {
	r.exec("DELETE FROM notices; DELETE FROM writebacks; DELETE FROM orders; DELETE FROM sessions; DELETE FROM decisions")
	r.now = start
	model := map[int]*modelled{}
	var leases []held // all that there ever were
	numbers := map[string]bool{}
	setBack := 0
	item := func(t *rapid.T) int {
		if len(model) == 0 {
			t.Skip("nothing there")
		}
		return rapid.SampledFrom(slices.Sorted(maps.Keys(model))).Draw(t, "item")
	}
	// end draws a lease, ends it in the way given, and checks whether that had an effect.
	end := func(t *rapid.T, how func(held) error, effect func(*modelled)) {
		if len(leases) == 0 {
			t.Skip("no lease")
		}
		n := rapid.IntRange(0, len(leases)-1).Draw(t, "lease")
		h, m := leases[n], model[leases[n].item]
		if m.live != nil && m.live.number == h.number {
			if err := how(h); err != nil {
				t.Fatalf("lease %d of item %d is ours: %v", h.number, h.item, err)
			}
			effect(m)
			return
		}
		before := r.value(work)
		if err := how(h); err != nil && !errors.Is(err, ErrLeaseLost) {
			t.Fatalf("lease %d of item %d: %v", h.number, h.item, err)
		}
		if after := r.value(work); after != before {
			t.Fatalf("lease %d of item %d was another's or had ended, and changed\n%s\nto\n%s", h.number, h.item, before, after)
		}
	}
	actions := map[string]func(*rapid.T){
		"add": func(t *rapid.T) {
			i := len(model) + 1
			if i > 6 {
				t.Skip("enough")
			}
			k.add(r, i)
			model[i] = &modelled{due: r.now}
		},
		"time": func(t *rapid.T) {
			r.wait(time.Duration(rapid.SampledFrom([]int{1, 2, 119, 120, 121}).Draw(t, "seconds")) * time.Second)
		},
		"lease": func(t *rapid.T) {
			count, behind := rapid.IntRange(1, 3).Draw(t, "count"), k.behind != "" && rapid.Bool().Draw(t, "behind")
			var due []int
			for i, m := range model {
				if !m.due.IsZero() && !m.due.After(r.now) && m.behind == behind {
					due = append(due, i)
				}
			}
			got := k.lease(r, behind, count)
			if len(got) != min(count, len(due)) {
				t.Fatalf("%d leases of at most %d, %v are due", len(got), count, due)
			}
			for _, h := range got {
				m := model[h.item]
				if !slices.Contains(due, h.item) {
					t.Fatalf("item %d is not due, or was given out twice", h.item)
				}
				due = slices.DeleteFunc(due, func(i int) bool { return i == h.item })
				for _, i := range due { // what waits longer comes first
					if model[i].due.Before(m.due) && !slices.ContainsFunc(got, func(h held) bool { return h.item == i }) {
						t.Fatalf("item %d was passed over for item %d", i, h.item)
					}
				}
				if key := fmt.Sprint(h.item, "/", h.number); numbers[key] {
					t.Fatalf("item %d has a second lease %d", h.item, h.number)
				} else {
					numbers[key] = true
				}
				leases = append(leases, h)
				m.set(r.now.Add(lease))
				m.live = &leases[len(leases)-1]
			}
		},
		"finish": func(t *rapid.T) {
			end(t, func(h held) error { return h.finish() }, func(m *modelled) {
				m.live = nil
				if !m.stays {
					m.due, m.behind = time.Time{}, false
				}
				m.stays = false
			})
		},
		"postpone": func(t *rapid.T) {
			// Never to the very millisecond at which the lease would have run out: for Notices and Writebacks that would leave it as it was.
			at := r.now.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "seconds"))*time.Second + time.Millisecond)
			end(t, func(h held) error { return h.postpone(at) }, func(m *modelled) {
				m.live = nil
				if !m.stays {
					m.due = at
				}
				m.stays = false
			})
		},
		"the clock is set back": func(t *rapid.T) {
			// As for postponing, never to the very millisecond at which a lease would have run out.
			setBack++
			r.wait(-time.Duration(rapid.SampledFrom([]int{0, 1, 100, 86400}).Draw(t, "seconds")) * time.Second)
			r.now = r.now.Truncate(time.Second).Add(time.Duration(10*setBack) * time.Millisecond)
			r.ok(r.l.Resume(context.Background(), r.now))
			for _, m := range model {
				k.resume(m, r.now)
			}
		},
		"": func(t *rapid.T) {
			var want []string
			for _, i := range slices.Sorted(maps.Keys(model)) {
				want = append(want, fmt.Sprintf("%d at %d behind %d", i, millis(model[i].due), bit(model[i].behind)))
			}
			query := fmt.Sprintf("SELECT coalesce(group_concat(%[1]s || ' at ' || %[2]s || ' behind ' || %[4]s, ', ' ORDER BY CAST(%[1]s AS INTEGER)), '') FROM %[3]s",
				k.key, k.due, k.table, cmp.Or(k.behind, "0"))
			if got := r.value(query); got != strings.Join(want, ", ") {
				t.Fatalf("due %s, want %s", got, strings.Join(want, ", "))
			}
		},
	}
	for name, act := range k.all {
		actions[name] = func(*rapid.T) { act(r, model) }
	}
	for name, act := range k.again {
		actions[name] = func(t *rapid.T) {
			i := item(t)
			act(r, i, model[i])
		}
	}
	t.Repeat(actions)
}
