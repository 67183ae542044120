package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/views"
)

// ruleKinds of a rule's form.
const (
	kindRequire = "require"
	kindExempt  = "exempt"
	meetAll     = "all"
	meetAny     = "any"
)

// rules lists the Policy's rules.
func (s *Server) rules(w http.ResponseWriter, r *http.Request, v visit) error {
	pol, p := v.Shop.Policy, present(v.Shop)
	d := views.RulesData{Layout: s.layout(v, r), Version: strconv.FormatInt(pol.Version, 10), Checkout: need(pol.Checkout), Full: len(pol.Rules) >= gate.MaxRules,
		ReadOnly: !v.may(ledger.Manager)}
	if pol.StepUp != nil {
		d.StepUpAt, d.StepUp = p.money(pol.StepUp.Over), need(pol.StepUp.Require)
	}
	for _, rule := range pol.Rules {
		row := views.RuleRow{RuleData: p.ruleRow(rule), Any: rule.Any}
		if rule.Exempt {
			d.Exempt = append(d.Exempt, row)
		} else {
			d.Require = append(d.Require, row)
		}
	}
	for _, rows := range [][]views.RuleRow{d.Exempt, d.Require} {
		if n := len(rows); n > 0 {
			rows[0].First, rows[n-1].Last = true, true
		}
	}
	return render(w, r, http.StatusOK, views.Rules(d))
}

// ruleRow is a rule as it stands in the Policy.
func (p presenter) ruleRow(r gate.Rule) views.RuleData {
	out := views.RuleData{Name: r.Name, Mode: string(r.Mode), Exempt: r.Exempt, Need: need(r.Require)}
	for _, c := range r.When {
		out.Conditions = append(out.Conditions, views.ConditionData{Fact: string(c.Fact), Not: c.Not, Wanted: p.wanted(c)})
	}
	return out
}

// ruleNamed finds a rule's place, or -1.
func ruleNamed(p gate.Policy, name string) int {
	return slices.IndexFunc(p.Rules, func(r gate.Rule) bool { return r.Name == name })
}

// ruleForm shows the form of a rule, or of a new one.
func (s *Server) ruleForm(w http.ResponseWriter, r *http.Request, v visit) error {
	form := views.RuleForm{Mode: string(gate.Enforce), Kind: kindRequire, IAL: cmp.Or(v.Shop.Policy.Checkout.IAL, 2).String(), NameMatch: "on", Meet: meetAll}
	if name := r.URL.Query().Get("rule"); name != "" {
		i := ruleNamed(v.Shop.Policy, name)
		if i < 0 {
			return refuse(http.StatusNotFound, "not_found", "the policy has no such rule")
		}
		form = formOfRule(v.Shop.Policy.Rules[i], v.Shop.Currency)
	}
	if len(form.Conditions) < views.MaxConditions {
		form.Conditions = append(form.Conditions, views.ConditionForm{})
	}
	return s.showRule(w, r, v, http.StatusOK, form, views.Draft{From: strconv.FormatInt(v.Shop.Policy.Version, 10)}, nil)
}

func (s *Server) showRule(w http.ResponseWriter, r *http.Request, v visit, status int, form views.RuleForm, d views.Draft, wrong map[string]string) error {
	d.ReadOnly = !v.may(ledger.Manager)
	shown := map[string]string{}
	for field, code := range wrong {
		if !strings.HasPrefix(field, strayField) {
			shown[field] = code
		}
	}
	return render(w, r, status, views.RuleEdit(views.RuleEditData{Layout: s.layout(v, r), Currency: v.Shop.Currency, Form: form, Errors: shown, Draft: d}))
}

// saveRule takes the form of one rule: it changes that rule, or adds it.
func (s *Server) saveRule(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	form := views.ParseRuleForm(values)
	if values.Get("do") == views.DoMore {
		if len(form.Conditions) < views.MaxConditions {
			form.Conditions = append(form.Conditions, views.ConditionForm{})
		}
		return s.showRule(w, r, v, http.StatusOK, form, views.Draft{From: values.Get("base_version"), Reason: values.Get("reason"), Reach: values.Get("reach")}, nil)
	}
	return s.settleDraft(r, w, v, values, draft{
		change: func(from gate.Policy) (gate.Policy, map[string]string) { return withRule(form, from, v.Shop.Currency) },
		show: func(status int, d views.Draft, wrong map[string]string) error {
			return s.showRule(w, r, v, status, form, d, wrong)
		},
		done: "/policy/rules"})
}

