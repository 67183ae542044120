package gate

import (
	"slices"
	"strings"
)

// Rule is conditions and what they require. An exemption requires nothing and is read first.
type Rule struct {
	Name    string      `json:"name"`
	Mode    Mode        `json:"mode"`
	Exempt  bool        `json:"exempt,omitempty"`
	Any     bool        `json:"any,omitempty"` // any of When; otherwise all of it. An empty When always matches
	When    []Condition `json:"when,omitempty"`
	Require Requirement `json:"require"`
}

// active reports whether the rule has effect under a Policy that has.
func (r Rule) active() bool { return r.Mode != Off && r.Mode != Shadow }

// FactName names what a Condition looks at.
type FactName string

// The facts a Condition may look at.
const (
	FactValue      FactName = "value"       // Amount: the order's value in the Shop's currency is at least this
	FactCurrency   FactName = "currency"    // Values: ISO 4217 codes of the currency the shopper pays in
	FactProduct    FactName = "product"     // Values: product ids
	FactCategory   FactName = "category"    // Values: category ids
	FactBrand      FactName = "brand"       // Values: brand ids
	FactCountry    FactName = "country"     // Values: ISO 3166-1 alpha-2 of a shipping address, or of billing when nothing ships
	FactState      FactName = "state"       // Values: country/state, "US/California" or "US/CA"
	FactPostcode   FactName = "postcode"    // Values: "90210", a range of equal length "90000-90999", or a beginning "SW1A*"
	FactShipDiff   FactName = "ship_differ" // shipping differs from billing
	FactGroup      FactName = "group"       // Values: customer group ids, "guest"
	FactFirstOrder FactName = "first_order"
	FactPayment    FactName = "payment"     // Values: as BigCommerce names the method; case makes no difference
	FactShipMethod FactName = "ship_method" // Values: as the shop names the method; case makes no difference
	FactChannel    FactName = "channel"     // Values: channel ids
	FactSource     FactName = "source"      // Values: BigCommerce's order sources
)

// FactNames lists every fact a Condition may look at, in the order a form shows them.
func FactNames() []FactName {
	return []FactName{FactValue, FactCurrency, FactProduct, FactCategory, FactBrand, FactCountry, FactState, FactPostcode, FactShipDiff,
		FactGroup, FactFirstOrder, FactPayment, FactShipMethod, FactChannel, FactSource}
}

// comesLater reports whether a fact that is unknown at checkout will be known of the order: a rule on it can wait.
// The others will be as unknown then (no rate, a product without categories, a guest's earlier orders), so they count now.
func (n FactName) comesLater() bool {
	switch n {
	case FactCountry, FactState, FactPostcode, FactShipDiff, FactPayment, FactShipMethod, FactChannel, FactSource:
		return true
	case FactValue, FactCurrency, FactProduct, FactCategory, FactBrand, FactGroup, FactFirstOrder:
	}
	return false
}

// Condition is one test of one fact. Where a cart or order has several of a fact (lines, addresses, shipping methods), a rule that
// requires something is met by any of them, an exemption only by every one: one harmless line beside it exempts nothing.
type Condition struct {
	Fact   FactName `json:"fact"`
	Not    bool     `json:"not,omitempty"`
	Values []string `json:"values,omitempty"`
	Amount *Money   `json:"amount,omitempty"`
}

// Verdict is a condition's or a rule's answer; facts may be unknown.
type Verdict string

// The verdicts.
const (
	Yes     Verdict = "yes"
	No      Verdict = "no"
	Unknown Verdict = "unknown"
)

func verdict(b bool) Verdict {
	if b {
		return Yes
	}
	return No
}

func (v Verdict) not() Verdict {
	switch v {
	case Yes:
		return No
	case No:
		return Yes
	case Unknown:
	}
	return Unknown
}

// RuleResult says whether a rule matched, and on which facts.
type RuleResult struct {
	Name    string      `json:"name"`
	Mode    Mode        `json:"mode"`
	Exempt  bool        `json:"exempt,omitempty"`
	Any     bool        `json:"any,omitempty"`
	Verdict Verdict     `json:"verdict"`
	Require Requirement `json:"require"`
	// Counted: the rule had its part in the outcome, because it matched or because what is unknown counts as matched.
	// A rule in shadow, one that is switched off, and one that is settled at the order gate are not counted.
	Counted    bool              `json:"counted,omitempty"`
	Conditions []ConditionResult `json:"conditions,omitempty"`
}

