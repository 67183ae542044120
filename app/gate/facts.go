package gate

import (
	"encoding/json"
)

// Text is a fact that may not be known yet.
type Text struct {
	Value string `json:"v,omitempty"`
	Known bool   `json:"k,omitempty"`
}

// Known makes a Text of a known value.
func Known(v string) Text { return Text{v, true} }

// Bool is a yes-or-no fact that may not be known yet.
type Bool struct {
	Value bool `json:"v,omitempty"`
	Known bool `json:"k,omitempty"`
}

// Item is one line of a cart or order.
type Item struct {
	ProductID  string   `json:"product"`
	Quantity   int      `json:"quantity"`
	Categories []string `json:"categories,omitempty"` // looked up, where a Policy asks
	Brand      string   `json:"brand,omitempty"`      // looked up, where a Policy asks
}

// Place is the part of an address that rules look at, and Line, which binds the Decision to the whole of it.
type Place struct {
	Country  string `json:"country"` // ISO 3166-1 alpha-2
	State    string `json:"state"`   // as the shop writes it: a name, or a code where there is no name
	Postcode string `json:"postcode"`
	Line     string `json:"line"` // the other parts, normalised
}

// Listing says which of the Shop's two lists, if any, somebody is on.
type Listing string

// The listings.
const (
	OnNoList    Listing = ""
	OnAllowList Listing = "allowed"
	OnBlockList Listing = "blocked"
)

// Listed is what the Shop's lists say of a buyer. The lists live beside the Policy, because they may be long; the caller looks both up.
type Listed struct {
	Customer Listing `json:"customer,omitempty"` // by customer id
	Mailbox  Listing `json:"mailbox,omitempty"`  // by keyed hash
}

// blocked: either way of being known is enough.
func (l Listed) blocked() bool { return l.Customer == OnBlockList || l.Mailbox == OnBlockList }

// allowed holds an allow-listed mailbox to what a Proof found by mailbox is held to: anybody can type it, and anybody can open an
// account with it, so it counts once control of it has been shown.
func (l Listed) allowed(b Buyer) bool {
	return l.Customer == OnAllowList && b.CustomerID != 0 || l.Mailbox == OnAllowList && b.MailboxProved
}

// Facts is what is known of a cart or order. Facts that only exist later (payment method, source) are Unknown at checkout:
// they never satisfy an exemption, and rules on them are settled at the order gate.
type Facts struct {
	Stage      Stage
	CartID     string
	OrderID    int64
	Buyer      Buyer
	Listed     Listed
	Value      Money  // before store credit and gift certificates, in the currency the shopper pays
	ShopValue  *Money // Value in the Shop's currency; nil when no rate is known
	Items      []Item
	ItemsKnown bool // categories and brands were looked up, of every item
	Shipping   []Place
	Billing    Place
	// Addresses are the billing address and those shipped to, as they are compared with a document's. Canonical has them as Billing and
	// Shipping; they stand here once more because Place.Line joins the street with the city.
	Addresses  []Address
	Group      Text // customer group id, or "guest"
	FirstOrder Bool
	Payment    Text
	ShipMethod Text
	// ShipMethods are those of all consignments where there are several; ShipMethod is not read then. An empty one is unknown.
	ShipMethods []string
	Channel     Text
	Source      Text
	BeforeEpoch bool // created before enforcement began
	InReview    bool // a Session for this cart or order is with a human reviewer
	Requested   *Requested
}

// Requested is a check that a named person demands of one order besides what the Policy asks of it. No exemption lets the order off.
type Requested struct {
	Require Requirement
	Hold    bool   // it does not ship before it is proved; otherwise the buyer is only asked
	By      string // who
}

// Canonical is what a Decision was made on, as bytes for a keyed digest: amount, currency, items, buyer and addresses.
// If these differ, it must be decided again. What was merely looked up (categories, brands, group, lists) is not among them:
// an order stays the same order when a Policy begins to look at its categories.
func (f Facts) Canonical() []byte {
	type line struct {
		ProductID string `json:"product"`
		Quantity  int    `json:"quantity"`
	}
	var lines []line
	if f.Items != nil {
		lines = make([]line, len(f.Items))
	}
	for i, n := range f.Items {
		lines[i] = line{n.ProductID, n.Quantity}
	}
	b, err := json.Marshal(struct {
		Cart     string
		Customer int64
		Mailbox  string
		Given    string
		Family   string
		Value    Money
		Items    []line
		Shipping []Place
		Billing  Place
	}{f.CartID, f.Buyer.CustomerID, f.Buyer.Mailbox, f.Buyer.Name.Given, f.Buyer.Name.Family, f.Value, lines, f.Shipping, f.Billing})
	if err != nil {
		panic(err) // strings, integers and slices of them always marshal
	}
	return b
}