// formOfRule is a rule as its form shows it, in a Shop with this currency.
func formOfRule(r gate.Rule, currency string) views.RuleForm {
	f := views.RuleForm{Was: r.Name, Name: r.Name, Mode: string(r.Mode), Kind: kindRequire, IAL: r.Require.IAL.String(), MaxAge: unlessZero(int(r.Require.MaxAge)),
		Selfie: ticked(r.Require.Selfie), NameMatch: ticked(r.Require.NameMatch), AddressMatch: ticked(r.Require.AddressMatch), LeastAge: unlessZero(r.Require.LeastAge), Meet: meetAll}
	if r.Exempt {
		f.Kind = kindExempt
	}
	if r.Any {
		f.Meet = meetAny
	}
	for _, c := range r.When {
		cf := views.ConditionForm{Fact: string(c.Fact), Not: ticked(c.Not), Values: strings.Join(c.Values, "\n")}
		if c.Amount != nil {
			cf.Amount = typedMoney(*c.Amount, currency)
		}
		f.Conditions = append(f.Conditions, cf)
	}
	return f
}

// withRule is the Policy with the form's rule in the place of the one it was made from, or at the end. wrong has, by field of the form,
// what views.FieldError takes, and by strayField what is wrong with the rest of the Policy.
func withRule(f views.RuleForm, from gate.Policy, currency string) (gate.Policy, map[string]string) {
	rule, wrong := readRule(f, currency)
	p := from
	p.Currency = currency
	p.Rules = slices.Clone(from.Rules)
	i := -1
	if f.Was != "" {
		i = ruleNamed(p, f.Was)
	}
	if i < 0 {
		i = len(p.Rules)
		p.Rules = append(p.Rules, rule)
	}
	p.Rules[i] = rule
	reader := policyReader{wrong}
	for _, problem := range p.Problems() {
		if problem.Field == "rules."+strconv.Itoa(i) {
			reader.refuse(ruleField(problem.Part), problem.Remedy)
		} else if problem.Field == "rules" {
			reader.refuse("name", problem.Remedy)
		} else {
			reader.refuse(strayField+problem.Field, problem.Remedy)
		}
	}
	return p, wrong
}

// ruleField is the form's field for the part of a rule that gate blames.
func ruleField(part string) string {
	parts := strings.Split(part, ".")
	switch {
	case part == "require", part == "":
		return "require.ial"
	case parts[0] == "when" && len(parts) == 2:
		return part + ".fact"
	case parts[0] == "when" && len(parts) > 3: // which of the values: the remedy names it
		return strings.Join(parts[:3], ".")
	}
	return part
}

// readRule reads the form of a rule.
func readRule(f views.RuleForm, currency string) (gate.Rule, map[string]string) {
	r := policyReader{map[string]string{}}
	out := gate.Rule{Name: f.Name, Mode: gate.Mode(r.choice("mode", f.Mode, views.ModeCodes()...)),
		Exempt: r.choice("kind", f.Kind, kindRequire, kindExempt) == kindExempt, Any: r.choice("meet", f.Meet, meetAll, meetAny) == meetAny}
	if !out.Exempt {
		out.Require = gate.Requirement{IAL: gate.IAL(r.whole("require.ial", f.IAL, true)), MaxAge: gate.Days(r.whole("require.max_age_days", f.MaxAge, false)),
			Selfie: f.Selfie != "", LeastAge: r.whole("require.least_age", f.LeastAge, false), NameMatch: f.NameMatch != "", AddressMatch: f.AddressMatch != ""}
	}
	if spoilt(f.Name) {
		r.refuse("name", "write it in one line, without control characters")
	}
	for i, c := range f.Conditions {
		at := "when." + strconv.Itoa(i) + "."
		cond := gate.Condition{Fact: gate.FactName(c.Fact), Not: c.Not != "", Values: valuesOf(gate.FactName(c.Fact), c.Values)}
		if spoilt(strings.NewReplacer("\r", "", "\n", "", "\t", "").Replace(c.Values)) {
			r.refuse(at+"values", "write plain text, without control characters")
		}
		if c.Fact == string(gate.FactValue) || c.Amount != "" {
			m, code := parseAmount(c.Amount, currency)
			if c.Amount == "" {
				code = "required"
			}
			r.refuse(at+"amount", code)
			cond.Amount = &m
		}
		out.When = append(out.When, cond)
	}
	return out, r.wrong
}

// valuesOf parts the values of a condition: by lines, and where they are codes, by commas and semicolons too. Each counts once.
func valuesOf(fact gate.FactName, text string) (out []string) {
	byName := fact == gate.FactPayment || fact == gate.FactShipMethod
	for _, part := range strings.FieldsFunc(text, func(r rune) bool {
		return r == '\n' || r == '\r' || !byName && (r == ',' || r == ';')
	}) {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(out, part) {
			out = append(out, part)
		}
	}
	return out
}

