package relay

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"idgate/app/bigcommerce"
)

// TestAbuseShoppersLeaveHoldsTheirs: whatever shoppers ask, and whatever else was begun in a window that is not urgent, holds find their 30 %;
// however many holds there are while shoppers ask, these find theirs; and all of it together stays within our share.
func TestAbuseShoppersLeaveHoldsTheirs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPacer()
		limit := rapid.SampledFrom([]int{60, 150, 450, 2000}).Draw(t, "limit")
		quota := bigcommerce.Quota{Window: 30 * time.Second, Reset: 30 * time.Second, Limit: limit, Left: limit, At: start}
		p.observe(quota, someday)
		p.used = 0
		spent := map[urgency]int{}
		try := func(u urgency, calls int) bool {
			_, release := p.reserve(start, u, calls)
			if release == nil {
				return false
			}
			spent[u] += calls
			if rapid.Bool().Draw(t, "answered") {
				for range calls {
					p.observe(quota, u)
				}
				release()
			}
			return true
		}
		for range rapid.IntRange(0, 300).Draw(t, "pieces") {
			u := rapid.SampledFrom([]urgency{useful, someday, awaited, awaited}).Draw(t, "urgency")
			try(u, map[urgency]int{useful: writeCost, someday: sweepCost, awaited: 1 + rapid.IntRange(0, 3).Draw(t, "more")}[u])
		}
		shopperFirst := rapid.Bool().Draw(t, "a shopper asks before the holds")
		if shopperFirst {
			try(awaited, 1)
		}
		share := limit / 2
		for try(urgent, 1) {
		}
		if spent[urgent] < share*3/10-1 {
			t.Fatalf("holds found %d of %d: %v", spent[urgent], share, spent)
		}
		for try(awaited, 1) {
		}
		if shopperFirst && spent[awaited] < share*2/10 {
			t.Fatalf("shoppers found %d of %d: %v", spent[awaited], share, spent)
		}
		if total := spent[urgent] + spent[useful] + spent[someday] + spent[awaited]; total > share || spent[awaited] > share/2 {
			t.Fatalf("%d of a share of %d: %v", total, share, spent)
		}
	})
}

// TestAbuseShoppersWithBigCommerceFarAway: while shoppers ask all they can, no window of BigCommerce's sees more than half of its requests from
// us, and holds, sweeps and shoppers all go on in each.
func TestAbuseShoppersWithBigCommerceFarAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		least, most := rapid.IntRange(0, 100).Draw(t, "least ms"), rapid.IntRange(0, 300).Draw(t, "more ms")
		tr := &traffic{p: newPacer(), now: start, bc: counted{window: 30 * time.Second, limit: rapid.SampledFrom([]int{150, 450}).Draw(t, "limit")}}
		draw := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		tr.latency = func() time.Duration { return time.Duration(least+draw.IntN(most+1)) * time.Millisecond }
		first := tr.bc.take(start, someday)
		first.At = start
		tr.p.observe(first, someday)
		for range 4 { // strangers side by side
			tr.lane(awaited, 1, 1, func() int { return 1 })
		}
		tr.lane(urgent, laneBatch, orderCost, func() int { return 1 + draw.IntN(orderCost) })
		tr.lane(someday, 1, sweepCost, func() int { return 1 + draw.IntN(sweepCost) })
		tr.until(start.Add(10 * time.Minute))
		share := tr.bc.limit / 2
		swept := 0
		for i, w := range tr.bc.finished {
			if ours := w[urgent] + w[someday] + w[awaited]; ours > share || w[awaited] > share/2 {
				t.Fatalf("window %d: of a share of %d: %v", i, share, w)
			}
			swept += w[someday]
			if i > 0 && (w[urgent] < share*3/10-laneBatch*orderCost || w[awaited] < share*2/10-4) {
				t.Fatalf("window %d: somebody was shut out of a share of %d: %v", i, share, w)
			}
		}
		if len(tr.bc.finished) < 15 || swept == 0 {
			t.Fatalf("%d windows with %d calls of sweeps", len(tr.bc.finished), swept)
		}
	})
}

// TestShoppersPart: a quiet shop's holds have the whole share; while shoppers ask, all but theirs; a minute later all again. Shoppers ask in
// spite of a refusal, and their waiting is not that of holds.
func TestShoppersPart(t *testing.T) {
	p := newPacer() // a share of 75
	room := func(now time.Time, u urgency) int {
		n := 0
		for ; ; n++ {
			_, release := p.reserve(now, u, n+1)
			if release == nil {
				return n
			}
			release()
		}
	}
	p.observe(bigcommerce.Quota{Window: 10 * time.Minute, Reset: 10 * time.Minute, Limit: 150, Left: 149, At: start}, useful)
	for _, c := range []struct {
		after time.Duration
		u     urgency
		want  int
	}{
		{0, urgent, 74}, {0, useful, 36}, {0, someday, 29}, {time.Second, awaited, 37}, {2 * time.Second, urgent, 59}, {2 * time.Second, useful, 36},
		{time.Minute, urgent, 59}, {time.Minute + 2*time.Second, urgent, 74},
	} {
		if got := room(start.Add(c.after), c.u); got != c.want {
			t.Errorf("after %s urgency %d: room for %d calls, want %d", c.after, c.u, got, c.want)
		}
	}
	p.since = time.Time{}
	p.refused(start, time.Minute)
	if got := room(start.Add(time.Second), awaited); got != 37 || !p.since.IsZero() {
		t.Errorf("after a refusal: room for %d calls; urgent work waits: %t", got, !p.since.IsZero())
	}
}

// TestAbuseAbsentCartsAreBounded: what is remembered takes bounded room and is forgotten after a minute, or when the clock is set back.
func TestAbuseAbsentCartsAreBounded(t *testing.T) {
	var ac absentCarts
	gone := errors.New("no such cart")
	for i := range absentMost + 10 {
		ac.add("one", fmt.Sprint(i), gone, start)
	}
	ac.add("two", "0", gone, start)
	for _, c := range []struct {
		hash, cart string
		after      time.Duration
		want       error
	}{
		{"one", "0", 0, gone}, {"one", fmt.Sprint(absentMost - 1), 59 * time.Second, gone}, {"one", fmt.Sprint(absentMost), 0, nil}, {"one", "1", time.Minute, nil},
		{"one", "2", -time.Hour, nil}, {"two", "0", time.Second, gone}, {"two", "1", 0, nil}, {"three", "0", 0, nil},
	} {
		if got := ac.of(c.hash, c.cart, start.Add(c.after)); got != c.want {
			t.Errorf("%s %s after %s: %v", c.hash, c.cart, c.after, got)
		}
	}
	for i := range absentMost {
		ac.add("one", fmt.Sprint("later", i), gone, start.Add(2*time.Minute))
	}
	if n := len(ac.m["one"]); n != absentMost || ac.of("one", "later0", start.Add(2*time.Minute)) == nil {
		t.Errorf("%d are remembered", n)
	}
}
