package relay

import (
	"sync"
	"time"

	"idgate/app/bigcommerce"
)

// urgency orders work within a Shop's share of its API quota.
type urgency int

// The urgencies. Whatever a shopper waits for is not paced at all.
const (
	urgent  urgency = iota // evaluating, holding and releasing orders
	useful                 // attributes, metafields
	someday                // sweeps, reconciliations, notes
)

// How much of a Shop's quota we use at most, and how much of that by urgency. The quota is shared by all of the shop's apps
// (docs: api-rate-limits), so half of it is left to the others, and housekeeping never uses up what a hold may need.
const ourShare = 0.5

var shareOf = map[urgency]float64{urgent: 1, useful: 0.7, someday: 0.4}

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
	used     int           // answers that we have had in it
	reserved int           // calls of work that is under way
	blocked  time.Time     // after a 429, until then
	strikes  int           // 429s in a row that gave no time
}

func newPacer() *pacer {
	return &pacer{limit: assumedLimit, left: assumedLimit, window: assumedWindow}
}

// roll starts a new window when the old one is over.
func (p *pacer) roll(now time.Time) {
	if now.Before(p.ends) {
		return
	}
	p.ends, p.used, p.left = now.Add(p.window), 0, p.limit
}

// observe takes what an answer said of the quota.
func (p *pacer) observe(q bigcommerce.Quota) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.roll(q.At)
	p.used++
	if q.Limit > 0 {
		p.limit, p.left = q.Limit, q.Left
	}
	if q.Window > 0 {
		p.window = q.Window
	}
	if q.Reset > 0 {
		p.ends = q.At.Add(q.Reset)
	}
	p.strikes = 0
}

// refused takes a 429 or 509. Without a time to wait, the wait doubles with each in a row.
func (p *pacer) refused(now time.Time, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if wait == 0 {
		p.strikes++
		wait = min(time.Second<<min(p.strikes, 6), time.Minute)
	}
	if until := now.Add(wait); until.After(p.blocked) {
		p.blocked = until
	}
}

// reserve sets calls aside for work of the urgency, or says how long to wait instead. release gives them back when the work is done:
// by then observe has counted what was really used.
func (p *pacer) reserve(now time.Time, u urgency, calls int) (wait time.Duration, release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.blocked) {
		return p.blocked.Sub(now), nil
	}
	p.roll(now)
	budget := int(float64(p.limit) * ourShare * shareOf[u])
	budget = max(budget, calls) // a tiny plan still gets one piece of work per window
	spent := p.used + p.reserved
	if spent > 0 && spent+calls > budget || u != urgent && p.left < p.limit/10 {
		return max(p.ends.Sub(now), time.Second), nil
	}
	p.reserved += calls
	return 0, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.reserved -= calls
	}
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
