package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/views"
)

// presenter puts what the ledger holds the way one Shop's staff read it. It does no I/O, so that every mapping is a table in a test.
type presenter struct {
	zone    *time.Location
	printer *message.Printer
	shop    *ledger.Shop
}

// present makes the Shop's presenter. A zone that this machine does not know is shown as UTC.
func present(shop *ledger.Shop) presenter {
	zone, err := time.LoadLocation(shop.Timezone)
	if err != nil {
		zone = time.UTC
	}
	return presenter{zone: zone, printer: message.NewPrinter(language.English), shop: shop}
}

// when is a moment in the Shop's zone.
func (s *Server) when(shop *ledger.Shop, t time.Time) views.When { return present(shop).when(t) }

func (p presenter) when(t time.Time) views.When {
	if t.IsZero() {
		return views.When{}
	}
	t = t.In(p.zone)
	return views.When{Text: t.Format("Mon 2 Jan 2006, 15:04"), ISO: t.Format(time.RFC3339)}
}

// moment is a moment in the Shop's zone, which it names: for what is kept, and read elsewhere or later.
func (p presenter) moment(t time.Time) string { return p.when(t).Text + " (" + p.zone.String() + ")" }

// money is an amount with its currency's own number of decimals, grouped: "1,249.00 USD". It goes by integers all the way:
// an amount on the screen is the amount that was decided on.
func (p presenter) money(m gate.Money) string {
	if m.Currency == "" {
		return ""
	}
	whole, fraction, negative := split(m)
	out := p.printer.Sprint(number.Decimal(whole)) + fraction + " " + m.Currency
	if negative {
		return "-" + out
	}
	return out
}

// plainMoney is an amount as it is typed into a form: "1249.00".
func plainMoney(m gate.Money) string {
	whole, fraction, negative := split(m)
	out := strconv.FormatUint(whole, 10) + fraction
	if negative {
		return "-" + out
	}
	return out
}

// typedMoney is an amount as a form of a Shop with this currency shows it. One in another currency keeps its code, which parseAmount
// refuses: nobody saves 500.00 USD as 500.00 EUR by pressing a button.
func typedMoney(m gate.Money, currency string) string {
	if m.Currency == currency {
		return plainMoney(m)
	}
	return plainMoney(m) + " " + m.Currency
}

func split(m gate.Money) (whole uint64, fraction string, negative bool) {
	n := uint64(m.Minor)
	if negative = m.Minor < 0; negative {
		n = -n
	}
	unit := uint64(1)
	digits := relay.MinorDigits(m.Currency)
	for range digits {
		unit *= 10
	}
	if digits > 0 {
		fraction = fmt.Sprintf(".%0*d", digits, n%unit)
	}
	return n / unit, fraction, negative
}

// count is a figure that was counted up to the ledger's cap; atLeast marks one that stopped before.
func (p presenter) count(n int64, atLeast bool) string {
	if n > ledger.CountCap {
		n, atLeast = ledger.CountCap, true
	}
	out := p.printer.Sprint(number.Decimal(n))
	if atLeast {
		out += "+"
	}
	return out
}

// figure is a number, grouped: "20,000".
func (p presenter) figure(n int) string { return p.printer.Sprint(number.Decimal(n)) }

// need is a Requirement as the merchant wrote it; what the evidence mapping adds is the shopper's to know.
func need(q gate.Requirement) views.Need {
	return views.Need{IAL: int(q.IAL), MaxAgeDays: int(q.MaxAge), LeastAge: q.LeastAge, Selfie: q.Selfie, NameMatch: q.NameMatch, AddressMatch: q.AddressMatch}
}

// holdCode is where an order stands, as the views name it: the ledger's word, and some that only a reader needs.
func holdCode(o ledger.Order) string {
	switch {
	case o.Hold == ledger.Held && o.Reheld > 0:
		return "held_again"
	case o.Hold == ledger.Moved && o.Touched && o.StatusID == o.HoldStatus:
		return "moved_back"
	case o.Hold != ledger.NotHeld:
		return string(o.Hold)
	case o.DecisionID == "":
		return "seen"
	case o.StatusID == bigcommerce.StatusManualVerification:
		return "not_ours"
	}
	return string(o.Hold)
}

