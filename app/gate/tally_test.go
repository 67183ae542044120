package gate_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"idgate/app/gate"
)

func TestShifts(t *testing.T) {
	free := gate.Decision{Outcome: gate.Allow}
	proved := gate.Decision{Outcome: gate.Allow, ProofID: "p"}
	held, refused, asked := gate.Decision{Outcome: gate.Hold}, gate.Decision{Outcome: gate.Refuse}, gate.Decision{Outcome: gate.Verify}
	for _, c := range []struct {
		from, to gate.Decision
		want     gate.Shift
	}{
		{free, free, gate.Same}, {proved, proved, gate.Same}, {held, held, gate.Same}, {held, refused, gate.Same}, {asked, held, gate.Same},
		{free, held, gate.NewlyGated}, {free, proved, gate.NewlyGated}, {free, asked, gate.NewlyGated},
		{held, free, gate.NewlyExempt}, {proved, free, gate.NewlyExempt},
		{proved, held, gate.NewlyHeld}, {held, proved, gate.NewlyLet},
	} {
		if got := gate.ShiftOf(c.from, c.to); got != c.want {
			t.Errorf("%+v to %+v: %s, want %s", c.from, c.to, got, c.want)
		}
	}
}

// draft is what the merchant of policy considers: whisky for adults, staff exempt, and a rule in shadow.
func draft() gate.Policy {
	p := policy()
	p.Version, p.Checkout = 8, gate.Requirement{}
	p.Rules = []gate.Rule{
		{Name: "Staff", Mode: gate.Enforce, Exempt: true, When: []gate.Condition{is(gate.FactGroup, "9")}},
		{Name: "Whisky", Mode: gate.Enforce, Require: gate.Requirement{IAL: 2, LeastAge: 21}, When: []gate.Condition{is(gate.FactCategory, "18")}},
		{Name: "Cards", Mode: gate.Shadow, Require: gate.Requirement{IAL: 2}, When: []gate.Condition{is(gate.FactPayment, "card")}},
	}
	return p
}

// replay is one order under policy, which was in force, and under draft.
func replay(id int64, proofs []gate.Proof, change ...func(*gate.Facts)) gate.Replayed {
	f := order(append(change, func(f *gate.Facts) { f.OrderID = id })...)
	was := gate.Decide(policy(), f, proofs, now)
	return gate.Replayed{OrderID: id, CustomerID: f.Buyer.CustomerID, Value: f.Value, Draft: gate.Decide(draft(), f, proofs, now), InForce: was, Recorded: &was}
}

