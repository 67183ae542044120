package gate

import (
	"slices"
	"time"
)

// RuleRequested is the name under which a Decision explains a check that a person demands.
const RuleRequested = "requested"

func (r Requested) rule() RuleResult {
	return RuleResult{Name: RuleRequested, Mode: Enforce, Verdict: Yes, Require: r.Require, Counted: true}
}

// requested says with the Decision's reasons, after what is about the Proof, who demands a check.
func (d Decision) requested(by string) Decision {
	d.Reasons = append(d.Reasons, Reason{RequestedByPerson, by})
	return d
}

// Requested reports whether the Decision was made while a person demanded a check.
func (d Decision) Requested() bool {
	return slices.ContainsFunc(d.Reasons, func(r Reason) bool { return r.Code == RequestedByPerson })
}

// Asks reports whether a Proof is asked for although the order may go: a person would like one.
func (d Decision) Asks() bool { return d.Outcome == Allow && len(d.Needs) > 0 && d.Requested() }

// ask answers for an order that a person would like a Proof of, and that need not wait for it. Where the Policy itself does not let it go,
// the stricter of both is required.
func ask(p Policy, f Facts, proofs []Proof, now time.Time) Decision {
	r := *f.Requested
	f.Requested = nil
	d := Decide(p, f, proofs, now)
	if p.Mode == Off {
		return d
	}
	if d.Outcome != Allow {
		r.Hold = true
		f.Requested = &r
		return Decide(p, f, proofs, now)
	}
	d.Rules = append(d.Rules, r.rule())
	d.Requirement = d.Requirement.with(r.Require)
	if f.Buyer.CustomerID == 0 {
		d.Requirement.NameMatch = true
	}
	proof, lacks := best(p, d.Requirement, f, proofs, now)
	if len(lacks) == 0 {
		d.ProofID = proof.ID
	} else {
		d.Needs = question{p, f, proofs, now}.needs(d, lacks)
	}
	return d.requested(r.By)
}
