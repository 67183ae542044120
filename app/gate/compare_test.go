package gate_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"idgate/app/gate"
)

// everyField is a Policy that has something in every field.
func everyField() gate.Policy {
	q := gate.Requirement{IAL: 1, MaxAge: 9, Selfie: true, LeastAge: 18, NameMatch: true, AddressMatch: true}
	return gate.Policy{Version: 1, Mode: gate.Enforce, Currency: "USD", Checkout: q, StepUp: &gate.StepUp{Over: usd(500), Require: q},
		Rules: []gate.Rule{{Name: "r", Mode: gate.Enforce, Exempt: true, Any: true, Require: q, When: []gate.Condition{
			{Fact: gate.FactValue, Not: true, Values: []string{"1"}, Amount: over(100).Amount}}}},
		Evidence: gate.Evidence{Document: 1, DocumentSelfie: 2}, ProofGood: 365, DocumentGrace: 30, Tries: 3, Guests: gate.GuestsVerify, Sources: []string{"www"}, HoldStatus: 12,
		OnUnreachable: gate.LetPay, OnProviderDown: gate.LetPay, OnMoved: gate.HoldAgain, CancelAfter: 5, Mails: true, RemindAfter: []int{24}, Keep: 90, CustomFieldsV2: true}
}

// leaves calls f with every value inside v that is no struct, pointer or list of structs, and the path to it.
func leaves(path string, v reflect.Value, f func(path string, v reflect.Value)) {
	switch {
	case v.Kind() == reflect.Pointer:
		leaves(path, v.Elem(), f)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			leaves(path+"."+v.Type().Field(i).Name, v.Field(i), f)
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			leaves(path, v.Index(i), f)
		}
	default:
		f(strings.TrimPrefix(path, "."), v)
	}
}

// No field of a Policy, a Rule, a Requirement or a Condition is forgotten: a change of any is told, both ways, with a judgement.
func TestCompareForgetsNothing(t *testing.T) {
	var paths []string
	leaves("", reflect.ValueOf(everyField()), func(path string, v reflect.Value) {
		paths = append(paths, path)
		if v.IsZero() {
			t.Errorf("%s is empty in everyField: give it a value", path)
		}
	})
	if len(paths) < 43 {
		t.Fatalf("%d fields: %v", len(paths), paths)
	}
	for _, want := range paths {
		changed := everyField()
		if err := json.Unmarshal(asJSON(t, everyField()), &changed); err != nil { // a deep copy
			t.Fatal(err)
		}
		leaves("", reflect.ValueOf(&changed), func(path string, v reflect.Value) {
			if path == want {
				alter(v)
			}
		})
		there, back := gate.Compare(everyField(), changed), gate.Compare(changed, everyField())
		if want == "Version" {
			if len(there)+len(back) != 0 {
				t.Errorf("the number alone is no change: %+v", there)
			}
			continue
		}
		if len(there) == 0 || len(back) == 0 {
			t.Errorf("a change of %s is not told", want)
		}
		for _, c := range append(there, back...) {
			if c.Area == "" || c.Effect == "" || c.Before == nil && c.After == nil || reflect.DeepEqual(c.Before, c.After) {
				t.Errorf("%s: %+v", want, c)
			}
			if c.Effect == gate.Mixed && c.Area != gate.AreaRules && !strings.Contains(want, "Currency") && want != "Sources" && want != "Guests" && !strings.HasPrefix(want, "On") {
				t.Errorf("nobody has judged what a change of %s does: %+v", want, c)
			}
		}
	}
}

// alter changes a value to another of its kind.
func alter(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.New(v.Type().Elem()).Elem()))
	default:
		v.SetInt(v.Int() + 1)
	}
}

