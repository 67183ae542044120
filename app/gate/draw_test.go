package gate_test

import (
	"slices"

	"pgregory.net/rapid"

	"idgate/app/gate"
)

var modes = []gate.Mode{gate.Off, gate.Shadow, gate.Enforce}

// drawRequirement asks for little more often than for much, so that Proofs meet it about as often as not.
func drawRequirement(t *rapid.T) gate.Requirement {
	return gate.Requirement{IAL: rapid.SampledFrom([]gate.IAL{0, 0, 1, 1, 2, 3}).Draw(t, "ial"), MaxAge: rapid.SampledFrom([]gate.Days{0, 0, 0, 1, 2, 3}).Draw(t, "max age"),
		Selfie: seldom(t, "selfie"), LeastAge: rapid.SampledFrom([]int{0, 0, 0, 18, 21}).Draw(t, "age"), NameMatch: seldom(t, "name"), AddressMatch: seldom(t, "address")}
}

func seldom(t *rapid.T, what string) bool { return rapid.IntRange(0, 4).Draw(t, what) == 4 }

// values are those that conditions and facts are drawn from, so that they meet often.
var values = map[gate.FactName][]string{
	gate.FactCurrency: {"USD", "EUR"}, gate.FactProduct: {"1", "2", "3"}, gate.FactCategory: {"1", "2", "3"}, gate.FactBrand: {"1", "2"}, gate.FactCountry: {"US", "GB", "CA"},
	gate.FactState: {"US/California", "US/CA", "CA/QC", "US/Texas"}, gate.FactPostcode: {"90000-90999", "10001", "SW*"}, gate.FactShipDiff: nil, gate.FactGroup: {"guest", "1", "2"},
	gate.FactFirstOrder: nil, gate.FactPayment: {"card", "manual"}, gate.FactShipMethod: {"post", "pickup"}, gate.FactChannel: {"1", "2"}, gate.FactSource: {"www", "amazon"}, gate.FactValue: nil,
}

func drawCondition(t *rapid.T) gate.Condition {
	c := gate.Condition{Fact: rapid.SampledFrom(gate.FactNames()).Draw(t, "fact"), Not: rapid.Bool().Draw(t, "not")}
	if c.Fact == gate.FactValue {
		amount := usd(int64(rapid.IntRange(1, 4).Draw(t, "amount")) * 10000)
		c.Amount = &amount
	}
	for _, v := range values[c.Fact] {
		if rapid.Bool().Draw(t, v) {
			c.Values = append(c.Values, v)
		}
	}
	return c
}

func drawRule(t *rapid.T) gate.Rule {
	r := gate.Rule{Name: rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "rule"), Mode: rapid.SampledFrom(modes).Draw(t, "rule mode"),
		Exempt: rapid.Bool().Draw(t, "exempt"), Any: rapid.Bool().Draw(t, "any"), Require: drawRequirement(t)}
	for range rapid.IntRange(0, 3).Draw(t, "conditions") {
		r.When = append(r.When, drawCondition(t))
	}
	return r
}

func drawPolicy(t *rapid.T) gate.Policy {
	p := policy()
	p.Mode = rapid.SampledFrom(append(modes, gate.Enforce, gate.Enforce, gate.Enforce, gate.Enforce)).Draw(t, "mode")
	p.Checkout = drawRequirement(t)
	drawStepUp(t, &p)
	p.Guests = rapid.SampledFrom([]gate.GuestChoice{gate.GuestsVerify, gate.GuestsSignIn, gate.GuestsPass}).Draw(t, "guests")
	p.Evidence = gate.Evidence{Document: gate.IAL(rapid.IntRange(0, 1).Draw(t, "doc")), DocumentSelfie: gate.IAL(rapid.IntRange(1, 3).Draw(t, "doc+selfie"))}
	p.ProofGood = gate.Days(rapid.IntRange(1, 5).Draw(t, "proof days"))
	drawSources(t, &p)
	for range rapid.IntRange(0, 3).Draw(t, "rules") {
		p.Rules = append(p.Rules, drawRule(t))
	}
	return p
}

func drawStepUp(t *rapid.T, p *gate.Policy) {
	p.StepUp = nil
	if rapid.Bool().Draw(t, "step up") {
		p.StepUp = &gate.StepUp{Over: usd(int64(rapid.IntRange(1, 4).Draw(t, "over")) * 10000), Require: drawRequirement(t)}
	}
}

