package sim

import (
	"maps"
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

// Outage makes every API request of the shop misbehave in one way until a moment of the World's
// clock, before rules and probabilities are asked. There is one outage at a time: another call
// replaces it, and Outage(0, time.Time{}) ends it. How long Slow and DoneButTimeout hold a request is
// Faults.SlowFor, of real time: set it small where time is stepped by hand.
func (s *Shop) Outage(f Fault, until time.Time) {
	s.set(func() { s.outage, s.outageUntil = f, until })
}

// ClearFaults drops the probabilities, the queued rules and the outage.
func (s *Shop) ClearFaults() {
	s.set(func() { s.faults, s.failNext, s.outage = Faults{}, nil, 0 })
}

// drawFault picks what happens to an API request; 0 is nothing.
func (s *Shop) drawFault(method, path string) Fault {
	if s.outage != 0 && s.w.now().Before(s.outageUntil) {
		return s.outage
	}
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
