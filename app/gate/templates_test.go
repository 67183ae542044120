package gate_test

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"idgate/app/gate"
)

func template(t *testing.T, currency, country, id string) gate.Template {
	t.Helper()
	all := gate.Templates(currency, country)
	i := slices.IndexFunc(all, func(x gate.Template) bool { return x.ID == id })
	if i < 0 {
		t.Fatalf("no template %s", id)
	}
	return all[i]
}

// What the templates ask, of whom, and of whom not.
func TestTemplates(t *testing.T) {
	whisky := items(true, item("1", "18"))
	to := func(country string) func(*gate.Facts) { return shipTo(gate.Place{Country: country}) }
	worthOf := func(minor int64) func(*gate.Facts) {
		m := usd(minor)
		return worth(m, &m)
	}
	fresh := gate.Requirement{IAL: 2, MaxAge: 1, Selfie: true, NameMatch: true}
	age := func(years int) gate.Requirement {
		return gate.Requirement{IAL: 2, LeastAge: years, NameMatch: true}
	}
	for _, c := range []struct {
		id    string
		facts []func(*gate.Facts)
		want  gate.Requirement
	}{
		{"alcohol_us", []func(*gate.Facts){whisky, to("US")}, age(21)},
		{"alcohol_us", []func(*gate.Facts){whisky, to("DE")}, gate.Requirement{}},
		{"alcohol_us", []func(*gate.Facts){items(true, item("1", "4")), to("US")}, gate.Requirement{}},
		{"alcohol_eu", []func(*gate.Facts){whisky, to("DE")}, age(18)},
		{"alcohol_eu", []func(*gate.Facts){whisky, to("LT")}, age(20)},
		{"alcohol_eu", []func(*gate.Facts){whisky, to("SE")}, age(20)},
		{"alcohol_eu", []func(*gate.Facts){whisky, to("FI")}, age(20)},
		{"alcohol_eu", []func(*gate.Facts){whisky, to("GB")}, gate.Requirement{}},
		{"alcohol_uk", []func(*gate.Facts){whisky, to("GB")}, age(18)},
		{"vape_us", []func(*gate.Facts){whisky, to("US")}, age(21)},
		{"vape_eu", []func(*gate.Facts){whisky, to("FR")}, age(18)},
		{"vape_eu", []func(*gate.Facts){whisky, to("LV")}, age(20)},
		{"vape_uk", []func(*gate.Facts){whisky, to("GB")}, age(18)},
		{"weapons_uk", []func(*gate.Facts){whisky, to("GB")}, age(18)},
		{"weapons_uk", []func(*gate.Facts){whisky, to("US")}, gate.Requirement{}},
		{"firearm_parts_us", []func(*gate.Facts){whisky, to("US")}, age(21)},
		{"knives_us", []func(*gate.Facts){whisky, to("US")}, age(18)},
		{"jewellery", []func(*gate.Facts){whisky, worthOf(50000)}, fresh},
		{"jewellery", []func(*gate.Facts){whisky, worthOf(49999)}, gate.Requirement{}},
		{"jewellery", []func(*gate.Facts){items(true, item("1", "4")), worthOf(50000)}, gate.Requirement{}},
		{"electronics", []func(*gate.Facts){whisky, worthOf(100000)}, fresh},
		{"electronics", []func(*gate.Facts){whisky, worthOf(99999)}, gate.Requirement{}},
		{"first_order", []func(*gate.Facts){worthOf(30000), func(f *gate.Facts) { f.FirstOrder = gate.Bool{Value: true, Known: true} }}, gate.Requirement{IAL: 2, NameMatch: true}},
		{"first_order", []func(*gate.Facts){worthOf(30000), guest}, gate.Requirement{IAL: 2, NameMatch: true}},
		{"first_order", []func(*gate.Facts){worthOf(29999), guest}, gate.Requirement{}},
		{"first_order", []func(*gate.Facts){worthOf(30000), func(f *gate.Facts) { f.FirstOrder.Known = true }}, gate.Requirement{}},
	} {
		p := template(t, "USD", "US", c.id).Apply(bare(), "18")
		for _, stage := range []func(*gate.Facts){func(*gate.Facts) {}, atCheckout} {
			d := gate.Decide(p, order(append(slices.Clone(c.facts), stage)...), nil, now)
			if c.want.NameMatch && d.Requirement != c.want || !c.want.NameMatch && d.Outcome != gate.Allow {
				t.Errorf("%s: %s, requires %+v, want %+v", c.id, d.Outcome, d.Requirement, c.want)
			}
		}
	}
}

