package gate

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/text/currency"
)

// Template is a set of rules that merchants of one trade recognise, to start from.
type Template struct {
	ID   string
	Name string
	Why  string // what it is for and what it asks, in a sentence or two; no legal advice
	// Picks is the fact that narrows it to the goods meant (categories), or empty where it is about every order.
	Picks FactName
	// Home: it is about the Shop's own country, or about any.
	Home  bool
	rules func(level IAL) []Rule
}

// Apply adds the template's rules to p, narrowed to the picked ids where it Picks; none picked means all goods.
// Applying it again changes nothing. It only ever makes p stricter.
func (t Template) Apply(p Policy, picked ...string) Policy {
	p.Rules = slices.Clone(p.Rules)
	for _, r := range t.rules(reachable(p)) {
		if t.Picks != "" && len(picked) > 0 {
			r.When = append(r.When, Condition{Fact: t.Picks, Values: slices.Clone(picked)})
		}
		p.Rules = addRule(p.Rules, r)
	}
	return p
}

// addRule appends r under a name that is free, unless the very rule is there.
func addRule(rules []Rule, r Rule) []Rule {
	name := r.Name
	for n := 2; ; n++ {
		i := slices.IndexFunc(rules, func(o Rule) bool { return fold(o.Name, false) == fold(r.Name, false) })
		switch {
		case i < 0:
			return append(rules, r)
		case len(compareRule(rules[i], r)) == 0:
			return rules
		}
		r.Name = fmt.Sprintf("%s (%d)", name, n)
	}
}

// reachable is the level templates ask for: 2, or the most that the evidence counts for.
func reachable(p Policy) IAL {
	if top := p.Evidence.Level(true, true); top > 0 {
		return min(2, top)
	}
	return 2
}

// checkTheLaw ends every text about an age: what stands here is where to start.
const checkTheLaw = "Ages and goods differ by place and change: check your local law."

// The EU's members. Three of them ask for 20 years for some or all alcohol in shops, and Latvia for vapes.
var (
	euMembers  = strings.Fields("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK")
	alcoholAt  = []string{"FI", "LT", "SE"}
	vapeAt     = []string{"LV"}
	weaponNote = "Many of these goods are regulated beyond the buyer's age, or may not be sold by post at all. "
)

// Templates lists what a merchant may start from, those for the Shop's own country first. Amounts are in the Shop's currency,
// of a sensible size and round; where the currency is not known there are none on amounts.
func Templates(shopCurrency, country string) []Template {
	out := []Template{
		ages("alcohol_us", "Alcohol, United States", country, "Buyers in the United States prove that they are 21 or older.", age{"Alcohol (US)", 21, []string{"US"}}),
		ages("alcohol_eu", "Alcohol, European Union", country, "Buyers in the EU prove that they are 18 or older; in Finland, Lithuania and Sweden 20. "+
			"Several countries allow beer and wine from 16: this asks for 18 throughout.",
			age{"Alcohol (EU)", 18, euMembers}, age{"Alcohol (EU, 20 years)", 20, alcoholAt}),
		ages("alcohol_uk", "Alcohol, United Kingdom", country, "Buyers in the United Kingdom prove that they are 18 or older.", age{"Alcohol (UK)", 18, []string{"GB"}}),
		ages("vape_us", "Vapes and tobacco, United States", country, "Buyers in the United States prove that they are 21 or older.", age{"Vapes (US)", 21, []string{"US"}}),
		ages("vape_eu", "Vapes and tobacco, European Union", country, "Buyers in the EU prove that they are 18 or older; in Latvia 20.",
			age{"Vapes (EU)", 18, euMembers}, age{"Vapes (EU, 20 years)", 20, vapeAt}),
		ages("vape_uk", "Vapes and tobacco, United Kingdom", country, "Buyers in the United Kingdom prove that they are 18 or older.", age{"Vapes (UK)", 18, []string{"GB"}}),
		ages("weapons_uk", "Firearm parts and knives, United Kingdom", country, "Buyers in the United Kingdom prove that they are 18 or older. "+weaponNote,
			age{"Firearm parts and knives (UK)", 18, []string{"GB"}}),
		ages("firearm_parts_us", "Firearm parts, United States", country, "Buyers in the United States prove that they are 21 or older. "+weaponNote,
			age{"Firearm parts (US)", 21, []string{"US"}}),
		ages("knives_us", "Knives, United States", country, "Buyers in the United States prove that they are 18 or older. "+weaponNote, age{"Knives (US)", 18, []string{"US"}}),
	}
	if isCurrency(shopCurrency) {
		out = append(out,
			dear("jewellery", "Jewellery over a value", "Jewellery (dear)", 500, shopCurrency),
			dear("electronics", "Electronics over a value", "Electronics (dear)", 1000, shopCurrency),
			firstOrder(roundAmount(300, shopCurrency)))
	}
	slices.SortStableFunc(out, func(a, b Template) int {
		switch {
		case a.Home == b.Home:
			return 0
		case a.Home:
			return -1
		}
		return 1
	})
	return out
}