// What each change of a Policy's own fields does.
func TestCompareFields(t *testing.T) {
	for _, c := range []struct {
		area, field   string
		change        func(*gate.Policy)
		before, after any
		effect, undo  gate.Effect
	}{
		{"mode", "", func(p *gate.Policy) { p.Mode = gate.Shadow }, gate.Enforce, gate.Shadow, gate.Milder, gate.Stricter},
		{"mode", "", func(p *gate.Policy) { p.Mode = gate.Off }, gate.Enforce, gate.Off, gate.Milder, gate.Stricter},
		{"currency", "", func(p *gate.Policy) { p.Currency = "EUR" }, "USD", "EUR", gate.Other, gate.Other},
		{"guests", "", func(p *gate.Policy) { p.Guests = "odd" }, gate.GuestsVerify, gate.GuestChoice("odd"), gate.Mixed, gate.Mixed},
		{"checkout", "ial", func(p *gate.Policy) { p.Checkout.IAL = 3 }, gate.IAL(2), gate.IAL(3), gate.Stricter, gate.Milder},
		{"checkout", "max_age_days", func(p *gate.Policy) { p.Checkout.MaxAge = 30 }, gate.Days(0), gate.Days(30), gate.Stricter, gate.Milder},
		{"checkout", "selfie", func(p *gate.Policy) { p.Checkout.Selfie = true }, false, true, gate.Stricter, gate.Milder},
		{"checkout", "least_age", func(p *gate.Policy) { p.Checkout.LeastAge = 18 }, 0, 18, gate.Stricter, gate.Milder},
		{"checkout", "name_match", func(p *gate.Policy) { p.Checkout.NameMatch = false }, true, false, gate.Milder, gate.Stricter},
		{"checkout", "address_match", func(p *gate.Policy) { p.Checkout.AddressMatch = true }, false, true, gate.Stricter, gate.Milder},
		{"step_up", "", func(p *gate.Policy) { p.StepUp = nil }, *policy().StepUp, nil, gate.Milder, gate.Stricter},
		{"step_up", "over", func(p *gate.Policy) { p.StepUp = &gate.StepUp{Over: usd(60000), Require: p.StepUp.Require} }, usd(50000), usd(60000), gate.Milder, gate.Stricter},
		{"step_up", "over", func(p *gate.Policy) {
			p.StepUp = &gate.StepUp{Over: gate.Money{Minor: 50000, Currency: "EUR"}, Require: p.StepUp.Require}
		}, usd(50000), gate.Money{Minor: 50000, Currency: "EUR"}, gate.Mixed, gate.Mixed},
		{"step_up", "require.max_age_days", func(p *gate.Policy) {
			q := p.StepUp.Require
			q.MaxAge = 7
			p.StepUp = &gate.StepUp{Over: p.StepUp.Over, Require: q}
		}, gate.Days(1), gate.Days(7), gate.Milder, gate.Stricter},
		{"evidence", "document", func(p *gate.Policy) { p.Evidence.Document = 2 }, gate.IAL(1), gate.IAL(2), gate.Milder, gate.Stricter},
		{"evidence", "document_selfie", func(p *gate.Policy) { p.Evidence.DocumentSelfie = 0 }, gate.IAL(2), gate.IAL(0), gate.Stricter, gate.Milder},
		{"proof_days", "", func(p *gate.Policy) { p.ProofGood = 400 }, gate.Days(365), gate.Days(400), gate.Milder, gate.Stricter},
		{"tries", "", func(p *gate.Policy) { p.Tries = 3 }, 0, 3, gate.Other, gate.Other},
		{"document_grace", "", func(p *gate.Policy) { p.DocumentGrace = 30 }, gate.Days(0), gate.Days(30), gate.Milder, gate.Stricter},
		{"guests", "", func(p *gate.Policy) { p.Guests = gate.GuestsPass }, gate.GuestsVerify, gate.GuestsPass, gate.Milder, gate.Stricter},
		{"guests", "", func(p *gate.Policy) { p.Guests = gate.GuestsSignIn }, gate.GuestsVerify, gate.GuestsSignIn, gate.Stricter, gate.Milder},
		{"sources", "", func(p *gate.Policy) { p.Sources = []string{"www"} }, []string(nil), []string{"www"}, gate.Milder, gate.Stricter},
		{"hold_status", "", func(p *gate.Policy) { p.HoldStatus = 7 }, 12, 7, gate.Other, gate.Other},
		{"on_unreachable", "", func(p *gate.Policy) { p.OnUnreachable = gate.Stop }, gate.LetPay, gate.Stop, gate.Stricter, gate.Milder},
		{"on_provider_down", "", func(p *gate.Policy) { p.OnProviderDown = gate.Stop }, gate.LetPay, gate.Stop, gate.Stricter, gate.Milder},
		{"on_moved", "", func(p *gate.Policy) { p.OnMoved = gate.Accept }, gate.HoldAgain, gate.Accept, gate.Milder, gate.Stricter},
		{"on_moved", "", func(p *gate.Policy) { p.OnMoved = "" }, gate.HoldAgain, gate.MovedChoice(""), gate.Milder, gate.Stricter},
		{"cancel_days", "", func(p *gate.Policy) { p.CancelAfter = 5 }, gate.Days(0), gate.Days(5), gate.Other, gate.Other},
		{"mails", "", func(p *gate.Policy) { p.Mails = false }, true, false, gate.Other, gate.Other},
		{"remind_hours", "", func(p *gate.Policy) { p.RemindAfter = nil }, []int{24, 48}, []int(nil), gate.Other, gate.Other},
		{"keep_days", "", func(p *gate.Policy) { p.Keep = 60 }, gate.Days(730), gate.Days(60), gate.Other, gate.Other},
		{"custom_fields_v2", "", func(p *gate.Policy) { p.CustomFieldsV2 = true }, false, true, gate.Other, gate.Other},
	} {
		p := policy()
		c.change(&p)
		want := []gate.Change{{Area: c.area, Field: c.field, Before: c.before, After: c.after, Effect: c.effect}}
		if got := gate.Compare(policy(), p); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
		want = []gate.Change{{Area: c.area, Field: c.field, Before: c.after, After: c.before, Effect: c.undo}}
		if got := gate.Compare(p, policy()); !reflect.DeepEqual(got, want) {
			t.Errorf("back: %+v, want %+v", got, want)
		}
		if loosens := gate.Loosens(policy(), p); loosens != (c.effect == gate.Milder || c.effect == gate.Mixed) {
			t.Errorf("%s %s: loosens %v", c.area, c.field, loosens)
		}
	}
	for _, c := range []struct {
		before, after []string
		want          gate.Effect
	}{
		{[]string{"a"}, []string{"a", "b"}, gate.Stricter}, {[]string{"a", "b"}, []string{"b"}, gate.Milder}, {[]string{"a"}, []string{"b"}, gate.Mixed},
		{[]string{"a", "b"}, []string{"b", "a"}, gate.Other}, {[]string{"a"}, []string{}, gate.Stricter},
	} {
		a, b := policy(), policy()
		a.Sources, b.Sources = c.before, c.after
		if got := gate.Compare(a, b); len(got) != 1 || got[0].Effect != c.want {
			t.Errorf("sources %v to %v: %+v, want %s", c.before, c.after, got, c.want)
		}
	}
	off, shadow := policy(), policy()
	off.Mode, shadow.Mode = gate.Off, gate.Shadow
	if got := gate.Compare(off, shadow); len(got) != 1 || got[0].Effect != gate.Other || gate.Loosens(off, shadow) || gate.Loosens(shadow, off) {
		t.Errorf("off and shadow bind alike: %+v", got)
	}
	none, empty := policy(), policy()
	empty.Sources, empty.Rules = []string{}, []gate.Rule{}
	if got := gate.Compare(none, empty); len(got) != 0 {
		t.Errorf("no sources and no sources: %+v", got)
	}
}

