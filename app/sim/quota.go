package sim

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

const (
	rateWindow  = 30 * time.Second
	keptWindows = 20_000 // of QuotaUse: a week of them
)

// QuotaWindow is how much of the API quota was used in one window of 30 s.
type QuotaWindow struct {
	Start   time.Time
	Quota   int // requests allowed, as last set in the window; negative: no limit
	Ours    int // requests of the app's own client, the refused ones included
	Others  int // requests of every other client
	Refused int // of Ours, answered with 429
}

// limiter counts requests in fixed windows of 30 s, shared by all of a shop's clients. A window
// starts with its first request, so that a quiet shop has none.
type limiter struct {
	quota    int // negative: no limit
	used     int // requests that the running window has let in
	window   QuotaWindow
	finished []QuotaWindow
}

// roll closes a window that is over.
func (l *limiter) roll(now time.Time) {
	start := l.window.Start
	if start.IsZero() || (!now.Before(start) && now.Sub(start) < rateWindow) {
		return
	}
	if len(l.finished) >= 2*keptWindows {
		l.finished = slices.Delete(l.finished, 0, keptWindows)
	}
	l.finished = append(l.finished, l.window)
	l.used, l.window = 0, QuotaWindow{}
}

// take spends one request; ok is false when the window is used up.
func (l *limiter) take(now time.Time, ours bool) (left int, reset time.Duration, ok bool) {
	l.roll(now)
	if l.window.Start.IsZero() {
		l.window.Start = now
	}
	l.window.Quota = l.quota
	if ours {
		l.window.Ours++
	} else {
		l.window.Others++
	}
	reset = rateWindow - now.Sub(l.window.Start)
	if l.quota < 0 {
		return 1 << 16, reset, true
	}
	if l.used >= l.quota {
		return 0, reset, false
	}
	l.used++
	return l.quota - l.used, reset, true
}

// setRateHeaders writes the four headers that every API answer carries.
func (l *limiter) setRateHeaders(h http.Header, left int, reset time.Duration) {
	quota := l.quota
	if quota < 0 {
		quota = 1 << 16
	}
	h.Set("X-Rate-Limit-Time-Window-Ms", strconv.FormatInt(rateWindow.Milliseconds(), 10))
	h.Set("X-Rate-Limit-Time-Reset-Ms", strconv.FormatInt(reset.Milliseconds(), 10))
	h.Set("X-Rate-Limit-Requests-Quota", strconv.Itoa(quota))
	h.Set("X-Rate-Limit-Requests-Left", strconv.Itoa(left))
}

// Quota is the API quota of 30 s; negative: no limit.
func (s *Shop) Quota() int { return locked(s, func() int { return s.limiter.quota }) }

// SetQuota changes the API quota of 30 s; negative: no limit.
func (s *Shop) SetQuota(n int) { s.set(func() { s.limiter.quota = n }) }

// QuotaUse lists the quota windows that are over by the World's clock and had requests, the oldest
// first, at least the last 20,000. Requests without a valid token belong to no client and are not
// counted. The running window is not listed: move the clock on by 30 s to see it.
func (s *Shop) QuotaUse() []QuotaWindow {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	s.limiter.roll(s.w.now())
	return slices.Clone(s.limiter.finished)
}

const attributeWrites = "PUT /v3/customers/attribute-values"

// atOnce are the operations of which a shop runs only so many at a time (the "Limits" of
// customers.v3.yml).
var atOnce = map[string]int{"PUT /v3/customers": 3, "POST /v3/customers/attributes": 3, attributeWrites: 3}

// gauge counts the requests of one operation that a shop has in hand.
type gauge struct {
	now     int // all of them
	running int // those that were let in
	most    int // the most there ever were
}

// arrive counts a request of a limited operation; leave must follow.
func (c *call) arrive(rt *route) {
	if rt == nil || atOnce[rt.method+" "+rt.path] == 0 {
		return
	}
	c.operation = rt.method + " " + rt.path
	g := c.shop.gauges[c.operation]
	if g == nil {
		g = &gauge{}
		c.shop.gauges[c.operation] = g
	}
	g.now++
	g.most = max(g.most, g.now)
	c.gauge = g
}

// crowded tells whether as many of the operation run as may; if not, this one runs too.
func (c *call) crowded() bool {
	if c.gauge == nil {
		return false
	}
	if c.gauge.running >= atOnce[c.operation] {
		return true
	}
	c.gauge.running++
	c.running = true
	return false
}

// leave ends what arrive began, before the caller can know that its request is over. It takes the
// lock itself.
func (c *call) leave() {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if c.gauge == nil {
		return
	}
	c.gauge.now--
	if c.running {
		c.gauge.running--
	}
}

// MostAttributeWritesAtOnce is the greatest number of attribute-value upserts that this shop had in
// hand at one time, the refused ones included. More than three are answered with 429.
func (s *Shop) MostAttributeWritesAtOnce() int {
	return locked(s, func() int {
		if g := s.gauges[attributeWrites]; g != nil {
			return g.most
		}
		return 0
	})
}

// SetLatency makes every API request that has a shop take d of real time before its work is done
// and it is answered; 0 is as fast as possible. A caller that leaves meanwhile leaves the work
// undone.
func (s *Shop) SetLatency(d time.Duration) { s.set(func() { s.latency = d }) }
