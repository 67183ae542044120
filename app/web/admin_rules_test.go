package web

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/views"
)

// ruleValues is a rule's form as its page would send it.
func ruleValues(f views.RuleForm, base, do, reason string) url.Values {
	v := url.Values{"was": {f.Was}, "name": {f.Name}, "mode": {f.Mode}, "kind": {f.Kind}, "require.ial": {f.IAL}, "require.max_age_days": {f.MaxAge},
		"require.selfie": {f.Selfie}, "require.name_match": {f.NameMatch}, "require.address_match": {f.AddressMatch}, "require.least_age": {f.LeastAge}, "meet": {f.Meet}, "base_version": {base}, "do": {do}, "reason": {reason}}
	for i, c := range f.Conditions {
		at := "when." + strconv.Itoa(i) + "."
		v.Set(at+"fact", c.Fact)
		v.Set(at+"not", c.Not)
		v.Set(at+"values", c.Values)
		v.Set(at+"amount", c.Amount)
	}
	return v
}

func wineForm() views.RuleForm {
	return views.RuleForm{Name: "Wine & <b>spirits</b>", Mode: "enforce", Kind: "require", IAL: "2", NameMatch: "on", AddressMatch: "on", LeastAge: "21", MaxAge: "30", Selfie: "on", Meet: "any",
		Conditions: []views.ConditionForm{{Fact: "category", Values: "12, 13\n12"}, {}, {Fact: "value", Amount: "300"}, {Fact: "country", Not: "on", Values: "CA"},
			{Fact: "ship_method", Values: "Post, registered\nCourier"}}}
}

var wine = gate.Rule{Name: "Wine & <b>spirits</b>", Mode: gate.Enforce, Any: true, Require: gate.Requirement{IAL: 2, MaxAge: 30, Selfie: true, LeastAge: 21, NameMatch: true, AddressMatch: true},
	When: []gate.Condition{{Fact: gate.FactCategory, Values: []string{"12", "13"}}, {Fact: gate.FactValue, Amount: &gate.Money{Minor: 30000, Currency: "USD"}},
		{Fact: gate.FactCountry, Not: true, Values: []string{"CA"}}, {Fact: gate.FactShipMethod, Values: []string{"Post, registered", "Courier"}}}}

// saveRule saves a rule by its form.
func (b *bench) saveRule(f views.RuleForm, reason string) {
	b.Helper()
	n := b.shop(shopHash).Policy.Version
	b.wantGo(b.as(ledger.Manager, shopBase+"/policy/rules/edit", ruleValues(f, strconv.FormatInt(n, 10), views.DoSave, reason)), fmt.Sprintf("%s/policy/rules?saved=%d", shopBase, n+1))
}