type age struct {
	rule      string
	years     int
	countries []string
}

func ages(id, name, home, why string, of ...age) Template {
	t := Template{ID: id, Name: name, Why: strings.TrimSpace(why) + " " + checkTheLaw, Picks: FactCategory}
	for _, a := range of {
		t.Home = t.Home || slices.Contains(a.countries, home)
	}
	t.rules = func(level IAL) []Rule {
		var out []Rule
		for _, a := range of {
			out = append(out, Rule{Name: a.rule, Mode: Enforce, Require: Requirement{IAL: level, LeastAge: a.years, NameMatch: true},
				When: []Condition{{Fact: FactCountry, Values: slices.Clone(a.countries)}}})
		}
		return out
	}
	return t
}

// dear asks for a fresh proof of orders over a value that have such goods: what is easily sold on draws stolen cards.
func dear(id, name, rule string, dollars float64, shopCurrency string) Template {
	over := roundAmount(dollars, shopCurrency)
	return Template{ID: id, Name: name, Picks: FactCategory, Home: true,
		Why: "Goods that are easily sold on draw stolen cards and taken-over accounts: orders over the amount need a live selfie not older than a day. Set the amount to what you can bear to lose.",
		rules: func(level IAL) []Rule {
			return []Rule{{Name: rule, Mode: Enforce, Require: Requirement{IAL: level, MaxAge: 1, Selfie: true, NameMatch: true},
				When: []Condition{{Fact: FactValue, Amount: &Money{over.Minor, over.Currency}}}}}
		}}
}

func firstOrder(over Money) Template {
	return Template{ID: "first_order", Name: "First order over a value", Home: true,
		Why: "Whoever orders for the first time, and for more than the amount, proves identity once; guests count as new. Returning customers under it are not asked.",
		rules: func(level IAL) []Rule {
			return []Rule{{Name: "First order (dear)", Mode: Enforce, Require: Requirement{IAL: level, NameMatch: true},
				When: []Condition{{Fact: FactFirstOrder}, {Fact: FactValue, Amount: &Money{over.Minor, over.Currency}}}}}
		}}
}

// MinorDigits is how many decimal digits amounts of an ISO 4217 currency have; 2 where it is unknown.
func MinorDigits(code string) int {
	u, err := currency.ParseISO(code)
	if err != nil {
		return 2
	}
	digits, _ := currency.Standard.Rounding(u)
	return digits
}

// sizes is how many of a currency's units go into a US dollar, about. It is no rate and converts nothing: it picks an amount to start
// from, which the merchant then sets. Currencies that are not here are taken to be of a dollar's size.
var sizes = map[string]float64{
	"AED": 4, "ARS": 1000, "BDT": 120, "BGN": 2, "BHD": 0.4, "BRL": 5, "CLP": 1000, "CNY": 7, "COP": 4000, "CRC": 500, "CZK": 20, "DKK": 7, "DOP": 60, "EGP": 50,
	"GTQ": 8, "HKD": 8, "HUF": 350, "IDR": 16000, "ILS": 4, "INR": 80, "ISK": 140, "JMD": 150, "JOD": 0.7, "JPY": 150, "KES": 130, "KRW": 1400, "KWD": 0.3, "KZT": 500,
	"LKR": 300, "MAD": 10, "MXN": 20, "MYR": 4, "NGN": 1500, "NOK": 10, "OMR": 0.4, "PEN": 4, "PHP": 60, "PKR": 280, "PLN": 4, "PYG": 7500, "QAR": 4, "RON": 5, "RSD": 100,
	"SAR": 4, "SEK": 10, "THB": 35, "TND": 3, "TRY": 40, "TWD": 30, "UAH": 40, "UGX": 3700, "UYU": 40, "VND": 25000, "ZAR": 20,
}

// roundAmount is about so many dollars in the currency, as a round number of whole units.
func roundAmount(dollars float64, code string) Money {
	size, ok := sizes[code]
	if !ok {
		size = 1
	}
	about := dollars * size
	unit := math.Pow(10, math.Floor(math.Log10(about)))
	nearest := unit
	for _, step := range []float64{1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10} {
		if math.Abs(step*unit-about) < math.Abs(nearest-about) {
			nearest = step * unit
		}
	}
	return Money{Minor: int64(math.Round(nearest * math.Pow10(MinorDigits(code)))), Currency: code}
}
