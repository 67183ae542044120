package gate_test

import (
	"reflect"
	"strconv"
	"testing"

	"idgate/app/gate"
)

// bare is a Policy that requires nothing by itself.
func bare(rules ...gate.Rule) gate.Policy {
	p := policy()
	p.Checkout, p.StepUp, p.Rules = gate.Requirement{}, nil, rules
	return p
}

func requires(when ...gate.Condition) gate.Rule {
	return gate.Rule{Name: "r", Mode: gate.Enforce, When: when, Require: gate.Requirement{IAL: 2}}
}

func exempts(when ...gate.Condition) gate.Rule {
	return gate.Rule{Name: "e", Mode: gate.Enforce, Exempt: true, When: when}
}

func is(fact gate.FactName, values ...string) gate.Condition {
	return gate.Condition{Fact: fact, Values: values}
}

func isNot(fact gate.FactName, values ...string) gate.Condition {
	return gate.Condition{Fact: fact, Not: true, Values: values}
}

func over(minor int64) gate.Condition {
	m := usd(minor)
	return gate.Condition{Fact: gate.FactValue, Amount: &m}
}

// ruled is what Decide says of the rule of this name.
func ruled(t *testing.T, d gate.Decision, name string) gate.RuleResult {
	t.Helper()
	for _, r := range d.Rules {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("no rule %s in %+v", name, d.Rules)
	return gate.RuleResult{}
}

func items(known bool, of ...gate.Item) func(*gate.Facts) {
	return func(f *gate.Facts) { f.Items, f.ItemsKnown = of, known }
}

func item(id string, categories ...string) gate.Item {
	return gate.Item{ProductID: id, Quantity: 1, Categories: categories, Brand: "b" + id}
}

func shipTo(places ...gate.Place) func(*gate.Facts) {
	return func(f *gate.Facts) { f.Shipping = places }
}

func billTo(p gate.Place) func(*gate.Facts) { return func(f *gate.Facts) { f.Billing = p } }

func worth(m gate.Money, shop *gate.Money) func(*gate.Facts) {
	return func(f *gate.Facts) { f.Value, f.ShopValue = m, shop }
}

func methods(of ...string) func(*gate.Facts) {
	return func(f *gate.Facts) { f.ShipMethods = of }
}

// Each condition, as a rule that requires something reads it and as an exemption does, and what staff are told was seen.
func TestConditions(t *testing.T) {
	texas, nevada := gate.Place{Country: "US", State: "Texas", Postcode: "78751", Line: "1 a"}, gate.Place{Country: "US", State: "NV", Postcode: "89501-1234", Line: "2 b"}
	quebec, london := gate.Place{Country: "CA", State: "Québec", Postcode: "H2X 1Y4"}, gate.Place{Country: "GB", Postcode: "sw1a 1aa"}
	hundred, euros := usd(10000), gate.Money{Minor: 9000, Currency: "EUR"}
	text := func(set func(*gate.Facts, gate.Text), v string) func(*gate.Facts) {
		return func(f *gate.Facts) { set(f, gate.Known(v)) }
	}
	group := func(f *gate.Facts, v gate.Text) { f.Group = v }
	payment := func(f *gate.Facts, v gate.Text) { f.Payment = v }
	shipMethod := func(f *gate.Facts, v gate.Text) { f.ShipMethod = v }
	channel := func(f *gate.Facts, v gate.Text) { f.Channel = v }
	source := func(f *gate.Facts, v gate.Text) { f.Source = v }
	first := func(v bool) func(*gate.Facts) {
		return func(f *gate.Facts) { f.FirstOrder = gate.Bool{Value: v, Known: true} }
	}
	with := func(cs ...func(*gate.Facts)) gate.Facts { return order(cs...) }
	const yes, no, unknown = gate.Yes, gate.No, gate.Unknown
	for _, c := range []struct {
		name      string
		when      gate.Condition
		facts     gate.Facts
		requiring gate.Verdict
		exempting gate.Verdict
		seen      *gate.Seen
	}{
		{"an order of exactly the amount", over(10000), with(), yes, yes, &gate.Seen{Amount: &hundred}},
		{"an order of less", over(10001), with(), no, no, &gate.Seen{Amount: &hundred}},
		{"below an amount", gate.Condition{Fact: gate.FactValue, Not: true, Amount: over(10001).Amount}, with(), yes, yes, &gate.Seen{Amount: &hundred}},
		{"another currency, by the order's own rate", over(10000), with(worth(euros, &hundred)), yes, yes, &gate.Seen{Amount: &hundred}},
		{"another currency without a rate", over(10000), with(worth(euros, nil)), unknown, unknown, nil},
		{"not over, without a rate", gate.Condition{Fact: gate.FactValue, Not: true, Amount: over(1).Amount}, with(worth(euros, nil)), unknown, unknown, nil},
		{"an amount in a currency the shop no longer has", gate.Condition{Fact: gate.FactValue, Amount: &euros}, with(), unknown, unknown, nil},
		{"an amount left out", gate.Condition{Fact: gate.FactValue}, with(), unknown, unknown, nil},

		{"paid in euros", is(gate.FactCurrency, "EUR", "CHF"), with(worth(euros, nil)), yes, yes, &gate.Seen{Values: []string{"EUR"}}},
		{"not paid in dollars", isNot(gate.FactCurrency, "USD"), with(), no, no, &gate.Seen{Values: []string{"USD"}}},
		{"currency unknown", is(gate.FactCurrency, "USD"), with(worth(gate.Money{}, nil)), unknown, unknown, nil},

		{"a product", is(gate.FactProduct, "1"), with(items(false, item("1"))), yes, yes, &gate.Seen{Values: []string{"1"}}},
		{"one product of two", is(gate.FactProduct, "2"), with(items(false, item("1"), item("2"))), yes, no, &gate.Seen{Values: []string{"2", "1"}}},
		{"another product", is(gate.FactProduct, "3"), with(items(false, item("1"))), no, no, &gate.Seen{Values: []string{"1"}}},
		{"something other than a product", isNot(gate.FactProduct, "1"), with(items(false, item("1"), item("2"))), yes, no, &gate.Seen{Values: []string{"1", "2"}}},
		{"nothing but a product", isNot(gate.FactProduct, "1"), with(items(false, item("1"), item("1"))), no, no, &gate.Seen{Values: []string{"1"}}},
		{"no products at all", is(gate.FactProduct, "1"), with(), no, no, nil},
		{"no products at all, none of them this", isNot(gate.FactProduct, "1"), with(), yes, no, nil},

		{"a category", is(gate.FactCategory, "18"), with(items(true, item("1", "18", "4"))), yes, yes, &gate.Seen{Values: []string{"18", "4"}}},
		{"whisky with a sticker beside it", is(gate.FactCategory, "18"), with(items(true, item("1", "18"), item("2", "5"))), yes, no, &gate.Seen{Values: []string{"18", "5"}}},
		{"no whisky", isNot(gate.FactCategory, "18"), with(items(true, item("1", "18"), item("2", "5"))), yes, no, &gate.Seen{Values: []string{"18", "5"}}},
		{"another category", is(gate.FactCategory, "18"), with(items(true, item("1", "4"))), no, no, &gate.Seen{Values: []string{"4"}}},
		{"categories not looked up", is(gate.FactCategory, "18"), with(items(false, item("1"))), unknown, unknown, nil},
		{"some looked up, and found", is(gate.FactCategory, "18"), with(items(false, item("1"), item("2", "18"))), yes, unknown, &gate.Seen{Values: []string{"18"}}},
		{"a brand", is(gate.FactBrand, "b1"), with(items(true, item("1"))), yes, yes, &gate.Seen{Values: []string{"b1"}}},
		{"a brand not looked up", is(gate.FactBrand, "b1"), with(items(false, gate.Item{ProductID: "1"})), unknown, unknown, nil},

		{"a country", is(gate.FactCountry, "US"), with(shipTo(texas)), yes, yes, &gate.Seen{Values: []string{"US"}}},
		{"one parcel abroad", is(gate.FactCountry, "US"), with(shipTo(texas, london)), yes, no, &gate.Seen{Values: []string{"US", "GB"}}},
		{"anything abroad", isNot(gate.FactCountry, "US"), with(shipTo(texas, london)), yes, no, &gate.Seen{Values: []string{"US", "GB"}}},
		{"nothing ships: the bill's country", is(gate.FactCountry, "CA"), with(billTo(quebec)), yes, yes, &gate.Seen{Values: []string{"CA"}}},
		{"the bill's country does not count where something ships", is(gate.FactCountry, "CA"), with(billTo(quebec), shipTo(texas)), no, no, &gate.Seen{Values: []string{"US"}}},
		{"no country yet", is(gate.FactCountry, "US"), with(), unknown, unknown, nil},
		{"one country not known", is(gate.FactCountry, "GB"), with(shipTo(texas, gate.Place{})), unknown, no, &gate.Seen{Values: []string{"US"}}},

		{"a state by name", is(gate.FactState, "US/Texas"), with(shipTo(texas)), yes, yes, &gate.Seen{Values: []string{"US/Texas"}}},
		{"a state by code", is(gate.FactState, "US/TX"), with(shipTo(texas)), yes, yes, &gate.Seen{Values: []string{"US/Texas"}}},
		{"a code on the address, a name in the rule", is(gate.FactState, "US/nevada"), with(shipTo(nevada)), yes, yes, &gate.Seen{Values: []string{"US/NV"}}},
		{"a province with an accent", is(gate.FactState, "CA/Quebec"), with(shipTo(quebec)), yes, yes, &gate.Seen{Values: []string{"CA/Québec"}}},
		{"a province by code", is(gate.FactState, "CA/qc"), with(shipTo(quebec)), yes, yes, &gate.Seen{Values: []string{"CA/Québec"}}},
		{"Victoria is Australia's", is(gate.FactState, "AU/VIC"), with(shipTo(gate.Place{Country: "AU", State: "Victoria"})), yes, yes, &gate.Seen{Values: []string{"AU/Victoria"}}},
		{"Western Australia is not Washington", is(gate.FactState, "AU/WA"), with(shipTo(gate.Place{Country: "US", State: "WA"})), no, no, &gate.Seen{Values: []string{"US/WA"}}},
		{"a region of a country without a table", is(gate.FactState, "ES/Cataluña"), with(shipTo(gate.Place{Country: "ES", State: "CATALUNA"})), yes, yes, &gate.Seen{Values: []string{"ES/CATALUNA"}}},
		{"another state", is(gate.FactState, "US/Ohio", "Texas", "US/"), with(shipTo(texas)), no, no, &gate.Seen{Values: []string{"US/Texas"}}},
		{"an address without a state", is(gate.FactState, "US/Texas"), with(shipTo(london)), unknown, unknown, nil},
		{"a state of no country", is(gate.FactState, "US/Texas"), with(shipTo(gate.Place{State: "Texas"})), unknown, unknown, nil},

		{"a postcode", is(gate.FactPostcode, "78750", "78751"), with(shipTo(texas)), yes, yes, &gate.Seen{Values: []string{"78751"}}},
		{"a postcode in a range", is(gate.FactPostcode, "78000-78999"), with(shipTo(texas)), yes, yes, &gate.Seen{Values: []string{"78000-78999"}}},
		{"the range's ends belong to it", is(gate.FactPostcode, "78000-78751"), with(shipTo(texas)), yes, yes, &gate.Seen{Values: []string{"78000-78751"}}},
		{"beside a range, and nothing of it is told", is(gate.FactPostcode, "78752-78999"), with(shipTo(texas)), no, no, nil},
		{"nine digits of five", is(gate.FactPostcode, "89501"), with(shipTo(nevada)), yes, yes, &gate.Seen{Values: []string{"89501"}}},
		{"nine digits in a range of five", is(gate.FactPostcode, "89000-89999"), with(shipTo(nevada)), yes, yes, &gate.Seen{Values: []string{"89000-89999"}}},
		{"however it is spaced", is(gate.FactPostcode, "SW1A1AA"), with(shipTo(london)), yes, yes, &gate.Seen{Values: []string{"SW1A1AA"}}},
		{"a beginning", is(gate.FactPostcode, "sw1a*"), with(shipTo(london)), yes, yes, &gate.Seen{Values: []string{"sw1a*"}}},
		{"a whole code is no beginning", is(gate.FactPostcode, "SW1A"), with(shipTo(london)), no, no, nil},
		{"a beginning longer than the code", is(gate.FactPostcode, "SW1A1AAA*"), with(shipTo(london)), no, no, nil},
		{"a code with a hyphen of its own", is(gate.FactPostcode, "1000001"), with(shipTo(gate.Place{Country: "JP", Postcode: "100-0001"})), yes, yes, &gate.Seen{Values: []string{"1000001"}}},
		{"no postcode", is(gate.FactPostcode, "78751"), with(shipTo(gate.Place{Country: "IE"})), unknown, unknown, nil},
		{"a range that is none", is(gate.FactPostcode, "78-78999", "9*-99", ""), with(shipTo(texas)), no, no, nil},

		{"shipped elsewhere", is(gate.FactShipDiff), with(billTo(texas), shipTo(nevada)), yes, yes, &gate.Seen{Values: []string{"yes"}}},
		{"one of two shipped elsewhere", is(gate.FactShipDiff), with(billTo(texas), shipTo(texas, nevada)), yes, yes, &gate.Seen{Values: []string{"yes"}}},
		{"shipped home", isNot(gate.FactShipDiff), with(billTo(texas), shipTo(texas)), yes, yes, &gate.Seen{Values: []string{"no"}}},
		{"not all shipped home", isNot(gate.FactShipDiff), with(billTo(texas), shipTo(texas, nevada)), no, no, &gate.Seen{Values: []string{"yes"}}},
		{"nothing ships", is(gate.FactShipDiff), with(billTo(texas)), no, no, &gate.Seen{Values: []string{"no"}}},
		{"no bill yet", is(gate.FactShipDiff), with(shipTo(texas)), unknown, unknown, nil},

		{"a customer group", is(gate.FactGroup, "3"), with(text(group, "3")), yes, yes, &gate.Seen{Values: []string{"3"}}},
		{"guests", is(gate.FactGroup, "guest"), with(text(group, "guest")), yes, yes, &gate.Seen{Values: []string{"guest"}}},
		{"not guests", isNot(gate.FactGroup, "guest"), with(text(group, "3")), yes, yes, &gate.Seen{Values: []string{"3"}}},
		{"a group not known", isNot(gate.FactGroup, "guest"), with(), unknown, unknown, nil},
		{"a first order", is(gate.FactFirstOrder), with(first(true)), yes, yes, &gate.Seen{Values: []string{"yes"}}},
		{"not the first", is(gate.FactFirstOrder), with(first(false)), no, no, &gate.Seen{Values: []string{"no"}}},
		{"a returning customer", isNot(gate.FactFirstOrder), with(first(false)), yes, yes, &gate.Seen{Values: []string{"no"}}},
		{"who knows whether first", isNot(gate.FactFirstOrder), with(), unknown, unknown, nil},
		{"a payment method in any case", is(gate.FactPayment, "credit card"), with(text(payment, "Credit Card")), yes, yes, &gate.Seen{Values: []string{"Credit Card"}}},
		{"payment not known yet", is(gate.FactPayment, "Manual"), with(), unknown, unknown, nil},
		{"a shipping method", is(gate.FactShipMethod, "Pickup"), with(text(shipMethod, "pickup ")), yes, yes, &gate.Seen{Values: []string{"pickup "}}},
		{"one of two shipping methods", is(gate.FactShipMethod, "Pickup"), with(text(shipMethod, "Pickup"), methods("Post", "Pickup")), yes, no, &gate.Seen{Values: []string{"Pickup", "Post"}}},
		{"one shipping method not known", is(gate.FactShipMethod, "Pickup"), with(methods("Pickup", "")), yes, unknown, &gate.Seen{Values: []string{"Pickup"}}},
		{"a channel", is(gate.FactChannel, "1"), with(text(channel, "1")), yes, yes, &gate.Seen{Values: []string{"1"}}},
		{"another source", is(gate.FactSource, "amazon"), with(text(source, "www")), no, no, &gate.Seen{Values: []string{"www"}}},
		{"a fact of a later version", is("weather", "rain"), with(), unknown, unknown, nil},
		{"not a fact of a later version", isNot("weather", "rain"), with(), unknown, unknown, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := gate.Decide(bare(exempts(c.when), requires(c.when)), c.facts, nil, now)
			required, exempted := ruled(t, d, "r"), ruled(t, d, "e")
			if required.Verdict != c.requiring || exempted.Verdict != c.exempting {
				t.Errorf("requiring: %s, want %s; exempting: %s, want %s", required.Verdict, c.requiring, exempted.Verdict, c.exempting)
			}
			if got := required.Conditions[0]; !reflect.DeepEqual(got.Seen, c.seen) || !reflect.DeepEqual(got.Condition, c.when) || got.Verdict != c.requiring || got.More != 0 {
				t.Errorf("told %+v of %+v, want %+v", got.Seen, got.Condition, c.seen)
			}
			// At the order gate an exemption holds on a plain yes alone, and a rule that is not sure binds.
			want := gate.Allow
			if c.exempting != yes && c.requiring != no {
				want = gate.Hold
			}
			if d.Outcome != want {
				t.Errorf("%s, want %s", d.Outcome, want)
			}
		})
	}
}