// TestRuleEditor: a rule is compared, added, changed, moved and removed, each time as a new version with a reason.
func TestRuleEditor(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	at := shopBase + "/policy/rules"
	b.want(200, b.as(ledger.Viewer, at, nil), "No rules of your own yet", "No rule lets an order through without proof")
	b.lacks(b.as(ledger.Viewer, at, nil), "Add a rule")
	page := b.as(ledger.Manager, at+"/edit", ruleValues(wineForm(), "1", views.DoCompare, ""))
	b.want(200, page, "What would change", "New rule “Wine &amp; &lt;b&gt;spirits&lt;/b&gt;”", "Nothing of this is milder", "300.00 USD or more")
	b.lacks(page, "<b>spirits")
	b.want(422, b.as(ledger.Manager, at+"/edit", ruleValues(wineForm(), "1", views.DoSave, " ")), "Say why in at least three characters")
	more := b.as(ledger.Manager, at+"/edit", ruleValues(wineForm(), "1", views.DoMore, "typed so far"))
	b.want(200, more, `id="when.4.fact"`, `value="typed so far"`)
	if v := b.shop(shopHash).Policy.Version; v != 1 {
		t.Fatalf("version %d before anything was saved", v)
	}
	b.saveRule(wineForm(), "New state law")
	if got := b.shop(shopHash).Policy.Rules; !reflect.DeepEqual(got, []gate.Rule{wine}) {
		t.Fatalf("saved %+v\nwant  %+v", got, wine)
	}
	vs, err := b.s.Ledger.PolicyVersions(b.Context(), shopHash, 0, 1)
	b.ok(err)
	if vs[0].Author != "manager@abc123.example" || vs[0].Note != "New state law" {
		t.Errorf("by %q for %q", vs[0].Author, vs[0].Note)
	}
	staff := views.RuleForm{Name: "Staff", Mode: "shadow", Kind: "exempt", IAL: "2", Meet: "all", Conditions: []views.ConditionForm{{Fact: "group", Values: "7"}}}
	b.saveRule(staff, "They are known")
	friends := staff
	friends.Name = "Friends"
	b.saveRule(friends, "They are known too")
	if r := b.shop(shopHash).Policy.Rules[1]; !r.Exempt || r.Require != (gate.Requirement{}) || r.Mode != gate.Shadow {
		t.Errorf("the exemption is %+v", r)
	}
	b.want(422, b.as(ledger.Manager, at+"/edit", ruleValues(staff, "4", views.DoSave, "twice over")), "has this name already")

	changed := formOfRule(b.shop(shopHash).Policy.Rules[0], "USD")
	changed.LeastAge = "18"
	b.want(200, b.as(ledger.Manager, at+"/edit", ruleValues(changed, "4", views.DoCompare, "")), "Some of this is milder", "21 years", "18 years")
	b.saveRule(changed, "The law was changed")

	ask := b.as(ledger.Manager, at+"/move?rule=Friends&to=up", nil)
	b.want(200, ask, "Move the rule “Friends”", "Order of the rules", "Staff, Friends", "Friends, Staff")
	move := b.forms(ask, "/policy/rules/move")[0]
	move.Set("do", views.DoSave)
	b.want(422, b.as(ledger.Manager, at+"/move", move), "Say why")
	move.Set("reason", "Friends first")
	b.wantGo(b.as(ledger.Manager, at+"/move", move), at+"?saved=6")
	var names []string
	for _, r := range b.shop(shopHash).Policy.Rules {
		names = append(names, r.Name)
	}
	if !slices.Equal(names, []string{wine.Name, "Friends", "Staff"}) {
		t.Errorf("rules %q", names)
	}
	ask = b.as(ledger.Manager, at+"/remove?rule="+url.QueryEscape(wine.Name), nil)
	b.want(200, ask, "goes", "Some of this is milder")
	remove := b.forms(ask, "/policy/rules/remove")[0]
	remove.Set("do", views.DoSave)
	remove.Set("reason", "No wine any more")
	b.wantGo(b.as(ledger.Manager, at+"/remove", remove), at+"?saved=7")
	if rules := b.shop(shopHash).Policy.Rules; len(rules) != 2 {
		t.Errorf("%d rules after the removal", len(rules))
	}
	b.want(404, b.as(ledger.Manager, at+"/remove?rule=Wine", nil))
	b.want(404, b.as(ledger.Viewer, at+"/edit?rule=Wine", nil))
	b.want(400, b.as(ledger.Manager, at+"/move?rule=Staff&to=sideways", nil))
	b.want(400, b.as(ledger.Manager, at+"/edit", ruleValues(staff, "99", views.DoSave, "from nowhere")))
	b.want(400, b.as(ledger.Manager, at+"/edit", ruleValues(views.RuleForm{Name: "x", Mode: "off", Kind: "require", IAL: "1", Meet: "all"}, "7", "", "without a button")))
}

