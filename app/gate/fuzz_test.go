package gate_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"idgate/app/gate"
)

// FuzzDecide feeds whole policies, facts and proofs as JSON: never a panic, always one answer, and the same one twice.
func FuzzDecide(f *testing.F) {
	seedPolicy, _ := json.Marshal(policy())
	seedFacts, _ := json.Marshal(order())
	seedProofs, _ := json.Marshal([]gate.Proof{proof()})
	f.Add(seedPolicy, seedFacts, seedProofs)
	full, _ := json.Marshal(everyField())
	f.Add(full, seedFacts, []byte("[]"))
	f.Fuzz(func(t *testing.T, pb, fb, prb []byte) {
		var p gate.Policy
		var facts gate.Facts
		var proofs []gate.Proof
		if json.Unmarshal(pb, &p) != nil || json.Unmarshal(fb, &facts) != nil || json.Unmarshal(prb, &proofs) != nil {
			return // not JSON of the right shape
		}
		p.Problems()
		a, b := gate.Decide(p, facts, proofs, now), gate.Decide(p, facts, proofs, now)
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("two answers: %+v and %+v", a, b)
		}
		explained(t, a)
		facts.Canonical()
		if cs := gate.Compare(p, p); len(cs) != 0 {
			t.Fatalf("differs from itself: %+v", cs)
		}
		gate.Compare(policy(), p)
		gate.Compare(p, policy())
		for _, template := range gate.Templates(p.Currency, "US") {
			template.Apply(p)
		}
		var tally gate.Tally
		tally.Add(gate.Replayed{OrderID: facts.OrderID, Value: facts.Value, Draft: a, InForce: b, Recorded: &a})
		if tally.Differs.Orders != 0 {
			t.Fatal("a replay differs from itself")
		}
	})
}

// explained fails unless the Decision says why, and what would help where it does not allow.
func explained(t interface{ Fatalf(string, ...any) }, d gate.Decision) {
	if len(d.Reasons) == 0 {
		t.Fatalf("%s without a reason", d.Outcome)
	}
	if d.Outcome == gate.Allow != (len(d.Needs) == 0) {
		t.Fatalf("%s with needs %+v", d.Outcome, d.Needs)
	}
}

// Each property below is checked on random cases by every test run, and searched by its fuzz target.

// strict ranks outcomes by how much they let through.
var strict = map[gate.Outcome]int{gate.Allow: 0, gate.Verify: 1, gate.Review: 2, gate.Hold: 3, gate.Refuse: 4}

// rank is how strict a Decision is in effect.
func rank(d gate.Decision) int {
	if !d.Binds() {
		return 0
	}
	return strict[d.Outcome]
}

// A further requiring rule never makes the outcome milder, whatever the rest is.
func requiringNeverLoosens(t *rapid.T) {
	p, f, proofs := drawPolicy(t), drawFacts(t), drawProofs(t)
	before := gate.Decide(p, f, proofs, now)
	explained(t, before)
	more := drawRule(t)
	more.Exempt = false
	p.Rules = slices.Insert(slices.Clone(p.Rules), rapid.IntRange(0, len(p.Rules)).Draw(t, "at"), more)
	if after := gate.Decide(p, f, proofs, now); strict[after.Outcome] < strict[before.Outcome] {
		t.Fatalf("%s became %s by requiring %+v", before.Outcome, after.Outcome, more)
	}
}

// Taking an exemption away never makes the outcome milder.
func exemptionRemovedNeverLoosens(t *rapid.T) {
	p, f, proofs := drawPolicy(t), drawFacts(t), drawProofs(t)
	less := drawRule(t)
	less.Exempt = true
	with := p
	with.Rules = append(slices.Clone(p.Rules), less)
	before, after := gate.Decide(with, f, proofs, now), gate.Decide(p, f, proofs, now)
	if strict[after.Outcome] < strict[before.Outcome] {
		t.Fatalf("%s became %s without the exemption %+v", before.Outcome, after.Outcome, less)
	}
}

// A Policy in shadow binds nobody, and a rule that is not enforced changes nothing but its own line and Would.
func shadowNeverBinds(t *rapid.T) {
	p, f, proofs := drawPolicy(t), drawFacts(t), drawProofs(t)
	before := gate.Decide(p, f, proofs, now)
	if before.Binds() != (p.Mode == gate.Enforce) {
		t.Fatalf("mode %s binds: %v", p.Mode, before.Binds())
	}
	idle := drawRule(t)
	idle.Mode = rapid.SampledFrom([]gate.Mode{gate.Off, gate.Shadow}).Draw(t, "idle mode")
	p.Rules = append(slices.Clone(p.Rules), idle)
	after := gate.Decide(p, f, proofs, now)
	if idle.Mode == gate.Off && after.Would != before.Would {
		t.Fatalf("would: %s became %s by a rule that is switched off", before.Would, after.Would)
	}
	for _, r := range after.Rules {
		if r.Counted && r.Mode != gate.Enforce {
			t.Fatalf("%+v is counted", r)
		}
	}
	before.Rules, before.Would, after.Rules, after.Would = nil, "", nil, ""
	if !reflect.DeepEqual(before, after) {
		t.Fatalf("%+v became %+v by %+v", before, after, idle)
	}
}