// All of and any of, and when a rule on what is not known yet is settled.
func TestAllOfAndAnyOf(t *testing.T) {
	yes, no := is(gate.FactCurrency, "USD"), is(gate.FactCurrency, "EUR")
	later, never := is(gate.FactPayment, "card"), is(gate.FactGroup, "3")
	rate := over(1)
	noRate := worth(gate.Money{Minor: 1, Currency: "USD"}, nil)
	for _, c := range []struct {
		name       string
		any        bool
		when       []gate.Condition
		verdict    gate.Verdict
		atCheckout bool // counted
		atOrder    bool
	}{
		{"without conditions", false, nil, gate.Yes, true, true},
		{"any of nothing", true, nil, gate.Yes, true, true},
		{"all of yes and yes", false, []gate.Condition{yes, yes}, gate.Yes, true, true},
		{"all of yes and no", false, []gate.Condition{yes, no}, gate.No, false, false},
		{"any of yes and no", true, []gate.Condition{no, yes}, gate.Yes, true, true},
		{"any of no and no", true, []gate.Condition{no, no}, gate.No, false, false},
		{"all of yes and what comes later", false, []gate.Condition{yes, later}, gate.Unknown, false, true},
		{"all of no and what comes later", false, []gate.Condition{no, later}, gate.No, false, false},
		{"any of no and what comes later", true, []gate.Condition{no, later}, gate.Unknown, false, true},
		{"any of yes and what comes later", true, []gate.Condition{later, yes}, gate.Yes, true, true},
		{"no rate means the strictest, now", false, []gate.Condition{yes, rate}, gate.Unknown, true, true},
		{"no rate, and what comes later", false, []gate.Condition{rate, later}, gate.Unknown, false, true},
		{"any of no rate and what comes later", true, []gate.Condition{rate, later}, gate.Unknown, true, true},
		{"what will not be known later either counts now", false, []gate.Condition{never, yes}, gate.Unknown, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := requires(c.when...)
			r.Any = c.any
			at, then := gate.Decide(bare(r), order(atCheckout, noRate), nil, now), gate.Decide(bare(r), order(noRate), nil, now)
			got := ruled(t, at, "r")
			if got.Verdict != c.verdict || got.Any != c.any || got.Counted != c.atCheckout || (at.Outcome == gate.Verify) != c.atCheckout {
				t.Errorf("at checkout %s: %+v", at.Outcome, got)
			}
			if got := ruled(t, then, "r"); got.Verdict != c.verdict || got.Counted != c.atOrder || (then.Outcome == gate.Hold) != c.atOrder {
				t.Errorf("at the order gate %s: %+v", then.Outcome, got)
			}
		})
	}
}

