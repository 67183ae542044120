package gate_test

import (
	"idgate/app/gate"
	"slices"
	"testing"
)

func TestPolicyProblems(t *testing.T) {
	for _, c := range []struct {
		field  string
		change func(*gate.Policy)
	}{
		{"mode", func(p *gate.Policy) { p.Mode = "on" }},
		{"checkout_ial", func(p *gate.Policy) { p.Checkout.IAL = 4 }},
		{"checkout_ial", func(p *gate.Policy) { p.Checkout.IAL, p.StepUp = 3, nil }}, // nothing counts as 3
		{"step_up_ial", func(p *gate.Policy) { p.StepUp.Require.IAL = 1 }},
		{"step_up_ial", func(p *gate.Policy) { p.StepUp.Require.IAL = 3 }},
		{"step_up_value", func(p *gate.Policy) { p.StepUp.Over.Minor = -1 }},
		{"step_up_value", func(p *gate.Policy) { p.StepUp.Over.Currency = "EUR" }},
		{"step_up_max_age_days", func(p *gate.Policy) { p.StepUp.Require.MaxAge = -1 }},
		{"evidence_document_ial", func(p *gate.Policy) { p.Evidence.Document = -1 }},
		{"evidence_selfie_ial", func(p *gate.Policy) { p.Evidence = gate.Evidence{Document: 3, DocumentSelfie: 2} }},
		{"least_age", func(p *gate.Policy) { p.Checkout.LeastAge = 121 }},
		{"proof_days", func(p *gate.Policy) { p.ProofGood = 0 }},
		{"guests", func(p *gate.Policy) { p.Guests = "" }},
		{"hold_status", func(p *gate.Policy) { p.HoldStatus = 11 }},
		{"on_unreachable", func(p *gate.Policy) { p.OnUnreachable = "" }},
		{"on_provider_down", func(p *gate.Policy) { p.OnProviderDown = "pray" }},
		{"rules.0", func(p *gate.Policy) { p.Rules = []gate.Rule{{Name: "x", Mode: gate.Enforce, Exempt: true}} }},
		{"rules.0", func(p *gate.Policy) {
			p.Rules = []gate.Rule{{Name: "x", Mode: gate.Enforce, Require: gate.Requirement{IAL: 1}, When: []gate.Condition{{Fact: "weather"}}}}
		}},
	} {
		p := policy()
		c.change(&p)
		got := p.Problems()
		if !slices.ContainsFunc(got, func(x gate.Problem) bool { return x.Field == c.field && x.Remedy != "" }) {
			t.Errorf("want a problem with %s, got %v", c.field, got)
		}
	}
	if got := policy().Problems(); len(got) != 0 {
		t.Errorf("a good policy has problems: %v", got)
	}
}

// everyField is a Policy that has something in every field.
func everyField() gate.Policy { return policy() }