// Every template makes a good Policy of a good one, stricter and never milder, once.
func TestTemplatesApply(t *testing.T) {
	ids := map[string]bool{}
	for _, shop := range []struct{ currency, country string }{{"USD", "US"}, {"EUR", "DE"}, {"GBP", "GB"}, {"JPY", "JP"}, {"KWD", "KW"}, {"CHF", "CH"}} {
		p := policy()
		p.Currency, p.StepUp = shop.currency, nil
		before := asJSON(t, p)
		all := p
		for _, x := range gate.Templates(shop.currency, shop.country) {
			ids[x.ID] = true
			if x.Name == "" || !strings.HasSuffix(x.Why, ".") || x.Picks != "" && x.Picks != gate.FactCategory {
				t.Errorf("%+v", x)
			}
			for _, picked := range [][]string{nil, {"4", "18"}} {
				got := x.Apply(p, picked...)
				if ps := got.Problems(); len(ps) > 0 {
					t.Errorf("%s in %s: %v", x.ID, shop.currency, ps)
				}
				changes := gate.Compare(p, got)
				if len(changes) == 0 || gate.Loosens(p, got) {
					t.Errorf("%s: %+v", x.ID, changes)
				}
				for _, c := range changes {
					r, ok := c.After.(gate.Rule)
					if !ok || c.Effect != gate.Stricter || r.Mode != gate.Enforce || r.Exempt {
						t.Errorf("%s: %+v", x.ID, c)
					}
					ages := r.Require.LeastAge > 0
					if years := strconv.Itoa(r.Require.LeastAge); ages && !strings.Contains(x.Why, years+" or older") && !strings.Contains(x.Why, " "+years+".") {
						t.Errorf("%s asks for %s years and says %q", x.ID, years, x.Why)
					}
					if ages && !strings.Contains(x.Why, "check your local law") || slices.ContainsFunc(r.When, func(c gate.Condition) bool { return c.Fact == gate.FactCategory }) != (picked != nil && x.Picks != "") {
						t.Errorf("%s: %q, %+v", x.ID, x.Why, r)
					}
				}
				if again := x.Apply(got, picked...); !reflect.DeepEqual(again, got) {
					t.Errorf("%s applied twice: %+v", x.ID, gate.Compare(got, again))
				}
			}
			all = x.Apply(all, "4")
		}
		if ps := all.Problems(); len(ps) > 0 {
			t.Errorf("all together in %s: %v", shop.currency, ps)
		}
		if string(asJSON(t, p)) != string(before) {
			t.Errorf("the Policy that a template was applied to has changed")
		}
	}
	if len(ids) != 12 {
		t.Errorf("%d templates: %v", len(ids), ids)
	}
}

func TestTemplatesInOrder(t *testing.T) {
	for _, c := range []struct {
		currency, country string
		want              []string // of the beginning
		all               int
	}{
		{"USD", "US", []string{"alcohol_us", "vape_us", "firearm_parts_us", "knives_us", "jewellery", "electronics", "first_order", "alcohol_eu"}, 12},
		{"EUR", "IE", []string{"alcohol_eu", "vape_eu", "jewellery", "electronics", "first_order", "alcohol_us"}, 12},
		{"GBP", "GB", []string{"alcohol_uk", "vape_uk", "weapons_uk", "jewellery", "electronics", "first_order", "alcohol_us"}, 12},
		{"", "GB", []string{"alcohol_uk", "vape_uk", "weapons_uk", "alcohol_us"}, 9},
		{"ABC", "", []string{"alcohol_us", "alcohol_eu"}, 9},
	} {
		var got []string
		for _, x := range gate.Templates(c.currency, c.country) {
			got = append(got, x.ID)
		}
		if len(got) != c.all || !slices.Equal(got[:len(c.want)], c.want) {
			t.Errorf("%s %s: %v", c.currency, c.country, got)
		}
	}
}

// Amounts are of a sensible size, round, and in the currency's own digits.
func TestTemplateAmounts(t *testing.T) {
	for _, c := range []struct {
		currency                           string
		jewellery, electronics, firstSpend int64
	}{
		{"USD", 50000, 100000, 30000}, {"EUR", 50000, 100000, 30000}, {"JPY", 75000, 150000, 40000}, {"KWD", 150000, 300000, 100000}, {"INR", 4000000, 7500000, 2500000},
		{"KRW", 750000, 1500000, 400000}, {"SEK", 500000, 1000000, 300000}, {"MXN", 1000000, 2000000, 500000}, {"ISK", 75000, 150000, 40000},
	} {
		for id, want := range map[string]int64{"jewellery": c.jewellery, "electronics": c.electronics, "first_order": c.firstSpend} {
			p := template(t, c.currency, "", id).Apply(gate.Default(c.currency))
			when := p.Rules[0].When
			i := slices.IndexFunc(when, func(c gate.Condition) bool { return c.Fact == gate.FactValue })
			if got := *when[i].Amount; got != (gate.Money{Minor: want, Currency: c.currency}) {
				t.Errorf("%s: %v, want %d", id, got, want)
			}
		}
	}
}

// A template asks for what the shop's evidence reaches, and makes room for a rule of the same name.
func TestTemplateMeetsPolicy(t *testing.T) {
	alcohol := template(t, "USD", "US", "alcohol_us")
	for want, e := range map[gate.IAL]gate.Evidence{1: {Document: 1}, 2: {}, 3: {Document: 3}} {
		p := policy()
		p.Evidence = e
		if got := alcohol.Apply(p).Rules[0].Require.IAL; got != min(want, 2) {
			t.Errorf("%+v: IAL %d, want %d", e, got, min(want, 2))
		}
	}
	p := alcohol.Apply(alcohol.Apply(alcohol.Apply(policy(), "1"), "2"), "3")
	p = alcohol.Apply(p, "2")
	var names []string
	for _, r := range p.Rules {
		names = append(names, r.Name)
	}
	if want := []string{"Alcohol (US)", "Alcohol (US) (2)", "Alcohol (US) (3)"}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
}

func TestMinorDigits(t *testing.T) {
	for code, want := range map[string]int{"USD": 2, "JPY": 0, "KWD": 3, "HUF": 2, "nonsense": 2} {
		if got := gate.MinorDigits(code); got != want {
			t.Errorf("%s: %d, want %d", code, got, want)
		}
	}
}
