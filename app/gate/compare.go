package gate

import (
	"reflect"
	"slices"
	"strings"
)

// Effect says which way a change turns what is let through.
type Effect string

// The effects.
const (
	Stricter Effect = "stricter" // for no cart or order milder
	Milder   Effect = "milder"   // for no cart or order stricter
	Mixed    Effect = "mixed"    // for some stricter, for others milder, or not to be told
	Other    Effect = "other"    // has no bearing on it, by itself
)

// Change is one difference between two Policies, in values that views put in words.
type Change struct {
	Area  string `json:"area"`            // the Policy's field by its stored name: "mode", "checkout", "rules"
	Rule  string `json:"rule,omitempty"`  // which rule, by the name it has now, or had
	Field string `json:"field,omitempty"` // within the area or rule: "ial", "require.ial", "when"; empty: the whole of it
	// Before and After have the field's own type (Mode, IAL, Days, int, bool, Money, []string, Rule, Condition, StepUp, …);
	// nil where there was or is none.
	Before any    `json:"before,omitempty"`
	After  any    `json:"after,omitempty"`
	Effect Effect `json:"effect"`
}

// Areas and fields of changes that are no field of a Policy's own.
const (
	AreaRules  = "rules"
	FieldOrder = "order" // of the rules: Before and After are the names, in order, of those that both Policies have
	FieldName  = "name"
	FieldWhen  = "when"       // one condition
	FieldWhens = "when_order" // of the conditions: Before and After are all of them
)

// Loosens reports whether new may let through what old would not: some change is milder, or not to be told.
// False is a promise: no cart or order gets a milder binding answer from new.
func Loosens(old, new Policy) bool {
	return slices.ContainsFunc(Compare(old, new), func(c Change) bool { return c.Effect == Milder || c.Effect == Mixed })
}