func money(usd, eur int64) map[string]int64 {
	out := map[string]int64{}
	if usd != 0 {
		out["USD"] = usd
	}
	if eur != 0 {
		out["EUR"] = eur
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func count(orders, usd, eur int64) gate.Count {
	return gate.Count{Orders: orders, Money: money(usd, eur)}
}

// Seven orders told one by one, and what they come to.
func TestTally(t *testing.T) {
	coffee, whisky := items(true, item("1", "4")), items(true, item("2", "18"))
	card := func(f *gate.Facts) { f.Payment = gate.Known("card") }
	cash := func(f *gate.Facts) { f.Payment = gate.Known("cash") }
	staff := func(f *gate.Facts) { f.Group = gate.Known("9") }
	nobody := func(f *gate.Facts) { f.Group = gate.Known("0") }
	dear := worth(usd(60000), new(usd(60000)))
	euros := worth(gate.Money{Minor: 7000, Currency: "EUR"}, new(usd(8000)))
	blocked := func(f *gate.Facts) { f.Listed.Customer = gate.OnBlockList }
	ofAda := []gate.Proof{proof()}
	changed := replay(7, nil, coffee, cash, nobody)
	other := *changed.Recorded
	other.Outcome = gate.Allow
	changed.Recorded = &other

	var got gate.Tally
	for _, r := range []gate.Replayed{
		replay(1, nil, coffee, card, nobody),        // held, and free under the draft but for its shadow rule
		replay(2, ofAda, whisky, cash, nobody),      // proved, under either
		replay(3, nil, whisky, cash, nobody, guest), // held, under either: a guest's own check
		replay(4, nil, coffee, cash, dear),          // stepped up, under either; the group is not known
		replay(5, nil, whisky, cash, staff, euros),  // held, and exempt under the draft
		replay(6, nil, coffee, cash, nobody, blocked),
		changed, // held, free under the draft; recorded otherwise
	} {
		got.Add(r)
	}
	unrecorded := replay(8, nil, whisky, cash, nobody)
	unrecorded.Recorded = nil
	got.Add(unrecorded)

	want := gate.Tally{
		Orders: count(8, 120000, 7000), Recorded: count(7, 110000, 7000),
		Draft: gate.Side{Gated: count(5, 100000, 0), SteppedUp: count(1, 60000, 0), Held: count(4, 90000, 0), WouldHold: count(5, 100000, 0), Exempt: count(1, 0, 7000),
			Rules: map[string]gate.RuleCount{
				"checkout": {Matched: count(8, 120000, 7000), Counted: count(8, 120000, 7000)},
				"step_up":  {Matched: count(1, 60000, 0), Counted: count(1, 60000, 0)},
				"Staff":    {Matched: count(1, 0, 7000), Unknown: count(1, 60000, 0), Counted: count(1, 0, 7000)},
				"Whisky":   {Matched: count(4, 30000, 7000), Counted: count(4, 30000, 7000)},
				"Cards":    {Matched: count(1, 10000, 0)},
			}},
		InForce: gate.Side{Gated: count(8, 120000, 7000), SteppedUp: count(1, 60000, 0), Held: count(7, 110000, 7000), WouldHold: count(7, 110000, 7000),
			Rules: map[string]gate.RuleCount{
				"checkout": {Matched: count(8, 120000, 7000), Counted: count(8, 120000, 7000)},
				"step_up":  {Matched: count(1, 60000, 0), Counted: count(1, 60000, 0)},
			}},
		Then: gate.Side{Gated: count(6, 100000, 7000), SteppedUp: count(1, 60000, 0), Held: count(5, 90000, 7000), WouldHold: count(6, 100000, 7000),
			Rules: map[string]gate.RuleCount{
				"checkout": {Matched: count(7, 110000, 7000), Counted: count(7, 110000, 7000)},
				"step_up":  {Matched: count(1, 60000, 0), Counted: count(1, 60000, 0)},
			}},
		Shifts:  map[gate.Shift]gate.Count{gate.Same: count(5, 100000, 0), gate.NewlyExempt: count(3, 20000, 7000)},
		Differs: count(1, 10000, 0), DifferIDs: []int64{7},
	}
	for name, v := range map[string]struct {
		of   gate.Side
		want int
	}{
		"the draft":  {got.Draft, 2},   // Ada, once for 4 and 8, and the guest of 3
		"in force":   {got.InForce, 2}, // Ada for 1, 4, 5, 7 and 8, and the guest of 3
		"by records": {got.Then, 2},    // Ada for 1, 4 and 5, and the guest of 3
	} {
		if n := v.of.Verifications(); n != v.want {
			t.Errorf("%s costs %d verifications, want %d", name, n, v.want)
		}
	}
	bare := got
	bare.Draft.Provers, bare.InForce.Provers, bare.Then.Provers = nil, nil, nil
	if a, b := string(asJSON(t, bare)), string(asJSON(t, want)); a != b {
		t.Errorf("\n%s, want\n%s", a, b)
	}
}

// A Tally may be stored at any moment and go on, be taken in parts, and in any order: it comes to the same.
func TestTallyResumes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, after := drawPolicy(t), drawPolicy(t)
		var all []gate.Replayed
		for i := range rapid.IntRange(0, 12).Draw(t, "orders") {
			f := drawFacts(t)
			proofs := drawProofs(t)
			r := gate.Replayed{OrderID: int64(i + 1), CustomerID: f.Buyer.CustomerID, Value: f.Value, InForce: gate.Decide(in, f, proofs, now), Draft: gate.Decide(after, f, proofs, now)}
			if rapid.Bool().Draw(t, "recorded") {
				d := gate.Decide(in, f, drawProofs(t), now)
				r.Recorded = &d
			}
			all = append(all, r)
		}
		var whole, stored, first, second gate.Tally
		for i, r := range all {
			whole.Add(r)
			b := asJSON(t, stored)
			stored = gate.Tally{}
			if err := json.Unmarshal(b, &stored); err != nil {
				t.Fatal(err)
			}
			stored.Add(r)
			if i%2 == 0 {
				first.Add(r)
			} else {
				second.Add(r)
			}
		}
		second.Merge(first)
		second.Merge(gate.Tally{})
		want := string(asJSON(t, whole))
		for name, x := range map[string]gate.Tally{"stored": stored, "merged": second} {
			if got := string(asJSON(t, x)); got != want {
				t.Fatalf("%s:\n%s, want\n%s", name, got, want)
			}
		}
		if whole.Orders.Orders != int64(len(all)) || whole.Draft.Held.Orders > whole.Draft.Gated.Orders || whole.Draft.Verifications() > int(whole.Draft.Held.Orders) {
			t.Fatalf("%+v", whole)
		}
		var shifted int64
		for _, c := range whole.Shifts {
			shifted += c.Orders
		}
		if shifted != whole.Orders.Orders {
			t.Fatalf("%d orders shifted of %d", shifted, whole.Orders.Orders)
		}
	})
}