// ConditionResult is one condition's answer. Of the condition's values it keeps the first few; the Policy's version has them all.
type ConditionResult struct {
	Condition
	More    int     `json:"more,omitempty"` // how many of the condition's values are left out
	Verdict Verdict `json:"verdict"`
	Seen    *Seen   `json:"seen,omitempty"` // nil when it is unknown, or nothing of it may be kept
}

// Seen is what the cart or order has of a fact, in what staff may read and a ledger may keep unsealed: amounts, codes and ids.
// Of a postcode it says only which of the condition's own values it fell in.
type Seen struct {
	Amount *Money   `json:"amount,omitempty"`
	Values []string `json:"values,omitempty"` // each once, those that the condition names first; "yes" or "no" for a plain question
	More   int      `json:"more,omitempty"`   // how many are left out
}

// explained is how many values of one condition, and how many seen, a Decision keeps.
const explained = 25

// counts reports whether a requiring rule binds: when it matched, and when what is unknown will stay so (no rate means the strictest).
// What becomes known later is settled at the order gate, and there counts as matched if it still is not known.
func (r RuleResult) counts(s Stage) bool {
	if r.Verdict != Unknown {
		return r.Verdict == Yes
	}
	if s == AtOrder {
		return true
	}
	settled := func(c ConditionResult) bool { return c.Verdict == Yes || c.Verdict == Unknown && !c.Fact.comesLater() }
	if r.Any {
		return slices.ContainsFunc(r.Conditions, settled)
	}
	return !slices.ContainsFunc(r.Conditions, func(c ConditionResult) bool { return !settled(c) })
}

func (r *Rule) evaluate(f *Facts, t *tester) RuleResult {
	res := RuleResult{Name: r.Name, Mode: r.Mode, Exempt: r.Exempt, Any: r.Any, Require: r.Require, Verdict: Yes}
	if len(r.When) > 0 {
		res.Conditions = make([]ConditionResult, 0, len(r.When))
	}
	yes, unknown := 0, 0
	for i := range r.When {
		a := r.When[i].evaluate(f, r.Exempt, t)
		res.Conditions = append(res.Conditions, a)
		switch a.Verdict {
		case Yes:
			yes++
		case Unknown:
			unknown++
		case No:
		}
	}
	switch n := len(r.When); {
	case n == 0:
	case r.Any && yes > 0, !r.Any && yes == n:
		res.Verdict = Yes
	case r.Any && unknown > 0, !r.Any && yes+unknown == n:
		res.Verdict = Unknown
	default:
		res.Verdict = No
	}
	return res
}

// evaluate tests one fact, of which every answer stands for one of what the cart or order has of it.
func (c *Condition) evaluate(f *Facts, exempt bool, t *tester) ConditionResult {
	*t = tester{answers: t.answers[:0], named: t.named[:0], others: t.others[:0]}
	c.test(f, t)
	out := ConditionResult{Condition: *c, Verdict: c.over(t.answers, exempt), Seen: t.seen()}
	if len(c.Values) > explained {
		out.Values, out.More = c.Values[:explained:explained], len(c.Values)-explained
	}
	return out
}

// over joins the answers, each turned round first where the condition says “not”.
func (c *Condition) over(answers []Verdict, exempt bool) Verdict {
	if len(answers) == 0 {
		return verdict(c.Not && !exempt) // nothing is in no category; and nothing exempts
	}
	decisive, out := Yes, No // of a requiring rule: any yes decides
	if exempt {
		decisive, out = No, Yes
	}
	for _, v := range answers {
		if c.Not {
			v = v.not()
		}
		switch v {
		case decisive:
			return decisive
		case Unknown:
			out = Unknown
		}
	}
	return out
}

// tester gathers a condition's answers, and what they were given on. One serves all conditions in turn.
type tester struct {
	answers       []Verdict
	amount        *Money
	named, others []string
}

// text answers for one value, named by the condition or not.
func (t *tester) text(value string, known, named bool) {
	switch {
	case !known:
		t.answers = append(t.answers, Unknown)
		return
	case named:
		t.named = append(t.named, value)
	case value != "":
		t.others = append(t.others, value)
	}
	t.answers = append(t.answers, verdict(named))
}

// flag answers a plain question.
func (t *tester) flag(b Bool) { t.text(string(verdict(b.Value)), b.Known, b.Value) }

