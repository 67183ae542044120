package gate_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"idgate/app/gate"
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
		{"tries", func(p *gate.Policy) { p.Tries = -1 }},
		{"tries", func(p *gate.Policy) { p.Tries = 11 }},
		{"document_grace", func(p *gate.Policy) { p.DocumentGrace = -1 }},
		{"document_grace", func(p *gate.Policy) { p.DocumentGrace = 91 }},
		{"guests", func(p *gate.Policy) { p.Guests = "" }},
		{"hold_status", func(p *gate.Policy) { p.HoldStatus = 11 }},
		{"on_unreachable", func(p *gate.Policy) { p.OnUnreachable = "" }},
		{"on_provider_down", func(p *gate.Policy) { p.OnProviderDown = "pray" }},
		{"checkout_max_age_days", func(p *gate.Policy) { p.Checkout.MaxAge = -1 }},
		{"step_up_least_age", func(p *gate.Policy) { p.StepUp.Require.LeastAge = 121 }},
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

// Each way a rule can be wrong, beside which part of it that is said, and what is said.
func TestRuleProblems(t *testing.T) {
	amount := func(m gate.Money) gate.Condition { return gate.Condition{Fact: gate.FactValue, Amount: &m} }
	when := func(c gate.Condition) func(*gate.Rule) {
		return func(r *gate.Rule) { r.When = []gate.Condition{is(gate.FactCurrency, "EUR"), c} }
	}
	euros, long := gate.Money{Minor: 1, Currency: "EUR"}, strings.Repeat("x", 201)
	withAmount := is(gate.FactCategory, "4")
	withAmount.Amount = &euros
	many := make([]string, 1001)
	for i := range many {
		many[i] = strconv.Itoa(i)
	}
	for _, c := range []struct {
		part, says string // says is part of the remedy
		change     func(*gate.Rule)
	}{
		{"name", "give the rule a name", func(r *gate.Rule) { r.Name = "  " }},
		{"name", "80 characters", func(r *gate.Rule) { r.Name = strings.Repeat("é", 81) }},
		{"name", "one line", func(r *gate.Rule) { r.Name = "a\nb" }},
		{"name", "one line", func(r *gate.Rule) { r.Name = "\ta" }},
		{"name", "taken", func(r *gate.Rule) { r.Name = gate.RuleStepUp }},
		{"name", "taken", func(r *gate.Rule) { r.Name = gate.RuleCheckout }},
		{"name", "rule 1 has this name", func(r *gate.Rule) { r.Name = "first!" }},
		{"mode", "off, shadow or enforce", func(r *gate.Rule) { r.Mode = "" }},
		{"when", "would switch the policy off", func(r *gate.Rule) { r.Exempt, r.Require = true, gate.Requirement{} }},
		{"when", "at most 20 conditions", func(r *gate.Rule) { r.When = slices.Repeat([]gate.Condition{is(gate.FactShipDiff)}, 21) }},
		{"require", "asks for nothing", func(r *gate.Rule) { r.Exempt, r.When = true, []gate.Condition{is(gate.FactShipDiff)} }},
		{"require", "say what must be proved", func(r *gate.Rule) { r.Require = gate.Requirement{MaxAge: 3, NameMatch: true} }},
		{"require.ial", "0 to 3", func(r *gate.Rule) { r.Require.IAL = -1 }},
		{"require.ial", "no evidence counts as IAL 3", func(r *gate.Rule) { r.Require.IAL = 3 }},
		{"require.max_age_days", "1 to 3650", func(r *gate.Rule) { r.Require.MaxAge = 3651 }},
		{"require.max_age_days", "1 to 3650", func(r *gate.Rule) { r.Require.MaxAge = -1 }},
		{"require.least_age", "1 to 120", func(r *gate.Rule) { r.Require.LeastAge = 121 }},
		{"require.least_age", "1 to 120", func(r *gate.Rule) { r.Require.LeastAge = -1 }},
		{"when.1.fact", `"weather"`, when(is("weather", "rain"))},
		{"when.1.amount", "shop's currency, USD", when(amount(euros))},
		{"when.1.amount", "above zero", when(amount(usd(0)))},
		{"when.1.amount", "above zero", when(gate.Condition{Fact: gate.FactValue})},
		{"when.1.amount", "only the order value", when(withAmount)},
		{"when.1.values", "remove the list", when(gate.Condition{Fact: gate.FactValue, Amount: over(1).Amount, Values: []string{"1"}})},
		{"when.1.values", "plain question", when(is(gate.FactFirstOrder, "yes"))},
		{"when.1.values", "at least one value for brand", when(is(gate.FactBrand))},
		{"when.1.values", "at most 1000 values", when(is(gate.FactProduct, many...))},
		{"when.1.values.1", "a value is empty", when(is(gate.FactSource, "www", " "))},
		{"when.1.values.0", "one line of 200 characters", when(is(gate.FactPayment, long))},
		{"when.1.values.0", "not plain text", when(is(gate.FactShipMethod, "a\x00"))},
		{"when.1.values.0", "not plain text", when(is(gate.FactShipMethod, "\xff"))},
		{"when.1.values.0", "no currency", when(is(gate.FactCurrency, "usd"))},
		{"when.1.values.0", "no currency", when(is(gate.FactCurrency, "ABC"))},
		{"when.1.values.0", "no id", when(is(gate.FactCategory, "Alcohol"))},
		{"when.1.values.0", "no id", when(is(gate.FactProduct, "-1"))},
		{"when.1.values.0", "no id", when(is(gate.FactChannel, "1.0"))},
		{"when.1.values.0", "its id or guest", when(is(gate.FactGroup, "Guest"))},
		{"when.1.values.0", "“UK” is no country code", when(is(gate.FactCountry, "UK"))},
		{"when.1.values.0", "no country code", when(is(gate.FactCountry, "us"))},
		{"when.1.values.0", "no country code", when(is(gate.FactCountry, "XX"))},
		{"when.1.values.0", "no country code", when(is(gate.FactCountry, "EU"))},
		{"when.1.values.0", "no country code", when(is(gate.FactCountry, "USA"))},
		{"when.1.values.1", "“Texas” is no state", when(is(gate.FactState, "US/Ohio", "Texas"))},
		{"when.1.values.0", "is no state", when(is(gate.FactState, "UK/London"))},
		{"when.1.values.0", "is no state", when(is(gate.FactState, "US/"))},
		{"when.1.values.0", "a range of equal length", when(is(gate.FactPostcode, "90000-9099"))},
		{"when.1.values.0", "is no postcode", when(is(gate.FactPostcode, "90999-90000"))},
		{"when.1.values.0", "is no postcode", when(is(gate.FactPostcode, "*"))},
		{"when.1.values.0", "is no postcode", when(is(gate.FactPostcode, "90*-91"))},
		{"when.1.values.0", "is no postcode", when(is(gate.FactPostcode, "12_3"))},
		{"when.1.values.0", "“" + strings.Repeat("A", 39) + "_” is no postcode", when(is(gate.FactPostcode, strings.Repeat("A", 39)+"_"))},
		{"when.1.values.0", "“" + strings.Repeat("A", 40) + "…” is no postcode", when(is(gate.FactPostcode, strings.Repeat("A", 40)+"_"))},
		{"when.1.values.0", "is no postcode", when(is(gate.FactPostcode, "_12"))},
		{"when.1.values.0", "“xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…”", when(is(gate.FactPayment, long))},
	} {
		p := policy()
		r := gate.Rule{Name: "second", Mode: gate.Enforce, Require: gate.Requirement{IAL: 2}}
		c.change(&r)
		p.Rules = []gate.Rule{{Name: "First", Mode: gate.Enforce, Require: gate.Requirement{IAL: 2}}, r}
		got := p.Problems()
		if len(got) != 1 || got[0].Field != "rules.1" || got[0].Part != c.part || !strings.Contains(got[0].Remedy, c.says) {
			t.Errorf("want one problem with rules.1 %s that says %q, got %v", c.part, c.says, got)
		}
	}
}