// What becomes of rules: each line is one change of one rule, what is told, and what it does where the rule requires and where it exempts.
func TestCompareRules(t *testing.T) {
	base := func() gate.Rule {
		r := requires(is(gate.FactCategory, "1", "2"), over(500))
		r.Name = "Alcohol"
		return r
	}
	for _, c := range []struct {
		name      string
		before    func(*gate.Rule) // of both, if not nil
		change    func(*gate.Rule)
		field     string
		requiring gate.Effect
		exempting gate.Effect
	}{
		{"renamed", nil, func(r *gate.Rule) { r.Name = "Spirits" }, "name", gate.Other, gate.Other},
		{"put in shadow", nil, func(r *gate.Rule) { r.Mode = gate.Shadow }, "mode", gate.Milder, gate.Stricter},
		{"enforced", func(r *gate.Rule) { r.Mode = gate.Off }, func(r *gate.Rule) { r.Mode = gate.Enforce }, "mode", gate.Stricter, gate.Milder},
		{"from shadow to off", func(r *gate.Rule) { r.Mode = gate.Shadow }, func(r *gate.Rule) { r.Mode = gate.Off }, "mode", gate.Other, gate.Other},
		{"turned round", nil, func(r *gate.Rule) { r.Exempt = !r.Exempt }, "exempt", gate.Milder, gate.Stricter},
		{"turned round in shadow", func(r *gate.Rule) { r.Mode = gate.Shadow }, func(r *gate.Rule) { r.Exempt = !r.Exempt }, "exempt", gate.Other, gate.Other},
		{"any instead of all", nil, func(r *gate.Rule) { r.Any = true }, "any", gate.Stricter, gate.Milder},
		{"all instead of any", func(r *gate.Rule) { r.Any = true }, func(r *gate.Rule) { r.Any = false }, "any", gate.Milder, gate.Stricter},
		{"any of one", func(r *gate.Rule) { r.When = r.When[:1] }, func(r *gate.Rule) { r.Any = true }, "any", gate.Other, gate.Other},
		{"one condition more", nil, func(r *gate.Rule) { r.When = append(r.When, is(gate.FactShipDiff)) }, "when", gate.Milder, gate.Stricter},
		{"one condition less", nil, func(r *gate.Rule) { r.When = r.When[:1] }, "when", gate.Stricter, gate.Milder},
		{"one condition more, of any", func(r *gate.Rule) { r.Any = true }, func(r *gate.Rule) { r.When = append(r.When, is(gate.FactShipDiff)) }, "when", gate.Stricter, gate.Milder},
		{"one condition less, of any", func(r *gate.Rule) { r.Any = true }, func(r *gate.Rule) { r.When = r.When[:1] }, "when", gate.Milder, gate.Stricter},
		{"the only condition gone", func(r *gate.Rule) { r.Any, r.When = true, r.When[:1] }, func(r *gate.Rule) { r.When = nil }, "when", gate.Stricter, gate.Milder},
		{"a first condition", func(r *gate.Rule) { r.Any, r.When = true, nil }, func(r *gate.Rule) { r.When = []gate.Condition{is(gate.FactShipDiff)} }, "when", gate.Milder, gate.Stricter},
		{"a value more", nil, func(r *gate.Rule) { r.When[0].Values = []string{"1", "2", "3"} }, "when", gate.Stricter, gate.Milder},
		{"a value less", nil, func(r *gate.Rule) { r.When[0].Values = []string{"1"} }, "when", gate.Milder, gate.Stricter},
		{"another value", nil, func(r *gate.Rule) { r.When[0].Values = []string{"1", "3"} }, "when", gate.Mixed, gate.Mixed},
		{"values in another order", nil, func(r *gate.Rule) { r.When[0].Values = []string{"2", "1"} }, "when", gate.Other, gate.Other},
		{"a value more, of not", func(r *gate.Rule) { r.When[0].Not = true }, func(r *gate.Rule) { r.When[0].Values = []string{"1", "2", "3"} }, "when", gate.Milder, gate.Stricter},
		{"a smaller amount", nil, func(r *gate.Rule) { r.When[1].Amount = over(400).Amount }, "when", gate.Stricter, gate.Milder},
		{"a greater amount", nil, func(r *gate.Rule) { r.When[1].Amount = over(600).Amount }, "when", gate.Milder, gate.Stricter},
		{"a greater amount, of not", func(r *gate.Rule) { r.When[1].Not = true }, func(r *gate.Rule) { r.When[1].Amount = over(600).Amount }, "when", gate.Stricter, gate.Milder},
		{"an amount in another currency", nil, func(r *gate.Rule) { r.When[1].Amount = &gate.Money{Minor: 500, Currency: "EUR"} }, "when", gate.Mixed, gate.Mixed},
		{"an amount left out", nil, func(r *gate.Rule) { r.When[1].Amount = nil }, "when", gate.Mixed, gate.Mixed},
		{"conditions in another order", nil, func(r *gate.Rule) { slices.Reverse(r.When) }, "when_order", gate.Other, gate.Other},
		{"more asked", nil, func(r *gate.Rule) { r.Require.IAL = 3 }, "require.ial", gate.Stricter, gate.Other},
		{"less asked", nil, func(r *gate.Rule) { r.Require.IAL = 1 }, "require.ial", gate.Milder, gate.Other},
		{"less asked in shadow", func(r *gate.Rule) { r.Mode = gate.Shadow }, func(r *gate.Rule) { r.Require.IAL = 1 }, "require.ial", gate.Other, gate.Other},
		{"an address", nil, func(r *gate.Rule) { r.Require.AddressMatch = true }, "require.address_match", gate.Stricter, gate.Other},
		{"older people", nil, func(r *gate.Rule) { r.Require.LeastAge = 18 }, "require.least_age", gate.Stricter, gate.Other},
	} {
		for _, exempt := range []bool{false, true} {
			a, b := base(), base()
			a.Exempt, b.Exempt = exempt, exempt
			if c.before != nil {
				c.before(&a)
				c.before(&b)
			}
			c.change(&b)
			old, new := policy(), policy()
			old.Rules, new.Rules = []gate.Rule{a}, []gate.Rule{b}
			want := c.requiring
			if exempt {
				want = c.exempting
			}
			got := gate.Compare(old, new)
			if len(got) != 1 || got[0].Area != "rules" || got[0].Rule != b.Name || got[0].Field != c.field || got[0].Effect != want {
				t.Errorf("%s (exempt %v): %+v, want one change of %s, %s", c.name, exempt, got, c.field, want)
			}
		}
	}
}

