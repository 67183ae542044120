package web

import (
	"net/url"
	"testing"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/views"
)

// TestCurrencyChanged: when the Shop's currency changes, amounts of the Policy are shown in the one they were meant in, and no form takes
// them over under the new one's name unless somebody types them anew.
func TestCurrencyChanged(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash, func(p *gate.Policy) {
		p.StepUp = &gate.StepUp{Over: gate.Money{Minor: 50000, Currency: "USD"}, Require: gate.Requirement{IAL: 2}}
	})
	b.want(200, b.as(ledger.Manager, shopBase+"/policy", nil), `value="500.00"`)
	b.ok(b.s.Ledger.DescribeShop(b.Context(), shopHash, ledger.Description{StoreID: "1001", Name: "Larkspur", Currency: "EUR", Timezone: "America/Denver",
		Channels: []ledger.Channel{{ID: 1, Name: "Larkspur"}}}))
	b.want(200, b.as(ledger.Manager, shopBase+"/policy", nil), `value="500.00 USD"`)
	opened := b.policyForm(map[string]string{"least_age": "21"})
	b.want(422, b.as(ledger.Manager, shopBase+"/policy", opened), `value="500.00 USD"`, "Enter the amount in the shop&#39;s currency, EUR.")
	if p := b.shop(shopHash).Policy; p.Version != 1 {
		t.Errorf("an amount in another currency was saved: %+v", p)
	}
	opened.Set("step_up_value", "460")
	b.wantGo(b.as(ledger.Manager, shopBase+"/policy", opened), shopBase+"/policy?saved=2")
	if over := b.shop(shopHash).Policy.StepUp.Over; over != (gate.Money{Minor: 46000, Currency: "EUR"}) {
		t.Errorf("saved %v", over)
	}
}

// TestCurrencyChangedForRules: likewise for the amount in a rule's condition.
func TestCurrencyChangedForRules(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash, func(p *gate.Policy) { p.Rules = []gate.Rule{wine} })
	edit := shopBase + "/policy/rules/edit"
	asked := edit + "?rule=" + url.QueryEscape(wine.Name)
	b.want(200, b.as(ledger.Manager, asked, nil), `value="300.00"`)
	b.ok(b.s.Ledger.DescribeShop(b.Context(), shopHash, ledger.Description{StoreID: "1001", Name: "Larkspur", Currency: "JPY", Timezone: "America/Denver",
		Channels: []ledger.Channel{{ID: 1, Name: "Larkspur"}}}))
	b.want(200, b.as(ledger.Manager, asked, nil), `value="300.00 USD"`)
	form := ruleValues(formOfRule(wine, "JPY"), "1", views.DoSave, "The shop sells in yen now")
	b.want(422, b.as(ledger.Manager, edit, form), `value="300.00 USD"`, "Enter the amount in the shop&#39;s currency, JPY.")
	form.Set("when.1.amount", "45000")
	b.wantGo(b.as(ledger.Manager, edit, form), shopBase+"/policy/rules?saved=2")
	if m := b.shop(shopHash).Policy.Rules[0].When[1].Amount; *m != (gate.Money{Minor: 45000, Currency: "JPY"}) {
		t.Errorf("saved %v", m)
	}
}
