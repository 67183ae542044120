package gate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"
)

// Bounds of what one Policy may hold, so that a page shows it and a cart is answered at once.
const (
	MaxRules  = 100
	MaxValues = 1000 // of one condition
	mostName  = 80   // characters of a rule's name
	mostValue = 200  // characters of a condition's value
	mostWhen  = 20   // conditions of one rule
)

// ruleField is the form field that a rule's problems stand beside.
func ruleField(i int) string { return "rules." + strconv.Itoa(i) }

// ruleProblems lists everything that is wrong with the rules.
func (p Policy) ruleProblems() []Problem {
	var out []Problem
	if len(p.Rules) > MaxRules {
		out = append(out, Problem{Field: "rules", Remedy: fmt.Sprintf("keep at most %d rules", MaxRules)})
	}
	first := map[string]int{}
	for i, r := range p.Rules {
		bad := func(wrong bool, part, remedy string) {
			if wrong {
				out = append(out, Problem{ruleField(i), part, remedy})
			}
		}
		r.problems(p.Currency, bad)
		name := fold(r.Name, false)
		other, taken := first[name]
		bad(taken && name != "", "name", fmt.Sprintf("rule %d has this name already, choose another", other+1))
		if !taken {
			first[name] = i
		}
	}
	return out
}

// problems says what is wrong with a rule in a Shop with this currency.
func (r Rule) problems(shopCurrency string, bad func(wrong bool, part, remedy string)) {
	bad(strings.TrimSpace(r.Name) == "" || !plainText(r.Name, mostName), "name", "give the rule a name of at most 80 characters, in one line")
	bad(r.Name == RuleCheckout || r.Name == RuleStepUp, "name", "this name is taken by a rule that every policy has")
	bad(!slices.Contains([]Mode{Off, Shadow, Enforce}, r.Mode), "mode", "choose off, shadow or enforce")
	bad(r.Exempt && len(r.When) == 0, "when", "an exemption without conditions would switch the policy off, use the mode for that")
	bad(r.Exempt && r.Require != Requirement{}, "require", "an exemption asks for nothing, remove what must be proved or the exemption")
	bad(!r.Exempt && r.Require.empty(), "require", "say what must be proved: a level, a selfie or an age")
	bad(r.Require.IAL < 0 || r.Require.IAL > 3, "require.ial", "choose a level from 0 to 3")
	bad(r.Require.MaxAge < 0 || r.Require.MaxAge > 3650, "require.max_age_days", "enter whole days from 1 to 3650, or nothing")
	bad(r.Require.LeastAge < 0 || r.Require.LeastAge > 120, "require.least_age", "enter whole years from 1 to 120, or nothing")
	bad(len(r.When) > mostWhen, "when", fmt.Sprintf("keep at most %d conditions in one rule", mostWhen))
	for i, c := range r.When {
		if part, remedy := c.problem(shopCurrency); remedy != "" {
			part = strings.TrimSuffix(fmt.Sprintf("when.%d.%s", i, part), ".")
			bad(true, part, remedy)
		}
	}
}

// problem says what keeps a condition from being saved, and in which part of it.
func (c Condition) problem(shopCurrency string) (part, remedy string) {
	if !slices.Contains(FactNames(), c.Fact) {
		return "fact", "choose what the condition looks at, nothing is known of " + strconv.Quote(string(c.Fact))
	}
	if c.Fact == FactValue {
		switch {
		case c.Amount == nil || c.Amount.Minor <= 0 || c.Amount.Currency != shopCurrency:
			return "amount", "enter an amount above zero in the shop's currency, " + shopCurrency
		case len(c.Values) > 0:
			return "values", "an order value is compared with an amount, remove the list"
		}
		return "", ""
	}
	if c.Amount != nil {
		return "amount", "only the order value is compared with an amount, remove it or add a condition on the order value"
	}
	if c.Fact == FactShipDiff || c.Fact == FactFirstOrder {
		if len(c.Values) > 0 {
			return "values", "this is a plain question, remove the list"
		}
		return "", ""
	}
	switch n := len(c.Values); {
	case n == 0:
		return "values", "choose at least one value for " + string(c.Fact)
	case n > MaxValues:
		return "values", fmt.Sprintf("keep at most %d values, and make a second rule for the rest", MaxValues)
	}
	for i, v := range c.Values {
		if why := c.Fact.wrongValue(v); why != "" {
			return fmt.Sprintf("values.%d", i), why
		}
	}
	return "", ""
}

// wrongValue says what is wrong with one value for this fact; empty when nothing is.
func (n FactName) wrongValue(v string) string {
	says := func(ok bool, remedy string) string {
		if ok {
			return ""
		}
		return "“" + cut(v) + "” " + remedy
	}
	if strings.TrimSpace(v) == "" {
		return "a value is empty, remove it or fill it in"
	}
	if !plainText(v, mostValue) {
		return says(false, fmt.Sprintf("is too long or not plain text, keep it to one line of %d characters", mostValue))
	}
	switch n {
	case FactCurrency:
		return says(isCurrency(v), "is no currency, use three capital letters such as EUR")
	case FactProduct, FactCategory, FactBrand, FactChannel:
		return says(isID(v), "is no id, use the whole number that BigCommerce shows")
	case FactGroup:
		return says(v == "guest" || isID(v), "is no customer group, use its id or guest")
	case FactCountry:
		return says(isCountry(v), "is no country code, use two capital letters such as US")
	case FactState:
		country, state, ok := strings.Cut(v, "/")
		return says(ok && isCountry(country) && fold(state, false) != "", "is no state, write country and state such as US/California")
	case FactPostcode:
		_, ok := parsePostcodes(v)
		return says(ok, "is no postcode, use 90210, a range of equal length such as 90000-90999, or a beginning such as SW1A*; leave out a postcode's own hyphen")
	case FactPayment, FactShipMethod, FactSource, FactValue, FactShipDiff, FactFirstOrder:
	}
	return ""
}

// cut shortens what a remedy repeats.
func cut(v string) string {
	if r := []rune(v); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return v
}

func plainText(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && strings.IndexFunc(s, unicode.IsControl) < 0
}

func isID(s string) bool {
	_, err := strconv.ParseUint(s, 10, 63)
	return err == nil
}

// isCountry accepts the codes in use; “UK” is GB's, and long withdrawn codes are nobody's.
func isCountry(code string) bool {
	r, err := language.ParseRegion(code)
	return err == nil && len(code) == 2 && r.String() == code && r.IsCountry() && r.Canonicalize() == r
}

func isCurrency(code string) bool {
	u, err := currency.ParseISO(code)
	return err == nil && u.String() == code
}