func drawSources(t *rapid.T, p *gate.Policy) {
	p.Sources = rapid.SampledFrom([][]string{nil, nil, {"www"}, {"amazon"}, {"www", "amazon"}}).Draw(t, "sources")
}

// mutate changes something of p, without touching what p shares with the Policy it was copied from.
func mutate(t *rapid.T, p gate.Policy) gate.Policy {
	p.Rules = slices.Clone(p.Rules)
	for range rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(t, "changes") {
		switch rapid.IntRange(0, 11).Draw(t, "change") {
		case 0:
			p.Mode = rapid.SampledFrom(modes).Draw(t, "mode")
		case 1:
			p.Checkout = drawRequirement(t)
		case 2:
			drawStepUp(t, &p)
		case 3:
			p.Evidence.Document = gate.IAL(rapid.IntRange(0, 3).Draw(t, "doc"))
		case 4:
			p.ProofGood = gate.Days(rapid.IntRange(1, 5).Draw(t, "proof days"))
		case 5:
			p.Guests = rapid.SampledFrom([]gate.GuestChoice{gate.GuestsVerify, gate.GuestsSignIn, gate.GuestsPass}).Draw(t, "guests")
		case 6:
			drawSources(t, &p)
		case 7:
			p.Rules = append(p.Rules, drawRule(t))
		case 8:
			p.DocumentGrace = gate.Days(rapid.IntRange(0, 90).Draw(t, "grace"))
		default:
			if len(p.Rules) > 0 {
				mutateRule(t, &p, rapid.IntRange(0, len(p.Rules)-1).Draw(t, "which"))
			}
		}
	}
	return p
}

func mutateRule(t *rapid.T, p *gate.Policy, i int) {
	r := &p.Rules[i]
	r.When = slices.Clone(r.When)
	n := len(r.When)
	switch rapid.IntRange(0, 8).Draw(t, "rule's change") {
	case 0:
		p.Rules = slices.Delete(p.Rules, i, i+1)
	case 1:
		r.Name = "z"
	case 2:
		r.Mode = rapid.SampledFrom(modes).Draw(t, "rule mode")
	case 3:
		r.Exempt = !r.Exempt
	case 4:
		r.Any = !r.Any
	case 5:
		r.Require = drawRequirement(t)
	case 6:
		r.When = append(r.When, drawCondition(t))
	case 7:
		if n > 0 {
			r.When = slices.Delete(r.When, n-1, n)
		}
	case 8:
		if n > 0 {
			c := &r.When[n-1]
			if len(c.Values) > 0 {
				c.Values = append(slices.Clone(c.Values[1:]), rapid.SampledFrom([]string{"1", "US", "www", "guest"}).Draw(t, "value"))
			}
			if c.Amount != nil {
				amount := usd(int64(rapid.IntRange(1, 4).Draw(t, "amount")) * 10000)
				c.Amount = &amount
			}
		}
	}
}

func drawText(t *rapid.T, of gate.FactName) gate.Text {
	return gate.Text{Value: rapid.SampledFrom(append([]string{"", "else"}, values[of]...)).Draw(t, string(of)), Known: rapid.IntRange(0, 3).Draw(t, "known") > 0}
}

func drawPlace(t *rapid.T) gate.Place {
	return rapid.SampledFrom([]gate.Place{{}, {Country: "US", State: "California", Postcode: "90210"}, {Country: "US", State: "TX", Postcode: "10001"}, {Country: "CA", State: "Québec"},
		{Country: "GB", Postcode: "SW1A 1AA"}, {Country: "FR", Postcode: "75001"}}).Draw(t, "place")
}

// drawAddress is one of a few that are alike, differ, or say nothing.
func drawAddress(t *rapid.T) gate.Address {
	return rapid.SampledFrom([]gate.Address{home, home, {Street: "221 B Baker St", Postcode: "nw16xe", Country: "GBR"}, {Street: "5 Baker Street", Postcode: "NW1 6XE"},
		{Street: "221b", Postcode: "90210", Country: "US"}, {Street: "Baker Street", Postcode: "NW1 6XE"}, {Postcode: "NW1 6XE"}, {}}).Draw(t, "address")
}

var listings = []gate.Listing{gate.OnNoList, gate.OnNoList, gate.OnNoList, gate.OnNoList, gate.OnNoList, gate.OnNoList, gate.OnAllowList, gate.OnBlockList}

