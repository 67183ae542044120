package gate_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"idgate/app/gate"
)

// What would make it pass: each part of what is required, who asks for it, and whether the nearest Proof shows it already.
func TestNeeds(t *testing.T) {
	alcohol := gate.Rule{Name: "Alcohol", Mode: gate.Enforce, Require: gate.Requirement{IAL: 1, LeastAge: 21}}
	dear := func(f *gate.Facts) { f.ShopValue.Minor, f.Value.Minor = 90000, 90000 }
	level := func(met bool, rules ...string) gate.Need {
		return gate.Need{What: gate.NeedLevel, Amount: 2, Rules: rules, Met: met}
	}
	selfie := func(met bool) gate.Need {
		return gate.Need{What: gate.NeedSelfie, Rules: []string{"step_up"}, Met: met}
	}
	fresh := func(met bool) gate.Need {
		return gate.Need{What: gate.NeedFresh, Amount: 1, Rules: []string{"step_up"}, Met: met}
	}
	age := func(met bool) gate.Need {
		return gate.Need{What: gate.NeedAge, Amount: 21, Rules: []string{"Alcohol"}, Met: met}
	}
	name := func(met bool, rules ...string) gate.Need {
		return gate.Need{What: gate.NeedName, Rules: rules, Met: met}
	}
	address := func(met bool) gate.Need {
		return gate.Need{What: gate.NeedAddress, Rules: []string{"checkout"}, Met: met}
	}
	byAddress := func(p *gate.Policy) { p.Checkout.AddressMatch = true }
	billed := func(f *gate.Facts) { f.Addresses = []gate.Address{home} }
	do := func(w gate.What) gate.Need { return gate.Need{What: w} }
	for _, c := range []struct {
		name   string
		policy func(*gate.Policy)
		facts  gate.Facts
		proofs []gate.Proof
		want   []gate.Need
	}{
		{"nothing, it passes", nil, order(), []gate.Proof{proof()}, nil},
		{"nothing is proved", nil, order(), nil, []gate.Need{level(false, "checkout"), name(false, "checkout")}},
		{"a level of one", func(p *gate.Policy) { p.Checkout.IAL = 1 }, order(), nil,
			[]gate.Need{{What: gate.NeedLevel, Amount: 1, Rules: []string{"checkout"}}, name(false, "checkout")}},
		{"a dear order", nil, order(dear), nil, []gate.Need{level(false, "checkout", "step_up"), selfie(false), fresh(false), name(false, "checkout", "step_up")}},
		{"a dear order, proved last week", nil, order(dear), []gate.Proof{proof(func(p *gate.Proof) { p.At = now.AddDate(0, 0, -7) })},
			[]gate.Need{do(gate.NeedProof), level(true, "checkout", "step_up"), selfie(true), fresh(false), name(true, "checkout", "step_up")}},
		{"too young", func(p *gate.Policy) { p.Rules = []gate.Rule{alcohol} }, order(), []gate.Proof{proof(func(p *gate.Proof) { p.Age = 20 })},
			[]gate.Need{level(true, "checkout"), age(false), name(true, "checkout")}},
		{"age unknown", func(p *gate.Policy) { p.Rules = []gate.Rule{alcohol} }, order(), []gate.Proof{proof(func(p *gate.Proof) { p.Age = -1 })},
			[]gate.Need{level(true, "checkout"), age(false), name(true, "checkout")}},
		{"expired: it shows nothing any more", nil, order(), []gate.Proof{proof(func(p *gate.Proof) { p.Until = now.Add(-time.Hour) })},
			[]gate.Need{do(gate.NeedProof), level(false, "checkout"), name(false, "checkout")}},
		{"revoked: it shows nothing any more", nil, order(), []gate.Proof{proof(func(p *gate.Proof) { p.Revoked = true })},
			[]gate.Need{do(gate.NeedProof), level(false, "checkout"), name(false, "checkout")}},
		{"no selfie", nil, order(), []gate.Proof{proof(func(p *gate.Proof) { p.Selfie = false })}, []gate.Need{level(false, "checkout"), name(true, "checkout")}},
		{"evidence that counts for nothing", func(p *gate.Policy) { p.Evidence = gate.Evidence{} }, order(), []gate.Proof{proof()},
			[]gate.Need{do(gate.NeedMapping), level(false, "checkout"), name(true, "checkout")}},
		{"another name", nil, order(), []gate.Proof{proof(func(p *gate.Proof) { p.Name.Given = "Bob" })}, []gate.Need{level(true, "checkout"), name(false, "checkout")}},
		{"no address to compare", byAddress, order(billed), []gate.Proof{proof()}, []gate.Need{level(true, "checkout"), name(true, "checkout"), address(false)}},
		{"another address", byAddress, order(billed), []gate.Proof{proof(func(p *gate.Proof) { p.Address = gate.Address{Street: "5 Baker Street", Postcode: "NW1 6XE"} })},
			[]gate.Need{level(true, "checkout"), name(true, "checkout"), address(false)}},
		{"the address, and another name", byAddress, order(billed), []gate.Proof{proof(func(p *gate.Proof) { p.Name.Given, p.Address = "Bob", home })},
			[]gate.Need{level(true, "checkout"), name(false, "checkout"), address(true)}},
		{"a guest's name is asked for by no rule", func(p *gate.Policy) { p.Checkout.NameMatch = false }, order(guest), nil, []gate.Need{level(false, "checkout"), name(false)}},
		{"a Proof under the same mailbox", nil, order(guest, func(f *gate.Facts) { f.CartID = "c2" }), []gate.Proof{proof(guestHeld)},
			[]gate.Need{do(gate.NeedMailbox), level(false, "checkout"), name(false, "checkout")}},
		{"an allow-listed mailbox that anybody may have typed", nil, order(guest, func(f *gate.Facts) { f.Listed.Mailbox = gate.OnAllowList }), nil,
			[]gate.Need{do(gate.NeedMailbox), level(false, "checkout"), name(false, "checkout")}},
		{"somebody else's Proof", nil, order(func(f *gate.Facts) { f.Buyer.CustomerID, f.CartID, f.Buyer.Mailbox = 6, "c2", "m-bob" }), []gate.Proof{proof()},
			[]gate.Need{level(false, "checkout"), name(false, "checkout")}},
		{"in review", nil, order(func(f *gate.Facts) { f.InReview = true }), nil, []gate.Need{do(gate.NeedReview), level(false, "checkout"), name(false, "checkout")}},
		{"a guest who must sign in", func(p *gate.Policy) { p.Guests = gate.GuestsSignIn }, order(guest), []gate.Proof{proof(guestHeld)},
			[]gate.Need{do(gate.NeedSignIn), level(false, "checkout"), name(false, "checkout")}},
		{"blocked", nil, order(func(f *gate.Facts) { f.Listed.Customer = gate.OnBlockList }), []gate.Proof{proof()}, []gate.Need{do(gate.NeedUnblock)}},
		{"a rule in shadow asks for nothing", func(p *gate.Policy) {
			r := alcohol
			r.Mode = gate.Shadow
			p.Rules = []gate.Rule{r}
		}, order(), nil, []gate.Need{level(false, "checkout"), name(false, "checkout")}},
		{"a rule that does not match asks for nothing", func(p *gate.Policy) {
			r := alcohol
			r.When = []gate.Condition{is(gate.FactCurrency, "EUR")}
			p.Rules = []gate.Rule{r}
		}, order(), nil, []gate.Need{level(false, "checkout"), name(false, "checkout")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := policy()
			if c.policy != nil {
				c.policy(&p)
			}
			if got := gate.Decide(p, c.facts, c.proofs, now).Needs; !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v,\nwant %+v", got, c.want)
			}
		})
	}
}