// Compare lists every difference but the version's number: first the Policy's fields in their order, then rule by rule.
// Rules are matched by name, and what is left by content: the same rule under another name was renamed.
func Compare(old, new Policy) []Change {
	var out []Change
	a, b := reflect.ValueOf(old), reflect.ValueOf(new)
	for i := range a.NumField() {
		switch name := jsonName(a.Type().Field(i)); name {
		case "version", AreaRules:
		default:
			walk(name, a.Field(i), b.Field(i), func(path string, before, after any) {
				area, field, _ := strings.Cut(path, ".")
				out = append(out, Change{Area: area, Field: field, Before: before, After: after, Effect: effect(path, before, after)})
			})
		}
	}
	return append(out, compareRules(old.Rules, new.Rules)...)
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// walk tells every field in which a and b differ. Amounts and lists are told whole, and so is what only one of them has.
func walk(path string, a, b reflect.Value, tell func(path string, before, after any)) {
	if a.Kind() == reflect.Pointer {
		if a.IsNil() || b.IsNil() {
			if a.IsNil() != b.IsNil() {
				tell(path, content(a), content(b))
			}
			return
		}
		a, b = a.Elem(), b.Elem()
	}
	_, amount := a.Interface().(Money)
	if a.Kind() == reflect.Struct && !amount {
		for i := range a.NumField() {
			walk(path+"."+jsonName(a.Type().Field(i)), a.Field(i), b.Field(i), tell)
		}
		return
	}
	empty := a.Kind() == reflect.Slice && a.Len()+b.Len() == 0 // nil or not
	if !empty && !reflect.DeepEqual(a.Interface(), b.Interface()) {
		tell(path, a.Interface(), b.Interface())
	}
}

// content is what a pointer points at, or nil.
func content(p reflect.Value) any {
	if p.IsNil() {
		return nil
	}
	return p.Elem().Interface()
}

// compareRules lists what became of each rule, in the new order, then those that are gone.
func compareRules(old, new []Rule) []Change {
	pair := matchRules(old, new)
	var out []Change
	var gone []Rule
	kept := map[int]bool{} // of old
	for i, r := range new {
		j := pair[i]
		if j < 0 {
			out = append(out, Change{Area: AreaRules, Rule: r.Name, After: r, Effect: appears(r)})
			continue
		}
		kept[j] = true
		out = append(out, compareRule(old[j], r)...)
	}
	for j, r := range old {
		if !kept[j] {
			gone = append(gone, r)
		}
	}
	for _, r := range gone {
		out = append(out, Change{Area: AreaRules, Rule: r.Name, Before: r, Effect: opposite(appears(r))})
	}
	return append(out, reordered(old, new, pair)...)
}

// matchRules finds for each new rule the old one it was, or -1.
func matchRules(old, new []Rule) []int {
	pair := make([]int, len(new))
	taken := make([]bool, len(old))
	match := func(i int, same func(Rule) bool) {
		for j, o := range old {
			if pair[i] < 0 && !taken[j] && same(o) {
				pair[i], taken[j] = j, true
			}
		}
	}
	for i, r := range new {
		pair[i] = -1
		match(i, func(o Rule) bool { return o.Name == r.Name })
	}
	for i, r := range new {
		match(i, func(o Rule) bool {
			o.Name = r.Name
			return len(compareRule(o, r)) == 0
		})
	}
	return pair
}

// reordered tells when rules that both have stand in another order. It changes which exemption or Proof is named, never what is let through.
func reordered(old, new []Rule, pair []int) []Change {
	was := slices.DeleteFunc(slices.Clone(pair), func(j int) bool { return j < 0 })
	if slices.IsSorted(was) {
		return nil
	}
	var before, after []string
	for i, j := range pair {
		if j >= 0 {
			after = append(after, new[i].Name)
		}
	}
	slices.Sort(was)
	for _, j := range was {
		before = append(before, old[j].Name)
	}
	return []Change{{Area: AreaRules, Field: FieldOrder, Before: before, After: after, Effect: Other}}
}

// appears is what a rule does by being there.
func appears(r Rule) Effect {
	switch {
	case !r.active():
		return Other
	case r.Exempt:
		return Milder
	}
	return Stricter
}

func opposite(e Effect) Effect {
	switch e {
	case Stricter:
		return Milder
	case Milder:
		return Stricter
	case Mixed, Other:
	}
	return e
}

// compareRule lists the differences of one rule. What a rule that is inactive before and after says has no bearing; where it becomes
// active, stops, or turns from requiring to exempting, that change says it all and the others go with it.
func compareRule(a, b Rule) []Change {
	var out []Change
	add := func(field string, before, after any, e Effect) {
		out = append(out, Change{Area: AreaRules, Rule: b.Name, Field: field, Before: before, After: after, Effect: e})
	}
	settled := !a.active() || !b.active() || a.Exempt != b.Exempt
	within := func(e Effect) Effect {
		if settled {
			return Other
		}
		return e
	}
	if a.Name != b.Name {
		add(FieldName, a.Name, b.Name, Other)
	}
	if a.Mode != b.Mode {
		add("mode", a.Mode, b.Mode, turns(a, b))
	}
	if a.Exempt != b.Exempt {
		e := Other
		if a.active() && b.active() {
			e = appears(b)
		}
		add("exempt", a.Exempt, b.Exempt, e)
	}
	conditions, meets, undecided := compareWhen(a, b)
	if a.Any != b.Any {
		add("any", a.Any, b.Any, within(meets))
	}
	for _, c := range conditions {
		if undecided {
			c.Effect = Mixed
		}
		c.Rule, c.Effect = b.Name, within(c.Effect)
		out = append(out, c)
	}
	walk("require", reflect.ValueOf(a.Require), reflect.ValueOf(b.Require), func(path string, before, after any) {
		e := effect(path, before, after)
		if b.Exempt {
			e = Other // an exemption requires nothing
		}
		add(path, before, after, within(e))
	})
	return out
}

// turns is what a rule's change of mode does.
func turns(a, b Rule) Effect {
	switch {
	case !a.active():
		return appears(b)
	case !b.active():
		return opposite(appears(a))
	}
	return Other
}

// compareWhen lists the conditions that differ; meets is what the change between all-of and any-of does, and undecided says that
// it cannot be told from what the conditions do.
func compareWhen(a, b Rule) (out []Change, meets Effect, undecided bool) {
	// One condition or none is all-of and any-of alike.
	if len(a.When) < 2 {
		a.Any = b.Any
	}
	if len(b.When) < 2 {
		b.Any = a.Any
	}
	more := matching(func(more bool) Effect {
		if more != b.Exempt {
			return Stricter
		}
		return Milder
	})
	meets = Other
	if a.Any != b.Any {
		meets = more(b.Any)
	}
	pair, kept := matchConditions(a.When, b.When)
	for i, c := range b.When {
		switch j := pair[i]; {
		case j < 0:
			// A further condition narrows all-of and widens any-of, unless there was none: an empty list matches always.
			out = append(out, Change{Area: AreaRules, Field: FieldWhen, After: c, Effect: more(b.Any && len(a.When) > 0)})
		default:
			if e, same := more.compare(a.When[j], c); !same {
				out = append(out, Change{Area: AreaRules, Field: FieldWhen, Before: a.When[j], After: c, Effect: e})
			}
		}
	}
	for j, c := range a.When {
		if !kept[j] {
			out = append(out, Change{Area: AreaRules, Field: FieldWhen, Before: c, Effect: more(!b.Any || len(b.When) == 0)})
		}
	}
	if found := slices.DeleteFunc(slices.Clone(pair), func(j int) bool { return j < 0 }); !slices.IsSorted(found) {
		out = append(out, Change{Area: AreaRules, Field: FieldWhens, Before: a.When, After: b.When, Effect: Other})
	}
	undecided = a.Any != b.Any && len(out) > 0
	if undecided {
		meets = Mixed
	}
	return out, meets, undecided
}

// matchConditions finds for each new condition the old one it was, or -1, and which of the old are found. The same test of the same
// fact is the same condition; one that is quite equal is preferred.
func matchConditions(old, new []Condition) (pair []int, kept []bool) {
	pair, kept = make([]int, len(new)), make([]bool, len(old))
	match := func(same func(a, b Condition) bool) {
		for i, c := range new {
			for j, o := range old {
				if pair[i] < 0 && !kept[j] && same(o, c) {
					pair[i], kept[j] = j, true
				}
			}
		}
	}
	for i := range pair {
		pair[i] = -1
	}
	match(func(a, b Condition) bool { return reflect.DeepEqual(a, b) })
	match(func(a, b Condition) bool { return a.Fact == b.Fact && a.Not == b.Not })
	return pair, kept
}

// matching says what it does to a rule's effect that it matches more carts and orders, or fewer.
type matching func(more bool) Effect

// compare tells what a changed condition does, and whether it is the same one.
func (m matching) compare(a, b Condition) (Effect, bool) {
	switch {
	case !reflect.DeepEqual(a.Amount, b.Amount):
		if a.Amount == nil || b.Amount == nil || a.Amount.Currency != b.Amount.Currency || !slices.Equal(a.Values, b.Values) {
			return Mixed, false
		}
		return m(b.Amount.Minor < a.Amount.Minor != b.Not), false
	case slices.Equal(a.Values, b.Values):
		return Other, true
	}
	switch lost, won := misses(b.Values, a.Values), misses(a.Values, b.Values); {
	case lost && won:
		return Mixed, false
	case lost || won:
		return m(won != b.Not), false
	}
	return Other, false // the same values in another order
}

// misses reports whether some of want is not in have.
func misses(have, want []string) bool {
	in := make(map[string]bool, len(have))
	for _, v := range have {
		in[v] = true
	}
	return slices.ContainsFunc(want, func(v string) bool { return !in[v] })
}
