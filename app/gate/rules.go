package gate

import (
	"encoding/json"
	"slices"
	"strings"
)

// Text is a fact that may not be known yet.
type Text struct {
	Value string `json:"v,omitempty"`
	Known bool   `json:"k,omitempty"`
}

// Known makes a Text of a known value.
func Known(v string) Text { return Text{v, true} }

// Bool is a yes-or-no fact that may not be known yet.
type Bool struct {
	Value bool `json:"v,omitempty"`
	Known bool `json:"k,omitempty"`
}

// Item is one line of a cart or order.
type Item struct {
	ProductID  string   `json:"product"`
	Quantity   int      `json:"quantity"`
	Categories []string `json:"categories,omitempty"`
	Brand      string   `json:"brand,omitempty"`
}

// Place is the part of an address that rules look at, and Line, which binds the Decision to the whole of it.
type Place struct {
	Country  string `json:"country"` // ISO 3166-1 alpha-2
	State    string `json:"state"`
	Postcode string `json:"postcode"`
	Line     string `json:"line"` // the other parts, normalised
}

// Facts is what is known of a cart or order. Facts that only exist later (payment method, source) are Unknown at checkout:
// they never satisfy an exemption, and rules on them are settled at the order gate.
type Facts struct {
	Stage       Stage
	CartID      string
	OrderID     int64
	Buyer       Buyer
	Value       Money  // before store credit and gift certificates, in the currency the shopper pays
	ShopValue   *Money // Value in the Shop's currency; nil when no rate is known
	Items       []Item
	ItemsKnown  bool // categories and brands were looked up
	Shipping    []Place
	Billing     Place
	Group       Text // customer group id, or "guest"
	FirstOrder  Bool
	Payment     Text
	ShipMethod  Text
	Channel     Text
	Source      Text
	BeforeEpoch bool // created before enforcement began
	InReview    bool // a Session for this cart or order is with a human reviewer
}

// Canonical is what a Decision was made on, as bytes for a keyed digest: amount, currency, items, buyer and addresses.
// If these differ, it must be decided again.
func (f Facts) Canonical() []byte {
	b, err := json.Marshal(struct {
		Cart     string
		Customer int64
		Mailbox  string
		Given    string
		Family   string
		Value    Money
		Items    []Item
		Shipping []Place
		Billing  Place
	}{f.CartID, f.Buyer.CustomerID, f.Buyer.Mailbox, f.Buyer.Name.Given, f.Buyer.Name.Family, f.Value, f.Items, f.Shipping, f.Billing})
	if err != nil {
		panic(err) // strings, integers and slices of them always marshal
	}
	return b
}

// Rule is conditions and what they require. An exemption requires nothing and is read first.
type Rule struct {
	Name    string      `json:"name"`
	Mode    Mode        `json:"mode"`
	Exempt  bool        `json:"exempt,omitempty"`
	Any     bool        `json:"any,omitempty"` // any of When; otherwise all of it. An empty When always matches
	When    []Condition `json:"when,omitempty"`
	Require Requirement `json:"require"`
}

// FactName names what a Condition looks at.
type FactName string

// The facts a Condition may look at.
const (
	FactValue      FactName = "value"       // Amount: the order's value in the Shop's currency is at least this
	FactProduct    FactName = "product"     // Values: product ids
	FactCategory   FactName = "category"    // Values: category ids
	FactBrand      FactName = "brand"       // Values: brand ids
	FactCountry    FactName = "country"     // Values: ISO 3166-1 alpha-2 of any shipping address, or billing when nothing ships
	FactState      FactName = "state"       // Values: country/state, "US/California"
	FactPostcode   FactName = "postcode"    // Values: "90210" or "90000-90999", as text of equal length
	FactShipDiff   FactName = "ship_differ" // shipping differs from billing
	FactGroup      FactName = "group"       // Values: customer group ids, "guest"
	FactFirstOrder FactName = "first_order"
	FactPayment    FactName = "payment"
	FactShipMethod FactName = "ship_method"
	FactChannel    FactName = "channel"
	FactSource     FactName = "source"
)

// Condition is one test of one fact.
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
	Name       string            `json:"name"`
	Mode       Mode              `json:"mode"`
	Exempt     bool              `json:"exempt,omitempty"`
	Verdict    Verdict           `json:"verdict"`
	Require    Requirement       `json:"require"`
	Conditions []ConditionResult `json:"conditions,omitempty"`
}

// ConditionResult is one condition's answer.
type ConditionResult struct {
	Condition
	Verdict Verdict `json:"verdict"`
}

// binds reports whether a requiring rule counts: when it matched, and when only an order's missing exchange rate keeps us
// from knowing, which at either gate means the strictest. Anything else unknown at checkout is settled at the order gate,
// and there counts as matched.
func (r RuleResult) binds(s Stage) bool {
	if r.Verdict != Unknown {
		return r.Verdict == Yes
	}
	if s == AtOrder {
		return true
	}
	for _, c := range r.Conditions {
		if c.Verdict == Unknown && c.Fact != FactValue {
			return false
		}
	}
	return true
}

