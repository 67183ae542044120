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
		p.observe(bigcommerce.Quota{Window: window, Reset: window, Limit: limit, Left: limit, At: now}, useful)
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
				p.observe(bigcommerce.Quota{Window: window, Reset: ends.Sub(now), Limit: limit, Left: limit - used, At: now}, useful)
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
			p.observe(bigcommerce.Quota{Window: 30 * time.Second, Reset: 30 * time.Second, Limit: 150, Left: 100, At: start}, useful)
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

// TestPacerNeverStarvesTheUrgent: whatever else was begun in a window, there is room for what is urgent, as long as that itself has not used
// it up.
func TestPacerNeverStarvesTheUrgent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPacer()
		limit := rapid.SampledFrom([]int{60, 150, 450, 2000}).Draw(t, "limit")
		p.observe(bigcommerce.Quota{Window: 30 * time.Second, Reset: 30 * time.Second, Limit: limit, Left: limit, At: start}, useful)
		p.used = 0
		for range rapid.IntRange(0, 200).Draw(t, "pieces") {
			u := rapid.SampledFrom([]urgency{useful, someday}).Draw(t, "urgency")
			calls := rapid.SampledFrom([]int{sweepCost, writeCost, checkCost, laneBatch * writeCost, 151}).Draw(t, "calls")
			if _, release := p.reserve(start, u, calls); release != nil && rapid.Bool().Draw(t, "answered") {
				for range calls {
					p.observe(bigcommerce.Quota{Window: 30 * time.Second, Reset: 30 * time.Second, Limit: limit, Left: limit, At: start}, useful)
				}
				release()
			}
		}
		for spent := 0; spent+orderCost <= limit/2*3/10-1; spent += orderCost {
			if wait, release := p.reserve(start, urgent, orderCost); release == nil {
				t.Fatalf("urgent work waits %s for others: of %d calls %d are used, %d set aside, %d its own", wait, limit/2, p.used, p.reserved, spent)
			}
		}
	})
}

// TestPacerWhenTheClockIsSetBack: a day, an hour or a minute back, urgent work waits for two windows at most.
func TestPacerWhenTheClockIsSetBack(t *testing.T) {
	quota := func(at time.Time) bigcommerce.Quota {
		return bigcommerce.Quota{Window: 30 * time.Second, Reset: 30 * time.Second, Limit: 150, Left: 0, At: at}
	}
	for _, back := range []time.Duration{time.Second, 20 * time.Second, time.Minute, 30 * time.Minute, 24 * time.Hour} {
		for name, before := range map[string]func(*pacer){
			"nothing": func(*pacer) {},
			"a used window": func(p *pacer) {
				for range 75 {
					p.observe(quota(start), useful)
				}
			},
			"a refusal":      func(p *pacer) { p.refused(start, 20*time.Second) },
			"a long refusal": func(p *pacer) { p.refused(start, maxBlock) },
			"a storm": func(p *pacer) {
				for range 9 {
					p.refused(start, 0)
				}
			},
		} {
			p := newPacer()
			before(p)
			now := start.Add(-back)
			for waited := time.Duration(0); ; {
				wait, release := p.reserve(now, urgent, orderCost)
				if release != nil {
					break
				}
				if waited += wait; wait <= 0 || waited > time.Minute {
					t.Errorf("%s back after %s: urgent work waits %s, and then %s", back, name, waited, wait)
					break
				}
				now = now.Add(wait)
			}
		}
	}
}

// TestPacerInAStorm: refusals that say nothing wait longer and longer, although every one of them carries a date; the first answer that
// names the quota ends the storm.
func TestPacerInAStorm(t *testing.T) {
	p, now, last := newPacer(), start, time.Duration(0)
	for i := range 8 {
		p.observe(bigcommerce.Quota{At: now, Date: now.Truncate(time.Second)}, useful) // as of every answer
		p.refused(now, 0)
		wait, release := p.reserve(now, urgent, 1)
		if release != nil || wait < min(2*last, time.Minute) {
			t.Fatalf("refusal %d: wait %s after %s", i, wait, last)
		}
		now, last = now.Add(wait), wait
	}
	p.observe(bigcommerce.Quota{Window: 30 * time.Second, Reset: 30 * time.Second, Limit: 150, Left: 100, At: now}, useful)
	p.refused(now, 0)
	if wait, _ := p.reserve(now, urgent, 1); wait != 2*time.Second {
		t.Errorf("the next storm begins with %s", wait)
	}
}