// TestRuleMovedOn: of two tabs the older one is told what was saved meanwhile, and sees its change as it would be made to that.
func TestRuleMovedOn(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	b.wantGo(b.as(ledger.Owner, shopBase+"/policy", b.policyForm(map[string]string{"least_age": "21", "reason": "New state law"})), shopBase+"/policy?saved=2")
	page := b.as(ledger.Manager, shopBase+"/policy/rules/edit", ruleValues(wineForm(), "1", views.DoSave, "wine needs it"))
	b.want(409, page, "The policy has moved on", "owner@abc123.example", "New state law", "What version 2 changed meanwhile", "Least age", `name="base_version" value="2"`,
		"New rule “Wine", `value="wine needs it"`)
	if p := b.shop(shopHash).Policy; p.Version != 2 || len(p.Rules) != 0 {
		t.Errorf("version %d with rules %v", p.Version, p.Rules)
	}
	b.wantGo(b.as(ledger.Manager, shopBase+"/policy/rules/edit", ruleValues(wineForm(), "2", views.DoSave, "wine needs it")), shopBase+"/policy/rules?saved=3")
	if p := b.shop(shopHash).Policy; p.Checkout.LeastAge != 21 || len(p.Rules) != 1 {
		t.Errorf("the other tab's change is gone: %+v", p)
	}
}

// TestReadRule: what is wrong stands beside its field, in words.
func TestReadRule(t *testing.T) {
	base := policyOf(func(p *gate.Policy) { p.Mode = gate.Enforce })
	for _, tc := range []struct {
		name   string
		change func(*views.RuleForm)
		wrong  map[string]string
	}{
		{"nothing", func(*views.RuleForm) {}, nil},
		{"choices", func(f *views.RuleForm) { f.Mode, f.Kind, f.Meet = "maybe", "", "some" }, map[string]string{"mode": "unknown_choice", "kind": "unknown_choice", "meet": "unknown_choice"}},
		{"name", func(f *views.RuleForm) { f.Name = "" }, map[string]string{"name": "give the rule a name of at most 80 characters, in one line"}},
		{"turned name", func(f *views.RuleForm) { f.Name = "a\u202eb" }, map[string]string{"name": "write it in one line, without control characters"}},
		{"taken name", func(f *views.RuleForm) { f.Name = "checkout" }, map[string]string{"name": "this name is taken by a rule that every policy has"}},
		{"numbers", func(f *views.RuleForm) { f.IAL, f.LeastAge, f.MaxAge = "", "-1", "3.5" },
			map[string]string{"require.ial": "required", "require.least_age": "negative", "require.max_age_days": "not_whole"}},
		{"nothing to prove", func(f *views.RuleForm) { f.IAL, f.LeastAge, f.Selfie = "0", "", "" }, map[string]string{"require.ial": "say what must be proved: a level, a selfie or an age"}},
		{"a level nobody reaches", func(f *views.RuleForm) { f.IAL = "3" }, map[string]string{"require.ial": "no evidence counts as IAL 3 yet: set the mapping, or ask for IAL 2"}},
		{"exempting everything", func(f *views.RuleForm) { f.Kind, f.Conditions = "exempt", nil },
			map[string]string{"when": "an exemption without conditions would switch the policy off, use the mode for that"}},
		{"conditions", func(f *views.RuleForm) {
			f.Conditions = []views.ConditionForm{{Fact: "country", Values: "US, USA"}, {Fact: "value"}, {Fact: "moon", Values: "x"}, {Values: "x"}, {Fact: "value", Amount: "5 EUR"},
				{Fact: "first_order", Values: "yes"}, {Fact: "brand", Amount: "5", Values: "7"}, {Fact: "group"}, {Fact: "payment", Values: "a\u202eb"}}
		}, map[string]string{"when.0.values": "“USA” is no country code, use two capital letters such as US", "when.1.amount": "required",
			"when.2.fact": `choose what the condition looks at, nothing is known of "moon"`, "when.3.fact": `choose what the condition looks at, nothing is known of ""`,
			"when.4.amount": "other_currency:USD", "when.5.values": "this is a plain question, remove the list",
			"when.6.amount": "only the order value is compared with an amount, remove it or add a condition on the order value",
			"when.7.values": "choose at least one value for group", "when.8.values": "write plain text, without control characters"}},
	} {
		f := wineForm()
		f.Conditions = slices.DeleteFunc(f.Conditions, func(c views.ConditionForm) bool { return c == views.ConditionForm{} })
		tc.change(&f)
		_, wrong := withRule(f, base, "USD")
		if len(wrong) != len(tc.wrong) || len(wrong) > 0 && !reflect.DeepEqual(wrong, tc.wrong) {
			t.Errorf("%s:\n got %v\nwant %v", tc.name, wrong, tc.wrong)
		}
		for field, code := range wrong {
			if strings.HasPrefix(views.FieldError(code), "This cannot be used") || views.RuleFieldWords(field) == "" {
				t.Errorf("%s: %s has no words for %q", tc.name, field, code)
			}
		}
	}
	broken := policyOf(func(p *gate.Policy) { p.ProofGood = 0 })
	if _, wrong := withRule(views.RuleForm{Name: "x", Mode: "off", Kind: "require", IAL: "1", Meet: "all"}, broken, "USD"); !slices.Equal(strayProblems(wrong), []string{"A proof is good for: Enter whole days from 1 to 3650."}) {
		t.Errorf("what is wrong with the rest: %v", wrong)
	}
}