// ruleInQuery finds the rule that a page about one is asked for.
func ruleInQuery(v visit, q url.Values) (int, error) {
	i := ruleNamed(v.Shop.Policy, q.Get("rule"))
	if i < 0 {
		return 0, refuse(http.StatusNotFound, "not_found", "the policy has no such rule")
	}
	return i, nil
}

func (s *Server) askRemoveRule(w http.ResponseWriter, r *http.Request, v visit) error {
	q := r.URL.Query()
	if _, err := ruleInQuery(v, q); err != nil {
		return err
	}
	c := s.removing(w, r, v, q.Get("rule"))
	return s.firstLook(v, c)
}

func (s *Server) removeRule(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	return s.settleDraft(r, w, v, values, s.removing(w, r, v, values.Get("rule")))
}

// removing is the draft without a rule.
func (s *Server) removing(w http.ResponseWriter, r *http.Request, v visit, name string) draft {
	return draft{done: "/policy/rules",
		change: func(from gate.Policy) (gate.Policy, map[string]string) {
			from.Rules = slices.DeleteFunc(slices.Clone(from.Rules), func(r gate.Rule) bool { return r.Name == name })
			return from, policyWrong(from)
		},
		show: s.asking(w, r, v, views.DraftPage{Kind: "remove", Name: name, Action: "/policy/rules/remove", Fields: []views.HiddenField{{Name: "rule", Value: name}}})}
}

func (s *Server) askMoveRule(w http.ResponseWriter, r *http.Request, v visit) error {
	q := r.URL.Query()
	if _, err := ruleInQuery(v, q); err != nil {
		return err
	}
	if to := q.Get("to"); to != "up" && to != "down" {
		return refuse(http.StatusBadRequest, "bad_request", "a rule moves up or down").at("to")
	}
	return s.firstLook(v, s.moving(w, r, v, q.Get("rule"), q.Get("to")))
}

func (s *Server) moveRule(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	return s.settleDraft(r, w, v, values, s.moving(w, r, v, values.Get("rule"), values.Get("to")))
}

// moving is the draft in which a rule changes places with its neighbour of the same kind.
func (s *Server) moving(w http.ResponseWriter, r *http.Request, v visit, name, to string) draft {
	return draft{done: "/policy/rules",
		change: func(from gate.Policy) (gate.Policy, map[string]string) {
			from.Rules = moved(from.Rules, name, to)
			return from, policyWrong(from)
		},
		show: s.asking(w, r, v, views.DraftPage{Kind: "move", Name: name, Action: "/policy/rules/move", To: to,
			Fields: []views.HiddenField{{Name: "rule", Value: name}, {Name: "to", Value: to}}})}
}

// moved is the rules with one moved past its neighbour of the same kind; where there is none, or no such rule, nothing moves.
func moved(rules []gate.Rule, name, to string) []gate.Rule {
	out := slices.Clone(rules)
	i := slices.IndexFunc(out, func(r gate.Rule) bool { return r.Name == name })
	step := map[string]int{"up": -1, "down": 1}[to]
	if i < 0 || step == 0 {
		return out
	}
	for j := i + step; j >= 0 && j < len(out); j += step {
		if out[j].Exempt == out[i].Exempt {
			out[i], out[j] = out[j], out[i]
			break
		}
	}
	return out
}

// policyWrong is what keeps a draft from being saved, where the form has no field for it.
func policyWrong(p gate.Policy) map[string]string {
	r := policyReader{map[string]string{}}
	for _, problem := range p.Problems() {
		r.refuse(strayField+problem.Field, problem.Remedy)
	}
	return r.wrong
}

// asking renders a page that asks before one change.
func (s *Server) asking(w http.ResponseWriter, r *http.Request, v visit, page views.DraftPage) func(int, views.Draft, map[string]string) error {
	return func(status int, d views.Draft, wrong map[string]string) error {
		page.Layout, page.Draft, page.Errors = s.layout(v, r), d, wrong
		page.Draft.ReadOnly = !v.may(ledger.Manager)
		return render(w, r, status, views.AskDraft(page))
	}
}

// firstLook shows a page that asks before a change, with what would change.
func (s *Server) firstLook(v visit, c draft) error {
	p, wrong := c.change(v.Shop.Policy)
	d := views.Draft{From: strconv.FormatInt(v.Shop.Policy.Version, 10), Stray: strayProblems(wrong)}
	present(v.Shop).compared(&d, v.Shop.Policy, p)
	return c.show(http.StatusOK, d, wrong)
}
