package gate

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
)

// Shift is how one Policy's answer for an order differs from another's.
type Shift string

// The shifts.
const (
	Same        Shift = "same"
	NewlyGated  Shift = "newly_gated"  // had to prove nothing, and now has to or is stopped
	NewlyExempt Shift = "newly_exempt" // the other way round
	NewlyHeld   Shift = "newly_held"   // had to prove something and did, which is not enough now
	NewlyLet    Shift = "newly_let"    // the other way round
)

// ShiftOf says how the answer to moved away from the answer from.
func ShiftOf(from, to Decision) Shift {
	switch a, b := from.Gated(), to.Gated(); {
	case !a && b:
		return NewlyGated
	case a && !b:
		return NewlyExempt
	case from.Outcome == Allow && to.Outcome != Allow:
		return NewlyHeld
	case from.Outcome != Allow && to.Outcome == Allow:
		return NewlyLet
	}
	return Same
}

// Gated reports whether the buyer had something to prove, or was stopped.
func (d Decision) Gated() bool { return d.Outcome != Allow || d.ProofID != "" }

// SteppedUp reports whether the buyer had to prove what the step-up value asks for.
func (d Decision) SteppedUp() bool {
	return d.Gated() && slices.ContainsFunc(d.Rules, func(r RuleResult) bool { return r.Name == RuleStepUp && r.hit() })
}

// hit reports whether the rule had its part. Decisions of old versions say only whether it matched.
func (r RuleResult) hit() bool { return r.Counted || r.Verdict == Yes && r.Mode == Enforce }

// Exempted reports whether an exemption or the allow list let it go.
func (d Decision) Exempted() bool {
	return d.Outcome == Allow && slices.ContainsFunc(d.Reasons, func(r Reason) bool { return r.Code == Exempt || r.Code == AllowListed })
}

// SameAnswer reports whether a replay gave what was recorded: the same outcome, on the same Proof, requiring the same, for the same
// reasons, with the same answer of every rule.
func SameAnswer(a, b Decision) bool {
	rule := func(x, y RuleResult) bool { return x.Name == y.Name && x.Mode == y.Mode && x.Verdict == y.Verdict }
	return a.Outcome == b.Outcome && a.Would == b.Would && a.Mode == b.Mode && a.Requirement == b.Requirement && a.ProofID == b.ProofID &&
		slices.Equal(a.Reasons, b.Reasons) && slices.EqualFunc(a.Rules, b.Rules, rule)
}

// Count is how many orders, and the money they stand for by currency in minor units.
type Count struct {
	Orders int64            `json:"orders"`
	Money  map[string]int64 `json:"money,omitempty"`
}

func (c *Count) add(orders int64, money ...Money) {
	c.Orders += orders
	for _, m := range money {
		if c.Money == nil {
			c.Money = map[string]int64{}
		}
		c.Money[m.Currency] = plus(c.Money[m.Currency], m.Minor)
	}
}

// plus never wraps round.
func plus(a, b int64) int64 {
	switch {
	case b > 0 && a > math.MaxInt64-b:
		return math.MaxInt64
	case b < 0 && a < math.MinInt64-b:
		return math.MinInt64
	}
	return a + b
}

// RuleCount is what one rule did.
type RuleCount struct {
	Matched Count `json:"matched"`
	Unknown Count `json:"unknown"` // some fact that it needs was not known
	Counted Count `json:"counted"` // had its part in the outcome
}

// Side is what one set of Decisions did to the orders.
type Side struct {
	Gated     Count                `json:"gated"`
	SteppedUp Count                `json:"stepped_up"`
	Held      Count                `json:"held"`
	WouldHold Count                `json:"would_hold"` // if its rules in shadow were enforced
	Exempt    Count                `json:"exempt"`
	Rules     map[string]RuleCount `json:"rules,omitempty"`
	Provers   Provers              `json:"provers,omitempty"`
}

// Verifications is how many checks it would have cost at least: one for each customer who has something to prove, and one for each
// such order of a guest, whose Proof is good for nothing else. Checks that grow too old for a later order come on top.
func (s Side) Verifications() int { return len(s.Provers) }

// Provers is a set of those who have something to prove: customers, and guests' orders.
type Provers map[prover]struct{}

// prover is a customer's id times two, or an order's times two and one.
type prover uint64

// MarshalJSON lists the set in order.
func (s Provers) MarshalJSON() ([]byte, error) { return json.Marshal(slices.Sorted(maps.Keys(s))) }

// UnmarshalJSON reads it back.
func (s *Provers) UnmarshalJSON(b []byte) error {
	var list []prover
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	*s = Provers{}
	for _, p := range list {
		(*s)[p] = struct{}{}
	}
	return nil
}

