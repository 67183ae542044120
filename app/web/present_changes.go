package web

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"idgate/app/gate"
	"idgate/views"
)

// changes are the differences of two Policies as staff read them.
func (p presenter) changes(cs []gate.Change) []views.ChangeData {
	var out []views.ChangeData
	for _, c := range cs {
		out = append(out, views.ChangeData{Area: c.Area, Rule: c.Rule, Field: c.Field, Before: p.changed(c, c.Before), After: p.changed(c, c.After), Effect: string(c.Effect)})
	}
	return out
}

// changed is one side of a change in words; empty where there is none.
func (p presenter) changed(c gate.Change, value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case gate.Mode:
		return views.ModeWords(string(v)).Short
	case gate.Money:
		return p.money(v)
	case gate.IAL:
		if v == 0 && c.Area == "evidence" {
			return "unset"
		}
		return "IAL " + v.String()
	case gate.Days:
		return days(c.Area, int(v))
	case gate.GuestChoice, gate.FailureChoice:
		return choiceWords[fmt.Sprint(v)]
	case gate.MovedChoice:
		if v == "" {
			v = gate.Accept
		}
		return choiceWords[string(v)]
	case gate.StepUp:
		return "from " + p.money(v.Over) + ": " + views.NeedText(need(v.Require))
	case gate.Rule:
		return p.ruleText(v)
	case gate.Condition:
		return p.conditionText(v)
	case []gate.Condition:
		return p.conditionTexts(v, ", ")
	case []int:
		return orDash(listed(v))
	case []string:
		return p.names(c, v)
	case bool:
		return p.truth(c, v)
	case int:
		return quantity(c, v)
	case string:
		return v
	}
	return fmt.Sprint(value) // a field that is new here: its plain value is better than nothing
}

func days(area string, n int) string {
	switch {
	case n == 1:
		return "1 day"
	case n > 0:
		return strconv.Itoa(n) + " days"
	case area == "document_grace":
		return "none"
	case area == "cancel_days":
		return "never"
	case area == "keep_days":
		return keptUnset.String() + " days"
	}
	return "any"
}

func (p presenter) names(c gate.Change, list []string) string {
	switch {
	case c.Area == "sources" && len(list) == 0:
		return "all"
	case c.Area == "sources":
		return strings.Join(inWords(list, views.SourceWords), ", ")
	}
	return strings.Join(list, ", ")
}

func (p presenter) truth(c gate.Change, v bool) string {
	if c.Field == "any" {
		if v {
			return "any of them"
		}
		return "all of them"
	}
	if v {
		return "yes"
	}
	return "no"
}

func quantity(c gate.Change, n int) string {
	switch {
	case c.Area == "hold_status":
		return views.OrderStatusWords(n).Short
	case c.Area == "tries":
		return strconv.Itoa(cmp.Or(n, gate.DefaultTries)) + " a day"
	case n == 0:
		return "any"
	case strings.HasSuffix(c.Field, "least_age") && n == 1:
		return "1 year"
	case strings.HasSuffix(c.Field, "least_age"):
		return strconv.Itoa(n) + " years"
	}
	return strconv.Itoa(n)
}

// ruleText is a whole rule in a sentence's length.
func (p presenter) ruleText(r gate.Rule) string {
	out := "needs " + views.NeedText(need(r.Require))
	if r.Exempt {
		out = "exempts"
	}
	glue := " and "
	if r.Any {
		glue = " or "
	}
	if len(r.When) == 0 {
		out += ", for every order"
	} else {
		out += ", when " + p.conditionTexts(r.When, glue)
	}
	if r.Mode != gate.Enforce {
		out += " (" + strings.ToLower(views.ModeWords(string(r.Mode)).Short) + ")"
	}
	return out
}

func (p presenter) conditionTexts(cs []gate.Condition, glue string) string {
	out := make([]string, len(cs))
	for i, c := range cs {
		out[i] = p.conditionText(c)
	}
	return strings.Join(out, glue)
}

func (p presenter) conditionText(c gate.Condition) string {
	return views.ConditionData{Fact: string(c.Fact), Not: c.Not, Wanted: p.wanted(c)}.Text()
}

// compared fills a draft's comparison with the Policy in force.
func (p presenter) compared(d *views.Draft, inForce, draft gate.Policy) {
	d.Compared, d.Changes = true, p.changes(gate.Compare(inForce, draft))
}

var choiceWords = map[string]string{
	"verify": "verify for each order", "sign_in": "sign in", "pass": "nothing",
	"let_pay": "let the shopper pay, and hold the order", "stop": "stop the checkout",
	"hold_again": "hold it once more", "override": "leave it",
	"attributes": "customer attributes", "custom_fields": "customer attributes and custom_fields",
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
