package idv

import (
	"testing"
	"time"
)

func TestCanMove(t *testing.T) {
	// One row per state it starts from; one letter per state it goes to, in the order of States().
	// C created, S started, P processing, R review, then p f d e a x for the final ones.
	const all = "CSPRpfdeax"
	legal := map[State]string{
		StateCreated:    "SPRpfdeax",
		StateStarted:    "PRpfdeax",
		StateProcessing: "Rpfdeax",
		StateReview:     "Ppfdeax",
		StatePassed:     "", StateFailed: "", StateDeclined: "", StateExpired: "", StateAbandoned: "", StateError: "",
	}
	for _, from := range States() {
		var got string
		for i, to := range States() {
			if CanMove(from, to) {
				got += all[i : i+1]
			}
		}
		want, listed := legal[from]
		if !listed || got != want {
			t.Errorf("from %s: may move to %q, want %q", from, got, want)
		}
		if from.Final() != (want == "") {
			t.Errorf("%s: Final() = %v", from, from.Final())
		}
		if CanMove(from, "banana") || CanMove("banana", from) || CanMove(from, from) {
			t.Errorf("%s: moves to or from an unknown state, or to itself", from)
		}
	}
	if State("banana").Final() || State("").Final() {
		t.Error("an unknown state is called final")
	}
}

func TestMeets(t *testing.T) {
	today := Date{2026, time.March, 10}
	grace := func(days int) Need { return Need{Grace: days, Today: today} }
	expired := func(on Date) func(*Observation) {
		return func(o *Observation) { o.Evidence.DocumentExpired, o.Evidence.DocumentExpires = true, on }
	}
	full := Observation{State: StatePassed, Evidence: Evidence{Document: true, Selfie: true}, Person: &Person{}}
	for _, c := range []struct {
		name   string
		change func(*Observation)
		need   Need
		reason string
		ok     bool
	}{
		{"all there", func(*Observation) {}, Need{Selfie: true}, "", true},
		{"selfie not needed", func(o *Observation) { o.Evidence.Selfie = false }, Need{}, "", true},
		{"selfie missing", func(o *Observation) { o.Evidence.Selfie = false }, Need{Selfie: true}, ReasonNoSelfie, false},
		{"expired", func(o *Observation) { o.Evidence.DocumentExpired = true }, Need{}, ReasonExpiredDocument, false},

		// With days of grace: only for what the provider called a pass, and only by a date that was read.
		{"expired, with grace and no date", func(o *Observation) { o.Evidence.DocumentExpired = true }, grace(90), ReasonExpiredDocument, false},
		{"expired today", expired(today), grace(1), "", true},
		{"expired yesterday, a day of grace", expired(today.AddDays(-1)), grace(1), "", true},
		{"expired two days ago, a day of grace", expired(today.AddDays(-2)), grace(1), ReasonExpiredDocument, false},
		{"expired 90 days ago, 90 days of grace", expired(today.AddDays(-90)), grace(90), "", true},
		{"expired 91 days ago, 90 days of grace", expired(today.AddDays(-91)), grace(90), ReasonExpiredDocument, false},
		{"expired yesterday, no grace", expired(today.AddDays(-1)), grace(0), ReasonExpiredDocument, false},
		{"expired yesterday, less than no grace", expired(today.AddDays(-1)), grace(-90), ReasonExpiredDocument, false},
		{"expired yesterday, and nobody knows what day it is", expired(today.AddDays(-1)), Need{Grace: 90}, ReasonExpiredDocument, false},
		{"called expired, with a date to come", expired(today.AddDays(1)), grace(90), ReasonExpiredDocument, false},
		{"a day that does not exist", expired(Date{2026, time.February, 30}), grace(90), ReasonExpiredDocument, false},
		{"expired yesterday, and failed", func(o *Observation) { expired(today.AddDays(-1))(o); o.State = StateFailed }, grace(90), ReasonNotVerified, false},
		{"expired yesterday, and the session expired", func(o *Observation) { expired(today.AddDays(-1))(o); o.State = StateExpired }, grace(90), ReasonNotVerified, false},
		{"expired yesterday, without a person", func(o *Observation) { expired(today.AddDays(-1))(o); o.Person = nil }, grace(90), ReasonNoDocument, false},
		{"expired yesterday, without the selfie needed", func(o *Observation) { expired(today.AddDays(-1))(o); o.Evidence.Selfie = false },
			Need{Selfie: true, Grace: 90, Today: today}, ReasonNoSelfie, false},
		{"no document", func(o *Observation) { o.Evidence.Document = false }, Need{}, ReasonNoDocument, false},
		{"no person", func(o *Observation) { o.Person = nil }, Need{}, ReasonNoDocument, false},
		{"in review", func(o *Observation) { o.State = StateReview }, Need{}, ReasonNotVerified, false},
		{"failed", func(o *Observation) { o.State = StateFailed }, Need{}, ReasonNotVerified, false},
	} {
		o := full
		c.change(&o)
		if reason, ok := Meets(o, c.need); reason != c.reason || ok != c.ok {
			t.Errorf("%s: %q %v, want %q %v", c.name, reason, ok, c.reason, c.ok)
		}
	}
}