// TestRuleRoundTrip: a rule's form that is sent back as it was shown changes nothing.
func TestRuleRoundTrip(t *testing.T) {
	p := policyOf(func(p *gate.Policy) {
		p.Rules = append(p.Rules, wine, gate.Rule{Name: "Staff", Mode: gate.Off, Exempt: true, When: []gate.Condition{{Fact: gate.FactGroup, Values: []string{"guest", "7"}}, {Fact: gate.FactShipDiff, Not: true}}})
	})
	for _, tmpl := range gate.Templates("USD", "US") {
		p = tmpl.Apply(p, "4", "5")
	}
	for i, r := range p.Rules {
		got, wrong := withRule(views.ParseRuleForm(ruleValues(formOfRule(r, "USD"), "7", "", "")), p, "USD")
		if len(wrong) > 0 || !reflect.DeepEqual(got, p) {
			t.Errorf("rule %d: %v\n got %+v\nwant %+v", i, wrong, got.Rules[i], r)
		}
	}
}

// FuzzRuleForm: whatever is typed becomes a rule that can be stored and shown again, or problems beside fields.
func FuzzRuleForm(f *testing.F) {
	f.Add(ruleValues(wineForm(), "1", "save", "x").Encode())
	f.Add("name=a&mode=off&kind=exempt&meet=any&when.0.fact=postcode&when.0.values=SW1A*%0A90000-90999")
	f.Add("name=%FF&when.39.fact=value&when.39.amount=1e9&require.ial=99999999999999999999")
	f.Fuzz(func(t *testing.T, query string) {
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		base := policyOf(nil)
		p, wrong := withRule(views.ParseRuleForm(v), base, "USD")
		for field, code := range wrong {
			if views.FieldError(code) == "" {
				t.Fatalf("%s is refused without a word", field)
			}
		}
		if len(wrong) > 0 {
			return
		}
		if problems := p.Problems(); len(problems) > 0 {
			t.Fatalf("accepted, but %v", problems)
		}
		i := ruleNamed(p, views.ParseRuleForm(v).Name)
		again, wrong := withRule(formOfRule(p.Rules[i], "USD"), p, "USD")
		if len(wrong) > 0 || len(gate.Compare(p, again)) > 0 {
			t.Fatalf("sent back as shown: %v, %+v", wrong, gate.Compare(p, again))
		}
	})
}