// onHold reports whether a named person may let the order go.
func onHold(o ledger.Order) bool {
	return o.Hold == ledger.Held || o.Hold == ledger.Holding || o.Hold == ledger.Cancelling
}

func orderNumber(id int64) string { return strconv.FormatInt(id, 10) }

// customer is how a customer is named where only the id is known.
func customer(id int64) string {
	if id == 0 {
		return ""
	}
	return "Customer " + strconv.FormatInt(id, 10)
}

// decided is a Decision as one line of a stream.
func (p presenter) decided(d ledger.Decision) views.Entry {
	e := views.Entry{Kind: "decision", Code: string(d.Outcome), When: p.when(d.At), Customer: customer(d.CustomerID), Reasons: reasons(d.Reasons),
		Note: d.Note, Shadow: d.Mode == gate.Shadow} // a person's reason names the person
	if d.OrderID != 0 {
		e.OrderID, e.OrderNumber = orderNumber(d.OrderID), orderNumber(d.OrderID)
	}
	if d.Policy > 0 {
		e.PolicyVersion = strconv.FormatInt(d.Policy, 10)
	}
	return e
}

// session is a Session as one line of a stream, at the moment of its last change.
func (p presenter) session(n ledger.Session) views.Entry {
	e := views.Entry{Kind: "session", Code: string(n.State), When: p.when(n.ChangedAt), Customer: customer(n.CustomerID), SessionReason: n.Reason}
	if n.OrderID != 0 {
		e.OrderID, e.OrderNumber = orderNumber(n.OrderID), orderNumber(n.OrderID)
	}
	return e
}

// about adds to an entry what is known of its order.
func (p presenter) about(e views.Entry, o ledger.Order) views.Entry {
	e.OrderID, e.OrderNumber, e.Value = orderNumber(o.ID), orderNumber(o.ID), p.money(o.Value)
	if o.Buyer.Name != "" {
		e.Customer = o.Buyer.Name
	}
	return e
}

const (
	shownValues = 20 // of one condition; a rule may name hundreds of products
	valueOrMore = " or more"
)

// rule is one rule as it was answered for an order.
func (p presenter) rule(r gate.RuleResult, o ledger.Order) views.RuleData {
	out := views.RuleData{Name: r.Name, Mode: string(r.Mode), Exempt: r.Exempt, Verdict: string(r.Verdict), Need: need(r.Require)}
	for _, c := range r.Conditions {
		out.Conditions = append(out.Conditions, views.ConditionData{Fact: string(c.Fact), Not: c.Not, Wanted: p.wanted(c.Condition),
			Found: p.seen(c, o), Verdict: string(c.Verdict)})
	}
	return out
}

func (p presenter) wanted(c gate.Condition) string {
	if c.Amount != nil {
		return p.money(*c.Amount) + valueOrMore
	}
	values := c.Values
	if len(values) > shownValues {
		values = append(values[:shownValues:shownValues], "…")
	}
	if c.Fact == gate.FactSource {
		values = inWords(values, views.SourceWords)
	}
	return strings.Join(values, ", ")
}

// found is what the order has of a fact. Only what the ledger keeps can be told: addresses and items are not kept.
func (p presenter) found(c gate.Condition, o ledger.Order) string {
	switch c.Fact {
	case gate.FactValue:
		return p.money(o.Value)
	case gate.FactSource:
		if o.Source != "" {
			return views.SourceWords(o.Source).Short
		}
	case gate.FactGroup:
		if o.CustomerID == 0 {
			return "guest"
		}
	case gate.FactProduct, gate.FactCategory, gate.FactBrand, gate.FactCountry, gate.FactState, gate.FactPostcode, gate.FactShipDiff,
		gate.FactFirstOrder, gate.FactPayment, gate.FactShipMethod, gate.FactChannel:
	}
	return ""
}

func inWords(codes []string, in func(string) views.Words) []string {
	out := make([]string, len(codes))
	for i, c := range codes {
		out[i] = in(c).Short
	}
	return out
}

// reasons are a Decision's reasons for a page.
func reasons(rs []gate.Reason) []views.Reason {
	out := make([]views.Reason, len(rs))
	for i, r := range rs {
		out[i] = views.Reason{Code: string(r.Code), Detail: r.Detail}
	}
	return out
}
