package gate_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"idgate/app/gate"
)

// A Decision is bound to the amount, the currency, the items, the buyer and the addresses, and to nothing else.
func TestCanonical(t *testing.T) {
	base := func() gate.Facts {
		return order(items(false, item("1"), item("2")), shipTo(gate.Place{Country: "US", Line: "1 a"}), billTo(gate.Place{Country: "US", Line: "1 a"}))
	}
	for _, c := range []struct {
		name    string
		change  func(*gate.Facts)
		differs bool
	}{
		{"the amount", func(f *gate.Facts) { f.Value.Minor++ }, true},
		{"the currency", func(f *gate.Facts) { f.Value.Currency = "EUR" }, true},
		{"a product", func(f *gate.Facts) { f.Items[1].ProductID = "3" }, true},
		{"a quantity", func(f *gate.Facts) { f.Items[0].Quantity = 2 }, true},
		{"one item more", func(f *gate.Facts) { f.Items = append(f.Items, item("3")) }, true},
		{"the cart", func(f *gate.Facts) { f.CartID = "c2" }, true},
		{"the customer", func(f *gate.Facts) { f.Buyer.CustomerID = 6 }, true},
		{"the mailbox", func(f *gate.Facts) { f.Buyer.Mailbox = "m-bob" }, true},
		{"the given name", func(f *gate.Facts) { f.Buyer.Name.Given = "Bob" }, true},
		{"the family name", func(f *gate.Facts) { f.Buyer.Name.Family = "Byron" }, true},
		{"the shipping country", func(f *gate.Facts) { f.Shipping[0].Country = "CA" }, true},
		{"the shipping state", func(f *gate.Facts) { f.Shipping[0].State = "Texas" }, true},
		{"the shipping postcode", func(f *gate.Facts) { f.Shipping[0].Postcode = "1" }, true},
		{"the shipping street", func(f *gate.Facts) { f.Shipping[0].Line = "2 b" }, true},
		{"the billing street", func(f *gate.Facts) { f.Billing.Line = "2 b" }, true},

		{"categories looked up", func(f *gate.Facts) { f.Items[0].Categories, f.ItemsKnown = []string{"18"}, true }, false},
		{"brands looked up", func(f *gate.Facts) { f.Items[0].Brand, f.ItemsKnown = "7", true }, false},
		{"the group looked up", func(f *gate.Facts) { f.Group = gate.Known("3") }, false},
		{"earlier orders looked up", func(f *gate.Facts) { f.FirstOrder = gate.Bool{Known: true} }, false},
		{"lists looked up", func(f *gate.Facts) { f.Listed = gate.Listed{Customer: gate.OnBlockList} }, false},
		{"the mailbox proved", func(f *gate.Facts) { f.Buyer.MailboxProved = true }, false},
		{"a rate", func(f *gate.Facts) { f.ShopValue = nil }, false},
		{"payment, channel, source and methods", func(f *gate.Facts) {
			f.Payment, f.Channel, f.Source, f.ShipMethod, f.ShipMethods = gate.Known("a"), gate.Known("b"), gate.Known("c"), gate.Known("d"), []string{"e"}
		}, false},
		{"addresses in parts, which the lines have already", func(f *gate.Facts) { f.Addresses = []gate.Address{home} }, false},
		{"a review", func(f *gate.Facts) { f.InReview = true }, false},
		{"the epoch", func(f *gate.Facts) { f.BeforeEpoch = true }, false},
		{"which gate asks, and the order's number", func(f *gate.Facts) { f.Stage, f.OrderID = gate.AtCheckout, 0 }, false},
	} {
		f := base()
		c.change(&f)
		if got := !bytes.Equal(base().Canonical(), f.Canonical()); got != c.differs {
			t.Errorf("%s: differs: %v, want %v", c.name, got, c.differs)
		}
	}
}

// The bytes are what stored digests were made over: they stay.
func TestCanonicalBytes(t *testing.T) {
	for want, f := range map[string]gate.Facts{
		`{"Cart":"c1","Customer":5,"Mailbox":"m-ada","Given":"Ada","Family":"Lovelace","Value":{"minor":10000,"currency":"USD"},"Items":[{"product":"1","quantity":1}],` +
			`"Shipping":[{"country":"GB","state":"","postcode":"","line":""}],"Billing":{"country":"","state":"","postcode":"","line":""}}`: order(items(true, item("1", "18")), shipTo(gate.Place{Country: "GB"})),
		`{"Cart":"","Customer":0,"Mailbox":"","Given":"","Family":"","Value":{"minor":0,"currency":""},"Items":null,"Shipping":null,"Billing":{"country":"","state":"","postcode":"","line":""}}`: {},
		`{"Cart":"","Customer":0,"Mailbox":"","Given":"","Family":"","Value":{"minor":0,"currency":""},"Items":[],"Shipping":[],"Billing":{"country":"","state":"","postcode":"","line":""}}`:     {Items: []gate.Item{}, Shipping: []gate.Place{}},
	} {
		if got := string(f.Canonical()); got != want {
			t.Errorf("\n%s, want\n%s", got, want)
		}
	}
}