// Sums stop at the greatest number instead of turning negative, and only the smallest few orders are named.
func TestTallyBounds(t *testing.T) {
	var up, down gate.Tally
	for i := range int64(30) {
		d := gate.Decision{Outcome: gate.Allow}
		up.Add(gate.Replayed{OrderID: 100 - i, Value: usd(math.MaxInt64), InForce: gate.Decision{Outcome: gate.Hold}, Recorded: &d})
		down.Add(gate.Replayed{OrderID: i, Value: usd(math.MinInt64)})
	}
	if up.Orders.Money["USD"] != math.MaxInt64 || down.Orders.Money["USD"] != math.MinInt64 {
		t.Errorf("%d and %d", up.Orders.Money["USD"], down.Orders.Money["USD"])
	}
	if len(up.DifferIDs) != 20 || up.DifferIDs[0] != 71 || up.DifferIDs[19] != 90 || up.Differs.Orders != 30 {
		t.Errorf("%v", up.DifferIDs)
	}
	if err := json.Unmarshal([]byte(`{"draft":{"provers":["x"]}}`), new(gate.Tally)); err == nil {
		t.Error("a set of nonsense is read")
	}
}

// What makes a replay's answer another than the recorded one.
func TestSameAnswer(t *testing.T) {
	base := func() gate.Decision {
		return gate.Decide(draft(), order(items(true, item("1", "18"))), []gate.Proof{proof()}, now)
	}
	if !gate.SameAnswer(base(), base()) {
		t.Fatal("the same is not the same")
	}
	old := base() // as it was stored before Counted, Seen and Needs were kept
	for i := range old.Rules {
		old.Rules[i].Counted, old.Rules[i].Conditions = false, nil
	}
	if !gate.SameAnswer(old, base()) {
		t.Error("what is only told apart makes a difference")
	}
	for name, change := range map[string]func(*gate.Decision){
		"outcome":     func(d *gate.Decision) { d.Outcome = gate.Hold },
		"would":       func(d *gate.Decision) { d.Would = gate.Hold },
		"mode":        func(d *gate.Decision) { d.Mode = gate.Shadow },
		"requirement": func(d *gate.Decision) { d.Requirement.LeastAge = 22 },
		"proof":       func(d *gate.Decision) { d.ProofID = "p2" },
		"reasons":     func(d *gate.Decision) { d.Reasons = nil },
		"a rule":      func(d *gate.Decision) { d.Rules = d.Rules[1:] },
		"a verdict":   func(d *gate.Decision) { d.Rules[0].Verdict = gate.Yes },
		"a name":      func(d *gate.Decision) { d.Rules[0].Name = "x" },
		"a mode":      func(d *gate.Decision) { d.Rules[0].Mode = gate.Off },
	} {
		d := base()
		change(&d)
		if gate.SameAnswer(base(), d) {
			t.Errorf("another %s is the same answer", name)
		}
	}
}

// A rule that was recorded as matched before Counted was kept is counted by its match, if it was enforced.
func TestTallyOfOldDecisions(t *testing.T) {
	rule := func(name string, m gate.Mode, v gate.Verdict) gate.RuleResult {
		return gate.RuleResult{Name: name, Mode: m, Verdict: v}
	}
	d := gate.Decision{Outcome: gate.Hold, Rules: []gate.RuleResult{rule("step_up", gate.Enforce, gate.Yes), rule("b", gate.Shadow, gate.Yes), rule("c", gate.Enforce, gate.No)}}
	var got gate.Tally
	got.Add(gate.Replayed{Value: usd(1), Recorded: &d})
	if got.Then.SteppedUp.Orders != 1 || got.Then.Rules["step_up"].Counted.Orders != 1 || got.Then.Rules["b"].Counted.Orders != 0 || got.Then.Rules["c"].Counted.Orders != 0 {
		t.Errorf("%+v", got.Then)
	}
}