func drawFacts(t *rapid.T) gate.Facts {
	f := order()
	if rapid.Bool().Draw(t, "at checkout") {
		atCheckout(&f)
	}
	f.Buyer = gate.Buyer{CustomerID: rapid.SampledFrom([]int64{1, 1, 1, 0, 2}).Draw(t, "customer"), Mailbox: rapid.SampledFrom([]string{"", "m1", "m2"}).Draw(t, "mailbox"),
		MailboxProved: rapid.Bool().Draw(t, "proved"), Name: gate.Name{Given: rapid.SampledFrom([]string{"Ada", "Ada", "Zoe"}).Draw(t, "given"), Family: "Lovelace"}}
	f.Listed = gate.Listed{Customer: rapid.SampledFrom(listings).Draw(t, "customer's listing"), Mailbox: rapid.SampledFrom(listings).Draw(t, "mailbox's listing")}
	v := gate.Money{Minor: int64(rapid.IntRange(0, 5).Draw(t, "value")) * 10000, Currency: rapid.SampledFrom([]string{"USD", "EUR"}).Draw(t, "currency")}
	f.Value, f.ShopValue = v, &v
	if seldom(t, "no rate") {
		f.ShopValue = nil
	}
	f.Items, f.ItemsKnown = nil, rapid.Bool().Draw(t, "items known")
	for range rapid.IntRange(0, 2).Draw(t, "items") {
		f.Items = append(f.Items, gate.Item{ProductID: rapid.SampledFrom([]string{"1", "2", "9"}).Draw(t, "product"), Quantity: 1,
			Categories: rapid.SampledFrom([][]string{nil, {"1"}, {"2", "9"}}).Draw(t, "categories"), Brand: rapid.SampledFrom([]string{"", "1", "9"}).Draw(t, "brand")})
	}
	f.Shipping, f.Billing = rapid.SliceOfN(rapid.Custom(drawPlace), 0, 2).Draw(t, "shipping"), drawPlace(t)
	f.Addresses = rapid.SliceOfN(rapid.Custom(drawAddress), 0, 3).Draw(t, "addresses")
	f.Group, f.Payment, f.Channel, f.Source = drawText(t, gate.FactGroup), drawText(t, gate.FactPayment), drawText(t, gate.FactChannel), drawText(t, gate.FactSource)
	f.ShipMethod = drawText(t, gate.FactShipMethod)
	f.ShipMethods = rapid.SampledFrom([][]string{nil, nil, {"post", "pickup"}, {"pickup", ""}}).Draw(t, "methods")
	f.FirstOrder = gate.Bool{Value: rapid.Bool().Draw(t, "first"), Known: rapid.Bool().Draw(t, "first known")}
	f.BeforeEpoch, f.InReview = rapid.IntRange(0, 9).Draw(t, "epoch") == 9, seldom(t, "review")
	return f
}

func drawProof(t *rapid.T) gate.Proof {
	return gate.Proof{ID: "p", Source: rapid.SampledFrom([]string{gate.SourcePolicy, "oidc"}).Draw(t, "source"), IAL: gate.IAL(rapid.IntRange(0, 3).Draw(t, "ial")), Document: true,
		Selfie: rapid.Bool().Draw(t, "selfie"), Age: rapid.SampledFrom([]int{30, 30, 20, 17, -1}).Draw(t, "age"), Name: ada, Address: drawAddress(t), At: now.AddDate(0, 0, -rapid.IntRange(0, 5).Draw(t, "days")),
		Until: now.AddDate(0, 0, 5-rapid.IntRange(0, 5).Draw(t, "until")), Revoked: seldom(t, "revoked"),
		Holder: gate.Holder{CustomerID: rapid.SampledFrom([]int64{1, 1, 1, 0, 2}).Draw(t, "holder"), CartID: rapid.SampledFrom([]string{"", "c1"}).Draw(t, "cart"), OrderID: int64(rapid.SampledFrom([]int{0, 100}).Draw(t, "order")),
			Mailbox: rapid.SampledFrom([]string{"", "m1", "m2"}).Draw(t, "holder mailbox")}}
}

func drawProofs(t *rapid.T) []gate.Proof {
	return rapid.SliceOfN(rapid.Custom(drawProof), 0, 3).Draw(t, "proofs")
}