// The Shop's lists: blocked wins over everything, allowed over every rule, and a mailbox allows only whoever has shown to control it.
func TestLists(t *testing.T) {
	allowed, blocked, none := gate.OnAllowList, gate.OnBlockList, gate.OnNoList
	staff := exempts(is(gate.FactSource, "www"))
	for _, c := range []struct {
		name    string
		listed  gate.Listed
		facts   func(*gate.Facts)
		proved  bool // Ada has a good Proof
		order   gate.Outcome
		cart    gate.Outcome
		reason  gate.Code
		atOrder bool // the reason is the order gate's alone
	}{
		{"on no list", gate.Listed{}, nil, false, gate.Hold, gate.Verify, gate.NoProof, false},
		{"a customer allowed", gate.Listed{Customer: allowed}, nil, false, gate.Allow, gate.Allow, gate.AllowListed, false},
		{"a customer allowed, and proved", gate.Listed{Customer: allowed}, nil, true, gate.Allow, gate.Allow, gate.AllowListed, false},
		{"a customer blocked", gate.Listed{Customer: blocked}, nil, false, gate.Hold, gate.Refuse, gate.Blocked, false},
		{"a customer blocked, and proved", gate.Listed{Customer: blocked}, nil, true, gate.Hold, gate.Refuse, gate.Blocked, false},
		{"a mailbox blocked", gate.Listed{Mailbox: blocked}, nil, true, gate.Hold, gate.Refuse, gate.Blocked, false},
		{"a guest's mailbox blocked", gate.Listed{Mailbox: blocked}, guest, false, gate.Hold, gate.Refuse, gate.Blocked, false},
		{"a blocked mailbox of an allowed customer", gate.Listed{Customer: allowed, Mailbox: blocked}, nil, true, gate.Hold, gate.Refuse, gate.Blocked, false},
		{"a blocked customer with an allowed mailbox", gate.Listed{Customer: blocked, Mailbox: allowed}, func(f *gate.Facts) { f.Buyer.MailboxProved = true }, true, gate.Hold, gate.Refuse, gate.Blocked, false},
		{"a mailbox allowed, and shown to be theirs", gate.Listed{Mailbox: allowed}, func(f *gate.Facts) { f.Buyer.MailboxProved = true; f.Buyer.CustomerID = 0 }, false, gate.Allow, gate.Allow, gate.AllowListed, false},
		{"a mailbox allowed, typed by anybody", gate.Listed{Mailbox: allowed}, guest, false, gate.Hold, gate.Verify, gate.NoProof, false},
		{"a mailbox allowed, registered by anybody", gate.Listed{Mailbox: allowed}, nil, false, gate.Hold, gate.Verify, gate.NoProof, false},
		{"a guest is no listed customer", gate.Listed{Customer: allowed}, guest, false, gate.Hold, gate.Verify, gate.NoProof, false},
		{"blocked, from a source that is not covered", gate.Listed{Customer: blocked}, func(f *gate.Facts) { f.Source = gate.Known("amazon") }, false, gate.Hold, gate.Refuse, gate.Blocked, false},
		{"allowed, from a source that is not covered", gate.Listed{Customer: allowed}, func(f *gate.Facts) { f.Source = gate.Known("amazon") }, false, gate.Allow, gate.Allow, gate.SourceNotCovered, true},
		{"blocked, from before enforcement", gate.Listed{Customer: blocked}, func(f *gate.Facts) { f.BeforeEpoch = true }, false, gate.Allow, gate.Allow, gate.BeforeEnforcement, false},
		{"neither", gate.Listed{Customer: none, Mailbox: none}, nil, true, gate.Allow, gate.Allow, gate.ProofOK, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := policy()
			p.Sources = []string{"www"}
			var proofs []gate.Proof
			if c.proved {
				proofs = []gate.Proof{proof()}
			}
			f := order(func(f *gate.Facts) { f.Listed = c.listed })
			if c.facts != nil {
				c.facts(&f)
			}
			cart := f
			cart.Stage, cart.OrderID = gate.AtCheckout, 0
			at, then := gate.Decide(p, cart, proofs, now), gate.Decide(p, f, proofs, now)
			if at.Outcome != c.cart || !c.atOrder && !has(at, c.reason) {
				t.Errorf("at checkout %s %v, want %s with %s", at.Outcome, at.Reasons, c.cart, c.reason)
			}
			if then.Outcome != c.order || !has(then, c.reason) {
				t.Errorf("at the order gate %s %v, want %s with %s", then.Outcome, then.Reasons, c.order, c.reason)
			}
			for _, d := range []gate.Decision{at, then} {
				if told := string(asJSON(t, d.Reasons)); strings.Contains(told, "m-ada") || strings.Contains(told, "mailbox") {
					t.Errorf("the reasons speak of the mailbox: %s", told)
				}
			}
			p.Mode = gate.Shadow
			if d := gate.Decide(p, f, proofs, now); d.Outcome != c.order || d.Binds() {
				t.Errorf("in shadow %s, binds: %v", d.Outcome, d.Binds())
			}
			p.Mode = gate.Off
			if d := gate.Decide(p, f, proofs, now); d.Outcome != gate.Allow || !has(d, gate.PolicyOff) {
				t.Errorf("switched off: %s %v", d.Outcome, d.Reasons)
			}
		})
	}
	f := order(func(f *gate.Facts) { f.Listed.Customer = blocked })
	if d := gate.Decide(bare(staff, requires()), f, nil, now); d.Outcome != gate.Hold || !ruled(t, d, "e").Counted {
		t.Errorf("blocked, and exempt: %s, needs %+v", d.Outcome, d.Needs)
	}
}

// Facts read back from JSON are the same facts: a replay stores them.
func TestFactsRoundTrip(t *testing.T) {
	f := order(items(true, item("1", "2")), methods("a", "b"), func(f *gate.Facts) { f.Listed = gate.Listed{Customer: gate.OnAllowList, Mailbox: gate.OnBlockList} })
	var again gate.Facts
	if err := json.Unmarshal(asJSON(t, f), &again); err != nil {
		t.Fatal(err)
	}
	if a, b := asJSON(t, f), asJSON(t, again); !bytes.Equal(a, b) {
		t.Errorf("%s became %s", a, b)
	}
}
