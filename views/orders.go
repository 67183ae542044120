package views

import "strings"

// OrdersData is a page of the orders the gate has seen, newest first.
type OrdersData struct {
	Layout
	Filter     string // all, held, leaks or allowed
	Query      string // order number searched for, as typed
	QueryError string // what FieldError takes
	Rows       []OrderRow
	Older      string // cursor of the next page; empty on the last one
	Paged      bool   // this is not the newest page
}

// OrderRow is one order in the list.
type OrderRow struct {
	ID       string
	Number   string
	Placed   When
	Customer string // as the merchant knows them, or empty for a guest without a name
	Guest    bool
	Value    string
	StatusID int
	Outcome  string // the Decision's; empty while it has none
	Reasons  []Reason
	Hold     string // one of HoldStates
	Shadow   bool
}

// OrderData is one order with all that is known about it and about why.
type OrderData struct {
	Layout
	ID              string
	Number          string
	Placed          When
	Customer        string
	Guest           bool
	Mailbox         string
	Value           string
	ShopValue       string // in the shop's currency, where that differs
	StatusID        int
	Channel         string
	Source          string // BigCommerce's order_source
	PaymentMethod   string
	CartID          string
	ControlPanelURL string // the order in BigCommerce's control panel

	Outcome       string
	Would         string // what rules in shadow would have made of it; empty when the same
	Shadow        bool
	Reasons       []Reason
	Need          Need
	DecidedAt     When
	MadeBy        string // rule, person or failure
	DecidedBy     string // the person's e-mail
	PolicyVersion string
	FactsDigest   string

	Hold         string // one of HoldStates
	Trouble      string // why work on the order does not get on, or nothing
	HeldSince    When
	HoldStatus   int // status it was moved to
	FormerStatus int // status it goes back to

	Proof *ProofData
	Rules []RuleData

	VerifyURL     string // shown only while the order is held
	VerifyExpires When

	CanRelease bool
	CanRefuse  bool
	Release    ReasonForm
	Refuse     ReasonForm

	Timeline []Entry // oldest first
	Receipts []ReceiptData
	JWKSURL  string // where the receipts' public keys are

	VerifyCommand string // how to check a receipt offline, as one types it
}

// ProofData is the Proof a Decision used, without its content.
type ProofData struct {
	IAL      string
	Source   string // oidc, ial_endpoint, ial2_workflow, policy
	Document string // "Passport, DE"; never a number
	Selfie   bool
	Age      string // whole years then; empty when unknown
	At       When
	Until    When
	Revoked  bool
}

// RuleData is one rule as it was answered for this order.
type RuleData struct {
	Name       string // checkout, step_up, or the merchant's own
	Mode       string
	Exempt     bool
	Verdict    string // yes, no or unknown
	Need       Need
	Conditions []ConditionData
}

// ConditionData is one condition of a rule.
type ConditionData struct {
	Fact    string // one of FactNames
	Not     bool
	Wanted  string // "500.00 USD or more", "US, CA"
	Found   string // what the order has; empty when unknown
	Verdict string
}

// ReasonForm is the compulsory reason of a release or a refusal.
type ReasonForm struct {
	Reason string
	Error  string // what FieldError takes
}

// ReceiptData is a signed Decision or Proof.
type ReceiptData struct {
	Kind string // decision or proof
	When When
	KID  string
	JWT  string
}

func orderTabs(d OrdersData) []tab {
	base := d.Base + "/orders"
	return []tab{
		{"all", "All", withQuery(base, "q", d.Query)},
		{"held", "Held", withQuery(base, "filter", "held", "q", d.Query)},
		{"leaks", "Leaks", withQuery(base, "filter", "leaks", "q", d.Query)},
		{"allowed", "Allowed", withQuery(base, "filter", "allowed", "q", d.Query)},
	}
}

func (d OrdersData) url(before string) string {
	filter := d.Filter
	if filter == "all" {
		filter = ""
	}
	return withQuery(d.Base+"/orders", "filter", filter, "q", d.Query, "before", before)
}

func (d OrdersData) older() string {
	if d.Older == "" {
		return ""
	}
	return d.url(d.Older)
}

func (d OrdersData) newest() string {
	if !d.Paged {
		return ""
	}
	return d.url("")
}

func customerName(name string, guest bool) string {
	switch {
	case name == "" && guest:
		return "Guest"
	case guest:
		return name + " (guest)"
	}
	return name
}

// heldNow reports whether the order waits for a proof or a person.
func (d OrderData) heldNow() bool {
	switch d.Hold {
	case "held", "holding":
		return true
	}
	return false
}

// actionable reports whether there is something for the merchant to do.
func (d OrderData) actionable() bool { return d.heldNow() || d.CanRelease || d.CanRefuse }

func (d OrderData) passes() bool { return d.Outcome == "allow" }

func (r RuleData) name() string { return RuleWords(r.Name).Short }

func (c ConditionData) text() string {
	var b strings.Builder
	b.WriteString(FactWords(c.Fact).Short)
	if c.Wanted != "" {
		if c.Not {
			b.WriteString(" is not")
		}
		b.WriteString(": " + c.Wanted)
	} else if c.Not {
		b.WriteString(": no")
	}
	return b.String()
}

func (r ReceiptData) title() string {
	if r.Kind == "proof" {
		return "Receipt of the proof"
	}
	return "Receipt of the decision"
}

func sourceText(source string) string {
	if source == "" {
		return ""
	}
	return SourceWords(source).Short
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
