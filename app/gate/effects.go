package gate

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// effects says, for each field by its path, what a change of it does to what is let through.
var effects = map[string]func(before, after any) Effect{
	"mode":                     modeTurns,
	"currency":                 noBearing, // amounts carry their own
	"step_up":                  stepUpTurns,
	"step_up.over":             overTurns,
	"evidence.document":        falling[IAL],
	"evidence.document_selfie": falling[IAL],
	"proof_days":               falling[Days],
	"document_grace":           falling[Days],
	"tries":                    noBearing,
	"guests":                   guestsTurn,
	"sources":                  sourcesTurn,
	"hold_status":              noBearing,
	"on_unreachable":           failureTurns,
	"on_provider_down":         failureTurns,
	"on_moved":                 movedTurns,
	"cancel_days":              noBearing,
	"mails":                    noBearing,
	"remind_hours":             noBearing,
	"keep_days":                noBearing,
	"custom_fields_v2":         noBearing,
}

// requirements are the effects of a Requirement's fields, wherever it stands.
var requirements = map[string]func(before, after any) Effect{
	"ial":          rising[IAL],
	"max_age_days": proofAgeTurns,
	"selfie":       switchedOn,
	"least_age":    rising[int],
	"name_match":   switchedOn,

	"address_match": switchedOn,
}

// effect looks a change up. A field that nobody has judged is Mixed: a merchant is warned rather than not.
func effect(path string, before, after any) Effect {
	if f := effects[path]; f != nil {
		return f(before, after)
	}
	for _, prefix := range []string{"checkout.", "step_up.require.", "require."} {
		if field, ok := strings.CutPrefix(path, prefix); ok && requirements[field] != nil {
			return requirements[field](before, after)
		}
	}
	return Mixed
}

func noBearing(any, any) Effect { return Other }

// towards is Stricter for a step up, Milder for a step down.
func towards(step int) Effect {
	switch {
	case step > 0:
		return Stricter
	case step < 0:
		return Milder
	}
	return Other
}

func rising[T cmp.Ordered](before, after any) Effect {
	return towards(cmp.Compare(after.(T), before.(T)))
}

func falling[T cmp.Ordered](before, after any) Effect { return rising[T](after, before) }

func switchedOn(_, after any) Effect {
	if after.(bool) {
		return Stricter
	}
	return Milder
}

// ranked compares by place in a list, the mildest first; what is not in it cannot be told.
func ranked[T comparable](before, after any, mildestFirst ...T) Effect {
	a, b := slices.Index(mildestFirst, before.(T)), slices.Index(mildestFirst, after.(T))
	if a < 0 || b < 0 {
		return Mixed
	}
	return towards(b - a)
}

// modeTurns: only enforcing has effect.
func modeTurns(before, after any) Effect {
	binds := func(m any) int {
		if m.(Mode) == Enforce {
			return 1
		}
		return 0
	}
	return towards(binds(after) - binds(before))
}

func guestsTurn(before, after any) Effect {
	return ranked(before, after, GuestsPass, GuestsVerify, GuestsSignIn)
}

func failureTurns(before, after any) Effect { return ranked(before, after, LetPay, Stop) }

func movedTurns(before, after any) Effect {
	known := func(m any) any {
		if m.(MovedChoice) == "" {
			return Accept
		}
		return m
	}
	return ranked(known(before), known(after), Accept, HoldAgain)
}

// proofAgeTurns: 0 is without limit.
func proofAgeTurns(before, after any) Effect {
	limit := func(v any) Days {
		if d := v.(Days); d > 0 {
			return d
		}
		return math.MaxInt
	}
	return falling[Days](limit(before), limit(after))
}

func stepUpTurns(before, _ any) Effect {
	if before == nil {
		return Stricter
	}
	return Milder
}

func overTurns(before, after any) Effect {
	a, b := before.(Money), after.(Money)
	if a.Currency != b.Currency {
		return Mixed
	}
	return falling[int64](a.Minor, b.Minor)
}

// sourcesTurn: an empty list covers every source.
func sourcesTurn(before, after any) Effect {
	a, b := before.([]string), after.([]string)
	switch lost, won := misses(b, a), misses(a, b); {
	case len(a) == 0:
		return Milder
	case len(b) == 0:
		return Stricter
	case lost && won:
		return Mixed
	case lost || won:
		return towards(map[bool]int{true: 1, false: -1}[won])
	}
	return Other
}
