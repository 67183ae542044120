package gate

import (
	"slices"
	"testing"
	"time"
)

// TestRequested: what a person demands comes on top of what the Policy asks; no exemption lets the order off, and nothing gets milder.
func TestRequested(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	p := Default("USD")
	p.Mode, p.Evidence = Enforce, Evidence{Document: 1, DocumentSelfie: 2}
	p.Checkout = Requirement{IAL: 1}
	p.Rules = []Rule{{Name: "free", Mode: Enforce, Exempt: true, When: []Condition{{Fact: FactSource, Values: []string{"external"}}}}}
	proof := Proof{ID: "p", Source: SourcePolicy, Document: true, Age: 30, At: now.Add(-time.Hour), Until: now.Add(time.Hour), Holder: Holder{CustomerID: 7}}
	selfie := proof
	selfie.ID, selfie.Selfie = "s", true
	selfies := Requirement{IAL: 2, Selfie: true}
	for name, tc := range map[string]struct {
		change func(*Policy, *Facts)
		hold   bool
		proofs []Proof
		want   Outcome
		proof  string
		asks   bool
	}{
		"exempt":                {nil, true, nil, Hold, "", false},
		"proved too little":     {nil, true, []Proof{proof}, Hold, "", false},
		"proved":                {nil, true, []Proof{proof, selfie}, Allow, "s", false},
		"before enforcement":    {func(_ *Policy, f *Facts) { f.BeforeEpoch = true }, true, nil, Hold, "", false},
		"on the allow list":     {func(_ *Policy, f *Facts) { f.Listed.Customer = OnAllowList }, true, nil, Hold, "", false},
		"on the block list":     {func(_ *Policy, f *Facts) { f.Listed.Customer = OnBlockList }, true, []Proof{selfie}, Hold, "", false},
		"another source":        {func(p *Policy, _ *Facts) { p.Sources = []string{"www"} }, true, nil, Hold, "", false},
		"guests pass":           {func(p *Policy, f *Facts) { p.Guests, f.Buyer.CustomerID = GuestsPass, 0 }, true, nil, Hold, "", false},
		"guests sign in":        {func(p *Policy, f *Facts) { p.Guests, f.Buyer.CustomerID = GuestsSignIn, 0 }, true, nil, Hold, "", false},
		"off":                   {func(p *Policy, _ *Facts) { p.Mode = Off }, true, nil, Allow, "", false},
		"asked":                 {nil, false, nil, Allow, "", true},
		"asked and proved":      {nil, false, []Proof{selfie}, Allow, "s", false},
		"asked, held all along": {func(_ *Policy, f *Facts) { f.Source = Known("www") }, false, []Proof{proof}, Allow, "p", true},
		"asked, not proved":     {func(_ *Policy, f *Facts) { f.Source = Known("www") }, false, nil, Hold, "", false},
		"asked, off":            {func(p *Policy, _ *Facts) { p.Mode = Off }, false, nil, Allow, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			p, f := p, Facts{Stage: AtOrder, OrderID: 118, Buyer: Buyer{CustomerID: 7}, Source: Known("external"), Requested: &Requested{Require: selfies, Hold: tc.hold, By: "rita"}}
			p.Sources = []string{"www", "external"}
			if tc.change != nil {
				tc.change(&p, &f)
			}
			d := Decide(p, f, tc.proofs, now)
			if d.Outcome != tc.want || d.ProofID != tc.proof || d.Asks() != tc.asks || d.Would != tc.want {
				t.Errorf("%+v", d)
			}
			blocked := f.Listed.blocked()
			if d.Requested() != (p.Mode != Off && !blocked) || d.Requested() && !slices.Contains(d.Reasons, Reason{RequestedByPerson, "rita"}) {
				t.Errorf("reasons %v", d.Reasons)
			}
			if p.Mode != Off && !blocked && (d.Requirement.IAL != 2 || !d.Requirement.Selfie || !slices.ContainsFunc(d.Rules, func(r RuleResult) bool { return r.Name == RuleRequested && r.Counted })) {
				t.Errorf("requires %+v by %+v", d.Requirement, d.Rules)
			}
		})
	}
}