// Of each fact, whether a rule on it that cannot be answered at checkout waits for the order.
func TestUnknownAtCheckout(t *testing.T) {
	waits := map[gate.FactName]bool{
		gate.FactValue: false, gate.FactCurrency: false, gate.FactProduct: false, gate.FactCategory: false, gate.FactBrand: false, gate.FactGroup: false, gate.FactFirstOrder: false,
		gate.FactCountry: true, gate.FactState: true, gate.FactPostcode: true, gate.FactShipDiff: true, gate.FactPayment: true, gate.FactShipMethod: true,
		gate.FactChannel: true, gate.FactSource: true,
	}
	for _, fact := range gate.FactNames() {
		wait, ok := waits[fact]
		if !ok {
			t.Errorf("%s is not judged", fact)
		}
		c := is(fact, "1")
		c.Amount = over(1).Amount
		f := gate.Facts{Stage: gate.AtCheckout, Items: []gate.Item{{}}, Shipping: []gate.Place{{}}}
		if fact == gate.FactProduct {
			continue // always known
		}
		if fact == gate.FactShipDiff {
			f.Shipping[0].Country = "US"
		}
		d := gate.Decide(bare(requires(c)), f, nil, now)
		if got := ruled(t, d, "r"); got.Verdict != gate.Unknown || got.Counted != !wait || (d.Outcome == gate.Allow) != wait {
			t.Errorf("%s: %s, %+v; waits: %v", fact, d.Outcome, got, wait)
		}
		if d := gate.Decide(bare(exempts(c), requires()), f, nil, now); d.Outcome != gate.Verify {
			t.Errorf("%s: an exemption on what is not known: %s", fact, d.Outcome)
		}
	}
}