func (r Rule) evaluate(f Facts) RuleResult {
	res := RuleResult{Name: r.Name, Mode: r.Mode, Exempt: r.Exempt, Require: r.Require, Verdict: Yes}
	yes, unknown := 0, 0
	for _, c := range r.When {
		v := c.evaluate(f)
		if c.Not {
			v = v.not()
		}
		res.Conditions = append(res.Conditions, ConditionResult{c, v})
		switch v {
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

func (c Condition) evaluate(f Facts) Verdict {
	text := func(t Text) Verdict {
		if !t.Known {
			return Unknown
		}
		return verdict(slices.Contains(c.Values, t.Value))
	}
	switch c.Fact {
	case FactValue:
		if f.ShopValue == nil || c.Amount == nil || f.ShopValue.Currency != c.Amount.Currency {
			return Unknown
		}
		return verdict(f.ShopValue.Minor >= c.Amount.Minor)
	case FactProduct:
		return verdict(slices.ContainsFunc(f.Items, func(i Item) bool { return slices.Contains(c.Values, i.ProductID) }))
	case FactCategory:
		return c.item(f, func(i Item) bool {
			return slices.ContainsFunc(i.Categories, func(k string) bool { return slices.Contains(c.Values, k) })
		})
	case FactBrand:
		return c.item(f, func(i Item) bool { return slices.Contains(c.Values, i.Brand) })
	case FactCountry:
		return c.place(f, func(p Place) (string, bool) { return p.Country, slices.Contains(c.Values, p.Country) })
	case FactState:
		return c.place(f, func(p Place) (string, bool) {
			return p.State, slices.Contains(c.Values, p.Country+"/"+p.State)
		})
	case FactPostcode:
		return c.place(f, func(p Place) (string, bool) { return p.Postcode, inRanges(p.Postcode, c.Values) })
	case FactShipDiff:
		if len(f.Shipping) == 0 {
			return No
		}
		return verdict(slices.ContainsFunc(f.Shipping, func(p Place) bool { return p != f.Billing }))
	case FactGroup:
		return text(f.Group)
	case FactFirstOrder:
		if !f.FirstOrder.Known {
			return Unknown
		}
		return verdict(f.FirstOrder.Value)
	case FactPayment:
		return text(f.Payment)
	case FactShipMethod:
		return text(f.ShipMethod)
	case FactChannel:
		return text(f.Channel)
	case FactSource:
		return text(f.Source)
	}
	return Unknown
}

func (c Condition) item(f Facts, match func(Item) bool) Verdict {
	if slices.ContainsFunc(f.Items, match) {
		return Yes
	}
	if !f.ItemsKnown {
		return Unknown
	}
	return No
}

// place looks at every shipping address, or at the billing address where nothing ships.
func (c Condition) place(f Facts, match func(Place) (have string, ok bool)) Verdict {
	places := f.Shipping
	if len(places) == 0 {
		places = []Place{f.Billing}
	}
	out := No
	for _, p := range places {
		have, ok := match(p)
		switch {
		case ok:
			return Yes
		case have == "":
			out = Unknown
		}
	}
	return out
}

// inRanges compares postcodes as text, spaces removed and upper-cased, within ranges of equal length.
func inRanges(code string, ranges []string) bool {
	norm := func(s string) string { return strings.ToUpper(strings.ReplaceAll(s, " ", "")) }
	code = norm(code)
	return code != "" && slices.ContainsFunc(ranges, func(r string) bool {
		lo, hi, isRange := strings.Cut(norm(r), "-")
		if !isRange {
			return lo == code
		}
		return len(lo) == len(hi) && len(code) >= len(lo) && code[:len(lo)] >= lo && code[:len(lo)] <= hi
	})
}

// problem says what keeps a rule from being saved.
func (r Rule) problem(currency string) string {
	switch {
	case strings.TrimSpace(r.Name) == "" || len(r.Name) > 80:
		return "give the rule a name of at most 80 characters"
	case r.Name == RuleCheckout || r.Name == RuleStepUp:
		return "this name is taken by a rule that every policy has"
	case !slices.Contains([]Mode{Off, Shadow, Enforce}, r.Mode):
		return "choose off, shadow or enforce"
	case r.Exempt && len(r.When) == 0:
		return "an exemption without conditions would switch the policy off: use the mode for that"
	case !r.Exempt && r.Require.empty():
		return "say what must be proved: a level, a selfie or an age"
	}
	for _, c := range r.When {
		if why := c.problem(currency); why != "" {
			return why
		}
	}
	return ""
}

func (c Condition) problem(currency string) string {
	switch c.Fact {
	case FactValue:
		if c.Amount == nil || c.Amount.Minor <= 0 || c.Amount.Currency != currency {
			return "enter an amount above zero in the shop's currency, " + currency
		}
	case FactShipDiff, FactFirstOrder:
	case FactProduct, FactCategory, FactBrand, FactCountry, FactState, FactPostcode, FactGroup, FactPayment, FactShipMethod, FactChannel, FactSource:
		if len(c.Values) == 0 {
			return "choose at least one value for " + string(c.Fact)
		}
	default:
		return "unknown condition " + string(c.Fact)
	}
	return ""
}