// TestPacerTellsHowLongUrgentWorkWaits: from the first refusal of a reservation until one is made; what is not urgent counts for nothing.
func TestPacerTellsHowLongUrgentWorkWaits(t *testing.T) {
	o := relayAt(func() time.Time { return start.Add(40 * time.Second) })
	p := o.pacers.of("shop")
	for range 75 {
		p.observe(bigcommerce.Quota{Window: 30 * time.Second, Reset: 30 * time.Second, Limit: 150, Left: 75, At: start}, useful)
	}
	at := func(s int, u urgency) bool {
		_, release := p.reserve(start.Add(time.Duration(s)*time.Second), u, 5)
		return release != nil
	}
	for _, step := range []struct {
		second int
		u      urgency
		ok     bool
		since  int // -1: nothing waits
		waited int // after 40 s
	}{
		{1, useful, false, -1, 0},
		{2, someday, false, -1, 0},
		{10, urgent, false, 10, 30},
		{15, urgent, false, 10, 30},
		{16, useful, false, 10, 30},
		{30, useful, true, 10, 30},
		{31, urgent, true, -1, 21},
		{32, urgent, true, -1, 21},
	} {
		if ok := at(step.second, step.u); ok != step.ok {
			t.Errorf("at %d s urgency %d: %t", step.second, step.u, ok)
		}
		got, since := o.Pace("shop"), time.Time{}
		if step.since >= 0 {
			since = start.Add(time.Duration(step.since) * time.Second)
		}
		if !got.WaitingSince.Equal(since) || got.Waited != time.Duration(step.waited)*time.Second {
			t.Errorf("at %d s: waiting since %s, waited %s", step.second, got.WaitingSince, got.Waited)
		}
	}
	if got := o.Pace("shop"); got.Limit != 150 || got.Left != 150 || got.Used != 0 || got.Window != 30*time.Second || !got.BlockedUntil.IsZero() || got.Skew != 0 {
		t.Errorf("%+v", got)
	}
	p.refused(start.Add(35*time.Second), 10*time.Second)
	if got := o.Pace("shop"); !got.BlockedUntil.Equal(start.Add(45 * time.Second)) {
		t.Errorf("blocked until %s", got.BlockedUntil)
	}
}

// relayAt is a Relay that only paces.
func relayAt(now func() time.Time) *Relay {
	return New(Options{BigCommerce: &bigcommerce.App{}, Now: now})
}

// TestReserveTakesWhatThereIsRoomFor: three pieces, or two, or one, or none.
func TestReserveTakesWhatThereIsRoomFor(t *testing.T) {
	for _, tt := range []struct{ used, pieces int }{{0, 3}, {57, 3}, {58, 2}, {63, 2}, {64, 1}, {69, 1}, {70, 0}, {75, 0}} {
		r := relayAt(func() time.Time { return start })
		p := r.pacers.of("shop")
		for range tt.used {
			p.observe(bigcommerce.Quota{Window: 30 * time.Second, Reset: 30 * time.Second, Limit: 150, Left: 100, At: start}, useful)
		}
		pieces, release := r.reserve("shop", urgent, orderCost)
		if pieces != tt.pieces || p.reserved != tt.pieces*orderCost {
			t.Errorf("with %d calls used: %d pieces, %d calls set aside", tt.used, pieces, p.reserved)
		}
		release()
		if p.reserved != 0 {
			t.Errorf("with %d calls used: %d stay set aside", tt.used, p.reserved)
		}
		if waiting := !r.Pace("shop").WaitingSince.IsZero(); waiting != (tt.pieces == 0) {
			t.Errorf("with %d calls used: urgent work waits: %t", tt.used, waiting)
		}
	}
}

// TestShopNow: a clock of ours that is wrong by more than a few seconds is put right by what BigCommerce's answers say.
func TestShopNow(t *testing.T) {
	for _, tt := range []struct{ ahead, want time.Duration }{{0, 0}, {maxSkew, maxSkew}, {maxSkew + time.Second, 0}, {24 * time.Hour, 0}, {-time.Hour, 0}, {-time.Second, -time.Second}} {
		r := relayAt(func() time.Time { return start.Add(tt.ahead) })
		r.pacers.of("shop").observe(bigcommerce.Quota{At: start.Add(tt.ahead), Date: start}, useful)
		if got := r.shopNow("shop").Sub(start); got != tt.want {
			t.Errorf("%s ahead: off by %s, want %s", tt.ahead, got, tt.want)
		}
	}
}
