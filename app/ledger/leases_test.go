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
