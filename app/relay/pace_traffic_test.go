package relay

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"idgate/app/bigcommerce"
)

// counted is BigCommerce's own count of a shop's requests: in windows that begin with their first request.
type counted struct {
	window   time.Duration
	limit    int
	begins   time.Time
	used     int               // of all apps
	ours     map[urgency]int   // of the running window
	finished []map[urgency]int // ours, of each window that is over
}

func (c *counted) take(now time.Time, us ...urgency) bigcommerce.Quota {
	if c.begins.IsZero() || now.Sub(c.begins) >= c.window {
		if !c.begins.IsZero() {
			c.finished = append(c.finished, c.ours)
		}
		c.begins, c.used, c.ours = now, 0, map[urgency]int{}
	}
	c.used++
	for _, u := range us {
		c.ours[u]++
	}
	return bigcommerce.Quota{Window: c.window, Reset: c.window - now.Sub(c.begins), Limit: c.limit, Left: max(c.limit-c.used, 0)}
}

// traffic is work of all urgencies at a pacer, with BigCommerce some time away: what is answered was counted a while ago.
type traffic struct {
	p       *pacer
	bc      counted
	now     time.Time
	latency func() time.Duration // one way
	coming  []happening
}

type happening struct {
	at time.Time
	do func()
}

func (tr *traffic) in(d time.Duration, do func()) {
	at := tr.now.Add(d)
	i, _ := slices.BinarySearchFunc(tr.coming, at, func(h happening, at time.Time) int {
		if h.at.After(at) {
			return 1
		}
		return -1
	})
	tr.coming = slices.Insert(tr.coming, i, happening{at, do})
}

func (tr *traffic) until(end time.Time) {
	for len(tr.coming) > 0 && tr.coming[0].at.Before(end) {
		h := tr.coming[0]
		tr.coming = tr.coming[1:]
		tr.now = h.at
		h.do()
	}
	tr.now = end
}

// lane works without a pause: so many pieces side by side, each of so many calls at most.
func (tr *traffic) lane(u urgency, pieces, cost int, used func() int) {
	for n := pieces; n > 0; n-- {
		wait, release := tr.p.reserve(tr.now, u, n*cost)
		if release == nil {
			if n == 1 {
				tr.in(min(wait, time.Second), func() { tr.lane(u, pieces, cost, used) })
			}
			continue
		}
		open := n
		for range n {
			tr.piece(u, used(), func() {
				if open--; open == 0 {
					release()
					tr.lane(u, pieces, cost, used)
				}
			})
		}
		return
	}
}

func (tr *traffic) piece(u urgency, calls int, then func()) {
	if calls == 0 {
		tr.in(time.Millisecond, then)
		return
	}
	tr.in(tr.latency(), func() {
		q := tr.bc.take(tr.now, u)
		tr.in(tr.latency(), func() {
			q.At = tr.now
			tr.p.observe(q, u)
			tr.piece(u, calls-1, then)
		})
	})
}

// others is what the shop's other apps do.
func (tr *traffic) others(every time.Duration) {
	tr.bc.take(tr.now)
	tr.in(every, func() { tr.others(every) })
}

// TestPacerWithBigCommerceFarAway: in no window of BigCommerce's are more than half of the requests ours, however long they are under way;
// and in each that half can be used.
func TestPacerWithBigCommerceFarAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		least, most := rapid.IntRange(0, 100).Draw(t, "least ms"), rapid.IntRange(0, 300).Draw(t, "more ms")
		tr := &traffic{p: newPacer(), now: start, bc: counted{window: 30 * time.Second, limit: rapid.SampledFrom([]int{60, 150, 450}).Draw(t, "limit")}}
		draw := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		tr.latency = func() time.Duration { return time.Duration(least+draw.IntN(most+1)) * time.Millisecond }
		first := tr.bc.take(start, someday) // before it, the smallest plan is assumed
		first.At = start
		tr.p.observe(first, someday)
		tr.lane(urgent, laneBatch, orderCost, func() int { return draw.IntN(orderCost + 1) })
		tr.lane(useful, laneBatch, writeCost, func() int { return draw.IntN(writeCost + 1) })
		tr.lane(someday, 1, sweepCost, func() int { return 1 + draw.IntN(sweepCost) })
		if rapid.Bool().Draw(t, "other apps") {
			tr.others(time.Duration(300+draw.IntN(2000)) * time.Millisecond)
		}
		tr.until(start.Add(10 * time.Minute))
		share, total := tr.bc.limit/2, 0
		for i, w := range tr.bc.finished {
			ours := w[urgent] + w[useful] + w[someday]
			if total += ours; ours > share {
				t.Fatalf("window %d: %d of %d requests were ours: %v", i, ours, tr.bc.limit, w)
			}
			if w[useful]+w[someday] > share*7/10+laneBatch*writeCost {
				t.Fatalf("window %d: what is not urgent took %v of a share of %d", i, w, share)
			}
		}
		if n := len(tr.bc.finished); tr.bc.limit == 150 && total < n*share*8/10 {
			t.Fatalf("in %d windows only %d requests of %d were used: %v", n, total, n*share, tr.bc.finished)
		}
	})
}

// TestPacerLetsSteadyWorkThrough: work that needs less than the share never waits, wherever BigCommerce's windows begin and end.
func TestPacerLetsSteadyWorkThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		oneWay := func() time.Duration { return time.Duration(50+draw.IntN(400)) * time.Millisecond }
		every := time.Duration(rapid.IntRange(2600, 6000).Draw(t, "every ms")) * time.Millisecond // 60 calls in a window at most, of 75
		tr := &traffic{p: newPacer(), now: start, bc: counted{window: 30 * time.Second, limit: 150}, latency: oneWay}
		var work func()
		work = func() {
			_, release := tr.p.reserve(tr.now, urgent, 5)
			if release == nil {
				t.Fatalf("after %s work waits: %d of 75 calls are used, and %d set aside; BigCommerce has counted %v", tr.now.Sub(start), tr.p.used, tr.p.reserved, tr.bc.ours)
			}
			tr.piece(urgent, 5, release)
			tr.in(every, work)
		}
		work()
		tr.until(start.Add(10 * time.Minute))
	})
}