// shopFacts are n orders that differ the way a shop's do.
func shopFacts(n int) []gate.Facts {
	out := make([]gate.Facts, n)
	countries, categories := []string{"US", "CA", "GB", "DE"}, []string{"4", "18", "7"}
	for i := range out {
		out[i] = order(items(true, item("1", categories[i%3]), item("2", categories[i%2])), shipTo(gate.Place{Country: countries[i%4], State: "California", Postcode: "90210"}))
		m := usd(int64(i%900) * 100)
		f := &out[i]
		f.OrderID, f.Value, f.ShopValue = int64(i+1), m, &m
		f.Buyer.CustomerID, f.Buyer.Mailbox, f.CartID = int64(i%700), "m", "c2"
		f.Payment, f.Group, f.Channel, f.FirstOrder = gate.Known("card"), gate.Known("3"), gate.Known("1"), gate.Bool{Value: i%5 == 0, Known: true}
	}
	return out
}

// fullPolicy has a rule on each fact and every template.
func fullPolicy() gate.Policy {
	p := policy()
	for _, x := range gate.Templates("USD", "US") {
		p = x.Apply(p, "18")
	}
	p.Rules = append(p.Rules, exempts(is(gate.FactGroup, "9")), requires(is(gate.FactState, "US/Texas", "US/CA", "CA/QC"), is(gate.FactPostcode, "90000-90999", "SW1A*"), is(gate.FactPayment, "card")))
	return p
}

func BenchmarkDecide(b *testing.B) {
	p, facts, proofs := fullPolicy(), shopFacts(1000), []gate.Proof{proof()}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		gate.Decide(p, facts[i%len(facts)], proofs, now)
	}
}

// BenchmarkTally replays 10,000 orders: two Decisions each and their sums.
func BenchmarkTally(b *testing.B) {
	p, d, facts, proofs := policy(), fullPolicy(), shopFacts(10000), []gate.Proof{proof()}
	recorded := make([]gate.Decision, len(facts))
	for i, f := range facts {
		recorded[i] = gate.Decide(p, f, proofs, now)
	}
	b.ResetTimer()
	for b.Loop() {
		var t gate.Tally
		for i, f := range facts {
			t.Add(gate.Replayed{OrderID: f.OrderID, CustomerID: f.Buyer.CustomerID, Value: f.Value, Draft: gate.Decide(d, f, proofs, now), InForce: gate.Decide(p, f, proofs, now), Recorded: &recorded[i]})
		}
		if t.Differs.Orders != 0 {
			b.Fatalf("%d replays differ", t.Differs.Orders)
		}
	}
}

// A replay of the Policy in force over many orders gives what was recorded, to the byte, also after it was stored.
func TestReplayReproduces(t *testing.T) {
	p, proofs := fullPolicy(), []gate.Proof{proof()}
	var tally gate.Tally
	for _, f := range shopFacts(500) {
		var recorded gate.Decision
		stored := asJSON(t, gate.Decide(p, f, proofs, now))
		if err := json.Unmarshal(stored, &recorded); err != nil {
			t.Fatal(err)
		}
		again := gate.Decide(p, f, proofs, now)
		if b := asJSON(t, again); string(b) != string(stored) {
			t.Fatalf("%s, was %s", b, stored)
		}
		tally.Add(gate.Replayed{OrderID: f.OrderID, CustomerID: f.Buyer.CustomerID, Value: f.Value, Draft: again, InForce: again, Recorded: &recorded})
	}
	if tally.Differs.Orders != 0 || tally.Recorded.Orders != 500 || tally.Shifts[gate.Same].Orders != 500 || !reflect.DeepEqual(tally.Draft, tally.Then) || tally.Draft.Held.Orders == 0 {
		t.Errorf("%d differ, %+v\n%+v\n%+v", tally.Differs.Orders, tally.Shifts, tally.Draft.Held, tally.Then.Held)
	}
}
