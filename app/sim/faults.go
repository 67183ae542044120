package sim

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault is one way in which the simulated API misbehaves.
type Fault int

// The API's faults, in the order in which a request draws for them.
const (
	TooMany        Fault = iota + 1 // 429 with X-Retry-After and the quota headers
	TooManyBare                     // 429 without any header: the shop is under load
	LegacyLimit                     // 509, the old bandwidth answer
	ServerError                     // 500, nothing done
	Unavailable                     // 503 with an HTML body, nothing done
	Slow                            // answered, but only after Faults.SlowFor
	Cut                             // done, and the connection is closed in the middle of the body
	DoneButError                    // 500, but it was done
	DoneButTimeout                  // done, but no answer comes before the caller gives up
)

var faultNames = [...]string{"", "429", "429 bare", "509", "500", "503", "slow", "cut", "500 but done", "timeout but done"}

// String is the fault's name in the log.
func (f Fault) String() string {
	if f < TooMany || f > DoneButTimeout {
		return "fault " + strconv.Itoa(int(f))
	}
	return faultNames[f]
}

// Faults are a shop's probabilities of misbehaving, each from 0 to 1, drawn from the World's seed.
type Faults struct {
	API     map[Fault]float64
	SlowFor time.Duration // how long Slow waits and DoneButTimeout holds at most; default 2 s and 60 s

	// Of webhooks, drawn once per queued delivery.
	Drop      float64       // never sent
	Duplicate float64       // sent twice, under one webhook-id
	Reorder   float64       // sent before the one queued just ahead of it
	Delay     float64       // sent DelayBy late
	DelayBy   time.Duration // default 1 min
	Resign    float64       // signed with a timestamp two days old
}

// SetFaults replaces the shop's probabilities; the zero value behaves well.
func (s *Shop) SetFaults(f Faults) {
	f.API = maps.Clone(f.API)
	s.set(func() { s.faults = f })
}

// Faults are the shop's probabilities as they were set.
func (s *Shop) Faults() Faults {
	return locked(s, func() Faults {
		f := s.faults
		f.API = maps.Clone(f.API)
		return f
	})
}

// FailRule makes the next matching API requests misbehave, whatever the probabilities are.
type FailRule struct {
	Fault  Fault
	Method string // empty: any
	Path   string // a prefix of the path after /stores/{hash}: /v2/orders; empty: any
	Times  int    // 0 is once
}

// FailNext queues a rule. Rules are tried in the order they were queued.
func (s *Shop) FailNext(r FailRule) {
	r.Times = max(r.Times, 1)
	s.set(func() { s.failNext = append(s.failNext, r) })
}

// ClearFaults drops the probabilities and the queued rules.
func (s *Shop) ClearFaults() { s.set(func() { s.faults, s.failNext = Faults{}, nil }) }

// drawFault picks what happens to an API request; 0 is nothing.
func (s *Shop) drawFault(method, path string) Fault {
	for i, r := range s.failNext {
		if (r.Method == "" || r.Method == method) && strings.HasPrefix(path, r.Path) {
			if s.failNext[i].Times--; s.failNext[i].Times == 0 {
				s.failNext = slices.Delete(s.failNext, i, i+1)
			}
			return r.Fault
		}
	}
	for f := TooMany; f <= DoneButTimeout; f++ {
		if p := s.faults.API[f]; p > 0 && s.w.rand.Float64() < p {
			return f
		}
	}
	return 0
}

func (s *Shop) chance(p float64) bool { return p > 0 && s.w.rand.Float64() < p }

// limiter counts requests in fixed windows of 30 s, shared by all of a shop's clients.
type limiter struct {
	quota int // negative: no limit
	start time.Time
	used  int
}

const rateWindow = 30 * time.Second

// take spends one request; ok is false when the window is used up.
func (l *limiter) take(now time.Time) (left int, reset time.Duration, ok bool) {
	if l.start.IsZero() || now.Before(l.start) || now.Sub(l.start) >= rateWindow {
		l.start, l.used = now, 0
	}
	reset = rateWindow - now.Sub(l.start)
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