// Somebody who is blocked is never allowed, by no rule, list or Proof.
func blockedNeverAllows(t *rapid.T) {
	p, f, proofs := drawPolicy(t), drawFacts(t), drawProofs(t)
	f.Listed = rapid.SampledFrom([]gate.Listed{{Customer: gate.OnBlockList, Mailbox: gate.OnAllowList}, {Customer: gate.OnAllowList, Mailbox: gate.OnBlockList},
		{Mailbox: gate.OnBlockList}, {Customer: gate.OnBlockList}}).Draw(t, "listed")
	want := gate.Refuse
	if f.Stage == gate.AtOrder {
		want = gate.Hold
	}
	if p.Mode == gate.Off || f.BeforeEpoch {
		want = gate.Allow
	}
	if d := gate.Decide(p, f, proofs, now); d.Outcome != want || d.Would != want || d.ProofID != "" || d.Requirement != (gate.Requirement{}) {
		t.Fatalf("%+v, want %s", d, want)
	}
}

// A Policy read back from its JSON decides alike, and a Decision read back is the same.
func roundTripKeepsDecisions(t *rapid.T) {
	p, f, proofs := drawPolicy(t), drawFacts(t), drawProofs(t)
	var again gate.Policy
	if err := json.Unmarshal(asJSON(t, p), &again); err != nil {
		t.Fatal(err)
	}
	d := gate.Decide(p, f, proofs, now)
	if got := gate.Decide(again, f, proofs, now); !reflect.DeepEqual(d, got) {
		t.Fatalf("%+v became %+v", d, got)
	}
	if cs := gate.Compare(p, again); len(cs) != 0 {
		t.Fatalf("differs: %+v", cs)
	}
	var stored gate.Decision
	if err := json.Unmarshal(asJSON(t, d), &stored); err != nil {
		t.Fatal(err)
	}
	if string(asJSON(t, stored)) != string(asJSON(t, d)) || !gate.SameAnswer(stored, d) {
		t.Fatalf("%s\nbecame\n%s", asJSON(t, d), asJSON(t, stored))
	}
}

func asJSON(t interface{ Fatal(...any) }, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Where Loosens says no, nothing is answered more mildly, whatever changed.
func loosensIsAPromise(t *rapid.T) {
	old := drawPolicy(t)
	p, f, proofs := mutate(t, old), drawFacts(t), drawProofs(t)
	before, after := gate.Decide(old, f, proofs, now), gate.Decide(p, f, proofs, now)
	if rank(after) < rank(before) && !gate.Loosens(old, p) {
		t.Fatalf("%s became %s, and no change is said to loosen: %+v", before.Outcome, after.Outcome, gate.Compare(old, p))
	}
}

func TestDecideProperties(t *testing.T) {
	for name, property := range map[string]func(*rapid.T){
		"requiring more never loosens":               requiringNeverLoosens,
		"an exemption removed never loosens":         exemptionRemovedNeverLoosens,
		"shadow never binds":                         shadowNeverBinds,
		"blocked never allows":                       blockedNeverAllows,
		"a round trip keeps decisions":               roundTripKeepsDecisions,
		"nothing loosens that is not said to loosen": loosensIsAPromise,
	} {
		t.Run(name, func(t *testing.T) { rapid.Check(t, property) })
	}
}

func FuzzDecideRequiringNeverLoosens(f *testing.F) { f.Fuzz(rapid.MakeFuzz(requiringNeverLoosens)) }
func FuzzDecideExemptionRemoved(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(exemptionRemovedNeverLoosens))
}
func FuzzDecideShadowNeverBinds(f *testing.F)   { f.Fuzz(rapid.MakeFuzz(shadowNeverBinds)) }
func FuzzDecideBlockedNeverAllows(f *testing.F) { f.Fuzz(rapid.MakeFuzz(blockedNeverAllows)) }
func FuzzDecideRoundTrip(f *testing.F)          { f.Fuzz(rapid.MakeFuzz(roundTripKeepsDecisions)) }
func FuzzDecideLoosens(f *testing.F)            { f.Fuzz(rapid.MakeFuzz(loosensIsAPromise)) }