// seen is what was looked at; nil when nothing was known.
func (t *tester) seen() *Seen {
	if t.amount == nil && len(t.named)+len(t.others) == 0 {
		return nil
	}
	s := &Seen{Amount: t.amount}
	if n := len(t.named) + len(t.others); n > 0 {
		s.Values = make([]string, 0, min(n, explained))
	}
	for _, values := range [][]string{t.named, t.others} {
		for _, v := range values {
			switch {
			case slices.Contains(s.Values, v):
			case len(s.Values) == explained:
				s.More++
			default:
				s.Values = append(s.Values, v)
			}
		}
	}
	return s
}

func (c *Condition) test(f *Facts, t *tester) {
	in := func(v string) bool { return slices.Contains(c.Values, v) }
	folded := func(v string) bool {
		return slices.ContainsFunc(c.Values, func(w string) bool { return strings.EqualFold(strings.TrimSpace(w), strings.TrimSpace(v)) })
	}
	switch c.Fact {
	case FactValue:
		c.testValue(f, t)
	case FactCurrency:
		t.text(f.Value.Currency, f.Value.Currency != "", in(f.Value.Currency))
	case FactProduct:
		for _, i := range f.Items {
			t.text(i.ProductID, true, in(i.ProductID))
		}
	case FactCategory, FactBrand:
		c.testItems(f, t)
	case FactCountry, FactState, FactPostcode:
		c.testPlaces(f, t)
	case FactShipDiff:
		// Nothing shipped differs from nothing. A cart that has no billing address yet cannot say.
		differ := slices.ContainsFunc(f.Shipping, func(p Place) bool { return p != f.Billing })
		t.flag(Bool{differ, len(f.Shipping) == 0 || f.Billing != Place{}})
	case FactGroup:
		t.text(f.Group.Value, f.Group.Known, in(f.Group.Value))
	case FactFirstOrder:
		t.flag(f.FirstOrder)
	case FactPayment:
		t.text(f.Payment.Value, f.Payment.Known, folded(f.Payment.Value))
	case FactShipMethod:
		if len(f.ShipMethods) == 0 {
			t.text(f.ShipMethod.Value, f.ShipMethod.Known, folded(f.ShipMethod.Value))
		}
		for _, m := range f.ShipMethods {
			t.text(m, m != "", folded(m))
		}
	case FactChannel:
		t.text(f.Channel.Value, f.Channel.Known, in(f.Channel.Value))
	case FactSource:
		t.text(f.Source.Value, f.Source.Known, in(f.Source.Value))
	default:
		t.answers = []Verdict{Unknown} // a fact of a later version
	}
}

// testValue compares in the Shop's currency; without a rate the value is unknown.
func (c *Condition) testValue(f *Facts, t *tester) {
	t.amount = f.ShopValue
	if f.ShopValue == nil || c.Amount == nil || f.ShopValue.Currency != c.Amount.Currency {
		t.amount, t.answers = nil, []Verdict{Unknown}
		return
	}
	t.answers = []Verdict{verdict(f.ShopValue.Minor >= c.Amount.Minor)}
}

// testItems answers for every line. A line that was not looked up may be of any category.
func (c *Condition) testItems(f *Facts, t *tester) {
	for k := range f.Items {
		i := &f.Items[k]
		values := i.Categories
		if c.Fact == FactBrand {
			values = nil
			if i.Brand != "" {
				values = []string{i.Brand}
			}
		}
		of := Unknown
		if f.ItemsKnown {
			of = No
		}
		for _, v := range values {
			if slices.Contains(c.Values, v) {
				of = Yes
				t.named = append(t.named, v)
			} else {
				t.others = append(t.others, v)
			}
		}
		t.answers = append(t.answers, of)
	}
}

// testPlaces looks at every shipping address, or at the billing address where nothing ships.
func (c *Condition) testPlaces(f *Facts, t *tester) {
	places := f.Shipping
	if len(places) == 0 {
		places = []Place{f.Billing}
	}
	for _, p := range places {
		switch c.Fact {
		case FactState:
			t.text(p.Country+"/"+p.State, p.Country != "" && p.State != "", c.hasState(p))
		case FactPostcode:
			value, ok := c.postcode(p)
			t.text(value, p.Postcode != "", ok)
		default:
			t.text(p.Country, p.Country != "", slices.Contains(c.Values, p.Country))
		}
	}
}