// Replayed is one past order as three Decisions have it: the draft's, the Policy's in force, and the one that was recorded then
// (nil where there is none by rule).
type Replayed struct {
	OrderID    int64
	CustomerID int64 // 0 for a guest
	Value      Money
	Draft      Decision
	InForce    Decision
	Recorded   *Decision
}

// Tally sums what a draft would have done to past orders. It is fed one order at a time, may be stored as JSON after any of them and
// go on from there, and tallies of different orders may be merged in any order. The zero value is empty.
type Tally struct {
	Orders   Count `json:"orders"`
	Recorded Count `json:"recorded"` // of them, those with a recorded Decision

	Draft   Side `json:"draft"`
	InForce Side `json:"in_force"`
	Then    Side `json:"then"` // by the recorded Decisions

	// What the draft does otherwise than the Policy in force.
	Shifts map[Shift]Count `json:"shifts,omitempty"`
	// Orders whose recorded Decision the Policy in force does not reproduce: it, or something it decided on, has changed since.
	Differs   Count   `json:"differs"`
	DifferIDs []int64 `json:"differ_ids,omitempty"` // the smallest few
}

// differIDs is how many orders a Tally names.
const differIDs = 20

// Add takes one order.
func (t *Tally) Add(r Replayed) {
	t.Orders.add(1, r.Value)
	t.Draft.add(r, r.Draft)
	t.InForce.add(r, r.InForce)
	t.shift(ShiftOf(r.InForce, r.Draft), Count{Orders: 1, Money: map[string]int64{r.Value.Currency: r.Value.Minor}})
	if r.Recorded == nil {
		return
	}
	t.Recorded.add(1, r.Value)
	t.Then.add(r, *r.Recorded)
	if !SameAnswer(r.InForce, *r.Recorded) {
		t.Differs.add(1, r.Value)
		t.name(r.OrderID)
	}
}

func (t *Tally) shift(s Shift, by Count) {
	if t.Shifts == nil {
		t.Shifts = map[Shift]Count{}
	}
	c := t.Shifts[s]
	c.merge(by)
	t.Shifts[s] = c
}

func (t *Tally) name(ids ...int64) {
	t.DifferIDs = append(t.DifferIDs, ids...)
	slices.Sort(t.DifferIDs)
	t.DifferIDs = t.DifferIDs[:min(len(t.DifferIDs), differIDs)]
}

func (s *Side) add(r Replayed, d Decision) {
	count := func(c *Count, wanted bool) {
		if wanted {
			c.add(1, r.Value)
		}
	}
	count(&s.Gated, d.Gated())
	count(&s.SteppedUp, d.SteppedUp())
	count(&s.Held, d.Outcome != Allow)
	count(&s.WouldHold, d.Would != Allow)
	count(&s.Exempt, d.Exempted())
	for _, rule := range d.Rules {
		c := s.Rules[rule.Name]
		count(&c.Matched, rule.Verdict == Yes)
		count(&c.Unknown, rule.Verdict == Unknown)
		count(&c.Counted, rule.hit())
		s.setRule(rule.Name, c)
	}
	if d.Outcome != Allow && !d.Requirement.empty() {
		p := prover(r.CustomerID) << 1
		if r.CustomerID == 0 {
			p = prover(r.OrderID)<<1 | 1
		}
		s.provers()[p] = struct{}{}
	}
}

func (s *Side) setRule(name string, c RuleCount) {
	if s.Rules == nil {
		s.Rules = map[string]RuleCount{}
	}
	s.Rules[name] = c
}

func (s *Side) provers() Provers {
	if s.Provers == nil {
		s.Provers = Provers{}
	}
	return s.Provers
}

// Merge adds a Tally of other orders.
func (t *Tally) Merge(o Tally) {
	t.Orders.merge(o.Orders)
	t.Recorded.merge(o.Recorded)
	t.Draft.merge(o.Draft)
	t.InForce.merge(o.InForce)
	t.Then.merge(o.Then)
	for s, c := range o.Shifts {
		t.shift(s, c)
	}
	t.Differs.merge(o.Differs)
	t.name(o.DifferIDs...)
}

func (c *Count) merge(o Count) {
	c.add(o.Orders)
	for currency, minor := range o.Money {
		c.add(0, Money{minor, currency})
	}
}

func (s *Side) merge(o Side) {
	s.Gated.merge(o.Gated)
	s.SteppedUp.merge(o.SteppedUp)
	s.Held.merge(o.Held)
	s.WouldHold.merge(o.WouldHold)
	s.Exempt.merge(o.Exempt)
	for name, c := range o.Rules {
		r := s.Rules[name]
		r.Matched.merge(c.Matched)
		r.Unknown.merge(c.Unknown)
		r.Counted.merge(c.Counted)
		s.setRule(name, r)
	}
	if len(o.Provers) > 0 {
		maps.Copy(s.provers(), o.Provers)
	}
}
