package relay

import (
	"sync"
	"time"

	"idgate/app/bigcommerce"
)

// urgency orders work within a Shop's share of its API quota.
type urgency int

// The urgencies.
const (
	urgent  urgency = iota // evaluating, holding and releasing orders
	useful                 // attributes, metafields
	someday                // sweeps, reconciliations, notes
	awaited                // what a shopper waits for: a cart's facts, for the most part
)

// How much of a Shop's quota we use at most, and how much of that by urgency. The quota is shared by all of the shop's apps
// (docs: api-rate-limits), so half of it is left to the others, and housekeeping never uses up what a hold may need.
//
// Anybody can be a shopper, so what shoppers wait for is counted apart: of it and of what is not urgent together, no more is done than leaves
// holds their 30 %, and while many orders come, shoppers still find shoppersLeast.
const (
	ourShare      = 0.5
	shoppersLeast = 0.2
	shoppersStay  = time.Minute // how long after a shopper's question holds leave shoppers theirs
)

var shareOf = map[urgency]float64{urgent: 1, useful: 0.7, someday: 0.4, awaited: 0.5}

// onePiece is how many calls a tiny plan has room for in a window of which nothing is used yet: those of the largest piece of work.
const onePiece = checkCost

// maxBlock is the longest that a refusal is believed to last. What lies further ahead is of a clock that was set back.
const maxBlock = time.Hour

// Before BigCommerce has said otherwise, the smallest plan is assumed: 150 requests in 30 s.
const (
	assumedLimit  = 150
	assumedWindow = 30 * time.Second
)

// pacer keeps our calls for one Shop within our share. It reserves before work is begun, so that the share is not overdrawn by
// work that runs side by side.
type pacer struct {
	mu       sync.Mutex
	limit    int           // requests per window, as BigCommerce last said
	left     int           // of all apps together, as BigCommerce last said
	window   time.Duration // its length
	ends     time.Time     // when the current one ends
	over     time.Time     // when the one before ended
	used     int           // answers that we have had in it
	reserved int           // calls of work that is under way
	shoppers int           // of used: what shoppers waited for
	aside    int           // of reserved: what shoppers wait for
	asked    time.Time     // when a shopper last asked
	refusal  time.Time     // when the last 429 came
	blocked  time.Time     // after a 429, until then
	strikes  int           // 429s in a row that gave no time
	skew     time.Duration // how far our clock is ahead of BigCommerce's, to the second
	since    time.Time     // since when urgent work waits for the quota; zero when it does not
	waited   time.Duration // how long it has waited in all
}

func newPacer() *pacer {
	return &pacer{limit: assumedLimit, left: assumedLimit, window: assumedWindow}
}

// roll starts a new window when the old one is over.
func (p *pacer) roll(now time.Time) {
	if now.Before(p.ends) && p.ends.Sub(now) <= 2*p.window {
		return // an end further away is of a clock that was set back
	}
	p.over, p.ends, p.used, p.shoppers, p.left = p.ends, now.Add(p.window), 0, 0, p.limit
}

// observe takes what the answer to a call of the urgency said of the quota.
func (p *pacer) observe(q bigcommerce.Quota, u urgency) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.roll(q.At)
	if q.Window > 0 {
		p.window = q.Window
	}
	if q.Reset > 0 {
		p.endsAt(q.At.Add(q.Reset))
	}
	p.used++
	if u == awaited {
		p.shoppers++
	}
	if !q.Date.IsZero() {
		p.skew = q.At.Sub(q.Date)
	}
	if q.Limit > 0 {
		p.limit, p.left = q.Limit, q.Left
	}
	if q.Limit > 0 || q.Left > 0 { // a 429 of a shop under load says nothing of its quota
		p.strikes = 0
	}
}

// endsAt takes when BigCommerce says that the window ends. An answer is a while under way: by the time it comes, its window may be over, or
// we may think so of the one before, which is counted no longer then.
func (p *pacer) endsAt(ends time.Time) {
	switch {
	case ends.Sub(p.over).Abs() < p.window/2: // of the window before
	case ends.Sub(p.ends) > p.window/2:
		p.over, p.ends, p.used, p.shoppers = p.ends, ends, 0, 0
	default:
		p.ends = ends
	}
}

