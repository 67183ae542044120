package relay

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"idgate/app/bigcommerce"
)

var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func TestPacerKeepsToItsShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPacer()
		limit := rapid.SampledFrom([]int{20, 150, 450}).Draw(t, "limit")
		window := 30 * time.Second
		now, ends := start, start.Add(window)
		p.observe(bigcommerce.Quota{Window: window, Reset: window, Limit: limit, Left: limit, At: now})
		used := 1
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "ms")) * time.Millisecond)
			if !now.Before(ends) {
				ends, used = now.Add(window), 0
			}
			u := urgency(rapid.IntRange(0, 2).Draw(t, "urgency"))
			wait, release := p.reserve(now, u, 5)
			if release == nil {
				if wait <= 0 {
					t.Fatal("neither a reservation nor a time to wait")
				}
				continue
			}
			for range rapid.IntRange(0, 5).Draw(t, "calls") {
				used++
				p.observe(bigcommerce.Quota{Window: window, Reset: ends.Sub(now), Limit: limit, Left: limit - used, At: now})
			}
			release()
			if share := int(float64(limit) * ourShare); used > share+1 {
				t.Fatalf("%d calls in a window of %d", used, limit)
			}
		}
	})
}

func TestPacerSparesTheUrgent(t *testing.T) {
	p := newPacer()
	spend := func(n int) {
		for range n {
			p.observe(bigcommerce.Quota{Window: 30 * time.Second, Reset: 30 * time.Second, Limit: 150, Left: 100, At: start})
		}
	}
	may := func(u urgency) bool {
		_, release := p.reserve(start, u, 5)
		if release != nil {
			release()
		}
		return release != nil
	}
	for _, c := range []struct {
		spend                   int
		urgent, useful, someday bool
	}{{0, true, true, true}, {26, true, true, false}, {24, true, false, false}, {24, false, false, false}} {
		spend(c.spend)
		if may(urgent) != c.urgent || may(useful) != c.useful || may(someday) != c.someday {
			t.Errorf("after %d calls: urgent %t, useful %t, someday %t", p.used, may(urgent), may(useful), may(someday))
		}
	}
	if wait, _ := p.reserve(start.Add(10*time.Second), urgent, 5); wait != 20*time.Second {
		t.Errorf("wait %s, want the rest of the window", wait)
	}
	if wait, _ := p.reserve(start.Add(31*time.Second), someday, 5); wait != 0 {
		t.Errorf("a new window, but wait %s", wait)
	}
}

func TestPacerAfterRefusals(t *testing.T) {
	p := newPacer()
	p.refused(start, 7*time.Second)
	if wait, _ := p.reserve(start, urgent, 5); wait != 7*time.Second {
		t.Errorf("wait %s, want what BigCommerce said", wait)
	}
	p = newPacer()
	last := time.Duration(0)
	for range 8 {
		p.refused(start, 0)
		wait, _ := p.reserve(start, urgent, 5)
		if wait < last || wait > time.Minute {
			t.Errorf("wait %s after %s", wait, last)
		}
		last = wait
	}
	if last != time.Minute {
		t.Errorf("a storm without times ends at %s", last)
	}
}
