package views

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// RulesData is the list of a Policy's rules.
type RulesData struct {
	Layout
	Version  string
	Checkout Need
	StepUp   Need
	StepUpAt string // the step-up value; empty: none
	Exempt   []RuleRow
	Require  []RuleRow
	Full     bool // no further rule may be added
	ReadOnly bool
}

// RuleRow is one rule of the list.
type RuleRow struct {
	RuleData
	Any   bool // any condition is enough
	First bool // of its kind
	Last  bool
}

// RuleForm is a rule's form as it was typed.
type RuleForm struct {
	Was        string // the name of the rule that is changed; empty: a new one
	Name       string
	Mode       string
	Kind       string // require or exempt
	IAL        string
	MaxAge     string
	Selfie     string // on or empty
	NameMatch  string
	LeastAge   string
	Meet       string // all or any
	Conditions []ConditionForm

	AddressMatch string // on or empty
}

// ConditionForm is one condition as it was typed.
type ConditionForm struct {
	Fact   string
	Not    string // on or empty
	Values string // one a line; where the fact's values are codes, commas part them too
	Amount string
}

// RuleEditData is the form of one rule.
type RuleEditData struct {
	Layout
	Currency string
	Form     RuleForm
	Errors   map[string]string // by field: name, require.ial, when.0.values, …
	Draft
}

// MaxConditions bounds what a rule's form may hold.
const MaxConditions = 20

func (c ConditionForm) blank() bool { return c == ConditionForm{} }

// ParseRuleForm reads the form as it was posted. It judges nothing. Conditions that were left blank are left out.
func ParseRuleForm(v url.Values) RuleForm {
	get := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	f := RuleForm{Was: v.Get("was"), Name: get("name"), Mode: get("mode"), Kind: get("kind"), IAL: get("require.ial"), MaxAge: get("require.max_age_days"),
		Selfie: get("require.selfie"), NameMatch: get("require.name_match"), AddressMatch: get("require.address_match"), LeastAge: get("require.least_age"), Meet: get("meet")}
	for i := range 2 * MaxConditions {
		at := "when." + strconv.Itoa(i) + "."
		c := ConditionForm{Fact: get(at + "fact"), Not: get(at + "not"), Values: get(at + "values"), Amount: get(at + "amount")}
		if !c.blank() {
			f.Conditions = append(f.Conditions, c)
		}
	}
	return f
}

// ruleFields are the labels of a rule's fields, in the form's order.
var ruleFields = []struct{ name, label string }{
	{"name", "Name of the rule"},
	{"mode", "Mode"},
	{"kind", "What the rule does"},
	{"require.ial", "IAL"},
	{"require.max_age_days", "Greatest age of the proof"},
	{"require.selfie", "Needs a live selfie"},
	{"require.name_match", "The name on the document must be the name on the order"},
	{"require.address_match", "The address on the document must be an address of the order"},
	{"require.least_age", "Least age"},
	{"meet", "The rule applies when"},
	{"when", "Conditions"},
}

var conditionFields = map[string]string{"fact": "Looks at", "not": "Turn it round: must not be so", "values": "Values", "amount": "Order value from"}

// RuleFieldWords is the label of a field of a rule's form.
func RuleFieldWords(field string) string {
	for _, f := range ruleFields {
		if f.name == field {
			return f.label
		}
	}
	if parts := strings.Split(field, "."); len(parts) == 3 && parts[0] == "when" {
		if n, err := strconv.Atoi(parts[1]); err == nil && conditionFields[parts[2]] != "" {
			return fmt.Sprintf("Condition %d, %s", n+1, lowerFirst(conditionFields[parts[2]]))
		}
	}
	return find(nil, strings.NewReplacer(".", " ").Replace(field)).Short
}

// wrong lists the fields that were refused, in the form's order.
func (d RuleEditData) wrong() []string {
	place := func(field string) int {
		i := slices.IndexFunc(ruleFields, func(f struct{ name, label string }) bool { return f.name == field })
		if i < 0 {
			return len(ruleFields)
		}
		return i
	}
	out := slices.DeleteFunc(codes(d.Errors), func(field string) bool { return d.Errors[field] == "" })
	slices.SortStableFunc(out, func(a, b string) int { return place(a) - place(b) })
	return out
}

// anchor is where the summary's link for a field leads.
func (d RuleEditData) anchor(field string) string {
	switch field {
	case "mode", "kind", "meet":
		return "#" + field + "-error"
	case "when":
		return "#conditions"
	}
	return "#" + field
}

func (d RuleEditData) control(name, value, hint string) control {
	return control{name: name, label: RuleFieldWords(name), value: value, hint: hint, err: d.Errors[name]}
}

func (d RuleEditData) condition(i int, part, value, hint string) control {
	name := "when." + strconv.Itoa(i) + "." + part
	return control{name: name, label: conditionFields[part], value: value, hint: hint, err: d.Errors[name]}
}

func (d RuleEditData) title() string {
	if d.Form.Was == "" {
		return "New rule"
	}
	return "Rule “" + d.Form.Was + "”"
}

func kindChoices() []choice {
	return []choice{
		{"require", "Asks for proof", "Orders that it applies to need what is chosen below, besides what every order needs. Of several rules the strictest wins, part by part."},
		{"exempt", "Exempts", "Orders that it applies to need nothing. Exemptions are read first, and what stands under “What must be proved” is not used. A fact that is not known yet exempts nobody."},
	}
}

func meetChoices() []choice {
	return []choice{
		{"all", "All conditions are met", "A rule without conditions applies to every order."},
		{"any", "Any condition is met", ""},
	}
}

func ruleModeChoices() []choice {
	return []choice{
		{"enforce", "Enforce", "The rule counts as far as the policy's own mode goes."},
		{"shadow", "Shadow", "Decisions say what the rule would have done; it changes none."},
		{"off", "Off", "The rule is kept and not read."},
	}
}

// factOptions are the facts that a condition may look at.
func factOptions() []choice {
	out := []choice{{"", "– no condition –", ""}}
	for _, f := range factOrder {
		out = append(out, choice{f, FactWords(f).Short, ""})
	}
	return out
}

// factOrder is the order in which forms offer the facts.
var factOrder = []string{"value", "currency", "product", "category", "brand", "country", "state", "postcode", "ship_differ", "group", "first_order", "payment",
	"ship_method", "channel", "source"}

// FactOrder lists the facts in the order in which forms offer them.
func FactOrder() []string { return slices.Clone(factOrder) }

// TemplatesData lists what a merchant may start from.
type TemplatesData struct {
	Layout
	Templates []TemplateData
}

// TemplateData is one template, with what it would add to the Policy in force.
type TemplateData struct {
	ID, Name, Why string
	Changes       []ChangeData // empty: it is in the Policy already
}

// VersionsData is the list of versions, and two of them compared.
type VersionsData struct {
	Layout
	Versions []PolicyVersion
	Older    string
	Paged    bool
	From, To string // versions compared; empty: none
	Error    string // what FieldError takes, of the comparison
	Changes  []ChangeData
	ReadOnly bool
}

func (d VersionsData) older() string {
	if d.Older == "" {
		return ""
	}
	return d.Base + "/policy/versions?below=" + d.Older
}

func (d VersionsData) newest() string {
	if !d.Paged {
		return ""
	}
	return d.Base + "/policy/versions"
}
