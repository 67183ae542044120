package idv

import "testing"

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
