package web

import (
	"strconv"
	"strings"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/views"
)

// seen is what the gate saw of a condition's fact; of Decisions from before that was recorded, what the ledger keeps of the order.
func (p presenter) seen(c gate.ConditionResult, o ledger.Order) string {
	switch {
	case c.Seen == nil:
		return p.found(c.Condition, o)
	case c.Seen.Amount != nil:
		return p.money(*c.Seen.Amount)
	}
	values := c.Seen.Values
	if c.Fact == gate.FactSource {
		values = inWords(values, views.SourceWords)
	}
	out := strings.Join(values, ", ")
	if c.Seen.More > 0 {
		out += " and " + strconv.Itoa(c.Seen.More) + " more"
	}
	return out
}

// needs are what would make a Decision pass.
func needs(ns []gate.Need) (out []views.NeedData) {
	for _, n := range ns {
		out = append(out, views.NeedData{What: string(n.What), Amount: unlessZero(n.Amount), Rules: n.Rules, Met: n.Met})
	}
	return out
}