// What a rule may be.
func TestGoodRules(t *testing.T) {
	p := policy()
	p.Rules = []gate.Rule{
		{Name: strings.Repeat("é", 80), Mode: gate.Shadow, Require: gate.Requirement{LeastAge: 18}},
		{Name: "beyond the evidence, in shadow", Mode: gate.Shadow, Require: gate.Requirement{IAL: 3}},
		exempts(is(gate.FactGroup, "guest", "0", "12")),
		requires(over(1), is(gate.FactCurrency, "EUR"), is(gate.FactProduct, "1"), is(gate.FactCategory, "2"), is(gate.FactBrand, "3"), is(gate.FactCountry, "US", "GB", "XK"),
			is(gate.FactState, "US/Texas", "CA/QC"), is(gate.FactPostcode, "90210", "90000-90999", "AZ09", "SW1A*", "h2x 1y4"), is(gate.FactShipDiff), isNot(gate.FactFirstOrder),
			is(gate.FactPayment, "Credit Card"), is(gate.FactShipMethod, "Free Shipping"), is(gate.FactChannel, "1"), is(gate.FactSource, "www")),
	}
	if got := p.Problems(); len(got) != 0 {
		t.Errorf("%v", got)
	}
	p.Rules = nil
	for i := range gate.MaxRules {
		p.Rules = append(p.Rules, gate.Rule{Name: strconv.Itoa(i), Mode: gate.Off, Require: gate.Requirement{IAL: 1}})
	}
	if got := p.Problems(); len(got) != 0 {
		t.Errorf("%v", got)
	}
	p.Rules = append(p.Rules, gate.Rule{Name: "one more", Mode: gate.Off, Require: gate.Requirement{IAL: 1}})
	if got := p.Problems(); len(got) != 1 || got[0].Field != "rules" || got[0].Part != "" || got[0].Error() != "rules: keep at most 100 rules" {
		t.Errorf("%v", got)
	}
}
