package gate_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"idgate/app/gate"
)

var home = gate.Address{Street: "221B Baker Street", Postcode: "NW1 6XE", Country: "GB"}

// addressed is what Decide says of a Proof whose document bears this address, where the order has those: "" when it is enough.
func addressed(document gate.Address, order []gate.Address) gate.Reason {
	p := policy()
	p.Checkout.AddressMatch = true
	d := gate.Decide(p, orderTo(order), []gate.Proof{proof(func(p *gate.Proof) { p.Address = document })}, now)
	if d.Outcome == gate.Allow {
		return gate.Reason{}
	}
	return d.Reasons[0]
}

func orderTo(as []gate.Address) gate.Facts {
	return order(func(f *gate.Facts) { f.Addresses = as })
}

func TestAddresses(t *testing.T) {
	a := func(street, postcode, country string) gate.Address {
		return gate.Address{Street: street, Postcode: postcode, Country: country}
	}
	match, unknown := gate.Reason{}, gate.Reason{Code: gate.AddressUnknown}
	differs := func(part string) gate.Reason { return gate.Reason{Code: gate.AddressDiffers, Detail: part} }
	for _, c := range []struct {
		name            string
		document, order gate.Address
		want            gate.Reason
	}{
		{"the same", home, home, match},
		{"capitals, as on a licence", a("221B BAKER STREET", "NW16XE", "GBR"), home, match},
		{"the letter by itself", a("221 B Baker St", "nw1-6xe", ""), home, match},
		{"the letter by itself on the order", home, a("221 b, Baker St.", "NW1 6XE", "GB"), match},
		{"the order knows the flat", home, a("Flat 3, 221B Baker Street", "NW1 6XE", "GB"), match},
		{"the document knows the flat", a("Flat 3, 221B Baker Street", "NW1 6XE", "GB"), home, differs("street")},
		{"no letter", a("221 Baker Street", "NW1 6XE", "GB"), home, differs("street")},
		{"another letter", a("221C Baker Street", "NW1 6XE", "GB"), home, differs("street")},
		{"another letter by itself", a("221 C Baker Street", "NW1 6XE", "GB"), home, differs("street")},
		{"another number", a("22 Baker Street", "NW1 6XE", "GB"), home, differs("street")},
		{"a number within a number", a("21B Baker Street", "NW1 6XE", "GB"), home, differs("street")},
		{"no number on the order", home, a("Baker Street", "NW1 6XE", "GB"), differs("street")},
		{"E for East", a("12 E MAIN ST", "78701", "USA"), a("12 East Main Street", "78701", "US"), match},
		{"a suite on a line of its own", a("500 Congress Ave Ste 200", "78701", "USA"), a("500 Congress Avenue #200", "78701-1234", "US"), match},
		{"an ordinal", a("350 5TH AVE", "10118", "USA"), a("350 5th Avenue", "10118", "US"), match},
		{"another ordinal", a("350 5TH AVE", "10118", "USA"), a("350 6th Avenue", "10118", "US"), differs("street")},
		{"a number with a zero before", a("007 Bond Rd", "1", ""), a("7 Bond Road", "1", ""), match},
		{"a range", a("12-14 High St", "SW1A 1AA", "GB"), a("12/14 High Street", "SW1A 1AA", "GB"), match},
		{"half a range", a("12-14 High St", "SW1A 1AA", "GB"), a("12 High Street", "SW1A 1AA", "GB"), differs("street")},
		{"wide digits", a("本町１−２−３", "100-0001", "JPN"), a("本町1-2-3", "1000001", "JP"), match},
		{"the same number in another street", a("221B Marylebone Rd", "NW1 6XE", "GB"), home, match}, // the price of tolerance

		{"ZIP and ZIP+4", a("12 Main St", "95814", "USA"), a("12 Main St", "95814-1234", "US"), match},
		{"ZIP+4 as a licence fills it up", a("12 Main St", "958140000", "USA"), a("12 Main St", "95814", "US"), match},
		{"ZIP+4 where the document has no country", a("12 Main St", "958140000", ""), a("12 Main St", "95814", "US"), match},
		{"nine digits elsewhere are one code", a("12 Main St", "958140000", "BR"), a("12 Main St", "95814", "BR"), differs("postcode")},
		{"another postcode", a("221B Baker Street", "NW1 6XF", "GB"), home, differs("postcode")},
		{"another country", a("221B Baker Street", "NW1 6XE", "IRL"), home, differs("country")},
		{"a country that is no code", a("221B Baker Street", "NW1 6XE", "United Kingdom"), home, match},
		{"UK for GB", a("221B Baker Street", "NW1 6XE", "UK"), home, match},
		{"Puerto Rico is the States'", a("12 Calle Sol", "00901", "USA"), a("12 Calle Sol", "00901", "PR"), match},
		{"Réunion is France's", a("12 rue de Paris", "97400", "FRA"), a("12, rue de Paris", "97400", "RE"), match},
		{"no country on the order", home, a("221B Baker Street", "NW1 6XE", ""), match},

		{"no number: the street's name", a("Rose Cottage, Mill Lane", "OX7 3AA", "GB"), a("Rose Cottage", "OX7 3AA", "GB"), match},
		{"no number on the document", a("Baker Street", "NW1 6XE", "GB"), home, match},
		{"no number, and words that many streets have", a("Ivy Cottage, The Street", "OX7 3AA", "GB"), a("Rose Cottage, The Street", "OX7 3AA", "GB"), differs("street")},
		{"no number on the document, another street", a("Ivy Cottage", "OX7 3AA", "GB"), a("12 Mill Lane", "OX7 3AA", "GB"), differs("street")},
		{"no number, accents", a("Chateau d'If", "13007", "FRA"), a("Château d’If", "13007", "FR"), match},
		{"no number, umlauts written out", a("Muehlenhof", "24937", "DEU"), a("Mühlenhof", "24937", "DE"), match},
		{"no number, words too short to tell", a("St Io", "1234", ""), a("St Io", "1234", ""), differs("street")},

		{"a passport", gate.Address{}, home, unknown},
		{"a passport with a country", a("", "", "GBR"), home, unknown},
		{"no street", a("", "NW1 6XE", "GB"), home, unknown},
		{"no postcode", a("221B Baker Street", "", "GB"), home, unknown},
		{"dashes for a street", a("---", "NW1 6XE", "GB"), home, unknown},
		{"dashes for a postcode", a("221B Baker Street", "–", "GB"), a("221B Baker Street", "–", "GB"), unknown},
		{"nothing on the order", home, gate.Address{}, unknown},
		{"no postcode on the order", home, a("221B Baker Street", "", "GB"), unknown},
		{"nothing on either", gate.Address{}, gate.Address{}, unknown},
	} {
		if got := addressed(c.document, []gate.Address{c.order}); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// The billing address or any that is shipped to: one is enough, in whatever order, and else the nearest is spoken of.
func TestAddressesOfAnOrder(t *testing.T) {
	street := gate.Address{Street: "5 Baker Street", Postcode: "NW1 6XE", Country: "GB"}
	postcode := gate.Address{Street: "221B Baker Street", Postcode: "OX7 3AA", Country: "GB"}
	country := gate.Address{Street: "221B Baker Street", Postcode: "NW1 6XE", Country: "US"}
	blank := gate.Address{Country: "GB"}
	for _, c := range []struct {
		name  string
		order []gate.Address
		want  gate.Reason
	}{
		{"none", nil, gate.Reason{Code: gate.AddressUnknown}},
		{"blank", []gate.Address{blank}, gate.Reason{Code: gate.AddressUnknown}},
		{"one of two", []gate.Address{street, home}, gate.Reason{}},
		{"one of many", []gate.Address{blank, country, postcode, street, home}, gate.Reason{}},
		{"the street, nearer than a postcode", []gate.Address{postcode, street}, gate.Reason{Code: gate.AddressDiffers, Detail: gate.StreetPart}},
		{"the postcode, nearer than a country", []gate.Address{country, postcode}, gate.Reason{Code: gate.AddressDiffers, Detail: gate.PostcodePart}},
		{"a country, beside a blank one", []gate.Address{blank, country}, gate.Reason{Code: gate.AddressDiffers, Detail: gate.CountryPart}},
	} {
		if got := addressed(home, c.order); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		backwards := slices.Clone(c.order)
		slices.Reverse(backwards)
		if got := addressed(home, backwards); got != c.want {
			t.Errorf("%s, backwards: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// An address is compared where it is asked for, by a guest or a customer, and nothing of it is ever told.
func TestAddressMatch(t *testing.T) {
	moved := proof(func(p *gate.Proof) {
		p.Address = gate.Address{Street: "77 Sesame Street", Postcode: "10023", Country: "USA"}
	})
	there := orderTo([]gate.Address{home})
	if d := gate.Decide(policy(), there, []gate.Proof{moved}, now); d.Outcome != gate.Allow {
		t.Errorf("not asked for: %s %v", d.Outcome, d.Reasons)
	}
	p := policy()
	p.Rules = []gate.Rule{{Name: "Dear", Mode: gate.Enforce, Require: gate.Requirement{IAL: 1, AddressMatch: true}}}
	d := gate.Decide(p, there, []gate.Proof{moved}, now)
	if d.Outcome != gate.Hold || !d.Requirement.AddressMatch || !has(d, gate.AddressDiffers) {
		t.Errorf("asked for by one rule: %s %+v %v", d.Outcome, d.Requirement, d.Reasons)
	}
	told, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"77", "Sesame", "10023", "221B", "Baker", "NW1"} {
		if strings.Contains(string(told), secret) {
			t.Errorf("the Decision tells %q: %s", secret, told)
		}
	}
	if !p.ComparesAddress() || policy().ComparesAddress() {
		t.Error("whether a Policy compares addresses")
	}
	p.Rules[0].Exempt = true
	if p.ComparesAddress() {
		t.Error("an exemption requires nothing")
	}
	p.Rules[0].Exempt, p.Rules[0].Mode = false, gate.Off
	if p.ComparesAddress() {
		t.Error("a rule that is off requires nothing")
	}
	p.StepUp.Require.AddressMatch = true
	if !p.ComparesAddress() {
		t.Error("the step-up requires it")
	}
}

// A Policy that was stored before there were these fields reads as asking for neither.
func TestPolicyWithoutTheFields(t *testing.T) {
	var p gate.Policy
	if err := json.Unmarshal([]byte(`{"version":3,"mode":"enforce","currency":"USD","checkout":{"ial":2,"name_match":true},"step_up":{"over":{"minor":1,"currency":"USD"},"require":{"ial":2}}}`), &p); err != nil {
		t.Fatal(err)
	}
	if p.ComparesAddress() || p.DocumentGrace != 0 {
		t.Errorf("%+v", p)
	}
	if old := asJSON(t, gate.Default("USD")); strings.Contains(string(old), "address_match") || strings.Contains(string(old), "document_grace") {
		t.Errorf("a Policy that asks for neither says so: %s", old)
	}
}

func FuzzAddresses(f *testing.F) {
	f.Add("221B Baker Street", "NW1 6XE", "GB", "221 b Baker St", "nw16xe", "GBR")
	f.Add("本町１−２", "100-0001", "JPN", "O’Connell 5th", "95814-1234", "US")
	f.Fuzz(func(t *testing.T, s1, p1, c1, s2, p2, c2 string) {
		a, b := gate.Address{Street: s1, Postcode: p1, Country: c1}, gate.Address{Street: s2, Postcode: p2, Country: c2}
		got := addressed(a, []gate.Address{b})
		if got != addressed(a, []gate.Address{{}, b}) {
			t.Fatal("a blank address makes a difference")
		}
		switch got.Code {
		case "", gate.AddressUnknown, gate.AddressDiffers:
		default:
			t.Fatalf("%+v", got)
		}
		if back := addressed(b, []gate.Address{a}); (got.Code == gate.AddressUnknown) != (back.Code == gate.AddressUnknown) || (got.Detail == gate.CountryPart) != (back.Detail == gate.CountryPart) {
			t.Fatalf("%+v, the other way %+v", got, back)
		}
		if strings.ContainsAny(s1, "0123456789") && strings.Trim(p1, " -\t") != "" {
			if self := addressed(a, []gate.Address{a}); self.Code == gate.AddressDiffers {
				t.Fatalf("an address differs from itself: %+v", self)
			}
		}
	})
}