// The strictest of all rules that count wins, part by part.
func TestStrictestWins(t *testing.T) {
	rule := func(name string, q gate.Requirement) gate.Rule {
		return gate.Rule{Name: name, Mode: gate.Enforce, Require: q}
	}
	got := gate.Decide(bare(
		rule("level", gate.Requirement{IAL: 2, MaxAge: 30}),
		rule("fresh", gate.Requirement{IAL: 1, MaxAge: 1, LeastAge: 18}),
		rule("old", gate.Requirement{LeastAge: 21, Selfie: true}),
		rule("name", gate.Requirement{IAL: 1, NameMatch: true}),
	), order(), nil, now)
	if want := (gate.Requirement{IAL: 2, MaxAge: 1, Selfie: true, LeastAge: 21, NameMatch: true}); got.Requirement != want {
		t.Errorf("%+v, want %+v", got.Requirement, want)
	}
	if d := gate.Decide(bare(rule("any age", gate.Requirement{IAL: 2}), rule("a month", gate.Requirement{IAL: 2, MaxAge: 30})), order(), nil, now); d.Requirement.MaxAge != 30 {
		t.Errorf("no limit and thirty days: %d", d.Requirement.MaxAge)
	}
}

// A Decision keeps the first few values of a long condition, those seen that are named first, and counts the rest.
func TestLongLists(t *testing.T) {
	var many []string
	var of []gate.Item
	for i := range 40 {
		many = append(many, strconv.Itoa(1000+i))
		of = append(of, gate.Item{ProductID: strconv.Itoa(970 + i)})
	}
	c := ruled(t, gate.Decide(bare(requires(is(gate.FactProduct, many...))), order(items(false, of...)), nil, now), "r").Conditions[0]
	if len(c.Values) != 25 || c.More != 15 || c.Verdict != gate.Yes {
		t.Errorf("%d values and %d more: %s", len(c.Values), c.More, c.Verdict)
	}
	if len(c.Seen.Values) != 25 || c.Seen.More != 15 || c.Seen.Values[0] != "1000" || c.Seen.Values[10] != "970" {
		t.Errorf("seen %v and %d more", c.Seen.Values, c.Seen.More)
	}
}
