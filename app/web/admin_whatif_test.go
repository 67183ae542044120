package web

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/views"
)

// TestWhatIfDoor: a draft is replayed from its form, watched, read and saved; nothing is written to the shop.
func TestWhatIfDoor(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	for range 3 {
		b.hold(shopHash)
		b.wait(time.Minute)
	}
	at := shopBase + "/policy/whatif"
	b.want(200, b.as(ledger.Manager, at, nil), "Begin one above", "Version 1 is in force")
	b.want(200, b.as(ledger.Viewer, at, nil), "The owner and managers of the shop can begin one")
	b.want(422, b.as(ledger.Manager, at, url.Values{"version": {"9"}, "reach": {"100"}}), "There is no such version")
	b.want(422, b.as(ledger.Manager, at, url.Values{"version": {"x"}, "reach": {"100"}}), `value="x"`)
	b.want(400, b.as(ledger.Manager, at, url.Values{"version": {"1"}, "reach": {"11000"}}))
	before := len(b.world.Shop(shopHash).Orders())
	rule := ruleValues(views.RuleForm{Name: "Nobody", Mode: "enforce", Kind: "exempt", Meet: "all", Conditions: []views.ConditionForm{{Fact: "currency", Values: "USD"}}}, "1", views.DoWhatIf, "")
	rule.Set("reach", "100")
	b.wantGo(b.as(ledger.Manager, shopBase+"/policy/rules/edit", rule), at+"/1")
	page := b.as(ledger.Viewer, at+"/1", nil)
	b.want(200, page, "Running", `data-refresh="3"`, `http-equiv="refresh"`, "No order has been replayed yet", "the last 100 orders")
	b.lacks(page, "Stop what-if")
	for range 100 {
		b.settle(ledger.ShopBell)
		if x, err := b.s.Ledger.WhatIf(b.Context(), shopHash, 1); err != nil || x.State == "done" {
			b.ok(err)
			break
		}
		b.wait(10 * time.Second)
	}
	page = b.as(ledger.Manager, at+"/1", nil)
	b.want(200, page, "Done", "Newly exempt (", "Rule by rule", "Nobody", "Replaying the policy in force gives exactly what was recorded", "Save this draft as a version", "Verifications at least")
	b.lacks(page, "data-refresh")
	b.want(200, b.as(ledger.Viewer, at+"/1?shift=newly_exempt", nil), "The exemption “Nobody” covers this order.", "Allowed")
	b.want(200, b.as(ledger.Viewer, at+"/1?shift=newly_held", nil), "None of this kind")
	b.want(200, b.as(ledger.Viewer, at+"/1?shift=newly_held&before=1", nil), "Nothing older", at+"/1?shift=newly_held#orders")
	b.want(400, b.as(ledger.Viewer, at+"/1?shift=sideways", nil))
	b.want(400, b.as(ledger.Viewer, at+"/1?before=x", nil))
	b.want(404, b.as(ledger.Viewer, at+"/2", nil))
	b.want(404, b.send(b.cookies[otherHash+" owner"], "/s/"+otherHash+"/policy/whatif/1", nil))
	if n := len(b.world.Shop(shopHash).Orders()); n != before || len(b.shop(shopHash).Policy.Rules) != 0 {
		t.Errorf("%d orders, want %d; rules %v", n, before, b.shop(shopHash).Policy.Rules)
	}
	save := b.forms(b.as(ledger.Manager, at+"/1/save", nil), "/policy/whatif/1/save")[0]
	save.Set("do", views.DoSave)
	save.Set("reason", "It does what we want")
	b.wantGo(b.as(ledger.Manager, at+"/1/save", save), shopBase+"/policy/versions?saved=2")
	b.want(200, b.as(ledger.Viewer, at+"/1", nil), "The policy in force has changed since this was begun")

	b.wantGo(b.as(ledger.Manager, at, url.Values{"version": {"1"}, "reach": {"90d"}}), at+"/2")
	b.want(200, b.as(ledger.Manager, at+"/2", nil), "Stop what-if 2", "since Wed 10 Dec 2025")
	b.wantGo(b.as(ledger.Manager, at+"/2/cancel", url.Values{}), at+"/2")
	b.want(200, b.as(ledger.Manager, at+"/2", nil), "Cancelled", "There were no past orders in this span")
	b.wantGo(b.as(ledger.Manager, at+"/2/cancel", url.Values{}), at+"/2") // stopped already
	b.want(200, b.as(ledger.Viewer, at, nil), "What-if 2", "What-if 1")
}

