package idv

// State is how far a Session has come.
type State string

const (
	StateCreated    State = "created"    // the session exists; nobody has opened it
	StateStarted    State = "started"    // the person has opened the capture page
	StateProcessing State = "processing" // submitted, or in a state we do not know; not decided
	StateReview     State = "review"     // a person at the provider is looking; slow, not decided
	StatePassed     State = "passed"
	StateFailed     State = "failed"
	StateDeclined   State = "declined"  // the person refused to take part
	StateExpired    State = "expired"   // the provider's time, or ours, ran out
	StateAbandoned  State = "abandoned" // the person walked away
	StateError      State = "error"     // the session cannot be had; never the outcome of a failed call
)

// States returns all states, in the order of a Session's life.
func States() []State {
	return []State{StateCreated, StateStarted, StateProcessing, StateReview,
		StatePassed, StateFailed, StateDeclined, StateExpired, StateAbandoned, StateError}
}

// Final says whether a Session in this state stays in it for ever. An unknown state is not final.
func (s State) Final() bool {
	switch s {
	case StatePassed, StateFailed, StateDeclined, StateExpired, StateAbandoned, StateError:
		return true
	case StateCreated, StateStarted, StateProcessing, StateReview:
		return false
	}
	return false
}

// rank orders the states that are not final. Processing and review share one, because a Session goes to and fro between
// them. The second result is false for final and unknown states.
func (s State) rank() (int, bool) {
	switch s {
	case StateCreated:
		return 0, true
	case StateStarted:
		return 1, true
	case StateProcessing, StateReview:
		return 2, true
	case StatePassed, StateFailed, StateDeclined, StateExpired, StateAbandoned, StateError:
		return 0, false
	}
	return 0, false
}

// CanMove says whether a Session may go from one state to the other:
//
//	created → started → processing ↔ review → passed, failed, declined, expired, abandoned, error
//
// Steps may be skipped, since a poll sees only some of them; none is ever taken back, and a final state never changes.
// Staying where one is, is no move: CanMove(s, s) is false.
func CanMove(from, to State) bool {
	at, open := from.rank()
	if !open || from == to {
		return false
	}
	if to.Final() {
		return true
	}
	next, known := to.rank()
	return known && (next > at || next == at && at == 2)
}