// refused takes a 429 or 509. Without a time to wait, the wait doubles with each in a row.
func (p *pacer) refused(now time.Time, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if wait == 0 {
		p.strikes++
		wait = min(time.Second<<min(p.strikes, 6), time.Minute)
	}
	p.refusal = now
	if until := now.Add(wait); until.After(p.blocked) {
		p.blocked = until
	}
}

// reserve sets calls aside for work of the urgency, or says how long to wait instead. release gives them back when the work is done:
// by then observe has counted what was really used. A shopper asks in spite of a refusal, which may be over by now.
func (p *pacer) reserve(now time.Time, u urgency, calls int) (wait time.Duration, release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.refusal) {
		p.refusal, p.blocked = time.Time{}, time.Time{} // by a clock that was set back; BigCommerce says so again if need be
	}
	if wait := p.blocked.Sub(now); wait > 0 && wait <= maxBlock && u != awaited {
		p.waits(now, u)
		return wait, nil
	}
	p.roll(now)
	if !p.roomFor(now, u, calls) {
		p.waits(now, u)
		return max(p.ends.Sub(now), time.Second), nil
	}
	if u == urgent && !p.since.IsZero() {
		p.waited += max(now.Sub(p.since), 0)
		p.since = time.Time{}
	}
	aside := 0
	if u == awaited {
		aside = calls
	}
	p.reserved, p.aside = p.reserved+calls, p.aside+aside
	return 0, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.reserved, p.aside = p.reserved-calls, p.aside-aside
	}
}

// roomFor reports whether the running window has room for so many more calls of the urgency.
func (p *pacer) roomFor(now time.Time, u urgency, calls int) bool {
	of := func(part float64) int { return int(float64(p.limit) * ourShare * part) }
	spent, theirs := p.used+p.reserved, p.shoppers+p.aside
	left := max(0, of(shoppersLeast)-theirs) // to shoppers
	if u == awaited {
		p.asked = now
		some, most := theirs+calls <= of(shoppersLeast), theirs+calls <= of(shareOf[awaited])
		return some && spent+calls <= of(1) || most && spent+calls <= of(shareOf[useful])
	}
	if spent == 0 && calls <= onePiece {
		return u == urgent || p.left >= p.limit/10
	}
	switch u {
	case urgent:
		if now.Sub(p.asked).Abs() > shoppersStay {
			left = 0
		}
		return spent+calls <= of(shareOf[urgent])-left
	case useful, someday, awaited:
	}
	return p.left >= p.limit/10 && spent-theirs+calls <= of(shareOf[u]) && spent+calls <= of(shareOf[useful])-left
}

// waits notes that urgent work begins to wait for the quota.
func (p *pacer) waits(now time.Time, u urgency) {
	if u == urgent && p.since.IsZero() {
		p.since = now
	}
}

// Pace is how a Shop's API quota stands, for people to see.
type Pace struct {
	Limit, Left, Used int           // requests per window, left to all apps, used by us
	Window            time.Duration //
	BlockedUntil      time.Time     // after a 429
	WaitingSince      time.Time     // urgent work waits for the quota since then; zero when none does
	Waited            time.Duration // how long it has waited in all since the start
	Skew              time.Duration // how far our clock is ahead of BigCommerce's
}

// Pace returns how the Shop's quota stands.
func (r *Relay) Pace(hash string) Pace {
	p, now := r.pacers.of(hash), r.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	out := Pace{Limit: p.limit, Left: p.left, Used: p.used, Window: p.window, WaitingSince: p.since, Waited: p.waited, Skew: p.skew}
	if p.blocked.After(now) {
		out.BlockedUntil = p.blocked
	}
	if !p.since.IsZero() {
		out.Waited += max(now.Sub(p.since), 0)
	}
	return out
}

// maxSkew is by how much clocks may differ before it matters: BigCommerce's Date has whole seconds, and answers take a while.
const maxSkew = 5 * time.Second

// shopNow is now by BigCommerce's clock, which dates the orders, as far as its answers have told.
func (r *Relay) shopNow(hash string) time.Time {
	skew := r.Pace(hash).Skew
	if skew.Abs() <= maxSkew {
		return r.Now()
	}
	return r.Now().Add(-skew)
}

// pacers holds one pacer per Shop.
type pacers struct {
	mu sync.Mutex
	m  map[string]*pacer
}

func (ps *pacers) of(hash string) *pacer {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p, ok := ps.m[hash]
	if !ok {
		p = newPacer()
		ps.m[hash] = p
	}
	return p
}