// TestWhatIfPages: a filter survives paging, and every order is on exactly one page.
func TestWhatIfPages(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	shop := b.shop(shopHash)
	id, err := b.s.Ledger.BeginWhatIf(b.Context(), shop, shop.Policy, 100, time.Time{}, b.clock())
	b.ok(err)
	x, err := b.s.Ledger.WhatIf(b.Context(), shopHash, id)
	b.ok(err)
	next := x
	next.State, next.Below, next.Seen = "done", 1, 60
	var orders []ledger.WhatIfOrder
	for i := range 60 {
		o := ledger.WhatIfOrder{OrderID: int64(1000 + i), PlacedAt: b.clock(), Value: gate.Money{Minor: 100, Currency: "USD"}, Shift: gate.Same, Before: gate.Allow, After: gate.Allow}
		if i%2 == 0 {
			o.Shift = gate.NewlyHeld
		}
		orders = append(orders, o)
	}
	b.ok(b.s.Ledger.AdvanceWhatIf(b.Context(), shopHash, x, next, orders, time.Time{}, b.clock()))
	at := fmt.Sprintf("%s/policy/whatif/%d", shopBase, id)
	first := b.as(ledger.Viewer, at+"?shift=newly_held", nil)
	b.want(200, first, at+"?shift=newly_held&amp;before=1010", shopBase+"/orders/1058\"", shopBase+"/orders/1010\"")
	b.lacks(first, shopBase+"/orders/1059\"", shopBase+"/orders/1008\"")
	second := b.as(ledger.Viewer, at+"?shift=newly_held&before=1010", nil)
	b.want(200, second, shopBase+"/orders/1008\"", shopBase+"/orders/1000\"", "Newest")
	b.lacks(second, shopBase+"/orders/1010\"", shopBase+"/orders/1009\"", "Older</a>")
}

// TestTallied: the shop's currency comes first, the others apart.
func TestTallied(t *testing.T) {
	p := present(&ledger.Shop{Currency: "USD"})
	got := p.tallied(gate.Count{Orders: 1204, Money: map[string]int64{"JPY": 12000, "USD": 124900, "EUR": 5}})
	if want := (views.Tallied{Orders: "1,204", Money: "1,249.00 USD", Others: []string{"0.05 EUR", "12,000 JPY"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := p.difference(3) + p.difference(-4) + p.difference(0); got != "+3-40" {
		t.Errorf("differences %q", got)
	}
}

// TestEveryCodeOfGateHasWords holds the views to everything that gate can say.
func TestEveryCodeOfGateHasWords(t *testing.T) {
	for _, f := range gate.FactNames() {
		if w := views.FactWords(string(f)); !slices.Contains(views.FactNames(), string(f)) || w.Sentence == "" || w.Next == "" {
			t.Errorf("fact %s: %+v", f, w)
		}
	}
	var facts []string
	for _, f := range gate.FactNames() {
		facts = append(facts, string(f))
	}
	if got := views.FactOrder(); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(facts))) {
		t.Errorf("forms offer %q, gate knows %q", got, facts)
	}
	for _, c := range []gate.Code{gate.NoProof, gate.ProofExpired, gate.ProofRevoked, gate.ProofTooOld, gate.IALTooLow, gate.SelfieMissing, gate.AgeTooLow, gate.AgeUnknown, gate.NameDiffers,
		gate.FirstNameDiffers, gate.LastNameDiffers, gate.NameUnknown, gate.AddressDiffers, gate.AddressUnknown, gate.ProofOfOtherCustomer, gate.ProofOfOtherCart, gate.MailboxUnproved, gate.MailboxDiffers, gate.GuestMustSignIn,
		gate.GuestExempt, gate.ProofOK, gate.NothingRequired, gate.Exempt, gate.Blocked, gate.AllowListed, gate.PolicyOff, gate.SourceNotCovered, gate.BeforeEnforcement, gate.InReview,
		gate.EvidenceUnmapped, gate.ReleasedByPerson, gate.RefusedByPerson, gate.ProviderDown} {
		if !slices.Contains(views.ReasonCodes(), string(c)) {
			t.Errorf("reason %s has no words", c)
		}
	}
	whats := []gate.What{gate.NeedUnblock, gate.NeedSignIn, gate.NeedReview, gate.NeedMailbox, gate.NeedMapping, gate.NeedProof, gate.NeedLevel, gate.NeedFresh, gate.NeedSelfie, gate.NeedAge, gate.NeedName, gate.NeedAddress}
	if len(whats) != len(views.NeedCodes()) {
		t.Errorf("words for %q", views.NeedCodes())
	}
	for _, w := range whats {
		if !slices.Contains(views.NeedCodes(), string(w)) {
			t.Errorf("need %s has no words", w)
		}
	}
	for _, s := range []gate.Shift{gate.Same, gate.NewlyGated, gate.NewlyExempt, gate.NewlyHeld, gate.NewlyLet} {
		if !slices.Contains(views.ShiftCodes(), string(s)) || views.ShiftWords(string(s)).Tone == "" {
			t.Errorf("shift %s has no words", s)
		}
	}
	for _, e := range []gate.Effect{gate.Stricter, gate.Milder, gate.Mixed, gate.Other} {
		if !slices.Contains(views.EffectCodes(), string(e)) {
			t.Errorf("effect %s has no words", e)
		}
	}
}

// different is a Policy that differs from policyOf(nil) in every field, so that a new field without words fails here.
func different(t *testing.T) gate.Policy {
	t.Helper()
	p := policyOf(nil)
	p.Rules = nil
	var turn func(v reflect.Value)
	turn = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Int, reflect.Int64:
			v.SetInt(v.Int() + 1)
		case reflect.Bool:
			v.SetBool(!v.Bool())
		case reflect.Struct:
			for i := range v.NumField() {
				turn(v.Field(i))
			}
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			turn(v.Index(0))
		case reflect.Pointer:
			n := reflect.New(v.Type().Elem())
			n.Elem().Set(v.Elem())
			turn(n.Elem())
			v.Set(n)
		default:
			t.Fatalf("a field of kind %s", v.Kind())
		}
	}
	v := reflect.ValueOf(&p).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Name != "Rules" {
			turn(v.Field(i))
		}
	}
	return p
}