// A rule counts or does not, and says so in words for staff: mode, exemption, and what counts although it is not known.
func TestCounted(t *testing.T) {
	rule := func(name string, mode gate.Mode, exempt bool, c gate.Condition) gate.Rule {
		r := gate.Rule{Name: name, Mode: mode, Exempt: exempt, When: []gate.Condition{c}}
		if !exempt {
			r.Require = gate.Requirement{IAL: 2}
		}
		return r
	}
	yes, no, unknown := is(gate.FactCurrency, "USD"), is(gate.FactCurrency, "EUR"), is(gate.FactPayment, "card")
	p := bare(
		rule("matches", gate.Enforce, false, yes), rule("does not", gate.Enforce, false, no), rule("not known", gate.Enforce, false, unknown),
		rule("in shadow", gate.Shadow, false, yes), rule("off", gate.Off, false, yes),
		rule("exempts", gate.Enforce, true, yes), rule("exempts in shadow", gate.Shadow, true, yes), rule("exempts not", gate.Enforce, true, no), rule("exempts perhaps", gate.Enforce, true, unknown))
	want := map[string]bool{"checkout": true, "matches": true, "not known": true, "exempts": true}
	d := gate.Decide(p, order(), nil, now)
	if len(d.Rules) != 10 || d.Outcome != gate.Allow || d.Reasons[0] != (gate.Reason{Code: gate.Exempt, Detail: "exempts"}) {
		t.Errorf("%d rules, %s %v", len(d.Rules), d.Outcome, d.Reasons)
	}
	for _, r := range d.Rules {
		if r.Counted != want[r.Name] {
			t.Errorf("%s counted: %v", r.Name, r.Counted)
		}
	}
	if d := gate.Decide(p, order(atCheckout), nil, now); ruled(t, d, "not known").Counted {
		t.Error("what is settled at the order gate is counted at checkout")
	}
}