// TestTemplatesDoor: a template is shown as a comparison, narrowed, and saved with a reason; applied again it changes nothing.
func TestTemplatesDoor(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	at := shopBase + "/policy/templates"
	list := b.as(ledger.Viewer, at, nil)
	for _, tmpl := range gate.Templates("USD", "") {
		b.want(200, list, `href="`+at+"/"+tmpl.ID+`"`)
	}
	ask := b.as(ledger.Viewer, at+"/alcohol_us", nil)
	b.want(200, ask, "New rule “Alcohol (US)”", "check your local law", "Category ids")
	b.lacks(ask, "Add it as a new version")
	form := b.forms(b.as(ledger.Manager, at+"/alcohol_us", nil), "/policy/templates/alcohol_us")[0]
	form.Set("do", views.DoSave)
	form.Set("reason", "We sell wine now")
	form.Set("picks", "wine")
	b.want(422, b.as(ledger.Manager, at+"/alcohol_us", form), "“wine” is no id", `value="wine"`)
	form.Set("picks", "12, 13")
	b.wantGo(b.as(ledger.Manager, at+"/alcohol_us", form), shopBase+"/policy/rules?saved=2")
	r := b.shop(shopHash).Policy.Rules
	if len(r) != 1 || r[0].Require.LeastAge != 21 || !slices.Equal(r[0].When[len(r[0].When)-1].Values, []string{"12", "13"}) {
		t.Errorf("rules %+v", r)
	}
	form.Set("base_version", "2")
	b.want(422, b.as(ledger.Manager, at+"/alcohol_us", form), "Nothing: the policy in force says the same")
	b.want(404, b.as(ledger.Manager, at+"/moonshine", nil))
}

// TestVersionsDoor: versions are listed, compared and put back.
func TestVersionsDoor(t *testing.T) {
	b := newBench(t)
	at := shopBase + "/policy/versions"
	b.want(200, b.as(ledger.Viewer, at, nil), "No version yet")
	b.enforce(shopHash)
	b.saveRule(wineForm(), "New state law")
	list := b.as(ledger.Viewer, at, nil)
	b.want(200, list, "New state law", "manager@abc123.example", "Compare, put back")
	b.want(200, b.as(ledger.Viewer, at+"?from=1&to=2", nil), "From version 1 to version 2", "New rule “Wine", "Stricter")
	b.want(200, b.as(ledger.Viewer, at+"?from=2&to=1", nil), "goes", "Milder")
	b.want(200, b.as(ledger.Viewer, at+"?from=2&to=2", nil), "Versions 2 and 2 say the same")
	b.want(422, b.as(ledger.Viewer, at+"?from=2&to=9", nil), "There is no version 9")
	b.want(422, b.as(ledger.Viewer, at+"?from=x&to=", nil), "Enter the numbers of two versions")
	b.want(400, b.as(ledger.Viewer, at+"?below=-1", nil))
	b.want(200, b.as(ledger.Viewer, at+"?below=1", nil), "Nothing older")
	b.want(404, b.as(ledger.Viewer, at+"/9", nil))
	ask := b.as(ledger.Manager, at+"/1", nil)
	b.want(200, ask, "Put version 1 back", "goes", "Some of this is milder")
	form := b.forms(ask, "/policy/versions/1")[0]
	form.Set("do", views.DoSave)
	b.want(422, b.as(ledger.Manager, at+"/1", form), "Say why")
	form.Set("reason", "Too strict")
	b.wantGo(b.as(ledger.Manager, at+"/1", form), at+"?saved=3")
	if p := b.shop(shopHash).Policy; p.Version != 3 || len(p.Rules) != 0 || p.Mode != gate.Enforce {
		t.Errorf("put back as %+v", p)
	}
	b.want(409, b.as(ledger.Manager, at+"/1", form), "The policy has moved on")
	for range pageLength {
		b.enforce(shopHash)
		b.saveRule(wineForm(), "and again")
	}
	first := b.as(ledger.Viewer, at, nil)
	b.want(200, first, at+"?below=")
}