// TestEveryChangeHasWords: whatever of a Policy or a rule is changed is told in words.
func TestEveryChangeHasWords(t *testing.T) {
	from, to := policyOf(nil), different(t)
	a, b := wine, wine
	b.Name, b.Mode, b.Exempt, b.Any, b.Require = a.Name, gate.Shadow, false, false, gate.Requirement{IAL: 1, MaxAge: 3, LeastAge: 4}
	b.When = []gate.Condition{a.When[1], a.When[0], {Fact: gate.FactShipDiff}}
	exempt := gate.Rule{Name: "Turned", Mode: gate.Enforce, When: a.When, Require: gate.Requirement{IAL: 1}}
	turned := exempt
	turned.Exempt, turned.Require = true, gate.Requirement{}
	renamed := gate.Rule{Name: "Old", Mode: gate.Enforce, Require: gate.Requirement{IAL: 1}}
	again := renamed
	again.Name = "New"
	from.Rules, to.Rules = []gate.Rule{a, exempt, renamed, {Name: "Gone", Mode: gate.Off, Require: gate.Requirement{IAL: 2}}}, []gate.Rule{turned, b, again, {Name: "Came", Mode: gate.Enforce, Exempt: true, When: a.When[:1]}}
	stepUpGone := from
	stepUpGone.StepUp = nil
	changes := slices.Concat(gate.Compare(from, to), gate.Compare(from, stepUpGone))
	seen := map[string]bool{}
	for i, c := range present(&ledger.Shop{Currency: "USD"}).changes(changes) {
		if _, ok := views.ChangeLabel(c.Area, c.Field); !ok {
			t.Errorf("no words for a change of %s %s", c.Area, c.Field)
		}
		if c.Before == "" && changes[i].Before != nil && !reflect.ValueOf(changes[i].Before).IsZero() {
			t.Errorf("%s %s: before is %v, told as nothing", c.Area, c.Field, changes[i].Before)
		}
		seen[c.Area+" "+c.Field] = true
	}
	for _, want := range []string{"mode ", "step_up ", "step_up over", "rules ", "rules order", "rules name", "rules mode", "rules exempt", "rules any", "rules when", "rules when_order", "rules require.ial", "keep_days ", "sources "} {
		if !seen[want] {
			t.Errorf("the test does not change %q: %v", want, seen)
		}
	}
}

// TestSeen: what the gate recorded of a fact is told, and of older Decisions what is kept of the order.
func TestSeen(t *testing.T) {
	p := present(&ledger.Shop{})
	for _, tc := range []struct {
		c    gate.ConditionResult
		want string
	}{
		{gate.ConditionResult{Condition: gate.Condition{Fact: gate.FactCountry}, Seen: &gate.Seen{Values: []string{"US", "CA"}, More: 3}}, "US, CA and 3 more"},
		{gate.ConditionResult{Condition: gate.Condition{Fact: gate.FactValue}, Seen: &gate.Seen{Amount: &gate.Money{Minor: 500, Currency: "USD"}}}, "5.00 USD"},
		{gate.ConditionResult{Condition: gate.Condition{Fact: gate.FactSource}, Seen: &gate.Seen{Values: []string{"ebay"}}}, "eBay"},
		{gate.ConditionResult{Condition: gate.Condition{Fact: gate.FactShipDiff}, Seen: &gate.Seen{Values: []string{"no"}}}, "no"},
		{gate.ConditionResult{Condition: gate.Condition{Fact: gate.FactValue}}, "9.00 USD"},
	} {
		if got := p.seen(tc.c, ledger.Order{Value: gate.Money{Minor: 900, Currency: "USD"}}); got != tc.want {
			t.Errorf("%+v: %q, want %q", tc.c, got, tc.want)
		}
	}
	if got := needs([]gate.Need{{What: gate.NeedLevel, Amount: 2, Rules: []string{"checkout"}, Met: true}, {What: gate.NeedSignIn}}); !reflect.DeepEqual(got,
		[]views.NeedData{{What: "ial", Amount: "2", Rules: []string{"checkout"}, Met: true}, {What: "sign_in"}}) {
		t.Errorf("%+v", got)
	}
}