// Decisions of before are read, and what is stored now is read by readers of before: the fields they knew are where they were.
func TestStoredDecisions(t *testing.T) {
	const before = `{"outcome":"hold","mode":"enforce","requirement":{"ial":2},"reasons":[{"code":"ial_too_low","detail":"1"}],"rules":[{"name":"Knives","mode":"enforce","verdict":"yes",` +
		`"require":{"least_age":18},"conditions":[{"fact":"category","values":["4"],"verdict":"yes"}]}],"would":"hold"}`
	var d gate.Decision
	if err := json.Unmarshal([]byte(before), &d); err != nil {
		t.Fatal(err)
	}
	want := gate.Decision{Outcome: gate.Hold, Mode: gate.Enforce, Requirement: gate.Requirement{IAL: 2}, Reasons: []gate.Reason{{Code: gate.IALTooLow, Detail: "1"}}, Would: gate.Hold,
		Rules: []gate.RuleResult{{Name: "Knives", Mode: gate.Enforce, Verdict: gate.Yes, Require: gate.Requirement{LeastAge: 18},
			Conditions: []gate.ConditionResult{{Condition: is(gate.FactCategory, "4"), Verdict: gate.Yes}}}}}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("%+v, want %+v", d, want)
	}
	if again := string(asJSON(t, d)); again != before {
		t.Errorf("%s, was %s", again, before)
	}

	var old struct {
		Outcome string
		Reasons []struct{ Code, Detail string }
		Rules   []struct {
			Name       string
			Verdict    string
			Conditions []struct {
				Fact    string
				Values  []string
				Verdict string
			}
		}
		ProofID string `json:"proof_id"`
		Would   string
	}
	p := bare(requires(is(gate.FactCurrency, "USD")))
	if err := json.Unmarshal(asJSON(t, gate.Decide(p, order(), nil, now)), &old); err != nil {
		t.Fatal(err)
	}
	if r := old.Rules[1]; old.Outcome != "hold" || old.Would != "hold" || old.Reasons[0].Code != "no_proof" || r.Name != "r" || r.Verdict != "yes" ||
		r.Conditions[0].Fact != "currency" || r.Conditions[0].Values[0] != "USD" || r.Conditions[0].Verdict != "yes" {
		t.Errorf("%+v", old)
	}
}