func TestCompareListsOfRules(t *testing.T) {
	a, b, c := requires(), exempts(is(gate.FactShipDiff)), requires(over(5))
	a.Name, b.Name, c.Name = "a", "b", "c"
	idle := c
	idle.Name, idle.Mode = "idle", gate.Shadow
	renamed := c
	renamed.Name = "d"
	other := requires(over(6), is(gate.FactShipDiff))
	other.Name = "e"
	anyOf := other
	anyOf.Any, anyOf.When = true, []gate.Condition{over(6), is(gate.FactFirstOrder)}
	more := other
	more.Any, more.When = true, append(slices.Clone(other.When), is(gate.FactFirstOrder))
	rules := func(rs ...gate.Rule) gate.Policy { p := policy(); p.Rules = rs; return p }
	change := func(rule, field string, before, after any, e gate.Effect) gate.Change {
		return gate.Change{Area: "rules", Rule: rule, Field: field, Before: before, After: after, Effect: e}
	}
	for _, x := range []struct {
		name     string
		old, new gate.Policy
		want     []gate.Change
	}{
		{"the same", rules(a, b), rules(a, b), nil},
		{"a requiring rule added", rules(a), rules(a, c), []gate.Change{change("c", "", nil, c, gate.Stricter)}},
		{"a requiring rule removed", rules(a, c), rules(a), []gate.Change{change("c", "", c, nil, gate.Milder)}},
		{"an exemption added", rules(a), rules(b, a), []gate.Change{change("b", "", nil, b, gate.Milder)}},
		{"an exemption removed", rules(b, a), rules(a), []gate.Change{change("b", "", b, nil, gate.Stricter)}},
		{"a shadow rule added", rules(), rules(idle), []gate.Change{change("idle", "", nil, idle, gate.Other)}},
		{"a shadow rule removed", rules(idle), rules(), []gate.Change{change("idle", "", idle, nil, gate.Other)}},
		{"reordered", rules(a, b, c), rules(c, a, b), []gate.Change{change("", "order", []string{"a", "b", "c"}, []string{"c", "a", "b"}, gate.Other)}},
		{"one moved up by a removal is not reordered", rules(a, b, c), rules(b, c), []gate.Change{change("a", "", a, nil, gate.Milder)}},
		{"renamed", rules(a, c), rules(a, renamed), []gate.Change{change("d", "name", "c", "d", gate.Other)}},
		{"renamed and moved", rules(a, c), rules(renamed, a), []gate.Change{change("d", "name", "c", "d", gate.Other),
			change("", "order", []string{"a", "c"}, []string{"d", "a"}, gate.Other)}},
		{"renamed and changed is another", rules(c), rules(other), []gate.Change{change("e", "", nil, other, gate.Stricter), change("c", "", c, nil, gate.Milder)}},
		{"two of one name", rules(a, a), rules(a), []gate.Change{change("a", "", a, nil, gate.Milder)}},
		{"any of one more", rules(other), rules(more), []gate.Change{change("e", "any", false, true, gate.Mixed), change("e", "when", nil, more.When[2], gate.Mixed)}},
		{"any of others", rules(other), rules(anyOf), []gate.Change{change("e", "any", false, true, gate.Mixed),
			change("e", "when", nil, anyOf.When[1], gate.Mixed), change("e", "when", other.When[1], nil, gate.Mixed)}},
	} {
		if got := gate.Compare(x.old, x.new); !reflect.DeepEqual(got, x.want) {
			t.Errorf("%s:\n%+v, want\n%+v", x.name, got, x.want)
		}
	}
}
